#include "gateway/core/site_was.h"

#include "tests/unit/site_world.h"

#define SIM "buses: { sim: { adapter = \"sim\" } }\n"

static void former_names_stand_in_the_inventory(void **state)
{
    struct site_world world;
    (void)state;
    site_world_good(
        &world, SIM
        "devices: { b: { bus = \"sim\"; was = \"a\"; channels: { t: { was = \"s\" } u: { } } }\n"
        "a: { bus = \"sim\"; was = \"b\"; channels: { t: { } } } }\n"
        "derived: { d: { was = \"e\"; channels: { x: { value = \"b.t\"; was = \"y\" } } } }\n");
    const struct inventory *inventory = world.site->inventory;
    assert_string_equal(inventory->devices[0].was, "a"); /* two may change places */
    assert_string_equal(inventory->devices[2].was, "e");
    assert_string_equal(inventory->sensors[0].was, "s");
    assert_null(inventory->sensors[1].was);
    assert_string_equal(inventory->sensors[3].was, "y");
    site_world_close(&world);
}

static void one_name_is_not_for_two(void **state)
{
    (void)state;
    site_refuses(SIM "devices: { b: { bus = \"sim\"; was = \"c\"; channels: { t: { } } }\n"
                     "c: { bus = \"sim\"; channels: { t: { } u: { was = \"t\" } } } }\n",
                 "t.cfg:2:36: error: \"b\" cannot have been \"c\": \"c\" is\n"
                 "t.cfg:3:49: error: \"u\" cannot have been \"t\": \"t\" is");
}

static void what_is_no_name_was_none(void **state)
{
    (void)state;
    site_refuses(SIM "devices: { b: { bus = \"sim\"; was = \"Öl\"; channels: { t: { } } } }\n",
                 "t.cfg:2:36: error: \"Öl\" cannot have been a name");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(former_names_stand_in_the_inventory),
        cmocka_unit_test(one_name_is_not_for_two),
        cmocka_unit_test(what_is_no_name_was_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
