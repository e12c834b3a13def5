#include "gateway/mqtt/forget.h"

#include "gateway/base/clock.h"
#include "gateway/base/text.h"
#include "gateway/core/command.h"
#include "gateway/mqtt/mqtt.h"
#include "gateway/mqtt/options.h"
#include "gateway/mqtt/receiver.h"
#include "gateway/mqtt/session.h"
#include "gateway/mqtt/topics.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A broker sends what it has retained at once; when nothing came for so long that was all. */
#define QUIET_MS   1000
#define ALL_MS     30000
#define TOPICS_MAX 100000

struct forgetting {
    const struct options *options;
    const char *gateway_id;
    struct session *session;
    char **topics;
    size_t n_topics;
    int64_t heard_ms; /* the last of them */
    bool lost;        /* memory was out, or there are too many */
};

/* <prefix>/device/<id>-<device>/config, <prefix>/<platform>/<id>-<device>/<entity>/config */
static bool is_discovery(const char *prefix, const char *gateway_id, const char *topic)
{
    char platform[32], node[128], more[200], device[TEXT_SLUG_MAX + 1];
    size_t length = strlen(prefix), id = strlen(gateway_id);

    if (strncmp(topic, prefix, length) != 0 ||
        sscanf(topic + length, "/%31[^/]/%127[^/]/%199s", platform, node, more) != 3)
        return false;
    if (strcmp(platform, "device") != 0 && strchr(more, '/'))
        memmove(more, strchr(more, '/') + 1, strlen(strchr(more, '/')));
    else if (strcmp(platform, "device") != 0)
        return false;
    return strcmp(more, "config") == 0 && strncmp(node, gateway_id, id) == 0 && node[id] == '-' &&
           text_copy(device, sizeof(device), node + id + 1) && text_is_slug(device);
}

bool forget_is_ours(const struct options *options, const char *gateway_id, const char *topic)
{
    size_t base = strlen(options->base);

    if (strncmp(topic, options->base, base) == 0 && topic[base] == '/')
        return true;
    return options->prefix && is_discovery(options->prefix, gateway_id, topic);
}

/* -- what the broker has -------------------------------------------------------------------- */

static void take_retained(void *owner, const struct arrival *arrival)
{
    struct forgetting *forgetting = owner;
    char **more;

    if (!arrival->retained ||
        !forget_is_ours(forgetting->options, forgetting->gateway_id, arrival->topic))
        return;
    forgetting->heard_ms = clock_boot_ms();
    more = forgetting->n_topics < TOPICS_MAX
               ? realloc(forgetting->topics, (forgetting->n_topics + 1) * sizeof(*more))
               : NULL;
    if (more)
        forgetting->topics = more;
    if (more && (more[forgetting->n_topics] = strdup(arrival->topic)))
        forgetting->n_topics++;
    else
        forgetting->lost = true;
}

static void take_acked(void *owner, uint64_t tag, int reason)
{
    (void)owner;
    (void)tag;
    (void)reason;
}

static void take_birth(void *owner)
{
    (void)owner;
}

/* One turn: waits for the broker, for 100 ms at most, and takes what has come. */
static void turn(struct session *session)
{
    struct pollfd wait = {.fd = session_fd(session), .events = POLLIN};

    (void)poll(&wait, 1, 100);
    session_receive(session);
}

static void listen_for_all(struct forgetting *forgetting)
{
    struct session *session = forgetting->session;
    int64_t until_ms = clock_boot_ms() + ALL_MS;
    char filter[TOPICS_SIZE];

    snprintf(filter, sizeof(filter), "%s/#", forgetting->options->base);
    session_subscribe(session, filter);
    if (forgetting->options->prefix) {
        snprintf(filter, sizeof(filter), "%s/device/+/config", forgetting->options->prefix);
        session_subscribe(session, filter);
        snprintf(filter, sizeof(filter), "%s/+/+/+/config", forgetting->options->prefix);
        session_subscribe(session, filter);
    }
    forgetting->heard_ms = clock_boot_ms();
    while (session_is_connected(session) && clock_boot_ms() < until_ms &&
           clock_boot_ms() - forgetting->heard_ms < QUIET_MS)
        turn(session);
}

/* -- and what it has no longer -------------------------------------------------------------- */

/* An empty message takes the retained one away. */
static int clear(struct session *session, const char *topic, int64_t until_ms)
{
    struct session_message message = {.topic = topic, .payload = "", .qos = 1, .retain = true};
    int r;

    while ((r = session_publish(session, &message)) == -EAGAIN && session_is_connected(session) &&
           clock_boot_ms() < until_ms)
        turn(session);
    return r;
}

static int clear_all(struct forgetting *forgetting, struct error *reterr)
{
    struct session *session = forgetting->session;
    int64_t until_ms = clock_boot_ms() + ALL_MS;
    int r = 0;

    for (size_t i = 0; i < forgetting->n_topics && r == 0; i++)
        r = clear(session, forgetting->topics[i], until_ms);
    while (r == 0 && session_underway(session) > 0 && session_is_connected(session) &&
           clock_boot_ms() < until_ms)
        turn(session);
    if (r < 0 || session_underway(session) > 0)
        return error_set(reterr, r < 0 ? r : -ETIMEDOUT, "mqtt: the broker did not take all of it");
    if (forgetting->lost)
        return error_set(reterr, -E2BIG, "mqtt: there is more; run it again");
    return 0;
}

static int forget_all(struct forgetting *forgetting, struct error *reterr)
{
    static const struct session_calls calls = {
        .acked = take_acked, .birth = take_birth, .arrived = take_retained};
    int r = session_new(forgetting->options, &calls, forgetting, &forgetting->session, reterr);
    struct error why = {0};

    if (r < 0)
        return r;
    r = session_connect(forgetting->session, &why);
    if (r < 0)
        return error_set(reterr, r, "mqtt: broker %s:%d: %s", forgetting->options->host,
                         forgetting->options->port, why.text);
    listen_for_all(forgetting);
    r = clear_all(forgetting, reterr);
    session_close(forgetting->session);
    return r;
}

int mqtt_forget(const struct section *section, const struct mqtt_gateway *gateway,
                size_t *ret_count, struct error *reterr)
{
    struct forgetting forgetting = {.gateway_id = gateway->id};
    struct options *options;
    int r = options_read(section, gateway, &options, reterr);

    if (r < 0)
        return r;
    options->commands = COMMAND_RIGHTS_NONE; /* none is to come here */
    forgetting.options = options;
    r = forget_all(&forgetting, reterr);
    *ret_count = forgetting.n_topics;
    session_free(forgetting.session);
    for (size_t i = 0; i < forgetting.n_topics; i++)
        free(forgetting.topics[i]);
    free(forgetting.topics);
    options_free(options);
    return r;
}
