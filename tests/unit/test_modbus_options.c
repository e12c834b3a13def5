
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/modbus/modbus.h"
#include "adapters/modbus/options.h"
#include "modbus_config.h"

#include <errno.h>
#include <stdio.h>

/* -- checks --------------------------------------------------------------------------------- */

static struct made *check(const struct adapter *adapter, const char *connect, const char *bus,
                          const char *device, const char *const *channels)
{
    struct made *made = made_bus(adapter, bus);

    made_device(made, adapter, connect, device, channels);
    adapter->check(&made->config, made->problems);
    return made;
}

/* One channel on a TCP device: "" when all is well, else the first problem. */
static const char *wrong(const char *device, const char *channel)
{
    static char text[600];
    const char *const channels[] = {channel, NULL};
    struct made *made = check(&modbus_tcp_adapter, "tcp://127.0.0.1", "", device, channels);
    const char *line = problems_line(made->problems, 0);

    snprintf(text, sizeof(text), "%s", line ? line : "");
    made_free(made);
    return text;
}

static void what_fits_passes(void **state)
{
    (void)state;
    assert_string_equal(wrong("", "register=holding 100"), "");
    assert_string_equal(wrong("", "register=coil 3"), "");
    assert_string_equal(wrong("", "register=coil 3; type=bit"), "");
    assert_string_equal(wrong("", "register=holding 100.3; type=bit"), "");
    assert_string_equal(wrong("", "register=holding 65532; type=float64; order=CDAB"), "");
    assert_string_equal(wrong("", "register=input 0; type=int16; scale=0.1; offset=-40"), "");
    assert_string_equal(wrong("", "register=input 0; type=string; length=250"), "");
    assert_string_equal(wrong("", "register=input 0; enum=0: off | 1: heating up | -1: fault"), "");
    assert_string_equal(wrong("", "register=coil 0; enum=0: closed | 1: open"), "");
    assert_string_equal(wrong("", "register=input 0; type=int16; invalid=0x8000"), "");
    assert_string_equal(wrong("", "register=input 0; type=int16; invalid=-32768 | 32767"), "");
    assert_string_equal(wrong("unit=0", "register=input 0"), "");
    assert_string_equal(wrong("unit=255", "register=input 0"), "");
}

static void what_does_not_fit_is_said(void **state)
{
    static const struct {
        const char *channel, *says;
    } rows[] = {
        {"register=holding 65533; type=float64", "end behind the last one"},
        {"register=holding 65535; type=int32", "end behind the last one"},
        {"register=holding 65536", "addresses go from 0 to 65535"},
        {"register=coil 3; type=int16", "a coil or discrete input is a bit, not int16"},
        {"register=discrete 3; type=string; length=4", "is a bit, not string"},
        {"register=holding 1.3; type=uint16", "one bit of a register is a bit"},
        {"register=holding 1; type=bit", "a register has 16 bits"},
        {"register=coil 1; scale=0.1", "`scale` does not fit"},
        {"register=holding 1; length=3", "`length` does not fit"},
        {"register=holding 1; type=uint8_low; order=CDAB", "`order` does not fit"},
        {"register=holding 1; type=float32; enum=0: off", "`enum` does not fit"},
        {"register=holding 1; enum=0: off; scale=2", "either texts for codes or a scale"},
        {"register=holding 1; type=string", "a string needs its length"},
        {"register=holding 1; type=string; length=4; invalid=3", "`invalid` does not fit"},
        {"register=holding 1; scale=0", "a scale of 0"},
        {"register=holding 1; scale_register=input 2", "of the same kind, close to the value"},
        {"register=holding 1; scale_register=holding 200", "of the same kind, close to the value"},
        {"register=holding 1; scale_register=holding", "has no address"},
        {"register=coil 1; scale_register=coil 2", "`scale_register` does not fit"},
        {"register=holding 1; enum=off", "no text for a code"},
        {"register=holding 1; type=event", "events need texts for the codes"},
        {"register=holding 1; type=event; enum=1: ring; scale=2", "either texts for codes"},
        {"register=holding 1; enum=0:", "no text for a code"},
        {"register=holding 1; enum=0: off | 0: on", "code 0 has two texts"},
        {"register=holding 1; type=int16; invalid=65536", "can hold this value"},
        {"register=holding 1; type=int16; invalid=-32769", "can hold this value"},
        {"register=holding 1; type=int16; invalid=1.5", "can hold this value"},
        {"register=holding 1; invalid=1|2|3|4|5|6|7|8|9", "at most 8 values"},
        {"register=holdin 1", "did you mean \"holding\""},
        {"register=holding 1; typ=int16", "typ"},
        {"register=holding 1; type=int17", "int17"},
        {"type=int16", "register"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const char *said = wrong("", rows[i].channel);

        if (!strstr(said, rows[i].says))
            fail_msg("%s: \"%s\" lacks \"%s\"", rows[i].channel, said, rows[i].says);
    }
}

static void what_can_be_written_may_be_marked_writable(void **state)
{
    (void)state;
    assert_string_equal(wrong("", "register=coil 3; writable=true"), "");
    assert_string_equal(wrong("", "register=holding 3; type=int64; writable=true"), "");
    assert_string_equal(wrong("mask_write=true", "register=holding 3.1; writable=true"), "");
    assert_string_equal(
        wrong("mask_write=true", "register=holding 3; type=int8_low; writable=true"), "");
    assert_string_equal(wrong("", "register=input 3; writable=false"), "");
    assert_string_equal(wrong("", "register=coil 3; enum=0: off | 1: on; writable=true"), "");
    assert_string_equal(
        wrong("", "register=holding 3; type=int16; enum=-1: off | 4: auto; writable=true"), "");
    assert_string_equal(wrong("", "register=holding 3; enum=0: off | 4: off | 65536: x"), "");
}

static void what_cannot_be_written_may_not(void **state)
{
    static const struct {
        const char *channel, *says;
    } rows[] = {
        {"register=input 3; writable=true",
         "a.cfg:1:28: error: an input register can only be read"},
        {"register=discrete 3; writable=true", "a discrete input can only be read"},
        {"register=holding 3; type=string; length=4; writable=true", "strings are not written"},
        {"register=holding 3; enum=0: off | 65536: on; writable=true",
         "code 65536 is not written: its type cannot hold it"},
        {"register=coil 3; enum=0: off | 2: on; writable=true", "code 2 is not written"},
        {"register=holding 3; type=int64; enum=9007199254740993: x; writable=true",
         "code 9007199254740993 is not written"},
        {"register=holding 3; enum=0: off | 4: off; writable=true",
         "code 4 is not written: another has the same text"},
        {"register=holding 3.1; writable=true", "devices that know function 22"},
        {"register=holding 3; type=uint8_high; writable=true", "devices that know function 22"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const char *said = wrong("", rows[i].channel);

        if (!strstr(said, rows[i].says))
            fail_msg("%s: \"%s\" lacks \"%s\"", rows[i].channel, said, rows[i].says);
    }
}

static void a_channel_wider_than_max_registers_is_said(void **state)
{
    (void)state;
    assert_non_null(strstr(wrong("max_registers=2", "register=input 0; type=int64"),
                           "needs 4 registers, its device gives 2"));
}

static void errors_stand_at_the_value_that_is_wrong(void **state)
{
    (void)state;
    assert_non_null(strstr(wrong("", "scale=1; register=holdng 1"), "a.cfg:1:19"));
}

static void reserved_units_are_warned_of_on_tcp(void **state)
{
    const char *const channels[] = {"register=input 0", NULL};
    struct made *made = check(&modbus_tcp_adapter, "tcp://127.0.0.1", "", "unit=250", channels);

    (void)state;
    assert_int_equal(problems_errors(made->problems), 0);
    assert_int_equal(problems_warnings(made->problems), 1);
    made_free(made);
}

static size_t serial_errors(const char *connect, const char *bus, const char *device)
{
    const char *const channels[] = {"register=input 0", NULL};
    struct made *made = check(&modbus_serial_adapter, connect, bus, device, channels);
    size_t errors = problems_errors(made->problems);

    made_free(made);
    return errors;
}

static void a_line_carries_one_request_at_a_time(void **state)
{
    static const char *const channels[] = {"register=holding 0", NULL};
    const struct adapter *adapters[] = {&modbus_serial_adapter, &modbus_rtu_tcp_adapter};
    const char *connects[] = {"serial:/dev/ttyUSB0", "rtu+tcp://127.0.0.1"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct made *made = check(adapters[i], connects[i], "parallel=4", "unit=1", channels);

        assert_int_equal(problems_errors(made->problems), 0);
        assert_int_equal(problems_warnings(made->problems), 1);
        made_free(made);
    }
}

static void units_of_a_line_go_from_1_to_247(void **state)
{
    (void)state;
    assert_int_equal(serial_errors("serial:/dev/ttyUSB0", "", "unit=1"), 0);
    assert_int_equal(serial_errors("serial:/dev/ttyUSB0", "", "unit=247"), 0);
    assert_int_equal(serial_errors("serial:/dev/ttyUSB0", "", "unit=0"), 1);
    assert_int_equal(serial_errors("serial:/dev/ttyUSB0", "", "unit=248"), 1);
}

static void so_do_those_behind_a_converter(void **state)
{
    static const struct {
        const char *connect, *device;
        size_t errors;
    } rows[] = {
        {"rtu+tcp://host:8899", "unit=1", 0}, {"rtu+tcp://host", "unit=247", 0},
        {"rtu+tcp://host", "unit=0", 1},      {"rtu+tcp://host", "unit=248", 1},
        {"rtu+tcp://host:x", "unit=1", 1},
    };
    const char *const channels[] = {"register=input 0", NULL};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct made *made =
            check(&modbus_rtu_tcp_adapter, rows[i].connect, "", rows[i].device, channels);

        assert_int_equal(problems_errors(made->problems), rows[i].errors);
        made_free(made);
    }
}

static void lines_have_a_path_and_a_usual_speed(void **state)
{
    (void)state;
    assert_int_equal(serial_errors("serial:///dev/ttyUSB0", "baud=115200", ""), 0);
    assert_int_equal(serial_errors("serial:/dev/ttyUSB0", "baud=19201", ""), 1);
    assert_int_equal(serial_errors("serial:ttyUSB0", "", ""), 1);
}

static void a_line_is_shared_at_an_address_of_our_own(void **state)
{
    (void)state;
    assert_int_equal(serial_errors("serial:/dev/ttyUSB0", "share=tcp://127.0.0.1:1502", ""), 0);
    assert_int_equal(serial_errors("serial:/dev/ttyUSB0", "share=tcp://0.0.0.0:1502", ""), 0);
    assert_int_equal(serial_errors("serial:/dev/ttyUSB0", "share=tcp://host:1502", ""), 1);
    assert_int_equal(serial_errors("serial:/dev/ttyUSB0", "share=udp://127.0.0.1:1", ""), 1);
}

static void what_is_shared_is_one_connection(void **state)
{
    const char *const channels[] = {"register=input 0", NULL};
    struct made *made = made_bus(&modbus_tcp_adapter, "share=tcp://127.0.0.1:1502");

    (void)state;
    made_device(made, &modbus_tcp_adapter, "tcp://10.0.0.1", "unit=1", channels);
    made_device(made, &modbus_tcp_adapter, "tcp://10.0.0.1", "unit=2", channels);
    modbus_tcp_adapter.check(&made->config, made->problems);
    assert_int_equal(problems_errors(made->problems), 0);
    made_device(made, &modbus_tcp_adapter, "tcp://10.0.0.2", "unit=1", channels);
    modbus_tcp_adapter.check(&made->config, made->problems);
    assert_int_equal(problems_errors(made->problems), 1);
    made_free(made);
}

static void serial_options_are_unknown_on_tcp(void **state)
{
    const char *const channels[] = {"register=input 0", NULL};
    struct made *made = check(&modbus_tcp_adapter, "tcp://127.0.0.1", "baud=9600", "", channels);

    (void)state;
    assert_int_equal(problems_errors(made->problems), 1);
    made_free(made);
}

static void an_address_that_is_none_is_said(void **state)
{
    static const char *const rows[] = {"tcp://", "tcp://host:0", "tcp://host:65536",
                                       "tcp://host:x"};
    const char *const channels[] = {"register=input 0", NULL};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct made *made = check(&modbus_tcp_adapter, rows[i], "", "", channels);

        assert_int_equal(problems_errors(made->problems), 1);
        made_free(made);
    }
}

static size_t overlap_errors(const char *a, const char *b, const char *c)
{
    const char *const channels[] = {a, b, c, NULL};
    struct made *made = check(&modbus_tcp_adapter, "tcp://127.0.0.1", "", "", channels);
    size_t errors = problems_errors(made->problems);

    made_free(made);
    return errors;
}

static void channels_that_overlap_by_a_part_are_said(void **state)
{
    (void)state;
    assert_int_equal(
        overlap_errors("register=input 0; type=float32", "register=input 1; type=float32", NULL),
        1);
    assert_int_equal(overlap_errors("register=input 4; type=int32", "register=input 0; type=int64",
                                    "register=input 3; type=int32"),
                     2);
}

static void channels_within_others_are_fine(void **state)
{
    (void)state;
    assert_int_equal(overlap_errors("register=input 0; type=float32",
                                    "register=input 0; type=int32", "register=input 1"),
                     0);
    assert_int_equal(overlap_errors("register=input 0; type=uint16", "register=input 0.3",
                                    "register=holding 0; type=int32"),
                     0);
    assert_int_equal(overlap_errors("register=input 0; type=int32", "register=input 2; type=int32",
                                    "register=coil 1"),
                     0);
}

static void a_device_without_channels_is_said(void **state)
{
    const char *const none[] = {NULL};
    struct made *made = check(&modbus_tcp_adapter, "tcp://127.0.0.1", "", "", none);

    (void)state;
    assert_int_equal(problems_errors(made->problems), 1);
    made_free(made);
}

/* -- what comes of them --------------------------------------------------------------------- */

static struct mb_channel read_one(const char *device, const char *channel, struct made **ret_made)
{
    const char *const channels[] = {channel, NULL};
    struct mb_channel read;

    *ret_made = check(&modbus_tcp_adapter, "tcp://127.0.0.1", "", device, channels);
    assert_int_equal(mb_channel_read((*ret_made)->devices[0].options, (*ret_made)->channels[0],
                                     &read, (*ret_made)->problems),
                     0);
    return read;
}

static void the_order_of_a_channel_wins_over_its_devices(void **state)
{
    struct made *made;
    struct mb_channel channel =
        read_one("order=CDAB", "register=holding 1; type=int32; order=DCBA", &made);

    (void)state;
    assert_int_equal(channel.format.order, MB_DCBA);
    mb_channel_clear(&channel);
    made_free(made);
    channel = read_one("order=CDAB", "register=holding 1; type=int32", &made);
    assert_int_equal(channel.format.order, MB_CDAB);
    assert_int_equal(channel.span.count, 2);
    mb_channel_clear(&channel);
    made_free(made);
}

static void the_register_of_a_scale_is_read_along(void **state)
{
    struct made *made;
    struct mb_channel channel =
        read_one("", "register=holding 10; type=int32; scale_register=holding 14", &made);

    (void)state;
    assert_int_equal(channel.span.address, 10);
    assert_int_equal(channel.span.count, 5);
    assert_int_equal(channel.format.exponent_at, 4);
    made_free(made);
    channel = read_one("", "register=holding 10; scale_register=holding 8", &made);
    assert_int_equal(channel.span.address, 8);
    assert_int_equal(channel.span.count, 3);
    assert_int_equal(channel.format.value_at, 2);
    made_free(made);
}

static void codes_are_sorted_and_keep_their_texts(void **state)
{
    struct made *made;
    struct mb_channel channel =
        read_one("", "register=holding 1; enum=5: five | 0x10: 16: yes | 1: one", &made);

    (void)state;
    assert_int_equal(channel.format.n_codes, 3);
    assert_int_equal(channel.format.codes[0].code, 1);
    assert_string_equal(channel.format.codes[2].text, "16: yes");
    mb_channel_clear(&channel);
    made_free(made);
}

static void options_come_in_the_order_of_the_config(void **state)
{
    struct made *made;
    struct mb_channel channel = read_one("", "register=holding 1; enum=5: five | -1: one", &made);
    const struct section *options = made->channels[0][0].options;
    struct channel_option option;

    (void)state;
    assert_true(modbus_tcp_adapter.option(options, 0, &option) && option.number == 5);
    assert_string_equal(option.text, "five");
    assert_true(modbus_tcp_adapter.option(options, 1, &option) && option.number == -1);
    assert_string_equal(option.text, "one");
    assert_false(modbus_tcp_adapter.option(options, 2, &option));
    mb_channel_clear(&channel);
    made_free(made);
    channel = read_one("", "register=holding 1", &made);
    assert_false(modbus_tcp_adapter.option(made->channels[0][0].options, 0, &option));
    made_free(made);
}

static uint64_t invalid_of(const char *channel)
{
    struct made *made;
    struct mb_channel read = read_one("", channel, &made);
    uint64_t bits = read.format.invalid[0].bits;

    assert_true(read.format.n_invalid >= 1);
    mb_channel_clear(&read);
    made_free(made);
    return bits;
}

static void invalid_values_are_bits_of_the_register(void **state)
{
    (void)state;
    assert_true(invalid_of("register=input 1; type=int16; invalid=0x8000") == 0x8000);
    assert_true(invalid_of("register=input 1; type=int16; invalid=-32768") == 0x8000);
    assert_true(invalid_of("register=input 1; type=int32; invalid=-1") == 0xffffffff);
    assert_true(invalid_of("register=input 1; type=uint64; invalid=-1") == UINT64_MAX);
    assert_true(invalid_of("register=input 1; type=int64; invalid=0x7fffffffffffffff") ==
                INT64_MAX);
    assert_true(invalid_of("register=input 1; type=int64; invalid=0x7fffffffffffffff|5") ==
                INT64_MAX);
    assert_true(invalid_of("register=input 1; type=int64; invalid=-9223372036854775808|5") ==
                UINT64_C(0x8000000000000000));
    assert_true(invalid_of("register=input 1; type=bcd16; invalid=0xffff") == 0xffff);
}

static struct channel_traits traits_of(const char *channel)
{
    struct made *made;
    struct mb_channel read = read_one("", channel, &made);
    struct channel_traits traits = modbus_tcp_adapter.traits(made->channels[0][0].options);

    mb_channel_clear(&read);
    made_free(made);
    return traits;
}

static void traits_say_what_a_channel_is(void **state)
{
    (void)state;
    assert_int_equal(traits_of("register=coil 1").kind, CHANNEL_BINARY);
    assert_int_equal(traits_of("register=input 1.2").kind, CHANNEL_BINARY);
    assert_int_equal(traits_of("register=coil 1; enum=0: a | 1: b").kind, CHANNEL_TEXT);
    assert_int_equal(traits_of("register=coil 1; type=event; enum=1: b").kind, CHANNEL_EVENT);
    assert_int_equal(traits_of("register=input 1; type=event; enum=1: b").kind, CHANNEL_EVENT);
    assert_int_equal(traits_of("register=input 1; type=string; length=3").kind, CHANNEL_TEXT);
    assert_int_equal(traits_of("register=input 1").kind, CHANNEL_NUMBER);
    assert_int_equal(traits_of("register=input 1").decimals, 0);
    assert_int_equal(traits_of("register=input 1; scale=0.1").decimals, 1);
    assert_int_equal(traits_of("register=input 1; scale=0.1; offset=0.25").decimals, 2);
    assert_int_equal(traits_of("register=input 1; scale=10").decimals, 0);
    assert_int_equal(traits_of("register=input 1; type=float32").decimals, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_passes),
        cmocka_unit_test(what_does_not_fit_is_said),
        cmocka_unit_test(what_can_be_written_may_be_marked_writable),
        cmocka_unit_test(what_cannot_be_written_may_not),
        cmocka_unit_test(a_channel_wider_than_max_registers_is_said),
        cmocka_unit_test(errors_stand_at_the_value_that_is_wrong),
        cmocka_unit_test(reserved_units_are_warned_of_on_tcp),
        cmocka_unit_test(a_line_carries_one_request_at_a_time),
        cmocka_unit_test(units_of_a_line_go_from_1_to_247),
        cmocka_unit_test(so_do_those_behind_a_converter),
        cmocka_unit_test(lines_have_a_path_and_a_usual_speed),
        cmocka_unit_test(a_line_is_shared_at_an_address_of_our_own),
        cmocka_unit_test(what_is_shared_is_one_connection),
        cmocka_unit_test(serial_options_are_unknown_on_tcp),
        cmocka_unit_test(an_address_that_is_none_is_said),
        cmocka_unit_test(channels_that_overlap_by_a_part_are_said),
        cmocka_unit_test(channels_within_others_are_fine),
        cmocka_unit_test(a_device_without_channels_is_said),
        cmocka_unit_test(the_order_of_a_channel_wins_over_its_devices),
        cmocka_unit_test(the_register_of_a_scale_is_read_along),
        cmocka_unit_test(codes_are_sorted_and_keep_their_texts),
        cmocka_unit_test(options_come_in_the_order_of_the_config),
        cmocka_unit_test(invalid_values_are_bits_of_the_register),
        cmocka_unit_test(traits_say_what_a_channel_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
