#include "tests/unit/rules_world.h"

static void open_world(struct world *world, const char *config)
{
    int result = world_open(world, config);
    if (problems_line(world->problems, 0))
        print_error("%s\n", problems_line(world->problems, 0));
    assert_int_equal(result, 0);
}

#define QUIET           "message = \"m\"; clear_message = \"c\""
#define RULE(keys)      "rules: { a: { sensor = \"room.temp\"; " keys " } }"
#define FREE(keys)      "rules: { a: { " keys " } }"
#define DOOR_RULE(keys) "rules: { a: { sensor = \"door.event\"; " keys " } }"

static void an_expression_fires_and_its_opposite_clears(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("when = \"value > .setpoint + 2 and hall.temp < 30\""));
    world_poll(&w, 0, SETPOINT, 20);
    world_poll(&w, 0, TEMP, 25);
    world_expect(&w, "");
    world_poll(&w, 1, HALL, 10);
    world_expect(&w, "1 a ok>firing - | Room temp 25.0 C, value > .setpoint + 2 and hall.temp < 30 "
                     "since 00:00\n");
    world_poll(&w, 1001, SETPOINT, 23);
    world_expect(&w, "1001 a firing>ok - | Room temp back to 25.0 C after 1s\n");
    world_close(&w);
}

static void clear_when_replaces_the_opposite(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("when = \"value > 10\"; clear_when = \"value < 5\"; " QUIET));
    world_poll(&w, 0, TEMP, 11);
    world_poll(&w, 1, TEMP, 7);
    world_expect(&w, "0 a ok>firing - | m\n");
    world_poll(&w, 2, TEMP, 4);
    world_expect(&w, "2 a firing>ok - | c\n");
    world_close(&w);
}

static void a_rule_needs_no_sensor_when_its_condition_names_them(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, FREE("when = \"room.temp < hall.temp and door.event == \\\"open\\\"\""));
    world_poll(&w, 0, TEMP, 10);
    world_poll(&w, 0, HALL, 11);
    world_poll_text(&w, 0, DOOR, "open");
    world_expect(&w, "0 a ok>firing - | a, room.temp < hall.temp and door.event == \"open\" since "
                     "00:00\n");
    assert_int_equal(rules_info(w.rules, 0).sensor, RULES_NO_SENSOR);
    world_poll_text(&w, 60000, DOOR, "closed");
    world_close(&w);
}

static void a_channel_is_that_of_each_instances_device(void **state)
{
    (void)state;
    struct world w;
    world_refuses(
        "rules: { a: { sensors = \"*.temp\"; when = \"value > .setpoint\" } }", 1,
        "t.cfg:1:51: error: rule \"a\": \"hall.temp\" has no \"hall.setpoint\" beside it");
    open_world(&w,
               "rules: { a: { sensors = \"room.*\"; when = \"value > .setpoint\"; " QUIET " } }");
    struct reading both[] = {world_number(0, TEMP, 30), world_number(0, SETPOINT, 20)};
    rules_on_poll(w.rules, both, 2, 0);
    world_expect(&w, "0 a@room.temp ok>firing - | m\n");
    world_close(&w);
}

static void faults_are_told_in_the_text_itself(void **state)
{
    (void)state;
    world_refuses(RULE("when = \"value > rom.temp\""), 1,
                  "t.cfg:1:53: error: rule \"a\": unknown sensor \"rom.temp\"");
    world_refuses(RULE("when = \"value > 1\"; clear_when = \"value\""), 1,
                  "t.cfg:1:71: error: rule \"a\": a number is no condition");
    world_refuses(DOOR_RULE("when = \"value == \\\"a\\\" and value > 1\""), 1,
                  "t.cfg:1:71: error: rule \"a\": a text and a number cannot be compared");
}

static void plain_keys_do_not_go_with_when(void **state)
{
    (void)state;
    world_refuses(RULE("when = \"value > 1\"; above = 1"), 1,
                  "t.cfg:1:65: error: rule \"a\": \"above\" does not go with \"when\"");
    world_refuses(RULE("when = \"value > 1\"; hysteresis = 1"), 1,
                  "t.cfg:1:70: error: rule \"a\": \"hysteresis\" does not go with \"when\"");
    world_refuses(RULE("above = 1; clear_when = \"value < 1\""), 1,
                  "t.cfg:1:61: error: rule \"a\": \"clear_when\" goes only with \"when\"");
}

/* -- windows -- */

static void poll_each(struct world *w, int64_t from_ms, int64_t step_ms, const double *values,
                      size_t count)
{
    for (size_t i = 0; i < count; i++)
        world_poll(w, from_ms + (int64_t)i * step_ms, TEMP, values[i]);
}
#define POLL_EACH(world, from_ms, step_ms, ...)                       \
    poll_each(world, from_ms, step_ms, (const double[]){__VA_ARGS__}, \
              sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

static void an_average_is_unknown_until_half_of_it_is_seen(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("when = \"avg(40s) > 10\"; " QUIET));
    POLL_EACH(&w, 0, 10000, 20, 20);
    world_expect(&w, "");
    world_poll(&w, 20000, TEMP, 20);
    world_expect(&w, "20000 a ok>firing - | m\n");
    world_poll(&w, 30000, TEMP, 0);
    world_expect(&w, "");
    world_poll(&w, 40000, TEMP, 0);
    world_expect(&w, "40000 a firing>ok - | c\n");
    world_close(&w);
}

static void samples_that_leave_are_judged_without_a_reading(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("when = \"max(20s) > 10\"; " QUIET));
    POLL_EACH(&w, 0, 10000, 0, 0, 20, 0);
    world_expect(&w, "20000 a ok>firing - | m\n");
    rules_on_time(w.rules, 39999);
    world_expect(&w, "");
    rules_on_time(w.rules, 40000);
    world_expect(&w, "40000 a firing>ok - | c\n");
    world_close(&w);
}

static void one_window_serves_all_rules(void **state)
{
    (void)state;
    struct world w, v;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; when = \"avg(1h) > 1\" } }");
    open_world(&v, "rules: { a: { sensor = \"room.temp\"; when = \"avg(1h) > 1\" }"
                   "b: { when = \"max(room.temp, 1h) > avg(room.temp, 60m)\" } }");
    assert_int_equal(rules_memory(w.rules), rules_memory(v.rules));
    assert_true(rules_memory(w.rules) > 454 * 16);
    world_close(&w);
    world_close(&v);
}

static void windows_that_need_more_memory_than_there_is_are_refused(void **state)
{
    (void)state;
    world_refuses(FREE("when = \"max(room.temp, #1000000) > 1 and max(hall.temp, #999999) > 1 and "
                       "max(room.setpoint, #1000000) > 1\""),
                  1, "t.cfg:1:56: error: rule \"a\": with this window all take more than 32 MB");
}

static void rises_by_sees_the_lowest_value_within_the_time(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("rises_by = 2; within = \"40s\"; hysteresis = 1; " QUIET));
    POLL_EACH(&w, 0, 10000, 10, 9, 8, 10);
    world_expect(&w, "");
    world_poll(&w, 40000, TEMP, 10.1);
    world_expect(&w, "40000 a ok>firing 2 | m\n");
    POLL_EACH(&w, 50000, 10000, 9.2, 10.3);
    world_expect(&w, "");
    world_poll(&w, 70000, TEMP, 10.2);
    world_expect(&w, "70000 a firing>ok 2 | c\n");
    world_close(&w);
}

static void falls_by_is_the_other_way_round(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("falls_by = 2; within = \"40s\""));
    POLL_EACH(&w, 0, 10000, 10, 9, 8, 7.9);
    world_expect(&w,
                 "30000 a ok>firing 2 | Room temp 7.9 C, falling by 2 C within 40s since 00:00\n");
    world_close(&w);
}

static void no_data_for_fires_at_its_exact_instant(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { a: { sensor = \"room.temp\"; no_data_for = \"5m\" }"
                   "b: { sensor = \"door.event\"; no_data_for = \"10m\"; " QUIET " } }");
    world_poll(&w, 1000, TEMP, 1);
    rules_on_time(w.rules, 300999);
    world_expect(&w, "");
    rules_on_time(w.rules, 400000);
    world_expect(&w, "301000 a ok>firing - | Room temp, without data for 5m since 00:05\n");
    world_poll(&w, 500000, TEMP, 2);
    world_expect(&w, "500000 a firing>ok - | Room temp back to 2.0 C after 3m 19s\n");
    rules_on_time(w.rules, 700000); /* the door never said anything since the start */
    world_expect(&w, "601000 b ok>firing - | m\n");
    world_close(&w);
}

static void stuck_for_fires_at_its_exact_instant(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("stuck_for = \"35s\"; " QUIET));
    POLL_EACH(&w, 0, 10000, 1, 2, 2, 2, 2);
    rules_on_time(w.rules, 44999);
    world_expect(&w, "");
    rules_on_time(w.rules, 46000);
    world_expect(&w, "45000 a ok>firing - | m\n");
    world_poll(&w, 50000, TEMP, 3);
    world_expect(&w, "50000 a firing>ok - | c\n");
    world_close(&w);
}

static void events_are_counted_by_their_text(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, FREE("when = \"count(door.event, 'open', 1m) > 1\"; " QUIET));
    rules_on_time(w.rules, 0);
    world_poll_text(&w, 40000, DOOR, "open");
    world_poll_text(&w, 41000, DOOR, "closed");
    world_expect(&w, "");
    world_poll_text(&w, 42000, DOOR, "open");
    world_expect(&w, "42000 a ok>firing - | m\n");
    rules_on_time(w.rules, 99999);
    world_expect(&w, "");
    rules_on_time(w.rules, 102000); /* once a second is enough */
    world_expect(&w, "100000 a firing>ok - | c\n");
    world_close(&w);
}

static void keys_of_time_that_lack_something_are_refused(void **state)
{
    (void)state;
    world_refuses(RULE("rises_by = 2"), 1,
                  "t.cfg:1:48: error: rule \"a\": \"rises_by\" needs \"within\"");
    world_refuses(RULE("above = 2; within = \"5s\""), 1,
                  "t.cfg:1:57: error: rule \"a\": \"within\" goes only with \"rises_by\" or "
                  "\"falls_by\"");
    world_refuses(RULE("stuck_for = \"0s\""), 1,
                  "t.cfg:1:49: error: rule \"a\": \"stuck_for\" needs a time of more than nothing");
    world_refuses(RULE("stuck_for = \"7h\""), 1,
                  "t.cfg:1:49: error: rule \"a\": \"stuck_for\" is at most 6h");
    world_refuses(DOOR_RULE("rises_by = 1; within = \"1m\""), 1,
                  "t.cfg:1:49: error: rule \"a\": \"door.event\" gives texts, \"rises_by\" needs a "
                  "sensor of numbers");
    world_refuses(RULE("no_data_for = \"5m\"; hysteresis = 1"), 1,
                  "t.cfg:1:70: error: rule \"a\": hysteresis does not go with no_data_for");
}

/* -- quality, groups, rules, the calendar -- */

static void a_bad_reading_is_judged_where_its_quality_is_asked(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("when = \"quality() == \\\"timeout\\\"\"; " QUIET));
    world_poll(&w, 0, TEMP, 1);
    world_poll_bad(&w, 1, TEMP);
    world_expect(&w, "1 a ok>firing - | m\n");
    world_poll(&w, 2, TEMP, 1);
    world_expect(&w, "2 a firing>ok - | c\n");
    world_close(&w);
}

static void a_group_is_judged_with_each_of_its_sensors(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, FREE("when = \"max_of('*.temp') - min_of('*.temp') > 5\"; " QUIET));
    world_poll(&w, 0, TEMP, 1);
    world_poll(&w, 1, HALL, 7);
    world_expect(&w, "1 a ok>firing - | m\n");
    world_poll(&w, 2, TEMP, 3);
    world_expect(&w, "2 a firing>ok - | c\n");
    world_close(&w);
}

static void a_rule_may_ask_another_in_the_same_pass(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "rules: { c: { when = \"firing(b) and room.temp > 0\"; " QUIET " }"
                   "b: { when = \"firing(hot) and not firing(high)\"; " QUIET " }"
                   "hot: { sensors = \"*.temp\"; above = 20; " QUIET " } }");
    world_poll(&w, 0, TEMP, 10);
    world_poll(&w, 1, TEMP, 25);
    world_expect(&w,
                 "1 hot@room.temp ok>firing 20 | m\n1 b ok>firing - | m\n1 c ok>firing - | m\n");
    world_poll(&w, 2, HALL, 25);
    world_poll(&w, 3, TEMP, 10);
    world_expect(&w, "2 hot@hall.temp ok>firing 20 | m\n3 hot@room.temp firing>ok 20 | c\n");
    world_poll(&w, 4, HALL, 15);
    world_expect(&w,
                 "4 hot@hall.temp firing>ok 20 | c\n4 b firing>ok - | c\n4 c firing>ok - | c\n");
    world_close(&w);
}

static void rules_that_ask_each_other_in_a_ring_are_refused(void **state)
{
    (void)state;
    world_refuses("rules: { a: { when = \"firing(b)\" } b: { when = \"not firing(a)\" } }", 1,
                  "t.cfg:1:22: error: rule \"a\": rules ask each other in a ring");
    world_refuses("rules: { a: { when = \"firing(a)\" } }", 1,
                  "t.cfg:1:22: error: rule \"a\": rules ask each other in a ring");
    world_refuses("rules: { a: { when = \"firing(c)\" } }", 1,
                  "t.cfg:1:30: error: rule \"a\": unknown rule \"c\"");
}

static void the_time_of_day_is_judged_at_its_edges(void **state)
{
    (void)state;
    struct world w;
    setenv("TZ", "UTC", 1);
    open_world(&w, FREE("when = \"hour() == 1\"; " QUIET));
    rules_on_time(w.rules, 0);
    world_expect(&w, "");
    rules_on_time(w.rules, 3600000 * 3);
    world_expect(&w, "3600000 a ok>firing - | m\n7200000 a firing>ok - | c\n");
    world_close(&w);
}

/* -- how much one rule may have -- */

/* A config that grows: texts, and what is there many times, each with its number in it. */
struct much {
    char text[8192];
    size_t length;
};

static void say(struct much *much, const char *text)
{
    text_append(much->text, sizeof much->text, &much->length, "%s", text);
}

static void say_each(struct much *much, int times, const char *head, const char *tail,
                     const char *between)
{
    for (int i = 1; i <= times; i++)
        text_append(much->text, sizeof much->text, &much->length, "%s%s%d%s", i > 1 ? between : "",
                    head, i, tail);
}

static void is_too_much(const struct much *much, const char *words)
{
    struct world w;
    bool told = false;
    const char *line;
    assert_int_equal(world_open(&w, much->text), -EINVAL);
    for (size_t i = 0; (line = problems_line(w.problems, i)); i++)
        told = told || strstr(line, words);
    assert_true(told);
    world_close(&w);
}

static void one_rule_reads_only_so_many_windows(void **state)
{
    (void)state;
    struct much much = {0};
    say(&much, "rules: { a: { sensor = \"room.temp\"; when = \"");
    say_each(&much, 64, "max(", "s) > 1", " or ");
    say(&much, "\" } }");
    is_too_much(&much, "one rule reads more than 64 sensors and windows");
}

static void one_rule_asks_only_so_many_others(void **state)
{
    (void)state;
    struct much much = {0};
    say(&much, "rules: { a: { when = \"");
    say_each(&much, 33, "firing(r", ")", " or ");
    say(&much, "\" } b: { sensor = \"room.temp\"; above = 1; inhibited_by = [ ");
    say_each(&much, 33, "\"r", "\"", ", ");
    say(&much, " ] } ");
    say_each(&much, 33, "r", ": { sensor = \"room.temp\"; above = 1 }", " ");
    say(&much, " }");
    is_too_much(&much, "one rule asks more than 32 others");
    is_too_much(&much, "rule \"b\": it asks more than 32 other rules");
}

static void one_rule_escalates_only_so_often(void **state)
{
    (void)state;
    struct much much = {0};
    say(&much, "rules: { a: { sensor = \"room.temp\"; above = 1; escalate = ( ");
    say_each(&much, 33, "{ after = \"", "m\"; log = \"x\" }", ", ");
    say(&much, " ) } }");
    is_too_much(&much, "a rule has at most 32 escalations");
}

static void the_opposite_of_an_expression_has_to_fit_as_well(void **state)
{
    (void)state;
    struct much much = {0};
    say(&much, "rules: { a: { when = \"not ");
    say_each(&much, 127, "", "", " + ");
    say(&much, " > 0\" } }");
    is_too_much(&much, "the expression becomes too many instructions");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_expression_fires_and_its_opposite_clears),
        cmocka_unit_test(clear_when_replaces_the_opposite),
        cmocka_unit_test(a_rule_needs_no_sensor_when_its_condition_names_them),
        cmocka_unit_test(a_channel_is_that_of_each_instances_device),
        cmocka_unit_test(faults_are_told_in_the_text_itself),
        cmocka_unit_test(plain_keys_do_not_go_with_when),
        cmocka_unit_test(an_average_is_unknown_until_half_of_it_is_seen),
        cmocka_unit_test(samples_that_leave_are_judged_without_a_reading),
        cmocka_unit_test(one_window_serves_all_rules),
        cmocka_unit_test(windows_that_need_more_memory_than_there_is_are_refused),
        cmocka_unit_test(rises_by_sees_the_lowest_value_within_the_time),
        cmocka_unit_test(falls_by_is_the_other_way_round),
        cmocka_unit_test(no_data_for_fires_at_its_exact_instant),
        cmocka_unit_test(stuck_for_fires_at_its_exact_instant),
        cmocka_unit_test(events_are_counted_by_their_text),
        cmocka_unit_test(keys_of_time_that_lack_something_are_refused),
        cmocka_unit_test(a_bad_reading_is_judged_where_its_quality_is_asked),
        cmocka_unit_test(a_group_is_judged_with_each_of_its_sensors),
        cmocka_unit_test(a_rule_may_ask_another_in_the_same_pass),
        cmocka_unit_test(rules_that_ask_each_other_in_a_ring_are_refused),
        cmocka_unit_test(the_time_of_day_is_judged_at_its_edges),
        cmocka_unit_test(one_rule_reads_only_so_many_windows),
        cmocka_unit_test(one_rule_asks_only_so_many_others),
        cmocka_unit_test(one_rule_escalates_only_so_often),
        cmocka_unit_test(the_opposite_of_an_expression_has_to_fit_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
