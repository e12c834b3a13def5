#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/mqtt/forget.h"
#include "gateway/mqtt/options.h"

static char base[] = "thermogate/cellar", prefix[] = "homeassistant";

static bool is_ours(const char *topic)
{
    struct options options = {.base = base, .prefix = prefix};

    return forget_is_ours(&options, "cellar", topic);
}

static void what_is_below_the_base_is_ours(void **state)
{
    (void)state;
    assert_true(is_ours("thermogate/cellar/status"));
    assert_true(is_ours("thermogate/cellar/rule/high@boiler.temp/state"));
    assert_false(is_ours("thermogate/cellar"));
    assert_false(is_ours("thermogate/cellar_two/status"));
    assert_false(is_ours("thermogate/attic/status"));
}

static void devices_of_our_id_are_ours(void **state)
{
    (void)state;
    assert_true(is_ours("homeassistant/device/cellar-boiler/config"));
    assert_true(is_ours("homeassistant/device/cellar-gateway/config"));
    assert_true(is_ours("homeassistant/sensor/cellar-boiler/flow_temp/config"));
    assert_false(is_ours("homeassistant/sensor/cellar_two-boiler/flow_temp/config"));
    assert_false(is_ours("home/sensor/cellar-boiler/flow_temp/config"));
    assert_false(is_ours("homeassistant/device/cellar_two-boiler/config"));
    assert_false(is_ours("homeassistant/device/attic-boiler/config"));
}

static void what_another_program_announces_is_not_ours(void **state)
{
    (void)state;
    assert_false(is_ours("homeassistant/device/cellar-two-boiler/config"));
    assert_false(is_ours("homeassistant/device/cellar-boiler/state"));
    assert_false(is_ours("homeassistant/device/cellar-/config"));
    assert_false(is_ours("homeassistant/sensor/cellar-two-boiler/flow_temp/config"));
    assert_false(is_ours("homeassistant/sensor/cellar-boiler/config"));
}

static void without_discovery_there_are_no_devices(void **state)
{
    struct options options = {.base = base};

    (void)state;
    assert_false(forget_is_ours(&options, "cellar", "homeassistant/device/cellar-boiler/config"));
    assert_true(forget_is_ours(&options, "cellar", "thermogate/cellar/status"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_below_the_base_is_ours),
        cmocka_unit_test(devices_of_our_id_are_ours),
        cmocka_unit_test(what_another_program_announces_is_not_ours),
        cmocka_unit_test(without_discovery_there_are_no_devices),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
