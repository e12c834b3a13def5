#include "gateway/notify/carrier.h"
#include "tests/unit/notify_world.h"

#include <errno.h>

static int setup(void **state)
{
    *state = world_open("web-recorder", "", false);
    return 0;
}

static int teardown(void **state)
{
    world_close(*state);
    return 0;
}

/* One notifier called n with these options. */
static size_t errors(struct world *world, const char *options)
{
    char text[1000];

    snprintf(text, sizeof(text), "notifiers: { n: { %s } }", options);
    return world_read(world, text);
}

static void types_are_found_by_name(void **state)
{
    (void)state;
    assert_ptr_equal(carrier_find("email"), &email_carrier);
    assert_null(carrier_find("pigeon"));
    assert_null(carrier_find(NULL));
}

static void a_type_that_is_none_or_missing_is_the_only_complaint(void **state)
{
    assert_int_equal(errors(*state, "type = \"pigeon\"; url = \"x\""), 1);
    assert_true(world_says(*state, "no such \"type\""));
    assert_int_equal(errors(*state, "url = \"x\""), 1);
    assert_true(world_says(*state, "\"type\" is missing"));
}

static void a_key_of_another_type_is_an_error(void **state)
{
    assert_int_equal(errors(*state, "type = \"ntfy\"; url = \"https://x/y\"; server = \"x\""), 1);
    assert_true(world_says(*state, "server"));
}

static void what_all_types_have_is_checked(void **state)
{
    assert_int_equal(errors(*state, "type = \"ntfy\"; url = \"https://x/y\"; quiet = \"at night\""),
                     1);
    assert_int_equal(errors(*state, "type = \"ntfy\"; url = \"https://x/y\"; per_hour = 0"), 1);
    assert_int_equal(
        errors(*state, "type = \"ntfy\"; url = \"https://x/y\"; min_severity = \"big\""), 1);
    assert_int_equal(errors(*state, "type = \"ntfy\""), 1);
}

static void an_address_must_be_one(void **state)
{
    assert_int_equal(errors(*state, "type = \"ntfy\"; url = \"ntfy.sh/x\""), 1);
    assert_true(world_says(*state, "no address of a web server"));
}

static void a_password_needs_a_name(void **state)
{
    assert_int_equal(
        errors(*state, "type = \"ntfy\"; url = \"https://x/y\"; password_file = \"/p\""), 1);
    assert_int_equal(errors(*state, "type = \"ntfy\"; url = \"https://x/y\"; token_file = \"/p\"; "
                                    "username = \"me\""),
                     1);
}

static void a_secret_in_the_clear_is_warned_of(void **state)
{
    struct world *world = *state;

    assert_int_equal(errors(world, "type = \"ntfy\"; url = \"http://x/y\"; token_file = \"/p\""),
                     0);
    assert_int_equal(problems_warnings(world->problems), 1);
    assert_int_equal(
        errors(world, "type = \"ntfy\"; url = \"http://127.0.0.1/y\"; token_file = \"/p\""), 0);
    assert_int_equal(problems_warnings(world->problems), 0);
}

static void a_secret_that_cannot_be_read_stops_the_start(void **state)
{
    struct world *world = *state;

    assert_int_equal(world_start(world, "notifiers: { n: { type = \"ntfy\"; url = \"WEB/y\"; "
                                        "token_file = \"/nowhere/token\" } }"),
                     -ENOENT);
    assert_null(world->notify);
    assert_non_null(strstr(world->error.text, "notifier \"n\": token_file: \"/nowhere/token\""));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(types_are_found_by_name),
        TEST(a_type_that_is_none_or_missing_is_the_only_complaint),
        TEST(a_key_of_another_type_is_an_error),
        TEST(what_all_types_have_is_checked),
        TEST(an_address_must_be_one),
        TEST(a_password_needs_a_name),
        TEST(a_secret_in_the_clear_is_warned_of),
        TEST(a_secret_that_cannot_be_read_stops_the_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
