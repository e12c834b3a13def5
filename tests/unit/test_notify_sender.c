#include "gateway/notify/sender.h"
#include "tests/unit/notify_world.h"

#include <errno.h>

struct fixture {
    struct guard guard;
    struct recorder web;
    struct http_client *http;
    struct mail_client *mail;
    struct sender sender;
    struct outcome outcome;
    int done;
};

static void on_done(void *owner, const struct outcome *outcome)
{
    struct fixture *f = owner;

    f->outcome = *outcome;
    f->done++;
    loop_stop(f->guard.loop);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    recorders_environment();
    recorder_start(&f->web, "web-recorder", "", false);
    guard_open(&f->guard);
    f->http = http_client_new(f->guard.loop);
    f->mail = mail_client_new(f->guard.loop);
    sender_init(&f->sender, f->http, f->mail, on_done, f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    sender_cancel(&f->sender);
    http_client_free(f->http);
    mail_client_free(f->mail);
    guard_close(&f->guard);
    recorder_stop(&f->web);
    free(f);
    return 0;
}

static void begin(struct fixture *f, int port, const char *path, const char *secret)
{
    char url[200];
    struct http_request request = {.method = "GET", .url = url, .timeout_ms = 500};

    snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", port, path);
    assert_int_equal(sender_http(&f->sender, &request, secret), 0);
}

static void assert_outcome(void **state, const char *path, enum outcome_result result,
                           const char *words)
{
    struct fixture *f = *state;

    begin(f, f->web.port, path, NULL);
    guard_run(&f->guard);
    assert_int_equal(f->outcome.result, result);
    assert_string_equal(f->outcome.words, words);
}

static void answers_are_put_into_words(void **state)
{
    assert_outcome(state, "/", OUTCOME_DELIVERED, "HTTP 200");
    assert_outcome(state, "/status/500", OUTCOME_LATER, "HTTP 500: \"as asked\"");
    assert_outcome(state, "/status/401", OUTCOME_LATER, "HTTP 401: \"as asked\"");
    assert_outcome(state, "/status/400", OUTCOME_REFUSED, "HTTP 400: \"as asked\"");
    assert_outcome(state, "/status/413", OUTCOME_REFUSED, "HTTP 413: \"as asked\"");
    assert_outcome(state, "/redirect", OUTCOME_LATER,
                   "HTTP 302: it redirects; give the address that it redirects to");
}

static void a_server_may_say_when_to_come_back(void **state)
{
    struct fixture *f = *state;

    assert_outcome(state, "/later/429/7", OUTCOME_LATER, "HTTP 429");
    assert_int_equal(f->outcome.retry_after_ms, 7000);
}

static void silence_and_refusal_are_for_later(void **state)
{
    struct fixture *f = *state;

    begin(f, f->web.port, "/silent", NULL);
    guard_run(&f->guard);
    assert_int_equal(f->outcome.result, OUTCOME_LATER);
    assert_non_null(strstr(f->outcome.words, "timed out"));
    begin(f, free_port(), "/", NULL);
    guard_run(&f->guard);
    assert_int_equal(f->outcome.result, OUTCOME_LATER);
    assert_non_null(strstr(f->outcome.words, "connect"));
}

static void a_secret_that_the_server_repeats_is_hidden(void **state)
{
    struct fixture *f = *state;

    begin(f, f->web.port, "/echo?key=tk_very_secret", "tk_very_secret");
    guard_run(&f->guard);
    assert_int_equal(f->outcome.result, OUTCOME_LATER);
    assert_null(strstr(f->outcome.words, "secret"));
    assert_null(f->sender.secret);
}

static void a_mail_that_is_refused_or_late_is_told_apart(void **state)
{
    static const struct {
        const char *to;
        enum outcome_result result;
    } table[] = {{"nobody@example.org", OUTCOME_REFUSED},
                 {"busy@example.org", OUTCOME_LATER},
                 {"a@example.org", OUTCOME_DELIVERED}};
    struct fixture *f = *state;
    struct recorder server;

    recorder_start(&server, "mail-recorder", "plain", false);
    for (int i = 0; i < 3; i++) {
        struct mail mail = {.host = "127.0.0.1",
                            .port = (uint16_t)server.port,
                            .from = "g@example.org",
                            .to = &table[i].to,
                            .n_to = 1,
                            .text = "Subject: x\r\n\r\nx\r\n",
                            .size = 18,
                            .timeout_ms = 10000};

        assert_int_equal(sender_mail(&f->sender, &mail, NULL), 0);
        guard_run(&f->guard);
        assert_int_equal(f->outcome.result, table[i].result);
    }
    recorder_stop(&server);
}

static void what_is_cancelled_is_not_told(void **state)
{
    struct fixture *f = *state;

    begin(f, f->web.port, "/silent", "secret");
    sender_cancel(&f->sender);
    begin(f, f->web.port, "/", NULL);
    guard_run(&f->guard);
    assert_int_equal(f->done, 1);
    assert_int_equal(f->outcome.result, OUTCOME_DELIVERED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_are_put_into_words),
        TEST(a_server_may_say_when_to_come_back),
        TEST(silence_and_refusal_are_for_later),
        TEST(a_secret_that_the_server_repeats_is_hidden),
        TEST(a_mail_that_is_refused_or_late_is_told_apart),
        TEST(what_is_cancelled_is_not_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
