/* Saving: how an instance stands, as one line, and back.
 *
 *   rule/1 print=00c0ffee00c0ffee state=firing changed=5000@1763712125000 fired=5000@1763712125000
 *   told=this value=26.5 limit=25 acked=1 limit.above=-14/-15 sum=1f2e3d4c
 *
 * Times are ages in ms; of a mute what is left of it. After `@` stands the wall time, when the
 * clock was known good. The sum over all before it makes a damaged line known. */
#include "gateway/base/clock.h"
#include "gateway/base/text.h"
#include "rules/engine.h"
#include "rules/limit.h"

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
#define KEY_SIZE 72

struct moment {
    int64_t age_ms;  /* CLOCK_NEVER: no such time */
    int64_t wall_ms; /* CLOCK_NEVER: not known */
};

struct saved_limit {
    char key[KEY_SIZE];
    double value, file;
};

struct saved {
    uint64_t print;
    int64_t ran_ms;
    struct moment changed, fired, cleared, muted;
    double value, limit; /* NAN: none */
    uint8_t state, told;
    uint8_t acked, disabled, blind, blind_told;
    uint8_t n_limits;
    struct saved_limit limits[RULES_LIMITS_MAX];
};

static const struct saved nothing = {
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
enum form { FORM_STATE, FORM_TOLD, FORM_MS, FORM_MOMENT, FORM_NUMBER, FORM_FLAG };
static const struct field {
    const char *key;
    uint8_t form;
    size_t at;
} fields[] = {
    {"state", FORM_STATE, offsetof(struct saved, state)},
    {"ran", FORM_MS, offsetof(struct saved, ran_ms)},
    {"changed", FORM_MOMENT, offsetof(struct saved, changed)},
    {"fired", FORM_MOMENT, offsetof(struct saved, fired)},
    {"cleared", FORM_MOMENT, offsetof(struct saved, cleared)},
    {"told", FORM_TOLD, offsetof(struct saved, told)},
    {"value", FORM_NUMBER, offsetof(struct saved, value)},
    {"limit", FORM_NUMBER, offsetof(struct saved, limit)},
    {"acked", FORM_FLAG, offsetof(struct saved, acked)},
    {"muted", FORM_MOMENT, offsetof(struct saved, muted)},
    {"disabled", FORM_FLAG, offsetof(struct saved, disabled)},
    {"blind", FORM_FLAG, offsetof(struct saved, blind)},
    {"blind_told", FORM_FLAG, offsetof(struct saved, blind_told)},
};
#define N_FIELDS (sizeof fields / sizeof fields[0])

static uint32_t sum_of(const char *text, size_t length)
{
    uint32_t sum = 0x811c9dc5u; /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        sum = (sum ^ (unsigned char)text[i]) * 0x01000193u;
    return sum;
}

/* -- from an instance to a line -- */

static struct moment moment_of(int64_t at_ms, int64_t now_ms, int64_t wall_ms)
{
    struct moment moment = {CLOCK_NEVER, CLOCK_NEVER};
    if (at_ms == CLOCK_NEVER)
        return moment;
    moment.age_ms = at_ms < now_ms ? now_ms - at_ms : 0;
    if (wall_ms != CLOCK_NEVER)
        moment.wall_ms = wall_ms - moment.age_ms;
    return moment;
}

static void keep_limits(const struct catalog *catalog, const struct instance *instance,
                        struct saved *saved)
{
    for (uint8_t i = 0; i < instance->rule->n_limits; i++) {
        const struct limit *limit = &instance->rule->limits[i];
        if (!(instance->adjusted & 1u << i))
            continue;
        struct saved_limit *to = &saved->limits[saved->n_limits++];
        snprintf(to->key, sizeof to->key, "%s", limit->key);
        to->value = limit_value(catalog, instance, i);
        to->file = limit->file;
    }
}

/* Wall times that could not be used yet are handed on as they are. */
static void keep_flags(const struct instance *instance, int64_t now_ms, int64_t wall_ms,
                       struct saved *saved)
{
    saved->acked = instance->last.acked;
    saved->disabled = instance->last.disabled;
    saved->blind = instance->last.blind;
    saved->blind_told = instance->blind_told;
    if (wall_ms == CLOCK_NEVER && saved->fired.age_ms != CLOCK_NEVER)
        saved->fired.wall_ms = instance->wall_fired_ms;
    if (!instance->last.muted)
        return;
    int64_t left_ms = instance->last.muted_until_ms - now_ms;
    saved->muted.age_ms = left_ms > 0 ? left_ms : 0;
    saved->muted.wall_ms =
        wall_ms != CLOCK_NEVER ? wall_ms + saved->muted.age_ms : instance->wall_muted_ms;
}

static struct saved saved_of(const struct rules *rules, const struct instance *instance,
                             int64_t now_ms, int64_t wall_ms)
{
    struct saved saved = nothing;
    const struct life *life = &instance->life;
    saved.print = instance->rule->print;
    saved.state = life->state;
    if (life->state == RULE_PENDING || life->state == RULE_RECOVERING)
        saved.ran_ms = life_elapsed_ms(life, now_ms);
    saved.told = instance->told;
    if (life->state != RULE_OK || saved.told != TOLD_NOTHING) {
        saved.changed = moment_of(instance->last.at_ms, now_ms, wall_ms);
        saved.fired = moment_of(instance->last.fired_ms, now_ms, wall_ms);
        saved.cleared = moment_of(instance->cleared_ms, now_ms, wall_ms);
        saved.limit = instance->last.limit;
        if (instance->last.kind == VALUE_NUMBER)
            saved.value = instance->last.number;
    }
    keep_flags(instance, now_ms, wall_ms, &saved);
    keep_limits(&rules->catalog, instance, &saved);
    return saved;
}

static bool is_nothing(const struct saved *saved)
{
    return saved->state == RULE_OK && saved->told == TOLD_NOTHING && !saved->disabled &&
           !saved->blind && !saved->blind_told && saved->muted.age_ms == CLOCK_NEVER &&
           saved->n_limits == 0;
}

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

size_t rules_save(const struct rules *rules, uint32_t instance, int64_t now_ms, int64_t wall_ms,
                  char text[RULES_SAVED_SIZE])
{
    assert(instance < rules->catalog.n_instances);
    struct saved saved = saved_of(rules, &rules->catalog.instances[instance], now_ms, wall_ms);
    struct line line = {text, 0};
    text[0] = '\0';
    if (is_nothing(&saved))
        return 0;
    text_append(text, RULES_SAVED_SIZE, &line.length, VERSION " print=%016" PRIx64, saved.print);
    for (size_t i = 0; i < N_FIELDS; i++)
        put_field(&line, &fields[i], &saved);
    for (uint8_t i = 0; i < saved.n_limits; i++)
        put_limit(&line, &saved.limits[i]);
    bool fits = text_append(text, RULES_SAVED_SIZE, &line.length, " sum=%08" PRIx32,
                            sum_of(text, line.length));
    assert(fits); /* every part has its longest form, and RULES_SAVED_SIZE is more than all */
    (void)fits;
    return line.length;
}

/* -- from a line to an instance -- */

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
    if (!slash || strlen(key) >= KEY_SIZE || saved->n_limits == RULES_LIMITS_MAX)
        return false;
    struct saved_limit *limit = &saved->limits[saved->n_limits++];
    *slash = '\0';
    snprintf(limit->key, sizeof limit->key, "%s", key);
    return text_to_number(text, &limit->value) == 0 && text_to_number(slash + 1, &limit->file) == 0;
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
    for (size_t i = 0; i < N_FIELDS; i++)
        if (strcmp(fields[i].key, part) == 0)
            return read_field(&fields[i], value, saved);
    return false;
}

/* What no instance can be like is as damaged as what cannot be read. */
static bool is_possible(const struct saved *saved)
{
    bool fires = saved->state == RULE_FIRING || saved->state == RULE_RECOVERING;
    bool timed = saved->state == RULE_PENDING || saved->state == RULE_RECOVERING;
    return (timed || saved->ran_ms == 0) && (fires || !saved->acked) &&
           (fires || saved->told != TOLD_THIS) && (!fires || saved->fired.age_ms != CLOCK_NEVER);
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

static bool read_saved(const char *line, struct saved *ret)
{
    char text[RULES_SAVED_SIZE];
    char *rest = NULL;
    *ret = nothing;
    if (!text_copy(text, sizeof text, line) || !check_sum(text))
        return false;
    const char *version = strtok_r(text, " ", &rest);
    if (!version || strcmp(version, VERSION) != 0)
        return false;
    for (char *part; (part = strtok_r(NULL, " ", &rest));)
        if (!read_part(part, ret))
            return false;
    return is_possible(ret);
}

/* When it was, in the boot time of this run. */
static int64_t at_of(const struct moment *moment, int64_t now_ms, int64_t wall_ms)
{
    if (moment->age_ms == CLOCK_NEVER)
        return CLOCK_NEVER;
    bool known = wall_ms != CLOCK_NEVER && moment->wall_ms != CLOCK_NEVER;
    int64_t by_wall_ms = known ? wall_ms - moment->wall_ms : 0;
    return now_ms - (by_wall_ms > moment->age_ms ? by_wall_ms : moment->age_ms);
}

/* A mute ends when people said, also when the gateway was down; a clock that went back since then
 * must not make it longer. */
static int64_t mute_end_ms(int64_t left_ms, int64_t end_wall_ms, int64_t now_ms, int64_t wall_ms)
{
    int64_t by_wall_ms =
        wall_ms != CLOCK_NEVER && end_wall_ms != CLOCK_NEVER ? end_wall_ms - wall_ms : left_ms;
    int64_t shorter_ms = by_wall_ms < left_ms ? by_wall_ms : left_ms;
    return now_ms + (shorter_ms > 0 ? shorter_ms : 0);
}

static void take_flags(struct instance *instance, const struct saved *saved, int64_t now_ms,
                       int64_t wall_ms)
{
    struct rule_transition *last = &instance->last;
    last->acked = saved->acked;
    last->disabled = saved->disabled;
    last->blind = saved->blind;
    instance->blind_told = saved->blind_told;
    last->muted = saved->muted.age_ms != CLOCK_NEVER;
    if (!last->muted)
        return;
    last->muted_until_ms = mute_end_ms(saved->muted.age_ms, saved->muted.wall_ms, now_ms, wall_ms);
    instance->wall_muted_ms = wall_ms == CLOCK_NEVER ? saved->muted.wall_ms : CLOCK_NEVER;
}

static void take_saved(struct instance *instance, const struct saved *saved, int64_t now_ms,
                       int64_t wall_ms)
{
    struct rule_transition *last = &instance->last;
    bool fires = saved->state == RULE_FIRING || saved->state == RULE_RECOVERING;
    int64_t fired_ms = at_of(&saved->fired, now_ms, wall_ms);
    int64_t changed_ms = at_of(&saved->changed, now_ms, wall_ms);
    instance->life = (struct life){.state = saved->state,
                                   .ran_ms = saved->ran_ms,
                                   .resumed_ms = CLOCK_NEVER,
                                   .fired_ms = fires ? fired_ms : CLOCK_NEVER};
    instance->told = saved->told;
    instance->cleared_ms = at_of(&saved->cleared, now_ms, wall_ms);
    instance->wall_fired_ms = wall_ms == CLOCK_NEVER && fires ? saved->fired.wall_ms : CLOCK_NEVER;
    last->from = last->to = saved->state;
    last->at_ms = changed_ms == CLOCK_NEVER ? 0 : changed_ms;
    last->since_ms = instance->life.fired_ms;
    last->fired_ms = fired_ms;
    last->limit = saved->limit;
    last->kind = isfinite(saved->value) ? VALUE_NUMBER : VALUE_NONE;
    last->number = last->kind == VALUE_NUMBER ? saved->value : 0;
    take_flags(instance, saved, now_ms, wall_ms);
}

/* -- limits -- */

static void let_file_win(struct rules *rules, uint32_t index, uint8_t limit, double value,
                         const char *why, int64_t now_ms)
{
    struct instance *instance = &rules->catalog.instances[index];
    char note[128], was[32];
    text_from_number(was, sizeof was, value, -1);
    snprintf(note, sizeof note, "%s; it was set to %s", why, was);
    limit_set(&rules->catalog, instance, limit, instance->rule->limits[limit].file);
    tell_limit(rules, index, limit, now_ms, NULL, note);
}

void save_take_limit(struct rules *rules, uint32_t index, const char *key, double value,
                     double file, int64_t now_ms)
{
    struct instance *instance = &rules->catalog.instances[index];
    uint8_t limit = limit_find(instance->rule, key);
    if (limit == LIMIT_ALONE) { /* the limit itself is gone */
        tell_changed(rules, index);
        return;
    }
    const struct limit *about = &instance->rule->limits[limit];
    if (about->file != file)
        let_file_win(rules, index, limit, value, "the file has a new value", now_ms);
    else if (limit_check(about, value, NULL))
        let_file_win(rules, index, limit, value, "the file no longer allows it", now_ms);
    else
        limit_set(&rules->catalog, instance, limit, value);
}

void save_settle_limits(struct rules *rules, int64_t now_ms)
{
    for (uint32_t i = 0; i < rules->catalog.n_instances; i++) {
        struct instance *instance = &rules->catalog.instances[i];
        for (uint8_t l = 0; instance->adjusted && l < instance->rule->n_limits; l++) {
            double value = limit_value(&rules->catalog, instance, l);
            if (instance->adjusted & 1u << l &&
                limit_check_other(&rules->catalog, instance, l, value, NULL))
                let_file_win(rules, i, l, value, "the file no longer allows it", now_ms);
        }
    }
}

/* -- the door -- */

int rules_restore(struct rules *rules, const char *id, const char *text, int64_t now_ms,
                  int64_t wall_ms)
{
    struct saved saved;
    uint32_t index = rules_find(rules, id);
    assert(!rules->started);
    if (index == RULES_NO_INSTANCE)
        return -ENOENT;
    if (!read_saved(text, &saved))
        return -EINVAL;
    struct instance *instance = &rules->catalog.instances[index];
    take_saved(instance, &saved, now_ms, wall_ms);
    for (uint8_t i = 0; i < saved.n_limits; i++)
        save_take_limit(rules, index, saved.limits[i].key, saved.limits[i].value,
                        saved.limits[i].file, now_ms);
    if (saved.print != instance->rule->print)
        judge_retire(rules, index, now_ms, "the rule has changed");
    judge_plan(rules, index);
    return 0;
}

void rules_on_clock(struct rules *rules, int64_t now_ms, int64_t wall_ms)
{
    for (uint32_t i = 0; i < rules->catalog.n_instances; i++) {
        struct instance *instance = &rules->catalog.instances[i];
        if (instance->wall_fired_ms != CLOCK_NEVER) {
            int64_t fired_ms = now_ms - (wall_ms - instance->wall_fired_ms);
            if (fired_ms < instance->life.fired_ms)
                instance->life.fired_ms = instance->last.since_ms = instance->last.fired_ms =
                    fired_ms;
            instance->wall_fired_ms = CLOCK_NEVER;
            tell_changed(rules, i);
        }
        if (instance->wall_muted_ms != CLOCK_NEVER) {
            int64_t left_ms = instance->last.muted_until_ms - now_ms;
            instance->last.muted_until_ms =
                mute_end_ms(left_ms, instance->wall_muted_ms, now_ms, wall_ms);
            instance->wall_muted_ms = CLOCK_NEVER;
            tell_changed(rules, i);
        }
        judge_plan(rules, i);
    }
}
