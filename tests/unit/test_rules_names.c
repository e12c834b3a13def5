#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/names.h"

static const char *const ids[] = {"room.temp", "boiler.flow_temp", "a.b", "hall.temp"};

static int setup(void **state)
{
    *state = names_new(ids, 4);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    names_free(*state);
    return 0;
}

static void every_id_is_found_under_its_index(void **state)
{
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(names_find(*state, ids[i]), i);
}

static void what_is_not_there_is_not_found(void **state)
{
    assert_int_equal(names_find(*state, "room.tem"), NAMES_NONE);
    assert_int_equal(names_find(*state, ""), NAMES_NONE);
}

static void a_slip_finds_what_was_meant(void **state)
{
    assert_string_equal(names_nearest(*state, "room.tmp"), "room.temp");
    assert_string_equal(names_nearest(*state, "boiler.flowtemp"), "boiler.flow_temp");
}

static void what_is_far_from_all_finds_nothing(void **state)
{
    assert_null(names_nearest(*state, "garage.humidity"));
}

static void an_empty_set_finds_nothing(void **state)
{
    (void)state;
    struct names *none = names_new(NULL, 0);
    assert_int_equal(names_find(none, "a.b"), NAMES_NONE);
    assert_null(names_nearest(none, "a.b"));
    names_free(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_id_is_found_under_its_index),
        cmocka_unit_test(what_is_not_there_is_not_found),
        cmocka_unit_test(a_slip_finds_what_was_meant),
        cmocka_unit_test(what_is_far_from_all_finds_nothing),
        cmocka_unit_test(an_empty_set_finds_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
