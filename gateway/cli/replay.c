/* `rules replay`: the configured rules over recorded readings, on a virtual clock: what would they
 * have done? The same engine, so the answer is exact. */
#include "gateway/app.h"
#include "gateway/base/clock.h"
#include "gateway/base/text.h"
#include "gateway/base/when.h"
#include "gateway/cli/past.h"
#include "gateway/cli/player.h"
#include "gateway/cli/remote.h"
#include "gateway/core/sink.h"

#include <errno.h>
#include <stdlib.h>

/* What became of one instance. */
struct tally {
    uint64_t fired;
    int64_t firing_ms;
};

struct replay {
    struct player player;
    struct tally *tallies; /* by instance */
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
    return rules_info(rehearsal_rules(replay->player.rehearsal), instance).id;
}

static void print_head(const struct replay *replay, int64_t at_ms, uint32_t instance)
{
    char at[32];

    printf("%s  %s  ", remote_time((double)(replay->player.first_ms + at_ms), at),
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

static void print_summary(const struct replay *replay)
{
    const struct rules *rules = rehearsal_rules(replay->player.rehearsal);
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
    printf("%llu readings, %llu alarms\n", (unsigned long long)replay->player.readings,
           (unsigned long long)fired);
    if (replay->player.unknown > 0)
        fprintf(stderr, "thermogate: %llu readings are of sensors that the config has not got\n",
                (unsigned long long)replay->player.unknown);
}

/* -- all of it ------------------------------------------------------------------------------ */

static int play(const struct cli_options *options, const struct recording *recording)
{
    static const struct rules_output output = {take_transition, take_event, ignore_action};
    struct replay replay = {0};
    struct problems *problems = problems_new();
    struct rehearsal_config config = {
        .path = options->config, .output = &output, .owner = &replay, .wall_ms = CLOCK_NEVER};
    int r = problems ? rehearsal_open(&config, problems, &replay.player.rehearsal) : -ENOMEM;

    if (problems)
        problems_print(problems, stderr);
    problems_free(problems);
    if (r < 0)
        return r;
    replay.tallies =
        calloc(rules_count(rehearsal_rules(replay.player.rehearsal)) + 1, sizeof(*replay.tallies));
    if (replay.tallies) {
        player_play(&replay.player, recording);
        print_summary(&replay);
    } else {
        r = -ENOMEM;
    }
    rehearsal_close(replay.player.rehearsal);
    free(replay.tallies);
    return r;
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
    struct recording recording = {0};
    struct past past = {0};
    int64_t from_ms, to_ms;
    int r, code;

    if (!read_span(options, &from_ms, &to_ms))
        return complain("", "--from and --to are times like 24h or 2026-11-21T13:02");
    code =
        path ? past_read(&past, path) : past_ask(&past, options, NULL, options->from, options->to);
    if (code == APP_OK)
        code = past_record(&past, path ? path : "", from_ms, to_ms, &recording);
    if (code == APP_OK && recording.count == 0)
        code = complain(path ? path : "", "there is no reading in it").code;
    if (code == APP_OK) {
        r = play(options, &recording);
        code = r == 0 ? APP_OK : r == -EINVAL ? APP_CONFIG : APP_FAILED;
    }
    recording_free(&recording);
    past_clear(&past);
    return (struct cli_end){.code = code};
}
