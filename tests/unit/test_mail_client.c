#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/mail_client.h"
#include "tests/unit/loop_guard.h"
#include "tests/unit/recorders.h"

#include <errno.h>
#include <string.h>

struct fixture {
    struct guard guard;
    struct mail_client *client;
    struct recorder server;
    int answers, error, status;
    char why[300];
};

static void start(struct fixture *f, const char *mode)
{
    recorder_start(&f->server, "mail-recorder", mode, strcmp(mode, "plain") != 0);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    recorders_environment();
    guard_open(&f->guard);
    f->client = mail_client_new(f->guard.loop);
    *state = f;
    return f->client ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    mail_client_free(f->client);
    guard_close(&f->guard);
    if (f->server.pid > 0)
        recorder_stop(&f->server);
    free(f);
    return 0;
}

static void on_answer(void *owner, const struct mail_answer *answer)
{
    struct fixture *f = owner;

    f->answers++;
    f->error = answer->error;
    f->status = answer->status;
    snprintf(f->why, sizeof(f->why), "%s", answer->why);
    loop_stop(f->guard.loop);
}

#define TEXT "From: a@example.org\r\nSubject: hello\r\n\r\none\r\n.\r\ntwo\r\n"

static struct mail_call *begin(struct fixture *f, struct mail mail, const char *to)
{
    struct mail_call *call = NULL;

    mail.host = mail.host ? mail.host : "localhost";
    mail.port = mail.port ? mail.port : (uint16_t)f->server.port;
    mail.from = "a@example.org";
    mail.to = &to;
    mail.n_to = 1;
    mail.text = TEXT;
    mail.size = strlen(TEXT);
    mail.timeout_ms = mail.timeout_ms ? mail.timeout_ms : 15000;
    assert_int_equal(mail_send(f->client, &mail, on_answer, f, &call), 0);
    return call;
}

static void post(struct fixture *f, struct mail mail, const char *to)
{
    f->answers = 0;
    begin(f, mail, to);
    assert_int_equal(f->answers, 0);
    guard_run(&f->guard);
    assert_int_equal(f->answers, 1);
}

/* -- the tests ----------------------------------------------------------------------------------
 */

static void a_mail_arrives_whole(void **state)
{
    struct fixture *f = *state;

    start(f, "plain");
    post(f, (struct mail){0}, "b@example.org");
    assert_string_equal(f->why, "");
    assert_int_equal(f->error, 0);
    assert_true(recorder_has(&f->server, "\"to\": [\"b@example.org\"], \"subject\": \"hello\""));
    assert_true(recorder_has(&f->server, "one\\n.\\ntwo"));
}

static void starttls_and_a_login_work(void **state)
{
    struct fixture *f = *state;

    start(f, "starttls");
    post(f,
         (struct mail){.tls = MAIL_TLS_START,
                       .ca_file = f->server.cert,
                       .username = "gateway",
                       .password = "secret"},
         "b@example.org");
    assert_string_equal(f->why, "");
    assert_true(recorder_has(&f->server, "\"tls\": true, \"login\": true"));
}

static void tls_from_the_first_byte_works(void **state)
{
    struct fixture *f = *state;

    start(f, "tls");
    post(f, (struct mail){.tls = MAIL_TLS_ALWAYS, .ca_file = f->server.cert}, "b@example.org");
    assert_string_equal(f->why, "");
    assert_int_equal(recorder_count(&f->server), 1);
}

static void a_wrong_password_is_told(void **state)
{
    struct fixture *f = *state;

    start(f, "starttls");
    post(f,
         (struct mail){.tls = MAIL_TLS_START,
                       .ca_file = f->server.cert,
                       .username = "gateway",
                       .password = "wrong"},
         "b@example.org");
    assert_int_equal(f->error, -EACCES);
    assert_int_equal(f->status, 535);
    assert_int_equal(recorder_count(&f->server), 0);
}

static void no_mail_goes_in_the_clear_where_starttls_is_wanted(void **state)
{
    struct fixture *f = *state;

    start(f, "plain");
    post(f, (struct mail){.tls = MAIL_TLS_START}, "b@example.org");
    assert_true(f->error < 0);
    assert_int_equal(recorder_count(&f->server), 0);
}

static void a_certificate_of_another_host_is_refused(void **state)
{
    struct fixture *f = *state;

    start(f, "starttls");
    post(f, (struct mail){.host = "127.0.0.1", .tls = MAIL_TLS_START, .ca_file = f->server.cert},
         "b@example.org");
    assert_int_equal(f->error, -EKEYREJECTED);
    assert_int_equal(recorder_count(&f->server), 0);
}

static void a_refused_address_is_told_with_the_reply(void **state)
{
    struct fixture *f = *state;

    start(f, "plain");
    post(f, (struct mail){0}, "nobody@example.org");
    assert_true(f->error < 0);
    assert_int_equal(f->status, 550);
    post(f, (struct mail){0}, "busy@example.org");
    assert_int_equal(f->status, 451);
}

static void a_dead_server_is_told(void **state)
{
    struct fixture *f = *state;

    post(f, (struct mail){.host = "127.0.0.1", .port = free_port()}, "b@example.org");
    assert_int_equal(f->error, -ECONNREFUSED);
    assert_int_equal(f->status, 0);
}

static void tick(void *owner)
{
    int *ticks = owner;

    ++*ticks;
}

/* The peer never answers the goodbye; meanwhile the loop goes on. */
static void a_server_that_ignores_quit_holds_up_nobody(void **state)
{
    struct fixture *f = *state;
    int ticks = 0;
    struct timer *timer = timer_new(f->guard.loop, tick, &ticks);

    start(f, "plain");
    timer_at(timer, clock_boot_ms() + 50);
    post(f, (struct mail){.timeout_ms = 1000}, "mute@example.org");
    assert_int_equal(ticks, 1);
    assert_int_equal(recorder_count(&f->server), 1);
    timer_free(timer);
}

static void mails_wait_for_each_other_and_all_arrive(void **state)
{
    struct fixture *f = *state;

    start(f, "plain");
    for (int i = 0; i < 5; i++)
        begin(f, (struct mail){0}, "b@example.org");
    while (f->answers < 5)
        guard_run(&f->guard);
    assert_int_equal(recorder_count(&f->server), 5);
}

static void cancelled_mails_are_not_told(void **state)
{
    struct fixture *f = *state;
    struct mail_call *first, *second;

    start(f, "plain");
    first = begin(f, (struct mail){0}, "b@example.org");
    second = begin(f, (struct mail){0}, "c@example.org");
    begin(f, (struct mail){0}, "d@example.org");
    mail_cancel(first);
    mail_cancel(second);
    mail_cancel(NULL);
    guard_run(&f->guard);
    assert_int_equal(f->answers, 1);
    assert_true(recorder_has(&f->server, "d@example.org"));
    assert_false(recorder_has(&f->server, "c@example.org"));
}

static void an_address_that_could_be_a_command_is_not_sent(void **state)
{
    struct fixture *f = *state;
    const char *to = "b@example.org>\r\nRCPT TO:<c@example.org";
    struct mail mail = {.host = "localhost",
                        .port = 25,
                        .from = "a@example.org",
                        .to = &to,
                        .n_to = 1,
                        .text = TEXT,
                        .size = 1,
                        .timeout_ms = 1000};
    struct mail_call *call = NULL;

    assert_int_equal(mail_send(f->client, &mail, on_answer, f, &call), -EINVAL);
    to = "b@example.org> SIZE=1";
    assert_int_equal(mail_send(f->client, &mail, on_answer, f, &call), -EINVAL);
}

static void what_is_under_way_at_the_end_is_not_told(void **state)
{
    struct fixture *f = *state;

    start(f, "plain");
    begin(f, (struct mail){0}, "b@example.org");
    begin(f, (struct mail){0}, "c@example.org");
    mail_client_free(f->client);
    f->client = NULL;
    guard_close(&f->guard);
    assert_int_equal(f->answers, 0);
    guard_open(&f->guard);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_mail_arrives_whole),
        TEST(starttls_and_a_login_work),
        TEST(tls_from_the_first_byte_works),
        TEST(a_wrong_password_is_told),
        TEST(no_mail_goes_in_the_clear_where_starttls_is_wanted),
        TEST(a_certificate_of_another_host_is_refused),
        TEST(a_refused_address_is_told_with_the_reply),
        TEST(a_dead_server_is_told),
        TEST(a_server_that_ignores_quit_holds_up_nobody),
        TEST(mails_wait_for_each_other_and_all_arrive),
        TEST(cancelled_mails_are_not_told),
        TEST(an_address_that_could_be_a_command_is_not_sent),
        TEST(what_is_under_way_at_the_end_is_not_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
