/* Versions, rights, limits and TLS of a real broker. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/mqtt/options.h"
#include "gateway/mqtt/session.h"
#include "tests/unit/mqtt_gateway.h"

#include <netdb.h>
#include <netinet/tcp.h>

/* -- versions, rights, limits ------------------------------------------------------------------ */

static void version_3_1_1_works_as_well(void **state)
{
    struct fixture *f = *state;

    start_and_listen(f, "version = \"3.1.1\"");
    for (uint64_t i = 1; i <= 100; i++)
        fire(f, i);
    assert_non_null(hear(f, "t/cellar/event", ":100\""));
    assert_non_null(hear(f, "t/cellar/health", NULL));
    assert_int_equal(mqtt_stop(f->mqtt, 1000), 0);
    f->mqtt = NULL;
    assert_non_null(hear(f, "t/cellar/status", "offline"));
}

static bool is_corked(struct session *session)
{
    int on = 0;
    socklen_t size = sizeof(on);

    assert_int_equal(getsockopt(session_fd(session), IPPROTO_TCP, TCP_CORK, &on, &size), 0);
    return on != 0;
}

static void what_was_corked_goes_when_the_cork_is_taken_off(void **state)
{
    static const struct session_calls calls = {0};
    struct fixture *f = *state;
    struct options options = {.host = (char *)"127.0.0.1",
                              .base = (char *)"t/cellar",
                              .client_id = (char *)"corked",
                              .port = f->broker.port,
                              .keep_alive_s = 30,
                              .v5 = true};
    struct session_message message = {.topic = "t/cellar/event", .payload = "last", .length = 4};
    struct session *session;
    struct error error;

    f->listener = listener_open(&f->broker);
    assert_int_equal(session_new(&options, &calls, NULL, &session, &error), 0);
    session_cork(session, true); /* of nothing: there is no connection yet */
    assert_int_equal(session_connect(session, &error), 0);
    session_cork(session, true);
    assert_true(is_corked(session));
    assert_int_equal(session_publish(session, &message), 0);
    session_cork(session, false);
    assert_false(is_corked(session));
    assert_non_null(hear(f, "t/cellar/event", "last"));
    session_close(session);
    session_free(session);
}

static int setup_with_password(void **state)
{
    struct fixture *f;
    char path[120];
    const char *command[] = {"mosquitto_passwd", "-b", "-c", path, "gw", "secret", NULL};

    setup_with(state, NULL);
    f = *state;
    broker_kill(&f->broker);
    snprintf(path, sizeof(path), "%s/users", f->broker.folder);
    if (broker_run(command) != 0 || chmod(path, 0644) < 0)
        return 1;
    snprintf(f->broker.extra, sizeof(f->broker.extra), "allow_anonymous false\npassword_file %s",
             path);
    return !broker_start(&f->broker);
}

static void only_the_right_password_gets_in(void **state)
{
    struct fixture *f = *state;
    char more[200];

    snprintf(more, sizeof(more), "username = \"gw\"; password_file = \"%s/password\"",
             f->broker.folder);
    broker_write_file(&f->broker, "password", "wrong\n");
    start(f, more);
    assert_complains("Not authorized");
    assert_false(mqtt_counts(f->mqtt).online);
    assert_int_equal(mqtt_stop(f->mqtt, 3000), 0);
    broker_write_file(&f->broker, "password", "secret\n");
    start(f, more);
    assert_true(wait_online(f, true));
}

static int setup_small_packets(void **state)
{
    return setup_with(state, "allow_anonymous true\nmax_packet_size 1500");
}

static void a_message_too_large_for_the_broker_does_not_cost_the_connection(void **state)
{
    struct fixture *f = *state;

    start_and_listen(f, "");
    assert_non_null(hear(f, "t/cellar/health", NULL));
    poll_boiler(f, 12);
    assert_non_null(hear(f, "t/cellar/boiler/state", "12.0"));
    assert_null(listener_find(f->listener, 0, "homeassistant/device/cellar-boiler/config", NULL));
    assert_int_equal(mqtt_counts(f->mqtt).connects, 1);
}

/* A CA with a certificate for "localhost", and another CA that has nothing to do with it. */
static bool make_certificates(const struct broker *broker)
{
    static const char script[] =
        "cd \"$0\" && "
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 2 "
        "&& "
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -subj "
        "/CN=other "
        "-days 2 && "
        "openssl req -newkey rsa:2048 -nodes -keyout broker.key -out broker.csr -subj "
        "/CN=localhost && "
        "openssl x509 -req -in broker.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out broker.pem "
        "-days 2 && chmod 644 broker.key";
    const char *command[] = {"sh", "-c", script, broker->folder, NULL};

    return broker_run(command) == 0;
}

static int setup_tls_with(void **state, const char *extra)
{
    struct fixture *f;

    setup_with(state, NULL);
    f = *state;
    broker_kill(&f->broker);
    if (!make_certificates(&f->broker))
        return 1;
    snprintf(f->broker.extra, sizeof(f->broker.extra),
             "allow_anonymous true\ncafile %s/ca.pem\ncertfile %s/broker.pem\n"
             "keyfile %s/broker.key\n%s",
             f->broker.folder, f->broker.folder, f->broker.folder, extra);
    return !broker_start(&f->broker);
}

static int setup_tls(void **state)
{
    return setup_tls_with(state, "");
}

static int setup_tls_both_ways(void **state)
{
    return setup_tls_with(state, "require_certificate true");
}

/* Not where there is no /etc/hosts. */
static bool localhost_resolves(void)
{
    struct addrinfo *found;

    if (getaddrinfo("localhost", NULL, NULL, &found) != 0)
        return false;
    freeaddrinfo(found);
    return true;
}

static void need_localhost(void)
{
    if (localhost_resolves())
        return;
    print_message("left out: this machine does not know \"localhost\"\n");
    skip();
}

static void a_broker_must_prove_who_it_is(void **state)
{
    struct fixture *f = *state;
    char more[200];

    need_localhost();
    snprintf(more, sizeof(more), "tls: { ca_file = \"%s/ca.pem\" }", f->broker.folder);
    assert_int_equal(start_at(f, "localhost", f->broker.port, more), 0);
    assert_true(wait_online(f, true));
    assert_int_equal(mqtt_stop(f->mqtt, 3000), 0);

    /* Another CA than the broker's; then the right one but another name. */
    snprintf(more, sizeof(more), "tls: { ca_file = \"%s/other.pem\" }", f->broker.folder);
    assert_int_equal(start_at(f, "localhost", f->broker.port, more), 0);
    assert_complains("certificate verify failed");
    assert_false(mqtt_counts(f->mqtt).online);
    assert_int_equal(mqtt_stop(f->mqtt, 3000), 0);
    snprintf(more, sizeof(more), "tls: { ca_file = \"%s/ca.pem\" }", f->broker.folder);
    assert_int_equal(start_at(f, "127.0.0.1", f->broker.port, more), 0);
    assert_complains("certificate");
    assert_false(mqtt_counts(f->mqtt).online);
}

/* That of the broker does for a client, too: the same CA has signed it. */
static void a_broker_that_asks_for_a_certificate_gets_ours(void **state)
{
    struct fixture *f = *state;
    const char *folder = f->broker.folder;
    char more[300];

    need_localhost();
    snprintf(more, sizeof(more), "tls: { ca_file = \"%s/ca.pem\" }", folder);
    assert_int_equal(start_at(f, "localhost", f->broker.port, more), 0);
    assert_complains("trying again");
    assert_false(mqtt_counts(f->mqtt).online);
    assert_int_equal(mqtt_stop(f->mqtt, 3000), 0);
    snprintf(more, sizeof(more),
             "tls: { ca_file = \"%s/ca.pem\"; cert_file = \"%s/broker.pem\"; "
             "key_file = \"%s/broker.key\" }",
             folder, folder, folder);
    assert_int_equal(start_at(f, "localhost", f->broker.port, more), 0);
    assert_true(wait_online(f, true));
}

static void certificates_are_read_anew_at_each_attempt(void **state)
{
    struct fixture *f = *state;
    const char *command[] = {"sh", "-c", "cp \"$0/ca.pem\" \"$0/other.pem\"", f->broker.folder,
                             NULL};
    char more[200];

    need_localhost();
    snprintf(more, sizeof(more), "tls: { ca_file = \"%s/other.pem\" }", f->broker.folder);
    assert_int_equal(start_at(f, "localhost", f->broker.port, more), 0);
    assert_complains("certificate verify failed");
    assert_int_equal(broker_run(command), 0);
    assert_true(wait_online(f, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(version_3_1_1_works_as_well),
        TEST(what_was_corked_goes_when_the_cork_is_taken_off),
        cmocka_unit_test_setup_teardown(only_the_right_password_gets_in, setup_with_password,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_message_too_large_for_the_broker_does_not_cost_the_connection, setup_small_packets,
            teardown),
        cmocka_unit_test_setup_teardown(a_broker_must_prove_who_it_is, setup_tls, teardown),
        cmocka_unit_test_setup_teardown(a_broker_that_asks_for_a_certificate_gets_ours,
                                        setup_tls_both_ways, teardown),
        cmocka_unit_test_setup_teardown(certificates_are_read_anew_at_each_attempt, setup_tls,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
