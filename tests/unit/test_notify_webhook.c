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

static size_t errors(struct world *world, const char *options)
{
    char text[3000];

    snprintf(text, sizeof(text),
             "notifiers: { web: { type = \"webhook\"; url = \"WEB/hook\"; %s } }", options);
    return world_read(world, text);
}

static void deliver(struct world *world, const char *options, struct notify_message message)
{
    char text[1000];

    snprintf(text, sizeof(text), "notifiers: { web: { type = \"webhook\"; %s } }", options);
    assert_int_equal(world_start(world, text), 0);
    world_send(world, "web", message);
    world_run_until(world, &world->delivered, 1);
}

static void values_cannot_break_out_of_json(void **state)
{
    struct world *world = *state;

    deliver(world, "url = \"WEB/hook\"; body = \"{\\\"t\\\": \\\"{text}\\\"}\"",
            (struct notify_message){.text = "a\", \"evil\": \"1\nb"});
    assert_true(
        recorder_has(&world->server, "\"body\": \"{\\\"t\\\": \\\"a\\\\\\\", \\\\\\\"evil"));
    assert_true(recorder_has(&world->server, "\"Content-Type\": \"application/json\""));
}

static void without_a_body_all_there_is_to_know_is_sent(void **state)
{
    struct world *world = *state;

    deliver(world, "url = \"WEB/hook\"",
            (struct notify_message){.kind = NOTIFY_FIRED,
                                    .severity = 2,
                                    .title = "T",
                                    .text = "x",
                                    .rule = "high@boiler.temp",
                                    .sensor = "boiler.temp",
                                    .value = "86.1",
                                    .unit = "°C"});
    assert_true(recorder_has(&world->server,
                             "\\\"severity\\\":\\\"critical\\\",\\\"kind\\\":\\\"fired\\\","
                             "\\\"rule\\\":\\\"high@boiler.temp\\\""));
    assert_true(recorder_has(&world->server, "\\\"value\\\":\\\"86.1\\\",\\\"unit\\\":\\\"°C\\\""));
}

static void forms_are_escaped_and_say_so(void **state)
{
    struct world *world = *state;

    deliver(world,
            "url = \"WEB/hook\"; escape = \"form\"; body = \"m={text}&p={priority}\"; "
            "priorities = ( -1, 0, 1 )",
            (struct notify_message){.severity = 2, .text = "a&b=c d"});
    assert_true(recorder_has(&world->server, "\"body\": \"m=a%26b%3Dc%20d&p=1\""));
    assert_true(recorder_has(&world->server, "application/x-www-form-urlencoded"));
}

static void addresses_and_headers_are_templates(void **state)
{
    struct world *world = *state;

    files_put(&world->server.files, "token", "T0/B0\n");
    deliver(world,
            "url = \"WEB/s/{token}?r={rule}\"; token_file = \"DIR/token\"; method = \"PUT\"; "
            "headers = [ \"X-Key: {token}\", \"X-Title: {title}\", \"Content-Type: text/x\" ]; "
            "body = \"{text}\"; escape = \"none\"",
            (struct notify_message){.title = "a b", .rule = "r&s", .text = "plain \"x\""});
    assert_true(
        recorder_has(&world->server, "\"method\": \"PUT\", \"path\": \"/s/T0/B0?r=r%26s\""));
    assert_true(recorder_has(&world->server, "\"X-Key\": \"T0/B0\", \"X-Title\": \"a b\", "
                                             "\"Content-Type\": \"text/x\""));
    assert_true(recorder_has(&world->server, "\"body\": \"plain \\\"x\\\"\""));
}

static void a_get_has_no_body(void **state)
{
    struct world *world = *state;

    deliver(world, "url = \"WEB/hook?t={text}\"; method = \"GET\"",
            (struct notify_message){.text = "ä"});
    assert_true(recorder_has(&world->server, "\"method\": \"GET\", \"path\": \"/hook?t=%C3%A4\""));
    assert_true(recorder_has(&world->server, "\"body\": \"\""));
}

static void a_value_cannot_add_a_header(void **state)
{
    struct world *world = *state;

    deliver(world, "url = \"WEB/hook\"; headers = \"X-Rule: {rule}\"",
            (struct notify_message){.rule = "a\r\nX-Evil: 1", .text = "x"});
    assert_true(recorder_has(&world->server, "\"X-Rule\": \"a  X-Evil: 1\""));
}

static void wrong_templates_are_errors_in_place(void **state)
{
    struct world *world = *state;

    assert_int_equal(errors(world, "body = \"{titel}\""), 1);
    assert_true(world_says(world, "t.cfg:1:"));
    assert_true(world_says(world, "unknown placeholder \"{titel}\""));
    assert_int_equal(errors(world, "headers = \"X: {titel}\""), 1);
    assert_int_equal(errors(world, "headers = \"no header\""), 1);
    assert_int_equal(errors(world, "priorities = ( 1, 2 )"), 1);
    assert_int_equal(errors(world, "body = \"{token}\""), 1);
    assert_int_equal(errors(world, "token_file = \"/t\""), 1);
    assert_int_equal(errors(world, "body = \"{token}\"; token_file = \"/t\""), 0);
    assert_int_equal(errors(world, "headers = [ 1, 2 ]") > 0, 1);
}

static void too_many_headers_are_an_error(void **state)
{
    char text[1000] = "headers = [ \"A: 1\"";

    for (int i = 0; i < 16; i++)
        strcat(text, ", \"A: 1\"");
    strcat(text, " ]");
    assert_int_equal(errors(*state, text), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_cannot_break_out_of_json),
        TEST(without_a_body_all_there_is_to_know_is_sent),
        TEST(forms_are_escaped_and_say_so),
        TEST(addresses_and_headers_are_templates),
        TEST(a_get_has_no_body),
        TEST(a_value_cannot_add_a_header),
        TEST(wrong_templates_are_errors_in_place),
        TEST(too_many_headers_are_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
