/* The room gateway/mqtt under test, between a loop that is played here and a real broker. Include
 * it after cmocka's headers. */
#pragma once

#include "config/config.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/mqtt/mqtt.h"
#include "rules/rules.h"
#include "tests/unit/mqtt_broker.h"
#include "tests/unit/mqtt_site.h"

#include <cjson/cJSON.h>
#include <stdatomic.h>

#define SOON_MS 10000 /* far more than anything takes; a failing test waits so long */

static const struct setting root[] = {
    {.key = "mqtt", .forms = SETTING_GROUP, .inside = mqtt_settings},
    {0},
};

struct fixture {
    struct broker broker;
    struct listener *listener;
    struct text_table *texts;
    struct inventory *site;
    struct mqtt *mqtt;
};

/* The thread's complaints that it cannot connect are events to wait for. */
static atomic_int complaints;
static char complaint[300];

static inline void on_log(void *owner, enum log_level level, const char *line)
{
    (void)owner;
    (void)level;
    if (strstr(line, "trying again")) {
        snprintf(complaint, sizeof(complaint), "%s", line);
        atomic_fetch_add(&complaints, 1);
    }
    if (getenv("THERMOGATE_TEST_LOG"))
        fprintf(stderr, "%s\n", line);
}

static inline int setup_with(void **state, const char *extra)
{
    struct fixture *f = calloc(1, sizeof(*f));

    *state = f;
    atomic_store(&complaints, 0);
    log_set_sink(on_log, NULL);
    f->texts = text_table_new();
    f->site = site_new(f->texts);
    if (!broker_open(&f->broker, extra))
        return 1;
    return !broker_start(&f->broker);
}

static inline int setup(void **state)
{
    return setup_with(state, NULL);
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;

    mqtt_stop(f->mqtt, 5000);
    listener_close(f->listener);
    broker_close(&f->broker);
    inventory_release(f->site);
    text_table_free(f->texts);
    free(f);
    log_set_sink(NULL, NULL);
    return 0;
}

/* -- the gateway's side ------------------------------------------------------------------------ */

/* What the loop would do at the start. */
static inline int start_at(struct fixture *f, const char *host, int port, const char *more)
{
    struct problems *problems = problems_new();
    struct error error = {0};
    struct conf *conf;
    char text[1000];
    int r;

    snprintf(text, sizeof(text), "mqtt: { host = \"%s\"; port = %d; topic = \"t/cellar\"; %s }",
             host, port, more);
    conf_read_text("test.cfg", text, strlen(text), root, problems, &conf);
    assert_int_equal(problems_errors(problems), 0);
    r = mqtt_start(section_child(conf_root(conf), "mqtt"),
                   &(struct mqtt_gateway){"cellar", "cellar"}, &f->mqtt, &error);
    if (r == 0)
        mqtt_sink.inventory(f->mqtt, f->site);
    conf_free(conf);
    problems_free(problems);
    return r;
}

static inline void start(struct fixture *f, const char *more)
{
    assert_int_equal(start_at(f, "127.0.0.1", f->broker.port, more), 0);
}

static inline void start_and_listen(struct fixture *f, const char *more)
{
    f->listener = listener_open(&f->broker);
    assert_non_null(f->listener);
    start(f, more);
}

static inline struct reading number(uint32_t sensor, double value)
{
    return (struct reading){
        .sensor = sensor, .kind = VALUE_NUMBER, .number = value, .at_ms = clock_boot_ms()};
}

static inline void poll_hidden(struct fixture *f, double value)
{
    struct reading reading = number(HIDDEN_TEMP, value);

    mqtt_sink.readings(f->mqtt, HIDDEN, &reading, 1);
}

static inline void poll_boiler(struct fixture *f, double flow_temp)
{
    struct reading poll[] = {number(FLOW_TEMP, flow_temp),
                             number(FAULT, 0),
                             {.sensor = MODE, .quality = QUALITY_TIMEOUT}};

    mqtt_sink.readings(f->mqtt, BOILER, poll, 3);
}

static inline void fire(struct fixture *f, uint64_t sequence)
{
    struct event event = {.boot = 1,
                          .sequence = sequence,
                          .instance = HIGH,
                          .sensor = FLOW_TEMP,
                          .at_ms = clock_boot_ms(),
                          .since_ms = CLOCK_NEVER,
                          .limit = 85};

    mqtt_sink.event(f->mqtt, &event);
}

static inline void stand(struct fixture *f, uint32_t instance, uint8_t standing)
{
    struct instance_state state = {.instance = instance,
                                   .state = standing,
                                   .since_ms = CLOCK_NEVER,
                                   .at_ms = clock_boot_ms(),
                                   .limit = 85};

    mqtt_sink.instance(f->mqtt, &state);
}

/* -- the broker's side ------------------------------------------------------------------------- */

static inline const struct heard *hear(struct fixture *f, const char *topic, const char *part)
{
    return listener_wait(f->listener, 0, topic, part, SOON_MS);
}

/* Someone who comes now gets it, and gets it as retained. */
static inline void assert_retained(struct fixture *f, const char *topic, const char *part)
{
    struct listener *late = listener_open(&f->broker);
    const struct heard *heard;

    assert_non_null(late);
    heard = listener_wait(late, 0, topic, part, SOON_MS);
    assert_non_null(heard);
    assert_true(heard->retained);
    listener_close(late);
}

static inline bool wait_online(struct fixture *f, bool online)
{
    int64_t until_ms = broker_now_ms() + SOON_MS;

    while (mqtt_counts(f->mqtt).online != online) {
        if (broker_now_ms() > until_ms)
            return false;
        poll(NULL, 0, 5);
    }
    return true;
}

static inline bool wait_published(struct fixture *f, uint64_t count)
{
    int64_t until_ms = broker_now_ms() + SOON_MS;

    while (mqtt_counts(f->mqtt).published < count) {
        if (broker_now_ms() > until_ms)
            return false;
        poll(NULL, 0, 5);
    }
    return true;
}

/* Waits until it cannot connect, which must be for this reason. */
static inline void assert_complains(const char *why)
{
    int64_t until_ms = broker_now_ms() + SOON_MS;

    while (atomic_load(&complaints) == 0 && broker_now_ms() < until_ms)
        poll(NULL, 0, 5);
    assert_int_not_equal(atomic_exchange(&complaints, 0), 0);
    assert_non_null(strstr(complaint, why));
}

/* Each exactly once. Number 1 may come again: its acknowledgement may have died with the broker. */
static inline void assert_events_in_order(struct fixture *f, size_t first, size_t last)
{
    size_t next = first;
    char id[40];

    for (size_t i = 0; i < f->listener->count; i++) {
        const struct heard *heard = &f->listener->heard[i];

        snprintf(id, sizeof(id), "\"0000000000000001:%zu\"", next);
        if (strcmp(heard->topic, "t/cellar/event") != 0 || strstr(heard->payload, ":1\""))
            continue;
        assert_non_null(strstr(heard->payload, id));
        next++;
    }
    assert_int_equal(next, last + 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
