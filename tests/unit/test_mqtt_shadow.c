#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "gateway/mqtt/plan.h"
#include "gateway/mqtt/shadow.h"
#include "rules/rules.h"
#include "tests/unit/mqtt_site.h"

struct fixture {
    struct inventory *site;
    struct plan *plan;
    struct shadow shadow;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->site = site_new(NULL);
    f->plan = plan_new(f->site, "t");
    *state = f;
    return shadow_adopt(&f->shadow, f->plan);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    shadow_release(&f->shadow);
    plan_free(f->plan);
    inventory_release(f->site);
    free(f);
    return 0;
}

static struct reading number(uint32_t sensor, int64_t at_ms, double value)
{
    return (struct reading){
        .sensor = sensor, .at_ms = at_ms, .kind = VALUE_NUMBER, .number = value};
}

static struct instance_state stands(uint32_t instance, uint8_t state)
{
    return (struct instance_state){.instance = instance, .state = state};
}

static void nothing_is_known_at_first(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(f->shadow.readings[POWER].quality, QUALITY_NOT_READ);
    assert_int_equal(f->shadow.readings[POWER].sensor, POWER);
    assert_true(f->shadow.devices[METER].at_ms == CLOCK_NEVER);
    assert_false(f->shadow.devices[METER].heard);
    assert_int_equal(f->shadow.instances[HIGH].instance, PLAN_NONE);
}

static void the_newest_reading_is_kept(void **state)
{
    struct fixture *f = *state;
    struct reading first = number(POWER, 5, 1), second = number(POWER, 6, 2);
    struct reading foreign = number(N_SENSORS, 7, 3);

    assert_true(shadow_reading(&f->shadow, &first));
    assert_true(shadow_reading(&f->shadow, &second));
    assert_false(shadow_reading(&f->shadow, &foreign));
    assert_true(f->shadow.readings[POWER].number == 2);
    assert_int_equal(f->shadow.devices[METER].at_ms, 6);
}

static void only_a_change_of_availability_is_news(void **state)
{
    struct fixture *f = *state;

    assert_true(shadow_device(&f->shadow, BOILER, false)); /* the first word on it */
    assert_false(shadow_device(&f->shadow, BOILER, false));
    assert_true(shadow_device(&f->shadow, BOILER, true));
    assert_false(shadow_device(&f->shadow, N_DEVICES, true));
}

static void firing_and_blind_instances_of_a_group_are_counted(void **state)
{
    struct fixture *f = *state;
    struct instance_state news[] = {stands(SILENT_1, RULE_FIRING), stands(SILENT_2, RULE_FIRING),
                                    stands(SILENT_2, RULE_RECOVERING),
                                    stands(SILENT_3, RULE_PENDING), stands(HIGH, RULE_FIRING)};

    for (size_t i = 0; i < sizeof(news) / sizeof(news[0]); i++)
        assert_true(shadow_instance(&f->shadow, &news[i]));
    assert_int_equal(f->shadow.groups[0].firing, 2);
    news[0] = stands(SILENT_1, RULE_OK);
    shadow_instance(&f->shadow, &news[0]);
    assert_int_equal(f->shadow.groups[0].firing, 1);
    news[0].blind = news[2].blind = true; /* what fires counts as that */
    shadow_instance(&f->shadow, &news[0]);
    shadow_instance(&f->shadow, &news[2]);
    assert_int_equal(f->shadow.groups[0].firing, 1);
    assert_int_equal(f->shadow.groups[0].blind, 1);
    news[0].instance = N_RULES;
    assert_false(shadow_instance(&f->shadow, &news[0]));
}

/* The new site ends before HIDDEN, and what was the meter's power bears another name. */
static void a_new_inventory_keeps_what_is_the_same(void **state)
{
    struct fixture *f = *state;
    struct inventory_sensor sensors[N_SENSORS];
    struct inventory *site = site_new(NULL);
    struct reading reading = number(POWER, 5, 1);
    struct instance_state firing = stands(SILENT_1, RULE_FIRING);
    struct plan *plan;

    shadow_reading(&f->shadow, &reading);
    reading.sensor = ENERGY;
    shadow_reading(&f->shadow, &reading);
    shadow_instance(&f->shadow, &firing);
    memcpy(sensors, site_sensors, sizeof(sensors));
    sensors[POWER].id = "meter.apparent";
    site->sensors = sensors;
    site->n_sensors = N_SENSORS - 1;
    site->n_devices = N_DEVICES - 1;
    site->n_rules = SILENT_3;
    plan = plan_new(site, "t");
    assert_int_equal(shadow_adopt(&f->shadow, plan), 0);
    assert_true(f->shadow.readings[ENERGY].number == 1);
    assert_int_equal(f->shadow.readings[POWER].quality, QUALITY_NOT_READ);
    assert_int_equal(f->shadow.devices[METER].at_ms, 5);
    assert_int_equal(f->shadow.groups[0].firing, 1);
    shadow_release(&f->shadow);
    plan_free(plan);
    inventory_release(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_known_at_first, setup, teardown),
        cmocka_unit_test_setup_teardown(the_newest_reading_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(only_a_change_of_availability_is_news, setup, teardown),
        cmocka_unit_test_setup_teardown(firing_and_blind_instances_of_a_group_are_counted, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_new_inventory_keeps_what_is_the_same, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
