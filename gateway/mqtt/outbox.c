#include "gateway/mqtt/outbox.h"

#include "gateway/core/inventory.h"
#include "gateway/mqtt/inbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Entries stand at places first to last - 1, in the order of their numbers, place n in slot
 * n % OUTBOX_MAX; those before `next` are under way. */
struct outbox {
    uint64_t first, last, next;
    uint64_t number; /* of the newest */
    uint64_t lost;
    struct outbox_entry *slots[OUTBOX_MAX];
};

struct outbox *outbox_new(void)
{
    return calloc(1, sizeof(struct outbox));
}

static struct outbox_entry **slot_at(struct outbox *outbox, uint64_t place)
{
    return &outbox->slots[place % OUTBOX_MAX];
}

/* Those before it move up by one place. */
static void drop_at(struct outbox *outbox, uint64_t place)
{
    struct outbox_entry *entry = *slot_at(outbox, place);

    if (entry->inventory)
        inventory_release(entry->inventory);
    free(entry);
    for (uint64_t at = place; at > outbox->first; at--)
        *slot_at(outbox, at) = *slot_at(outbox, at - 1);
    *slot_at(outbox, outbox->first++) = NULL;
    if (place >= outbox->next)
        outbox->next++;
}

static void drop_done(struct outbox *outbox)
{
    while (outbox->first < outbox->last && (*slot_at(outbox, outbox->first))->done)
        drop_at(outbox, outbox->first);
}

void outbox_free(struct outbox *outbox)
{
    if (!outbox)
        return;
    while (outbox->first < outbox->last)
        drop_at(outbox, outbox->first);
    free(outbox);
}

/* The next event of the same instance says how many before it there was no room for; false: there
 * is none to say it. */
static bool merge(struct outbox *outbox, uint64_t place)
{
    const struct outbox_entry *gone = *slot_at(outbox, place);

    if (!gone->inventory || gone->event.instance == UINT32_MAX)
        return false;
    for (uint64_t at = place + 1; at < outbox->last; at++) {
        struct outbox_entry *next = *slot_at(outbox, at);

        if (next->inventory == gone->inventory && next->event.instance == gone->event.instance &&
            !next->done) {
            next->merged += gone->merged + 1;
            return true;
        }
    }
    return false;
}

/* The oldest that nobody keeps goes; who keeps one waits until it has arrived. They are few: the
 * first that may go stands near the front. */
static bool make_room(struct outbox *outbox)
{
    uint64_t place = outbox->first;

    if (outbox->last - outbox->first < OUTBOX_MAX)
        return true;
    while (place < outbox->last && (*slot_at(outbox, place))->row != 0 &&
           !(*slot_at(outbox, place))->done)
        place++;
    if (place == outbox->last)
        return false;
    if (!(*slot_at(outbox, place))->done && !merge(outbox, place))
        outbox->lost++;
    drop_at(outbox, place);
    drop_done(outbox);
    return true;
}

static int put(struct outbox *outbox, struct outbox_entry *entry)
{
    if (!make_room(outbox)) {
        free(entry);
        outbox->lost++;
        return -ENOBUFS;
    }
    entry->number = ++outbox->number;
    *slot_at(outbox, outbox->last++) = entry;
    return 0;
}

int outbox_put_event(struct outbox *outbox, const struct event *event, struct inventory *inventory)
{
    struct outbox_entry *entry = calloc(1, sizeof(*entry));

    if (!entry) {
        outbox->lost++;
        return -ENOMEM;
    }
    entry->qos = 1;
    entry->event = *event;
    if (put(outbox, entry) < 0)
        return -ENOBUFS;
    entry->inventory = inventory_hold(inventory);
    return 0;
}

int outbox_put_message(struct outbox *outbox, const struct inbox_publish *message)
{
    size_t topic_size = strlen(message->topic) + 1;
    struct outbox_entry *entry = calloc(1, sizeof(*entry) + topic_size + message->length + 1);
    char *text = (char *)(entry + 1);

    if (!entry) {
        outbox->lost++;
        return -ENOMEM;
    }
    entry->row = message->row;
    entry->qos = message->qos > 2 ? 2 : message->qos;
    entry->retain = message->retain;
    entry->topic = memcpy(text, message->topic, topic_size);
    entry->payload = memcpy(text + topic_size, message->payload, message->length);
    entry->length = message->length;
    return put(outbox, entry);
}

const struct outbox_entry *outbox_next(struct outbox *outbox)
{
    while (outbox->next < outbox->last && (*slot_at(outbox, outbox->next))->done)
        outbox->next++;
    return outbox->next < outbox->last ? *slot_at(outbox, outbox->next) : NULL;
}

void outbox_sent(struct outbox *outbox)
{
    outbox->next++;
}

/* NULL: it was dropped, or never was. Numbers rise with places. */
static struct outbox_entry *find(struct outbox *outbox, uint64_t number)
{
    uint64_t low = outbox->first, high = outbox->last;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if ((*slot_at(outbox, middle))->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == outbox->last || (*slot_at(outbox, low))->number != number)
        return NULL;
    return *slot_at(outbox, low);
}

int64_t outbox_acked(struct outbox *outbox, uint64_t number)
{
    struct outbox_entry *entry = find(outbox, number);
    int64_t row = entry ? entry->row : 0;

    if (entry)
        entry->done = true;
    drop_done(outbox);
    return row;
}

void outbox_again(struct outbox *outbox)
{
    outbox->next = outbox->first;
}

size_t outbox_length(const struct outbox *outbox)
{
    return (size_t)(outbox->last - outbox->first);
}

uint64_t outbox_lost(const struct outbox *outbox)
{
    return outbox->lost;
}
