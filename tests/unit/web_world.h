/* A web with a small site on a loop in a thread of its own, and a client that speaks to it over its
 * Unix socket as anybody would: for the tests of gateway/web. Commands end in the test (the build
 * replaces command_submit()).
 *
 *   bus b   boiler  0 boiler.flow_temp (writable, -20 to 90)  1 boiler.mode (text)
 *           meter   2 meter.power
 *   rules   0 hot@boiler.flow_temp (of rule hot)  1 calm (reads none) */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "gateway/base/json_read.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/report.h"
#include "gateway/core/command.h"
#include "gateway/core/inventory_edit.h"
#include "gateway/store/store.h"
#include "gateway/web/web.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define WEB_PATIENCE_S 20

enum { FLOW_TEMP, MODE, POWER, N_SENSORS };
enum { BOILER, METER, N_DEVICES };
enum { HOT, CALM, N_RULES };

static const struct inventory_limit web_limits[] = {{"above", 60, 90, 0.5}};
static const struct inventory_bus web_buses[] = {{"b", "Bus"}};
static const struct inventory_device web_devices[N_DEVICES] = {
    {.name = "boiler",
     .label = "Heizkessel \"1\"",
     .area = "Keller",
     .manufacturer = "",
     .model = "",
     .serial_number = "",
     .first_sensor = 0,
     .n_sensors = 2,
     .every_ms = 1000},
    {.name = "meter",
     .label = "meter",
     .area = "",
     .manufacturer = "",
     .model = "",
     .serial_number = "",
     .first_sensor = 2,
     .n_sensors = 1,
     .every_ms = 1000},
};
#define WEB_SENSOR(DEVICE, CHANNEL, UNIT)                                                      \
    .id = DEVICE "." CHANNEL, .channel = CHANNEL, .label = CHANNEL, .unit = UNIT, .klass = "", \
    .state_class = "", .icon = "", .category = "", .stale_ms = 3000
static const struct inventory_trust web_trust = {.low = -30, .high = 130};
static const struct inventory_write web_write = {.min = -20, .max = 90, .safe = NAN};
static const struct inventory_sensor web_sensors[N_SENSORS] = {
    {WEB_SENSOR("boiler", "flow_temp", "°C"), .device = BOILER, .decimals = 1, .write = &web_write,
     .trust = &web_trust},
    {WEB_SENSOR("boiler", "mode", ""), .device = BOILER, .kind = SENSOR_TEXT, .decimals = -1},
    {WEB_SENSOR("meter", "power", "W"), .device = METER, .decimals = -1},
};
static const struct inventory_rule web_rules[N_RULES] = {
    {.id = "hot@boiler.flow_temp",
     .rule = "hot",
     .label = "Too hot",
     .summary = "above 85",
     .sensor = FLOW_TEMP,
     .severity = 2,
     .many = true,
     .ack = true,
     .n_limits = 1,
     .limits = web_limits},
    {.id = "calm", .rule = "calm", .label = "calm", .summary = "", .sensor = UINT32_MAX},
};

struct web_world {
    char folder[64];
    struct loop *loop;
    struct web *web;
    struct store *store;
    struct text_table *texts;
    struct inventory *inventory;
    struct reading newest[N_SENSORS];
    const char *problem; /* what app would say; NULL: none */
    pthread_t thread;
    struct wake *wake;
    void (*job)(struct web_world *world);
    sem_t done;
    /* the last command, and how it ends: COMMAND_KINDS: never */
    struct command command;
    size_t n_commands;
    struct command_reply reply;
    int submit; /* what command_submit() returns */
    bool silent;
    struct timer *answer;
    /* the test of a notifier that is under way */
    char notifier[20];
    void (*tested)(void *asker, const char *name, bool ok, const char *words);
    void *asker;
    struct timer *test;
    struct timer *line; /* answers what a line was asked */
    void (*answered)(void *asker, const char *quality, const uint8_t *bytes, size_t count);
    uint8_t unit;
};

static struct web_world *the_world;

/* -- commands end here ---------------------------------------------------------------------- */

int __wrap_command_submit(struct commands *commands, const struct command *command);
int __wrap_command_submit(struct commands *commands, const struct command *command)
{
    (void)commands;
    __atomic_fetch_add(&the_world->n_commands, 1, __ATOMIC_SEQ_CST);
    if (the_world->submit < 0)
        return the_world->submit;
    the_world->command = *command;
    if (!the_world->silent)
        timer_at(the_world->answer, clock_boot_ms());
    return 0;
}

static inline void web_answer(void *owner)
{
    struct web_world *world = owner;

    world->reply.kind = world->command.kind;
    snprintf(world->reply.target, sizeof(world->reply.target), "%s", world->command.target);
    world->command.reply(world->command.owner, &world->reply);
}

/* -- the loop's thread ---------------------------------------------------------------------- */

static inline void web_do_job(void *owner)
{
    struct web_world *world = owner;

    world->job(world);
    sem_post(&world->done);
}

/* Does `job` on the loop, and waits for its end. */
static inline void on_loop(struct web_world *world, void (*job)(struct web_world *world))
{
    world->job = job;
    wake_send(world->wake);
    sem_wait(&world->done);
}

static inline void web_say_nothing(void *owner, enum log_level level, const char *line)
{
    (void)owner;
    (void)level;
    (void)line;
}

static inline void web_report_rows(void *owner, struct report *report)
{
    const struct web_world *world = owner;

    report_count(report, "polls", 12, true, "Polls that ended.");
    report_count_of(report, "bus", "a \"b\"", "bus_requests", 7, true, "Requests.");
    report_count_of(report, "bus", "c", "bus_requests", 8, true, "Requests.");
    if (world->problem)
        report_problem(report, "%s", world->problem);
}

/* Requests: as many as the device's number or the length of the bus's name; none was answered. */
static inline void web_count_traffic(double requests,
                                     void (*count)(void *to, const char *name, double value),
                                     void *to)
{
    count(to, "requests", requests);
    count(to, "busy_ratio", 0.25);
    count(to, "answer_p50_seconds", NAN);
}

static inline void web_count_bus(void *owner, const char *bus,
                                 void (*count)(void *to, const char *name, double value), void *to)
{
    (void)owner;
    web_count_traffic((double)strlen(bus), count, to);
}

static inline void web_count_device(void *owner, uint32_t device,
                                    void (*count)(void *to, const char *name, double value),
                                    void *to)
{
    (void)owner;
    web_count_traffic(device, count, to);
}

/* The notifier "phone" works, "old" does not, "busy" is being tested already. */
static inline void web_tested(void *owner)
{
    struct web_world *world = owner;
    bool ok = world->notifier[0] == 'p';

    world->tested(world->asker, world->notifier, ok, ok ? "delivered" : "refused (403)");
}

/* A line at serial:/dev/rs485: units below 10 answer with two bytes, the others not. */
static inline void web_answer_line(void *owner)
{
    static const uint8_t bytes[] = {0x00, 0xd7};
    struct web_world *world = owner;

    if (world->unit < 10)
        world->answered(world->asker, "good", bytes, sizeof(bytes));
    else
        world->answered(world->asker, "timeout", NULL, 0);
}

static inline int web_ask_line(void *owner, const struct web_question *question,
                               void (*done)(void *asker, const char *quality, const uint8_t *bytes,
                                            size_t count),
                               void *asker, const char **ret_bus)
{
    struct web_world *world = owner;

    if (strcmp(question->connect, "serial:/dev/rs485") != 0)
        return -ENOENT;
    *ret_bus = "rs485";
    world->answered = done;
    world->asker = asker;
    world->unit = question->unit;
    timer_at(world->line, clock_boot_ms());
    return 0;
}

static inline int web_test_notifier(void *owner, const char *name,
                                    void (*done)(void *asker, const char *name, bool ok,
                                                 const char *words),
                                    void *asker)
{
    struct web_world *world = owner;

    if (strcmp(name, "busy") == 0)
        return -EBUSY;
    if (strcmp(name, "phone") != 0 && strcmp(name, "old") != 0)
        return -ENOENT;
    snprintf(world->notifier, sizeof(world->notifier), "%s", name);
    world->tested = done;
    world->asker = asker;
    timer_at(world->test, clock_boot_ms());
    return 0;
}

static inline void *web_thread(void *owner)
{
    loop_run(((struct web_world *)owner)->loop);
    return NULL;
}

static inline struct inventory *web_inventory(struct text_table *texts)
{
    struct inventory *inventory = inventory_new();

    inventory->name = "cellar";
    inventory->id = "cellar";
    inventory->label = "Keller";
    inventory->texts = texts;
    inventory->buses = web_buses;
    inventory->devices = web_devices;
    inventory->sensors = web_sensors;
    inventory->rules = web_rules;
    inventory->n_buses = 1;
    inventory->n_devices = N_DEVICES;
    inventory->n_sensors = N_SENSORS;
    inventory->n_rules = N_RULES;
    if (inventory_finish(inventory) < 0)
        abort();
    return inventory;
}

static inline void web_say_state(struct web_world *world)
{
    struct instance_state state = {.at_ms = clock_boot_ms(),
                                   .since_ms = clock_boot_ms(),
                                   .instance = HOT,
                                   .state = 2,
                                   .severity = 2,
                                   .kind = VALUE_NUMBER,
                                   .number = 86.25,
                                   .limit = 85,
                                   .muted_until_ms = CLOCK_NEVER,
                                   .n_limits = 1,
                                   .limits = {85}};

    web_sink.instance(world->web, &state);
}

static inline const struct reading *web_newest(void *owner, uint32_t sensor)
{
    return &((struct web_world *)owner)->newest[sensor];
}

static inline void web_say_reading(struct web_world *world, const struct reading *reading)
{
    world->newest[reading->sensor] = *reading;
    web_sink.readings(world->web, reading->sensor == POWER ? METER : BOILER, reading, 1);
}

static inline void web_say_readings(struct web_world *world)
{
    int64_t now_ms = clock_boot_ms();
    struct reading readings[] = {
        {.at_ms = now_ms, .sensor = FLOW_TEMP, .kind = VALUE_NUMBER, .number = 86.25},
        {.at_ms = now_ms,
         .sensor = MODE,
         .kind = VALUE_TEXT,
         .text = text_table_add(world->texts, "auto \"x\"")},
    };
    struct reading bad = {.at_ms = now_ms, .sensor = POWER, .quality = QUALITY_TIMEOUT};

    web_say_reading(world, &readings[0]);
    web_say_reading(world, &readings[1]);
    web_say_reading(world, &bad);
}

static inline void web_first_news(struct web_world *world)
{
    web_sink.inventory(world->web, world->inventory);
    web_say_readings(world);
    web_sink.device(world->web, BOILER, QUALITY_GOOD, clock_boot_ms());
    web_sink.device(world->web, METER, QUALITY_TIMEOUT, clock_boot_ms());
    web_say_state(world);
}

static inline struct store *web_open_store(struct web_world *world)
{
    static const struct store_calls calls = {0};
    struct store_options options = {.path = world->folder,
                                    .keep_ms = 30 * INT64_C(86400000),
                                    .keep_minutes_ms = 400 * INT64_C(86400000),
                                    .keep_hours_ms = 3650 * INT64_C(86400000),
                                    .commit_every_ms = 1000,
                                    .max_size = 2000000000};
    struct store *store = NULL;

    if (store_open(world->loop, &options, 5000, &calls, NULL, &store, NULL) < 0)
        abort();
    return store;
}

static inline struct web_world *web_world_open(const char *listen, bool with_store)
{
    struct web_world *world = calloc(1, sizeof(*world));
    struct web_options options = {.link = ""};
    struct web_context context = {.report = web_report_rows,
                                  .test_notifier = web_test_notifier,
                                  .ask = web_ask_line,
                                  .newest = web_newest,
                                  .bus_traffic = web_count_bus,
                                  .device_traffic = web_count_device,
                                  .owner = world};

    the_world = world;
    log_set_sink(web_say_nothing, NULL);
    snprintf(world->folder, sizeof(world->folder), "/tmp/thermogate-web-XXXXXX");
    if (!mkdtemp(world->folder) || chmod(world->folder, 0755) < 0)
        abort();
    world->loop = context.loop = loop_new();
    world->texts = text_table_new();
    world->inventory = web_inventory(world->texts);
    world->wake = wake_new(world->loop, web_do_job, world);
    world->answer = timer_new(world->loop, web_answer, world);
    world->test = timer_new(world->loop, web_tested, world);
    world->line = timer_new(world->loop, web_answer_line, world);
    sem_init(&world->done, 0, 0);
    if (with_store)
        world->store = context.store = web_open_store(world);
    snprintf(options.socket, sizeof(options.socket), "%s/s", world->folder);
    snprintf(options.listen, sizeof(options.listen), "%s", listen);
    if (web_open(&options, &context, &world->web, NULL) < 0)
        abort();
    pthread_create(&world->thread, NULL, web_thread, world);
    on_loop(world, web_first_news);
    return world;
}

static inline void web_stop_loop(struct web_world *world)
{
    loop_stop(world->loop);
}

static inline void web_world_close(struct web_world *world)
{
    char command[100];

    on_loop(world, web_stop_loop);
    pthread_join(world->thread, NULL);
    web_close(world->web);
    store_close(world->store, 5000);
    web_free(world->web);
    wake_free(world->wake);
    timer_free(world->answer);
    timer_free(world->test);
    timer_free(world->line);
    inventory_release(world->inventory);
    text_table_free(world->texts);
    loop_free(world->loop);
    sem_destroy(&world->done);
    snprintf(command, sizeof(command), "rm -rf '%s'", world->folder);
    if (system(command) != 0)
        abort();
    free(world);
}

/* -- a client ------------------------------------------------------------------------------- */

static inline int web_connect(const struct web_world *world)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = WEB_PATIENCE_S};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", world->folder);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        close(fd);
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    return fd;
}

struct web_said {
    int status;    /* 0: no answer */
    char *text;    /* all of it */
    char *body;    /* in it; "" when there is none */
    size_t length; /* of the body */
};

/* All that comes until the other side ends it. */
static inline struct web_said web_listen(int fd)
{
    size_t size = 1 << 16, length = 0;
    struct web_said said = {.text = malloc(size)};
    ssize_t got;

    while ((got = recv(fd, said.text + length, size - length - 1, 0)) > 0) {
        length += (size_t)got;
        if (size - length < 2)
            said.text = realloc(said.text, size *= 2);
    }
    said.text[length] = '\0';
    if (strncmp(said.text, "HTTP/1.1 ", 9) == 0)
        said.status = atoi(said.text + 9);
    said.body = strstr(said.text, "\r\n\r\n");
    said.body = said.body ? said.body + 4 : said.text + length;
    said.length = length - (size_t)(said.body - said.text);
    return said;
}

static inline bool web_send(int fd, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        bytes += sent;
        count -= (size_t)sent;
    }
    return true;
}

/* Sends `bytes` as they are, and hears what is said. */
static inline struct web_said web_raw(const struct web_world *world, const char *bytes,
                                      size_t count)
{
    int fd = web_connect(world);
    struct web_said said;

    web_send(fd, bytes, count);
    said = web_listen(fd);
    close(fd);
    return said;
}

static inline struct web_said web_ask(const struct web_world *world, const char *method,
                                      const char *path, const char *type, const char *body)
{
    size_t length = body ? strlen(body) : 0;
    char *text = malloc(length + 1000);
    int head = snprintf(text, 1000,
                        "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                        "%s%s%sContent-Length: %zu\r\n\r\n",
                        method, path, type ? "Content-Type: " : "", type ? type : "",
                        type ? "\r\n" : "", length);
    struct web_said said;

    memcpy(text + head, body ? body : "", length);
    said = web_raw(world, text, (size_t)head + length);
    free(text);
    return said;
}

static inline struct web_said web_get(const struct web_world *world, const char *path)
{
    return web_ask(world, "GET", path, NULL, NULL);
}

static inline struct web_said web_post(const struct web_world *world, const char *path,
                                       const char *json)
{
    return web_ask(world, "POST", path, "application/json", json);
}

/* The answer is this status, and JSON whose members stand there as text. */
static inline void web_expect(struct web_said said, int status, const char *words)
{
    struct json_value *json = json_parse(said.body, said.length);

    if (said.status != status || !strstr(said.body, words))
        fail_msg("wanted %d with %s, got: %s", status, words, said.text);
    if (!json)
        fail_msg("no JSON: %s", said.text);
    json_free(json);
    free(said.text);
}
