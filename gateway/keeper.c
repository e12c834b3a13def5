#include "gateway/keeper.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/text.h"
#include "gateway/core/inventory.h"
#include "gateway/mqtt/mqtt.h"
#include "gateway/pump.h"
#include "gateway/store/store.h"

#include <stdlib.h>
#include <string.h>

#define MQTT_TARGET  "mqtt"
#define STATE_KIND   "rule"
#define PAYLOAD_MAX  4096 /* of one message, with its topic */
#define MESSAGES_MAX 16   /* of one record */

/* A record that is being written, or is on its way to the disk. */
struct draft {
    struct draft *next;
    uint64_t token;
    bool has_event;
    struct event event;
    char id[136]; /* of the instance whose state goes with it; "" for none */
    char *state;  /* NULL: none */
    size_t n_messages;
    struct {
        char *payload;
        size_t size;
    } messages[MESSAGES_MAX];
};

struct keeper {
    struct store *store;
    struct mqtt *mqtt;
    struct pump *pump;
    struct inventory *inventory;
    struct draft *open, **open_end; /* of the judgement that is under way */
    struct draft *sent;             /* that the store has not answered yet */
    uint64_t token;
};

/* -- drafts --------------------------------------------------------------------------------- */

static void free_draft(struct draft *draft)
{
    for (size_t i = 0; i < draft->n_messages; i++)
        free(draft->messages[i].payload);
    free(draft->state);
    free(draft);
}

static struct draft *add_draft(struct keeper *keeper)
{
    struct draft *draft = calloc(1, sizeof(*draft));

    if (!draft) {
        log_error("out of memory: an event is lost");
        return NULL;
    }
    draft->token = ++keeper->token;
    *keeper->open_end = draft;
    keeper->open_end = &draft->next;
    return draft;
}

/* The newest draft: what a rule does belongs to the event before it. */
static struct draft *newest(struct keeper *keeper)
{
    struct draft *draft = keeper->open;

    while (draft && draft->next)
        draft = draft->next;
    return draft ? draft : add_draft(keeper);
}

/* How a message to the broker stands in the outbox: QoS and retain, the topic with its NUL, the
 * payload. */
static void add_mqtt(struct draft *draft, uint8_t qos, bool retain, const char *topic,
                     const char *payload, size_t length)
{
    size_t topic_size = strlen(topic) + 1, size = 1 + topic_size + length;
    char *bytes = draft->n_messages < MESSAGES_MAX ? malloc(size) : NULL;

    if (!bytes) {
        log_error("a message to \"%s\" is lost: %s", topic,
                  draft->n_messages < MESSAGES_MAX ? "out of memory" : "a rule sends too many");
        return;
    }
    bytes[0] = (char)(qos | (retain ? 0x80 : 0));
    memcpy(bytes + 1, topic, topic_size);
    memcpy(bytes + 1 + topic_size, payload, length);
    draft->messages[draft->n_messages].payload = bytes;
    draft->messages[draft->n_messages++].size = size;
}

static int send_mqtt(void *self, int64_t row, const void *payload, size_t size)
{
    struct keeper *keeper = self;
    const char *bytes = payload, *topic = bytes + 1;
    const char *end = size > 1 ? memchr(topic, '\0', size - 1) : NULL;
    struct mqtt_message message = {.row = row, .topic = topic};

    if (!end) {
        log_error("a message in the outbox is damaged and left out");
        store_outbox_done(keeper->store, row);
        return 0;
    }
    message.payload = end + 1;
    message.length = size - (size_t)(message.payload - bytes);
    message.qos = (uint8_t)bytes[0] & 3;
    message.retain = ((uint8_t)bytes[0] & 0x80) != 0;
    return mqtt_deliver(keeper->mqtt, &message);
}

/* -- the sink: one judgement ---------------------------------------------------------------- */

static void take_inventory(void *sink, struct inventory *inventory)
{
    struct keeper *keeper = sink;

    inventory_release(keeper->inventory);
    keeper->inventory = inventory_hold(inventory);
}

static void take_event(void *sink, const struct event *event)
{
    struct keeper *keeper = sink;
    struct draft *draft = add_draft(keeper);
    char topic[512], payload[PAYLOAD_MAX];
    size_t length;

    if (!draft)
        return;
    draft->has_event = true;
    draft->event = *event;
    if (event->instance != UINT32_MAX)
        text_copy(draft->id, sizeof(draft->id), keeper->inventory->rules[event->instance].id);
    if (!keeper->mqtt)
        return;
    length = mqtt_event_message(keeper->mqtt, keeper->inventory, event, topic, sizeof(topic),
                                payload, sizeof(payload));
    if (length > 0)
        add_mqtt(draft, 1, false, topic, payload, length);
}

static void take_publish(void *sink, const char *topic, const char *payload, uint8_t qos,
                         bool retain)
{
    struct keeper *keeper = sink;
    struct draft *draft = keeper->mqtt ? newest(keeper) : NULL;

    if (draft)
        add_mqtt(draft, qos, retain, topic, payload, strlen(payload));
}

/* How an instance stands goes with the last event of it, so that both are kept or neither. */
static void take_saved(void *sink, const char *id, const char *text)
{
    struct keeper *keeper = sink;
    struct draft *with = NULL;

    for (struct draft *draft = keeper->open; draft; draft = draft->next) {
        if (draft->has_event && strcmp(draft->id, id) == 0 && !draft->state)
            with = draft;
    }
    if (!with)
        with = add_draft(keeper);
    if (!with)
        return;
    text_copy(with->id, sizeof(with->id), id);
    with->state = strdup(text);
}

/* -- to the store --------------------------------------------------------------------------- */

static struct store_event describe(const struct keeper *keeper, const struct event *event)
{
    const struct inventory *inventory = keeper->inventory;
    struct store_event result = {.boot = event->boot,
                                 .sequence = event->sequence,
                                 .at_ms = event->at_ms,
                                 .since_ms = event->since_ms,
                                 .type = event_type_name(event->type),
                                 .by = event->by,
                                 .via = event->via,
                                 .result = event->result,
                                 .note = event->note,
                                 .number = event->number,
                                 .limit = event->limit,
                                 .severity = event->severity,
                                 .kind = event->kind};

    if (event->instance != UINT32_MAX)
        result.rule = inventory->rules[event->instance].id;
    if (event->sensor != UINT32_MAX) {
        result.sensor = inventory->sensors[event->sensor].id;
        result.unit = inventory->sensors[event->sensor].unit;
    }
    if (event->kind == VALUE_TEXT)
        result.text = text_table_get(inventory->texts, event->text);
    return result;
}

static void commit(struct keeper *keeper, struct draft *draft)
{
    struct store_event event;
    struct store_state state = {.kind = STATE_KIND, .key = draft->id};
    struct store_message messages[MESSAGES_MAX];
    struct store_record record = {.token = draft->token, .messages = messages};

    if (draft->has_event) {
        event = describe(keeper, &draft->event);
        record.event = &event;
        record.resolves = draft->event.type == EVENT_CLEARED;
    }
    if (draft->state) {
        state.value = draft->state[0] ? draft->state : NULL;
        state.size = strlen(draft->state);
        record.states = &state;
        record.n_states = 1;
    }
    for (; record.n_messages < draft->n_messages; record.n_messages++)
        messages[record.n_messages] = (struct store_message){
            .target = MQTT_TARGET,
            .payload = draft->messages[record.n_messages].payload,
            .size = draft->messages[record.n_messages].size,
        };
    draft->next = keeper->sent;
    keeper->sent = draft;
    if (store_commit(keeper->store, &record, NULL) < 0)
        keeper_committed(keeper, draft->token, false);
}

static void take_settled(void *sink, int64_t now_ms)
{
    struct keeper *keeper = sink;
    struct draft *draft = keeper->open;

    (void)now_ms;
    keeper->open = NULL;
    keeper->open_end = &keeper->open;
    while (draft) {
        struct draft *next = draft->next;

        commit(keeper, draft);
        draft = next;
    }
}

const struct sink_calls keeper_sink = {
    .name = "keeper",
    .inventory = take_inventory,
    .event = take_event,
    .publish = take_publish,
    .saved = take_saved,
    .settled = take_settled,
};

/* -- from the store ------------------------------------------------------------------------- */

void keeper_committed(struct keeper *keeper, uint64_t token, bool durable)
{
    struct draft **at = &keeper->sent, *draft;

    while (*at && (*at)->token != token)
        at = &(*at)->next;
    draft = *at;
    if (!draft)
        return;
    *at = draft->next;
    if (durable && keeper->pump && draft->n_messages > 0)
        pump_run(keeper->pump);
    /* Nobody waits for a disk: row 0 is acknowledged to no one. */
    for (size_t i = 0; !durable && keeper->mqtt && i < draft->n_messages; i++)
        (void)send_mqtt(keeper, 0, draft->messages[i].payload, draft->messages[i].size);
    free_draft(draft);
}

void keeper_start(struct keeper *keeper)
{
    if (keeper->pump)
        pump_run(keeper->pump);
}

void keeper_delivered(struct keeper *keeper, int64_t row)
{
    if (keeper->pump && row != 0)
        pump_done(keeper->pump, row);
}

/* -- life ----------------------------------------------------------------------------------- */

struct keeper *keeper_new(struct loop *loop, struct store *store, struct mqtt *mqtt)
{
    struct keeper *keeper = calloc(1, sizeof(*keeper));

    if (!keeper)
        return NULL;
    keeper->store = store;
    keeper->mqtt = mqtt;
    keeper->open_end = &keeper->open;
    if (mqtt && !(keeper->pump = pump_new(loop, store, MQTT_TARGET, send_mqtt, keeper))) {
        free(keeper);
        return NULL;
    }
    return keeper;
}

static void free_list(struct draft *draft)
{
    while (draft) {
        struct draft *next = draft->next;

        free_draft(draft);
        draft = next;
    }
}

void keeper_free(struct keeper *keeper)
{
    if (!keeper)
        return;
    free_list(keeper->open);
    free_list(keeper->sent);
    pump_free(keeper->pump);
    inventory_release(keeper->inventory);
    free(keeper);
}
