/* A reload forgets nothing of the past. */
#include "tests/unit/rules_world.h"

#include <math.h>

static const char probes[] =
    "probes: { a = \"avg(room.temp, 40s)\"; b = \"avg(room.temp, 7h)\"; c = \"ewma(room.temp, 1m)\""
    "          d = \"stuck(pump.load, 30s)\"; e = \"count(door.event, 50s)\""
    "          f = \"median(room.temp, #5)\"; g = \"total(room.temp)\" }";
enum { N_PROBES = 7 };

static void reload(struct world *old, struct world *fresh, const char *config, int64_t now_ms)
{
    static const uint32_t sensors[N_SENSORS] = {TEMP, SETPOINT, DOOR, HALL, LOAD};
    assert_int_equal(world_open(fresh, config), 0);
    world_adopt(fresh->rules, old->rules, sensors, now_ms);
}

static void feed(struct world *world, int64_t from_ms, int64_t to_ms)
{
    for (int64_t at_ms = from_ms; at_ms < to_ms; at_ms += 10000) {
        world_poll(world, at_ms, TEMP, 20 + (double)(at_ms / 10000 % 7));
        world_poll(world, at_ms, LOAD, 5);
        world_poll_text(world, at_ms, DOOR, "open");
    }
}

static void expect_same(struct world *a, struct world *b, int64_t now_ms)
{
    for (size_t i = 0; i < N_PROBES; i++) {
        struct rules_value x = rules_probe(a->rules, i, now_ms);
        struct rules_value y = rules_probe(b->rules, i, now_ms);
        assert_int_equal(x.kind, y.kind);
        assert_int_equal(x.is, y.is);
        if (x.kind == RULES_NUMBER)
            assert_float_equal(x.number, y.number, 1e-9);
    }
}

static void every_window_is_what_it_was_and_goes_on(void **state)
{
    struct world old, fresh;
    (void)state;
    assert_int_equal(world_open(&old, probes), 0);
    feed(&old, 0, 8 * 3600 * 1000);
    reload(&old, &fresh, probes, 8 * 3600 * 1000);
    for (size_t i = 0; i < N_PROBES; i++)
        assert_int_not_equal(rules_probe(fresh.rules, i, 8 * 3600 * 1000).kind, RULES_UNKNOWN);
    expect_same(&old, &fresh, 8 * 3600 * 1000);
    feed(&old, 8 * 3600 * 1000, 9 * 3600 * 1000);
    feed(&fresh, 8 * 3600 * 1000, 9 * 3600 * 1000);
    expect_same(&old, &fresh, 9 * 3600 * 1000);
    world_close(&old);
    world_close(&fresh);
}

static void a_new_window_takes_what_there_is(void **state)
{
    struct world old, fresh;
    (void)state;
    assert_int_equal(world_open(&old, "probes: { a = \"avg(room.temp, 10m)\" }"), 0);
    feed(&old, 0, 3600 * 1000);
    reload(&old, &fresh, "probes: { a = \"min(room.temp, 5m)\"; b = \"avg(room.temp, 1h)\" }",
           3600 * 1000);
    assert_true(rules_probe(fresh.rules, 0, 3600 * 1000).number == 20);
    assert_int_equal(rules_probe(fresh.rules, 1, 3600 * 1000).kind, RULES_UNKNOWN);
    world_close(&old);
    world_close(&fresh);
}

static void a_start_refills_them_and_the_gap_stays(void **state)
{
    struct world world;
    (void)state;
    assert_int_equal(world_open(&world, "probes: { a = \"avg(room.temp, 10m)\";"
                                        "          b = \"avg(room.temp, #5)\" }"),
                     0);
    assert_int_equal(rules_past_ms(world.rules, TEMP, 0), 600000);
    assert_int_equal(rules_past_ms(world.rules, HALL, 0), 0);
    for (int64_t at_ms = -3600000; at_ms <= -100000; at_ms += 10000) {
        struct reading reading = world_number(at_ms, TEMP, 20);
        rules_refill(world.rules, &reading);
    }
    world_poll(&world, 0, TEMP, 20);
    assert_int_equal(rules_probe(world.rules, 0, 0).kind, RULES_NUMBER);
    assert_true(rules_probe(world.rules, 1, 0).number == 20);
    for (int64_t at_ms = 10000; at_ms <= 300000; at_ms += 10000)
        world_poll(&world, at_ms, TEMP, 20);
    assert_int_equal(rules_probe(world.rules, 0, 300000).kind, RULES_NUMBER);
    world_close(&world);
}

static void a_total_goes_on_where_it_was(void **state)
{
    static const char config[] = "probes: { a = \"total(room.temp)\" }";
    struct world old, fresh;
    double total = 0;
    int64_t until_ms = 0;
    (void)state;
    assert_int_equal(world_open(&old, config), 0);
    assert_false(rules_total(old.rules, TEMP, &total, &until_ms));
    feed(&old, 0, 100000);
    assert_true(rules_total(old.rules, TEMP, &total, &until_ms));
    assert_false(rules_total(old.rules, HALL, &total, &until_ms));
    assert_int_equal(until_ms, 90000);
    feed(&old, 100000, 210000);
    double whole = rules_probe(old.rules, 0, 200000).number;
    assert_true(whole > total);

    /* The next run has the total of 100 s, and readings from before it on, a little off. */
    assert_int_equal(world_open(&fresh, config), 0);
    rules_set_total(fresh.rules, TEMP, total, until_ms);
    assert_true(rules_past_ms(fresh.rules, TEMP, 1000000) >= 900000);
    for (int64_t n = 8; n <= 20; n++) {
        struct reading reading = world_number(n * 10000 - 3, TEMP, 20 + (double)(n % 7));
        rules_refill(fresh.rules, &reading);
    }
    assert_true(fabs(rules_probe(fresh.rules, 0, 200000).number - whole) < 1e-9);
    world_poll(&fresh, 300000, TEMP, 5); /* a gap is none of it */
    assert_true(fabs(rules_probe(fresh.rules, 0, 300000).number - whole) < 1e-9);
    world_close(&old);
    world_close(&fresh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_window_is_what_it_was_and_goes_on),
        cmocka_unit_test(a_new_window_takes_what_there_is),
        cmocka_unit_test(a_start_refills_them_and_the_gap_stays),
        cmocka_unit_test(a_total_goes_on_where_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
