/* Line by line: what begins in which way is a table; what a line of a test says after its time is
 * another one. Things are collected in growing lists and stay in the arena of the script. */
#include "gateway/cli/script.h"

#include "gateway/base/clock.h"
#include "gateway/cli/script_line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WALL_STANDARD_MS INT64_C(1767571200000) /* 2026-01-05, a Monday, 00:00 UTC */

/* -- lists ---------------------------------------------------------------------------------- */

/* Room for one more behind `n` of `size`, which doubles at each power of two. */
static void *grow(void *list, size_t n, size_t size, bool *no_memory)
{
    void *grown = list;

    if ((n & (n - 1)) == 0)
        grown = reallocarray(list, n == 0 ? 1 : 2 * n, size);
    if (!grown)
        *no_memory = true;
    return grown ? grown : list;
}

#define APPEND(reader, list, n, thing)                                     \
    do {                                                                   \
        (list) = grow((list), (n), sizeof(*(list)), &(reader)->no_memory); \
        if (!(reader)->no_memory)                                          \
            (list)[(n)++] = (thing);                                       \
    } while (0)

void script_add_step(struct script_reader *reader, struct script_step step)
{
    struct script_test *test = reader->test;

    APPEND(reader, test->steps, test->n_steps, step);
}

void script_add_output(struct script_reader *reader, struct script_output output)
{
    struct script_test *test = reader->test;

    APPEND(reader, test->outputs, test->n_outputs, output);
}

/* -- lines ---------------------------------------------------------------------------------- */

static void read_test(struct script_reader *reader)
{
    struct script *script = reader->script;
    struct script_test test = {.name = script_rest(reader),
                               .place = reader->line_place,
                               .first = reader->line_place.offset,
                               .wall_ms = WALL_STANDARD_MS,
                               .zone = "UTC"};

    if (test.name && !test.name[0])
        script_wrong(reader, "write what it shows: test a door that stays open fires", "%s",
                     "the test has no name");
    APPEND(reader, script->tests, script->n_tests, test);
    if (reader->no_memory)
        return;
    reader->test = &script->tests[script->n_tests - 1];
    reader->every_ms = SCRIPT_EVERY_MS;
    reader->n_series = 0;
    reader->config_line = 0;
}

/* A path is meant from the folder of the file that names it. */
static const char *beside(struct script_reader *reader, const char *path)
{
    const char *own = reader->script->source->name, *slash = strrchr(own, '/');
    const char *text = path;

    if (path && path[0] != '/' && slash)
        text = arena_format(&reader->script->arena, "%.*s%s", (int)(slash - own) + 1, own, path);
    reader->no_memory = reader->no_memory || (path && !text);
    return text;
}

static void read_config_path(struct script_reader *reader)
{
    struct script *script = reader->script;

    script->config_place = script_here(reader);
    if (reader->test || script->config)
        script_wrong(reader, "before the first test", "%s", "config FILE stands once, at the top");
    script->config = beside(reader, script_text(reader));
    script_end_line(reader);
}

static void read_every(struct script_reader *reader)
{
    reader->every_ms = script_duration(reader, true);
    script_end_line(reader);
}

static void read_clock(struct script_reader *reader)
{
    const char *zone;

    script_clock(reader, &reader->test->wall_ms);
    zone = script_word(reader);
    if (zone)
        reader->test->zone = zone;
    script_end_line(reader);
}

static void read_none(struct script_reader *reader)
{
    struct script_test *test = reader->test;
    const char *word;

    while ((word = script_word(reader))) {
        if (!script_is_output(word))
            script_wrong(reader, "for example: none fired notify",
                         "\"%s\" is nothing that comes out", word);
        APPEND(reader, test->none, test->n_none, word);
    }
}

/* "^ words": the caret stands under what is wrong in the config line above. */
static void read_caret(struct script_reader *reader)
{
    struct script_test *test = reader->test;
    struct script_fault fault = {.place = script_here(reader), .line = reader->config_line};
    uint32_t line;

    place_line_column(fault.place, &line, &fault.column);
    reader->at++;
    fault.words = script_rest(reader);
    if (!fault.line)
        script_wrong(reader, "write it below the line of config that is wrong", "%s",
                     "there is no config above the ^");
    if (fault.words && strncmp(fault.words, "warning: ", 9) == 0) {
        fault.warning = true;
        fault.words += 9;
    }
    APPEND(reader, test->faults, test->n_faults, fault);
}

static const struct {
    const char *word;
    bool in_test; /* only there */
    void (*read)(struct script_reader *reader);
} lines[] = {
    {"test", false, read_test},  {"config", false, read_config_path}, {"every", true, read_every},
    {"clock", true, read_clock}, {"none", true, read_none},
};

static void read_words(struct script_reader *reader)
{
    const char *start = reader->at, *word = script_word(reader);

    for (size_t i = 0; word && i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (strcmp(word, lines[i].word) != 0)
            continue;
        if (lines[i].in_test && !reader->test)
            script_wrong(reader, "begin with: test WORDS", "\"%s\" stands in a test", word);
        else
            lines[i].read(reader);
        return;
    }
    reader->at = start;
    if (reader->test)
        script_read_moment(reader);
    else
        script_wrong(reader, "there are: config FILE, | config, test WORDS", "%s",
                     "this is no line before a test");
}

static void read_line(struct script_reader *reader)
{
    script_skip_blanks(reader);
    if (reader->at == reader->end || *reader->at == '#')
        return;
    if (*reader->at == '|')
        place_line_column(script_here(reader), &reader->config_line, &(uint32_t){0});
    else if (*reader->at == '^' && reader->test)
        read_caret(reader);
    else
        read_words(reader);
}

/* -- the whole ------------------------------------------------------------------------------ */

static int compare_steps(const void *a, const void *b)
{
    const struct script_step *x = a, *y = b;

    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return (x->place.offset > y->place.offset) - (x->place.offset < y->place.offset);
}

static void close_tests(struct script *script)
{
    script->head_end = script->n_tests > 0 ? script->tests[0].first : script->source->length;
    for (size_t i = 0; i < script->n_tests; i++) {
        struct script_test *test = &script->tests[i];

        test->end = i + 1 < script->n_tests ? script->tests[i + 1].first : script->source->length;
        if (test->n_steps > 0)
            qsort(test->steps, test->n_steps, sizeof(*test->steps), compare_steps);
    }
}

int script_read(struct source *source, struct problems *problems, struct script *ret_script)
{
    struct script_reader reader = {.script = ret_script, .problems = problems};
    const char *bytes = source->bytes, *stop = bytes + source->length;
    size_t errors = problems_errors(problems);

    *ret_script = (struct script){.source = source};
    while (bytes < stop && !reader.no_memory) {
        const char *newline = memchr(bytes, '\n', (size_t)(stop - bytes));

        reader.at = bytes;
        reader.end = newline ? newline : stop;
        reader.line_place = script_here(&reader);
        reader.line_wrong = false;
        read_line(&reader);
        bytes = reader.end + 1;
    }
    if (reader.no_memory)
        return -ENOMEM;
    close_tests(ret_script);
    if (ret_script->n_tests == 0 && problems_errors(problems) == errors)
        problem_error(problems, (struct place){source, 0}, "begin one with: test WORDS",
                      "there is no test in it");
    return problems_errors(problems) > errors ? -EINVAL : 0;
}

void script_free(struct script *script)
{
    for (size_t i = 0; i < script->n_tests; i++) {
        free(script->tests[i].steps);
        free(script->tests[i].outputs);
        free(script->tests[i].none);
        free(script->tests[i].faults);
    }
    free(script->tests);
    arena_free(&script->arena);
    source_free(script->source);
    *script = (struct script){0};
}

char *script_config(const struct script *script, size_t first, size_t end)
{
    const struct source *source = script->source;
    char *text = malloc(source->length + 1);
    bool any = false, config = false, blank = true;

    for (size_t i = 0; text && i <= source->length; i++) {
        char c = source->bytes[i];

        text[i] = ' ';
        if (c == '\n' || c == '\0') {
            text[i] = c;
            config = false;
            blank = true;
        } else if (blank && c == '|' && i >= first && i < end) {
            any = config = true;
        } else if (config) {
            text[i] = c;
        }
        blank = blank && strchr(" \t\n", c);
    }
    if (any)
        return text;
    free(text);
    return NULL;
}
