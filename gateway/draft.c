#include "gateway/draft.h"

#include "gateway/base/log.h"
#include "gateway/core/inventory.h"
#include "gateway/store/store.h"

#include <stdlib.h>
#include <string.h>

struct draft *draft_new(uint64_t token)
{
    struct draft *draft = calloc(1, sizeof(*draft));

    if (draft)
        draft->token = token;
    else
        log_error("out of memory: an event is lost");
    return draft;
}

void draft_free(struct draft *draft)
{
    while (draft) {
        struct draft *next = draft->next;

        for (size_t i = 0; i < draft->n_messages; i++)
            free(draft->messages[i].payload);
        free(draft->state);
        free(draft->shown);
        free(draft);
        draft = next;
    }
}

void draft_add_message(struct draft *draft, const char *target, char *payload, size_t size)
{
    if (!payload || draft->n_messages == DRAFT_MESSAGES_MAX) {
        log_error("a message to %s is lost: %s", target,
                  payload ? "a rule sends too many" : "out of memory");
        free(payload);
        return;
    }
    text_copy(draft->messages[draft->n_messages].target, DRAFT_TARGET_SIZE, target);
    draft->messages[draft->n_messages].payload = payload;
    draft->messages[draft->n_messages++].size = size;
}

void draft_show(struct draft *draft, struct instance_state *states, size_t count)
{
    struct instance_state *more;

    if (!draft->shown) {
        draft->shown = states;
        draft->n_shown = count;
        return;
    }
    more = realloc(draft->shown, (draft->n_shown + count) * sizeof(*more));
    if (more) {
        memcpy(more + draft->n_shown, states, count * sizeof(*more));
        draft->shown = more;
        draft->n_shown += count;
    } else {
        log_error("out of memory: how %zu rules stand is not shown", count);
    }
    free(states);
}

void draft_renumber(struct draft *draft, const struct inventory *old,
                    const struct inventory *inventory)
{
    struct event *event = &draft->event;

    free(draft->shown);
    draft->shown = NULL;
    draft->n_shown = 0;
    if (!draft->has_event)
        return;
    if (event->instance != UINT32_MAX)
        event->instance = inventory_find_rule(inventory, old->rules[event->instance].id);
    if (event->sensor != UINT32_MAX)
        event->sensor = inventory_find_sensor(inventory, old->sensors[event->sensor].id);
}

/* -- to the store --------------------------------------------------------------------------- */

static struct store_event describe(const struct inventory *inventory, const struct event *event)
{
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

int draft_commit(const struct draft *draft, const struct inventory *inventory, struct store *store)
{
    struct store_event event;
    struct store_state state = {.kind = DRAFT_STATE_KIND, .key = draft->id};
    struct store_message messages[DRAFT_MESSAGES_MAX];
    struct store_record record = {.token = draft->token, .messages = messages};

    if (draft->has_event) {
        event = describe(inventory, &draft->event);
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
            .target = draft->messages[record.n_messages].target,
            .payload = draft->messages[record.n_messages].payload,
            .size = draft->messages[record.n_messages].size,
        };
    return store_commit(store, &record, NULL);
}
