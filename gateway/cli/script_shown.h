/* Script, what comes out of a test: written down as it comes, and held against what the test says
 * at its end. */
#pragma once

#include "gateway/cli/script.h"
#include "rules/rules.h"

/* Something that came out: "notify phone Freezer at ...". */
struct shown {
    int64_t at_ms;
    const char *word, *name, *text;
    uint32_t instance;
    const struct script_output *wanted; /* that it is; NULL: none */
};

struct script_shown {
    struct shown *list;
    size_t count, room;
    struct arena arena;
    bool no_memory;
};

/* Copies all but `word`, which lives for ever. */
void script_show(struct script_shown *shown, int64_t at_ms, uint32_t instance, const char *word,
                 const char *name, const char *text);

/* What a test says of a word (fired, notify, ...) is all of it, as far as rules are concerned that
 * it names; one that names none looks at all. Returns whether anything is missing or too much,
 * which goes to `problems`. */
bool script_judge_shown(struct script_shown *shown, const struct script_test *test,
                        const struct rules *rules, struct problems *problems);

void script_shown_free(struct script_shown *shown);

/* An error of the test at a place of its file. */
void script_fail(struct problems *problems, const struct script_test *test, struct place place,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));
