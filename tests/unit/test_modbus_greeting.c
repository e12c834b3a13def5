#include "adapters/modbus/greeting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/modbus/modbus.h"
#include "modbus_config.h"

static const char *const channels[] = {"register=holding 0", NULL};

static void a_greeting_is_the_request_that_writes_it(void **state)
{
    static const struct {
        const char *device;
        uint8_t pdu[16];
        size_t length;
    } rows[] = {
        {"on_connect=holding 100 = 5", {6, 0, 100, 0, 5}, 5},
        {"on_connect=holding 0x10 = -2", {6, 0, 16, 0xff, 0xfe}, 5},
        {"on_connect=40001=65535", {6, 0, 0, 0xff, 0xff}, 5},
        {"on_connect=coil 3 = 1", {5, 0, 3, 0xff, 0}, 5},
        {"write_with=multiple; on_connect=holding 1 = 2", {16, 0, 1, 0, 1, 2, 0, 2}, 8},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct made *made = made_bus(&modbus_tcp_adapter, "");
        struct mb_request request;
        uint8_t pdu[MB_PDU_MAX];

        made_device(made, &modbus_tcp_adapter, "tcp://127.0.0.1", rows[i].device, channels);
        assert_int_equal(mb_greeting_read(made->devices[0].options, 0, &request, NULL), 0);
        assert_int_equal(mb_pdu_build(&request, pdu), rows[i].length);
        assert_memory_equal(pdu, rows[i].pdu, rows[i].length);
        made_free(made);
    }
}

static void what_cannot_be_written_is_said(void **state)
{
    static const char *const rows[] = {
        "on_connect=holding 100",        "on_connect=holding 100 = x",
        "on_connect=input 1 = 5",        "on_connect=holding 100.3 = 1",
        "on_connect=coil 3 = 2",         "on_connect=holding 1 = 65536",
        "on_connect=holding 1 = -32769", "on_connect== 5",
        "on_connect=holdng 1 = 5",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct made *made = made_bus(&modbus_tcp_adapter, "");

        made_device(made, &modbus_tcp_adapter, "tcp://127.0.0.1", rows[i], channels);
        modbus_tcp_adapter.check(&made->config, made->problems);
        assert_int_equal(problems_errors(made->problems), 1);
        made_free(made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_greeting_is_the_request_that_writes_it),
        cmocka_unit_test(what_cannot_be_written_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
