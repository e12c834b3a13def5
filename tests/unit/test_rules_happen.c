/* door.event is a sensor of events. */
#include "tests/unit/rules_world.h"

#define OPEN  "rules: { a: { when = \"door.event == \\\"open\\\"\" } }"
#define MANY  "rules: { a: { when = \"count(door.event, \\\"open\\\", 1m) > 1\" } }\n"
#define PROBE "probes: { a = \"count(door.event, \\\"open\\\", 1m)\" }"

static void event(struct world *world, int64_t at_ms, const char *text)
{
    struct reading reading = {.at_ms = at_ms,
                              .sensor = DOOR,
                              .kind = VALUE_TEXT,
                              .text = text_table_add(world->texts, text)};
    rules_on_poll(world->rules, &reading, 1, at_ms);
}

static void bad(struct world *world, int64_t at_ms, uint8_t quality)
{
    struct reading reading = {.at_ms = at_ms, .sensor = DOOR, .quality = quality};
    rules_on_poll(world->rules, &reading, 1, at_ms);
}

static void an_event_does_not_age(void **state)
{
    (void)state;
    struct world w;
    assert_int_equal(world_open(&w, OPEN), 0);
    event(&w, 0, "open");
    rules_on_time(w.rules, 86400000);
    world_expect(&w, "0 a ok>firing - | a, door.event == \"open\" since 00:00\n");
    world_close(&w);
}

static void a_rule_is_blind_while_nobody_can_look(void **state)
{
    (void)state;
    struct world w;
    assert_int_equal(world_open(&w, OPEN), 0);
    event(&w, 0, "shut");
    for (int64_t at_ms = 10000; at_ms <= 60000; at_ms += 10000)
        bad(&w, at_ms, QUALITY_TIMEOUT);
    rules_on_time(w.rules, 70000);
    world_expect(&w, "70000 a blind | a is blind: door.event timeout since 00:00\n");
    bad(&w, 80000, QUALITY_QUIET);
    world_expect(&w, "80000 a seeing | a sees again\n");
    world_close(&w);
}

static void an_absence_goes_on_over_a_reload(void **state)
{
    (void)state;
    static const uint32_t sensors[N_SENSORS] = {TEMP, SETPOINT, DOOR, HALL, LOAD};
    struct world old, fresh;
    assert_int_equal(world_open(&old, MANY PROBE), 0);
    bad(&old, 0, QUALITY_QUIET);
    bad(&old, 60000, QUALITY_TIMEOUT);
    assert_int_equal(world_open(&fresh, MANY PROBE), 0);
    world_adopt(fresh.rules, old.rules, sensors, 70000);
    assert_int_equal(rules_probe(fresh.rules, 0, 90000).kind, RULES_NUMBER);
    assert_int_equal(rules_probe(fresh.rules, 0, 90001).kind, RULES_UNKNOWN);
    bad(&fresh, 100000, QUALITY_QUIET);
    assert_int_equal(rules_probe(fresh.rules, 0, 159999).kind, RULES_UNKNOWN);
    assert_int_equal(rules_probe(fresh.rules, 0, 160000).kind, RULES_NUMBER);
    world_close(&fresh);
    world_close(&old);
}

#define MINUTE_MS 60000
#define TEN       "probes: { a = \"count(door.event, 10m)\" }"

/* A reading each minute: an event, or why there was none. */
static void refill(struct world *world, const char *const *past, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool timeout = strcmp(past[i], "timeout") == 0, quiet = strcmp(past[i], "quiet") == 0;
        struct reading reading = {.at_ms = (int64_t)i * MINUTE_MS, .sensor = DOOR};
        if (timeout || quiet) {
            reading.quality = timeout ? QUALITY_TIMEOUT : QUALITY_QUIET;
        } else {
            reading.kind = VALUE_TEXT;
            reading.text = text_table_add(world->texts, past[i]);
        }
        rules_refill(world->rules, &reading);
    }
}

static bool known_at(struct world *world, int64_t at_ms)
{
    return rules_probe(world->rules, 0, at_ms).kind == RULES_NUMBER;
}

static void an_absence_of_an_earlier_run_is_missing_too(void **state)
{
    (void)state;
    static const char *const past[] = {"open", "timeout", "quiet", "open"};
    struct world w;
    assert_int_equal(world_open(&w, TEN), 0);
    refill(&w, past, 4);
    bad(&w, 11 * MINUTE_MS, QUALITY_QUIET);
    assert_false(known_at(&w, 11 * MINUTE_MS));
    assert_false(known_at(&w, 12 * MINUTE_MS - 1));
    assert_true(known_at(&w, 12 * MINUTE_MS));
    world_close(&w);
}

static void so_is_the_time_from_one_run_to_the_next(void **state)
{
    (void)state;
    static const char *const past[] = {"open"};
    struct world w;
    assert_int_equal(world_open(&w, TEN), 0);
    refill(&w, past, 1);
    rules_was_down(w.rules, 19 * MINUTE_MS);
    bad(&w, 20 * MINUTE_MS, QUALITY_QUIET);
    assert_false(known_at(&w, 20 * MINUTE_MS));
    assert_false(known_at(&w, 30 * MINUTE_MS - 1));
    assert_true(known_at(&w, 30 * MINUTE_MS));
    world_close(&w);
}

static void without_a_past_it_is_watched_from_the_start_on(void **state)
{
    (void)state;
    struct world w;
    assert_int_equal(world_open(&w, TEN), 0);
    rules_was_down(w.rules, 19 * MINUTE_MS);
    bad(&w, 20 * MINUTE_MS, QUALITY_QUIET);
    assert_false(known_at(&w, 30 * MINUTE_MS - 1));
    assert_true(known_at(&w, 30 * MINUTE_MS));
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_does_not_age),
        cmocka_unit_test(a_rule_is_blind_while_nobody_can_look),
        cmocka_unit_test(an_absence_goes_on_over_a_reload),
        cmocka_unit_test(an_absence_of_an_earlier_run_is_missing_too),
        cmocka_unit_test(so_is_the_time_from_one_run_to_the_next),
        cmocka_unit_test(without_a_past_it_is_watched_from_the_start_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
