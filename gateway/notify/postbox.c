#include "gateway/notify/postbox.h"

#include "gateway/base/clock.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define URGENT 2 /* SEVERITY_CRITICAL */
#define TEXTS  6

struct item {
    struct item *next;
    struct notify_message message; /* its texts are in `bytes` */
    int64_t tried_ms, refused_ms;  /* first time; CLOCK_NEVER: not yet */
    bool held;                     /* in quiet hours that are not over */
    bool together;                 /* had to wait for leave to go: goes with others that had */
    bool out;                      /* on its way */
    char bytes[];
};

struct postbox {
    struct postbox_options options;
    const struct postbox_calls *calls;
    void *owner;
    struct item *first, **end;
    size_t count, n_out;
    struct pace pace;
    bool said_failing;
    uint64_t delivered, dropped;
    const struct notify_message *batch[POSTBOX_BATCH_MAX];
    char why[400];
};

/* -- items ---------------------------------------------------------------------------------- */

static void list_texts(struct notify_message *message, const char **texts[TEXTS])
{
    texts[0] = &message->title;
    texts[1] = &message->text;
    texts[2] = &message->rule;
    texts[3] = &message->sensor;
    texts[4] = &message->value;
    texts[5] = &message->unit;
}

static struct item *item_new(const struct notify_message *message)
{
    struct notify_message copy = *message;
    const char **texts[TEXTS];
    struct item *item;
    size_t bytes = 0;
    char *at;

    list_texts(&copy, texts);
    for (int i = 0; i < TEXTS; i++)
        bytes += *texts[i] ? strlen(*texts[i]) + 1 : 0;
    item = calloc(1, sizeof(*item) + bytes);
    if (!item)
        return NULL;
    item->message = *message;
    item->tried_ms = item->refused_ms = CLOCK_NEVER;
    list_texts(&item->message, texts);
    at = item->bytes;
    for (int i = 0; i < TEXTS; i++) {
        if (*texts[i]) {
            size_t size = strlen(*texts[i]) + 1;

            *texts[i] = memcpy(at, *texts[i], size);
            at += size;
        }
    }
    return item;
}

/* Takes the item at `link` out; it is to be freed. */
static struct item *take_out(struct postbox *postbox, struct item **link)
{
    struct item *item = *link;

    *link = item->next;
    if (!*link)
        postbox->end = link;
    postbox->count--;
    postbox->n_out -= item->out;
    return item;
}

static void drop(struct postbox *postbox, struct item **link, const char *why)
{
    struct item *item = take_out(postbox, link);

    postbox->dropped++;
    postbox->calls->dropped(postbox->owner, &item->message, why);
    free(item);
}

/* -- life ----------------------------------------------------------------------------------- */

struct postbox *postbox_new(const struct postbox_options *options,
                            const struct postbox_calls *calls, void *owner)
{
    struct postbox *postbox = calloc(1, sizeof(*postbox));

    if (!postbox)
        return NULL;
    postbox->options = *options;
    postbox->calls = calls;
    postbox->owner = owner;
    postbox->end = &postbox->first;
    pace_init(&postbox->pace, options->per_hour);
    return postbox;
}

void postbox_free(struct postbox *postbox)
{
    if (!postbox)
        return;
    while (postbox->first)
        free(take_out(postbox, &postbox->first));
    free(postbox);
}

void postbox_use(struct postbox *postbox, const struct postbox_options *options)
{
    if (options->per_hour != postbox->options.per_hour)
        pace_limit(&postbox->pace, options->per_hour);
    postbox->options = *options;
}

int postbox_put(struct postbox *postbox, const struct notify_message *message)
{
    struct item *item = item_new(message);

    if (!item)
        return -ENOMEM;
    *postbox->end = item;
    postbox->end = &item->next;
    postbox->count++;
    return 0;
}

void postbox_drop_all(struct postbox *postbox, const char *why)
{
    while (postbox->first)
        drop(postbox, &postbox->first, why);
}

/* -- what ends without being told ----------------------------------------------------------- */

/* NULL: it may stay. */
static const char *reason_to_drop(const struct postbox *postbox, const struct item *item,
                                  int64_t now_ms, char *text, size_t size)
{
    if (item->message.severity < postbox->options.min_severity)
        return "it is less severe than min_severity";
    if (postbox->count > POSTBOX_WAIT_MAX)
        return "too many others are waiting";
    if (item->refused_ms != CLOCK_NEVER && now_ms - item->refused_ms >= POSTBOX_REFUSED_MS)
        snprintf(text, size, "the server refuses it: %s", postbox->why);
    else if (item->tried_ms != CLOCK_NEVER && now_ms - item->tried_ms >= POSTBOX_GIVE_UP_MS)
        snprintf(text, size, "tried for 24 hours: %s", postbox->why);
    else
        return NULL;
    return text;
}

static void drop_ended(struct postbox *postbox, int64_t now_ms)
{
    char text[sizeof(postbox->why) + 64];

    for (struct item **link = &postbox->first; *link;) {
        const char *why = reason_to_drop(postbox, *link, now_ms, text, sizeof(text));

        if (why)
            drop(postbox, link, why);
        else
            link = &(*link)->next;
    }
}

/* Returns when to look again for that. */
static int64_t say_failing(struct postbox *postbox, struct postbox_time time)
{
    int64_t since_ms = postbox->pace.failing_ms;

    if (since_ms == CLOCK_NEVER || postbox->said_failing)
        return CLOCK_NEVER;
    if (time.now_ms - since_ms < POSTBOX_FAILING_MS)
        return since_ms + POSTBOX_FAILING_MS;
    postbox->said_failing = true;
    if (time.wall_ms != CLOCK_NEVER)
        since_ms = time.wall_ms - (time.now_ms - since_ms);
    else
        since_ms = CLOCK_NEVER;
    postbox->calls->failing(postbox->owner, since_ms, postbox->why);
    return CLOCK_NEVER;
}

/* -- what goes ------------------------------------------------------------------------------ */

/* Marks what has to wait for the morning. Returns the boot time of that, CLOCK_NEVER: it is not
 * quiet. `ret_free` counts the others, `ret_urgent` says whether one of them is. */
static int64_t hold(struct postbox *postbox, struct postbox_time time, size_t *ret_free,
                    bool *ret_urgent)
{
    int64_t end_ms = 0;
    bool quiet =
        time.wall_ms != CLOCK_NEVER && quiet_is(&postbox->options.quiet, time.wall_ms, &end_ms);
    bool any = false;

    *ret_free = 0;
    *ret_urgent = false;
    for (struct item *item = postbox->first; item; item = item->next) {
        item->held = quiet && item->message.severity < postbox->options.quiet_below;
        if (item->held) {
            any = item->together = true;
            continue;
        }
        ++*ret_free;
        *ret_urgent |= item->message.severity >= URGENT;
    }
    return any ? time.now_ms + (end_ms - time.wall_ms) : CLOCK_NEVER;
}

static bool is_same_rule(const struct item *a, const struct item *b)
{
    return a->message.rule && a->message.rule[0] && b->message.rule &&
           strcmp(a->message.rule, b->message.rule) == 0;
}

/* The clearing of the alarm that `first` tells of, when it waits too; NULL: there is none. */
static const struct item *find_clearing(const struct item *first)
{
    if (first->message.kind == NOTIFY_CLEARED)
        return NULL;
    for (const struct item *item = first->next; item; item = item->next)
        if (!item->held && item->message.kind == NOTIFY_CLEARED && is_same_rule(first, item))
            return item;
    return NULL;
}

static size_t take_batch(struct postbox *postbox)
{
    struct item *first = postbox->first;
    const struct item *clearing;
    size_t count = 0;

    while (first->held)
        first = first->next;
    clearing = first->together ? NULL : find_clearing(first);
    for (struct item *item = first; item && count < POSTBOX_BATCH_MAX; item = item->next) {
        bool goes = item == first || (first->together && item->together) ||
                    (clearing && is_same_rule(first, item));

        if (!goes || item->held)
            continue;
        item->out = true;
        postbox->batch[count++] = &item->message;
        if (item == clearing)
            break;
    }
    return count;
}

static int64_t sooner(int64_t a_ms, int64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

int64_t postbox_look(struct postbox *postbox, struct postbox_time time,
                     const struct notify_message *const **ret_messages, size_t *ret_count)
{
    int64_t next_ms, free_ms;
    size_t n_free;
    bool urgent;

    *ret_count = 0;
    next_ms = say_failing(postbox, time);
    if (postbox->n_out > 0)
        return next_ms;
    drop_ended(postbox, time.now_ms);
    next_ms = sooner(next_ms, hold(postbox, time, &n_free, &urgent));
    if (n_free == 0)
        return next_ms;
    if (postbox->pace.try_ms > time.now_ms)
        return sooner(next_ms, postbox->pace.try_ms);
    free_ms = pace_free_at(&postbox->pace, time.now_ms, urgent);
    if (free_ms > time.now_ms) {
        for (struct item *item = postbox->first; item; item = item->next)
            item->together = true;
        return sooner(next_ms, free_ms);
    }
    *ret_count = postbox->n_out = take_batch(postbox);
    *ret_messages = postbox->batch;
    return next_ms;
}

/* -- results -------------------------------------------------------------------------------- */

void postbox_works(struct postbox *postbox)
{
    bool failed = postbox->said_failing;

    postbox->said_failing = false;
    postbox->why[0] = '\0';
    pace_worked(&postbox->pace);
    if (failed)
        postbox->calls->working(postbox->owner);
}

void postbox_delivered(struct postbox *postbox, struct postbox_time time)
{
    pace_sent(&postbox->pace, time.now_ms);
    for (struct item **link = &postbox->first; *link;) {
        struct item *item;

        if (!(*link)->out) {
            link = &(*link)->next;
            continue;
        }
        item = take_out(postbox, link);
        postbox->delivered++;
        postbox->calls->delivered(postbox->owner, &item->message);
        free(item);
    }
    postbox_works(postbox);
}

void postbox_failed(struct postbox *postbox, struct postbox_time time, const char *why,
                    bool refused, int64_t retry_after_ms)
{
    text_copy(postbox->why, sizeof(postbox->why), why);
    for (struct item *item = postbox->first; item; item = item->next) {
        if (!item->out)
            continue;
        item->out = false;
        if (item->tried_ms == CLOCK_NEVER)
            item->tried_ms = time.now_ms;
        if (!refused)
            item->refused_ms = CLOCK_NEVER;
        else if (item->refused_ms == CLOCK_NEVER)
            item->refused_ms = time.now_ms;
    }
    postbox->n_out = 0;
    pace_failed(&postbox->pace, time.now_ms, retry_after_ms);
}

struct postbox_counts postbox_counts(const struct postbox *postbox)
{
    return (struct postbox_counts){.waiting = postbox->count,
                                   .delivered = postbox->delivered,
                                   .dropped = postbox->dropped,
                                   .failing_ms = postbox->pace.failing_ms,
                                   .why = postbox->why};
}
