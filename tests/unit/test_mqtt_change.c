/* What is published only when it has changed. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/mqtt/change.h"
#include "tests/unit/mqtt_site.h"

static const struct inventory_sparse on_change = {.heartbeat_ms = 1000};
static const struct inventory_sparse band = {.deadband = 0.5, .heartbeat_ms = 1000};
static struct inventory_sensor sensors[] = {
    {.id = "a.always", .channel = "always"},
    {.id = "a.on_change", .channel = "on_change", .sparse = &on_change},
    {.id = "a.band", .channel = "band", .sparse = &band},
};
enum { ALWAYS, ON_CHANGE, BAND };

static struct inventory *inventory;
static struct change change;

static int setup(void **state)
{
    (void)state;
    inventory = inventory_new();
    inventory->sensors = sensors;
    inventory->n_sensors = 3;
    return change_use(&change, inventory);
}

static int teardown(void **state)
{
    (void)state;
    change_release(&change);
    inventory_release(inventory);
    return 0;
}

static struct reading number(uint32_t sensor, int64_t at_ms, double value)
{
    return (struct reading){
        .sensor = sensor, .at_ms = at_ms, .kind = VALUE_NUMBER, .number = value};
}

/* Publishes it when it is due, as the publisher does. */
static bool offer(struct reading reading)
{
    bool due = change_is_due(&change, &reading);

    if (due)
        change_sent(&change, &reading);
    return due;
}

static void by_default_every_value_is_published(void **state)
{
    (void)state;
    assert_true(offer(number(ALWAYS, 0, 1)));
    assert_true(offer(number(ALWAYS, 1, 1)));
}

static void the_same_value_waits_for_its_heartbeat(void **state)
{
    (void)state;
    assert_true(offer(number(ON_CHANGE, 0, 1)));
    assert_false(offer(number(ON_CHANGE, 500, 1)));
    assert_true(offer(number(ON_CHANGE, 600, 1.001)));
    assert_false(offer(number(ON_CHANGE, 1599, 1.001)));
    assert_true(offer(number(ON_CHANGE, 1600, 1.001)));
}

static void small_steps_add_up_to_a_change(void **state)
{
    (void)state;
    assert_true(offer(number(BAND, 0, 20)));
    assert_false(offer(number(BAND, 1, 20.2)));
    assert_false(offer(number(BAND, 2, 20.4)));
    assert_true(offer(number(BAND, 3, 20.6)));
    assert_false(offer(number(BAND, 4, 20.2)));
    assert_true(offer(number(BAND, 5, 20.1)));
}

static void a_value_that_goes_or_comes_back_is_a_change(void **state)
{
    struct reading gone = {.sensor = BAND, .at_ms = 1, .quality = QUALITY_TIMEOUT};

    (void)state;
    assert_true(offer(number(BAND, 0, 20)));
    assert_true(offer(gone));
    assert_false(offer(gone));
    gone.quality = QUALITY_CRC;
    assert_true(offer(gone));
    assert_true(offer(number(BAND, 2, 20)));
}

static void a_text_that_differs_is_a_change(void **state)
{
    struct reading text = {.sensor = ON_CHANGE, .kind = VALUE_TEXT, .text = 3};

    (void)state;
    assert_true(offer(text));
    assert_false(offer(text));
    text.text = 4;
    assert_true(offer(text));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(by_default_every_value_is_published),
        TEST(the_same_value_waits_for_its_heartbeat),
        TEST(small_steps_add_up_to_a_change),
        TEST(a_value_that_goes_or_comes_back_is_a_change),
        TEST(a_text_that_differs_is_a_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
