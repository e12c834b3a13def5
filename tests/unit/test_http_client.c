#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/http_client.h"
#include "tests/unit/loop_guard.h"
#include "tests/unit/recorders.h"

#include <errno.h>
#include <string.h>

struct fixture {
    struct guard guard;
    struct http_client *client;
    struct recorder web, secure;
    int answers, error, status;
    bool cut, again;
    size_t size;
    int64_t retry_after_ms;
    char why[300], body[200], url[200];
};

static struct fixture *only;

static int setup(void **state)
{
    struct fixture *f = only = calloc(1, sizeof(*f));

    recorders_environment();
    recorder_start(&f->web, "web-recorder", "", false);
    recorder_start(&f->secure, "web-recorder", "", true);
    guard_open(&f->guard);
    f->client = http_client_new(f->guard.loop);
    *state = f;
    return f->client ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    http_client_free(f->client);
    guard_close(&f->guard);
    recorder_stop(&f->web);
    recorder_stop(&f->secure);
    free(f);
    return 0;
}

static struct http_call *begin(struct fixture *f, struct http_request request);

static void on_answer(void *owner, const struct http_answer *answer)
{
    struct fixture *f = owner;

    f->answers++;
    f->error = answer->error;
    f->status = answer->status;
    f->cut = answer->cut;
    f->size = answer->size;
    f->retry_after_ms = answer->retry_after_ms;
    snprintf(f->why, sizeof(f->why), "%s", answer->why);
    snprintf(f->body, sizeof(f->body), "%s", answer->body);
    if (f->again) {
        f->again = false;
        begin(f, (struct http_request){0});
        return;
    }
    loop_stop(f->guard.loop);
}

static const char *url_of(struct fixture *f, const struct recorder *to, const char *scheme,
                          const char *host, const char *path)
{
    snprintf(f->url, sizeof(f->url), "%s://%s:%d%s", scheme, host, to->port, path);
    return f->url;
}

static struct http_call *begin(struct fixture *f, struct http_request request)
{
    struct http_call *call = NULL;

    if (!request.method)
        request.method = request.body ? "POST" : "GET";
    if (!request.url)
        request.url = f->url;
    if (!request.timeout_ms)
        request.timeout_ms = 10000;
    if (!request.answer_max)
        request.answer_max = 100;
    assert_int_equal(http_send(f->client, &request, on_answer, f, &call), 0);
    assert_non_null(call);
    return call;
}

static void ask(struct fixture *f, struct http_request request)
{
    f->answers = 0;
    begin(f, request);
    assert_int_equal(f->answers, 0); /* never from inside */
    guard_run(&f->guard);
    assert_int_equal(f->answers, 1);
}

static void ask_path(struct fixture *f, const char *path)
{
    ask(f, (struct http_request){.url = url_of(f, &f->web, "http", "127.0.0.1", path)});
}

/* -- the tests ----------------------------------------------------------------------------------
 */

static void a_request_arrives_with_its_headers_and_body(void **state)
{
    struct fixture *f = *state;
    const char *headers[] = {"Title: a b", "X-Two: 2"};

    ask(f, (struct http_request){.url = url_of(f, &f->web, "http", "127.0.0.1", "/topic?a=1"),
                                 .method = "PUT",
                                 .headers = headers,
                                 .n_headers = 2,
                                 .body = "hello",
                                 .size = 5,
                                 .username = "me",
                                 .password = "pw"});
    assert_int_equal(f->error, 0);
    assert_int_equal(f->status, 200);
    assert_string_equal(f->body, "{\"ok\":true}");
    assert_string_equal(f->why, "");
    assert_true(recorder_has(&f->web, "\"method\": \"PUT\", \"path\": \"/topic?a=1\""));
    assert_true(recorder_has(&f->web, "\"Title\": \"a b\""));
    assert_true(recorder_has(&f->web, "\"body\": \"hello\""));
    assert_true(recorder_has(&f->web, "Basic bWU6cHc="));
}

static void a_status_is_an_answer(void **state)
{
    ask_path(*state, "/status/500");
    assert_int_equal(only->error, 0);
    assert_int_equal(only->status, 500);
    assert_string_equal(only->body, "as asked");
}

static void retry_after_is_told(void **state)
{
    ask_path(*state, "/later/429/7");
    assert_int_equal(only->status, 429);
    assert_int_equal(only->retry_after_ms, 7000);
}

static void redirects_are_not_followed(void **state)
{
    ask_path(*state, "/redirect");
    assert_int_equal(only->status, 302);
    assert_int_equal(recorder_count(&only->web), 1);
}

static void reading_ends_at_the_limit(void **state)
{
    ask_path(*state, "/endless");
    assert_int_equal(only->error, 0);
    assert_int_equal(only->status, 200);
    assert_true(only->cut);
    assert_int_equal(only->size, 100);
}

static void a_server_that_is_silent_is_given_up_in_time(void **state)
{
    struct fixture *f = *state;
    int64_t started_ms = clock_boot_ms();

    ask(f, (struct http_request){.url = url_of(f, &f->web, "http", "127.0.0.1", "/silent"),
                                 .timeout_ms = 300});
    assert_int_equal(f->error, -ETIMEDOUT);
    assert_int_equal(f->status, 0);
    assert_true(f->why[0]);
    assert_in_range(clock_boot_ms() - started_ms, 290, 5000);
}

static void a_refused_connection_is_an_error_in_words(void **state)
{
    struct fixture *f = *state;

    snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%d/", free_port());
    ask(f, (struct http_request){0});
    assert_int_equal(f->error, -ECONNREFUSED);
    assert_non_null(strstr(f->why, "127.0.0.1"));
}

static void a_name_that_does_not_resolve_is_an_error(void **state)
{
    struct fixture *f = *state;

    ask(f, (struct http_request){.url = "http://nowhere.invalid/"});
    assert_int_equal(f->error, -EHOSTUNREACH);
    assert_non_null(strstr(f->why, "nowhere.invalid"));
}

static void an_address_that_is_none_is_an_error(void **state)
{
    struct fixture *f = *state;

    ask(f, (struct http_request){.url = "http://["});
    assert_int_equal(f->error, -EINVAL);
    ask(f, (struct http_request){.url = "file:///etc/passwd"});
    assert_int_equal(f->error, -EINVAL);
}

static void a_certificate_of_ours_is_trusted_when_it_is_named(void **state)
{
    struct fixture *f = *state;

    ask(f, (struct http_request){.url = url_of(f, &f->secure, "https", "localhost", "/"),
                                 .ca_file = f->secure.cert});
    assert_int_equal(f->error, 0);
    assert_int_equal(f->status, 200);
}

static void a_certificate_that_nobody_signed_is_refused(void **state)
{
    struct fixture *f = *state;

    ask(f, (struct http_request){.url = url_of(f, &f->secure, "https", "localhost", "/")});
    assert_int_equal(f->error, -EKEYREJECTED);
    assert_non_null(strstr(f->why, "certificate"));
    assert_int_equal(recorder_count(&f->secure), 0);
}

static void a_certificate_of_another_host_is_refused(void **state)
{
    struct fixture *f = *state;

    ask(f, (struct http_request){.url = url_of(f, &f->secure, "https", "127.0.0.1", "/"),
                                 .ca_file = f->secure.cert});
    assert_int_equal(f->error, -EKEYREJECTED);
    assert_int_equal(recorder_count(&f->secure), 0);
}

static void a_header_with_a_line_break_is_not_sent(void **state)
{
    struct fixture *f = *state;
    const char *headers[] = {"Title: a\r\nX-Evil: 1"};
    struct http_request request = {.method = "GET",
                                   .url = "http://127.0.0.1/",
                                   .headers = headers,
                                   .n_headers = 1,
                                   .timeout_ms = 1000};
    struct http_call *call = NULL;

    assert_int_equal(http_send(f->client, &request, on_answer, f, &call), -EINVAL);
    assert_null(call);
}

static void a_cancelled_request_is_not_told(void **state)
{
    struct fixture *f = *state;
    struct http_call *call;

    url_of(f, &f->web, "http", "127.0.0.1", "/silent");
    call = begin(f, (struct http_request){0});
    ask_path(f, "/");
    http_cancel(call);
    assert_int_equal(f->answers, 1);
    http_cancel(NULL);
}

static void an_answer_may_start_the_next_request(void **state)
{
    struct fixture *f = *state;

    f->again = true;
    url_of(f, &f->web, "http", "127.0.0.1", "/");
    begin(f, (struct http_request){0});
    guard_run(&f->guard);
    assert_int_equal(f->answers, 2);
}

static void many_requests_go_at_once(void **state)
{
    struct fixture *f = *state;

    url_of(f, &f->web, "http", "127.0.0.1", "/many");
    for (int i = 0; i < 30; i++)
        begin(f, (struct http_request){.body = "x", .size = 1});
    while (f->answers < 30)
        guard_run(&f->guard);
    assert_int_equal(f->status, 200);
    assert_int_equal(recorder_count(&f->web), 30);
}

static void what_is_under_way_at_the_end_is_not_told(void **state)
{
    struct fixture *f = *state;

    url_of(f, &f->web, "http", "127.0.0.1", "/silent");
    begin(f, (struct http_request){0});
    ask_path(f, "/");
    f->answers = 0;
    http_client_free(f->client);
    f->client = NULL;
    assert_int_equal(f->answers, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_arrives_with_its_headers_and_body),
        TEST(a_status_is_an_answer),
        TEST(retry_after_is_told),
        TEST(redirects_are_not_followed),
        TEST(reading_ends_at_the_limit),
        TEST(a_server_that_is_silent_is_given_up_in_time),
        TEST(a_refused_connection_is_an_error_in_words),
        TEST(a_name_that_does_not_resolve_is_an_error),
        TEST(an_address_that_is_none_is_an_error),
        TEST(a_certificate_of_ours_is_trusted_when_it_is_named),
        TEST(a_certificate_that_nobody_signed_is_refused),
        TEST(a_certificate_of_another_host_is_refused),
        TEST(a_header_with_a_line_break_is_not_sent),
        TEST(a_cancelled_request_is_not_told),
        TEST(an_answer_may_start_the_next_request),
        TEST(many_requests_go_at_once),
        TEST(what_is_under_way_at_the_end_is_not_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
