#include "tests/unit/rules_order_world.h"

#define QUIET     "message = \"m\"; clear_message = \"c {duration}\""
#define RULE(key) "rules: { a: { sensor = \"room.temp\"; above = 1; " QUIET "; " key " } }"
#define NO_WALL   CLOCK_NEVER

static void open_world(struct world *world, const char *config)
{
    assert_int_equal(world_open(world, config), 0);
}

static void save(struct world *world, int64_t now_ms, int64_t wall_ms, char text[RULES_SAVED_SIZE])
{
    size_t length = rules_save(world->rules, 0, now_ms, wall_ms, text);
    assert_int_equal(length, strlen(text));
}

/* Closes the world and opens a new one, in which the first instance stands as it was saved. */
static void restart(struct world *world, const char *config, int64_t saved_ms, int64_t now_ms)
{
    char text[RULES_SAVED_SIZE], id[80];
    save(world, saved_ms, NO_WALL, text);
    text_copy(id, sizeof id, rules_info(world->rules, 0).id);
    world_close(world);
    open_world(world, config);
    if (text[0])
        assert_int_equal(rules_restore(world->rules, id, text, now_ms, NO_WALL), 0);
}

static void what_stands_as_new_needs_no_text(void **state)
{
    (void)state;
    struct world w;
    char text[RULES_SAVED_SIZE] = "x";
    open_world(&w, RULE("keep_for = \"1s\""));
    assert_int_equal(rules_save(w.rules, 0, 0, 0, text), 0);
    assert_string_equal(text, "");
    world_poll(&w, 0, TEMP, 2);
    assert_true(rules_save(w.rules, 0, 0, 0, text) > 0);
    world_poll(&w, 1, TEMP, 0);
    rules_on_time(w.rules, 2000);
    assert_int_equal(rules_save(w.rules, 0, 3000, 0, text), 0);
    world_close(&w);
}

static void a_restart_neither_fires_again_nor_forgets(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("notify = \"phone\""));
    world_poll(&w, 5000, TEMP, 2);
    world_do(&w, 6000, ORDER_ACK, "a");
    restart(&w, RULE("notify = \"phone\""), 7000, 100);
    struct rule_transition status = rules_status(w.rules, 0);
    assert_int_equal(status.to, RULE_FIRING);
    assert_int_equal(status.since_ms, 100 - 2000);
    assert_int_equal(status.at_ms, 100 - 2000);
    assert_true(status.acked);
    assert_true(status.number == 2 && status.limit == 1);
    world_poll(&w, 1000, TEMP, 3);
    world_expect(&w, "");
    world_poll(&w, 2000, TEMP, 0);
    world_expect(&w, "2000 a firing>ok 1 | c 3s 900ms\nnotify phone: c 3s 900ms\n");
    world_close(&w);
}

static void timers_go_on_where_they_were(void **state)
{
    (void)state;
    struct world w;
    const char *config = RULE("for = \"10s\"; keep_for = \"20s\"");
    open_world(&w, config);
    world_poll(&w, 0, TEMP, 2);
    restart(&w, config, 4000, 1000000);
    assert_int_equal(rules_next_ms(w.rules), CLOCK_NEVER); /* nothing is known yet */
    world_poll(&w, 1005000, TEMP, 2);
    world_expect(&w, "");
    rules_on_time(w.rules, 1011000);
    world_expect(&w, "1011000 a pending>firing 1 | m\n");
    world_poll(&w, 1012000, TEMP, 0);
    w.length = 0;
    restart(&w, config, 1030000, 0);
    world_poll(&w, 500, TEMP, 0);
    rules_on_time(w.rules, 2500);
    world_expect(&w, "2500 a recovering>ok 1 | c 21s 500ms\n");
    world_close(&w);
}

static void what_is_over_when_it_comes_back_ends_with_the_first_reading(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("for = \"10s\""));
    world_poll(&w, 0, TEMP, 2);
    restart(&w, RULE("for = \"10s\""), 4000, 0);
    world_poll(&w, 1, TEMP, 0);
    world_expect(&w, "1 a pending>ok 1\n");
    world_close(&w);
}

static void flags_stay(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE(""));
    world_poll(&w, 0, TEMP, 2);
    rules_on_time(w.rules, 70000);
    world_do(&w, 70000, ORDER_DISABLE, "a");
    restart(&w, RULE(""), 80000, 0);
    struct rule_transition status = rules_status(w.rules, 0);
    assert_true(status.blind && status.disabled && !status.muted && !status.acked);
    rules_on_time(w.rules, 200000);
    world_expect(&w, ""); /* it was told already */
    world_poll(&w, 200000, TEMP, 2);
    world_expect(&w, "200000 a seeing | a sees again: room.temp 2.0 C\n");
    world_close(&w);
}

static void what_was_not_told_is_told_after_the_restart(void **state)
{
    (void)state;
    struct world w;
    const char *config = RULE("notify = \"phone\"");
    open_world(&w, config);
    world_do(&w, 0, ORDER_DISABLE, "a");
    world_poll(&w, 1, TEMP, 2);
    restart(&w, config, 10, 0);
    world_do(&w, 1, ORDER_ENABLE, "a");
    world_expect(&w, "1 a enabled by anna\nnotify phone: m\n");
    world_do(&w, 2, ORDER_DISABLE, "a");
    world_poll(&w, 1000, TEMP, 0);
    w.length = 0;
    restart(&w, config, 1000, 0);
    world_do(&w, 5, ORDER_ENABLE, "a");
    world_expect(&w, "5 a enabled by anna\nnotify phone: c 1s 9ms\n");
    world_close(&w);
}

/* A mute with an hour left is saved at wall time `saved_ms`, and comes back at `wall_ms`. */
static int64_t mute_left_ms(int64_t saved_ms, int64_t wall_ms)
{
    struct world w;
    char text[RULES_SAVED_SIZE];
    struct rules_order mute = {.kind = ORDER_MUTE, .target = "a", .until_ms = 3700000};
    open_world(&w, RULE(""));
    world_order(&w, 0, mute, NULL);
    save(&w, 100000, saved_ms, text);
    world_close(&w);
    open_world(&w, RULE(""));
    assert_int_equal(rules_restore(w.rules, "a", text, 50, wall_ms), 0);
    int64_t left_ms = rules_status(w.rules, 0).muted_until_ms - 50;
    assert_int_equal(rules_next_ms(w.rules), left_ms + 50);
    world_close(&w);
    return left_ms;
}

static void a_mute_ends_when_people_said(void **state)
{
    (void)state;
    assert_int_equal(mute_left_ms(1000000, 1000000 + 600000), 3000000);
    assert_int_equal(mute_left_ms(1000000, 1000000 + 9000000), 0);
    assert_int_equal(mute_left_ms(1000000, 1000), 3600000); /* a clock that went back */
    assert_int_equal(mute_left_ms(NO_WALL, 1000000), 3600000);
    assert_int_equal(mute_left_ms(1000000, NO_WALL), 3600000);
}

static void a_mute_that_ended_while_it_was_down_is_said_at_the_start(void **state)
{
    (void)state;
    struct world w;
    char text[RULES_SAVED_SIZE];
    open_world(&w, RULE("notify = \"phone\""));
    world_do(&w, 0, ORDER_MUTE, "a");
    world_poll(&w, 0, TEMP, 2);
    save(&w, 1000, 1000000, text);
    world_close(&w);
    open_world(&w, RULE("notify = \"phone\""));
    rules_restore(w.rules, "a", text, 50, 1000000 + 86400000);
    rules_on_time(w.rules, 60);
    world_expect(&w, "50 a unmuted (its time is over)\nnotify phone: m\n");
    world_close(&w);
}

static void the_clock_sets_right_what_was_guessed(void **state)
{
    (void)state;
    struct world w;
    char text[RULES_SAVED_SIZE], again[RULES_SAVED_SIZE];
    uint32_t instance;
    open_world(&w, RULE(""));
    world_poll(&w, 0, TEMP, 2);
    world_do(&w, 0, ORDER_MUTE, "a");
    save(&w, 60000, 5000000, text);
    world_close(&w);
    open_world(&w, RULE(""));
    assert_int_equal(rules_restore(w.rules, "a", text, 0, NO_WALL), 0);
    assert_int_equal(rules_status(w.rules, 0).since_ms, -60000);
    assert_int_equal(rules_status(w.rules, 0).muted_until_ms, 7140000);
    rules_on_time(w.rules, 10000);
    rules_save(w.rules, 0, 10000, NO_WALL, again); /* a second power cut before the clock is good */
    world_close(&w);
    open_world(&w, RULE(""));
    assert_int_equal(rules_restore(w.rules, "a", again, 0, NO_WALL), 0);
    rules_on_clock(w.rules, 20000, 5000000 + 1800000);
    assert_int_equal(rules_status(w.rules, 0).since_ms, 20000 - 1800000 - 60000);
    assert_int_equal(rules_status(w.rules, 0).muted_until_ms, 20000 + 7140000 - 1800000);
    assert_int_equal(rules_next_ms(w.rules), 20000 + 7140000 - 1800000);
    assert_true(rules_changed(w.rules, &instance));
    rules_on_clock(w.rules, 30000, 9000000); /* nothing is left to set right */
    assert_int_equal(rules_status(w.rules, 0).since_ms, 20000 - 1800000 - 60000);
    world_close(&w);
}

static void since_counts_the_time_it_was_down_when_that_is_known(void **state)
{
    (void)state;
    struct world w;
    char text[RULES_SAVED_SIZE];
    open_world(&w, RULE(""));
    world_poll(&w, 0, TEMP, 2);
    save(&w, 60000, 5000000, text);
    world_close(&w);
    open_world(&w, RULE(""));
    rules_restore(w.rules, "a", text, 0, 5000000 + 600000);
    assert_int_equal(rules_status(w.rules, 0).since_ms, -660000);
    world_close(&w);
}

static void an_adjusted_limit_holds_until_the_file_changes(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("adjustable = true"));
    world_set_limit(&w, 0, "a", "above", 2.5);
    restart(&w, RULE("adjustable = true; severity = \"critical\""), 0, 0);
    assert_true(rules_limit(w.rules, 0, 0).value == 2.5);
    world_expect(&w, "");
    restart(&w,
            "rules: { a: { sensor = \"room.temp\"; above = 1.5; adjustable = true; " QUIET " } }",
            0, 0);
    assert_true(rules_limit(w.rules, 0, 0).value == 1.5);
    world_expect(&w, "0 a limit above=1.5 (the file has a new value; it was set to 2.5)\n");
    world_close(&w);
}

static void a_limit_that_is_no_longer_allowed_goes_back(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("adjustable = true"));
    world_set_limit(&w, 0, "a", "above", 2.5);
    restart(&w, RULE("adjustable = ( 0, 2, 1 )"), 0, 0);
    world_expect(&w, "0 a limit above=1 (the file no longer allows it; it was set to 2.5)\n");
    world_close(&w);
    open_world(&w, RULE("adjustable = true"));
    world_set_limit(&w, 0, "a", "above", 2.5);
    uint32_t instance;
    restart(&w, RULE(""), 0, 0); /* no limit at all any more: nothing to say, but to be saved */
    world_expect(&w, "");
    assert_true(rules_changed(w.rules, &instance));
    world_close(&w);
}

static void limits_that_no_longer_go_together_go_back(void **state)
{
    (void)state;
    struct world w;
    char low[RULES_SAVED_SIZE], high[RULES_SAVED_SIZE];
    open_world(&w, "room_limits: { low = 2; high = 8; adjustable = true }");
    world_set_limit(&w, 0, "high@room.temp", "high", 12);
    world_set_limit(&w, 0, "low@room.temp", "low", 9);
    rules_save(w.rules, 0, 0, 0, low);
    rules_save(w.rules, 1, 0, 0, high);
    world_close(&w);
    open_world(&w, "room_limits: { low = 2; high = 8; adjustable = true }");
    rules_restore(w.rules, "low@room.temp", low, 0, 0);
    rules_restore(w.rules, "high@room.temp", high, 0, 0);
    rules_on_time(w.rules, 0);
    world_expect(&w, "");
    world_close(&w);
    open_world(&w, "room_limits: { low = 2; high = 7; adjustable = true }");
    rules_restore(w.rules, "low@room.temp", low, 0, 0);
    rules_restore(w.rules, "high@room.temp", high, 0, 0);
    rules_on_time(w.rules, 1);
    world_expect(&w,
                 "0 high@room.temp limit high=7 (the file has a new value; it was set to 12)\n"
                 "1 low@room.temp limit low=2 (the file no longer allows it; it was set to 9)\n");
    world_close(&w);
}

static void an_alarm_of_another_condition_ends_and_says_so(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("notify = \"phone\""));
    world_poll(&w, 0, TEMP, 2);
    rules_on_time(w.rules, 60000);
    world_do(&w, 60000, ORDER_ACK, "a");
    world_do(&w, 60000, ORDER_MUTE, "a");
    world_do(&w, 60000, ORDER_UNMUTE, "a");
    restart(&w, RULE("for = \"1s\"; notify = \"phone\""), 60000, 0);
    world_expect(&w,
                 "0 a firing>ok 1 | a: the alarm is over, the rule has changed\n"
                 "notify phone: a: the alarm is over, the rule has changed\n"
                 "0 a seeing (the rule has changed) | a is blind no more, the rule has changed\n"
                 "notify phone: a is blind no more, the rule has changed\n");
    assert_false(rules_status(w.rules, 0).acked);
    world_close(&w);
}

static void a_pending_of_another_condition_begins_anew_in_silence(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, RULE("for = \"10s\""));
    world_poll(&w, 0, TEMP, 2);
    restart(&w, RULE("for = \"11s\""), 9000, 0);
    world_expect(&w, "0 a pending>ok 1\n");
    assert_int_equal(rules_status(w.rules, 0).to, RULE_OK);
    world_close(&w);
}

static void no_such_instance_is_told(void **state)
{
    (void)state;
    struct world w;
    char text[RULES_SAVED_SIZE];
    open_world(&w, RULE(""));
    world_poll(&w, 0, TEMP, 2);
    save(&w, 0, 0, text);
    world_close(&w);
    open_world(&w, RULE(""));
    assert_int_equal(rules_restore(w.rules, "b", text, 0, 0), -ENOENT);
    world_close(&w);
}

static void refuse(struct world *world, const char *text)
{
    assert_int_equal(rules_restore(world->rules, "a", text, 0, 0), -EINVAL);
    assert_int_equal(rules_status(world->rules, 0).to, RULE_OK);
    assert_false(rules_status(world->rules, 0).disabled);
    world_expect(world, "");
}

static void a_damaged_text_is_refused_without_effect(void **state)
{
    (void)state;
    struct world w;
    char good[RULES_SAVED_SIZE], bad[RULES_SAVED_SIZE];
    const char *config = RULE("adjustable = true; keep_for = \"1m\"");
    open_world(&w, config);
    world_poll(&w, 0, TEMP, 2);
    world_set_limit(&w, 10, "a", "above", 1.25);
    world_do(&w, 10, ORDER_DISABLE, "a");
    world_do(&w, 10, ORDER_MUTE, "a");
    world_poll(&w, 1000, TEMP, 0);
    save(&w, 2000, 1700000000000, good);
    world_close(&w);
    open_world(&w, config);
    size_t length = strlen(good);
    for (size_t i = 0; i < length; i++) {
        for (int bit = 0; bit < 8; bit++) {
            memcpy(bad, good, length + 1);
            bad[i] = (char)(bad[i] ^ 1 << bit);
            refuse(&w, bad);
        }
        memcpy(bad, good, length + 1);
        bad[i] = '\0';
        refuse(&w, bad);
    }
    memset(bad, 'x', sizeof bad - 1);
    bad[sizeof bad - 1] = '\0';
    refuse(&w, bad);
    assert_int_equal(rules_restore(w.rules, "a", good, 0, 0), 0);
    world_close(&w);
}

/* With the right sum: what is wrong must be seen in itself. */
static void refuse_signed(struct world *world, const char *line)
{
    char text[RULES_SAVED_SIZE];
    uint32_t sum = 0x811c9dc5u;
    for (const char *at = line; *at; at++)
        sum = (sum ^ (unsigned char)*at) * 0x01000193u;
    snprintf(text, sizeof text, "%s sum=%08x", line, sum);
    refuse(world, text);
}

static void a_text_of_what_cannot_be_is_refused(void **state)
{
    (void)state;
#define PRINT " print=0123456789abcdef "
    static const char *const lines[] = {
        "rule/2" PRINT "state=ok",
        "rule/1" PRINT "state=burning",
        "rule/1" PRINT "state=firing",
        "rule/1" PRINT "state=ok ran=5",
        "rule/1" PRINT "state=ok acked=1",
        "rule/1" PRINT "state=ok told=this",
        "rule/1" PRINT "state=pending ran=-5",
        "rule/1" PRINT "state=pending ran=9223372036854775807",
        "rule/1" PRINT "state=firing fired=9223372036854775807",
        "rule/1" PRINT "state=firing fired=0@-1",
        "rule/1" PRINT "state=firing fired=0@x",
        "rule/1" PRINT "state=ok muted=-1",
        "rule/1" PRINT "state=ok disabled=2",
        "rule/1" PRINT "state=ok disabled",
        "rule/1" PRINT "state=ok colour=red",
        "rule/1" PRINT "state=ok limit=nan",
        "rule/1" PRINT "limit.above=1",
        "rule/1" PRINT "limit.above=1/inf",
        "rule/1" PRINT "limit.a=1/1 limit.b=1/1 limit.c=1/1 limit.d=1/1 limit.e=1/1 limit.f=1/1 "
        "limit.g=1/1 limit.h=1/1 limit.i=1/1",
        "rule/1" PRINT
        "limit.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=1/1",
        "rule/1 print=12 state=ok",
        "rule/1 print=0123456789abcdeg state=ok",
        "",
    };
    struct world w;
    open_world(&w, RULE(""));
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        refuse_signed(&w, lines[i]);
    refuse(&w, "");
    refuse(&w, "sum=");
    world_close(&w);
}

static void the_longest_text_finds_room(void **state)
{
    (void)state;
    struct world w;
    char text[RULES_SAVED_SIZE];
    const char *config =
        RULE("below = 9e300; outside = (-2e300, 3e300); inside = (-4e300, 8e300); equals = 5e300;"
             "not_equals = 6e300; adjustable = true; for = \"1h\"; if_unknown = \"alarm\"");
    open_world(&w, config);
    for (uint8_t i = 0; i < RULES_LIMITS_MAX; i++) {
        struct rule_limit limit = rules_limit(w.rules, 0, i);
        world_set_limit(&w, 0, "a", limit.key, limit.file * 1.0000000000000002);
    }
    world_do(&w, 0, ORDER_MUTE, "a");
    world_do(&w, 0, ORDER_DISABLE, "a");
    rules_on_time(w.rules, 600000);
    save(&w, 1700000000000 - 1, 17000000000000, text);
    assert_true(strlen(text) > 500);
    world_close(&w);
    open_world(&w, config);
    assert_int_equal(rules_restore(w.rules, "a", text, 0, 0), 0);
    rules_on_time(w.rules, 0);
    for (uint8_t i = 0; i < RULES_LIMITS_MAX; i++)
        assert_true(rules_limit(w.rules, 0, i).value != rules_limit(w.rules, 0, i).file);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stands_as_new_needs_no_text),
        cmocka_unit_test(a_restart_neither_fires_again_nor_forgets),
        cmocka_unit_test(timers_go_on_where_they_were),
        cmocka_unit_test(what_is_over_when_it_comes_back_ends_with_the_first_reading),
        cmocka_unit_test(flags_stay),
        cmocka_unit_test(what_was_not_told_is_told_after_the_restart),
        cmocka_unit_test(a_mute_ends_when_people_said),
        cmocka_unit_test(a_mute_that_ended_while_it_was_down_is_said_at_the_start),
        cmocka_unit_test(the_clock_sets_right_what_was_guessed),
        cmocka_unit_test(since_counts_the_time_it_was_down_when_that_is_known),
        cmocka_unit_test(an_adjusted_limit_holds_until_the_file_changes),
        cmocka_unit_test(a_limit_that_is_no_longer_allowed_goes_back),
        cmocka_unit_test(limits_that_no_longer_go_together_go_back),
        cmocka_unit_test(an_alarm_of_another_condition_ends_and_says_so),
        cmocka_unit_test(a_pending_of_another_condition_begins_anew_in_silence),
        cmocka_unit_test(no_such_instance_is_told),
        cmocka_unit_test(a_damaged_text_is_refused_without_effect),
        cmocka_unit_test(a_text_of_what_cannot_be_is_refused),
        cmocka_unit_test(the_longest_text_finds_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
