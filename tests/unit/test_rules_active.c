#include "tests/unit/rules_order_world.h"

#include "rules/active.h"

#include <time.h>

#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)

/* 2026-11-02, a Monday, at midnight UTC. */
#define MONDAY_MS INT64_C(1793577600000)

static int in_utc(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    return 0;
}

static struct active_window parse(const char *text)
{
    struct active_window window;
    struct active_fault fault;
    int result = active_parse(text, &window, &fault);
    if (result)
        print_error("%s: %s\n", text, fault.words);
    assert_int_equal(result, 0);
    return window;
}

/* "2026-11-02 18:30" in local time. */
static bool is_active(const struct active_window *window, const char *when)
{
    struct tm tm = {.tm_isdst = -1};
    assert_int_equal(sscanf(when, "%d-%d-%d %d:%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
                            &tm.tm_hour, &tm.tm_min),
                     5);
    tm.tm_year -= 1900;
    tm.tm_mon--;
    mktime(&tm);
    return active_at(window, &tm);
}

static void a_time_of_day_has_its_begin_and_not_its_end(void **state)
{
    (void)state;
    struct active_window window = parse("08:00-17:30");
    assert_false(is_active(&window, "2026-11-02 07:59"));
    assert_true(is_active(&window, "2026-11-02 08:00"));
    assert_true(is_active(&window, "2026-11-02 17:29"));
    assert_false(is_active(&window, "2026-11-02 17:30"));
    window = parse("00:00-24:00");
    assert_true(is_active(&window, "2026-11-02 00:00") && is_active(&window, "2026-11-02 23:59"));
}

static void months_and_weekdays_go_round(void **state)
{
    (void)state;
    struct active_window window = parse("Oct-Apr");
    assert_true(is_active(&window, "2026-10-01 00:00") && is_active(&window, "2027-04-30 23:59"));
    assert_false(is_active(&window, "2026-09-30 23:59") || is_active(&window, "2026-05-01 00:00"));
    window = parse("Fri-Mon");
    assert_true(is_active(&window, "2026-11-01 12:00") && is_active(&window, "2026-11-02 12:00"));
    assert_false(is_active(&window, "2026-11-03 12:00") || is_active(&window, "2026-11-05 12:00"));
    window = parse("nov,Jan  Mon,wed 10:00-11:00");
    assert_true(is_active(&window, "2026-11-02 10:30") && is_active(&window, "2026-11-04 10:30"));
    assert_false(is_active(&window, "2026-12-02 10:30") || is_active(&window, "2026-11-03 10:30"));
}

static void over_midnight_it_belongs_to_the_day_on_which_it_starts(void **state)
{
    (void)state;
    struct active_window window = parse("Nov Mon 22:00-06:00");
    assert_false(is_active(&window, "2026-11-02 05:00"));
    assert_true(is_active(&window, "2026-11-02 22:00"));
    assert_true(is_active(&window, "2026-11-03 05:59"));
    assert_false(is_active(&window, "2026-11-03 06:00"));
    assert_false(is_active(&window, "2026-11-03 22:00"));
    assert_true(is_active(&window, "2026-12-01 05:00")); /* since Monday, 30 November */
    assert_false(is_active(&window, "2026-12-07 23:00"));
}

static void days_of_23_and_of_25_hours_are_days(void **state)
{
    (void)state;
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
    struct active_window window = parse("Sun 22:00-01:00");
    assert_true(is_active(&window, "2026-03-30 00:30"));  /* after a Sunday of 23 hours */
    assert_true(is_active(&window, "2026-10-26 00:30"));  /* and of 25 */
    assert_false(is_active(&window, "2026-03-29 00:30")); /* after a Saturday */
    in_utc(state);
}

static void refuse(const char *text, size_t offset, const char *words)
{
    struct active_window window;
    struct active_fault fault;
    assert_int_equal(active_parse(text, &window, &fault), -EINVAL);
    assert_string_equal(fault.words, words);
    assert_int_equal(fault.offset, offset);
    assert_non_null(fault.hint);
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    refuse("", 0, "there is no time in it");
    refuse("  ", 0, "there is no time in it");
    refuse("Oct-Foo", 0, "these are no months or weekdays in a row");
    refuse("Oct,Mon", 4, "these are no months or weekdays in a row");
    refuse("October", 3, "a space is missing here");
    refuse("8-17", 0, "this is no time of day");
    refuse("08:00-25:00", 0, "this is no time of day");
    refuse("08:60-09:00", 0, "this is no time of day");
    refuse("24:00-08:00", 0, "this is no time of day");
    refuse("08:00-08:00", 0, "this time of day is nothing");
    refuse("08:00-09:00 Mon", 12, "this comes too late in the text");
    refuse("Mon Oct", 4, "this comes too late in the text");
}

#define OF(active)                                                                             \
    "rules: { a: { sensor = \"room.temp\"; above = 1; message = \"m\"; clear_message = \"c\";" \
    " notify = \"n\"; active = " active " } }"

static void outside_of_its_times_a_rule_rests_in_ok(void **state)
{
    (void)state;
    struct world w;
    assert_int_equal(world_open(&w, OF("\"08:00-09:00\"")), 0);
    clock_use_fixed(0, MONDAY_MS);
    world_poll(&w, 8 * HOUR_MS - 1000, TEMP, 2);
    world_expect(&w, "0 a ok>ok -\n");
    assert_true(rules_status(w.rules, 0).inactive);
    rules_on_time(w.rules, 8 * HOUR_MS);
    world_expect(&w, "0 a ok>ok -\n28800000 a ok>firing 1 | m\nnotify n: m\n");
    for (int64_t at_ms = 8 * HOUR_MS; at_ms < 9 * HOUR_MS; at_ms += 20000)
        world_poll(&w, at_ms, TEMP, 2);
    rules_on_time(w.rules, 9 * HOUR_MS);
    world_expect(&w, "32400000 a firing>ok 1 | a: the alarm is over, outside of its active times\n"
                     "notify n: a: the alarm is over, outside of its active times\n"
                     "32400000 a ok>ok 1\n");
    world_poll(&w, 9 * HOUR_MS + 1000, TEMP, 5);
    rules_on_time(w.rules, 10 * HOUR_MS); /* and is not blind */
    world_expect(&w, "");
    world_close(&w);
}

static void a_list_of_times_means_any(void **state)
{
    (void)state;
    struct world w;
    assert_int_equal(world_open(&w, OF("[ \"Tue\", \"Mon 08:00-09:00\" ]")), 0);
    clock_use_fixed(0, MONDAY_MS);
    world_poll(&w, 8 * HOUR_MS, TEMP, 2);
    assert_int_equal(rules_status(w.rules, 0).to, RULE_FIRING);
    world_poll(&w, 9 * HOUR_MS, TEMP, 2);
    assert_int_equal(rules_status(w.rules, 0).to, RULE_OK);
    world_poll(&w, DAY_MS, TEMP, 2);
    assert_int_equal(rules_status(w.rules, 0).to, RULE_FIRING);
    world_close(&w);
}

static void before_the_clock_is_known_it_stays_as_it_was(void **state)
{
    (void)state;
    struct world w;
    char text[RULES_SAVED_SIZE];
    const char *config = OF("\"08:00-09:00\"");
    assert_int_equal(world_open(&w, config), 0);
    clock_use_fixed(0, MONDAY_MS);
    world_poll(&w, 7 * HOUR_MS, TEMP, 2);
    rules_save(w.rules, 0, 7 * HOUR_MS, CLOCK_NEVER, text);
    world_close(&w);
    assert_int_equal(world_open(&w, config), 0);
    clock_use_fixed(0, CLOCK_NEVER);
    assert_int_equal(rules_restore(w.rules, "a", text, 0, CLOCK_NEVER), 0);
    world_poll(&w, 1000, TEMP, 2);
    world_expect(&w, "");
    clock_use_fixed(0, MONDAY_MS + 8 * HOUR_MS);
    rules_on_time(w.rules, 2000);
    assert_int_equal(rules_status(w.rules, 0).to, RULE_FIRING);
    world_close(&w);
    assert_int_equal(world_open(&w, config), 0);
    clock_use_fixed(0, CLOCK_NEVER);
    world_poll(&w, 1000, TEMP, 2); /* better an alarm too many than none */
    assert_int_equal(rules_status(w.rules, 0).to, RULE_FIRING);
    world_close(&w);
}

static void a_wrong_time_is_shown_in_its_place(void **state)
{
    (void)state;
    world_refuses(OF("\"Oct-Apr 18:00-8:00\""), 1,
                  "t.cfg:1:116: error: rule \"a\": this is no time of day");
    world_refuses(OF("[ \"Mon\", \"Foo\" ]"), 1,
                  "t.cfg:1:116: error: rule \"a\": this is no time of day");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_of_day_has_its_begin_and_not_its_end),
        cmocka_unit_test(months_and_weekdays_go_round),
        cmocka_unit_test(over_midnight_it_belongs_to_the_day_on_which_it_starts),
        cmocka_unit_test(days_of_23_and_of_25_hours_are_days),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(outside_of_its_times_a_rule_rests_in_ok),
        cmocka_unit_test(a_list_of_times_means_any),
        cmocka_unit_test(before_the_clock_is_known_it_stays_as_it_was),
        cmocka_unit_test(a_wrong_time_is_shown_in_its_place),
    };
    return cmocka_run_group_tests(tests, in_utc, NULL);
}
