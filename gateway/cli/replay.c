/* `rules replay`: the configured rules over recorded readings, on a virtual clock: what would they
 * have done? The same engine, so the answer is exact. */
#include "gateway/app.h"
#include "gateway/base/clock.h"
#include "gateway/base/text.h"
#include "gateway/base/when.h"
#include "gateway/cli/recording.h"
#include "gateway/cli/rehearse.h"
#include "gateway/cli/remote.h"
#include "gateway/core/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RECORDING_MAX ((size_t)1 << 30) /* bytes */
#define POLL_MAX      512               /* readings of one device at one time */

/* What became of one instance. */
struct tally {
    uint64_t fired;
    int64_t firing_ms;
};

struct replay {
    const struct cli_options *options;
    struct rehearsal *rehearsal;
    struct tally *tallies; /* by instance */
    int64_t first_ms;      /* wall time of the beginning */
    uint64_t unknown;      /* readings of sensors that the config has not got */
};

static struct cli_end complain(const char *what, const char *words)
{
    char quoted[300];

    fprintf(stderr, "thermogate: %s%s%s\n", text_escape(quoted, sizeof(quoted), what),
            what[0] ? ": " : "", words);
    return (struct cli_end){.code = APP_FAILED};
}

/* -- what comes out ------------------------------------------------------------------------- */

static const char *id_of(const struct replay *replay, uint32_t instance)
{
    return rules_info(rehearsal_rules(replay->rehearsal), instance).id;
}

static void print_head(const struct replay *replay, int64_t at_ms, uint32_t instance)
{
    char at[32];

    printf("%s  %s  ", remote_time((double)(replay->first_ms + at_ms), at),
           id_of(replay, instance));
}

static bool is_on(uint8_t state)
{
    return state == RULE_FIRING || state == RULE_RECOVERING;
}

/* An alarm that begins or ends is told by its event. */
static void take_transition(void *owner, const struct rule_transition *transition)
{
    const struct replay *replay = owner;

    if (is_on(transition->from) != is_on(transition->to))
        return;
    print_head(replay, transition->at_ms, transition->instance);
    printf("%s\n", rule_state_name(transition->to));
}

static void take_event(void *owner, const struct rule_event *event)
{
    struct replay *replay = owner;
    struct tally *tally = &replay->tallies[event->instance];

    if (event->kind == RULE_EVENT_FIRED)
        tally->fired++;
    else if (event->kind == RULE_EVENT_CLEARED && event->status.fired_ms != CLOCK_NEVER)
        tally->firing_ms += event->at_ms - event->status.fired_ms;
    print_head(replay, event->at_ms, event->instance);
    printf("%s%s%s\n", event_type_name(event->kind), event->message ? "  " : "",
           event->message ? event->message : "");
}

static void ignore_action(void *owner, const struct rule_action *action)
{
    (void)owner;
    (void)action;
}

/* -- what goes in --------------------------------------------------------------------------- */

/* What is derived is reckoned anew. */
static bool make_reading(struct replay *replay, const struct recorded *row, struct reading *reading)
{
    const struct rules *rules = rehearsal_rules(replay->rehearsal);
    uint32_t sensor = rules_find_sensor(rules, row->sensor);

    *reading = (struct reading){
        .at_ms = row->at_ms - replay->first_ms, .sensor = sensor, .quality = row->quality};
    if (sensor == RULES_NO_SENSOR) {
        replay->unknown++;
        return false;
    }
    if (row->quality != QUALITY_GOOD)
        return !rules_is_derived(rules, sensor);
    if (rules_sensor(rules, sensor)->text) {
        reading->kind = VALUE_TEXT;
        reading->text = rehearsal_add_text(replay->rehearsal, row->value);
        return true;
    }
    reading->kind = VALUE_NUMBER;
    return text_to_number(row->value, &reading->number) == 0 && !rules_is_derived(rules, sensor);
}

static bool is_same_poll(const struct recorded *a, const struct recorded *b)
{
    size_t length = strcspn(a->sensor, ".");

    return a->at_ms == b->at_ms && strncmp(a->sensor, b->sensor, length + 1) == 0;
}

/* What a device gave at one time was one poll. Returns how many rows that are. */
static size_t play_poll(struct replay *replay, const struct recorded *rows, size_t most)
{
    struct reading readings[POLL_MAX];
    size_t n = 0, done = 0;

    while (done < most && n < POLL_MAX && is_same_poll(&rows[0], &rows[done]))
        n += make_reading(replay, &rows[done++], &readings[n]);
    if (n > 0)
        rehearsal_poll(replay->rehearsal, readings, n, readings[0].at_ms);
    return done;
}

static void print_summary(const struct replay *replay, const struct recording *recording)
{
    const struct rules *rules = rehearsal_rules(replay->rehearsal);
    uint64_t fired = 0;
    char text[40];

    for (uint32_t i = 0; i < rules_count(rules); i++) {
        const struct tally *tally = &replay->tallies[i];

        fired += tally->fired;
        if (tally->fired > 0)
            printf("%s: %llu alarms, on for %s\n", rules_info(rules, i).id,
                   (unsigned long long)tally->fired,
                   text_from_duration(text, sizeof(text), tally->firing_ms));
    }
    printf("%zu readings, %llu alarms\n", recording->count, (unsigned long long)fired);
    if (replay->unknown > 0)
        fprintf(stderr, "thermogate: %llu readings are of sensors that the config has not got\n",
                (unsigned long long)replay->unknown);
}

static int play(struct replay *replay, const struct recording *recording)
{
    static const struct rules_output output = {take_transition, take_event, ignore_action};
    struct problems *problems = problems_new();
    struct rehearsal_config config = {.path = replay->options->config,
                                      .output = &output,
                                      .owner = replay,
                                      .wall_ms = recording->rows[0].at_ms};
    int r = problems ? rehearsal_open(&config, problems, &replay->rehearsal) : -ENOMEM;

    if (problems)
        problems_print(problems, stderr);
    problems_free(problems);
    if (r < 0)
        return r;
    replay->first_ms = recording->rows[0].at_ms;
    replay->tallies =
        calloc(rules_count(rehearsal_rules(replay->rehearsal)) + 1, sizeof(*replay->tallies));
    for (size_t i = 0; replay->tallies && i < recording->count;)
        i += play_poll(replay, &recording->rows[i], recording->count - i);
    if (replay->tallies)
        print_summary(replay, recording);
    else
        r = -ENOMEM;
    rehearsal_close(replay->rehearsal);
    free(replay->tallies);
    return r;
}

/* -- where it comes from -------------------------------------------------------------------- */

/* Text that grows as it comes. */
struct gathered {
    char *text;
    size_t length, size;
};

static int gather(void *owner, const char *bytes, size_t count)
{
    struct gathered *to = owner;

    if (to->length + count + 1 > to->size) {
        size_t size = 2 * (to->length + count) + 65536;
        char *grown = size <= RECORDING_MAX ? realloc(to->text, size) : NULL;

        if (!grown)
            return -ENOMEM;
        to->text = grown;
        to->size = size;
    }
    memcpy(to->text + to->length, bytes, count);
    to->length += count;
    to->text[to->length] = '\0';
    return 0;
}

static int read_file(const char *path, struct gathered *to)
{
    FILE *file = fopen(path, "re");
    char piece[65536];
    int r = file ? 0 : -errno;
    size_t got;

    while (r == 0 && (got = fread(piece, 1, sizeof(piece), file)) > 0)
        r = gather(to, piece, got);
    if (file) {
        r = r == 0 && ferror(file) ? -EIO : r;
        fclose(file);
    }
    return r;
}

/* The history of a gateway that runs. */
static int ask_history(const struct cli_options *options, struct gathered *to)
{
    char path[REMOTE_PATH_SIZE] = "/api/v1/export";
    size_t length = strlen(path);
    struct client_question question = {.method = "GET", .path = path, .take = gather, .owner = to};
    struct client_answer answer;

    if (!remote_add_query(path, &length, "from", options->from) ||
        !remote_add_query(path, &length, "to", options->to))
        return -E2BIG;
    return remote_ask_any(options, &question, &answer) == APP_OK ? 0 : -EIO;
}

/* Of a file; the history has been cut where it comes from. */
static bool read_span(const struct cli_options *options, int64_t *ret_from_ms, int64_t *ret_to_ms)
{
    int64_t now_ms = clock_wall_ms(clock_boot_ms());

    *ret_from_ms = INT64_MIN;
    *ret_to_ms = INT64_MAX;
    return (!options->from || when_parse(options->from, now_ms, ret_from_ms) == 0) &&
           (!options->to || when_parse(options->to, now_ms, ret_to_ms) == 0);
}

struct cli_end cli_rules_replay(const struct cli_options *options)
{
    const char *path = options->operands[0];
    struct replay replay = {.options = options};
    struct recording recording = {0};
    struct gathered gathered = {0};
    struct error err = {0};
    int64_t from_ms, to_ms;
    int r;

    if (!read_span(options, &from_ms, &to_ms))
        return complain("", "--from and --to are times like 24h or 2026-11-21T13:02");
    r = path ? read_file(path, &gathered) : ask_history(options, &gathered);
    if (r < 0) {
        free(gathered.text);
        return path ? complain(path, strerror(-r)) : (struct cli_end){.code = APP_FAILED};
    }
    if (!gathered.text)
        return complain(path ? path : "", "there is no reading in it");
    r = recording_read(gathered.text, from_ms, to_ms, &recording, &err);
    if (r < 0)
        r = complain(path ? path : "", err.text).code;
    else if (recording.count == 0)
        r = complain(path ? path : "", "there is no reading in it").code;
    else
        r = play(&replay, &recording);
    recording_free(&recording);
    return (struct cli_end){.code = r == 0 ? APP_OK : r == -EINVAL ? APP_CONFIG : APP_FAILED};
}
