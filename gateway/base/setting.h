/* Setting: options as tables, and the checked section that comes of them.
 *
 * The room that uses an option owns its table: key, forms, default, range, help. Parsing, checks,
 * hints ("did you mean"), `check` and the manual page all come from it. `config/` turns bytes into
 * sections (section.h has the building side); section_check() holds them against tables; the rooms
 * then read with the section_*() calls below and never see libconfig. One thread at a time; a
 * section that is no longer changed may be read from any. */
#pragma once

#include "gateway/base/problem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct section;

/* How a value may be written; a setting allows one or several of them. */
enum setting_form {
    SETTING_BOOL = 1 << 0,     /* true, false */
    SETTING_INT = 1 << 1,      /* 3, 0x1f */
    SETTING_NUMBER = 1 << 2,   /* 3, -2.5 */
    SETTING_TEXT = 1 << 3,     /* "any text" */
    SETTING_DURATION = 1 << 4, /* "10s", "1h 30m" */
    SETTING_SIZE = 1 << 5,     /* "2 GB" */
    SETTING_CHOICE = 1 << 6,   /* one word of `choices` */
    SETTING_PAIR = 1 << 7,     /* ( 18, 26.5 ), first < second */
    SETTING_NUMBERS = 1 << 8,  /* ( 1, 2.5, 3 ) or [ 1, 2 ] */
    SETTING_TEXTS = 1 << 9,    /* "one", or [ "one", "two" ] */
    SETTING_GROUP = 1 << 10,   /* { ... }, checked against `inside` */
    SETTING_NAMED = 1 << 11, /* { a: { ... } b: { ... } }, each against `inside`, names are slugs */
    SETTING_GROUPS = 1 << 12, /* ( { ... }, { ... } ), each against `inside` */
    SETTING_OPEN = 1 << 13,   /* with GROUP, NAMED or GROUPS: the owner checks the inside itself */
    SETTING_REQUIRED = 1 << 14,
    SETTING_SECRET = 1 << 15, /* never shown */
};

struct setting {
    const char *key;      /* NULL ends a table */
    unsigned forms;       /* enum setting_form */
    const char *standard; /* the default, as it would stand between the quotes; NULL: none. "{}" of
                             a SETTING_GROUP: section_check() puts an empty group where none was
                             written, so that what is inside has its defaults */
    double min, max;      /* of numbers, of durations in ms, of sizes in bytes; both 0: any */
    const char *choices;  /* "none ack all" for SETTING_CHOICE */
    const struct setting *inside; /* table of the groups within */
    const char *help;             /* one sentence for the manual page */
};

/* What may stand there: `a whole number, or "none" or "all"`; "a text in quotes". */
void setting_expected(char *to, size_t size, const struct setting *setting);

/* A bound of a range as it is written; `form` is SETTING_NUMBER, _DURATION or _SIZE. */
void setting_bound(char *to, size_t size, unsigned form, double bound);

#define SETTING_BOUNDLESS 9e15 /* a `max` beyond it is none */

/* Holds `section` and what is inside against `count` tables together (the first that knows a key
 * wins): unknown keys with a suggestion, wrong forms, ranges, missing required ones. May be called
 * again with other tables for the parts marked SETTING_OPEN. Defaults are known to the calls below
 * afterwards. Returns how many errors were added. */
size_t section_check(struct section *section, const struct setting *const *tables, size_t count,
                     struct problems *problems);

/* The name under which it stands in its parent ("boiler"); "" for the outermost and in lists. */
const char *section_name(const struct section *section);

/* Whether a person wrote `key` (a default does not count). */
bool section_has(const struct section *section, const char *key);

/* Which form the written value has: SETTING_BOOL, _INT, _NUMBER, _TEXT, _NUMBERS (also for pairs),
 * _TEXTS (a list), _GROUP, _GROUPS; 0 when not written, and for a list of mixed things. An empty
 * list is SETTING_TEXTS. */
unsigned section_form(const struct section *section, const char *key);

/* Where the value of `key` stands; the section itself when `key` is NULL or was not written. */
struct place section_place(const struct section *section, const char *key);

/* Where the key's name itself stands, for "given twice" and "unknown". */
struct place section_key_place(const struct section *section, const char *key);

/* Where byte `offset` of a text stands, through escapes and joined strings: for expressions. */
struct place section_text_place(const struct section *section, const char *key, size_t offset);

/* Values: what is written, else the default of the table, else false, 0, NAN, NULL. Asking for a
 * form that the written value has not got is answered likewise, so check first. */
bool section_bool(const struct section *section, const char *key);
int64_t section_int(const struct section *section, const char *key);
double section_number(const struct section *section, const char *key);
const char *section_text(const struct section *section, const char *key);
int64_t section_duration_ms(const struct section *section, const char *key);
int64_t section_size(const struct section *section, const char *key);
int section_choice(const struct section *section, const char *key); /* index in choices; -1: none */

/* Lists: a single value counts as a list of one, so does a default. 0 when absent. */
size_t section_count(const struct section *section, const char *key);
double section_number_at(const struct section *section, const char *key, size_t i);
const char *section_text_at(const struct section *section, const char *key, size_t i);
struct place section_place_at(const struct section *section, const char *key, size_t i);

/* Groups: the one called `key` (NULL when absent, unless its default is "{}"); the i-th of a list
 * of groups, or a single one. */
struct section *section_child(const struct section *section, const char *key);
struct section *section_group_at(const struct section *section, const char *key, size_t i);

/* A number for what a person wrote in it, keys and values through all levels, whatever the order of
 * keys: two sections that mean the same have the same, places and comments do not count. */
uint64_t section_hash(const struct section *section);

/* All members in the order of the files: the i-th key, NULL at the end. Named groups are walked
 * with it: section_child(s, section_key(s, i)). */
const char *section_key(const struct section *section, size_t i);
