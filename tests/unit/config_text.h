/* For the tests of config/: one text parsed, and what was said about it. */
#pragma once

#include "config/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parsed {
    struct source *source;
    struct section *root;
    struct problems *problems;
    enum parse_result result;
    char *said;
};

static inline void parsed_say(struct parsed *parsed)
{
    size_t size;
    FILE *to = open_memstream(&parsed->said, &size);

    problems_print(parsed->problems, to);
    fclose(to);
}

static inline struct parsed parse_text(const char *text)
{
    struct parsed parsed = {.source = source_new("t.cfg", text, strlen(text)),
                            .problems = problems_new()};

    parsed.root = section_new("", (struct place){parsed.source, 0});
    parsed.result = parse_source(parsed.source, parsed.root, parsed.problems);
    parsed_say(&parsed);
    return parsed;
}

static inline void parsed_free(struct parsed *parsed)
{
    section_free(parsed->root);
    source_free(parsed->source);
    problems_free(parsed->problems);
    free(parsed->said);
}
