#include "gateway/store/ledger.h"

#include "gateway/base/clock.h"

#include <stdlib.h>
#include <string.h>

/* Waits may grow by so many before they are shrunk: a pass over all of them costs as much for one.
 */
#define SLACK 512

/* What one transaction takes: a disk that is slow then still says something within a second. */
#define GROUP_MAX       256
#define GROUP_BYTES_MAX 1000000

/* -- entries --------------------------------------------------------------------------------- */

/* The texts of an event, one after the other. */
static const char **text_of(struct store_event *event, size_t i)
{
    const char **texts[] = {&event->type, &event->rule, &event->sensor, &event->unit, &event->text,
                            &event->by,   &event->via,  &event->result, &event->note};

    return i < sizeof(texts) / sizeof(texts[0]) ? texts[i] : NULL;
}

static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 1;
}

size_t store_record_rows(const struct store_record *record)
{
    return (record->event != NULL) + record->n_messages;
}

size_t store_record_size(const struct store_record *record)
{
    size_t size = record->n_states * sizeof(struct store_state) +
                  record->n_messages * sizeof(struct store_message);

    if (record->event) {
        struct store_event event = *record->event;

        for (size_t i = 0; text_of(&event, i); i++)
            size += text_size(*text_of(&event, i));
    }
    for (size_t i = 0; i < record->n_states; i++)
        size += text_size(record->states[i].kind) + text_size(record->states[i].key) +
                record->states[i].size;
    for (size_t i = 0; i < record->n_messages; i++)
        size += text_size(record->messages[i].target) + record->messages[i].size;
    return size;
}

/* Takes pieces from the memory behind an entry. */
static void *put(char **at, const void *from, size_t size)
{
    void *to = *at;

    if (size > 0)
        memcpy(to, from, size);
    *at += size;
    return to;
}

static const char *put_text(char **at, const char *text)
{
    return put(at, text ? text : "", text_size(text));
}

static void copy_record(struct entry *entry, const struct store_record *record, char *at)
{
    struct store_state *states;
    struct store_message *messages;

    /* The arrays first: they must be aligned. */
    states = put(&at, record->states, record->n_states * sizeof(*states));
    messages = put(&at, record->messages, record->n_messages * sizeof(*messages));
    entry->record = *record;
    entry->record.states = states;
    entry->record.messages = messages;
    if (record->event) {
        entry->event = *record->event;
        entry->record.event = &entry->event;
        for (size_t i = 0; text_of(&entry->event, i); i++)
            *text_of(&entry->event, i) = put_text(&at, *text_of(&entry->event, i));
    }
    for (size_t i = 0; i < record->n_states; i++) {
        states[i].kind = put_text(&at, states[i].kind);
        states[i].key = put_text(&at, states[i].key);
        if (states[i].value)
            states[i].value = put(&at, states[i].value, states[i].size);
    }
    for (size_t i = 0; i < record->n_messages; i++) {
        messages[i].target = put_text(&at, messages[i].target);
        messages[i].payload = put(&at, messages[i].payload, messages[i].size);
    }
}

struct entry *entry_new(const struct store_record *record, int64_t row, int64_t now_ms)
{
    size_t size = store_record_size(record);
    struct entry *entry = calloc(1, sizeof(*entry) + size);

    if (!entry)
        return NULL;
    entry->row = row;
    entry->taken_ms = now_ms;
    entry->size = size;
    entry->resolved = record->resolves;
    copy_record(entry, record, (char *)(entry + 1));
    return entry;
}

int64_t entry_messages_row(const struct entry *entry)
{
    return entry->row + (entry->record.event != NULL);
}

/* -- the list -------------------------------------------------------------------------------- */

void ledger_start(struct ledger *ledger, void (*tell)(void *owner, uint64_t token, bool durable),
                  void *owner)
{
    *ledger = (struct ledger){.tell = tell, .owner = owner};
    ledger->end = &ledger->first;
}

void ledger_clear(struct ledger *ledger)
{
    while (ledger->first) {
        struct entry *entry = ledger->first;

        ledger->first = entry->next;
        free(entry);
    }
    ledger->end = &ledger->first;
    ledger->count = ledger->group = 0;
}

static void tell(struct ledger *ledger, struct entry *entry, bool durable)
{
    if (entry->told)
        return;
    entry->told = true;
    ledger->tell(ledger->owner, entry->record.token, durable);
}

static const char *rule_of(const struct entry *entry)
{
    return entry->record.event ? entry->event.rule : "";
}

/* Where the first entry that is not under way hangs. */
static struct entry **behind_group(struct ledger *ledger)
{
    struct entry **at = &ledger->first;

    for (size_t i = 0; i < ledger->group; i++)
        at = &(*at)->next;
    return at;
}

static void resolve(struct ledger *ledger, const struct entry *by)
{
    for (struct entry **at = behind_group(ledger); *at; at = &(*at)->next) {
        if (strcmp(rule_of(*at), rule_of(by)) == 0)
            (*at)->resolved = true;
    }
}

/* -- when there are too many ----------------------------------------------------------------- */

static bool is_set_later(const struct entry *from, const struct store_state *state)
{
    for (; from; from = from->next) {
        for (size_t i = 0; i < from->record.n_states; i++) {
            const struct store_state *other = &from->record.states[i];

            if (strcmp(other->key, state->key) == 0 && strcmp(other->kind, state->kind) == 0)
                return true;
        }
    }
    return false;
}

/* Takes an entry's event and messages away; its saved values stay where they are in the order,
 * unless a later record has newer ones. true when nothing is left of it. */
static bool reduce(struct entry *entry)
{
    struct store_state *states = (struct store_state *)(uintptr_t)entry->record.states;
    size_t n = 0;

    for (size_t i = 0; i < entry->record.n_states; i++) {
        if (!is_set_later(entry->next, &states[i]))
            states[n++] = states[i];
    }
    entry->record.n_states = n;
    entry->record.event = NULL;
    entry->record.n_messages = 0;
    return n == 0;
}

static void count_merged(struct entry *gone)
{
    for (struct entry *next = gone->next; next && gone->record.event; next = next->next) {
        if (next->record.event && strcmp(rule_of(next), rule_of(gone)) == 0) {
            next->event.merged += gone->event.merged + 1;
            return;
        }
    }
}

enum victims { VICTIMS_EMPTY, VICTIMS_RESOLVED, VICTIMS_ALL };

static bool is_victim(const struct entry *entry, enum victims which)
{
    bool empty = store_record_rows(&entry->record) == 0;

    if (!entry->told)
        return false; /* that must not come from inside the call that brought one too many */
    return which == VICTIMS_EMPTY ? empty : !empty && (which == VICTIMS_ALL || entry->resolved);
}

/* Lets victims go, the oldest first, until `wanted` are left. */
static void shrink(struct ledger *ledger, enum victims which, size_t wanted)
{
    struct entry **at = behind_group(ledger);

    while (*at && ledger->count > wanted) {
        struct entry *entry = *at;

        if (!is_victim(entry, which)) {
            at = &entry->next;
            continue;
        }
        if (which != VICTIMS_EMPTY) {
            count_merged(entry);
            ledger->merged++;
        }
        if (!reduce(entry)) {
            at = &entry->next;
            continue;
        }
        *at = entry->next;
        free(entry);
        ledger->count--;
    }
    while (*at)
        at = &(*at)->next;
    ledger->end = at;
}

static void make_room(struct ledger *ledger)
{
    if (ledger->telling || ledger->count <= STORE_RECORDS_MIN + SLACK)
        return;
    for (enum victims which = VICTIMS_EMPTY; which <= VICTIMS_ALL; which++)
        shrink(ledger, which, STORE_RECORDS_MIN);
}

void ledger_add(struct ledger *ledger, struct entry *entry)
{
    *ledger->end = entry;
    ledger->end = &entry->next;
    ledger->count++;
    if (entry->resolved)
        resolve(ledger, entry);
    make_room(ledger);
}

/* -- groups ---------------------------------------------------------------------------------- */

size_t ledger_take_group(struct ledger *ledger)
{
    size_t bytes = 0;

    if (ledger->group > 0)
        return 0;
    for (struct entry *entry = ledger->first; entry && ledger->group < GROUP_MAX;
         entry = entry->next) {
        bytes += entry->size;
        if (ledger->group > 0 && bytes > GROUP_BYTES_MAX)
            break;
        ledger->group++;
    }
    return ledger->group;
}

/* Takes the group out first: who is told may add records. */
static void end_durable(struct ledger *ledger)
{
    struct entry *entry = ledger->first, **behind = behind_group(ledger);

    ledger->first = *behind;
    *behind = NULL;
    if (!ledger->first)
        ledger->end = &ledger->first;
    ledger->count -= ledger->group;
    ledger->group = 0;
    while (entry) {
        struct entry *next = entry->next;

        tell(ledger, entry, true);
        free(entry);
        entry = next;
    }
}

/* Tells the first ones; what is added meanwhile stands behind. */
static void tell_first(struct ledger *ledger, size_t count, int64_t until_ms)
{
    struct entry *entry = ledger->first;

    ledger->telling = true;
    for (size_t i = 0; i < count && entry && entry->taken_ms <= until_ms; i++) {
        tell(ledger, entry, false);
        entry = entry->next;
    }
    ledger->telling = false;
    make_room(ledger);
}

void ledger_end_group(struct ledger *ledger, bool durable)
{
    size_t group = ledger->group;

    if (durable) {
        end_durable(ledger);
        return;
    }
    ledger->group = 0;
    tell_first(ledger, group, CLOCK_NEVER);
}

void ledger_give_up(struct ledger *ledger, int64_t until_ms)
{
    tell_first(ledger, ledger->count, until_ms);
}

int64_t ledger_untold_ms(const struct ledger *ledger)
{
    for (const struct entry *entry = ledger->first; entry; entry = entry->next) {
        if (!entry->told)
            return entry->taken_ms;
    }
    return CLOCK_NEVER;
}

bool ledger_drop_message(struct ledger *ledger, int64_t row)
{
    for (struct entry *entry = *behind_group(ledger); entry; entry = entry->next) {
        int64_t first = entry_messages_row(entry);

        if (row >= first && row < first + (int64_t)entry->record.n_messages) {
            struct store_message *messages =
                (struct store_message *)(uintptr_t)entry->record.messages;

            messages[row - first].target = NULL;
            return true;
        }
    }
    return false;
}
