/* What transcripts cannot show: connections that come and go, are shared, and rest. The peer is a
 * thread that answers every request with the number of its register. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/modbus/connection.h"
#include "adapters/modbus/modbus.h"
#include "gateway/base/clock.h"
#include "gateway/base/enclosing.h"
#include "gateway/base/loop.h"
#include "modbus_config.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEADLINE_MS 20000
#define PEERS_MAX   8

struct server {
    int listener;
    uint16_t port;
    pthread_t thread;
    atomic_bool stop;
    atomic_int accepted, requests;
    atomic_bool slam;         /* takes connections and closes them at once */
    atomic_llong shortest_us; /* between an answer and the next request */
    int64_t answered_us;
};

struct fixture {
    struct server server;
    bool serving;
    struct loop *loop;
    struct timer *deadline, *tick;
    struct adapter_host host;
    struct made *made;
    void *bus;
    char connect[40];
    double newest[MADE_DEVICES];
    uint8_t ends[MADE_DEVICES];
    size_t waiting;
    int ups, downs, exchanges[MADE_DEVICES];
    struct adapter_exchange exchange; /* the last */
};

/* -- the peer ------------------------------------------------------------------------------- */

static bool answer(struct server *server, int fd)
{
    uint8_t in[12], out[300];
    ssize_t n = recv(fd, in, sizeof(in), MSG_WAITALL);
    int64_t now_us = clock_boot_us();
    unsigned address = (unsigned)(in[8] << 8 | in[9]), count = (unsigned)(in[10] << 8 | in[11]);

    if (n != (ssize_t)sizeof(in))
        return false;
    if (server->answered_us && now_us - server->answered_us < atomic_load(&server->shortest_us))
        atomic_store(&server->shortest_us, now_us - server->answered_us);
    atomic_fetch_add(&server->requests, 1);
    memcpy(out, in, 8);
    out[4] = 0;
    out[5] = (uint8_t)(3 + count * 2);
    out[8] = (uint8_t)(count * 2);
    for (unsigned i = 0; i < count; i++) {
        out[9 + 2 * i] = (uint8_t)((address + i) >> 8);
        out[10 + 2 * i] = (uint8_t)(address + i);
    }
    server->answered_us = clock_boot_us();
    return send(fd, out, 9 + count * 2, MSG_NOSIGNAL) > 0;
}

static void *serve(void *owner)
{
    struct server *server = owner;
    struct pollfd fds[1 + PEERS_MAX] = {{server->listener, POLLIN, 0}};
    nfds_t n = 1;

    while (!atomic_load(&server->stop)) {
        if (poll(fds, n, 10) <= 0)
            continue;
        for (nfds_t i = n - 1; i > 0; i--) {
            if (fds[i].revents && !answer(server, fds[i].fd)) {
                close(fds[i].fd);
                fds[i] = fds[--n];
            }
        }
        if (fds[0].revents) {
            fds[n] = (struct pollfd){accept(server->listener, NULL, NULL), POLLIN, 0};
            atomic_fetch_add(&server->accepted, 1);
            if (atomic_load(&server->slam))
                close(fds[n].fd);
            else
                n++;
        }
    }
    while (n > 1)
        close(fds[--n].fd);
    return NULL;
}

static void start_server(struct fixture *f)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(f->server.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int yes = 1;

    f->server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(f->server.listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    assert_int_equal(bind(f->server.listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(f->server.listener, PEERS_MAX), 0);
    getsockname(f->server.listener, (struct sockaddr *)&address, &size);
    f->server.port = ntohs(address.sin_port);
    atomic_store(&f->server.stop, false);
    assert_int_equal(pthread_create(&f->server.thread, NULL, serve, &f->server), 0);
    f->serving = true;
}

static void stop_server(struct fixture *f)
{
    if (!f->serving)
        return;
    atomic_store(&f->server.stop, true);
    pthread_join(f->server.thread, NULL);
    close(f->server.listener);
    f->serving = false;
}

/* -- the host ------------------------------------------------------------------------------- */

static struct fixture *fixture_of(struct adapter_host *host)
{
    return enclosing(host, struct fixture, host);
}

static void on_report(struct adapter_host *host, uint32_t device, const struct sample *samples,
                      size_t count)
{
    assert_int_equal(count, 1);
    if (samples[0].quality == QUALITY_GOOD)
        fixture_of(host)->newest[device] = samples[0].number;
}

static struct sample *on_scratch(struct adapter_host *host)
{
    static struct sample samples[200];
    (void)host;
    return samples;
}

static void on_end(struct adapter_host *host, uint64_t ticket, uint8_t quality)
{
    struct fixture *f = fixture_of(host);

    f->ends[ticket] = quality;
    if (--f->waiting == 0)
        loop_stop(f->loop);
}

static void on_exchanged(struct adapter_host *host, uint32_t device,
                         const struct adapter_exchange *exchange)
{
    struct fixture *f = fixture_of(host);

    f->exchanges[device]++;
    f->exchange = *exchange;
}

static void on_link(struct adapter_host *host, const char *link, const char *why)
{
    struct fixture *f = fixture_of(host);

    (void)link;
    if (why)
        f->downs++;
    else
        f->ups++;
}

static void on_deadline(void *owner)
{
    (void)owner;
    fail_msg("a poll did not end within %d ms", DEADLINE_MS);
}

static void on_tick(void *owner)
{
    struct fixture *f = owner;

    loop_stop(f->loop);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    signal(SIGPIPE, SIG_IGN);
    atomic_store(&f->server.shortest_us, INT64_MAX);
    f->loop = loop_new();
    f->deadline = timer_new(f->loop, on_deadline, f);
    f->tick = timer_new(f->loop, on_tick, f);
    f->host = (struct adapter_host){.loop = f->loop,
                                    .report = on_report,
                                    .scratch = on_scratch,
                                    .end = on_end,
                                    .link = on_link,
                                    .exchanged = on_exchanged,
                                    .note = made_note,
                                    .learnt = made_learnt,
                                    .recall = made_recall};
    start_server(f);
    snprintf(f->connect, sizeof(f->connect), "tcp://127.0.0.1:%u", f->server.port);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    modbus_tcp_adapter.close(f->bus);
    timer_free(f->deadline);
    timer_free(f->tick);
    loop_free(f->loop);
    stop_server(f);
    made_free(f->made);
    free(f);
    return 0;
}

/* Device i has unit i + 1 and reads register 10 * i. */
static void open_bus(struct fixture *f, const char *bus, int n)
{
    struct error err;

    f->made = made_bus(&modbus_tcp_adapter, bus);
    for (int i = 0; i < n; i++) {
        char device[20], channel[40];
        const char *const channels[] = {channel, NULL};

        snprintf(device, sizeof(device), "unit=%d", i + 1);
        snprintf(channel, sizeof(channel), "register=holding %d", 10 * i);
        made_device(f->made, &modbus_tcp_adapter, f->connect, device, channels);
    }
    modbus_tcp_adapter.check(&f->made->config, f->made->problems);
    assert_int_equal(problems_errors(f->made->problems), 0);
    assert_int_equal(modbus_tcp_adapter.open(&f->made->config, &f->host, &f->bus, &err), 0);
}

static void poll_all(struct fixture *f)
{
    f->waiting = f->made->config.n_devices;
    for (uint32_t i = 0; i < f->made->config.n_devices; i++)
        modbus_tcp_adapter.begin(f->bus, i, i);
    timer_at(f->deadline, clock_boot_ms() + DEADLINE_MS);
    loop_run(f->loop);
}

/* Polls device 0 every 20 ms until it is good; how long that took. */
static int64_t poll_until_good(struct fixture *f)
{
    int64_t began_ms = clock_boot_ms();

    for (poll_all(f); f->ends[0] != QUALITY_GOOD; poll_all(f)) {
        assert_true(clock_boot_ms() - began_ms < DEADLINE_MS);
        timer_at(f->tick, clock_boot_ms() + 20);
        loop_run(f->loop);
    }
    return clock_boot_ms() - began_ms;
}

/* -- tests ---------------------------------------------------------------------------------- */

static void devices_with_one_address_share_one_connection(void **state)
{
    struct fixture *f = *state;

    open_bus(f, "timeout=5s", 30);
    for (int round = 0; round < 3; round++) {
        poll_all(f);
        for (int i = 0; i < 30; i++) {
            assert_int_equal(f->ends[i], QUALITY_GOOD);
            assert_true(f->newest[i] == 10 * i);
        }
    }
    assert_int_equal(atomic_load(&f->server.accepted), 1);
    assert_int_equal(atomic_load(&f->server.requests), 90);
}

static void every_request_is_counted_with_its_times(void **state)
{
    struct fixture *f = *state;

    open_bus(f, "timeout=5s; pause_between_requests=20ms", 2);
    poll_all(f);
    poll_all(f);
    assert_int_equal(f->exchanges[0], 2);
    assert_int_equal(f->exchanges[1], 2);
    assert_int_equal(f->exchange.quality, QUALITY_GOOD);
    assert_true(f->exchange.answer_us >= 0);
    assert_true(f->exchange.busy_us >= f->exchange.answer_us + 15000);
    assert_false(f->exchange.reconnected);
}

static void many_requests_may_be_in_flight_at_once(void **state)
{
    struct fixture *f = *state;

    open_bus(f, "timeout=5s; parallel=8", 30);
    for (int round = 0; round < 3; round++) {
        poll_all(f);
        for (int i = 0; i < 30; i++) {
            assert_int_equal(f->ends[i], QUALITY_GOOD);
            assert_true(f->newest[i] == 10 * i);
        }
    }
    assert_int_equal(atomic_load(&f->server.accepted), 1);
    assert_int_equal(atomic_load(&f->server.requests), 90);
}

/* The server on ::1 instead of 127.0.0.1; false where the machine has no IPv6. */
static bool move_to_ipv6(struct fixture *f)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t size = sizeof(address);

    stop_server(f);
    f->server.listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (f->server.listener < 0 ||
        bind(f->server.listener, (struct sockaddr *)&address, size) != 0) {
        close(f->server.listener);
        return false;
    }
    assert_int_equal(listen(f->server.listener, PEERS_MAX), 0);
    getsockname(f->server.listener, (struct sockaddr *)&address, &size);
    snprintf(f->connect, sizeof(f->connect), "tcp://[::1]:%u", ntohs(address.sin6_port));
    atomic_store(&f->server.stop, false);
    assert_int_equal(pthread_create(&f->server.thread, NULL, serve, &f->server), 0);
    f->serving = true;
    return true;
}

static void an_ipv6_address_is_reached(void **state)
{
    struct fixture *f = *state;

    if (!move_to_ipv6(f))
        skip();
    open_bus(f, "timeout=5s", 2);
    poll_all(f);
    assert_int_equal(f->ends[0], QUALITY_GOOD);
    assert_int_equal(f->ends[1], QUALITY_GOOD);
}

/* A name may resolve later than we start; there is no telling when, so it is looked up each time.
 */
static void a_name_that_does_not_resolve_ends_polls_and_is_told_once(void **state)
{
    struct fixture *f = *state;

    snprintf(f->connect, sizeof(f->connect), "tcp://no-such-host.invalid:1502");
    open_bus(f, "timeout=5s", 1);
    for (int i = 0; i < 3; i++) {
        poll_all(f);
        assert_int_equal(f->ends[0], QUALITY_DISCONNECTED);
    }
    assert_int_equal(f->downs, 1);
}

static void nothing_is_opened_before_the_first_poll(void **state)
{
    struct fixture *f = *state;

    open_bus(f, "timeout=5s", 1);
    timer_at(f->tick, clock_boot_ms() + 50);
    loop_run(f->loop);
    assert_int_equal(atomic_load(&f->server.accepted), 0);
}

static void a_refused_connection_ends_polls_soon_and_is_told_once(void **state)
{
    struct fixture *f = *state;
    int64_t began_ms;

    stop_server(f);
    open_bus(f, "timeout=5s", 3);
    began_ms = clock_boot_ms();
    for (int i = 0; i < 20; i++) {
        poll_all(f);
        assert_int_equal(f->ends[0], QUALITY_DISCONNECTED);
        assert_int_equal(f->ends[2], QUALITY_DISCONNECTED);
    }
    assert_true(clock_boot_ms() - began_ms < 5000);
    assert_int_equal(f->downs, 1);
    assert_int_equal(f->ups, 0);
}

static void a_peer_that_was_restarted_is_back_within_five_seconds(void **state)
{
    struct fixture *f = *state;

    open_bus(f, "timeout=5s; retries=0", 1);
    poll_until_good(f);
    stop_server(f);
    for (poll_all(f); f->ends[0] == QUALITY_GOOD; poll_all(f))
        ;
    timer_at(f->tick, clock_boot_ms() + 1500);
    loop_run(f->loop);
    start_server(f);
    assert_true(poll_until_good(f) < 5000);
    assert_true(f->exchange.reconnected);
    assert_int_equal(f->ups, 2);
    assert_int_equal(f->downs, 1);
}

static void a_peer_that_slams_the_door_is_not_stormed(void **state)
{
    struct fixture *f = *state;
    int64_t until_ms;

    atomic_store(&f->server.slam, true);
    open_bus(f, "timeout=5s", 1);
    until_ms = clock_boot_ms() + 2000;
    while (clock_boot_ms() < until_ms) {
        poll_all(f);
        assert_int_equal(f->ends[0], QUALITY_DISCONNECTED);
        timer_at(f->tick, clock_boot_ms() + 5);
        loop_run(f->loop);
    }
    assert_true(atomic_load(&f->server.accepted) <= 5);
    assert_int_equal(f->downs, 1);
}

static void pauses_between_requests_and_units_are_kept(void **state)
{
    struct fixture *f = *state;

    open_bus(f, "timeout=5s; pause_between_requests=5ms; pause_between_units=30ms", 3);
    poll_all(f);
    assert_true(atomic_load(&f->server.shortest_us) >= 29000);
}

static void a_pause_after_connect_is_kept(void **state)
{
    struct fixture *f = *state;
    int64_t began_ms;

    open_bus(f, "timeout=5s; pause_after_connect=100ms", 1);
    began_ms = clock_boot_ms();
    poll_all(f);
    assert_int_equal(f->ends[0], QUALITY_GOOD);
    assert_true(clock_boot_ms() - began_ms >= 100);
    poll_all(f);
    assert_int_equal(f->ends[0], QUALITY_GOOD);
}

struct asker {
    struct fixture *f;
    struct adapter_answer answer;
    int answers;
};

static void take_answer(void *owner, const struct adapter_answer *answer)
{
    struct asker *asker = owner;

    asker->answer = *answer;
    asker->answers++;
    loop_stop(asker->f->loop);
}

static struct adapter_question question_of(struct asker *asker, uint8_t unit, uint16_t address)
{
    return (struct adapter_question){.unit = unit,
                                     .function = 3,
                                     .address = address,
                                     .count = 1,
                                     .timeout_ms = 5000,
                                     .done = take_answer,
                                     .asker = asker};
}

static const struct adapter_answer *ask(struct asker *asker,
                                        const struct adapter_question *question)
{
    struct fixture *f = asker->f;
    int before = asker->answers;

    assert_int_equal(modbus_tcp_adapter.begin_ask(f->bus, 0, question), 0);
    assert_int_equal(asker->answers, before); /* never from inside */
    timer_at(f->deadline, clock_boot_ms() + DEADLINE_MS);
    while (asker->answers == before)
        loop_run(f->loop);
    return &asker->answer;
}

static void a_question_goes_over_the_same_connection(void **state)
{
    struct asker asker = {.f = *state};
    struct adapter_question known = question_of(&asker, 2, 77), other = question_of(&asker, 99, 78);

    open_bus(asker.f, "timeout=5s", 2);
    poll_all(asker.f);
    assert_int_equal(ask(&asker, &known)->quality, QUALITY_GOOD);
    assert_int_equal(asker.answer.bytes[1], 77);
    assert_int_equal(asker.f->exchanges[1], 2);
    assert_int_equal(ask(&asker, &other)->bytes[1], 78);
    assert_int_equal(atomic_load(&asker.f->server.accepted), 1);
}

static void what_was_read_a_moment_ago_is_not_asked_again_on_a_shared_bus(void **state)
{
    struct asker asker = {.f = *state};
    struct adapter_question question = question_of(&asker, 2, 10);

    open_bus(asker.f, "timeout=5s; share=tcp://192.0.2.1:1502", 2); /* an address of nobody */
    poll_all(asker.f);
    question.fresh_ms = DEADLINE_MS;
    assert_int_equal(ask(&asker, &question)->bytes[1], 10);
    assert_int_equal(atomic_load(&asker.f->server.requests), 2);
    question.fresh_ms = 0;
    assert_int_equal(ask(&asker, &question)->bytes[1], 10);
    assert_int_equal(atomic_load(&asker.f->server.requests), 3);
}

static void who_asks_hears_that_there_is_no_connection(void **state)
{
    struct asker asker = {.f = *state};
    struct adapter_question question = question_of(&asker, 1, 0);

    open_bus(asker.f, "", 1);
    stop_server(asker.f);
    poll_all(asker.f);
    assert_int_equal(ask(&asker, &question)->quality, QUALITY_DISCONNECTED);
}

static void more_questions_than_can_wait_are_answered_at_once(void **state)
{
    struct asker asker = {.f = *state};
    struct adapter_question question = question_of(&asker, 1, 0);

    open_bus(asker.f, "", 1);
    for (int i = 0; i < 40; i++)
        assert_int_equal(modbus_tcp_adapter.begin_ask(asker.f->bus, 0, &question), 0);
    modbus_tcp_adapter.close(asker.f->bus); /* so are those that still wait then */
    asker.f->bus = NULL;
    assert_int_equal(asker.answers, 40);
    assert_int_equal(asker.answer.quality, QUALITY_DISCONNECTED);
}

static void a_bus_can_be_closed_in_the_middle(void **state)
{
    struct fixture *f = *state;

    open_bus(f, "timeout=5s", 5);
    for (uint32_t i = 0; i < 5; i++)
        modbus_tcp_adapter.begin(f->bus, i, i);
    modbus_tcp_adapter.close(f->bus);
    f->bus = NULL;
    timer_at(f->tick, clock_boot_ms() + 20);
    loop_run(f->loop);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(devices_with_one_address_share_one_connection),
        TEST(every_request_is_counted_with_its_times),
        TEST(many_requests_may_be_in_flight_at_once),
        TEST(an_ipv6_address_is_reached),
        TEST(a_name_that_does_not_resolve_ends_polls_and_is_told_once),
        TEST(nothing_is_opened_before_the_first_poll),
        TEST(a_refused_connection_ends_polls_soon_and_is_told_once),
        TEST(a_peer_that_was_restarted_is_back_within_five_seconds),
        TEST(a_peer_that_slams_the_door_is_not_stormed),
        TEST(pauses_between_requests_and_units_are_kept),
        TEST(a_pause_after_connect_is_kept),
        TEST(a_question_goes_over_the_same_connection),
        TEST(what_was_read_a_moment_ago_is_not_asked_again_on_a_shared_bus),
        TEST(who_asks_hears_that_there_is_no_connection),
        TEST(more_questions_than_can_wait_are_answered_at_once),
        TEST(a_bus_can_be_closed_in_the_middle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
