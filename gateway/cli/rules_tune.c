/* `rules tune`: a rule over the past with other limits, times and hysteresis: how often would it
 * have told, and which of them is quieter and misses nothing? All variants are judged in one pass,
 * by the same engine as ever. */
#include "gateway/app.h"
#include "gateway/base/clock.h"
#include "gateway/base/text.h"
#include "gateway/base/when.h"
#include "gateway/cli/alarms.h"
#include "gateway/cli/past.h"
#include "gateway/cli/player.h"
#include "gateway/cli/remote.h"
#include "gateway/cli/variants.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SPAN_STANDARD "30d"
#define SLICE_MS      ((int64_t)24 * 3600000) /* of the history, that is in memory at a time */
#define ASK_EACH_MAX  16                      /* more sensors are not asked for one by one */

struct tuning {
    const struct cli_options *options;
    struct variants variants;
    struct alarms alarms[VARIANTS_MAX];
    struct player player;
    bool no_memory;
};

static int complain(const char *words)
{
    fprintf(stderr, "thermogate: %s\n", words);
    return APP_FAILED;
}

/* -- what comes out ------------------------------------------------------------------------- */

static struct rules *rules_of(const struct tuning *tuning)
{
    return rehearsal_rules(tuning->player.rehearsal);
}

static void ignore_transition(void *owner, const struct rule_transition *transition)
{
    (void)owner;
    (void)transition;
}

static void ignore_action(void *owner, const struct rule_action *action)
{
    (void)owner;
    (void)action;
}

static void add_alarm(struct tuning *tuning, uint32_t instance, int64_t from_ms, int64_t to_ms)
{
    struct rule_info info = rules_info(rules_of(tuning), instance);
    struct alarm alarm = {info.sensor, from_ms, to_ms};
    size_t variant;

    if (variants_find(&tuning->variants, info.rule, &variant) &&
        alarms_add(&tuning->alarms[variant], &alarm) < 0)
        tuning->no_memory = true;
}

static void take_event(void *owner, const struct rule_event *event)
{
    if (event->kind == RULE_EVENT_CLEARED)
        add_alarm(owner, event->instance, event->status.fired_ms, event->at_ms);
}

/* What still fires at the end counts up to there. */
static void finish(struct tuning *tuning)
{
    const struct rules *rules = rules_of(tuning);

    for (uint32_t i = 0; i < rules_count(rules); i++) {
        struct rule_transition status = rules_status(rules, i);

        if (status.since_ms != CLOCK_NEVER)
            add_alarm(tuning, i, status.since_ms, tuning->player.last_ms);
    }
    for (size_t i = 0; i < tuning->variants.count; i++)
        alarms_sort(&tuning->alarms[i]);
}

/* -- the table ------------------------------------------------------------------------------ */

struct result {
    size_t alarms, flaps, missed;
    int64_t median_ms;
};

static struct result result_of(const struct tuning *tuning, size_t variant)
{
    const struct alarms *alarms = &tuning->alarms[variant];

    return (struct result){
        .alarms = alarms->count + alarms->left_out,
        .flaps = alarms_flaps(alarms),
        .missed = alarms_missed(&tuning->alarms[tuning->variants.present], alarms),
        .median_ms = alarms_median_ms(alarms),
    };
}

/* Whether `a` is set better: among those that miss nothing the fewest flaps count, then the fewest
 * alarms, then being near to what there is. */
static bool is_better(const struct tuning *tuning, size_t a, size_t b)
{
    struct result x = result_of(tuning, a), y = result_of(tuning, b);

    if (x.missed > 0 || y.missed > 0)
        return x.missed == 0 && y.missed > 0;
    if (x.flaps != y.flaps)
        return x.flaps < y.flaps;
    if (x.alarms != y.alarms)
        return x.alarms < y.alarms;
    return tuning->variants.list[a].differs < tuning->variants.list[b].differs;
}

static size_t find_best(const struct tuning *tuning)
{
    size_t best = tuning->variants.present;

    for (size_t i = 0; i < tuning->variants.count; i++) {
        if (is_better(tuning, i, best))
            best = i;
    }
    return best;
}

static void print_row(const struct tuning *tuning, size_t i, size_t best)
{
    const struct variant *variant = &tuning->variants.list[i];
    struct result result = result_of(tuning, i);
    char limit[80], back[40], time[40], median[40];

    text_from_number(back, sizeof(back), variant->back, -1);
    text_from_duration(median, sizeof(median), result.median_ms / 1000 * 1000);
    printf("%c %-16s %-11s %-8s %7zu %6zu %7zu  %s\n",
           i == tuning->variants.present ? '*'
           : i == best                   ? '>'
                                         : ' ',
           variant_limit(variant, limit), tuning->variants.back_key ? back : "-",
           text_from_duration(time, sizeof(time), variant->for_ms), result.alarms, result.flaps,
           result.missed, result.alarms > 0 ? median : "-");
}

static void print_advice(const struct tuning *tuning, size_t best)
{
    const struct variants *variants = &tuning->variants;
    struct result is = result_of(tuning, variants->present), better = result_of(tuning, best);
    char text[200];

    if (best == variants->present) {
        printf("\nNone of these is quieter and misses nothing: it is set well.\n");
        return;
    }
    printf("\n> has %zu alarms in place of %zu, %zu flaps in place of %zu, and misses nothing.\n"
           "For %s, at %s:\n    %s\n",
           better.alarms, is.alarms, better.flaps, is.flaps, tuning->options->operands[0],
           variants->place, variant_line(variants, &variants->list[best], text));
}

static void print_all(const struct tuning *tuning)
{
    const struct player *player = &tuning->player;
    const struct alarms *present = &tuning->alarms[tuning->variants.present];
    size_t best = find_best(tuning);
    char span[40];

    printf("%s over %s, %llu readings; * is as it is, with %zu episodes of alarm\n\n",
           tuning->options->operands[0],
           text_from_duration(span, sizeof(span), player->last_ms / 1000 * 1000),
           (unsigned long long)player->readings, alarms_episodes(present));
    printf("  %-16s %-11s %-8s %7s %6s %7s  %s\n", variants_limit_name(&tuning->variants),
           "hysteresis", "for", "alarms", "flaps", "missed", "median");
    for (size_t i = 0; i < tuning->variants.count; i++)
        print_row(tuning, i, best);
    print_advice(tuning, best);
}

/* -- what goes in --------------------------------------------------------------------------- */

/* The sensors on which the variants depend; NULL: out of memory. To be freed. */
static bool *find_sensors(const struct tuning *tuning, size_t *ret_count)
{
    const struct rules *rules = rules_of(tuning);
    uint32_t n = rules_sensors(rules);
    bool *sensors = calloc((size_t)n + 1, sizeof(*sensors));
    size_t variant;
    int r = sensors ? 0 : -ENOMEM;

    for (uint32_t i = 0; r == 0 && i < rules_count(rules); i++) {
        if (variants_find(&tuning->variants, rules_info(rules, i).rule, &variant) &&
            variant == tuning->variants.present)
            r = rules_sources(rules, i, sensors);
    }
    *ret_count = 0;
    for (uint32_t i = 0; r == 0 && i < n; i++)
        *ret_count += sensors[i] = sensors[i] && !rules_is_derived(rules, i);
    if (r == 0)
        return sensors;
    free(sensors);
    return NULL;
}

/* Gathers what the sensors gave between the two times. An app_exit. */
static int ask_slice(const struct tuning *tuning, struct past *past, const bool *sensors,
                     size_t count, int64_t from_ms, int64_t to_ms)
{
    const struct rules *rules = rules_of(tuning);
    char from[24], to[24];
    int code = APP_OK;

    snprintf(from, sizeof(from), "%lld", (long long)from_ms);
    snprintf(to, sizeof(to), "%lld", (long long)to_ms);
    if (count > ASK_EACH_MAX)
        return past_ask(past, tuning->options, NULL, from, to);
    for (uint32_t i = 0; code == APP_OK && i < rules_sensors(rules); i++) {
        if (sensors[i])
            code = past_ask(past, tuning->options, rules_sensor(rules, i)->id, from, to);
    }
    return code;
}

static int play(struct tuning *tuning, struct past *past, const char *name, int64_t from_ms,
                int64_t to_ms)
{
    struct recording recording;
    int code = past_record(past, name, from_ms, to_ms, &recording);

    if (code == APP_OK)
        player_play(&tuning->player, &recording);
    recording_free(&recording);
    return code;
}

static void show_progress(int64_t done_ms, int64_t all_ms)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, done_ms < all_ms ? "\r%lld of %lld days\033[K" : "\r\033[K",
                (long long)(done_ms / SLICE_MS), (long long)(all_ms / SLICE_MS));
}

static int play_history(struct tuning *tuning, int64_t from_ms, int64_t to_ms)
{
    size_t count;
    bool *sensors = find_sensors(tuning, &count);
    int code = sensors ? APP_OK : complain("out of memory");

    for (int64_t at_ms = from_ms; code == APP_OK && at_ms < to_ms; at_ms += SLICE_MS) {
        int64_t end_ms = at_ms + SLICE_MS < to_ms ? at_ms + SLICE_MS : to_ms;
        struct past past = {0};

        show_progress(at_ms - from_ms, to_ms - from_ms);
        code = ask_slice(tuning, &past, sensors, count, at_ms, end_ms - 1);
        if (code == APP_OK)
            code = play(tuning, &past, "", at_ms, end_ms - 1);
        past_clear(&past);
    }
    show_progress(1, 1);
    free(sensors);
    return code;
}

static int play_file(struct tuning *tuning, const char *path, int64_t from_ms, int64_t to_ms)
{
    struct past past = {0};
    int code = past_read(&past, path);

    if (code == APP_OK)
        code = play(tuning, &past, path, from_ms, to_ms);
    past_clear(&past);
    return code;
}

/* -- all of it ------------------------------------------------------------------------------ */

static int change(void *owner, struct section *root, struct problems *problems)
{
    struct tuning *tuning = owner;

    return variants_add(&tuning->variants, tuning->options->operands[0], root, problems);
}

static int open_rehearsal(struct tuning *tuning)
{
    static const struct rules_output output = {ignore_transition, take_event, ignore_action};
    struct problems *problems = problems_new();
    struct rehearsal_config config = {.path = tuning->options->config,
                                      .change = change,
                                      .output = &output,
                                      .owner = tuning,
                                      .wall_ms = CLOCK_NEVER};
    int r = problems ? rehearsal_open(&config, problems, &tuning->player.rehearsal) : -ENOMEM;

    if (problems)
        problems_print(problems, stderr);
    problems_free(problems);
    return r == 0 ? APP_OK : r == -EINVAL ? APP_CONFIG : complain("out of memory");
}

static int tune(struct tuning *tuning, const char *path, int64_t from_ms, int64_t to_ms)
{
    int code = open_rehearsal(tuning);

    if (code != APP_OK)
        return code;
    code = path ? play_file(tuning, path, from_ms, to_ms) : play_history(tuning, from_ms, to_ms);
    if (code == APP_OK && tuning->player.readings == 0)
        code = complain("there is no reading of its sensors");
    if (code == APP_OK) {
        finish(tuning);
        code = tuning->no_memory ? complain("out of memory") : APP_OK;
    }
    if (code == APP_OK)
        print_all(tuning);
    rehearsal_close(tuning->player.rehearsal);
    return code;
}

struct cli_end cli_rules_tune(const struct cli_options *options)
{
    const char *path = options->operands[1];
    const char *from = options->from ? options->from : path ? NULL : SPAN_STANDARD;
    int64_t now_ms = clock_wall_ms(clock_boot_ms()), from_ms = INT64_MIN, to_ms = now_ms;
    struct tuning *tuning = calloc(1, sizeof(*tuning));
    int code = APP_FAILED;

    if ((from && when_parse(from, now_ms, &from_ms) < 0) ||
        (options->to && when_parse(options->to, now_ms, &to_ms) < 0)) {
        complain("--last, --from and --to are times like 30d or 2026-11-21T13:02");
    } else if (tuning) {
        tuning->options = options;
        code = tune(tuning, path, from_ms, to_ms);
        for (size_t i = 0; i < VARIANTS_MAX; i++)
            alarms_clear(&tuning->alarms[i]);
    }
    free(tuning);
    return (struct cli_end){.code = code};
}
