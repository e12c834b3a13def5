#include "adapters/modbus/forecast.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/modbus/modbus.h"
#include "modbus_config.h"

static const char *const two[] = {"register=holding 0", "register=holding 9; every=60s", NULL};

static struct made *line(const char *bus, int n_devices, int64_t every_ms)
{
    struct made *made = made_bus(&modbus_serial_adapter, bus);

    for (int i = 0; i < n_devices; i++) {
        made_device(made, &modbus_serial_adapter, "serial:/dev/ttyUSB0", "unit=1", two);
        made->devices[i].every_ms = every_ms;
    }
    return made;
}

static void a_character_has_start_parity_and_stop_bits(void **state)
{
    const struct mb_bus_options plain = {.baud = 9600, .parity = 'N', .stop_bits = 1};
    const struct mb_bus_options even = {.baud = 19200, .parity = 'E', .stop_bits = 1};
    const struct mb_bus_options fast = {.baud = 115200, .parity = 'N', .stop_bits = 2};

    (void)state;
    assert_int_equal(mb_char_ns(&plain), 1041666);
    assert_int_equal(mb_silence_ns(&plain), 3645831);
    assert_int_equal(mb_char_ns(&even), 572916);
    assert_int_equal(mb_silence_ns(&fast), 1750000);
}

/* One register: 8 characters out, 7 back, the silence of 3.5 and 5 ms: 24.27 ms at 9600 8N1. */
static void requests_take_their_share_of_the_intervals(void **state)
{
    struct made *made = line("baud=9600", 1, 1000);
    struct mb_forecast forecast;

    (void)state;
    assert_int_equal(mb_forecast(&made->config, &forecast), 0);
    assert_in_range(forecast.cycle_us, 48500, 48600);
    assert_true(forecast.share > 0.0246 && forecast.share < 0.0248);
    made_free(made);
}

static void the_device_that_takes_most_is_known(void **state)
{
    struct made *made = line("baud=9600", 3, 1000);
    struct mb_forecast forecast;

    (void)state;
    made->devices[1].every_ms = 200;
    assert_int_equal(mb_forecast(&made->config, &forecast), 0);
    assert_int_equal(forecast.largest, 1);
    assert_true(forecast.largest_share > 0.12 && forecast.largest_share < 0.13);
    made_free(made);
}

static void what_is_polled_as_fast_as_it_answers_has_no_share(void **state)
{
    struct made *made = line("baud=9600", 1, 0);
    struct mb_forecast forecast;

    (void)state;
    assert_int_equal(mb_forecast(&made->config, &forecast), 0);
    assert_true(forecast.share < 0.001); /* the channel with an interval of its own */
    made_free(made);
}

/* 24 ms for each device and half a millisecond for its slow channel. */
static void a_line_that_is_nearly_full_is_warned_of_and_one_beyond_is_refused(void **state)
{
    static const struct {
        int devices;
        size_t warnings, errors;
    } rows[] = {{30, 0, 0}, {38, 1, 0}, {42, 0, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct made *made = line("baud=9600", rows[i].devices, 1000);

        modbus_serial_adapter.check(&made->config, made->problems);
        assert_int_equal(problems_warnings(made->problems), rows[i].warnings);
        assert_int_equal(problems_errors(made->problems), rows[i].errors);
        made_free(made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_character_has_start_parity_and_stop_bits),
        cmocka_unit_test(requests_take_their_share_of_the_intervals),
        cmocka_unit_test(the_device_that_takes_most_is_known),
        cmocka_unit_test(what_is_polled_as_fast_as_it_answers_has_no_share),
        cmocka_unit_test(a_line_that_is_nearly_full_is_warned_of_and_one_beyond_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
