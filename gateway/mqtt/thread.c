#include "gateway/mqtt/thread.h"

#include "gateway/base/clock.h"
#include "gateway/base/json.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/queue.h"
#include "gateway/base/text.h"
#include "gateway/mqtt/certificates.h"
#include "gateway/mqtt/hass.h"
#include "gateway/mqtt/inbox.h"
#include "gateway/mqtt/news.h"
#include "gateway/mqtt/options.h"
#include "gateway/mqtt/publisher.h"
#include "gateway/mqtt/receiver.h"
#include "gateway/mqtt/retry.h"
#include "gateway/mqtt/session.h"
#include "gateway/mqtt/topics.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#define NEWS_MAX     4096 /* that wait for the loop; no more messages are ever under way */
#define ARRIVALS_MAX 64   /* commands between two turns of the loop */
#define DRAIN_MAX    4096 /* items between two looks at the broker */
#define CLOSE_MS     50   /* for the last words on the connection */
#define POLL_MAX_MS  3600000
#define OWN_SIZE     (TOPICS_SIZE * 6) /* of a topic in JSON, where all of it is escaped */
#define TWIN_MS      180000            /* another gateway that was not heard for so long has gone */

struct thread {
    pthread_t id;
    struct options *options;
    struct inbox *inbox;
    struct session *session;
    struct publisher *publisher;
    struct publisher_counters counters;
    int bell; /* eventfd: one of the next three was set */
    atomic_bool has_work, is_urgent, must_stop;
    struct queue *ended;              /* one int, when the thread is through */
    struct queue *news;               /* struct news: for the loop */
    struct queue *arrivals;           /* struct arrival: commands, for the loop */
    _Atomic(struct wake *) news_wake; /* the loop's; NULL: it does not want them */
    atomic_bool online;
    atomic_llong turn_ms; /* begin of the turn that is under way; -1: it waits */
    atomic_ullong connects;
    atomic_llong stop_by_ms, proven_ms;
    atomic_llong twin_ms, namesake_ms; /* when one was last heard; 0: never */
    atomic_int owners; /* the thread and who started it; the last one frees everything */

    /* The thread's own. */
    bool work, urgent, acked, more, stopping, is_online;
    int64_t retry_at, since_ms; /* since: of the present state, connected or not */
    struct retry retry;
    uint64_t unsent_before;
    char complaint[200]; /* the last one; the same is not said again */
    struct certificates certificates;
};

/* -- other threads -------------------------------------------------------------------------- */

/* A bell that has rung already is not rung again. */
static void ring_bell(struct thread *t, atomic_bool *why)
{
    static const uint64_t one = 1;

    if (!atomic_exchange(why, true) && write(t->bell, &one, sizeof(one)) < 0)
        log_debug("mqtt: the bell is full"); /* so it rings */
}

/* The loop: called by the inbox. */
static void on_inbox(void *owner, bool urgent)
{
    struct thread *t = owner;

    ring_bell(t, urgent ? &t->is_urgent : &t->has_work);
}

/* There is something for the loop. */
static void on_news(void *owner)
{
    struct thread *t = owner;
    struct wake *wake = atomic_load(&t->news_wake);

    if (wake)
        wake_send(wake);
}

/* -- from the session ------------------------------------------------------------------------- */

static void on_acked(void *owner, uint64_t tag, int reason)
{
    struct thread *t = owner;

    publisher_acked(t->publisher, tag, reason);
    t->acked = true;
}

static void on_birth(void *owner)
{
    struct thread *t = owner;

    publisher_birth(t->publisher, clock_boot_ms());
}

/* More than the queue holds are no people. */
static void on_arrival(void *owner, const struct arrival *arrival)
{
    struct thread *t = owner;

    queue_push(t->arrivals, arrival, 1);
}

/* What was retained may be our own, of an earlier run. */
static void on_health(void *owner, const char *payload, size_t length)
{
    struct thread *t = owner;
    char own[40];

    snprintf(own, sizeof(own), "\"instance\":\"%016llx\"",
             (unsigned long long)publisher_instance(t->publisher));
    if (length == 0 || memmem(payload, length, own, strlen(own)))
        return;
    if (atomic_exchange(&t->twin_ms, clock_boot_ms()) == 0)
        log_error("mqtt: another gateway publishes under %s, too: each spoils what the other says. "
                  "Give one of them its own gateway.name, gateway.id and mqtt.topic",
                  t->options->base);
}

/* The member of our own announcement that no other gateway's has; its length. */
static size_t write_own_status(const struct thread *t, char own[OWN_SIZE])
{
    char topic[TOPICS_SIZE];
    struct json json;
    size_t length;

    json_start(&json, own, OWN_SIZE);
    json_object(&json, NULL);
    json_text(&json, "stat_t", topics_status(topic, t->options->base));
    json_end(&json);
    length = json_length(&json) - 2; /* without the braces */
    memmove(own, own + 1, length);
    return length;
}

/* Ours names our own status. That of another base belongs to another gateway, which hands its
 * values to our entities. */
static void on_announced(void *owner, const char *payload, size_t length)
{
    struct thread *t = owner;
    char id[TOPICS_SIZE], own[OWN_SIZE];
    size_t own_length = write_own_status(t, own);

    snprintf(id, sizeof(id), "\"%s-gateway-" HASS_STATUS "\"", t->options->gateway_id);
    if (!memmem(payload, length, id, strlen(id)) || memmem(payload, length, own, own_length))
        return;
    if (atomic_exchange(&t->namesake_ms, clock_boot_ms()) == 0)
        log_error("mqtt: another gateway has the id %s, too: Home Assistant takes the two for one. "
                  "Give one of them its own gateway.id",
                  t->options->gateway_id);
}

static const struct session_calls session_calls = {.acked = on_acked,
                                                   .birth = on_birth,
                                                   .arrived = on_arrival,
                                                   .health = on_health,
                                                   .announced = on_announced};

/* -- the connection ------------------------------------------------------------------------- */

/* So that gateways of one site do not all come back in one moment: +-20 %. */
static int64_t jittered(int64_t ms)
{
    uint16_t random = 0;

    if (getrandom(&random, sizeof(random), 0) < 0)
        random = (uint16_t)clock_boot_us();
    return ms * (80 + random % 41) / 100;
}

static void retry_later(struct thread *t, int64_t now_ms)
{
    t->retry_at = now_ms + jittered(retry_delay(&t->retry, now_ms));
}

static void complain(struct thread *t, const char *words)
{
    if (strcmp(t->complaint, words) == 0)
        return;
    text_copy(t->complaint, sizeof(t->complaint), words);
    log_warn("mqtt: broker %s:%d: %s; trying again", t->options->host, t->options->port, words);
}

static void tell_loop(struct thread *t, enum news_what what, int64_t value)
{
    queue_push(t->news, &(struct news){.what = (uint8_t)what, .value = value}, 1);
}

static void come_online(struct thread *t)
{
    int64_t now_ms = clock_boot_ms();
    uint64_t unsent = atomic_load(&t->counters.unsent) - t->unsent_before;
    char away[40];

    text_from_duration(away, sizeof(away), now_ms - t->since_ms);
    if (atomic_load(&t->connects) == 0)
        log_info("mqtt: connected to %s:%d", t->options->host, t->options->port);
    else
        log_info("mqtt: broker %s:%d is back after %s; %llu polls were not sent", t->options->host,
                 t->options->port, away, (unsigned long long)unsent);
    t->complaint[0] = '\0';
    t->since_ms = now_ms;
    t->is_online = true;
    atomic_fetch_add(&t->connects, 1);
    atomic_store(&t->online, true);
    tell_loop(t, NEWS_ONLINE, now_ms);
    publisher_online(t->publisher, now_ms);
}

static void try_connect(struct thread *t)
{
    struct error error = {0};

    certificates_look(&t->certificates, t->options, clock_boot_ms());
    if (session_connect(t->session, &error) == 0) {
        come_online(t);
        return;
    }
    complain(t, error.text);
    retry_failed(&t->retry);
    retry_later(t, clock_boot_ms());
}

/* The broker says why to MQTT 5 at best. */
static void complain_of_twin(const struct thread *t)
{
    log_error("mqtt: the broker keeps ending the connection right after it was made: has another "
              "client the same client id \"%s\", as a second gateway with this config would? Give "
              "one of them a `client_id`, and its own gateway.id",
              t->options->client_id);
}

static void go_offline(struct thread *t)
{
    int64_t now_ms = clock_boot_ms();
    int reason = session_reason(t->session);

    retry_lost(&t->retry, now_ms - t->since_ms, now_ms);
    if (retry_is_thrown_out(&t->retry))
        complain_of_twin(t);
    if (reason)
        log_warn("mqtt: broker %s:%d closed the connection (reason 0x%02x)", t->options->host,
                 t->options->port, (unsigned)reason);
    else
        log_warn("mqtt: lost the broker %s:%d", t->options->host, t->options->port);
    t->since_ms = now_ms;
    t->is_online = false;
    t->unsent_before = atomic_load(&t->counters.unsent);
    atomic_store(&t->online, false);
    tell_loop(t, NEWS_OFFLINE, session_proven_ms(t->session));
    session_forget(t->session);
    publisher_offline(t->publisher);
    retry_later(t, now_ms);
}

static void check_connection(struct thread *t)
{
    if (t->is_online && !session_is_connected(t->session))
        go_offline(t);
}

/* -- the thread ----------------------------------------------------------------------------- */

static int timeout_of(int64_t until_ms)
{
    int64_t ms = until_ms - clock_boot_ms();

    return ms <= 0 ? 0 : ms > POLL_MAX_MS ? POLL_MAX_MS : (int)ms;
}

static void take_bell(struct thread *t)
{
    uint64_t count;

    if (read(t->bell, &count, sizeof(count)) < 0)
        return;
    t->work = atomic_exchange(&t->has_work, false) || t->work;
    t->urgent = atomic_exchange(&t->is_urgent, false) || t->urgent;
    t->stopping = atomic_load(&t->must_stop);
}

/* For the bell, and what comes from the broker. */
static void wait_until(struct thread *t, int64_t until_ms)
{
    int64_t session_ms = session_next_ms(t->session);
    struct pollfd fds[] = {{.fd = t->bell, .events = POLLIN},
                           {.fd = session_fd(t->session), .events = POLLIN}};

    if (t->is_online && !session_is_connected(t->session)) {
        go_offline(t); /* a publish has noticed it */
        return;
    }
    (void)poll(fds, 2, timeout_of(session_ms < until_ms ? session_ms : until_ms));
    if (fds[0].revents)
        take_bell(t);
    if (!fds[1].revents && clock_boot_ms() < session_ms)
        return;
    session_receive(t->session);
    atomic_store(&t->proven_ms, session_proven_ms(t->session));
    check_connection(t);
}

/* The first reading waits for others; acknowledgements meanwhile let the window move on. */
static void gather(struct thread *t)
{
    int64_t end_ms = clock_boot_ms() + t->options->gather_ms;

    while (!t->urgent && !t->stopping && clock_boot_ms() < end_ms) {
        wait_until(t, end_ms);
        if (t->acked)
            publisher_run(t->publisher, clock_boot_ms());
        t->acked = false;
    }
}

/* True when there may be more. */
static bool drain(struct thread *t)
{
    struct inbox_item item;

    t->work = t->urgent = t->acked = false;
    for (int i = 0; i < DRAIN_MAX; i++) {
        if (publisher_is_full(t->publisher) || !inbox_next(t->inbox, &item))
            return false; /* an acknowledgement comes first, or the bell */
        publisher_take(t->publisher, &item);
    }
    return true;
}

static int64_t next_ms(const struct thread *t)
{
    int64_t next_ms = t->is_online ? publisher_next_ms(t->publisher) : t->retry_at;

    if (t->more)
        return 0;
    return next_ms < t->certificates.look_at_ms ? next_ms : t->certificates.look_at_ms;
}

static void run_once(struct thread *t)
{
    int64_t now_ms;

    atomic_store(&t->turn_ms, -1);
    wait_until(t, next_ms(t));
    atomic_store(&t->turn_ms, clock_boot_ms());
    if (t->work && !t->more)
        gather(t);
    session_cork(t->session, true);
    t->more = drain(t);
    check_connection(t);
    now_ms = clock_boot_ms();
    if (!t->is_online && !t->stopping && now_ms >= t->retry_at)
        try_connect(t);
    if (now_ms >= t->certificates.look_at_ms)
        certificates_look(&t->certificates, t->options, now_ms);
    publisher_run(t->publisher, now_ms);
    session_cork(t->session, false);
}

static void say_goodbye(struct thread *t)
{
    int64_t until_ms = atomic_load(&t->stop_by_ms);

    while (drain(t))
        ;
    publisher_goodbye(t->publisher);
    while (t->is_online && clock_boot_ms() < until_ms) {
        publisher_run(t->publisher, clock_boot_ms());
        if (publisher_is_done(t->publisher))
            break;
        wait_until(t, until_ms);
        check_connection(t);
    }
    session_close(t->session);
}

static void free_all(struct thread *t)
{
    session_free(t->session);
    publisher_free(t->publisher);
    inbox_free(t->inbox);
    if (t->bell >= 0)
        close(t->bell);
    queue_free(t->ended);
    queue_free(t->news);
    queue_free(t->arrivals);
    options_free(t->options);
    free(t);
}

static void leave(struct thread *t)
{
    if (atomic_fetch_sub(&t->owners, 1) == 1)
        free_all(t);
}

static void *run(void *argument)
{
    struct thread *t = argument;
    int done = 1;

    pthread_setname_np(pthread_self(), "mqtt");
    while (!t->stopping)
        run_once(t);
    say_goodbye(t);
    queue_push(t->ended, &done, 1);
    leave(t);
    return NULL;
}

/* -- made and ended ------------------------------------------------------------------------- */

int thread_start(struct options *options, struct thread **ret_thread, struct error *reterr)
{
    struct thread *t = calloc(1, sizeof(*t));
    int r = -ENOMEM;

    if (!t) {
        options_free(options);
        return error_set(reterr, r, "mqtt: out of memory");
    }
    t->options = options;
    atomic_init(&t->owners, 2);
    atomic_init(&t->turn_ms, -1);
    t->since_ms = t->retry.since_ms = clock_boot_ms();
    t->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    t->ended = queue_new(sizeof(int), 1, QUEUE_REFUSE, NULL, NULL);
    t->news = queue_new(sizeof(struct news), NEWS_MAX, QUEUE_REFUSE, on_news, t);
    t->arrivals = queue_new(sizeof(struct arrival), ARRIVALS_MAX, QUEUE_REFUSE, on_news, t);
    t->inbox = inbox_new(on_inbox, t);
    if (t->bell < 0 || !t->ended || !t->news || !t->arrivals || !t->inbox) {
        error_set(reterr, r, "mqtt: out of memory or descriptors");
        goto fail;
    }
    r = session_new(options, &session_calls, t, &t->session, reterr);
    if (r < 0)
        goto fail;
    t->publisher = publisher_new(options, t->session, t->news, &t->counters);
    r = t->publisher ? -pthread_create(&t->id, NULL, run, t) : -ENOMEM;
    if (r < 0) {
        error_set(reterr, r, "mqtt: cannot start the thread: %s", strerror(-r));
        goto fail;
    }
    *ret_thread = t;
    return 0;
fail:
    free_all(t);
    return r;
}

int thread_stop(struct thread *t, int64_t wait_ms)
{
    int64_t now_ms = clock_boot_ms();
    int done;

    atomic_store(&t->stop_by_ms,
                 now_ms + (wait_ms > 2 * CLOSE_MS ? wait_ms - CLOSE_MS : wait_ms / 2));
    ring_bell(t, &t->must_stop);
    atomic_store(&t->news_wake, NULL);
    if (queue_wait(t->ended, &done, 1, now_ms + wait_ms) == 0) {
        pthread_detach(t->id);
        leave(t);
        return -ETIMEDOUT;
    }
    pthread_join(t->id, NULL);
    leave(t);
    return 0;
}

struct queue *thread_news(struct thread *thread, struct wake *wake)
{
    atomic_store(&thread->news_wake, wake);
    return thread->news;
}

struct inbox *thread_inbox(struct thread *thread)
{
    return thread->inbox;
}

const struct options *thread_options(const struct thread *thread)
{
    return thread->options;
}

const struct publisher_counters *thread_counters(const struct thread *thread)
{
    return &thread->counters;
}

int64_t thread_stuck_ms(const struct thread *thread)
{
    int64_t turn_ms = atomic_load(&thread->turn_ms);

    return turn_ms < 0 ? 0 : clock_boot_ms() - turn_ms;
}

bool thread_is_online(const struct thread *thread)
{
    return atomic_load(&thread->online);
}

int64_t thread_certified_ms(const struct thread *thread)
{
    return atomic_load(&thread->certificates.until_ms);
}

static bool was_heard(const atomic_llong *heard_ms)
{
    long long ms = atomic_load(heard_ms);

    return ms != 0 && clock_boot_ms() - ms < TWIN_MS;
}

bool thread_has_twin(const struct thread *thread)
{
    return was_heard(&thread->twin_ms);
}

bool thread_has_namesake(const struct thread *thread)
{
    return was_heard(&thread->namesake_ms);
}

uint64_t thread_connects(const struct thread *thread)
{
    return atomic_load(&thread->connects);
}

int64_t thread_proven_ms(const struct thread *thread)
{
    return atomic_load(&thread->proven_ms);
}

struct queue *thread_arrivals(struct thread *thread)
{
    return thread->arrivals;
}
