/* Telling: every change goes out as a transition, an event and the actions that it causes.
 *
 * What people are told of a firing is remembered (enum told), so that a rest (mute, disabled)
 * delays and never loses: when it ends, what stands is held against what was told. */
#include "gateway/base/clock.h"
#include "gateway/base/text.h"
#include "rules/engine.h"
#include "rules/limit.h"

#include <stdio.h>

/* Actions are of two sorts: those that rest, and those that never do. */
#define TELLING 1u
#define DOING   2u

bool tell_rests(const struct instance *instance)
{
    return instance->last.muted || instance->last.disabled;
}

void tell_changed(struct rules *rules, uint32_t index)
{
    struct instance *instance = &rules->catalog.instances[index];
    if (instance->is_changed)
        return;
    instance->is_changed = true;
    instance->next_changed = rules->changed;
    rules->changed = index;
}

static struct scene scene_of(const struct rules *rules, const struct instance *instance,
                             const struct rule_transition *change, int64_t now_ms)
{
    return (struct scene){
        .change = change,
        .rule = instance->rule->name,
        .label = instance->label,
        .sensor = instance->slots[0],
        .sensors = rules->catalog.sensors,
        .facts = &rules->catalog.facts,
        .slots = instance->slots,
        .now_ms = now_ms,
    };
}

/* -- events -- */

static struct rule_event event_of(const struct rules *rules, uint32_t index,
                                  enum rule_event_kind kind, int64_t now_ms)
{
    return (struct rule_event){
        .kind = (uint8_t)kind,
        .instance = index,
        .at_ms = now_ms,
        .status = rules->catalog.instances[index].last,
    };
}

static void send_event(struct rules *rules, const struct rule_event *event)
{
    tell_changed(rules, event->instance);
    rules->output.event(rules->owner, event);
}

static void sign(struct rule_event *event, const struct rules_order *order, const char *note)
{
    event->by = order ? order->by : NULL;
    event->via = order ? order->via : NULL;
    event->note = order && order->note ? order->note : note;
}

void tell_order(struct rules *rules, uint32_t index, enum rule_event_kind kind, int64_t now_ms,
                const struct rules_order *order, const char *note)
{
    struct rule_event event = event_of(rules, index, kind, now_ms);
    sign(&event, order, note);
    send_event(rules, &event);
}

void tell_limit(struct rules *rules, uint32_t index, uint8_t limit, int64_t now_ms,
                const struct rules_order *order, const char *note)
{
    const struct instance *instance = &rules->catalog.instances[index];
    struct rule_event event = event_of(rules, index, RULE_EVENT_LIMIT, now_ms);
    sign(&event, order, note);
    event.key = instance->rule->limits[limit].key;
    event.value = limit_value(&rules->catalog, instance, limit);
    send_event(rules, &event);
}

/* -- actions -- */

/* One thing that happened, while its actions are sent. */
struct occasion {
    struct rules *rules;
    const struct instance *instance;
    const struct scene *scene;
    uint8_t kind; /* enum rule_event_kind */
};

static void send_action(const struct occasion *occasion, const struct action *action)
{
    struct rules *rules = occasion->rules;
    struct rule_action todo = {
        .kind = action->kind,
        .event = occasion->kind,
        .severity = occasion->instance->rule->severity,
        .qos = action->qos,
        .retain = action->retain,
        .instance = occasion->instance->last.instance,
        .at_ms = occasion->scene->now_ms,
        .target = action->name,
        .text = rules->message,
        .sensor = action->sensor,
        .number = action->number,
    };
    if (action->kind == ACTION_PUBLISH)
        todo.target =
            template_fill(&action->target, occasion->scene, rules->topic, sizeof rules->topic);
    if (action->kind == ACTION_PUBLISH || action->kind == ACTION_LOG || action->is_text)
        todo.text = template_fill(&action->text, occasion->scene, rules->text, sizeof rules->text);
    else if (action->kind == ACTION_WRITE)
        todo.text = NULL;
    rules->output.action(rules->owner, &todo);
}

static void send_list(const struct occasion *occasion, const struct action_list *list,
                      unsigned what)
{
    for (size_t i = 0; i < list->count; i++) {
        uint8_t kind = list->at[i].kind;
        bool telling = kind == ACTION_PUBLISH || kind == ACTION_NOTIFY;
        if (what & (telling ? TELLING : DOING))
            send_action(occasion, &list->at[i]);
    }
}

static void notify(const struct occasion *occasion)
{
    const struct rule *rule = occasion->instance->rule;
    for (size_t i = 0; i < rule->n_notify; i++) {
        struct action action = {.kind = ACTION_NOTIFY, .name = rule->notify[i]};
        send_action(occasion, &action);
    }
}

/* The message stands in `rules->message`. */
static void act(struct rules *rules, const struct instance *instance, const struct scene *scene,
                enum rule_event_kind kind, unsigned what)
{
    const struct rule *rule = instance->rule;
    struct occasion occasion = {rules, instance, scene, (uint8_t)kind};
    bool sight = kind == RULE_EVENT_BLIND || kind == RULE_EVENT_SEEING;
    if (what & TELLING && !(sight && rule->blind_quiet))
        notify(&occasion);
    if (kind == RULE_EVENT_FIRED)
        send_list(&occasion, &rule->on_fire, what);
    if (kind == RULE_EVENT_CLEARED)
        send_list(&occasion, &rule->on_clear, what);
    if (kind == RULE_EVENT_FIRED || kind == RULE_EVENT_CLEARED)
        send_list(&occasion, &rule->on_change, what);
    if (kind == RULE_EVENT_BLIND)
        send_list(&occasion, &rule->on_nodata, what);
}

/* -- firing and clearing -- */

static void fill_message(struct rules *rules, const struct instance *instance,
                         const struct scene *scene, bool fired, const char *why)
{
    const struct rule *rule = instance->rule;
    if (why)
        snprintf(rules->message, sizeof rules->message, "%s: the alarm is over, %s",
                 instance->label, why);
    else
        template_fill(fired ? &rule->message : &rule->clear_message, scene, rules->message,
                      sizeof rules->message);
}

/* Whether this may be told now; and remembers it. */
static bool may_tell(struct instance *instance, bool fired)
{
    bool rests = tell_rests(instance), was_told = instance->told != TOLD_NOTHING;
    if (rests)
        instance->told = was_told ? TOLD_EARLIER : TOLD_NOTHING;
    else
        instance->told = fired ? TOLD_THIS : TOLD_NOTHING;
    return !rests && (fired || was_told);
}

void tell_transition(struct rules *rules, uint32_t index, const char *why)
{
    struct instance *instance = &rules->catalog.instances[index];
    const struct rule_transition *change = &instance->last;
    bool fired = change->to == RULE_FIRING && change->from != RULE_RECOVERING;
    bool cleared = change->to == RULE_OK && change->from != RULE_PENDING;
    tell_changed(rules, index);
    rules->output.transition(rules->owner, change);
    if (!fired && !cleared)
        return;
    enum rule_event_kind kind = fired ? RULE_EVENT_FIRED : RULE_EVENT_CLEARED;
    struct scene scene = scene_of(rules, instance, change, change->at_ms);
    struct rule_event event = event_of(rules, index, kind, change->at_ms);
    fill_message(rules, instance, &scene, fired, why);
    event.message = rules->message;
    event.note = why;
    send_event(rules, &event);
    act(rules, instance, &scene, kind, may_tell(instance, fired) ? TELLING | DOING : DOING);
}

/* -- sight -- */

/* "timeout since 14:02" */
static void say_loss(const struct rules *rules, uint32_t sensor, int64_t now_ms, char *to,
                     size_t size)
{
    const struct fact *fact = &rules->catalog.facts.at[sensor];
    bool stale = fact->quality == QUALITY_GOOD; /* the last one was good, and nothing came since */
    int64_t since_ms = stale ? fact->fresh_until_ms : fact->bad_ms;
    char time[CLOCK_TEXT_SIZE];
    size_t length = 0;
    text_append(to, size, &length, "%s", quality_name(stale ? QUALITY_STALE : fact->quality));
    if (clock_wall_is_good() && since_ms <= now_ms)
        text_append(to, size, &length, " since %s", clock_text_short(since_ms, time));
}

static void fill_sight(struct rules *rules, const struct instance *instance,
                       const struct scene *scene, const char *why)
{
    uint32_t lost = judge_lost_sensor(rules, instance, scene->now_ms);
    uint32_t own = instance->slots[0];
    char words[512];
    size_t size = sizeof rules->message, length = 0;
    rules->message[0] = '\0';
    text_append(rules->message, size, &length, "%s ", instance->label);
    if (why) {
        text_append(rules->message, size, &length, "is blind no more, %s", why);
    } else if (!instance->last.blind) {
        text_append(rules->message, size, &length, "sees again: %s %s",
                    rules->catalog.sensors[own].id,
                    template_value(scene, own, words, sizeof words));
    } else if (lost == RULES_NO_SENSOR) {
        text_append(rules->message, size, &length, "is blind");
    } else {
        say_loss(rules, lost, scene->now_ms, words, sizeof words);
        text_append(rules->message, size, &length, "is blind: %s %s",
                    rules->catalog.sensors[lost].id, words);
    }
}

static enum rule_event_kind sight_of(const struct instance *instance)
{
    return instance->last.blind ? RULE_EVENT_BLIND : RULE_EVENT_SEEING;
}

/* Who was not told that it is blind need not be told that it sees. */
static bool may_tell_sight(struct instance *instance)
{
    if (tell_rests(instance))
        return false;
    bool tells = instance->last.blind || instance->blind_told;
    instance->blind_told = instance->last.blind;
    return tells;
}

void tell_sight(struct rules *rules, uint32_t index, int64_t now_ms, const char *why)
{
    struct instance *instance = &rules->catalog.instances[index];
    enum rule_event_kind kind = sight_of(instance);
    struct scene scene = scene_of(rules, instance, &instance->last, now_ms);
    struct rule_event event = event_of(rules, index, kind, now_ms);
    fill_sight(rules, instance, &scene, why);
    event.message = rules->message;
    event.note = why;
    send_event(rules, &event);
    act(rules, instance, &scene, kind, may_tell_sight(instance) ? TELLING | DOING : DOING);
}

/* -- the end of a rest -- */

static void tell_firing_late(struct rules *rules, struct instance *instance, int64_t now_ms)
{
    struct rule_transition change = instance->last;
    struct scene scene = scene_of(rules, instance, &change, now_ms);
    change.at_ms = now_ms;
    instance->told = TOLD_THIS;
    fill_message(rules, instance, &scene, true, NULL);
    act(rules, instance, &scene, RULE_EVENT_FIRED, TELLING);
}

static void tell_clear_late(struct rules *rules, struct instance *instance, int64_t now_ms)
{
    struct rule_transition change = instance->last;
    struct scene scene = scene_of(rules, instance, &change, now_ms);
    change.at_ms = instance->cleared_ms != CLOCK_NEVER ? instance->cleared_ms : now_ms;
    change.to = RULE_OK;
    instance->told = TOLD_NOTHING;
    fill_message(rules, instance, &scene, false, NULL);
    act(rules, instance, &scene, RULE_EVENT_CLEARED, TELLING);
}

void tell_rest_over(struct rules *rules, uint32_t index, int64_t now_ms)
{
    struct instance *instance = &rules->catalog.instances[index];
    if (tell_rests(instance))
        return;
    bool fires = life_wants_clear(&instance->life);
    if (fires && instance->told != TOLD_THIS)
        tell_firing_late(rules, instance, now_ms);
    else if (!fires && instance->told != TOLD_NOTHING)
        tell_clear_late(rules, instance, now_ms);
    if (instance->last.blind == instance->blind_told)
        return;
    instance->blind_told = instance->last.blind;
    struct scene scene = scene_of(rules, instance, &instance->last, now_ms);
    fill_sight(rules, instance, &scene, NULL);
    act(rules, instance, &scene, sight_of(instance), TELLING);
}
