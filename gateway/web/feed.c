#include "gateway/web/feed.h"

#include "gateway/base/clock.h"
#include "gateway/base/text.h"
#include "gateway/web/handlers.h"
#include "gateway/web/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define KEEP_ALIVE_MS 15000
#define MESSAGE_SIZE  2048
#define PREFIX_SIZE   32

struct subscriber {
    struct subscriber *next, **link;
    struct web *web;
    struct MHD_Connection *connection;
    int fd;
    char match[REQUEST_WORD_SIZE]; /* glob; "": everything */
    int64_t keep_ms;               /* when the next line that says nothing is due */
    char bytes[FEED_BUFFER];
    size_t length;
    bool suspended, ended;
};

/* -- one of them ---------------------------------------------------------------------------- */

static void subscriber_free(void *self)
{
    struct subscriber *subscriber = self;

    *subscriber->link = subscriber->next;
    if (subscriber->next)
        subscriber->next->link = subscriber->link;
    free(subscriber);
}

/* Lets libmicrohttpd ask for bytes again. */
static void wake(struct subscriber *subscriber)
{
    if (!subscriber->suspended)
        return;
    subscriber->suspended = false;
    server_resume(subscriber->web->server, subscriber->connection);
}

static ssize_t read_on(void *owner, uint64_t position, char *bytes, size_t max)
{
    struct subscriber *subscriber = owner;
    size_t count = subscriber->length < max ? subscriber->length : max;

    (void)position;
    if (subscriber->ended || subscriber->web->closing)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (count == 0) {
        subscriber->suspended = true;
        MHD_suspend_connection(subscriber->connection);
        return 0;
    }
    memcpy(bytes, subscriber->bytes, count);
    subscriber->length -= count;
    memmove(subscriber->bytes, subscriber->bytes + count, subscriber->length);
    return (ssize_t)count;
}

static bool has_room(const struct subscriber *subscriber, size_t count)
{
    return sizeof(subscriber->bytes) - subscriber->length >= count;
}

/* His own connection is broken off, not our waiting for it. */
static void cut(struct subscriber *subscriber)
{
    subscriber->ended = true;
    subscriber->web->subscribers_dropped++;
    shutdown(subscriber->fd, SHUT_RDWR);
    wake(subscriber);
}

static void put(struct subscriber *subscriber, const char *bytes, size_t count)
{
    if (subscriber->ended)
        return;
    if (!has_room(subscriber, count)) {
        cut(subscriber);
        return;
    }
    memcpy(subscriber->bytes + subscriber->length, bytes, count);
    subscriber->length += count;
    subscriber->keep_ms = clock_boot_ms() + KEEP_ALIVE_MS;
    wake(subscriber);
}

static struct subscriber *subscriber_new(struct request *request)
{
    static const char hello[] = ": thermogate\n\n";
    struct subscriber *subscriber = calloc(1, sizeof(*subscriber));
    struct web *web = request->web;
    const char *match = request_query(request, "match");

    if (!subscriber)
        return NULL;
    subscriber->web = web;
    subscriber->connection = request->connection;
    subscriber->fd = request->client->fd;
    text_copy(subscriber->match, sizeof(subscriber->match), match ? match : "");
    subscriber->link = &web->subscribers;
    subscriber->next = web->subscribers;
    if (subscriber->next)
        subscriber->next->link = &subscriber->next;
    web->subscribers = subscriber;
    put(subscriber, hello, strlen(hello)); /* so that the headers go out at once */
    return subscriber;
}

void feed_open(struct request *request)
{
    struct subscriber *subscriber = subscriber_new(request);
    struct MHD_Response *response = NULL;

    if (subscriber)
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, FEED_BUFFER, read_on,
                                                     subscriber, subscriber_free);
    if (response)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, request->route->media);
    else if (subscriber)
        subscriber_free(subscriber);
    request_answer(request, MHD_HTTP_OK, response);
}

/* -- all of them ---------------------------------------------------------------------------- */

static bool wants(const struct subscriber *subscriber, const char *sensor)
{
    return !subscriber->match[0] || !sensor || text_glob(subscriber->match, sensor);
}

static bool is_full(const struct web *web, const char *sensor, size_t count)
{
    for (const struct subscriber *s = web->subscribers; s; s = s->next) {
        if (!s->ended && !has_room(s, count) && wants(s, sensor))
            return true;
    }
    return false;
}

/* A full buffer of one who reads is no reason to cut him off: many readings come in one turn of the
 * loop. What waits goes out first. This may end subscribers, so nobody walks the list meanwhile. */
static void make_room(struct web *web, const char *sensor, size_t count)
{
    if (is_full(web, sensor, count))
        server_turn(web->server);
}

/* `json` stands in `text` behind room for what comes before it. */
static void tell(struct web *web, const char *name, const char *sensor, struct json *json)
{
    size_t length = json_length(json), prefix;
    char head[PREFIX_SIZE], *start;

    if (length == 0)
        return; /* longer than any name and value can be together */
    prefix = (size_t)snprintf(head, sizeof(head), "event: %s\ndata: ", name);
    start = json->text - prefix;
    memcpy(start, head, prefix);
    memcpy(json->text + length, "\n\n", 2);
    length += prefix + 2;
    make_room(web, sensor, length);
    for (struct subscriber *s = web->subscribers; s; s = s->next) {
        if (wants(s, sensor))
            put(s, start, length);
    }
}

static void start_message(struct json *json, char text[MESSAGE_SIZE])
{
    json_start(json, text + PREFIX_SIZE, MESSAGE_SIZE - PREFIX_SIZE - 2);
}

/* The id of a sensor by its index; NULL when there is none. */
static const char *sensor_id(const struct inventory *inventory, uint32_t sensor)
{
    return sensor < inventory->n_sensors ? inventory->sensors[sensor].id : NULL;
}

void feed_reading(struct web *web, const struct reading *reading)
{
    char text[MESSAGE_SIZE];
    struct json json;

    if (!web->subscribers)
        return;
    start_message(&json, text);
    show_write_reading(&json, &web->live, reading);
    tell(web, "reading", sensor_id(web->live.inventory, reading->sensor), &json);
}

void feed_rule(struct web *web, const struct instance_state *state)
{
    const struct inventory *inventory = web->live.inventory;
    char text[MESSAGE_SIZE];
    struct json json;

    if (!web->subscribers)
        return;
    start_message(&json, text);
    show_write_rule(&json, &web->live, state);
    tell(web, "rule", sensor_id(inventory, inventory->rules[state->instance].sensor), &json);
}

void feed_event(struct web *web, const struct event *event)
{
    const struct inventory *inventory = web->live.inventory;
    const char *sensor = sensor_id(inventory, event->sensor);
    bool has_rule = event->instance < inventory->n_rules;
    char text[MESSAGE_SIZE], id[48];
    struct json json;

    if (!web->subscribers)
        return;
    snprintf(id, sizeof(id), "%016llx:%llu", (unsigned long long)event->boot,
             (unsigned long long)event->sequence);
    start_message(&json, text);
    json_object(&json, NULL);
    json_text(&json, "id", id);
    json_text(&json, "type", event_type_name(event->type));
    show_write_time(&json, "at_ms", event->at_ms);
    json_text(&json, "severity", instance_severity_name(event->severity));
    json_text(&json, "rule", has_rule ? inventory->rules[event->instance].id : NULL);
    json_text(&json, "sensor", sensor);
    show_write_word(&json, "by", event->by);
    show_write_word(&json, "via", event->via);
    show_write_word(&json, "result", event->result);
    show_write_word(&json, "note", event->note);
    json_end(&json);
    tell(web, "event", sensor, &json);
}

void feed_keep_alive(struct web *web, int64_t now_ms)
{
    for (struct subscriber *s = web->subscribers; s; s = s->next) {
        if (now_ms >= s->keep_ms)
            put(s, ":\n\n", 3);
    }
}

void feed_end_all(struct web *web)
{
    for (struct subscriber *s = web->subscribers; s; s = s->next) {
        s->ended = true;
        wake(s);
    }
}
