#include "gateway/core/max_on.h"

#include "gateway/core/inventory.h"
#include "tests/unit/loop_guard.h"

#include <math.h>

#define LIMIT_MS 60

/* A heater that may be on for LIMIT_MS, a lamp that may for ever, a valve that is safe when open.
 */
static const struct inventory_write heater = {.safe = NAN, .max_on_ms = LIMIT_MS};
static const struct inventory_write lamp = {.safe = NAN};
static const struct inventory_write valve = {.safe = 1, .max_on_ms = LIMIT_MS};
static const struct inventory_sensor sensors[] = {
    {.id = "a.heater", .write = &heater},
    {.id = "a.lamp", .write = &lamp},
    {.id = "a.valve", .write = &valve},
};
static const struct inventory inventory = {.sensors = sensors, .n_sensors = 3};

struct world {
    struct guard guard;
    struct max_on *max_on;
    int offs;
    uint32_t sensor;
    double value;
    int64_t at_ms;
};

static void take_off(void *owner, uint32_t sensor, double value)
{
    struct world *world = owner;

    world->offs++;
    world->sensor = sensor;
    world->value = value;
    world->at_ms = clock_boot_ms();
    loop_stop(world->guard.loop);
}

static int open_world(void **state)
{
    static struct world world;

    world = (struct world){0};
    guard_open(&world.guard);
    world.max_on = max_on_new(world.guard.loop, take_off, &world);
    *state = &world;
    return max_on_use(world.max_on, &inventory);
}

static int close_world(void **state)
{
    struct world *world = *state;

    max_on_free(world->max_on);
    guard_close(&world->guard);
    return 0;
}

static int64_t read_value(struct world *world, uint32_t sensor, double number)
{
    struct reading reading = {
        .at_ms = clock_boot_ms(), .sensor = sensor, .kind = VALUE_NUMBER, .number = number};

    max_on_readings(world->max_on, &reading, 1);
    return reading.at_ms;
}

static void stop(void *owner)
{
    loop_stop(((struct world *)owner)->guard.loop);
}

static void run_for(struct world *world, int64_t ms)
{
    struct timer *timer = timer_new(world->guard.loop, stop, world);

    timer_at(timer, clock_boot_ms() + ms);
    guard_run(&world->guard);
    timer_free(timer);
}

static void what_is_on_for_too_long_is_switched_off(void **state)
{
    struct world *world = *state;
    int64_t on_ms = read_value(world, 0, 1);

    guard_run(&world->guard);
    assert_int_equal(world->sensor, 0);
    assert_true(world->value == 0);
    assert_true(world->at_ms >= on_ms + LIMIT_MS);
}

static void readings_that_say_the_same_do_not_prolong_it(void **state)
{
    struct world *world = *state;
    int64_t on_ms = read_value(world, 0, 1);

    run_for(world, LIMIT_MS / 3);
    read_value(world, 0, 2);
    guard_run(&world->guard);
    assert_in_range(world->at_ms, on_ms + LIMIT_MS, on_ms + LIMIT_MS + 5000);
}

static void what_went_off_in_time_is_left_alone(void **state)
{
    struct world *world = *state;

    read_value(world, 0, 1);
    read_value(world, 0, 0);
    run_for(world, 2 * LIMIT_MS);
    assert_int_equal(world->offs, 0);
}

static void what_has_no_limit_may_stay_on(void **state)
{
    struct world *world = *state;

    read_value(world, 1, 1);
    run_for(world, 2 * LIMIT_MS);
    assert_int_equal(world->offs, 0);
}

static void off_is_the_safe_value_where_there_is_one(void **state)
{
    struct world *world = *state;

    read_value(world, 2, 0);
    guard_run(&world->guard);
    assert_int_equal(world->sensor, 2);
    assert_true(world->value == 1);
}

static void a_reload_does_not_prolong_it(void **state)
{
    const struct inventory fresh = {.sensors = sensors, .n_sensors = 1};
    struct world *world = *state;
    int64_t on_ms = read_value(world, 0, 1);

    assert_int_equal(max_on_use(world->max_on, &fresh), 0);
    guard_run(&world->guard);
    assert_in_range(world->at_ms, on_ms + LIMIT_MS, on_ms + LIMIT_MS + 5000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        TEST(what_is_on_for_too_long_is_switched_off),
        TEST(readings_that_say_the_same_do_not_prolong_it),
        TEST(what_went_off_in_time_is_left_alone),
        TEST(what_has_no_limit_may_stay_on),
        TEST(off_is_the_safe_value_where_there_is_one),
        TEST(a_reload_does_not_prolong_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
