#include "gateway/cli/player.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/config.h"
#include "gateway/base/clock.h"

#include <stdio.h>
#include <string.h>

static const char site[] =
    "buses: { lab: { adapter = \"sim\"; connect = \"sim:\" } }\n"
    "devices: { room: { bus = \"lab\"; channels: { temp: { } hum: { } } } }\n"
    "derived: { room2: { channels: { sum: { value = \"room.temp + room.hum\" } } } }\n"
    "rules: { high_sum: { sensor = \"room2.sum\"; above = 25.0 }\n"
    "         always: { when = \"hour() >= 0\" } }\n";

static struct {
    unsigned fired;
    int64_t at_ms, wall_ms;
} seen;

static void see_transition(void *owner, const struct rule_transition *transition)
{
    (void)owner;
    if (transition->to != RULE_FIRING)
        return;
    seen.fired++;
    seen.at_ms = transition->at_ms;
    seen.wall_ms = clock_wall_ms(transition->at_ms);
}

static void see_event(void *owner, const struct rule_event *event)
{
    (void)owner;
    (void)event;
}

static void see_action(void *owner, const struct rule_action *action)
{
    (void)owner;
    (void)action;
}

static void open_player(struct player *player)
{
    static const struct rules_output output = {see_transition, see_event, see_action};
    static const struct conf_text text = {"t.cfg", site, sizeof(site) - 1};
    struct rehearsal_config config = {
        .texts = &text, .n_texts = 1, .output = &output, .wall_ms = CLOCK_NEVER};
    struct problems *problems = problems_new();
    *player = (struct player){0};
    memset(&seen, 0, sizeof seen);
    assert_int_equal(rehearsal_open(&config, problems, &player->rehearsal), 0);
    problems_free(problems);
}

static void play(struct player *player, const char *text)
{
    struct recording recording;
    struct error err;
    char *copy = strdup(text);
    assert_non_null(copy);
    assert_int_equal(recording_read(copy, INT64_MIN, INT64_MAX, &recording, &err), 0);
    player_play(player, &recording);
    recording_free(&recording);
}

static void nothing_is_judged_before_the_first_reading_which_sets_the_clock(void **state)
{
    struct player player;
    (void)state;
    open_player(&player);
    assert_int_equal(seen.fired, 0);
    play(&player, "5000000,room.temp,1,,good\n");
    assert_int_equal(seen.fired, 1); /* the rule that asks for the hour knows it at once */
    assert_int_equal(seen.at_ms, 0);
    assert_int_equal(seen.wall_ms, 5000000);
    rehearsal_close(player.rehearsal);
}

static void what_a_device_gave_at_one_time_is_one_poll(void **state)
{
    struct player player;
    (void)state;
    open_player(&player);
    play(&player, "1000,room.temp,30,,good\n1000,room.hum,0,,good\n");
    seen.fired = 0;
    play(&player, "2000,room.temp,1,,good\n2000,room.hum,1,,good\n");
    play(&player, "3000,room.temp,30,,good\n3000,room.hum,-10,,good\n"); /* 20, never 31 */
    assert_int_equal(seen.fired, 0);
    assert_int_equal(player.last_ms, 2000);
    rehearsal_close(player.rehearsal);
}

static void what_is_derived_is_reckoned_anew_and_strangers_are_counted(void **state)
{
    struct player player;
    (void)state;
    open_player(&player);
    play(&player, "1000,room2.sum,90,,good\n1000,cellar.level,90,,good\n");
    assert_int_equal(seen.fired, 0);
    play(&player, "2000,room.temp,30,,good\n2000,room.hum,1,,good\n");
    assert_int_equal(seen.fired, 2);
    assert_int_equal(player.readings, 4);
    assert_int_equal(player.unknown, 1);
    rehearsal_close(player.rehearsal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_judged_before_the_first_reading_which_sets_the_clock),
        cmocka_unit_test(what_a_device_gave_at_one_time_is_one_poll),
        cmocka_unit_test(what_is_derived_is_reckoned_anew_and_strangers_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
