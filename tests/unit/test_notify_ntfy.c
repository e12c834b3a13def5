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

static void start(struct world *world, const char *more)
{
    char text[500];

    snprintf(text, sizeof(text),
             "notifiers: { phone: { type = \"ntfy\"; url = \"WEB/topic\"; %s } }", more);
    assert_int_equal(world_start(world, text), 0);
}

static void deliver(struct world *world, struct notify_message message)
{
    int before = world->delivered;

    world_send(world, "phone", message);
    world_run_until(world, &world->delivered, before + 1);
}

static void a_message_has_title_priority_and_tags(void **state)
{
    struct world *world = *state;

    start(world, "");
    deliver(world, (struct notify_message){
                       .row = 42, .severity = 2, .title = "Boiler", .text = "86.1 °C"});
    assert_int_equal(world->rows[0], 42);
    assert_true(recorder_has(&world->server, "\"method\": \"POST\", \"path\": \"/topic\""));
    assert_true(recorder_has(&world->server, "\"Title\": \"Boiler\", \"Priority\": \"5\", "
                                             "\"Tags\": \"rotating_light,critical\""));
    assert_true(recorder_has(&world->server, "\"body\": \"86.1 °C\""));
    assert_false(recorder_has(&world->server, "Authorization"));
}

static void a_title_that_is_not_ascii_is_encoded(void **state)
{
    start(*state, "");
    deliver(*state, (struct notify_message){.title = "Küche", .text = "x"});
    assert_true(recorder_has(&((struct world *)*state)->server, "=?UTF-8?B?S8O8Y2hl?="));
}

static void a_clearing_is_not_urgent(void **state)
{
    struct world *world = *state;

    start(world, "");
    deliver(world, (struct notify_message){.kind = NOTIFY_CLEARED, .severity = 2, .text = "x"});
    assert_true(recorder_has(&world->server,
                             "\"Priority\": \"3\", \"Tags\": \"white_check_mark,critical\""));
    deliver(world, (struct notify_message){.kind = NOTIFY_BLIND, .severity = 1, .text = "x"});
    assert_true(
        recorder_has(&world->server, "\"Priority\": \"4\", \"Tags\": \"see_no_evil,warning\""));
}

static void a_token_logs_in(void **state)
{
    struct world *world = *state;

    files_put(&world->server.files, "token", "tk_secret\n");
    start(world, "token_file = \"DIR/token\"");
    deliver(world, (struct notify_message){.text = "x"});
    assert_true(recorder_has(&world->server, "\"Authorization\": \"Bearer tk_secret\""));
}

static void a_name_and_a_password_log_in(void **state)
{
    struct world *world = *state;

    files_put(&world->server.files, "password", "pw\n");
    start(world, "username = \"me\"; password_file = \"DIR/password\"");
    deliver(world, (struct notify_message){.text = "x"});
    assert_true(recorder_has(&world->server, "\"Authorization\": \"Basic bWU6cHc=\""));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_has_title_priority_and_tags),
        TEST(a_title_that_is_not_ascii_is_encoded),
        TEST(a_clearing_is_not_urgent),
        TEST(a_token_logs_in),
        TEST(a_name_and_a_password_log_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
