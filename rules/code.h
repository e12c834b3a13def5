/* Code: what every condition becomes, plain keys and expressions alike.
 *
 * A program is a straight line of instructions over a stack of cells: no jumps, so it always ends,
 * and its depth and types are known when it is made. An instruction that names a sensor names a
 * *slot*; slot 0 is the instance's own sensor. Programs so belong to a rule, slots to its
 * instances.
 *
 *   value > 85          value 0, number 85, gt
 *   outside (18, 26)    value 0, number 18, lt, value 0, number 26, gt, or
 *   avg(10m) > 0.5/m    window 1 (avg), number 0.00833, gt
 *
 * To add an instruction: one line in `enum opcode`, one in the table of code.c (name, what it takes
 * and gives), one function in the table of evaluate.c. */
#pragma once

#include "gateway/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

enum cell_kind { CELL_UNKNOWN, CELL_NUMBER, CELL_BOOL, CELL_TEXT };

/* One value while a program runs. Unknown is neither false nor zero. */
struct cell {
    uint8_t kind; /* enum cell_kind */
    union {
        double number; /* finite */
        bool is;
        const char *text;
    };
};

enum opcode {
    OP_NUMBER,  /* the constant */
    OP_BOOL,    /* likewise: `number` is 0 or 1 */
    OP_TEXT,    /* likewise */
    OP_VALUE,   /* newest good value of the sensor in the slot; unknown when none or stale */
    OP_AGE,     /* seconds since that came */
    OP_NODATA,  /* whether none came for `ms` */
    OP_QUALITY, /* of the newest reading, as text */
    OP_WINDOW,  /* `what` (enum window_what) of the window in the slot */
    OP_GROUP,   /* `what` (enum group_what) of the newest values of `group` */
    OP_RULE,    /* `what` (enum rule_what) of the rule numbered `needs` */
    OP_CIVIL,   /* `what` (enum civil_what) of local time */
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_DIV,
    OP_MOD,
    OP_NEG,
    OP_ABS,
    OP_ROUND,
    OP_FLOOR,
    OP_CEIL,
    OP_SQRT,
    OP_EXP,
    OP_LN,
    OP_LOG10,
    OP_POW,
    OP_MIN2,
    OP_MAX2,
    OP_CLAMP, /* value, low, high */
    OP_DEW_POINT,
    OP_HEAT_INDEX,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_EQ,
    OP_NE,
    OP_AND, /* Kleene: false with unknown is false */
    OP_OR,  /* Kleene: true with unknown is true */
    OP_NOT,
    OP_IF, /* condition, then, else */
    OP_COUNT
};

enum group_what { GROUP_SUM, GROUP_AVG, GROUP_MIN, GROUP_MAX, GROUP_COUNT, GROUP_COUNT_GOOD };
enum rule_what { RULE_IS_FIRING, RULE_IS_ACKED };
enum civil_what { CIVIL_HOUR, CIVIL_MINUTE, CIVIL_WEEKDAY, CIVIL_MONTH };

/* Sensors that a glob means. */
struct sensor_group {
    uint32_t count;
    uint32_t at[];
};

struct instruction {
    uint8_t op;    /* enum opcode */
    uint8_t what;  /* of OP_WINDOW, OP_GROUP, OP_RULE, OP_CIVIL */
    uint16_t slot; /* of OP_VALUE to OP_WINDOW */
    uint32_t
        needs; /* of OP_WINDOW: samples that half a window must have, 0: as usual; of OP_RULE */
    union {
        double number;                    /* of OP_NUMBER, OP_BOOL; of OP_WINDOW the argument */
        int64_t ms;                       /* of OP_NODATA */
        const char *text;                 /* of OP_TEXT; outlives the program */
        const struct sensor_group *group; /* likewise */
    };
};

#define CODE_LENGTH_MAX 256
#define CODE_DEPTH_MAX  128 /* cells on the stack: expressions nest 64 deep, calls take several */

/* Immutable. `length` 0: no program. */
struct code {
    const struct instruction *at;
    uint16_t length;
};

/* What an instruction takes from the stack and leaves on it. */
#define TYPE_ANY  UINT8_MAX       /* any kind */
#define TYPE_SAME (UINT8_MAX - 1) /* the kind of the operand before */
struct opcode_type {
    const char *name;
    uint8_t takes;   /* operands */
    uint8_t kind[3]; /* of each: enum cell_kind, TYPE_ANY or TYPE_SAME */
    uint8_t gives;   /* enum cell_kind; TYPE_SAME: that of the last operand */
};
const struct opcode_type *opcode_type(uint8_t op);

/* Coder: makes a program, checking types and depth at each step. The first failure stays in
 * `status` and later calls do nothing, so it is enough to look at the end. */
struct coder {
    int status;         /* 0, -EINVAL: a type that does not fit, -E2BIG: too long or too deep */
    uint8_t refused_op; /* with -EINVAL: the instruction */
    uint16_t length, depth;
    uint8_t kinds[CODE_DEPTH_MAX]; /* of the cells on the stack */
    struct instruction list[CODE_LENGTH_MAX];
};

void coder_start(struct coder *coder);
void coder_number(struct coder *coder, double number);
void coder_text(struct coder *coder, const char *text);
void coder_value(struct coder *coder, uint16_t slot, enum cell_kind kind);
void coder_op(struct coder *coder, enum opcode op);

/* Any instruction that takes no operands, and the kind of what it gives. */
void coder_push(struct coder *coder, struct instruction instruction, enum cell_kind kind);

/* Copies the program, which must leave one cell of `kind`, into `arena`. 0, the failure of before,
 * -EINVAL when it leaves something else, or -ENOMEM. */
int coder_finish(const struct coder *coder, enum cell_kind kind, struct arena *arena,
                 struct code *ret_code);
