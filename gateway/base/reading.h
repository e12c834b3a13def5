/* Reading: one value of one sensor at one time, with its quality. The word of all rooms.
 *
 * An adapter reports struct sample (by channel of its device, texts inline); the pipeline makes a
 * struct reading of it (by sensor index, texts interned). A bad reading has no value: kind is
 * VALUE_NONE and `quality` says why. There is never a 0 in place of a value that was not read. */
#pragma once

#include <stdint.h>

/* Why a reading has no value, or QUALITY_GOOD. Saved and published by name: add, never renumber. */
enum quality {
    QUALITY_GOOD = 0,
    QUALITY_STALE,          /* nothing good came for longer than the sensor's `stale` */
    QUALITY_TIMEOUT,        /* the device did not answer */
    QUALITY_DISCONNECTED,   /* its connection, line or bus is down */
    QUALITY_CRC,            /* the answer was damaged */
    QUALITY_PROTOCOL,       /* the answer broke the protocol: a lying length, a foreign id */
    QUALITY_POWER_ON,       /* 1-Wire: 85 °C, the value before the first conversion */
    QUALITY_LOW_POWER,      /* 1-Wire: 127.937 °C, or a scratchpad of zeros */
    QUALITY_NO_SENSOR,      /* the device says that nothing is connected; or its file is gone */
    QUALITY_IMPLAUSIBLE,    /* outside `valid`, beyond `max_step`, a counter that fell */
    QUALITY_OUT_OF_RANGE,   /* not finite, or does not fit the type */
    QUALITY_UNMAPPED,       /* an enumeration has no text for this code */
    QUALITY_NOT_READ,       /* nothing has been read yet */
    QUALITY_ERROR,          /* anything else; the log has the words */
    QUALITY_QUIET,          /* an event sensor was looked at, and nothing has happened */
    QUALITY_EXCEPTION = 64, /* + n: Modbus exception n, 1..63 */
};
#define QUALITY_MAX 127

/* "good", "timeout", "exception_2", ...; "error" for a number that is none. Borrowed for ever. */
const char *quality_name(uint8_t quality);

enum value_kind { VALUE_NONE, VALUE_NUMBER, VALUE_TEXT };

#define SAMPLE_TEXT_SIZE 64 /* bytes with NUL; longer texts are cut at a UTF-8 boundary */

struct sample {
    int64_t at_ms;    /* boot time when the last byte of the answer arrived */
    uint32_t channel; /* index of the channel within its device */
    uint8_t kind;     /* enum value_kind */
    uint8_t quality;  /* enum quality; VALUE_NONE exactly when not good */
    union {
        double number; /* always finite; bits, coils and booleans are 0 and 1 */
        char text[SAMPLE_TEXT_SIZE];
    };
};

/* The three kinds of sample; a number that is not finite becomes QUALITY_OUT_OF_RANGE. */
struct sample sample_number(uint32_t channel, int64_t at_ms, double number);
struct sample sample_text(uint32_t channel, int64_t at_ms, const char *text);
struct sample sample_bad(uint32_t channel, int64_t at_ms, uint8_t quality);

struct reading {
    int64_t at_ms;
    uint32_t sensor; /* index in the inventory, never reused in a process */
    uint8_t kind, quality;
    union {
        double number;
        uint32_t text; /* text_table_get() */
    };
};

/* Texts of readings, interned: at most TEXT_TABLE_MAX different ones, beyond that "other", counted.
 * text_table_add() on the loop thread only; text_table_get() on any thread that got the number from
 * a queue. Entries live as long as the table. */
#define TEXT_TABLE_MAX 4096
struct text_table;
struct text_table *text_table_new(void);
void text_table_free(struct text_table *table);
uint32_t text_table_add(struct text_table *table, const char *text);
const char *text_table_get(const struct text_table *table, uint32_t id);
uint64_t text_table_overflows(const struct text_table *table);
