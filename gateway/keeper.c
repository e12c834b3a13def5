#include "gateway/keeper.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/text.h"
#include "gateway/core/inventory.h"
#include "gateway/draft.h"
#include "gateway/mqtt/mqtt.h"
#include "gateway/notify/notify.h"
#include "gateway/parcel.h"
#include "gateway/pump.h"
#include "gateway/store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MQTT_TARGET "mqtt"
#define PUMPS_MAX   32   /* notifiers; a number of 5 bits travels with their rows */
#define PAYLOAD_MAX 4096 /* of one message, with its topic */
#define VIEWERS_MAX 4

/* The way to one notifier. */
struct teller {
    struct keeper *keeper;
    struct pump *pump;
    char name[TEXT_SLUG_MAX + 1], target[DRAFT_TARGET_SIZE];
};

/* Who is shown what is kept. */
struct viewer {
    const struct sink_calls *calls;
    void *self;
};

/* Drafts in the order in which they came. */
struct list {
    struct draft *first, *last;
};

struct keeper {
    struct store *store;
    struct mqtt *mqtt;
    struct notify *notify;
    struct pump *pump; /* to the broker */
    struct teller tellers[PUMPS_MAX];
    size_t n_tellers;
    struct inventory *inventory;
    struct list open;   /* of the judgement that is under way */
    size_t n_stateless; /* of those with an event, to which no state was added yet */
    struct list sent;   /* that the store has not answered yet: it answers in about this order */
    uint64_t token;
    struct instance_state *states; /* told since the last judgement was over */
    size_t n_states, states_room;
    struct viewer viewers[VIEWERS_MAX];
    size_t n_viewers;
};

/* -- drafts --------------------------------------------------------------------------------- */

static void append(struct list *list, struct draft *draft)
{
    draft->next = NULL;
    if (list->last)
        list->last->next = draft;
    else
        list->first = draft;
    list->last = draft;
}

/* Takes out the one with this token; NULL when there is none. */
static struct draft *take_out(struct list *list, uint64_t token)
{
    struct draft *before = NULL, *draft = list->first;

    while (draft && draft->token != token) {
        before = draft;
        draft = draft->next;
    }
    if (!draft)
        return NULL;
    if (before)
        before->next = draft->next;
    else
        list->first = draft->next;
    if (list->last == draft)
        list->last = before;
    draft->next = NULL;
    return draft;
}

static struct draft *add_draft(struct keeper *keeper)
{
    struct draft *draft = draft_new(++keeper->token);

    if (draft)
        append(&keeper->open, draft);
    return draft;
}

/* The newest draft: what a rule does belongs to the event before it. */
static struct draft *newest(struct keeper *keeper)
{
    return keeper->open.last ? keeper->open.last : add_draft(keeper);
}

static void add_mqtt(struct draft *draft, const struct mqtt_message *message)
{
    size_t size = 0;
    char *bytes = parcel_pack_mqtt(message, &size);

    draft_add_message(draft, MQTT_TARGET, bytes, size);
}

static int send_mqtt(void *self, int64_t row, const void *payload, size_t size)
{
    struct keeper *keeper = self;
    struct mqtt_message message;

    if (parcel_read_mqtt(payload, size, row, &message))
        return mqtt_deliver(keeper->mqtt, &message);
    log_error("a message in the outbox is damaged and left out");
    store_outbox_done(keeper->store, row);
    return 0;
}

static int send_letter(void *self, int64_t row, const void *payload, size_t size)
{
    struct teller *teller = self;
    uint64_t number = ((uint64_t)row << 5) | (uint64_t)(teller - teller->keeper->tellers);
    struct notify_message message;
    int r;

    if (!parcel_read_letter(payload, size, number, &message)) {
        log_error("a message to \"%s\" in the outbox is damaged and left out", teller->name);
        pump_done(teller->pump, row);
        return 0;
    }
    r = notify_send(teller->keeper->notify, teller->name, &message);
    if (r == -ENOENT) { /* the notifier is gone from the config */
        pump_done(teller->pump, row);
        return 0;
    }
    return r;
}

void keeper_told(struct keeper *keeper, uint64_t row)
{
    size_t i = row & 31;

    if (i < keeper->n_tellers)
        pump_done(keeper->tellers[i].pump, (int64_t)row >> 5);
}

/* -- the sink: one judgement ---------------------------------------------------------------- */

static void take_inventory(void *sink, struct inventory *inventory)
{
    struct keeper *keeper = sink;
    struct inventory *old = keeper->inventory;

    keeper->inventory = inventory_hold(inventory);
    for (struct draft *draft = keeper->sent.first; draft; draft = draft->next)
        draft_renumber(draft, old, inventory);
    inventory_release(old);
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
    keeper->n_stateless++;
    draft->event = *event;
    if (event->instance != UINT32_MAX)
        text_copy(draft->id, sizeof(draft->id), keeper->inventory->rules[event->instance].id);
    if (!keeper->mqtt)
        return;
    length = mqtt_event_message(keeper->mqtt, keeper->inventory, event, topic, sizeof(topic),
                                payload, sizeof(payload));
    if (length > 0)
        add_mqtt(draft, &(struct mqtt_message){.topic = topic,
                                               .payload = payload,
                                               .length = length,
                                               .qos = mqtt_event_qos(keeper->mqtt)});
}

static void take_publish(void *sink, const char *topic, const char *payload, uint8_t qos,
                         bool retain)
{
    struct keeper *keeper = sink;
    struct draft *draft = keeper->mqtt ? newest(keeper) : NULL;

    if (draft)
        add_mqtt(draft, &(struct mqtt_message){.topic = topic,
                                               .payload = payload,
                                               .length = strlen(payload),
                                               .qos = qos,
                                               .retain = retain});
}

static enum notify_kind kind_of(uint8_t event_type)
{
    switch (event_type) {
    case EVENT_FIRED:
        return NOTIFY_FIRED;
    case EVENT_CLEARED:
        return NOTIFY_CLEARED;
    case EVENT_LEVEL:
        return NOTIFY_CHANGED;
    case EVENT_BLIND:
        return NOTIFY_BLIND;
    case EVENT_SEEING:
        return NOTIFY_SEEING;
    default:
        return NOTIFY_GATEWAY;
    }
}

static void describe_rule(const struct inventory *inventory, const struct inventory_rule *rule,
                          struct notify_message *letter)
{
    letter->title = rule->label;
    letter->rule = rule->id;
    if (rule->sensor == UINT32_MAX)
        return;
    letter->sensor = inventory->sensors[rule->sensor].id;
    letter->unit = inventory->sensors[rule->sensor].unit;
}

/* What a notification tells besides its text; `value` gets that of the event. */
static struct notify_message describe_letter(const struct keeper *keeper,
                                             const struct sink_notification *from,
                                             const struct draft *draft, char value[32])
{
    const struct inventory *inventory = keeper->inventory;
    bool good = clock_wall_is_good();
    struct notify_message letter = {.kind = (uint8_t)kind_of(from->type),
                                    .severity = from->severity,
                                    .title = inventory->label,
                                    .text = from->text,
                                    .since_ms = CLOCK_NEVER,
                                    .at_ms = good ? clock_wall_ms(from->at_ms) : CLOCK_NEVER};

    if (from->instance != UINT32_MAX)
        describe_rule(inventory, &inventory->rules[from->instance], &letter);
    if (draft->has_event && good && draft->event.since_ms != CLOCK_NEVER)
        letter.since_ms = clock_wall_ms(draft->event.since_ms);
    if (draft->has_event && draft->event.kind == VALUE_NUMBER) {
        text_from_number(value, 32, draft->event.number, -1);
        letter.value = value;
    }
    return letter;
}

static bool is_for(const struct teller *teller, const struct sink_notification *from)
{
    if (from->except && strcmp(teller->name, from->except) == 0)
        return false;
    return (!from->notifier || strcmp(teller->name, from->notifier) == 0) &&
           notify_wants(teller->keeper->notify, teller->name, from->severity);
}

static void take_notify(void *sink, const struct sink_notification *from)
{
    struct keeper *keeper = sink;
    struct draft *draft = keeper->n_tellers > 0 ? newest(keeper) : NULL;
    struct notify_message letter;
    char value[32];

    if (!draft)
        return;
    letter = describe_letter(keeper, from, draft, value);
    for (size_t i = 0; i < keeper->n_tellers; i++) {
        size_t size = 0;
        char *bytes;

        if (!is_for(&keeper->tellers[i], from))
            continue;
        bytes = parcel_pack_letter(&letter, &size);
        draft_add_message(draft, keeper->tellers[i].target, bytes, size);
    }
}

static void take_run(void *sink, uint32_t instance, const char *hook, const char *text)
{
    struct keeper *keeper = sink;
    const struct inventory_rule *rule = &keeper->inventory->rules[instance];
    struct notify_message message = {.kind = NOTIFY_FIRED,
                                     .severity = rule->severity,
                                     .title = rule->label,
                                     .text = text,
                                     .rule = rule->id,
                                     .since_ms = CLOCK_NEVER,
                                     .at_ms = CLOCK_NEVER};
    int r = keeper->notify ? notify_run_hook(keeper->notify, hook, &message) : -ENOENT;

    if (r < 0)
        log_error("rule %s: hook \"%s\" is not run: %s", rule->id, hook,
                  r == -ENOENT ? "there is none of this name in the config" : strerror(-r));
}

/* How an instance stands goes with the last event of it, so that both are kept or neither. */
static void take_saved(void *sink, const char *id, const char *text)
{
    struct keeper *keeper = sink;
    struct draft *with = NULL;

    for (struct draft *draft = keeper->n_stateless ? keeper->open.first : NULL; draft;
         draft = draft->next) {
        if (draft->has_event && strcmp(draft->id, id) == 0 && !draft->state)
            with = draft;
    }
    if (with)
        keeper->n_stateless--;
    else
        with = add_draft(keeper);
    if (!with)
        return;
    text_copy(with->id, sizeof(with->id), id);
    with->state = strdup(text);
}

/* -- what is shown -------------------------------------------------------------------------- */

#define SHOW(keeper, call, what)                                                       \
    do {                                                                               \
        for (size_t v_ = 0; v_ < (keeper)->n_viewers; v_++) {                          \
            if ((keeper)->viewers[v_].calls->call)                                     \
                (keeper)->viewers[v_].calls->call((keeper)->viewers[v_].self, (what)); \
        }                                                                              \
    } while (0)

static void show_states(struct keeper *keeper, const struct instance_state *states, size_t count)
{
    for (size_t i = 0; i < count; i++)
        SHOW(keeper, instance, &states[i]);
}

static void show_draft(struct keeper *keeper, const struct draft *draft)
{
    if (draft->has_event)
        SHOW(keeper, event, &draft->event);
    show_states(keeper, draft->shown, draft->n_shown);
}

static void take_instance(void *sink, const struct instance_state *state)
{
    struct keeper *keeper = sink;

    if (keeper->n_states == keeper->states_room) {
        size_t room = keeper->states_room ? 2 * keeper->states_room : 16;
        struct instance_state *more = realloc(keeper->states, room * sizeof(*more));

        if (!more) {
            SHOW(keeper, instance, state); /* rather too early than never */
            return;
        }
        keeper->states = more;
        keeper->states_room = room;
    }
    keeper->states[keeper->n_states++] = *state;
}

/* States wait for the newest record that is not kept yet, so that none overtakes another. */
static void settle_states(struct keeper *keeper)
{
    struct draft *draft = keeper->open.last ? keeper->open.last : keeper->sent.last;

    if (keeper->n_states == 0)
        return;
    if (draft) {
        draft_show(draft, keeper->states, keeper->n_states);
        keeper->states = NULL;
        keeper->states_room = 0;
    } else {
        show_states(keeper, keeper->states, keeper->n_states);
    }
    keeper->n_states = 0;
}

/* -- to the store --------------------------------------------------------------------------- */

static void commit(struct keeper *keeper, struct draft *draft)
{
    append(&keeper->sent, draft);
    if (draft_commit(draft, keeper->inventory, keeper->store) < 0)
        keeper_committed(keeper, draft->token, false);
}

static void take_settled(void *sink, int64_t now_ms)
{
    struct keeper *keeper = sink;
    struct draft *draft = keeper->open.first;

    (void)now_ms;
    settle_states(keeper);
    keeper->open = (struct list){0};
    keeper->n_stateless = 0;
    while (draft) {
        struct draft *next = draft->next;

        commit(keeper, draft);
        draft = next;
    }
}

const struct sink_calls keeper_sink = {
    .name = "keeper",
    .inventory = take_inventory,
    .instance = take_instance,
    .event = take_event,
    .publish = take_publish,
    .notify = take_notify,
    .run = take_run,
    .saved = take_saved,
    .settled = take_settled,
};

/* -- from the store ------------------------------------------------------------------------- */

static void run_pumps(struct keeper *keeper)
{
    if (keeper->pump)
        pump_run(keeper->pump);
    for (size_t i = 0; i < keeper->n_tellers; i++)
        pump_run(keeper->tellers[i].pump);
}

/* The disk fails or is slow, and nobody waits for it: the broker hears of it now, and again with
 * the same id when it is written; only then it is `durable`. A person is told by then only: twice
 * would be taken for two alarms. */
static void send_at_once(struct keeper *keeper, const struct draft *draft)
{
    bool event = draft->has_event;

    for (size_t i = 0; keeper->mqtt && i < draft->n_messages; i++) {
        if (strcmp(draft->messages[i].target, MQTT_TARGET) != 0)
            continue;
        if (event) /* its own message is the first */
            mqtt_sink.event(keeper->mqtt, &draft->event);
        else
            (void)send_mqtt(keeper, 0, draft->messages[i].payload, draft->messages[i].size);
        event = false;
    }
}

void keeper_committed(struct keeper *keeper, uint64_t token, bool durable)
{
    struct draft *draft = take_out(&keeper->sent, token);

    if (!draft)
        return;
    show_draft(keeper, draft);
    if (!durable)
        send_at_once(keeper, draft);
    else if (draft->n_messages > 0)
        run_pumps(keeper);
    draft_free(draft);
}

void keeper_start(struct keeper *keeper)
{
    run_pumps(keeper);
}

void keeper_delivered(struct keeper *keeper, int64_t row)
{
    if (keeper->pump && row != 0)
        pump_done(keeper->pump, row);
}

/* -- life ----------------------------------------------------------------------------------- */

static int add_teller(struct keeper *keeper, struct loop *loop, const char *name)
{
    struct teller *teller = &keeper->tellers[keeper->n_tellers];

    teller->keeper = keeper;
    text_copy(teller->name, sizeof(teller->name), name);
    snprintf(teller->target, sizeof(teller->target), "notify:%.63s", name);
    teller->pump = pump_new(loop, keeper->store, teller->target, send_letter, teller);
    if (!teller->pump)
        return -ENOMEM;
    keeper->n_tellers++;
    return 0;
}

static int make_ways(struct keeper *keeper, struct loop *loop)
{
    struct notify_status status;
    int r = 0;

    if (keeper->mqtt &&
        !(keeper->pump = pump_new(loop, keeper->store, MQTT_TARGET, send_mqtt, keeper)))
        return -ENOMEM;
    for (size_t i = 0; r == 0 && keeper->notify && notify_status(keeper->notify, i, &status); i++) {
        if (i < PUMPS_MAX)
            r = add_teller(keeper, loop, status.name);
        else
            log_error("notifier \"%s\": there may be %d at most", status.name, PUMPS_MAX);
    }
    return r;
}

struct keeper *keeper_new(struct loop *loop, struct store *store, struct mqtt *mqtt,
                          struct notify *notify)
{
    struct keeper *keeper = calloc(1, sizeof(*keeper));

    if (!keeper)
        return NULL;
    keeper->store = store;
    keeper->mqtt = mqtt;
    keeper->notify = notify;
    if (make_ways(keeper, loop) < 0) {
        keeper_free(keeper);
        return NULL;
    }
    return keeper;
}

int keeper_show(struct keeper *keeper, const struct sink_calls *calls, void *self)
{
    if (keeper->n_viewers == VIEWERS_MAX)
        return -ENOSPC;
    keeper->viewers[keeper->n_viewers++] = (struct viewer){.calls = calls, .self = self};
    return 0;
}

void keeper_free(struct keeper *keeper)
{
    if (!keeper)
        return;
    draft_free(keeper->open.first);
    draft_free(keeper->sent.first);
    free(keeper->states);
    pump_free(keeper->pump);
    for (size_t i = 0; i < keeper->n_tellers; i++)
        pump_free(keeper->tellers[i].pump);
    inventory_release(keeper->inventory);
    free(keeper);
}
