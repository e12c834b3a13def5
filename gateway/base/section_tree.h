/* What a section is made of: for section.c (the tree) and setting.c (checks and values) only. */
#pragma once

#include "gateway/base/section.h"

/* What stands there, as one of SETTING_BOOL, _INT, _NUMBER, _TEXT, _GROUP; VALUE_LIST; 0: nothing.
 */
#define VALUE_LIST (1U << 31)

#define VALUE_SHORT 16 /* a text with its end that needs no memory of its own */

/* A large config has tens of thousands of these, and they are what its reading takes most. */
struct value {
    unsigned is;
    uint32_t count : 31; /* bytes of a text, elements of a list */
    uint32_t is_short : 1;
    struct place place;
    union {
        bool truth;
        int64_t whole;
        double number;
        struct section *group;
        struct {
            char *bytes;
            uint32_t *offsets; /* NULL: the bytes stand in the source as they are */
        } text;
        char short_text[VALUE_SHORT]; /* likewise */
        struct {
            struct value **items; /* each by itself: their addresses are handed out */
            uint32_t capacity;
        } list;
    };
};

/* A value with its key; "" within a list. */
struct member {
    struct value value;
    uint32_t key_offset; /* in the source of the value */
    char key[];
};

/* Where the key stands. */
static inline struct place member_place(const struct member *member)
{
    return (struct place){member->value.place.source, member->key_offset};
}

struct section {
    struct place place;
    struct member **members;
    uint32_t count, capacity;
    uint32_t *index; /* of large groups: hash to member number + 1; NULL while there are few */
    const struct setting **tables; /* that it was checked against: they know the defaults */
    struct section **implied;      /* empty groups that nobody wrote, there for their defaults */
    uint32_t index_size;
    uint16_t n_tables, n_implied;
    char name[];
};

/* The bytes of a text. */
static inline const char *value_bytes(const struct value *value)
{
    return value->is_short ? value->short_text : value->text.bytes;
}

/* The member called `key`, NULL when there is none. */
struct member *section_member(const struct section *section, const char *key);

/* The value of `key` that a person wrote; NULL when there is none. */
const struct value *section_value(const struct section *section, const char *key);

/* As section_form(), of one value. */
unsigned value_form(const struct value *value);

/* The i-th of a list; a single value counts as a list of one. NULL beyond the end. */
const struct value *value_at(const struct value *value, size_t i);
