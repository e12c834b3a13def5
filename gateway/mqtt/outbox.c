#include "gateway/mqtt/outbox.h"

#include "gateway/core/inventory.h"
#include "gateway/mqtt/inbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Entries first to last - 1 are inside, entry n at slot n % OUTBOX_MAX; those before `next` are
 * under way. */
struct outbox {
    uint64_t first, last, next;
    uint64_t lost;
    struct outbox_entry *slots[OUTBOX_MAX];
};

struct outbox *outbox_new(void)
{
    struct outbox *outbox = calloc(1, sizeof(*outbox));

    if (outbox)
        outbox->first = outbox->last = outbox->next = 1;
    return outbox;
}

static struct outbox_entry **slot_of(struct outbox *outbox, uint64_t number)
{
    return &outbox->slots[number % OUTBOX_MAX];
}

static void drop_first(struct outbox *outbox)
{
    struct outbox_entry **slot = slot_of(outbox, outbox->first);

    if ((*slot)->inventory)
        inventory_release((*slot)->inventory);
    free(*slot);
    *slot = NULL;
    outbox->first++;
    if (outbox->next < outbox->first)
        outbox->next = outbox->first;
}

static void drop_done(struct outbox *outbox)
{
    while (outbox->first < outbox->last && (*slot_of(outbox, outbox->first))->done)
        drop_first(outbox);
}

void outbox_free(struct outbox *outbox)
{
    if (!outbox)
        return;
    while (outbox->first < outbox->last)
        drop_first(outbox);
    free(outbox);
}

static void put(struct outbox *outbox, struct outbox_entry *entry)
{
    if (outbox->last - outbox->first == OUTBOX_MAX) {
        outbox->lost++;
        drop_first(outbox);
        drop_done(outbox);
    }
    entry->number = outbox->last++;
    *slot_of(outbox, entry->number) = entry;
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
    entry->inventory = inventory_hold(inventory);
    put(outbox, entry);
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
    put(outbox, entry);
    return 0;
}

const struct outbox_entry *outbox_next(struct outbox *outbox)
{
    while (outbox->next < outbox->last && (*slot_of(outbox, outbox->next))->done)
        outbox->next++;
    return outbox->next < outbox->last ? *slot_of(outbox, outbox->next) : NULL;
}

void outbox_sent(struct outbox *outbox)
{
    outbox->next++;
}

int64_t outbox_acked(struct outbox *outbox, uint64_t number)
{
    int64_t row;

    if (number < outbox->first || number >= outbox->last)
        return 0; /* it was dropped meanwhile */
    row = (*slot_of(outbox, number))->row;
    (*slot_of(outbox, number))->done = true;
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
