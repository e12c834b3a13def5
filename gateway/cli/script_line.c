#include "gateway/cli/script_line.h"

#include "gateway/base/clock.h"
#include "gateway/base/reading.h"
#include "gateway/base/text.h"
#include "rules/rules.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SAMPLES_MAX 100000 /* of one run of a series */

/* -- pieces --------------------------------------------------------------------------------- */

struct place script_here(const struct script_reader *reader)
{
    const struct source *source = reader->script->source;

    return (struct place){source, (uint32_t)(reader->at - source->bytes)};
}

void script_wrong(struct script_reader *reader, const char *hint, const char *format, ...)
{
    char words[200];
    va_list args;

    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    if (!reader->line_wrong)
        problem_error(reader->problems, script_here(reader), hint, "%s", words);
    reader->line_wrong = true;
    reader->at = reader->end;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

void script_skip_blanks(struct script_reader *reader)
{
    while (reader->at < reader->end && is_blank(*reader->at))
        reader->at++;
}

static const char *keep(struct script_reader *reader, const char *at, size_t length)
{
    const char *text = arena_format(&reader->script->arena, "%.*s", (int)length, at);

    reader->no_memory = reader->no_memory || !text;
    return text;
}

const char *script_word(struct script_reader *reader)
{
    const char *start;

    script_skip_blanks(reader);
    start = reader->at;
    while (reader->at < reader->end && !is_blank(*reader->at))
        reader->at++;
    return reader->at > start ? keep(reader, start, (size_t)(reader->at - start)) : NULL;
}

/* What stands behind the opening quote; \" and \\ are one character. */
static const char *take_quoted(struct script_reader *reader)
{
    char *text = arena_take(&reader->script->arena, (size_t)(reader->end - reader->at) + 1);
    size_t n = 0;

    if (!text) {
        reader->no_memory = true;
        return NULL;
    }
    for (reader->at++; reader->at < reader->end && *reader->at != '"'; reader->at++) {
        if (*reader->at == '\\' && reader->at + 1 < reader->end)
            reader->at++;
        text[n++] = *reader->at;
    }
    if (reader->at == reader->end)
        script_wrong(reader, NULL, "a closing quote is missing");
    else
        reader->at++;
    return text;
}

const char *script_text(struct script_reader *reader)
{
    script_skip_blanks(reader);
    return reader->at < reader->end && *reader->at == '"' ? take_quoted(reader)
                                                          : script_word(reader);
}

const char *script_rest(struct script_reader *reader)
{
    const char *start, *end = reader->end;

    script_skip_blanks(reader);
    start = reader->at;
    while (end > start && is_blank(end[-1]))
        end--;
    reader->at = reader->end;
    return keep(reader, start, (size_t)(end - start));
}

void script_end_line(struct script_reader *reader)
{
    script_skip_blanks(reader);
    if (reader->at < reader->end)
        script_wrong(reader, NULL, "nothing more can stand here");
}

int64_t script_duration(struct script_reader *reader, bool positive)
{
    const char *start, *word;
    int64_t ms = 0;

    script_skip_blanks(reader);
    start = reader->at;
    word = script_word(reader);
    if (word && text_to_duration_ms(word, &ms) == 0 && (ms > 0 || !positive))
        return ms;
    reader->at = start;
    script_wrong(reader, "for example 90s, 1m30s, 2h", "a duration is missing here");
    return 0;
}

/* As written, as if it were UTC: the zone is known only when the test runs. */
void script_clock(struct script_reader *reader, int64_t *ret_wall_ms)
{
    struct tm tm = {0};
    const char *start, *word, *rest;

    script_skip_blanks(reader);
    start = reader->at;
    word = script_word(reader);
    *ret_wall_ms = CLOCK_NEVER;
    if (!word || strcmp(word, "unknown") == 0)
        return;
    rest = strptime(word, "%Y-%m-%dT%H:%M", &tm);
    if (rest && *rest == ':')
        rest = strptime(rest, ":%S", &tm);
    *ret_wall_ms = (int64_t)timegm(&tm) * 1000;
    if (rest && *rest == '\0')
        return;
    reader->at = start;
    script_wrong(reader, "for example 2026-03-29T01:30, or unknown", "a date and time is missing");
}

/* -- series --------------------------------------------------------------------------------- */

static struct script_series *series_of(struct script_reader *reader, const char *sensor)
{
    for (size_t i = 0; i < reader->n_series; i++) {
        if (strcmp(reader->series[i].sensor, sensor) == 0)
            return &reader->series[i];
    }
    if (reader->n_series == SCRIPT_SERIES_MAX) {
        script_wrong(reader, NULL, "a test has more than %d series", SCRIPT_SERIES_MAX);
        return NULL;
    }
    reader->series[reader->n_series] = (struct script_series){.sensor = sensor};
    return &reader->series[reader->n_series++];
}

/* One value of a series: 21.5, "open", timeout, or _ for none; and behind a number +1 or -1. */
struct value {
    uint8_t kind, quality;
    bool none;
    double number, step;
    const char *text;
    long times; /* x4: that many more of it; of _ that many in all */
};

static bool find_quality(const char *word, size_t length, uint8_t *ret_quality)
{
    for (uint8_t q = QUALITY_GOOD + 1; q <= QUALITY_MAX; q++) {
        const char *name = quality_name(q);

        if (strlen(name) != length || strncmp(name, word, length) != 0)
            continue;
        *ret_quality = q;
        return true;
    }
    return false;
}

/* "-18", "20+0.5", "20-1": a number and by how much it changes. */
static bool read_number(const char *word, size_t length, struct value *value)
{
    char text[64];
    size_t sign = 1;

    while (sign < length && !((word[sign] == '+' || word[sign] == '-') && word[sign - 1] != 'e'))
        sign++;
    if (length >= sizeof(text))
        return false;
    snprintf(text, sizeof(text), "%.*s", (int)sign, word);
    if (text_to_number(text, &value->number) < 0)
        return false;
    snprintf(text, sizeof(text), "%.*s", (int)(length - sign), word + sign);
    value->kind = VALUE_NUMBER;
    return sign >= length || text_to_number(text, &value->step) == 0;
}

static bool read_times(const char *word, struct value *value)
{
    char *end = NULL;

    if (*word == '\0')
        return true;
    if (*word == 'x')
        value->times = strtol(word + 1, &end, 10);
    return end && end > word + 1 && *end == '\0' && value->times > 0 && value->times <= SAMPLES_MAX;
}

static bool read_value(struct script_reader *reader, struct value *value)
{
    const char *start = reader->at, *word, *x;
    size_t length;

    *value = (struct value){0};
    if (*start == '"') {
        value->kind = VALUE_TEXT;
        value->text = take_quoted(reader);
        word = !reader->line_wrong && reader->at < reader->end && !is_blank(*reader->at)
                   ? script_word(reader)
                   : "";
        return word && read_times(word, value);
    }
    word = script_word(reader);
    if (!word)
        return false;
    x = strrchr(word, 'x');
    length = x && x > word && x[1] >= '0' && x[1] <= '9' ? (size_t)(x - word) : strlen(word);
    value->none = length == 1 && word[0] == '_';
    if (!read_times(word + length, value))
        return false;
    return value->none || read_number(word, length, value) ||
           find_quality(word, length, &value->quality);
}

static void add_samples(struct script_reader *reader, struct script_series *series,
                        const struct value *value, struct place place)
{
    long n = value->none && value->times > 0 ? value->times : value->times + 1;

    for (long i = 0; i < n && !reader->no_memory; i++) {
        struct script_step step = {.at_ms = series->next_ms,
                                   .place = place,
                                   .kind = SCRIPT_SAMPLE,
                                   .value_kind = value->kind,
                                   .quality = value->quality,
                                   .name = series->sensor,
                                   .text = value->text,
                                   .number = value->number + (double)i * value->step};

        series->next_ms += reader->every_ms;
        if (!value->none)
            script_add_step(reader, step);
    }
}

/* A second line of a sensor goes on where the first one ended. */
static void read_series(struct script_reader *reader, const char *sensor)
{
    struct script_series *series = series_of(reader, sensor);
    struct value value;

    script_skip_blanks(reader);
    while (series && reader->at < reader->end) {
        struct place place = script_here(reader);
        const char *start = reader->at;

        if (!read_value(reader, &value)) {
            reader->at = reader->line_wrong ? reader->at : start;
            script_wrong(reader, "for example 20 20x4 20+0.5x9 \"open\" timeout _ _x3",
                         "this is no value of a series");
            return;
        }
        add_samples(reader, series, &value, place);
        script_skip_blanks(reader);
    }
}

/* -- moments -------------------------------------------------------------------------------- */

static const char *const events[] = {"fired", "level",   "cleared", "blind",    "seeing",   "acked",
                                     "muted", "unmuted", "enabled", "disabled", "adjusted", NULL};
static const char *const actions[] = {"publish", "write", "notify", "run", "log", NULL};

static bool is_one_of(const char *word, const char *const *list)
{
    while (*list && strcmp(*list, word) != 0)
        list++;
    return *list != NULL;
}

bool script_is_event(const char *word)
{
    return is_one_of(word, events);
}

bool script_is_output(const char *word)
{
    return is_one_of(word, events) || is_one_of(word, actions);
}

static void read_output(struct script_reader *reader, struct script_output *output)
{
    output->name = strcmp(output->word, "log") == 0 ? "" : script_text(reader);
    script_skip_blanks(reader);
    if (!output->name)
        script_wrong(reader, "for example: 10m fired freezer_warm", "of what is missing");
    if (reader->at < reader->end)
        output->text = script_text(reader);
    script_end_line(reader);
    script_add_output(reader, *output);
}

static const struct {
    const char *word;
    uint8_t order;
} orders[] = {{"ack", ORDER_ACK},         {"mute", ORDER_MUTE},     {"unmute", ORDER_UNMUTE},
              {"disable", ORDER_DISABLE}, {"enable", ORDER_ENABLE}, {"set", ORDER_LIMIT},
              {"reset", ORDER_RESET}};

static bool find_order(const char *word, uint8_t *ret_order)
{
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        if (strcmp(word, orders[i].word) != 0)
            continue;
        *ret_order = orders[i].order;
        return true;
    }
    return false;
}

static bool take_given(struct script_reader *reader, const char *wanted)
{
    size_t length = strlen(wanted);

    script_skip_blanks(reader);
    if ((size_t)(reader->end - reader->at) < length || strncmp(reader->at, wanted, length) != 0)
        return false;
    reader->at += length;
    return true;
}

/* "set RULE above -12", "mute RULE 1h", "ack RULE", each with "refused" and words behind. */
static void read_order(struct script_reader *reader, struct script_step *step)
{
    const char *value;

    step->kind = SCRIPT_ORDER;
    step->name = script_word(reader);
    if (!step->name)
        script_wrong(reader, "for example: 17m ack freezer_warm", "a rule is missing");
    if (step->order == ORDER_LIMIT) {
        step->key = script_word(reader);
        value = script_word(reader);
        if (!value || text_to_number(value, &step->number) < 0)
            script_wrong(reader, "for example: 5m set freezer_warm above -12",
                         "a limit and a number are missing");
    }
    script_skip_blanks(reader);
    if (step->order == ORDER_MUTE && reader->at < reader->end && strchr("0123456789", *reader->at))
        step->ms = script_duration(reader, true);
    if (take_given(reader, "refused"))
        step->text = script_text(reader);
    if (step->text == NULL && reader->at < reader->end)
        script_wrong(reader, NULL, "nothing more can stand here but: refused \"WORDS\"");
    script_end_line(reader);
    script_add_step(reader, *step);
}

static bool is_state(const char *text)
{
    for (uint8_t s = RULE_OK; s <= RULE_RECOVERING; s++) {
        size_t length = strlen(rule_state_name(s));

        if (strncmp(text, rule_state_name(s), length) == 0 && strchr(" ", text[length]))
            return true;
    }
    return false;
}

/* The last " is " of the line; NULL when there is none. */
static const char *find_is(const struct script_reader *reader)
{
    const char *found = NULL;

    for (const char *c = reader->at; c + 4 < reader->end; c++) {
        if (strncmp(c, " is ", 4) == 0)
            found = c;
    }
    return found;
}

/* "freezer_warm is firing acked", "avg(freezer.temp, 10m) is -17.5" */
static void read_check(struct script_reader *reader, struct script_step *step)
{
    const char *is;

    script_skip_blanks(reader);
    is = find_is(reader);
    if (!is) {
        script_wrong(reader,
                     "for example: freezer_warm is firing; fired freezer_warm; ack freezer_warm",
                     "this says nothing that is known");
        return;
    }
    step->place = script_here(reader);
    step->name = keep(reader, reader->at, (size_t)(is - reader->at));
    reader->at = is + 4;
    step->text = script_rest(reader);
    if (reader->no_memory)
        return;
    step->kind = is_state(step->text) ? SCRIPT_STATE : SCRIPT_VALUE;
    script_add_step(reader, *step);
}

static void read_what(struct script_reader *reader, struct script_step *step)
{
    const char *start = reader->at, *word;

    step->place = script_here(reader);
    word = script_word(reader);
    script_skip_blanks(reader);
    if (word && script_is_output(word) && strncmp(reader->at, "is ", 3) != 0) {
        struct script_output output = {.at_ms = step->at_ms, .place = step->place, .word = word};

        read_output(reader, &output);
    } else if (word && find_order(word, &step->order)) {
        read_order(reader, step);
    } else if (word && strcmp(word, "restart") == 0) {
        step->kind = SCRIPT_RESTART;
        step->ms = script_duration(reader, false);
        script_end_line(reader);
        script_add_step(reader, *step);
    } else if (word && strcmp(word, "clock") == 0) {
        step->kind = SCRIPT_CLOCK;
        script_clock(reader, &step->ms);
        script_end_line(reader);
        script_add_step(reader, *step);
    } else {
        reader->at = start;
        read_check(reader, step);
    }
}

void script_read_moment(struct script_reader *reader)
{
    struct script_step step = {.place = script_here(reader)};
    const char *start = reader->at, *word = script_word(reader);
    size_t length = word ? strlen(word) : 0;

    if (length > 1 && word[length - 1] == ':') {
        read_series(reader, keep(reader, word, length - 1));
        return;
    }
    if (word && text_to_duration_ms(word, &step.at_ms) == 0) {
        script_skip_blanks(reader);
        read_what(reader, &step);
        return;
    }
    reader->at = start;
    script_wrong(reader,
                 "a test has: every 10s; room.temp: 20 21x5; 30s warm is firing; 30s fired warm",
                 "this is no line of a test");
}
