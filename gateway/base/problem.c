#include "gateway/base/problem.h"
#include "gateway/base/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Errors and warnings are kept up to here each: warnings must not push out an error. */
#define PROBLEMS_KEPT 100

/* How much of a long line is shown before and after the place. */
#define EXCERPT_BEFORE 60
#define EXCERPT_AFTER  60

struct problem {
    char *line, *excerpt, *hint; /* excerpt with the caret's line, or NULL; hint or NULL */
    char *source;                /* name, NULL: no place */
    uint32_t order, seen, offset;
    size_t sequence;
    bool warning;
};

struct problems {
    struct problem *kept;
    size_t count, capacity, errors, warnings, kept_errors;
    bool sorted;
};

/* -- sources and places -- */

struct source *source_new(const char *name, const void *bytes, size_t length)
{
    struct source *source = calloc(1, sizeof *source);

    if (source == NULL)
        return NULL;
    source->name = strdup(name);
    source->bytes = malloc(length + 1);
    if (source->name == NULL || source->bytes == NULL) {
        source_free(source);
        return NULL;
    }
    if (length > 0)
        memcpy(source->bytes, bytes, length);
    source->bytes[length] = '\0';
    source->length = length;
    return source;
}

void source_free(struct source *source)
{
    if (source == NULL)
        return;
    free(source->name);
    free(source->bytes);
    free(source);
}

static size_t offset_within(struct place place)
{
    return place.offset < place.source->length ? place.offset : place.source->length;
}

/* Where the line with byte `offset` begins. */
static size_t line_start(const struct source *source, size_t offset)
{
    const char *newline = memrchr(source->bytes, '\n', offset);

    return newline != NULL ? (size_t)(newline - source->bytes) + 1 : 0;
}

void place_line_column(struct place place, uint32_t *ret_line, uint32_t *ret_column)
{
    const char *at, *end, *newline;
    size_t count;
    uint32_t code;

    *ret_line = *ret_column = 0;
    if (place.source == NULL)
        return;
    at = place.source->bytes;
    end = at + offset_within(place);
    *ret_line = *ret_column = 1;
    for (; (newline = memchr(at, '\n', (size_t)(end - at))) != NULL; at = newline + 1)
        ++*ret_line;
    /* A place inside a character is a place of that character; a broken byte counts as one. */
    for (; at < end; at += count) {
        count = text_utf8(at, place.source->length - (size_t)(at - place.source->bytes), &code);
        count = count > 0 ? count : 1;
        if (at + count > end)
            return;
        ++*ret_column;
    }
}

/* -- how a problem looks -- */

/* Columns that a character takes on a terminal: marks that combine none, East Asian ones two. Not
 * wcwidth(): that depends on the locale. */
static int columns_of(uint32_t code)
{
    static const uint32_t wide[][2] = {{0x1100, 0x115f},  {0x2e80, 0xa4cf},   {0xac00, 0xd7a3},
                                       {0xf900, 0xfaff},  {0xfe30, 0xfe6f},   {0xff00, 0xff60},
                                       {0xffe0, 0xffe6},  {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff},
                                       {0x20000, 0x3fffd}};

    if ((code >= 0x300 && code <= 0x36f) || (code >= 0x200b && code <= 0x200d) ||
        (code >= 0xfe00 && code <= 0xfe0f))
        return 0;
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++) {
        if (code >= wide[i][0] && code <= wide[i][1])
            return 2;
    }
    return 1;
}

struct picture {
    char text[1024];
    size_t length;
    char caret[1024];
    size_t caret_length;
};

/* Puts the character at `from` into the picture; below it a blank as wide, while before the caret.
 */
static size_t draw_character(struct picture *picture, const char *from, size_t left, bool before)
{
    uint32_t code = 0xfffd;
    size_t count = text_utf8(from, left, &code);
    int columns = 1;

    if (count == 1 && code == '\t') {
        text_append(picture->text, sizeof picture->text, &picture->length, "\t");
        if (before)
            text_append(picture->caret, sizeof picture->caret, &picture->caret_length, "\t");
        return 1;
    }
    if (count == 0 || text_is_unsafe(code)) {
        text_append(picture->text, sizeof picture->text, &picture->length, "\xef\xbf\xbd");
    } else {
        text_append(picture->text, sizeof picture->text, &picture->length, "%.*s", (int)count,
                    from);
        columns = columns_of(code);
    }
    if (before)
        text_append(picture->caret, sizeof picture->caret, &picture->caret_length, "%*s", columns,
                    "");
    return count > 0 ? count : 1;
}

static bool is_continuation(const struct source *source, size_t offset)
{
    return ((unsigned char)source->bytes[offset] & 0xc0) == 0x80;
}

/* The part of the line that is shown: without what indents it, and of a long line the part around
 * the place. */
static void excerpt_range(struct place place, size_t *ret_start, size_t *ret_end, bool *ret_cut)
{
    const struct source *source = place.source;
    size_t at = offset_within(place), start = line_start(source, at);
    size_t end = start + strcspn(source->bytes + start, "\r\n");

    while (start < at && (source->bytes[start] == ' ' || source->bytes[start] == '\t'))
        start++;
    *ret_cut = at - start > EXCERPT_BEFORE;
    if (*ret_cut) {
        start = at - EXCERPT_BEFORE;
        while (start < at && is_continuation(source, start))
            start++;
    }
    if (end > at + EXCERPT_AFTER) {
        end = at + EXCERPT_AFTER;
        while (end > at && is_continuation(source, end))
            end--;
    }
    *ret_start = start;
    *ret_end = end;
}

/* The line and the caret below it; NULL when there is nothing to see. */
static char *draw_excerpt(struct place place)
{
    struct picture picture = {.length = 0};
    size_t at, end, place_at;
    bool cut;
    char *result;

    if (place.source == NULL)
        return NULL;
    excerpt_range(place, &at, &end, &cut);
    place_at = offset_within(place);
    if (at >= end)
        return NULL;
    text_append(picture.text, sizeof picture.text, &picture.length, "    %s", cut ? "..." : "");
    text_append(picture.caret, sizeof picture.caret, &picture.caret_length, "    %s",
                cut ? "   " : "");
    while (at < end)
        at += draw_character(&picture, place.source->bytes + at, end - at, at < place_at);
    if (end < place.source->length && strchr("\r\n", place.source->bytes[end]) == NULL)
        text_append(picture.text, sizeof picture.text, &picture.length, "...");
    if (asprintf(&result, "%s\n%s^\n", picture.text, picture.caret) < 0)
        return NULL;
    return result;
}

static char *draw_line(struct place place, bool warning, const char *text)
{
    const char *kind = warning ? "warning" : "error";
    char safe[1200], name[512], *result;
    uint32_t line, column;
    int count;

    text_escape(safe, sizeof safe, text);
    text_escape(name, sizeof name, place.source != NULL ? place.source->name : "");
    place_line_column(place, &line, &column);
    if (place.source == NULL)
        count = asprintf(&result, "%s: %s", kind, safe);
    else
        count = asprintf(&result, "%s:%u:%u: %s: %s", name, line, column, kind, safe);
    return count < 0 ? NULL : result;
}

static char *draw_hint(const char *hint)
{
    char safe[800];

    if (hint == NULL || hint[0] == '\0')
        return NULL;
    return strdup(text_escape(safe, sizeof safe, hint));
}

/* -- keeping them -- */

struct problems *problems_new(void)
{
    return calloc(1, sizeof(struct problems));
}

static void problem_clear(struct problem *problem)
{
    free(problem->line);
    free(problem->excerpt);
    free(problem->hint);
    free(problem->source);
}

void problems_free(struct problems *problems)
{
    if (problems == NULL)
        return;
    for (size_t i = 0; i < problems->count; i++)
        problem_clear(&problems->kept[i]);
    free(problems->kept);
    free(problems);
}

static bool is_known(const struct problems *problems, const char *line)
{
    for (size_t i = 0; i < problems->count; i++) {
        if (strcmp(problems->kept[i].line, line) == 0)
            return true;
    }
    return false;
}

/* Sources of equal order stand as they were first complained of. */
static uint32_t seen_of(const struct problems *problems, const char *name)
{
    uint32_t next = 1;

    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->kept[i];

        if (problem->source == NULL)
            continue;
        if (strcmp(problem->source, name) == 0)
            return problem->seen;
        if (problem->seen >= next)
            next = problem->seen + 1;
    }
    return next;
}

static struct problem *next_slot(struct problems *problems)
{
    if (problems->count == problems->capacity) {
        size_t capacity = problems->capacity == 0 ? 16 : problems->capacity * 2;
        struct problem *kept = reallocarray(problems->kept, capacity, sizeof *kept);

        if (kept == NULL)
            return NULL;
        problems->kept = kept;
        problems->capacity = capacity;
    }
    return memset(&problems->kept[problems->count], 0, sizeof *problems->kept);
}

/* Keeps it, if memory allows: it is counted in any case. False when the very same is known already.
 */
static bool keep(struct problems *problems, struct place place, bool warning, const char *hint,
                 const char *text)
{
    char *line = draw_line(place, warning, text);
    struct problem *problem;

    if (line != NULL && is_known(problems, line)) {
        free(line);
        return false;
    }
    problem = line != NULL ? next_slot(problems) : NULL;
    if (problem == NULL) {
        free(line);
        return true;
    }
    problem->line = line;
    problem->warning = warning;
    problem->hint = draw_hint(hint);
    problem->excerpt = draw_excerpt(place);
    problem->sequence = problems->errors + problems->warnings;
    if (place.source != NULL) {
        problem->order = place.source->order;
        problem->seen = seen_of(problems, place.source->name);
        problem->source = strdup(place.source->name);
        problem->offset = place.offset;
    }
    problems->count++;
    problems->kept_errors += !warning;
    problems->sorted = false;
    return true;
}

static void add(struct problems *problems, struct place place, bool warning, const char *hint,
                const char *format, va_list arguments) __attribute__((format(printf, 5, 0)));

static void add(struct problems *problems, struct place place, bool warning, const char *hint,
                const char *format, va_list arguments)
{
    size_t kept = warning ? problems->count - problems->kept_errors : problems->kept_errors;
    char text[1000];

    if (kept < PROBLEMS_KEPT) {
        vsnprintf(text, sizeof text, format, arguments);
        if (!keep(problems, place, warning, hint, text))
            return;
    }
    if (warning)
        problems->warnings++;
    else
        problems->errors++;
}

void problem_error(struct problems *problems, struct place place, const char *hint,
                   const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(problems, place, false, hint, format, arguments);
    va_end(arguments);
}

void problem_warning(struct problems *problems, struct place place, const char *hint,
                     const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(problems, place, true, hint, format, arguments);
    va_end(arguments);
}

size_t problems_errors(const struct problems *problems)
{
    return problems->errors;
}

size_t problems_warnings(const struct problems *problems)
{
    return problems->warnings;
}

/* -- showing them -- */

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare(const void *left, const void *right)
{
    const struct problem *a = left, *b = right;
    int result = compare_numbers(a->source != NULL, b->source != NULL);

    if (result == 0)
        result = compare_numbers(a->order, b->order);
    if (result == 0)
        result = compare_numbers(a->seen, b->seen);
    if (result == 0)
        result = compare_numbers(a->offset, b->offset);
    return result != 0 ? result : compare_numbers(a->sequence, b->sequence);
}

static void sort(struct problems *problems)
{
    if (!problems->sorted && problems->count > 0)
        qsort(problems->kept, problems->count, sizeof *problems->kept, compare);
    problems->sorted = true;
}

void problems_print(struct problems *problems, FILE *to)
{
    size_t beyond = problems->errors + problems->warnings - problems->count;

    sort(problems);
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->kept[i];

        fprintf(to, "%s\n%s", problem->line, problem->excerpt != NULL ? problem->excerpt : "");
        if (problem->hint != NULL)
            fprintf(to, "    %s\n", problem->hint);
    }
    if (beyond > 0)
        fprintf(to, "and %zu more\n", beyond);
}

const char *problems_line(struct problems *problems, size_t i)
{
    sort(problems);
    return i < problems->count ? problems->kept[i].line : NULL;
}
