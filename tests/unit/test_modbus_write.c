
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/modbus/modbus.h"
#include "adapters/modbus/write.h"
#include "modbus_config.h"

static uint8_t build(const char *device, const char *channel, double number, struct mb_request *ret)
{
    struct made *made = made_bus(&modbus_tcp_adapter, "");
    const char *const channels[] = {channel, NULL};
    struct mb_channel read;
    uint8_t quality;

    made_device(made, &modbus_tcp_adapter, "tcp://127.0.0.1", device, channels);
    assert_int_equal(
        mb_channel_read(made->devices[0].options, made->channels[0], &read, made->problems), 0);
    quality = mb_write_build(&read, number, ret);
    mb_channel_clear(&read);
    made_free(made);
    return quality;
}

static void a_device_may_want_other_functions(void **state)
{
    static const struct {
        const char *device, *channel;
        double number;
        uint8_t pdu[16];
        size_t length;
    } rows[] = {
        {"write_with=multiple", "register=coil 3; writable=true", 1, {15, 0, 3, 0, 1, 1, 1}, 7},
        {"write_with=multiple", "register=coil 3; writable=true", 0, {15, 0, 3, 0, 1, 1, 0}, 7},
        {"write_with=multiple",
         "register=holding 9; writable=true",
         513,
         {16, 0, 9, 0, 1, 2, 2, 1},
         8},
        {"write_with=read_write", "register=coil 3; writable=true", 1, {5, 0, 3, 0xff, 0}, 5},
        {"write_with=read_write",
         "register=holding 9; writable=true",
         513,
         {23, 0, 9, 0, 1, 0, 9, 0, 1, 2, 2, 1},
         12},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct mb_request request;
        uint8_t pdu[MB_PDU_MAX];

        assert_int_equal(build(rows[i].device, rows[i].channel, rows[i].number, &request),
                         QUALITY_GOOD);
        assert_int_equal(mb_pdu_build(&request, pdu), rows[i].length);
        assert_memory_equal(pdu, rows[i].pdu, rows[i].length);
    }
}

static void the_function_is_that_of_the_kind_and_width(void **state)
{
    static const struct {
        const char *channel;
        double number;
        uint8_t pdu[16];
        size_t length;
    } rows[] = {
        {"register=coil 3; writable=true", 1, {5, 0, 3, 0xff, 0}, 5},
        {"register=coil 3; writable=true", 0, {5, 0, 3, 0, 0}, 5},
        {"register=holding 9; writable=true", 513, {6, 0, 9, 2, 1}, 5},
        {"register=holding 9; order=BADC; writable=true", 513, {6, 0, 9, 1, 2}, 5},
        {"register=holding 9; type=bcd16; writable=true", 1234, {6, 0, 9, 0x12, 0x34}, 5},
        {"register=holding 9; type=int32; writable=true",
         -2,
         {16, 0, 9, 0, 2, 4, 0xff, 0xff, 0xff, 0xfe},
         10},
        {"register=holding 9; type=int64; order=CDAB; writable=true",
         1,
         {16, 0, 9, 0, 4, 8, 0, 1, 0, 0, 0, 0, 0, 0},
         14},
        {"register=holding 9; enum=2: on | 513: auto; writable=true", 513, {6, 0, 9, 2, 1}, 5},
        {"register=coil 3; enum=0: off | 1: on; writable=true", 1, {5, 0, 3, 0xff, 0}, 5},
        {"register=holding 9.0; writable=true", 1, {22, 0, 9, 0xff, 0xfe, 0, 1}, 7},
        {"register=holding 9.15; writable=true", 1, {22, 0, 9, 0x7f, 0xff, 0x80, 0}, 7},
        {"register=holding 9.15; writable=true", 0, {22, 0, 9, 0x7f, 0xff, 0, 0}, 7},
        {"register=holding 9; type=int8_high; writable=true", -1, {22, 0, 9, 0, 0xff, 0xff, 0}, 7},
        {"register=holding 9; type=uint8_low; writable=true", 7, {22, 0, 9, 0xff, 0, 0, 7}, 7},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct mb_request request;
        uint8_t pdu[MB_PDU_MAX];

        assert_int_equal(build("mask_write=true", rows[i].channel, rows[i].number, &request),
                         QUALITY_GOOD);
        assert_int_equal(mb_pdu_build(&request, pdu), rows[i].length);
        assert_memory_equal(pdu, rows[i].pdu, rows[i].length);
    }
}

static void what_does_not_fit_is_refused(void **state)
{
    struct mb_request request;

    (void)state;
    assert_int_equal(build("", "register=coil 0; writable=true", 0.5, &request),
                     QUALITY_OUT_OF_RANGE);
    assert_int_equal(build("", "register=coil 0; writable=true", -1, &request),
                     QUALITY_OUT_OF_RANGE);
    assert_int_equal(build("mask_write=true", "register=holding 0.1; writable=true", 2, &request),
                     QUALITY_OUT_OF_RANGE);
    assert_int_equal(build("", "register=holding 0; writable=true", 65536, &request),
                     QUALITY_OUT_OF_RANGE);
    assert_int_equal(build("", "register=holding 0; writable=true", -1, &request),
                     QUALITY_OUT_OF_RANGE);
}

static void what_is_not_writable_is_not_written(void **state)
{
    struct mb_request request;

    (void)state;
    assert_int_equal(build("", "register=holding 0", 1, &request), QUALITY_ERROR);
    assert_int_equal(build("", "register=holding 0; type=string; length=4", 1, &request),
                     QUALITY_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_may_want_other_functions),
        cmocka_unit_test(the_function_is_that_of_the_kind_and_width),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(what_is_not_writable_is_not_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
