#include "tests/unit/rules_world.h"

#include <math.h>

/* Opens a world that must be accepted. */
static void open_world(struct world *world, const char *config)
{
    int result = world_open(world, config);
    if (result)
        print_error("%s\n", problems_line(world->problems, 0));
    assert_int_equal(result, 0);
}

static void a_value_above_the_limit_fires_once_and_clears_once(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { hot: { sensor = \"room.temp\"; above = 25.0 } }");
    world_poll(&w, 1000, TEMP, 24);
    world_expect(&w, "");
    world_poll(&w, 2000, TEMP, 26);
    world_expect(&w, "2000 hot ok>firing 25 | Room temp 26.0 C, above 25 C since 00:00\n");
    world_poll(&w, 3000, TEMP, 27);
    world_expect(&w, "");
    world_poll(&w, 62000, TEMP, 24);
    world_expect(&w, "62000 hot firing>ok 25 | Room temp back to 24.0 C after 1m\n");
    world_close(&w);
}

static void limits_are_strict(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { hot: { sensor = \"room.temp\"; above = 25; message = \"m\" }"
                   "cold: { sensor = \"room.temp\"; below = 25; message = \"m\" } }");
    world_poll(&w, 1, TEMP, 25);
    world_expect(&w, "");
    world_poll(&w, 2, TEMP, 25.0000001);
    world_expect(&w, "2 hot ok>firing 25 | m\n");
    world_poll(&w, 3, TEMP, 24.9999999);
    world_expect(&w, "3 hot firing>ok 25 | Room temp back to 25.0 C after 1ms\n"
                     "3 cold ok>firing 25 | m\n");
    world_close(&w);
}

/* Drives one rule through values a second apart and writes the states: o, p, f, r. */
static void expect_states(const char *keys, const double *values, size_t count, const char *states)
{
    struct world w;
    char config[400], seen[64] = "";
    snprintf(config, sizeof config, "rules: { a: { sensor = \"room.temp\"; %s } }", keys);
    open_world(&w, config);
    for (size_t i = 0; i < count; i++) {
        world_poll(&w, (int64_t)i * 1000, TEMP, values[i]);
        seen[i] = rule_state_name(rules_status(w.rules, 0).to)[0];
    }
    seen[count] = '\0';
    assert_string_equal(seen, states);
    world_close(&w);
}
#define EXPECT_STATES(keys, states, ...)               \
    expect_states(keys, (const double[]){__VA_ARGS__}, \
                  sizeof((const double[]){__VA_ARGS__}) / sizeof(double), states)

static void hysteresis_moves_every_limit_to_its_clearing_side(void **state)
{
    (void)state;
    EXPECT_STATES("above = 10; hysteresis = 2", "offofo", 10, 10.5, 8.5, 8, 11, 7);
    EXPECT_STATES("below = 10; hysteresis = 2", "offofo", 10, 9.5, 11.5, 12, 9, 13);
    EXPECT_STATES("outside = (10, 20); hysteresis = 2", "offoffo", 10, 9, 11.9, 12, 21, 18.1, 18);
    EXPECT_STATES("inside = (10, 20); hysteresis = 2", "offoffo", 10, 11, 8.1, 8, 19, 21.9, 22);
    EXPECT_STATES("equals = 10; hysteresis = 2", "offofo", 11, 10, 12, 12.1, 10, 7.9);
}

static void without_hysteresis_the_opposite_clears(void **state)
{
    (void)state;
    EXPECT_STATES("above = 10", "ofo", 10, 11, 10);
    EXPECT_STATES("below = 10", "ofo", 10, 9, 10);
    EXPECT_STATES("outside = (10, 20)", "ofofo", 10, 9, 10, 21, 20);
    EXPECT_STATES("inside = (10, 20)", "ofofo", 10, 11, 10, 19, 20);
    EXPECT_STATES("equals = 1", "ofo", 0, 1, 2);
    EXPECT_STATES("equals = true", "ofo", 0, 1, 0);
    EXPECT_STATES("not_equals = 1", "ofo", 1, 0, 1);
}

static void clear_below_and_clear_above_replace_the_limit_for_clearing(void **state)
{
    (void)state;
    EXPECT_STATES("above = -15; clear_below = -17", "offfo", -15, -14, -16, -17, -17.1);
    EXPECT_STATES("below = 5; clear_above = 7", "offfo", 5, 4, 6, 7, 7.1);
}

static void several_keys_must_hold_together_and_one_that_is_over_clears(void **state)
{
    (void)state;
    EXPECT_STATES("above = 10; below = 20; not_equals = 15", "ofofofo", 10, 12, 15, 16, 20, 19, 9);
    EXPECT_STATES("above = 10; below = 20; hysteresis = 1", "offoffo", 10, 12, 20.5, 21, 12, 9.5,
                  9);
}

static void a_limit_may_be_another_sensor(void **state)
{
    (void)state;
    struct world w;
    open_world(&w,
               "rules: { a: { sensor = \"room.temp\"; above = \"room.setpoint\"; hysteresis = 1;"
               " clear_message = \"c\" } }");
    world_poll(&w, 0, TEMP, 30);
    world_expect(&w, ""); /* the setpoint is not known yet */
    world_poll(&w, 1, SETPOINT, 21);
    world_expect(&w, "1 a ok>firing 21 | Room temp 30.0 C, above 21 C since 00:00\n");
    world_poll(&w, 2, SETPOINT, 30.5);
    world_expect(&w, "");
    world_poll(&w, 3, SETPOINT, 31);
    world_expect(&w, "3 a firing>ok 21 | c\n");
    world_close(&w);
}

static void all_readings_of_a_poll_are_taken_before_one_judgement(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; above = \"room.setpoint\" } }");
    struct reading first[] = {world_number(0, TEMP, 10), world_number(0, SETPOINT, 20)};
    rules_on_poll(w.rules, first, 2, 0);
    struct reading second[] = {world_number(1, TEMP, 30), world_number(1, SETPOINT, 35)};
    rules_on_poll(w.rules, second, 2, 1);
    world_expect(&w, "");
    world_close(&w);
}

static void texts_are_compared_with_texts(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { open: { sensor = \"door.event\"; equals = \"open{\" } }");
    world_poll_text(&w, 0, DOOR, "closed");
    world_poll_text(&w, 1, DOOR, "open{");
    world_expect(&w, "1 open ok>firing - | Door open{, at \"open{\" since 00:00\n");
    assert_int_equal(rules_status(w.rules, 0).kind, VALUE_TEXT);
    world_poll_text(&w, 2, DOOR, "closed");
    world_expect(&w, "2 open firing>ok - | Door back to closed after 1ms\n");
    world_close(&w);
}

#define QUIET "message = \"m\"; clear_message = \"c\""

static void for_ends_at_its_exact_instant_however_late_the_call(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; above = 1; for = \"10s\"; " QUIET " } }");
    world_poll(&w, 1000, TEMP, 2);
    world_expect(&w, "1000 a ok>pending 1\n");
    assert_int_equal(rules_next_ms(w.rules), 11000);
    rules_on_time(w.rules, 10999);
    world_expect(&w, "");
    rules_on_time(w.rules, 14321);
    world_expect(&w, "11000 a pending>firing 1 | m\n");
    assert_int_equal(rules_status(w.rules, 0).since_ms, 11000);
    world_close(&w);
}

static void a_poll_first_judges_what_was_due_before_it(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; above = 1; for = \"10s\"; " QUIET " } }");
    world_poll(&w, 1000, TEMP, 2);
    world_poll(&w, 12000, TEMP, 0);
    world_expect(&w, "1000 a ok>pending 1\n"
                     "11000 a pending>firing 1 | m\n"
                     "12000 a firing>ok 1 | c\n");
    world_close(&w);
}

static void a_reading_of_the_same_instant_counts_before_the_timer(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; above = 1; for = \"10s\"; " QUIET " } }");
    world_poll(&w, 1000, TEMP, 2);
    world_poll(&w, 11000, TEMP, 0);
    world_expect(&w, "1000 a ok>pending 1\n11000 a pending>ok 1\n");
    world_close(&w);
}

static void keep_for_must_pass_without_a_break_before_it_clears(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; above = 1; keep_for = \"5s\"; " QUIET
                   "; on_fire = ({ log = \"f\" }); on_clear = ({ log = \"o\" }) } }");
    world_poll(&w, 0, TEMP, 2);
    world_poll(&w, 1000, TEMP, 0);
    world_poll(&w, 5000, TEMP, 2);
    world_poll(&w, 6000, TEMP, 0);
    rules_on_time(w.rules, 20000);
    world_expect(&w, "0 a ok>firing 1 | m\nlog f\n"
                     "1000 a firing>recovering 1\n"
                     "5000 a recovering>firing 1\n"
                     "6000 a firing>recovering 1\n"
                     "11000 a recovering>ok 1 | c\nlog o\n");
    world_close(&w);
}

static void a_firing_keeps_its_beginning_until_it_is_over(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; above = 1; keep_for = \"5s\" } }");
    world_poll(&w, 100, TEMP, 2);
    world_poll(&w, 1000, TEMP, 0);
    world_poll(&w, 2000, TEMP, 2);
    assert_int_equal(rules_status(w.rules, 0).since_ms, 100);
    world_poll(&w, 3000, TEMP, 0);
    rules_on_time(w.rules, 8000);
    assert_int_equal(rules_status(w.rules, 0).since_ms, CLOCK_NEVER);
    assert_int_equal(rules_status(w.rules, 0).fired_ms, 100);
    world_close(&w);
}

static void a_stale_sensor_pauses_the_timer_of_for(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; above = 1; for = \"40s\"; " QUIET " } }");
    world_poll(&w, 0, TEMP, 2); /* known until 30 s */
    rules_on_time(w.rules, 50000);
    world_expect(&w, "0 a ok>pending 1\n");
    world_poll(&w, 50000, TEMP, 2);
    assert_int_equal(rules_next_ms(w.rules), 60000);
    rules_on_time(w.rules, 60000);
    world_expect(&w, "60000 a pending>firing 1 | m\n");
    world_close(&w);
}

static void a_stale_sensor_keeps_the_state_by_default(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; above = 1; " QUIET " } }");
    world_poll(&w, 0, TEMP, 2);
    rules_on_time(w.rules, 59999);
    world_expect(&w, "0 a ok>firing 1 | m\n");
    rules_on_time(w.rules, 10000000);
    assert_int_equal(rules_status(w.rules, 0).to, RULE_FIRING);
    world_close(&w);
}

static void a_stale_sensor_clears_where_unknown_is_ok(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; above = 1; if_unknown = \"ok\" } }");
    world_poll(&w, 0, TEMP, 2);
    rules_on_time(w.rules, 50000);
    world_expect(&w, "0 a ok>firing 1 | Room temp 2.0 C, above 1 C since 00:00\n"
                     "30000 a firing>ok 1 | Room temp back to unknown C after 30s\n");
    assert_int_equal(rules_status(w.rules, 0).kind, VALUE_NONE);
    world_close(&w);
}

static void a_stale_sensor_fires_where_unknown_is_an_alarm(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; above = 1; if_unknown = \"alarm\"; " QUIET
                   " } }");
    world_poll(&w, 5000, TEMP, 0);
    rules_on_time(w.rules, 50000);
    world_expect(&w, "35000 a ok>firing 1 | m\n");
    world_poll(&w, 60000, TEMP, 0);
    world_expect(&w, "60000 a firing>ok 1 | c\n");
    world_close(&w);
}

static void a_sensor_has_its_stale_time_to_be_read_first(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; above = \"room.setpoint\";"
                   " if_unknown = \"alarm\"; " QUIET " } }");
    rules_on_time(w.rules, 1000);
    world_poll(&w, 2000, TEMP, 0);
    rules_on_time(w.rules, 30999);
    world_expect(&w, "");
    rules_on_time(w.rules, 31000);
    world_expect(&w, "31000 a ok>firing - | m\n");
    world_close(&w);
}

static void fresh_readings_move_the_instant_of_staleness(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; above = 1; if_unknown = \"alarm\"; " QUIET
                   " } }");
    for (int64_t at_ms = 0; at_ms <= 200000; at_ms += 10000)
        world_poll(&w, at_ms, TEMP, 0);
    world_expect(&w, "");
    rules_on_time(w.rules, 250000);
    world_expect(&w, "230000 a ok>firing 1 | m\n");
    world_close(&w);
}

static void a_bad_reading_alone_changes_nothing(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; above = 1; for = \"10s\"; " QUIET " } }");
    world_poll(&w, 0, TEMP, 2);
    world_poll_bad(&w, 5000, TEMP);
    rules_on_time(w.rules, 10000);
    world_expect(&w, "0 a ok>pending 1\n10000 a pending>firing 1 | m\n");
    world_close(&w);
}

static void readings_that_cannot_be_are_not_believed(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; above = 1 } }");
    world_poll_text(&w, 1, TEMP, "2");
    world_poll(&w, 2, N_SENSORS, 2);
    world_poll(&w, 3, UINT32_MAX, 2);
    world_poll(&w, 4, TEMP, (double)INFINITY);
    world_poll(&w, 5, TEMP, (double)NAN);
    world_expect(&w, "");
    world_close(&w);
}

static void a_reading_older_than_the_newest_is_left_out(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; above = 1; " QUIET " } }");
    world_poll(&w, 1000, TEMP, 0);
    struct reading late = world_number(999, TEMP, 2);
    rules_on_poll(w.rules, &late, 1, 2000);
    world_expect(&w, "");
    late.at_ms = 1000; /* of equal times the later arrival is newer */
    rules_on_poll(w.rules, &late, 1, 2000);
    world_expect(&w, "2000 a ok>firing 1 | m\n");
    world_close(&w);
}

static void a_reading_that_arrives_old_becomes_stale_by_its_own_time(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; above = 1; if_unknown = \"alarm\"; " QUIET
                   " } }");
    rules_on_time(w.rules, 20000);
    struct reading old = world_number(1000, TEMP, 0);
    rules_on_poll(w.rules, &old, 1, 25000);
    assert_int_equal(rules_next_ms(w.rules), 31000);
    rules_on_time(w.rules, 40000);
    world_expect(&w, "31000 a ok>firing 1 | m\n");
    old.at_ms = 5000;
    rules_on_poll(w.rules, &old, 1, 50000); /* stale already: nothing is known */
    world_expect(&w, "");
    world_close(&w);
}

static void time_never_runs_backwards(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; above = 1; " QUIET " } }");
    world_poll(&w, 5000, TEMP, 0);
    struct reading next = world_number(5000, TEMP, 2);
    rules_on_poll(w.rules, &next, 1, 1000);
    world_expect(&w, "5000 a ok>firing 1 | m\n");
    world_close(&w);
}

static void what_does_not_age_is_never_stale(void **state)
{
    (void)state;
    struct world w;
    open_world(&w,
               "rules: { a: { sensor = \"door.event\"; equals = \"x\"; if_unknown = \"alarm\" } }");
    rules_on_time(w.rules, 0);
    assert_int_equal(rules_next_ms(w.rules), CLOCK_NEVER);
    world_poll_text(&w, 1, DOOR, "y");
    rules_on_time(w.rules, (int64_t)1 << 50);
    world_expect(&w, "");
    world_close(&w);
}

static void a_pattern_makes_one_instance_for_each_sensor(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensors = \"*.temp\"; above = 1; " QUIET " } }");
    assert_int_equal(rules_count(w.rules), 2);
    world_poll(&w, 0, HALL, 2);
    world_expect(&w, "0 a@hall.temp ok>firing 1 | m\n");
    world_poll(&w, 1, TEMP, 2);
    world_expect(&w, "1 a@room.temp ok>firing 1 | m\n");
    assert_true(rules_info(w.rules, 0).many);
    assert_string_equal(rules_info(w.rules, 0).rule, "a");
    assert_int_equal(rules_info(w.rules, 1).sensor, HALL);
    world_close(&w);
}

static void limits_of_a_sensor_are_instances_of_low_and_high(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "room_limits: { low = 2.0; high = 8.0; hysteresis = 0.5; " QUIET " }"
                   "pump_limits: { high = 90; for = \"5s\"; severity = \"critical\" }");
    assert_int_equal(rules_count(w.rules), 3);
    world_poll(&w, 0, TEMP, 1);
    world_poll(&w, 1, TEMP, 2.4);
    world_expect(&w, "0 low@room.temp ok>firing 2 | m\n");
    world_poll(&w, 2, TEMP, 2.5);
    world_expect(&w, "2 low@room.temp firing>ok 2 | c\n");
    world_poll(&w, 3, TEMP, 9);
    world_expect(&w, "3 high@room.temp ok>firing 8 | m\n");
    struct rule_info info = rules_info(w.rules, 2);
    assert_string_equal(info.id, "high@pump.load");
    assert_string_equal(info.rule, "high");
    assert_string_equal(info.summary, "pump.load above 90 for 5s");
    assert_int_equal(info.severity, SEVERITY_CRITICAL);
    world_close(&w);
}

static void the_limit_of_outside_is_the_side_that_was_crossed(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; outside = (10, 20); " QUIET " } }");
    world_poll(&w, 0, TEMP, 5);
    world_poll(&w, 1, TEMP, 15);
    world_poll(&w, 2, TEMP, 25);
    world_expect(&w, "0 a ok>firing 10 | m\n1 a firing>ok 10 | c\n2 a ok>firing 20 | m\n");
    world_close(&w);
}

static void actions_come_after_their_transition_in_their_order(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"pump.load\"; above = 1; " QUIET ";"
                   " on_fire = ({ publish = \"home/{rule}/{sensor}\"; payload = \"{{{value}}\";"
                   "             qos = 2; retain = true }, { log = \"{state} at {value} {unit}, "
                   "{room.temp}\" });"
                   " on_clear = ({ publish = \"x\"; payload = \"\" }) } }");
    world_poll(&w, 0, TEMP, 21.26);
    world_poll(&w, 1, LOAD, 2.25);
    world_poll(&w, 2, LOAD, 0);
    world_expect(&w, "1 a ok>firing 1 | m\n"
                     "publish home/a/pump.load {2.25} 2 1\n"
                     "log firing at 2.25, 21.3\n"
                     "2 a firing>ok 1 | c\n"
                     "publish x  1 0\n");
    world_close(&w);
}

static void an_instance_tells_what_it_is(void **state)
{
    (void)state;
    struct world w;
    open_world(
        &w, "defaults: { notify = \"phone\" }"
            "rules: { a: { sensor = \"room.temp\"; outside = (18, 26.5); for = \"90s\" }"
            "b: { sensor = \"room.temp\"; label = \"Bee\"; equals = 0; not_equals = \"hall.temp\";"
            "     notify = [ \"x\", \"y\" ]; severity = \"info\" } }");
    struct rule_info a = rules_info(w.rules, 0), b = rules_info(w.rules, 1);
    assert_string_equal(a.summary, "room.temp outside 18 to 26.5 for 1m 30s");
    assert_string_equal(a.label, "a");
    assert_int_equal(a.severity, SEVERITY_WARNING);
    assert_false(a.many);
    assert_int_equal(a.n_notify, 1);
    assert_string_equal(a.notify[0], "phone");
    assert_string_equal(b.summary, "room.temp at 0 and not at hall.temp");
    assert_string_equal(b.label, "Bee");
    assert_int_equal(b.n_notify, 2);
    assert_string_equal(b.notify[1], "y");
    world_close(&w);
}

static void the_status_is_the_last_transition(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; above = 1 } }");
    struct rule_transition status = rules_status(w.rules, 0);
    assert_int_equal(status.to, RULE_OK);
    assert_int_equal(status.since_ms, CLOCK_NEVER);
    world_poll(&w, 7, TEMP, 2);
    status = rules_status(w.rules, 0);
    assert_int_equal(status.to, RULE_FIRING);
    assert_int_equal(status.at_ms, 7);
    assert_true(status.number == 2 && status.limit == 1);
    world_close(&w);
}

/* The same (time, poll) give the same lines, however often time is asked in between. */
static void play(struct world *w, unsigned seed, bool ask_often)
{
    int64_t now_ms = 0;
    for (int i = 0; i < 3000; i++) {
        seed = seed * 1103515245 + 12345;
        now_ms += seed >> 16 & 8191;
        if (ask_often)
            rules_on_time(w->rules, now_ms - 1);
        if (seed >> 8 & 7)
            world_poll(w, now_ms, seed >> 4 & 1 ? TEMP : SETPOINT, seed >> 20 & 15);
    }
}

static void a_replay_gives_the_same_transitions(void **state)
{
    (void)state;
    const char *config =
        "rules: { a: { sensor = \"room.temp\"; above = \"room.setpoint\"; hysteresis = 2;"
        " for = \"20s\"; keep_for = \"15s\"; message = \"\"; clear_message = \"\" } }";
    struct world first, second;
    open_world(&first, config);
    open_world(&second, config);
    play(&first, 7, false);
    play(&second, 7, true);
    assert_true(first.length > 500);
    first.log[first.length] = '\0';
    world_expect(&second, first.log);
    world_close(&first);
    world_close(&second);
}

static void no_rules_at_all_are_legal(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "");
    world_poll(&w, 1, TEMP, 2);
    rules_on_time(w.rules, 100000);
    assert_int_equal(rules_count(w.rules), 0);
    assert_int_equal(rules_next_ms(w.rules), CLOCK_NEVER);
    world_close(&w);
}

static void a_refused_config_gives_no_rules(void **state)
{
    (void)state;
    struct world w;
    assert_int_equal(world_open(&w, "rules: { a: { sensor = \"x.y\"; above = 1 } }"), -EINVAL);
    assert_null(w.rules);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_above_the_limit_fires_once_and_clears_once),
        cmocka_unit_test(limits_are_strict),
        cmocka_unit_test(hysteresis_moves_every_limit_to_its_clearing_side),
        cmocka_unit_test(without_hysteresis_the_opposite_clears),
        cmocka_unit_test(clear_below_and_clear_above_replace_the_limit_for_clearing),
        cmocka_unit_test(several_keys_must_hold_together_and_one_that_is_over_clears),
        cmocka_unit_test(a_limit_may_be_another_sensor),
        cmocka_unit_test(all_readings_of_a_poll_are_taken_before_one_judgement),
        cmocka_unit_test(texts_are_compared_with_texts),
        cmocka_unit_test(for_ends_at_its_exact_instant_however_late_the_call),
        cmocka_unit_test(a_poll_first_judges_what_was_due_before_it),
        cmocka_unit_test(a_reading_of_the_same_instant_counts_before_the_timer),
        cmocka_unit_test(keep_for_must_pass_without_a_break_before_it_clears),
        cmocka_unit_test(a_firing_keeps_its_beginning_until_it_is_over),
        cmocka_unit_test(a_stale_sensor_pauses_the_timer_of_for),
        cmocka_unit_test(a_stale_sensor_keeps_the_state_by_default),
        cmocka_unit_test(a_stale_sensor_clears_where_unknown_is_ok),
        cmocka_unit_test(a_stale_sensor_fires_where_unknown_is_an_alarm),
        cmocka_unit_test(a_sensor_has_its_stale_time_to_be_read_first),
        cmocka_unit_test(fresh_readings_move_the_instant_of_staleness),
        cmocka_unit_test(a_bad_reading_alone_changes_nothing),
        cmocka_unit_test(readings_that_cannot_be_are_not_believed),
        cmocka_unit_test(a_reading_older_than_the_newest_is_left_out),
        cmocka_unit_test(a_reading_that_arrives_old_becomes_stale_by_its_own_time),
        cmocka_unit_test(time_never_runs_backwards),
        cmocka_unit_test(what_does_not_age_is_never_stale),
        cmocka_unit_test(a_pattern_makes_one_instance_for_each_sensor),
        cmocka_unit_test(limits_of_a_sensor_are_instances_of_low_and_high),
        cmocka_unit_test(the_limit_of_outside_is_the_side_that_was_crossed),
        cmocka_unit_test(actions_come_after_their_transition_in_their_order),
        cmocka_unit_test(an_instance_tells_what_it_is),
        cmocka_unit_test(the_status_is_the_last_transition),
        cmocka_unit_test(a_replay_gives_the_same_transitions),
        cmocka_unit_test(no_rules_at_all_are_legal),
        cmocka_unit_test(a_refused_config_gives_no_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
