#include "gateway/mqtt/session.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/text.h"
#include "gateway/core/command.h"
#include "gateway/mqtt/hass.h"
#include "gateway/mqtt/nodelay.h"
#include "gateway/mqtt/options.h"
#include "gateway/mqtt/properties.h"
#include "gateway/mqtt/receiver.h"
#include "gateway/mqtt/topics.h"

#include <MQTTClient.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CONNECT_TIMEOUT_S  5
#define WINDOW_MAX         63
#define WINDOW_3_1_1       20 /* MQTT 3.1.1 has no receive maximum; brokers' own limits begin here */
#define PACKET_OVERHEAD    64 /* fixed header, lengths, packet id, properties: never more with us */
#define COMMAND_TIMEOUT_MS 5000 /* waiting for a SUBACK; Paho's least */
#define REASON_REFUSED     0x80 /* reasons from here on are failures (MQTT 5, 2.4) */
#define URI_SIZE           300
#define DISCONNECT_BYTE    0xe0 /* MQTT 5, 3.14.1 */
#define RECEIVE_MAX        64   /* packets between two looks at what is to be sent */
#define TURNS_A_KEEP_ALIVE 10   /* Paho looks at its own timers when it is called */
#define BLIND_MS           100  /* without a descriptor to wait on */

/* From this level on OpenSSL 3 speaks nothing older than TLS 1.2; the least version itself cannot
 * be set through Paho, which knows only a single one. */
#define CIPHERS "DEFAULT@SECLEVEL=2"

struct slot {
    int token; /* 0: free; Paho counts from 1 */
    int64_t mark_ms;
    uint64_t tag;
};

struct answer {
    int token, reason;
};

struct session {
    const struct options *options;
    MQTTClient client;
    int fd;                            /* its socket, which Paho shows nobody; -1: not known */
    int reason;                        /* that the broker gave when it closed the connection */
    int64_t received_ms;               /* when session_receive() was last called */
    uint64_t taken;                    /* packets that meant something */
    struct answer answers[WINDOW_MAX]; /* not yet told */
    size_t n_answers;
    char status_topic[TOPICS_SIZE], health_topic[TOPICS_SIZE];
    char announced_topics[2][TOPICS_SIZE]; /* our own device at Home Assistant, in both forms */
    char tls_words[200];                   /* why TLS failed, by OpenSSL */
    const struct session_calls *calls;
    void *owner;
    struct properties properties; /* of messages, in MQTT 5 */
    struct slot window[WINDOW_MAX];
    uint32_t window_size, underway;
    uint32_t packet_max; /* that the broker takes */
    uint8_t qos_max;     /* likewise */
    bool keeps_nothing;  /* it takes no retained messages */
    int64_t mark_ms, proven_ms, asked_ms;
};

/* -- from Paho, inside its calls -------------------------------------------------------------- */

/* Only noted: it may come while its own message is being published, before we know the token. */
static void note_answer(struct session *session, int token, int reason)
{
    session->taken++;
    if (session->n_answers < WINDOW_MAX)
        session->answers[session->n_answers++] = (struct answer){token, reason};
}

static void on_published(void *context, int token, int packet_type, MQTTProperties *properties,
                         enum MQTTReasonCodes reason)
{
    (void)packet_type;
    (void)properties;
    note_answer(context, token, (int)reason);
}

static bool is_birth(const struct session *session, const char *topic,
                     const MQTTClient_message *message)
{
    const char *birth = session->options->birth_payload;

    return session->options->prefix && strcmp(topic, session->options->birth_topic) == 0 &&
           message->payloadlen == (int)strlen(birth) &&
           memcmp(message->payload, birth, strlen(birth)) == 0;
}

static void take_command(struct session *session, const char *topic,
                         const MQTTClient_message *message)
{
    struct arrival arrival = {.retained = message->retained != 0};
    size_t length = (size_t)message->payloadlen;

    if (!text_copy(arrival.topic, sizeof(arrival.topic), topic))
        return; /* longer than any of ours */
    if (length >= sizeof(arrival.payload))
        length = sizeof(arrival.payload) - 1;
    memcpy(arrival.payload, message->payload, length);
    session->calls->arrived(session->owner, &arrival);
}

/* What was retained may be our own, of an earlier run. */
static void take_other(struct session *session, const MQTTClient_message *message,
                       void (*call)(void *owner, const char *payload, size_t length))
{
    if (!message->retained)
        call(session->owner, message->payload, (size_t)message->payloadlen);
}

static bool is_announced(const struct session *session, const char *topic)
{
    return session->calls->announced && (strcmp(topic, session->announced_topics[0]) == 0 ||
                                         strcmp(topic, session->announced_topics[1]) == 0);
}

static void take_message(struct session *session, char *topic, MQTTClient_message *message)
{
    session->taken++;
    if (is_birth(session, topic, message))
        session->calls->birth(session->owner);
    else if (session->calls->health && strcmp(topic, session->health_topic) == 0)
        take_other(session, message, session->calls->health);
    else if (is_announced(session, topic))
        take_other(session, message, session->calls->announced);
    else
        take_command(session, topic, message);
    MQTTClient_freeMessage(&message);
    MQTTClient_free(topic);
}

/* OpenSSL's line is "thread:error:code:library:function:reason:file:line:"; people want the reason.
 */
static int on_tls_error(const char *words, size_t length, void *context)
{
    struct session *session = context;
    char text[300];
    char *at = text;

    snprintf(text, sizeof(text), "%.*s", (int)(length < sizeof(text) ? length : sizeof(text) - 1),
             words);
    for (int colon = 0; colon < 5 && strchr(at, ':'); colon++)
        at = strchr(at, ':') + 1;
    at[strcspn(at, ":\r\n")] = '\0';
    text_copy(session->tls_words, sizeof(session->tls_words), at);
    return 1;
}

/* -- made and ended ------------------------------------------------------------------------- */

static int create_client(struct session *session)
{
    const struct options *options = session->options;
    MQTTClient_createOptions create = MQTTClient_createOptions_initializer;
    MQTTClient_init_options init = MQTTClient_init_options_initializer;
    bool bare_v6 = strchr(options->host, ':') && options->host[0] != '[';
    char uri[URI_SIZE];
    int r;

    /* Else the library keeps a diary of every call of its own functions, in a buffer that nobody
     * reads. */
    MQTTClient_setTraceLevel(MQTTCLIENT_TRACE_ERROR);
    /* OpenSSL makes itself ready when it is used; the library would have it read all its algorithms
     * and words into memory, also for a connection without TLS. */
    MQTTClient_global_init(&init);
    create.MQTTVersion = options->v5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
    snprintf(uri, sizeof(uri), "%s://%s%s%s:%d", options->tls ? "ssl" : "tcp", bare_v6 ? "[" : "",
             options->host, bare_v6 ? "]" : "", options->port);
    r = MQTTClient_createWithOptions(&session->client, uri, options->client_id,
                                     MQTTCLIENT_PERSISTENCE_NONE, NULL, &create);
    if (r == MQTTCLIENT_SUCCESS && options->v5)
        r = MQTTClient_setPublished(session->client, session, on_published);
    if (r == MQTTCLIENT_SUCCESS)
        r = properties_make(&session->properties, options->expiry_s);
    if (r == MQTTCLIENT_SUCCESS)
        r = MQTTClient_setCommandTimeout(session->client, COMMAND_TIMEOUT_MS);
    return r;
}

int session_new(const struct options *options, const struct session_calls *calls, void *owner,
                struct session **ret_session, struct error *reterr)
{
    struct session *session = calloc(1, sizeof(*session));
    int r;

    if (!session)
        return error_set(reterr, -ENOMEM, "mqtt: out of memory");
    session->options = options;
    session->calls = calls;
    session->owner = owner;
    session->fd = -1;
    topics_status(session->status_topic, options->base);
    topics_health(session->health_topic, options->base);
    if (options->prefix) {
        topics_discovery(session->announced_topics[0], options->prefix, options->gateway_id, NULL);
        topics_entity(session->announced_topics[1], options->prefix, options->gateway_id,
                      &(struct topics_entity){"binary_sensor", "gateway", HASS_STATUS});
    }
    r = create_client(session);
    if (r != MQTTCLIENT_SUCCESS) {
        session_free(session);
        return error_set(reterr, -EINVAL, "mqtt: %s", MQTTClient_strerror(r));
    }
    *ret_session = session;
    return 0;
}

void session_free(struct session *session)
{
    if (!session)
        return;
    if (session->client)
        MQTTClient_destroy(&session->client);
    properties_release(&session->properties);
    free(session);
}

/* -- connecting ----------------------------------------------------------------------------- */

/* MQTT 3.1.1, 3.2.2.3; in MQTT 5 the library knows the words. */
static const char *const refusals[] = {NULL,
                                       "it does not speak this version of MQTT",
                                       "it refuses the client id",
                                       "it is not available",
                                       "wrong user name or password",
                                       "this user may not connect"};

static const char *words_for(struct session *session, int code)
{
    const char *words = NULL;

    if (code > 0 && session->options->v5)
        words = MQTTReasonCode_toString((enum MQTTReasonCodes)code);
    else if (code > 0 && code < (int)(sizeof(refusals) / sizeof(refusals[0])))
        words = refusals[code];
    else if (session->tls_words[0])
        words = session->tls_words;
    else if (code == MQTTCLIENT_FAILURE)
        words = session->options->tls
                    ? "no connection: nothing answers there, or its certificate has another name"
                    : "no connection: nothing answers there, or the name does not resolve";
    return words ? words : MQTTClient_strerror(code);
}

static int64_t limit_of(const MQTTResponse *response, enum MQTTPropertyCodes code, int64_t standard)
{
    MQTTProperties *properties = response->properties;

    return properties && MQTTProperties_hasProperty(properties, code)
               ? MQTTProperties_getNumericValue(properties, code)
               : standard;
}

/* MQTT 5, 3.2.2.3. Whoever goes beyond a limit is thrown out. The window stays one below its own:
 * at it Paho holds up every publish, also those of QoS 0, in steps of 100 ms. */
static void take_limits(struct session *session, const MQTTResponse *response)
{
    int64_t receive = limit_of(response, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM,
                               session->options->v5 ? WINDOW_MAX : WINDOW_3_1_1);
    int64_t packet = limit_of(response, MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE, 0);

    receive = receive > WINDOW_MAX ? WINDOW_MAX : receive - 1;
    session->window_size = receive > 1 ? (uint32_t)receive : 1;
    session->packet_max = packet > 0 ? (uint32_t)packet : UINT32_MAX;
    session->qos_max = limit_of(response, MQTTPROPERTY_CODE_MAXIMUM_QOS, 2) < 2 ? 1 : 2;
    session->keeps_nothing =
        (int)response->reasonCode == MQTTREASONCODE_RETAIN_NOT_SUPPORTED || /* our last will */
        limit_of(response, MQTTPROPERTY_CODE_RETAIN_AVAILABLE, 1) == 0;
}

static void fill_tls(struct session *session, MQTTClient_SSLOptions *tls)
{
    const struct options *options = session->options;

    tls->trustStore = options->ca_file;
    tls->keyStore = options->cert_file;
    tls->privateKey = options->key_file;
    tls->enableServerCertAuth = !options->insecure;
    tls->verify = !options->insecure; /* the name in the certificate too */
    tls->enabledCipherSuites = CIPHERS;
    tls->ssl_error_cb = on_tls_error;
    tls->ssl_error_context = session;
}

/* `without`: what does not work when the broker refuses. */
static void subscribe(struct session *session, const char *topic, int qos, const char *without)
{
    MQTTResponse response = MQTTClient_subscribe5(session->client, topic, qos, NULL, NULL);

    if ((int)response.reasonCode < 0 || (int)response.reasonCode >= REASON_REFUSED)
        log_warn("mqtt: the broker does not let us read %s: %s", topic, without);
    MQTTResponse_free(response);
}

/* Two commands of one person must not overtake each other, nor get lost: QoS 1. */
static void subscribe_all(struct session *session)
{
    static const char without[] = "commands will not arrive";
    const struct options *options = session->options;
    char topic[TOPICS_SIZE];

    if (options->prefix)
        subscribe(session, options->birth_topic, 0,
                  "a restart of Home Assistant will go unnoticed");
    if (session->calls->health)
        subscribe(session, session->health_topic, 0, "a second gateway of our name goes unnoticed");
    for (size_t i = 0; session->calls->announced && options->prefix && i < 2; i++)
        subscribe(session, session->announced_topics[i], 0,
                  "a second gateway of our id goes unnoticed");
    if (options->commands == COMMAND_RIGHTS_ACK)
        subscribe(session, topics_rule_set(topic, options->base, "+"), 1, without);
    if (options->commands == COMMAND_RIGHTS_ALL) {
        subscribe(session, topics_device_set(topic, options->base, "+"), 1, without);
        subscribe(session, topics_channel_set(topic, options->base, "+", "+"), 1, without);
    }
}

void session_subscribe(struct session *session, const char *filter)
{
    subscribe(session, filter, 0, "what is there is not seen");
}

static MQTTResponse connect_client(struct session *session)
{
    const struct options *options = session->options;
    MQTTClient_connectOptions v3 = MQTTClient_connectOptions_initializer;
    MQTTClient_connectOptions v5 = MQTTClient_connectOptions_initializer5;
    MQTTClient_connectOptions *connect = options->v5 ? &v5 : &v3;
    MQTTClient_willOptions will = MQTTClient_willOptions_initializer;
    MQTTClient_SSLOptions tls = MQTTClient_SSLOptions_initializer;
    MQTTResponse response = MQTTResponse_initializer;

    will.topicName = session->status_topic;
    will.message = "offline";
    will.retained = !session->keeps_nothing;
    will.qos = 1;
    connect->will = &will;
    connect->MQTTVersion = options->v5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
    connect->keepAliveInterval = options->keep_alive_s;
    connect->connectTimeout = CONNECT_TIMEOUT_S;
    connect->reliable = 0; /* else only one message may be under way */
    connect->maxInflightMessages = WINDOW_MAX + 1;
    connect->username = options->username;
    connect->password = options->password;
    if (options->tls) {
        fill_tls(session, &tls);
        connect->ssl = &tls;
    }
    if (options->v5)
        return MQTTClient_connect5(session->client, connect, NULL, NULL);
    response.reasonCode = (enum MQTTReasonCodes)MQTTClient_connect(session->client, connect);
    return response;
}

int session_connect(struct session *session, struct error *reterr)
{
    MQTTResponse response;
    int code;

    session_forget(session);
    session->tls_words[0] = '\0';
    session->fd = -1;
    session->reason = 0;
    response = connect_client(session);
    code = (int)response.reasonCode;
    take_limits(session, &response);
    MQTTResponse_free(response);
    if (code != MQTTCLIENT_SUCCESS)
        return error_set(reterr, -ECONNREFUSED, "%s", words_for(session, code));
    session->mark_ms = session->proven_ms = session->asked_ms = clock_boot_ms();
    session->fd = nodelay_set((uint16_t)session->options->port);
    session->received_ms = 0; /* something may have come with the connection */
    subscribe_all(session);
    return 0;
}

bool session_is_connected(struct session *session)
{
    return MQTTClient_isConnected(session->client);
}

int session_reason(const struct session *session)
{
    return session->reason;
}

int session_fd(struct session *session)
{
    return session_is_connected(session) ? session->fd : -1;
}

void session_close(struct session *session)
{
    MQTTClient_disconnect5(session->client, 0, MQTTREASONCODE_NORMAL_DISCONNECTION, NULL);
    session_forget(session);
}

/* -- messages and their window -------------------------------------------------------------- */

void session_forget(struct session *session)
{
    memset(session->window, 0, sizeof(session->window));
    session->underway = 0;
    session->n_answers = 0;
}

uint32_t session_underway(const struct session *session)
{
    return session->underway;
}

uint32_t session_room(const struct session *session)
{
    return session->window_size > session->underway ? session->window_size - session->underway : 0;
}

void session_mark(struct session *session, int64_t at_ms)
{
    session->mark_ms = at_ms;
}

int64_t session_proven_ms(const struct session *session)
{
    return session->proven_ms;
}

int64_t session_asked_ms(const struct session *session)
{
    return session->asked_ms;
}

static void take_slot(struct session *session, int token, uint64_t tag)
{
    struct slot *slot = session->window;

    while (slot->token != 0)
        slot++; /* there is one: session_room() was asked */
    slot->token = token;
    slot->tag = tag;
    slot->mark_ms = session->mark_ms;
    session->asked_ms = clock_boot_ms();
    session->underway++;
}

/* Frees the place of a message that was answered and says so. */
static void tell_answer(struct session *session, const struct answer *answer)
{
    for (uint32_t i = 0; i < WINDOW_MAX; i++) {
        struct slot slot = session->window[i];

        if (slot.token != answer->token)
            continue;
        if (slot.mark_ms > session->proven_ms)
            session->proven_ms = slot.mark_ms;
        session->window[i] = (struct slot){0};
        session->underway--;
        session->calls->acked(session->owner, slot.tag, answer->reason);
        return;
    }
}

int session_publish(struct session *session, const struct session_message *message)
{
    MQTTProperties *properties =
        session->options->v5 ? properties_of(&session->properties, message) : NULL;
    uint8_t qos = message->qos < session->qos_max ? message->qos : session->qos_max;
    MQTTClient_deliveryToken token = 0;
    MQTTResponse response;

    if (qos > 0 && session_room(session) == 0)
        return -EAGAIN;
    if (message->length + strlen(message->topic) + PACKET_OVERHEAD > session->packet_max ||
        message->length > INT32_MAX)
        return -EMSGSIZE;
    response =
        MQTTClient_publish5(session->client, message->topic, (int)message->length, message->payload,
                            qos, message->retain && !session->keeps_nothing, properties, &token);
    if ((int)response.reasonCode == MQTTCLIENT_BAD_UTF8_STRING)
        return -EINVAL;
    if ((int)response.reasonCode != MQTTCLIENT_SUCCESS)
        return -ENOTCONN;
    if (qos > 0)
        take_slot(session, token, message->tag);
    return 0;
}

void session_cork(struct session *session, bool on)
{
    int value = on, fd = session_fd(session);

    if (fd >= 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_CORK, &value, sizeof(value));
}

/* -- what comes ------------------------------------------------------------------------------- */

/* Paho reads the broker's goodbye and tells its reason to nobody. */
static void peek_reason(struct session *session)
{
    uint8_t bytes[3];

    if (session->fd >= 0 && session->options->v5 && !session->options->tls &&
        recv(session->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT) == sizeof(bytes) &&
        bytes[0] == DISCONNECT_BYTE && bytes[1] > 0)
        session->reason = bytes[2];
}

static bool is_readable(const struct session *session)
{
    struct pollfd ready = {.fd = session->fd, .events = POLLIN};

    return session->fd >= 0 && poll(&ready, 1, 0) > 0;
}

/* One packet, or a turn of Paho's own timers. */
static void receive_one(struct session *session)
{
    MQTTClient_message *message = NULL;
    char *topic = NULL;
    int length;

    peek_reason(session);
    MQTTClient_receive(session->client, &topic, &length, &message, 0);
    if (topic)
        take_message(session, topic, message);
}

/* In MQTT 3.1.1 nobody is told: what is no longer pending was acknowledged. */
static void find_answers(struct session *session)
{
    MQTTClient_deliveryToken *tokens = NULL;

    if (session->options->v5 || session->underway == 0 ||
        MQTTClient_getPendingDeliveryTokens(session->client, &tokens) != MQTTCLIENT_SUCCESS)
        return;
    for (uint32_t i = 0; i < WINDOW_MAX; i++) {
        const MQTTClient_deliveryToken *at = tokens;

        while (at && *at != -1 && *at != session->window[i].token)
            at++;
        if (session->window[i].token != 0 && (!at || *at == -1))
            note_answer(session, session->window[i].token, 0);
    }
    MQTTClient_free(tokens);
}

/* TLS may hold a packet that the socket no longer shows: whoever has got one looks again. */
void session_receive(struct session *session)
{
    uint64_t before;
    int turns = 0;

    do {
        before = session->taken;
        receive_one(session);
    } while (++turns < RECEIVE_MAX && session_is_connected(session) &&
             (session->taken != before || is_readable(session)));
    if (session_is_connected(session))
        find_answers(session);
    session->received_ms = turns < RECEIVE_MAX ? clock_boot_ms() : 0;
    for (size_t i = 0; i < session->n_answers; i++)
        tell_answer(session, &session->answers[i]);
    session->n_answers = 0;
}

int64_t session_next_ms(struct session *session)
{
    int64_t every_ms = session->options->keep_alive_s * INT64_C(1000) / TURNS_A_KEEP_ALIVE;

    if (!session_is_connected(session))
        return CLOCK_NEVER;
    if (session->fd < 0 || every_ms < BLIND_MS)
        every_ms = BLIND_MS;
    return session->received_ms == 0 ? 0 : session->received_ms + every_ms;
}
