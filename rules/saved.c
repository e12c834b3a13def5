#include "rules/saved.h"

#include "gateway/base/clock.h"
#include "gateway/base/text.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "rule/1"
#define AGE_MAX_MS \
    ((int64_t)1000 * 366 * 24 * 3600 * 1000) /* so that sums of times cannot overflow */

const struct saved saved_nothing = {
    .changed = {CLOCK_NEVER, CLOCK_NEVER},
    .fired = {CLOCK_NEVER, CLOCK_NEVER},
    .cleared = {CLOCK_NEVER, CLOCK_NEVER},
    .muted = {CLOCK_NEVER, CLOCK_NEVER},
    .value = (double)NAN,
    .limit = (double)NAN,
};

static const char *const states[] = {"ok", "pending", "firing", "recovering", NULL};
static const char *const tolds[] = {"nothing", "this", "earlier", NULL};

/* What stands between the print and the limits: the key, and how it is written. */
enum form { FORM_STATE, FORM_TOLD, FORM_MS, FORM_COUNT, FORM_MOMENT, FORM_NUMBER, FORM_FLAG };
static const struct field {
    const char *key;
    uint8_t form;
    size_t at;
} fields[] = {
    {"state", FORM_STATE, offsetof(struct saved, state)},
    {"level", FORM_COUNT, offsetof(struct saved, level)},
    {"changed", FORM_MOMENT, offsetof(struct saved, changed)},
    {"fired", FORM_MOMENT, offsetof(struct saved, fired)},
    {"cleared", FORM_MOMENT, offsetof(struct saved, cleared)},
    {"told", FORM_TOLD, offsetof(struct saved, told)},
    {"published", FORM_TOLD, offsetof(struct saved, published)},
    {"level_told", FORM_COUNT, offsetof(struct saved, level_told)},
    {"cool", FORM_MS, offsetof(struct saved, cool_ms)},
    {"waited", FORM_MS, offsetof(struct saved, waited_ms)},
    {"repeats", FORM_MS, offsetof(struct saved, repeats)},
    {"escalated", FORM_COUNT, offsetof(struct saved, escalated)},
    {"yielded", FORM_COUNT, offsetof(struct saved, yielded)},
    {"value", FORM_NUMBER, offsetof(struct saved, value)},
    {"limit", FORM_NUMBER, offsetof(struct saved, limit)},
    {"acked", FORM_FLAG, offsetof(struct saved, acked)},
    {"muted", FORM_MOMENT, offsetof(struct saved, muted)},
    {"disabled", FORM_FLAG, offsetof(struct saved, disabled)},
    {"inactive", FORM_FLAG, offsetof(struct saved, inactive)},
    {"blind", FORM_FLAG, offsetof(struct saved, blind)},
    {"blind_told", FORM_FLAG, offsetof(struct saved, blind_told)},
    {"blind_published", FORM_FLAG, offsetof(struct saved, blind_published)},
};
#define N_FIELDS (sizeof fields / sizeof fields[0])

static uint32_t sum_of(const char *text, size_t length)
{
    uint32_t sum = 0x811c9dc5u; /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        sum = (sum ^ (unsigned char)text[i]) * 0x01000193u;
    return sum;
}

/* -- writing -- */

struct line {
    char *text;
    size_t length;
};

static void put(struct line *line, const char *key, const char *value)
{
    text_append(line->text, RULES_SAVED_SIZE, &line->length, " %s=%s", key, value);
}

static void put_number(struct line *line, const char *key, double number)
{
    char text[32];
    text_from_number(text, sizeof text, number, -1);
    if (isfinite(number))
        put(line, key, text);
}

static void put_moment(struct line *line, const char *key, const struct moment *moment)
{
    char text[64];
    if (moment->age_ms == CLOCK_NEVER)
        return;
    if (moment->wall_ms == CLOCK_NEVER)
        snprintf(text, sizeof text, "%" PRId64, moment->age_ms);
    else
        snprintf(text, sizeof text, "%" PRId64 "@%" PRId64, moment->age_ms, moment->wall_ms);
    put(line, key, text);
}

static void put_field(struct line *line, const struct field *field, const struct saved *saved)
{
    const char *from = (const char *)saved + field->at;
    switch ((enum form)field->form) {
    case FORM_STATE:
        put(line, field->key, states[*(const uint8_t *)from]);
        break;
    case FORM_TOLD:
        if (*(const uint8_t *)from != TOLD_NOTHING)
            put(line, field->key, tolds[*(const uint8_t *)from]);
        break;
    case FORM_MS:
        if (*(const int64_t *)(const void *)from > 0)
            put_moment(line, field->key,
                       &(struct moment){*(const int64_t *)(const void *)from, CLOCK_NEVER});
        break;
    case FORM_COUNT:
        if (*(const uint8_t *)from > 0)
            put_moment(line, field->key, &(struct moment){*(const uint8_t *)from, CLOCK_NEVER});
        break;
    case FORM_MOMENT:
        put_moment(line, field->key, (const struct moment *)(const void *)from);
        break;
    case FORM_NUMBER:
        put_number(line, field->key, *(const double *)(const void *)from);
        break;
    case FORM_FLAG:
        if (*(const uint8_t *)from)
            put(line, field->key, "1");
        break;
    }
}

static void put_limit(struct line *line, const struct saved_limit *limit)
{
    char value[32], file[32];
    text_from_number(value, sizeof value, limit->value, -1);
    text_from_number(file, sizeof file, limit->file, -1);
    text_append(line->text, RULES_SAVED_SIZE, &line->length, " limit.%s=%s/%s", limit->key, value,
                file);
}

/* "life.1=pending/1200/0110"; nothing for one that stands as new. */
static void put_life(struct line *line, unsigned level, const struct saved_life *life)
{
    if (life->state == RULE_OK && life->n_hits == 0)
        return;
    text_append(line->text, RULES_SAVED_SIZE, &line->length, " life.%u=%s", level,
                states[life->state]);
    if (life->ran_ms > 0 || life->n_hits > 0)
        text_append(line->text, RULES_SAVED_SIZE, &line->length, "/%" PRId64, life->ran_ms);
    for (unsigned i = life->n_hits; i-- > 0;)
        text_append(line->text, RULES_SAVED_SIZE, &line->length, "%s%c",
                    i + 1u == life->n_hits ? "/" : "", life->hits >> i & 1 ? '1' : '0');
}

size_t saved_write(const struct saved *saved, char text[RULES_SAVED_SIZE])
{
    struct line line = {text, 0};
    text[0] = '\0';
    text_append(text, RULES_SAVED_SIZE, &line.length, VERSION " print=%016" PRIx64, saved->print);
    for (size_t i = 0; i < N_FIELDS; i++)
        put_field(&line, &fields[i], saved);
    for (unsigned i = 0; i < RULES_LEVELS_MAX; i++)
        put_life(&line, i, &saved->lives[i]);
    for (uint8_t i = 0; i < saved->n_limits; i++)
        put_limit(&line, &saved->limits[i]);
    bool fits = text_append(text, RULES_SAVED_SIZE, &line.length, " sum=%08" PRIx32,
                            sum_of(text, line.length));
    assert(fits); /* every part has its longest form, and RULES_SAVED_SIZE is more than all */
    (void)fits;
    return line.length;
}

/* -- reading -- */

static bool read_word(const char *text, const char *const *words, uint8_t *ret)
{
    for (uint8_t i = 0; words[i]; i++) {
        if (strcmp(words[i], text) != 0)
            continue;
        *ret = i;
        return true;
    }
    return false;
}

static bool read_ms(const char *text, int64_t *ret_ms)
{
    return text_to_int(text, ret_ms) == 0 && *ret_ms >= 0 && *ret_ms <= AGE_MAX_MS;
}

static bool read_count(const char *text, uint8_t *ret)
{
    int64_t count;
    if (text_to_int(text, &count) || count < 0 || count > UINT8_MAX)
        return false;
    *ret = (uint8_t)count;
    return true;
}

static bool read_moment(char *text, struct moment *ret)
{
    char *at = strchr(text, '@');
    ret->wall_ms = CLOCK_NEVER;
    if (at) {
        *at = '\0';
        if (!read_ms(at + 1, &ret->wall_ms))
            return false;
    }
    return read_ms(text, &ret->age_ms);
}

static bool read_field(const struct field *field, char *text, struct saved *saved)
{
    char *to = (char *)saved + field->at;
    switch ((enum form)field->form) {
    case FORM_STATE:
        return read_word(text, states, (uint8_t *)to);
    case FORM_TOLD:
        return read_word(text, tolds, (uint8_t *)to);
    case FORM_MS:
        return read_ms(text, (int64_t *)(void *)to);
    case FORM_COUNT:
        return read_count(text, (uint8_t *)to);
    case FORM_MOMENT:
        return read_moment(text, (struct moment *)(void *)to);
    case FORM_NUMBER:
        return text_to_number(text, (double *)(void *)to) == 0;
    case FORM_FLAG:
        *(uint8_t *)to = 1;
        return strcmp(text, "1") == 0;
    }
    return false;
}

static bool read_limit(const char *key, char *text, struct saved *saved)
{
    char *slash = strchr(text, '/');
    if (!slash || strlen(key) >= SAVED_KEY_SIZE || saved->n_limits == RULES_LIMITS_MAX)
        return false;
    struct saved_limit *limit = &saved->limits[saved->n_limits++];
    *slash = '\0';
    snprintf(limit->key, sizeof limit->key, "%s", key);
    return text_to_number(text, &limit->value) == 0 && text_to_number(slash + 1, &limit->file) == 0;
}

static bool read_hits(const char *text, struct saved_life *life)
{
    for (; *text == '0' || *text == '1'; text++) {
        if (life->n_hits == LIFE_HITS_MAX)
            return false;
        life->hits = life->hits << 1 | (*text == '1');
        life->n_hits++;
    }
    return *text == '\0';
}

/* "pending/1200/0110" */
static bool read_life(const char *level, char *text, struct saved *saved)
{
    if (level[0] < '0' || level[0] >= '0' + RULES_LEVELS_MAX || level[1])
        return false;
    struct saved_life *life = &saved->lives[level[0] - '0'];
    char *rest = text, *state = strsep(&rest, "/"), *ran = strsep(&rest, "/");
    bool timed;
    if (!read_word(state, states, &life->state) || (ran && !read_ms(ran, &life->ran_ms)) ||
        (rest && !read_hits(rest, life)))
        return false;
    timed = life->state == RULE_PENDING || life->state == RULE_RECOVERING;
    return timed || life->ran_ms == 0;
}

static bool read_print(const char *text, uint64_t *ret_print)
{
    char *end;
    *ret_print = strtoull(text, &end, 16);
    return strlen(text) == 16 && *end == '\0';
}

/* One `key=value`. */
static bool read_part(char *part, struct saved *saved)
{
    char *value = strchr(part, '=');
    if (!value)
        return false;
    *value++ = '\0';
    if (strcmp(part, "print") == 0)
        return read_print(value, &saved->print);
    if (strncmp(part, "limit.", 6) == 0)
        return read_limit(part + 6, value, saved);
    if (strncmp(part, "life.", 5) == 0)
        return read_life(part + 5, value, saved);
    for (size_t i = 0; i < N_FIELDS; i++)
        if (strcmp(fields[i].key, part) == 0)
            return read_field(&fields[i], value, saved);
    return false;
}

/* What no instance can be like is as damaged as what cannot be read. */
static bool is_possible(const struct saved *saved)
{
    bool fires = state_fires(saved->state);
    return (fires || !saved->acked) && (fires || saved->told != TOLD_THIS) &&
           (fires || saved->published != TOLD_THIS) && saved->level < RULES_LEVELS_MAX &&
           saved->level_told < RULES_LEVELS_MAX && (!fires || saved->fired.age_ms != CLOCK_NEVER);
}

/* Checks the sum, and cuts it off. */
static bool check_sum(char *text)
{
    char *sum = strstr(text, " sum="), expected[16];
    if (!sum)
        return false;
    snprintf(expected, sizeof expected, "%08" PRIx32, sum_of(text, (size_t)(sum - text)));
    if (strcmp(sum + 5, expected) != 0)
        return false;
    *sum = '\0';
    return true;
}

bool saved_read(const char *line, struct saved *ret_saved)
{
    char text[RULES_SAVED_SIZE];
    char *rest = NULL;
    *ret_saved = saved_nothing;
    if (!text_copy(text, sizeof text, line) || !check_sum(text))
        return false;
    const char *version = strtok_r(text, " ", &rest);
    if (!version || strcmp(version, VERSION) != 0)
        return false;
    for (char *part; (part = strtok_r(NULL, " ", &rest));)
        if (!read_part(part, ret_saved))
            return false;
    return is_possible(ret_saved);
}
