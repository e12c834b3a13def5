/* Outages and ends, with a broker that is killed and comes back without its memory. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "tests/unit/mqtt_gateway.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>

/* -- a resolver that hangs --------------------------------------------------------------------- */

#define SLOW_NAME "slow.example"

static atomic_bool resolver_asked, resolver_answers;

/* In place of the C library's, also for Paho. */
int getaddrinfo(const char *restrict name, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict ret)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (!name || strcmp(name, SLOW_NAME) != 0)
        return real(name, service, hints, ret);
    atomic_store(&resolver_asked, true);
    while (!atomic_load(&resolver_answers))
        poll(NULL, 0, 5);
    return EAI_AGAIN;
}

static int count_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    int count = 0;

    assert_non_null(tasks);
    while (readdir(tasks))
        count++;
    closedir(tasks);
    return count - 2; /* "." and ".." */
}

static void wait_until(bool (*is_so)(void))
{
    int64_t until_ms = broker_now_ms() + 2 * SOON_MS;

    while (!is_so() && broker_now_ms() < until_ms)
        poll(NULL, 0, 5);
    assert_true(is_so());
}

static bool is_asked(void)
{
    return atomic_load(&resolver_asked);
}

static void *nothing(void *arg)
{
    return arg;
}

/* With the first thread that is made ThreadSanitizer makes one of its own, which stays. */
static void make_first_thread(void)
{
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, nothing, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static int threads_before;

static bool is_alone(void)
{
    return count_threads() <= threads_before;
}

/* The loop goes on, the end does not wait, and the thread frees itself when it comes back. */
static void a_resolver_that_hangs_holds_up_nothing(void **state)
{
    struct fixture *f = *state;

    make_first_thread();
    threads_before = count_threads();
    assert_int_equal(start_at(f, SLOW_NAME, 1883, ""), 0);
    wait_until(is_asked);
    for (int i = 0; i < 100000; i++) /* more than the inbox holds */
        poll_hidden(f, i);
    fire(f, 1);
    assert_false(mqtt_counts(f->mqtt).online);
    assert_true(mqtt_counts(f->mqtt).superseded > 0);
    assert_int_equal(mqtt_stop(f->mqtt, 300), -ETIMEDOUT);
    f->mqtt = NULL;
    atomic_store(&resolver_answers, true);
    wait_until(is_alone);
}

/* -- outages ----------------------------------------------------------------------------------- */

static void a_broker_that_forgot_everything_is_told_within_ten_seconds(void **state)
{
    struct fixture *f = *state;
    int64_t back_ms;

    start(f, "");
    poll_boiler(f, 61.3);
    stand(f, HIGH, RULE_FIRING);
    stand(f, SILENT_1, RULE_RECOVERING);
    assert_true(wait_online(f, true));
    broker_kill(&f->broker);
    assert_true(wait_online(f, false));
    poll_boiler(f, 62.5); /* nobody hears it; it is the newest */
    assert_true(broker_start(&f->broker));
    back_ms = broker_now_ms();
    f->listener = listener_open(&f->broker);
    assert_non_null(f->listener);
    assert_non_null(hear(f, "t/cellar/boiler/state", "62.5"));
    assert_non_null(hear(f, "t/cellar/boiler/availability", "online"));
    assert_non_null(hear(f, "t/cellar/status", "online"));
    assert_non_null(hear(f, "homeassistant/device/cellar-gateway/config", NULL));
    assert_non_null(hear(f, "homeassistant/device/cellar-meter/config", NULL));
    assert_non_null(hear(f, "t/cellar/rule/high@boiler.flow_temp/state", "\"firing\""));
    assert_non_null(hear(f, "t/cellar/rule/silent/state", "\"firing\":1"));
    assert_non_null(hear(f, "t/cellar/health", NULL));
    assert_true(broker_now_ms() - back_ms < 10000);
    assert_null(listener_find(f->listener, 0, "t/cellar/boiler/state", "61.3"));
    assert_retained(f, "t/cellar/boiler/state", "62.5");
    assert_true(mqtt_counts(f->mqtt).unsent >= 1);
}

static void events_of_an_outage_arrive_once_and_in_order(void **state)
{
    struct fixture *f = *state;

    start_and_listen(f, "");
    fire(f, 1);
    assert_non_null(hear(f, "t/cellar/event", ":1\""));
    broker_kill(&f->broker);
    assert_true(wait_online(f, false));
    for (uint64_t i = 2; i <= 200; i++)
        fire(f, i);
    mqtt_sink.publish(f->mqtt, "home/siren", "ON", 1, false);
    assert_true(broker_start(&f->broker));
    listener_close(f->listener);
    f->listener = listener_open(&f->broker);
    assert_non_null(f->listener);
    assert_non_null(hear(f, "home/siren", "ON"));
    assert_events_in_order(f, 2, 200);
    assert_true(wait_online(f, true));
    assert_int_equal(mqtt_counts(f->mqtt).lost, 0);
}

static void events_that_were_under_way_when_the_broker_died_come_again(void **state)
{
    struct fixture *f = *state;
    uint64_t before;

    start_and_listen(f, "");
    assert_non_null(hear(f, "t/cellar/health", NULL));
    kill(f->broker.pid, SIGSTOP); /* takes what is sent and never answers */
    before = mqtt_counts(f->mqtt).published;
    for (uint64_t i = 2; i <= 6; i++)
        fire(f, i);
    assert_true(wait_published(f, before + 5));
    broker_kill(&f->broker);
    assert_true(broker_start(&f->broker));
    listener_close(f->listener);
    f->listener = listener_open(&f->broker);
    assert_non_null(hear(f, "t/cellar/event", ":6\""));
    assert_events_in_order(f, 2, 6);
}

static void a_gateway_may_start_before_its_broker(void **state)
{
    struct fixture *f = *state;

    broker_kill(&f->broker);
    start(f, "");
    poll_boiler(f, 44);
    fire(f, 1);
    assert_complains("nothing answers");
    assert_true(broker_start(&f->broker));
    f->listener = listener_open(&f->broker);
    assert_non_null(hear(f, "t/cellar/boiler/state", "44.0"));
}

static void a_host_that_does_not_resolve_blocks_nobody(void **state)
{
    struct fixture *f = *state;
    int64_t before_ms = broker_now_ms();

    assert_int_equal(start_at(f, "no-such-host.invalid", 1883, ""), 0);
    for (int i = 0; i < 1000; i++)
        poll_hidden(f, i);
    fire(f, 1);
    assert_true(broker_now_ms() - before_ms < 1000);
    assert_complains("does not resolve");
}

/* A socket that listens on a free port and never accepts. */
static int listen_in_silence(int *ret_sock)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(address);

    *ret_sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(*ret_sock, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(getsockname(*ret_sock, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(listen(*ret_sock, 5), 0);
    return ntohs(address.sin_port);
}

static void a_broker_that_accepts_and_says_nothing_does_not_hold_up_the_end(void **state)
{
    struct fixture *f = *state;
    int silent, port = listen_in_silence(&silent);
    int64_t before_ms;
    int r;

    assert_int_equal(start_at(f, "127.0.0.1", port, ""), 0);
    assert_int_equal(poll(&(struct pollfd){.fd = silent, .events = POLLIN}, 1, SOON_MS), 1);
    before_ms = broker_now_ms();
    r = mqtt_stop(f->mqtt, 300);
    f->mqtt = NULL;
    assert_true(r == 0 || r == -ETIMEDOUT);
    assert_true(broker_now_ms() - before_ms < 600);
    close(silent); /* the abandoned thread comes to its end by itself */
}

/* -- ends -------------------------------------------------------------------------------------- */

static void a_stop_says_offline_within_a_second(void **state)
{
    struct fixture *f = *state;
    int64_t before_ms;
    size_t from;

    start_and_listen(f, "");
    poll_boiler(f, 61.3);
    assert_non_null(hear(f, "t/cellar/health", NULL));
    assert_non_null(hear(f, "t/cellar/boiler/availability", "online"));
    from = f->listener->count;
    fire(f, 9); /* the last words are heard too */
    before_ms = broker_now_ms();
    assert_int_equal(mqtt_stop(f->mqtt, 1000), 0);
    f->mqtt = NULL;
    assert_true(broker_now_ms() - before_ms < 1000);
    assert_non_null(listener_wait(f->listener, from, "t/cellar/status", "offline", SOON_MS));
    assert_non_null(
        listener_wait(f->listener, from, "t/cellar/boiler/availability", "offline", SOON_MS));
    assert_non_null(listener_wait(f->listener, from, "t/cellar/event", ":9\"", SOON_MS));
    assert_retained(f, "t/cellar/status", "offline");
}

/* A gateway that somebody kills. It is forked while this program has no threads yet, and learns
 * then where its broker is. */
static struct {
    pid_t pid;
    int port; /* the end of a pipe to which its port is written */
} victim;

static void live_as_victim(int from)
{
    struct fixture f = {.texts = text_table_new()};
    int port;

    if (read(from, &port, sizeof(port)) != sizeof(port))
        _exit(0);
    f.site = site_new(f.texts);
    start_at(&f, "127.0.0.1", port, "");
    for (;;)
        pause();
}

static void fork_victim(void)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        abort();
    victim.pid = broker_fork();
    if (victim.pid == 0) {
        close(ends[1]);
        live_as_victim(ends[0]);
    }
    close(ends[0]);
    victim.port = ends[1];
}

static void the_last_will_says_offline_when_the_gateway_is_killed(void **state)
{
    struct fixture *f = *state;

    f->listener = listener_open(&f->broker);
    assert_int_equal(write(victim.port, &f->broker.port, sizeof(f->broker.port)),
                     sizeof(f->broker.port));
    assert_non_null(hear(f, "t/cellar/health", NULL));
    kill(victim.pid, SIGKILL);
    waitpid(victim.pid, NULL, 0);
    assert_non_null(hear(f, "t/cellar/status", "offline"));
    assert_retained(f, "t/cellar/status", "offline");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_resolver_that_hangs_holds_up_nothing),
        TEST(a_broker_that_forgot_everything_is_told_within_ten_seconds),
        TEST(events_of_an_outage_arrive_once_and_in_order),
        TEST(events_that_were_under_way_when_the_broker_died_come_again),
        TEST(a_gateway_may_start_before_its_broker),
        TEST(a_host_that_does_not_resolve_blocks_nobody),
        TEST(a_broker_that_accepts_and_says_nothing_does_not_hold_up_the_end),
        TEST(a_stop_says_offline_within_a_second),
        TEST(the_last_will_says_offline_when_the_gateway_is_killed),
    };

    fork_victim();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
