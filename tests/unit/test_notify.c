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

/* Every address becomes one of the recorder, with the host as the beginning of its path. */
static char *example(const struct world *world)
{
    struct world copy = {.server = world->server, .text = calloc(1, 20000)};
    FILE *file = fopen(EXAMPLES_FOLDER "/notifiers.cfg", "r");
    char web[64];

    assert_non_null(file);
    assert_true(fread(copy.text, 1, 19999, file) > 0);
    fclose(file);
    snprintf(web, sizeof(web), "http://127.0.0.1:%d/", world->server.port);
    world_replace(&copy, "http://127.0.0.1:1880/", web);
    world_replace(&copy, "https://", web);
    world_replace(&copy, "/etc/thermogate", world->server.files.root);
    world_replace(&copy, "/usr/local/bin/siren", "/bin/echo");
    return copy.text;
}

static void start_example(struct world *world)
{
    static const char *const tokens[] = {"telegram", "pushover", "gotify", "slack", "matrix"};
    char name[40], *text = example(world);

    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof(name), "%s.token", tokens[i]);
        files_put(&world->server.files, name, "12:tok/en\n");
    }
    files_put(&world->server.files, "mail.password", "pw\n");
    assert_int_equal(world_start(world, text), 0);
    free(text);
}

static void the_examples_reach_their_services(void **state)
{
    static const char *const names[] = {"phone", "telegram", "pushover", "gotify",
                                        "slack", "matrix",   "own"};
    static const char *const records[] = {
        "/ntfy.sh/change-this-to-a-long-secret-name",
        "\"path\": \"/api.telegram.org/bot12:tok/en/sendMessage\"",
        "\"body\": \"{\\\"chat_id\\\": 123456789, \\\"text\\\": \\\"Boiler\\\\n86 "
        "\\\\\\\"°C\\\\\\\"\\\"}\"",
        "\"body\": "
        "\"token=12%3Atok%2Fen&user=your-user-key&title=Boiler&message=86%20%22%C2%B0C%22&priority="
        "1\"",
        "\"X-Gotify-Key\": \"12:tok/en\"",
        "\\\"priority\\\": 8}",
        "\"path\": \"/hooks.slack.com/services/12:tok/en\"",
        "{\\\"text\\\": \\\"*Boiler*\\\\n86 ",
        "\"method\": \"PUT\", \"path\": "
        "\"/matrix.example.org/_matrix/client/v3/rooms/!room:example.org/send/m.room.message/",
        "\"Authorization\": \"Bearer 12:tok/en\"",
        "\"path\": \"/alarm\"",
    };
    struct world *world = *state;

    start_example(world);
    for (int i = 0; i < 7; i++)
        world_send(world, names[i],
                   (struct notify_message){.severity = 2, .title = "Boiler", .text = "86 \"°C\""});
    world_run_until(world, &world->delivered, 7);
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++)
        assert_true(recorder_has(&world->server, records[i]));
}

static void the_hook_of_the_examples_runs(void **state)
{
    struct world *world = *state;
    struct notify_message event = {.at_ms = CLOCK_NEVER, .since_ms = CLOCK_NEVER};

    start_example(world);
    assert_int_equal(notify_run_hook(world->notify, "siren", &event), 0);
    world_run_until(world, &world->hooks, 1);
    assert_true(world->ok);
}

static void nothing_in_the_config_is_fine(void **state)
{
    struct world *world = *state;
    struct notify_message message = {0};
    struct notify_status status;

    assert_int_equal(world_start(world, ""), 0);
    assert_int_equal(notify_send(world->notify, "phone", &message), -ENOENT);
    assert_int_equal(notify_test(world->notify, "phone", world_on_test, world), -ENOENT);
    assert_false(notify_status(world->notify, 0, &status));
    notify_stop(NULL);
}

static void all_errors_are_found_at_once(void **state)
{
    assert_int_equal(world_read(*state,
                                "notifiers: { a: { type = \"ntfy\" } b: { type = \"pigeon\" } }\n"
                                "hooks: { c: { command = \"siren\" } }"),
                     3);
}

#define NTFY(name, path) name ": { type = \"ntfy\"; url = \"WEB" path "\" } "

static void a_reload_keeps_what_waits_and_uses_the_new_address(void **state)
{
    struct world *world = *state;
    struct notify_status status;

    assert_int_equal(world_start(world, "notifiers: { " NTFY("a", "/silent") NTFY("b", "/x") "}"),
                     0);
    world_send(world, "b", (struct notify_message){.row = 1, .text = "one"});
    world_run_until(world, &world->delivered, 1);
    world_send(world, "b", (struct notify_message){.row = 2, .text = "two"});
    assert_int_equal(world_reload(world, "notifiers: { " NTFY("b", "/new") NTFY("c", "/y") "}"), 0);
    world_run_until(world, &world->delivered, 2);
    assert_true(recorder_has(&world->server, "\"path\": \"/new\""));
    assert_true(notify_status(world->notify, 0, &status));
    assert_string_equal(status.name, "b");
    assert_int_equal(status.delivered, 2);
    world_send(world, "c", (struct notify_message){.row = 3, .text = "three"});
    world_run_until(world, &world->delivered, 3);
}

static void a_notifier_that_is_gone_drops_what_waited(void **state)
{
    struct world *world = *state;

    assert_int_equal(world_start(world, "notifiers: { " NTFY("a", "/silent") "}"), 0);
    world_send(world, "a", (struct notify_message){.row = 1, .text = "one"});
    world_send(world, "a", (struct notify_message){.row = 2, .text = "two"});
    guard_turn(&world->guard, 50);
    assert_int_equal(world_reload(world, ""), 0);
    assert_int_equal(world->dropped, 2);
    assert_string_equal(world->words, "there is no such notifier any more");
    assert_false(notify_wants(world->notify, "a", 2));
}

static void a_reload_that_fails_changes_nothing(void **state)
{
    struct world *world = *state;

    assert_int_equal(world_start(world, "notifiers: { " NTFY("a", "/x") "}"), 0);
    assert_int_equal(
        world_reload(world,
                     "notifiers: { b: { type = \"ntfy\"; url = \"WEB/y\" } "
                     "a: { type = \"ntfy\"; url = \"WEB/y\"; token_file = \"/nowhere/t\" } }"),
        -ENOENT);
    assert_false(notify_wants(world->notify, "b", 2));
    world_send(world, "a", (struct notify_message){.row = 1, .text = "one"});
    world_run_until(world, &world->delivered, 1);
    assert_true(recorder_has(&world->server, "\"path\": \"/x\""));
}

static void a_stop_in_the_middle_tells_nothing(void **state)
{
    struct world *world = *state;

    assert_int_equal(world_start(world, "notifiers: { " NTFY("a", "/silent") "}"), 0);
    world_send(world, "a", (struct notify_message){.row = 1, .text = "one"});
    assert_int_equal(notify_test(world->notify, "a", world_on_test, world), 0);
    guard_turn(&world->guard, 100);
    notify_stop(world->notify);
    world->notify = NULL;
    assert_int_equal(world->delivered + world->dropped + world->tests, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_examples_reach_their_services),
        TEST(the_hook_of_the_examples_runs),
        TEST(nothing_in_the_config_is_fine),
        TEST(all_errors_are_found_at_once),
        TEST(a_reload_keeps_what_waits_and_uses_the_new_address),
        TEST(a_notifier_that_is_gone_drops_what_waited),
        TEST(a_reload_that_fails_changes_nothing),
        TEST(a_stop_in_the_middle_tells_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
