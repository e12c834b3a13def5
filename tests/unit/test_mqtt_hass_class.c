#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/mqtt/hass_class.h"

static void a_class_fits_its_units_only(void **state)
{
    (void)state;
    assert_true(hass_class_fits("temperature", "°C"));
    assert_true(hass_class_fits("temperature", "K"));
    assert_true(hass_class_fits("power_factor", ""));
    assert_true(hass_class_fits("power_factor", "%"));
    assert_true(hass_class_fits("aqi", ""));
    assert_true(hass_class_fits("volume", "fl. oz."));
    assert_true(hass_class_fits("wind_speed", "Beaufort"));
    assert_false(hass_class_fits("temperature", "C"));
    assert_false(hass_class_fits("temperature", ""));
    assert_false(hass_class_fits("temperature", "°C|°F"));
    assert_false(hass_class_fits("power", "kWh"));
    assert_false(hass_class_fits("power", "k"));
    assert_false(hass_class_fits("power", "W|"));
    assert_false(hass_class_fits("warmth", "°C"));
    assert_false(hass_class_fits("", ""));
}

static void totals_are_known(void **state)
{
    (void)state;
    assert_true(hass_class_is_total("energy"));
    assert_true(hass_class_is_total("water"));
    assert_false(hass_class_is_total("power"));
    assert_false(hass_class_is_total("energy_storage"));
    assert_false(hass_class_is_total(""));
}

static void classes_of_binary_sensors_and_of_events_are_others(void **state)
{
    (void)state;
    assert_true(hass_class_is_binary("problem"));
    assert_true(hass_class_is_binary("window"));
    assert_false(hass_class_is_binary("temperature"));
    assert_false(hass_class_is_binary(""));
    assert_true(hass_class_is_event("doorbell"));
    assert_false(hass_class_is_event("door"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_class_fits_its_units_only),
        cmocka_unit_test(totals_are_known),
        cmocka_unit_test(classes_of_binary_sensors_and_of_events_are_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
