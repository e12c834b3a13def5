#include "gateway/core/hold.h"

#include "gateway/base/clock.h"
#include "gateway/base/loop.h"
#include "gateway/base/text.h"
#include "gateway/core/inventory.h"
#include "gateway/core/sink.h"
#include "gateway/core/write.h"
#include "rules/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE_MIN_MS 1000
#define PAUSE_MAX_MS 300000

enum stage {
    UNWANTED,
    WANTED,   /* to be written at `next_ms` */
    UNDERWAY, /* the command has no answer yet */
    WATCHED,  /* held, and it is so */
};

/* What is wanted of one channel. */
struct wish {
    uint32_t sensor, instance;
    uint32_t turn; /* of this wish: the answer to an older one is not its own */
    uint8_t stage; /* enum stage */
    uint8_t event; /* enum rule_event_kind: begins the state for which it is wanted */
    bool held;
    bool again; /* it was tried before: that it fails is no news */
    bool is_text;
    double number;
    char argument[sizeof(((struct command *)0)->argument)];
    int64_t next_ms, pause_ms;
    int64_t since_ms; /* of the stage WATCHED: older readings do not count */
};

struct holds {
    struct wish *wishes; /* in the order in which channels were first wanted */
    size_t n_wishes, capacity;
    const struct inventory *inventory;
    struct timer *timer;
    uint32_t turn;
    int (*submit)(void *owner, const struct command *);
    void *owner;
};

/* Rules write to few channels: a search costs less than an index of all sensors. */
static struct wish *find(struct holds *holds, uint32_t sensor)
{
    for (size_t i = 0; i < holds->n_wishes; i++) {
        if (holds->wishes[i].sensor == sensor)
            return &holds->wishes[i];
    }
    return NULL;
}

/* -- writing -------------------------------------------------------------------------------- */

static void plan_timer(struct holds *holds)
{
    int64_t next_ms = CLOCK_NEVER;

    for (size_t i = 0; i < holds->n_wishes; i++) {
        if (holds->wishes[i].stage == WANTED && holds->wishes[i].next_ms < next_ms)
            next_ms = holds->wishes[i].next_ms;
    }
    timer_at(holds->timer, next_ms);
}

static void try_later(struct wish *wish)
{
    wish->stage = WANTED;
    wish->again = true;
    wish->next_ms = clock_boot_ms() + wish->pause_ms;
    wish->pause_ms = wish->pause_ms * 2 < PAUSE_MAX_MS ? wish->pause_ms * 2 : PAUSE_MAX_MS;
}

static void try_now(struct wish *wish)
{
    wish->stage = WANTED;
    wish->next_ms = clock_boot_ms();
}

/* A held value that is written, but not found again, goes on with the pauses that it has reached.
 */
static void settle(struct wish *wish)
{
    wish->stage = wish->held ? WATCHED : UNWANTED;
    wish->again = false;
    wish->since_ms = clock_boot_ms();
}

static void take_reply(void *owner, const struct command_reply *reply)
{
    struct holds *holds = owner;

    for (size_t i = 0; i < holds->n_wishes; i++) {
        struct wish *wish = &holds->wishes[i];

        if (wish->stage != UNDERWAY || wish->turn != reply->token)
            continue;
        if (reply->result == COMMAND_OK)
            settle(wish);
        else
            try_later(wish);
        plan_timer(holds);
        return;
    }
}

static void send(struct holds *holds, struct wish *wish)
{
    const struct inventory *inventory = holds->inventory;
    struct command command = {.kind = COMMAND_WRITE,
                              .origin = COMMAND_VIA_RULE,
                              .rights = COMMAND_RIGHTS_ALL,
                              .again = wish->again,
                              .expires_ms = CLOCK_NEVER,
                              .token = wish->turn,
                              .reply = take_reply,
                              .owner = holds};

    text_copy(command.target, sizeof(command.target), inventory->sensors[wish->sensor].id);
    text_copy(command.by, sizeof(command.by), inventory->rules[wish->instance].id);
    text_copy(command.argument, sizeof(command.argument), wish->argument);
    wish->stage = UNDERWAY;
    if (holds->submit(holds->owner, &command) < 0)
        try_later(wish);
}

static void send_due(void *owner)
{
    struct holds *holds = owner;
    int64_t now_ms = clock_boot_ms();

    for (size_t i = 0; i < holds->n_wishes; i++) {
        if (holds->wishes[i].stage == WANTED && holds->wishes[i].next_ms <= now_ms)
            send(holds, &holds->wishes[i]);
    }
    plan_timer(holds);
}

/* -- what is wanted ------------------------------------------------------------------------- */

static struct wish *add(struct holds *holds, uint32_t sensor)
{
    struct wish *wish = find(holds, sensor);
    size_t capacity = holds->capacity ? holds->capacity * 2 : 8;
    struct wish *grown;

    if (wish)
        return wish;
    if (holds->n_wishes == holds->capacity) {
        grown = reallocarray(holds->wishes, capacity, sizeof(*grown));
        if (!grown)
            return NULL;
        holds->wishes = grown;
        holds->capacity = capacity;
    }
    return &holds->wishes[holds->n_wishes++];
}

int holds_put(struct holds *holds, const struct rule_action *action)
{
    struct wish *wish;

    if (!holds->inventory || action->sensor >= holds->inventory->n_sensors)
        return -ENOENT;
    wish = add(holds, action->sensor);
    if (!wish)
        return -ENOMEM;
    *wish = (struct wish){.sensor = action->sensor,
                          .instance = action->instance,
                          .turn = ++holds->turn,
                          .event = action->event,
                          .held = action->held,
                          .is_text = action->text != NULL,
                          .number = action->number,
                          .pause_ms = PAUSE_MIN_MS};
    if (action->text)
        text_copy(wish->argument, sizeof(wish->argument), action->text);
    else
        text_from_number(wish->argument, sizeof(wish->argument), action->number, -1);
    if (action->take_up)
        wish->stage = WATCHED;
    else
        send(holds, wish); /* at once: of a rule that is gone nobody would ask later */
    plan_timer(holds);
    return 0;
}

bool holds_drop(struct holds *holds, uint32_t sensor)
{
    struct wish *wish = find(holds, sensor);
    bool held = wish && wish->stage != UNWANTED && wish->held;

    if (wish)
        wish->stage = UNWANTED;
    return held;
}

/* Whether the state that the event began lasts. */
static bool lasts(const struct wish *wish, const struct instance_state *state)
{
    switch (wish->event) {
    case RULE_EVENT_CLEARED:
        return !instance_is_firing(state);
    case RULE_EVENT_BLIND:
        return state->blind;
    default:
        return instance_is_firing(state);
    }
}

void holds_on_instance(struct holds *holds, const struct instance_state *state)
{
    for (size_t i = 0; i < holds->n_wishes; i++) {
        struct wish *wish = &holds->wishes[i];

        if (wish->instance == state->instance && !lasts(wish, state))
            wish->stage = UNWANTED;
    }
}

/* -- what is so ----------------------------------------------------------------------------- */

static bool is_so(const struct holds *holds, const struct wish *wish, const struct reading *reading)
{
    const struct inventory *inventory = holds->inventory;

    if (wish->is_text)
        return strcmp(text_table_get(inventory->texts, reading->text), wish->argument) == 0;
    return write_is_same(&inventory->sensors[reading->sensor], wish->number, reading->number);
}

void holds_on_readings(struct holds *holds, const struct reading *readings, size_t count)
{
    bool wanted = false;

    for (size_t i = 0; holds->n_wishes > 0 && i < count; i++) {
        const struct reading *reading = &readings[i];
        struct wish *wish = find(holds, reading->sensor);

        if (!wish || wish->stage != WATCHED ||
            reading->kind != (wish->is_text ? VALUE_TEXT : VALUE_NUMBER) ||
            reading->at_ms < wish->since_ms)
            continue;
        if (is_so(holds, wish, reading)) {
            wish->pause_ms = PAUSE_MIN_MS;
            continue;
        }
        try_later(wish);
        wish->again = false; /* that it is not so any more is news */
        wanted = true;
    }
    if (wanted)
        plan_timer(holds);
}

void holds_on_device(struct holds *holds, uint32_t device)
{
    for (size_t i = 0; i < holds->n_wishes; i++) {
        struct wish *wish = &holds->wishes[i];

        if (holds->inventory->sensors[wish->sensor].device == device &&
            (wish->stage == WANTED || wish->stage == WATCHED))
            try_now(wish);
    }
    plan_timer(holds);
}

/* -- life ----------------------------------------------------------------------------------- */

struct holds *holds_new(struct loop *loop, int (*submit)(void *owner, const struct command *),
                        void *owner)
{
    struct holds *holds = calloc(1, sizeof(*holds));

    if (!holds)
        return NULL;
    holds->submit = submit;
    holds->owner = owner;
    holds->timer = timer_new(loop, send_due, holds);
    if (!holds->timer) {
        free(holds);
        return NULL;
    }
    return holds;
}

void holds_free(struct holds *holds)
{
    if (!holds)
        return;
    timer_free(holds->timer);
    free(holds->wishes);
    free(holds);
}

/* The same wish in another inventory; false when it is none there. */
static bool carry_over(struct wish *wish, const struct inventory *from, const struct inventory *to)
{
    wish->sensor = inventory_find_sensor(to, from->sensors[wish->sensor].id);
    wish->instance = inventory_find_rule(to, from->rules[wish->instance].id);
    return wish->sensor != UINT32_MAX && wish->instance != UINT32_MAX;
}

void holds_use(struct holds *holds, const struct inventory *inventory)
{
    size_t kept = 0;

    for (size_t i = 0; i < holds->n_wishes; i++) {
        struct wish wish = holds->wishes[i];

        if (!wish.held && wish.stage != UNWANTED && carry_over(&wish, holds->inventory, inventory))
            holds->wishes[kept++] = wish;
    }
    holds->n_wishes = kept;
    holds->inventory = inventory;
    plan_timer(holds);
}
