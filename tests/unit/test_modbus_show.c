#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/modbus/show.h"

#include <string.h>

static const uint8_t bytes[] = {0x43, 0x66, 0x80, 0x00, 0xff, 0xff, 0xff, 0xff};

static size_t find(const char *type)
{
    for (size_t i = 0; mb_show_at(i); i++) {
        if (strcmp(mb_show_at(i)->type, type) == 0)
            return i;
    }
    fail_msg("no %s", type);
    return 0;
}

static void assert_shown(const char *type, size_t order, const char *text)
{
    char to[MB_SHOW_SIZE];

    assert_string_equal(mb_show(find(type), order, bytes, to), text);
}

static void a_value_is_shown_in_every_order(void **state)
{
    (void)state;
    assert_shown("float32", 0, "230.5");
    assert_shown("uint32", 0, "1130790912");
    assert_shown("uint32", 1, "2147500902");
    assert_shown("uint16", 2, "26179");
    assert_shown("int8_high", 0, "67");
}

static void what_is_no_value_is_a_dash(void **state)
{
    (void)state;
    assert_shown("bcd32", 1, "80004366");
    assert_shown("bcd16", 0, "4366");
    assert_int_equal(mb_show_at(find("bcd32"))->registers, 2);
    char to[MB_SHOW_SIZE];
    assert_string_equal(mb_show(find("bcd16"), 0, bytes + 4, to), "-");
    assert_string_equal(mb_show(find("float32"), 0, bytes + 4, to), "-");
}

static void orders_that_change_nothing_are_known(void **state)
{
    (void)state;
    assert_true(mb_show_differs(find("float32"), 3));
    assert_true(mb_show_differs(find("int16"), 2));
    assert_false(mb_show_differs(find("int16"), 1));
    assert_false(mb_show_differs(find("uint8_low"), 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_shown_in_every_order),
        cmocka_unit_test(what_is_no_value_is_a_dash),
        cmocka_unit_test(orders_that_change_nothing_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
