#include "tests/unit/notify_world.h"

#include <errno.h>

static int setup(void **state)
{
    *state = NULL;
    return 0;
}

static int teardown(void **state)
{
    if (*state)
        world_close(*state);
    return 0;
}

#define MAIL                                                                       \
    "notifiers: { admin: { type = \"email\"; from = \"gw@example.org\"; server = " \
    "\"localhost:PORT\"; "

static void a_message_becomes_a_mail(void **state)
{
    struct world *world = *state = world_open("mail-recorder", "plain", false);

    assert_int_equal(world_start(world, MAIL "to = [ \"a@example.org\", \"b@example.org\" ]; "
                                             "tls = \"none\" } }"),
                     0);
    world_send(world, "admin",
               (struct notify_message){.row = 9, .title = "Küche", .text = "zu heiß\n.\nEnde"});
    world_run_until(world, &world->delivered, 1);
    assert_int_equal(world->rows[0], 9);
    assert_true(recorder_has(&world->server,
                             "\"from\": \"gw@example.org\", \"to\": [\"a@example.org\", "
                             "\"b@example.org\"], \"subject\": \"Küche\""));
    assert_true(recorder_has(&world->server, "\"text\": \"zu heiß\\n.\\nEnde\""));
    assert_true(recorder_has(&world->server, "\"Auto-Submitted\": \"auto-generated\""));
    assert_true(recorder_has(&world->server, "\"Date\": \""));
}

static void it_logs_in_over_starttls(void **state)
{
    struct world *world = *state = world_open("mail-recorder", "starttls", true);

    files_put(&world->server.files, "password", "secret\n");
    assert_int_equal(world_start(world, MAIL
                                 "to = \"a@example.org\"; ca_file = \"DIR/cert.pem\"; "
                                 "username = \"gateway\"; password_file = \"DIR/password\" } }"),
                     0);
    world_test(world, "admin");
    assert_true(world->ok);
    assert_non_null(strstr(world->words, "the mail server has taken it (250)"));
    assert_true(recorder_has(&world->server, "\"tls\": true, \"login\": true"));
}

static void a_wrong_password_is_told_without_it(void **state)
{
    struct world *world = *state = world_open("mail-recorder", "starttls", true);

    files_put(&world->server.files, "password", "wrongwrong\n");
    assert_int_equal(world_start(world, MAIL
                                 "to = \"a@example.org\"; ca_file = \"DIR/cert.pem\"; "
                                 "username = \"gateway\"; password_file = \"DIR/password\" } }"),
                     0);
    world_test(world, "admin");
    assert_false(world->ok);
    assert_non_null(strstr(world->words, "not delivered"));
    assert_null(strstr(world->words, "wrongwrong"));
}

static void a_certificate_that_nobody_signed_is_refused(void **state)
{
    struct world *world = *state = world_open("mail-recorder", "tls", true);

    assert_int_equal(world_start(world, MAIL "to = \"a@example.org\"; tls = \"tls\" } }"), 0);
    world_test(world, "admin");
    assert_false(world->ok);
    assert_non_null(strstr(world->words, "certificate"));
}

static size_t errors(struct world *world, const char *options)
{
    char text[1000];

    snprintf(text, sizeof(text), "notifiers: { admin: { type = \"email\"; %s } }", options);
    return world_read(world, text);
}

static void what_is_no_server_or_address_is_an_error(void **state)
{
    struct world *world = *state = world_open("mail-recorder", "plain", false);

    assert_int_equal(errors(world, "server = \"a:b\"; from = \"a@b\"; to = \"c@d\""), 1);
    assert_int_equal(errors(world, "server = \"smtp://a\"; from = \"a@b\"; to = \"c@d\""), 1);
    assert_int_equal(errors(world, "server = \"[::1]:25\"; from = \"a@b\"; to = \"c@d\""), 0);
    assert_int_equal(errors(world, "server = \"a:70000\"; from = \"a@b\"; to = \"c@d\""), 1);
    assert_int_equal(errors(world, "server = \"a\"; from = \"Me <a@b>\"; to = \"c@d\""), 1);
    assert_int_equal(errors(world, "server = \"a\"; from = \"a@b\"; to = [ \"c@d\", \"nobody\" ]"),
                     1);
    assert_int_equal(errors(world, "server = \"a\"; from = \"a@b\"; to = \"c\\r\\n@d\""), 1);
    assert_int_equal(errors(world, "server = \"a\"; from = \"a@b\""), 1);
}

static void a_password_in_the_clear_is_an_error(void **state)
{
    struct world *world = *state = world_open("mail-recorder", "plain", false);

    assert_int_equal(errors(world, "server = \"a\"; from = \"a@b\"; to = \"c@d\"; tls = \"none\"; "
                                   "username = \"me\"; password_file = \"/p\""),
                     1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_becomes_a_mail),
        TEST(it_logs_in_over_starttls),
        TEST(a_wrong_password_is_told_without_it),
        TEST(a_certificate_that_nobody_signed_is_refused),
        TEST(what_is_no_server_or_address_is_an_error),
        TEST(a_password_in_the_clear_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
