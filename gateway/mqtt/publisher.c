#include "gateway/mqtt/publisher.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/queue.h"
#include "gateway/base/text.h"
#include "gateway/core/inventory.h"
#include "gateway/mqtt/inbox.h"
#include "gateway/mqtt/inside.h"
#include "gateway/mqtt/messages.h"
#include "gateway/mqtt/news.h"
#include "gateway/mqtt/options.h"
#include "gateway/mqtt/topics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BUFFER_SIZE 16384 /* at first; a device with many channels makes it grow */

/* Home Assistant drops parts of a config that changes while it reads it. */
#define DEBOUNCE_MS 2000

#define BIRTH_MIN_MS   1000
#define BIRTH_SPREAD   4000
#define REASON_REFUSED 0x80

static uint64_t draw(void)
{
    uint64_t number = 0;

    if (getrandom(&number, sizeof(number), 0) < 0)
        number = (uint64_t)clock_boot_us();
    return number;
}

struct publisher *publisher_new(const struct options *options, struct session *session,
                                struct queue *news, struct publisher_counters *counters)
{
    struct publisher *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->options = options;
    p->session = session;
    p->news = news;
    p->counters = counters;
    p->announce_at = CLOCK_NEVER;
    p->instance = draw();
    p->outbox = outbox_new();
    p->late = outbox_new();
    p->buffer = malloc(BUFFER_SIZE);
    p->buffer_size = BUFFER_SIZE;
    if (!p->outbox || !p->late || !p->buffer) {
        publisher_free(p);
        return NULL;
    }
    return p;
}

static void release_todos(struct publisher *p)
{
    todo_release(&p->availability);
    todo_release(&p->discovery);
    todo_release(&p->states);
    todo_release(&p->rules);
    todo_release(&p->groups);
}

void publisher_free(struct publisher *p)
{
    if (!p)
        return;
    release_todos(p);
    burial_release(p);
    shadow_release(&p->shadow);
    change_release(&p->change);
    outbox_free(p->outbox);
    outbox_free(p->late);
    plan_free(p->plan);
    free(p->report);
    free(p->buffer);
    free(p);
}

/* -- what is due ---------------------------------------------------------------------------- */

/* The first of `todo`: true when it went out or need not. */
static bool do_next(struct publisher *p, struct todo *todo,
                    int (*publish_one)(struct publisher *p, uint32_t thing))
{
    uint32_t thing;

    if (!todo_next(todo, &thing) || publish_one(p, thing) < 0)
        return false;
    todo_done(todo);
    return true;
}

static bool do_flag(struct publisher *p, bool *flag, int (*publish_one)(struct publisher *p))
{
    if (!*flag || publish_one(p) < 0)
        return false;
    *flag = false;
    return true;
}

static bool do_outbox(struct publisher *p)
{
    const struct outbox_entry *entry = outbox_next(p->outbox);

    return entry && message_entry(p, entry) == 0;
}

/* What is late never has more than half of the window: what is new does not wait for it. */
static bool do_late(struct publisher *p)
{
    const struct outbox_entry *entry = outbox_next(p->late);

    return entry && session_room(p->session) > session_underway(p->session) &&
           message_late(p, entry) == 0;
}

static bool gateway_is_first(const struct publisher *p)
{
    uint32_t number;

    return todo_next(&p->discovery, &number) && number == 0;
}

/* The most urgent message; false when nothing is due or nothing goes. */
static bool step(struct publisher *p)
{
    if (do_flag(p, &p->status, message_status))
        return true;
    /* Before events, so that their entity is there; before devices, which name it. */
    if (gateway_is_first(p))
        return do_next(p, &p->discovery, message_discovery);
    return do_outbox(p) || do_next(p, &p->availability, message_availability) ||
           do_next(p, &p->discovery, message_discovery) || do_next(p, &p->graves, message_grave) ||
           do_next(p, &p->moves, message_move) || do_next(p, &p->leftovers, message_leftover) ||
           do_next(p, &p->states, message_device) || do_next(p, &p->rules, message_rule) ||
           do_next(p, &p->groups, message_group) || do_flag(p, &p->health, message_health) ||
           do_late(p);
}

/* Nothing is skipped because it is unchanged: the other side may have lost everything. */
static void announce(struct publisher *p)
{
    p->status = true;
    p->announce_at = CLOCK_NEVER;
    if (!p->plan)
        return;
    burial_announce(p);
    todo_add_all(&p->availability);
    todo_add_all(&p->states);
    todo_add_all(&p->rules);
    todo_add_all(&p->groups);
    p->health = true;
}

void publisher_run(struct publisher *p, int64_t now_ms)
{
    if (!p->online)
        return;
    if (now_ms >= p->announce_at)
        announce(p);
    burial_run(p, now_ms);
    while (session_room(p->session) > 0 && step(p))
        ;
}

int64_t publisher_next_ms(const struct publisher *p)
{
    if (!p->online)
        return CLOCK_NEVER;
    return p->announce_at < burial_next_ms(p) ? p->announce_at : burial_next_ms(p);
}

/* -- the session's life --------------------------------------------------------------------- */

void publisher_online(struct publisher *p, int64_t now_ms)
{
    p->online = true;
    p->online_since_ms = now_ms;
    p->said_refused = false;
    outbox_again(p->outbox);
    outbox_again(p->late);
    announce(p);
}

void publisher_offline(struct publisher *p)
{
    p->online = false;
}

void publisher_acked(struct publisher *p, uint64_t tag, int reason)
{
    atomic_fetch_add_explicit(&p->counters->acknowledged, 1, memory_order_relaxed);
    if (tag & MESSAGE_LATE)
        message_replayed(p, tag & ~MESSAGE_LATE);
    else if (tag != 0)
        message_delivered(p, outbox_acked(p->outbox, tag));
    if (outbox_length(p->outbox) == 0)
        p->said_full = false;
    if (reason >= REASON_REFUSED && !p->said_refused) {
        log_warn(
            "mqtt: the broker refuses some of our messages (reason 0x%02x): may this user write "
            "to %s/#%s%s?",
            (unsigned)reason, p->options->base, p->options->prefix ? " and " : "",
            p->options->prefix ? p->options->prefix : "");
        p->said_refused = true;
    }
}

static void announce_by(struct publisher *p, int64_t at_ms)
{
    if (at_ms < p->announce_at && !p->leaving)
        p->announce_at = at_ms;
}

void publisher_birth(struct publisher *p, int64_t now_ms)
{
    announce_by(p, now_ms + BIRTH_MIN_MS + (int64_t)(draw() % BIRTH_SPREAD));
    p->burial.next_for_birth = true;
}

void publisher_goodbye(struct publisher *p)
{
    p->leaving = true;
    p->status = true;
    p->health = false;
    p->announce_at = CLOCK_NEVER;
    todo_clear(&p->discovery);
    todo_clear(&p->graves);
    todo_clear(&p->moves);
    todo_clear(&p->leftovers);
    p->burial.stage = BURIAL_IDLE;
    todo_clear(&p->states);
    todo_add_all(&p->availability);
}

uint64_t publisher_instance(const struct publisher *p)
{
    return p->instance;
}

bool publisher_is_done(const struct publisher *p)
{
    return !p->status && p->availability.length == 0 && p->rules.length == 0 &&
           p->groups.length == 0 && outbox_length(p->outbox) == 0 &&
           session_underway(p->session) == 0;
}

/* -- news ----------------------------------------------------------------------------------- */

bool publisher_is_full(const struct publisher *p)
{
    return p->online && p->options->qos_readings > 0 && session_room(p->session) == 0;
}

static int resize_todos(struct publisher *p, const struct plan *plan)
{
    const struct inventory *inventory = plan->inventory;

    p->told_of_device = 0;
    if (todo_resize(&p->availability, inventory->n_devices) < 0 ||
        todo_resize(&p->discovery, inventory->n_devices + 1) < 0 ||
        todo_resize(&p->states, inventory->n_devices) < 0 ||
        todo_resize(&p->rules, inventory->n_rules) < 0 ||
        todo_resize(&p->groups, plan->n_groups) < 0)
        return -ENOMEM;
    return 0;
}

/* What was due and is thrown away here is due again with the announcement that follows. */
static void take_inventory(struct publisher *p, struct inventory *inventory)
{
    struct plan *plan = plan_new(inventory, p->options->base);
    bool first = p->plan == NULL;

    inventory_release(inventory);
    if (!plan || !message_lengthen_buffer(p, plan->state_size) ||
        shadow_adopt(&p->shadow, plan) < 0) {
        plan_free(plan);
        log_error("mqtt: out of memory: the new config is not published");
        return;
    }
    plan_free(p->plan);
    p->plan = plan;
    plan->bare = !p->options->json;
    plan->rights = p->options->commands;
    if (change_use(&p->change, plan->inventory) < 0)
        log_warn("mqtt: out of memory: values are published also when they have not changed");
    if (resize_todos(p, plan) < 0)
        log_error("mqtt: out of memory: states are not published anew");
    p->announce_at = clock_boot_ms() + (first ? 0 : DEBOUNCE_MS);
}

/* A poll goes out as one object with its last reading, or each reading alone; an event always
 * alone. */
static void publish_reading(struct publisher *p, uint32_t device, const struct inbox_item *item)
{
    const struct options *options = p->options;
    bool is_event = p->plan->inventory->sensors[item->reading.sensor].kind == SENSOR_EVENT;
    bool due = !is_event && change_is_due(&p->change, &item->reading);
    int r = p->online ? 0 : -ENOTCONN;

    p->poll_is_due = due || p->poll_is_due;
    if (r == 0 && is_event && item->reading.quality == QUALITY_GOOD)
        r = message_happening(p, &item->reading);
    else if (r == 0 && due && options->plain)
        r = message_value(p, item->reading.sensor);
    if (!item->last)
        return;
    if (r == 0 && p->poll_is_due && options->json)
        r = message_state(p, device);
    p->poll_is_due = false;
    if (r == 0)
        session_mark(p->session, item->reading.at_ms);
    else
        atomic_fetch_add_explicit(&p->counters->unsent, 1, memory_order_relaxed);
}

/* Hearing a good value says that a device is there, even before anyone said so. */
static void take_reading(struct publisher *p, const struct inbox_item *item)
{
    uint32_t device;

    if (!shadow_reading(&p->shadow, &item->reading))
        return;
    device = p->plan->inventory->sensors[item->reading.sensor].device;
    if (!p->shadow.devices[device].heard && item->reading.quality == QUALITY_GOOD &&
        shadow_device(&p->shadow, device, true))
        todo_add(&p->availability, device);
    publish_reading(p, device, item);
}

static void take_instance(struct publisher *p, const struct instance_state *state)
{
    if (!shadow_instance(&p->shadow, state))
        return;
    todo_add(&p->rules, state->instance);
    if (p->plan->group_of[state->instance] != PLAN_NONE)
        todo_add(&p->groups, p->plan->group_of[state->instance]);
}

static void count_lost(struct publisher *p, uint64_t before)
{
    uint64_t lost = outbox_lost(p->outbox) - before;

    if (lost == 0)
        return;
    atomic_fetch_add(&p->counters->lost, lost);
    if (!p->said_full)
        log_error("mqtt: more than %d events wait for the broker; the oldest are given up",
                  OUTBOX_MAX);
    p->said_full = true;
}

static void take_replay(struct publisher *p, struct inbox_publish *publish)
{
    if (outbox_put_message(p->late, publish) < 0)
        queue_push(p->news, &(struct news){.what = NEWS_REPLAYED}, 1);
    free(publish);
}

static void take_event(struct publisher *p, const struct event *event)
{
    uint64_t lost = outbox_lost(p->outbox);

    if (!p->plan)
        return; /* there is no event before the first inventory */
    outbox_put_event(p->outbox, event, p->plan->inventory);
    count_lost(p, lost);
}

static void take_publish(struct publisher *p, struct inbox_publish *publish)
{
    uint64_t lost = outbox_lost(p->outbox);
    char quoted[200];

    if (topics_is_publishable(publish->topic)) {
        if (outbox_put_message(p->outbox, publish) < 0)
            message_delivered(p, publish->row); /* given up, and counted */
        count_lost(p, lost);
    } else {
        atomic_fetch_add(&p->counters->lost, 1);
        if (!p->said_topic)
            log_error("mqtt: a rule wants to publish to %s, which is no topic",
                      text_quote(quoted, sizeof(quoted), publish->topic));
        p->said_topic = true;
        message_delivered(p, publish->row);
    }
    free(publish);
}

void publisher_take(struct publisher *p, struct inbox_item *item)
{
    switch (item->what) {
    case INBOX_INVENTORY:
        take_inventory(p, item->inventory);
        break;
    case INBOX_READING:
        take_reading(p, item);
        break;
    case INBOX_DEVICE:
        if (shadow_device(&p->shadow, item->device, item->why == QUALITY_GOOD))
            todo_add(&p->availability, item->device);
        break;
    case INBOX_INSTANCE:
        take_instance(p, &item->state);
        break;
    case INBOX_EVENT:
        take_event(p, &item->event);
        break;
    case INBOX_GHOSTS:
        if (burial_take(p, item->owned))
            announce_by(p, clock_boot_ms() + DEBOUNCE_MS);
        break;
    case INBOX_REPORT:
        free(p->report);
        p->report = item->owned;
        p->health = p->plan != NULL && !p->leaving;
        break;
    case INBOX_REPLAY:
        take_replay(p, item->publish);
        break;
    case INBOX_PUBLISH:
        take_publish(p, item->publish);
        break;
    default:
        break;
    }
}
