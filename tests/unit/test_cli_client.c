/* The client against a server that says what the test wants. */

#include "gateway/cli/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct server {
    char path[100];
    int fd;
    const char *says;
    size_t length;
    char heard[4096];
    pthread_t thread;
};

/* Until the peer is gone: what is closed with something unread is reset, not ended. */
static void hear_out(struct server *server, int fd, size_t at)
{
    ssize_t got;

    while (at < sizeof(server->heard) - 1 &&
           (got = recv(fd, server->heard + at, sizeof(server->heard) - 1 - at, 0)) > 0)
        at += (size_t)got;
}

static void *serve(void *owner)
{
    struct server *server = owner;
    int fd = accept(server->fd, NULL, NULL);
    ssize_t got = recv(fd, server->heard, sizeof(server->heard) - 1, 0);

    send(fd, server->says, server->length, MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    hear_out(server, fd, got > 0 ? (size_t)got : 0);
    close(fd);
    return NULL;
}

static void start(struct server *server, const char *says, size_t length)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    *server = (struct server){.says = says, .length = length};
    snprintf(server->path, sizeof(server->path), "/tmp/thermogate-client-%d", (int)getpid());
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", server->path);
    unlink(server->path);
    server->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(server->fd, 1), 0);
    pthread_create(&server->thread, NULL, serve, server);
}

static void stop(struct server *server)
{
    pthread_join(server->thread, NULL);
    close(server->fd);
    unlink(server->path);
}

/* The body, which the caller frees; NULL with the error in `err`. */
static char *ask(const char *says, size_t length, int *ret_status, struct error *err)
{
    struct server server;
    struct client_question question = {.method = "GET", .path = "/x"};
    struct client_answer answer = {0};
    int r;
    start(&server, says, length);
    question.socket = server.path;
    r = client_ask(&question, &answer, err);
    stop(&server);
    *ret_status = answer.status;
    return r < 0 ? NULL : answer.body;
}

static void expect_body(const char *says, int status, const char *body)
{
    struct error err = {0};
    int got;
    char *text = ask(says, strlen(says), &got, &err);
    if (!text || strcmp(text, body) != 0 || got != status)
        fail_msg("%s: %d %s %s", says, got, text ? text : "-", err.text);
    free(text);
}

static void expect_failure(const char *says, size_t length, const char *words)
{
    struct error err = {0};
    int got;
    char *text = ask(says, length, &got, &err);
    if (text || !strstr(err.text, words))
        fail_msg("%.200s: %s, %s", says, text ? text : "-", err.text);
    free(text);
}

static void answers_are_read_in_all_their_forms(void **state)
{
    (void)state;
    expect_body("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello");
    expect_body("HTTP/1.1 404 Not Found\r\ncontent-length:0\r\n\r\n", 404, "");
    expect_body("HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, "until the end");
    expect_body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
                200, "abc0123456789");
}

static void what_is_no_answer_is_refused(void **state)
{
    static const char *const rows[] = {
        "hello\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 xx\r\n\r\n",
        "HTTP/1.1 200 OK\r\nwhat\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect_failure(rows[i], strlen(rows[i]), "is no HTTP");
}

static void an_answer_that_breaks_off_is_no_answer(void **state)
{
    static const char *const rows[] = {
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect_failure(rows[i], strlen(rows[i]), "broke off");
}

static void endless_heads_and_bodies_are_not_waited_for(void **state)
{
    static char text[100000];
    size_t length;
    (void)state;
    memset(text, 'a', sizeof(text));
    expect_failure(text, sizeof(text), "Message too long");
    length = (size_t)sprintf(text, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 1000; i++)
        length += (size_t)sprintf(text + length, "X: y\r\n");
    expect_failure(text, length, "Message too long");
}

static int take(void *owner, const char *bytes, size_t count)
{
    strncat(owner, bytes, count);
    return strstr(owner, "stop") ? -EIO : 0;
}

static void a_good_body_is_taken_piece_by_piece_a_bad_one_is_kept(void **state)
{
    char got[100] = "";
    static const char good[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n";
    static const char bad[] = "HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno";
    static const char stops[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nstop";
    struct client_question question = {.method = "GET", .path = "/x", .take = take, .owner = got};
    struct client_answer answer;
    struct server server;
    (void)state;
    start(&server, good, strlen(good));
    question.socket = server.path;
    assert_int_equal(client_ask(&question, &answer, NULL), 0);
    stop(&server);
    assert_string_equal(got, "abcdef");
    assert_null(answer.body);
    start(&server, bad, strlen(bad));
    assert_int_equal(client_ask(&question, &answer, NULL), 0);
    stop(&server);
    assert_int_equal(answer.status, 503);
    assert_string_equal(answer.body, "no");
    free(answer.body);
    start(&server, stops, strlen(stops));
    assert_int_equal(client_ask(&question, &answer, NULL), -EIO);
    stop(&server);
}

static void the_question_is_http(void **state)
{
    static const char says[] = "HTTP/1.1 200 OK\r\n\r\n";
    struct client_question question = {
        .method = "POST", .path = "/p", .type = "text/csv", .body = "body", .length = 4};
    struct client_answer answer;
    struct server server;
    (void)state;
    start(&server, says, strlen(says));
    question.socket = server.path;
    assert_int_equal(client_ask(&question, &answer, NULL), 0);
    stop(&server);
    free(answer.body);
    assert_memory_equal(server.heard, "POST /p HTTP/1.1\r\nHost: ", 24);
    assert_non_null(strstr(server.heard, "Content-Type: text/csv\r\nContent-Length: 4\r\n\r\n"));
}

static void without_a_gateway_it_says_what_to_do(void **state)
{
    struct client_question question = {
        .socket = "/tmp/thermogate-nobody", .method = "GET", .path = "/"};
    struct client_answer answer;
    struct error err;
    (void)state;
    assert_int_equal(client_ask(&question, &answer, &err), -ENOENT);
    assert_non_null(strstr(err.text, "is it running? systemctl status thermogate"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_read_in_all_their_forms),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(an_answer_that_breaks_off_is_no_answer),
        cmocka_unit_test(endless_heads_and_bodies_are_not_waited_for),
        cmocka_unit_test(a_good_body_is_taken_piece_by_piece_a_bad_one_is_kept),
        cmocka_unit_test(the_question_is_http),
        cmocka_unit_test(without_a_gateway_it_says_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
