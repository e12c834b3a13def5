#include "adapters/modbus/register.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/modbus/pdu.h"

#include <errno.h>
#include <string.h>

static void registers_are_understood_as_people_write_them(void **state)
{
    static const struct {
        const char *text;
        uint8_t function;
        uint16_t address;
        int bit;
    } rows[] = {
        {"holding 100", MB_READ_HOLDINGS, 100, -1},
        {"input 0", MB_READ_INPUTS, 0, -1},
        {"coil 3", MB_READ_COILS, 3, -1},
        {"discrete 65535", MB_READ_DISCRETES, 65535, -1},
        {"holding 0x10", MB_READ_HOLDINGS, 16, -1},
        {"holding   7", MB_READ_HOLDINGS, 7, -1},
        {"holding 100.3", MB_READ_HOLDINGS, 100, 3},
        {"input 100.15", MB_READ_INPUTS, 100, 15},
        {"40101", MB_READ_HOLDINGS, 100, -1},
        {"40001", MB_READ_HOLDINGS, 0, -1},
        {"30001", MB_READ_INPUTS, 0, -1},
        {"10008", MB_READ_DISCRETES, 7, -1},
        {"00004", MB_READ_COILS, 3, -1},
        {"465536", MB_READ_HOLDINGS, 65535, -1},
        {"40101.3", MB_READ_HOLDINGS, 100, 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct mb_register reg;

        assert_int_equal(mb_register_parse(rows[i].text, &reg, NULL), 0);
        assert_int_equal(reg.function, rows[i].function);
        assert_int_equal(reg.address, rows[i].address);
        assert_int_equal(reg.bit, rows[i].bit);
    }
}

static void what_is_no_register_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "holding",
        "holding -1",
        "holding 65536",
        "holdng 3",
        "100",
        "holding 1.",
        "holding 1.16",
        "coil 3.1",
        "20001",
        "40000",
        "465537",
        "4000x",
        "holding x",
        "holding 1 2",
        "holding 1.x",
        "holding 1.3.4",
        ".",
        "1234567",
        "holding 99999999999999999999",
        "HOLDING 1",
        " ",
        "4000",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct mb_register reg;
        struct error err = {0};

        assert_true(mb_register_parse(rows[i], &reg, &err) < 0);
        assert_true(err.text[0] != '\0');
    }
}

static void a_misspelt_kind_gets_a_suggestion(void **state)
{
    struct mb_register reg;
    struct error err;

    (void)state;
    assert_int_equal(mb_register_parse("holdng 3", &reg, &err), -EINVAL);
    assert_non_null(strstr(err.text, "did you mean \"holding\""));
    assert_int_equal(mb_register_parse("coils 3", &reg, &err), -EINVAL);
    assert_non_null(strstr(err.text, "did you mean \"coil\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_are_understood_as_people_write_them),
        cmocka_unit_test(what_is_no_register_is_refused),
        cmocka_unit_test(a_misspelt_kind_gets_a_suggestion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
