/* Telling: every change goes out as a transition, an event and the actions that it causes.
 *
 * What people are told of a firing is remembered (enum told), so that a rest (mute, disabled)
 * delays and never loses: when it ends, what stands is held against what was told. */
#include "gateway/base/clock.h"
#include "gateway/base/text.h"
#include "rules/engine.h"
#include "rules/formula.h"
#include "rules/limit.h"

#include <stdio.h>

/* Actions are of these sorts: the two ways of telling, which rest, and what never does. */
#define NOTIFYING  (1u << WAY_NOTIFY)
#define PUBLISHING (1u << WAY_PUBLISH)
#define DOING      (1u << N_WAYS)

bool tell_rests(const struct instance *instance)
{
    return instance->last.muted || instance->last.disabled || instance->last.inhibited;
}

static bool is_cut_off(const struct instance *instance)
{
    return instance->cut_ms != INT64_MIN;
}

bool tell_firing_rests(const struct instance *instance)
{
    return tell_rests(instance) ||
           (is_cut_off(instance) && instance->told[WAY_NOTIFY].firing != TOLD_THIS);
}

/* Of a group people are told together, a little later. */
static bool way_rests(const struct instance *instance, enum way way)
{
    bool waits = instance->rule->group != RULES_NO_GROUP && !instance->speaks;
    return tell_rests(instance) || (way == WAY_NOTIFY && waits);
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
    uint8_t severity;
    bool take_up; /* of what is held: it was so before */
};

/* What a formula gives now; false when that is unknown, which is told in the log. */
static bool reckon(const struct occasion *occasion, const struct action *action, double *ret)
{
    struct rules *rules = occasion->rules;
    const struct instance *instance = occasion->instance;
    struct cell cell =
        evaluate(&action->formula->code, &rules->catalog.facts,
                 instance->formula_slots[action->nth], occasion->scene->now_ms, NULL);
    *ret = cell.number;
    if (cell.kind == CELL_NUMBER)
        return true;
    snprintf(rules->text, sizeof rules->text, "%s is not written: the value is unknown",
             action->name);
    struct rule_action todo = {.kind = ACTION_LOG,
                               .event = occasion->kind,
                               .severity = occasion->severity,
                               .instance = instance->last.instance,
                               .at_ms = occasion->scene->now_ms,
                               .text = rules->text};
    rules->output.action(rules->owner, &todo);
    return false;
}

static void send_action(const struct occasion *occasion, const struct action *action)
{
    struct rules *rules = occasion->rules;
    struct rule_action todo = {
        .kind = action->kind,
        .event = occasion->kind,
        .severity = occasion->severity,
        .qos = action->qos,
        .retain = action->retain,
        .instance = occasion->instance->last.instance,
        .at_ms = occasion->scene->now_ms,
        .target = action->name,
        .text = rules->message,
        .sensor = action->sensor,
        .number = action->number,
        .held = action->held,
        .take_up = occasion->take_up,
    };
    if (action->formula && !reckon(occasion, action, &todo.number))
        return;
    if (action->kind == ACTION_PUBLISH)
        todo.target =
            template_fill(&action->target, occasion->scene, rules->topic, sizeof rules->topic);
    if (action->kind == ACTION_PUBLISH || action->kind == ACTION_LOG || action->is_text)
        todo.text = template_fill(&action->text, occasion->scene, rules->text, sizeof rules->text);
    else if (action->kind == ACTION_WRITE)
        todo.text = NULL;
    if (!group_takes(rules, &todo))
        rules->output.action(rules->owner, &todo);
}

static unsigned sort_of(const struct action *action)
{
    if (action->kind == ACTION_NOTIFY)
        return NOTIFYING;
    return action->kind == ACTION_PUBLISH ? PUBLISHING : DOING;
}

static void send_list(const struct occasion *occasion, const struct action_list *list,
                      unsigned what)
{
    for (size_t i = 0; i < list->count; i++)
        if (what & sort_of(&list->at[i]))
            send_action(occasion, &list->at[i]);
}

static void notify(const struct occasion *occasion)
{
    const struct rule *rule = occasion->instance->rule;
    for (size_t i = 0; i < rule->n_notify; i++) {
        struct action action = {.kind = ACTION_NOTIFY, .name = rule->notify[i]};
        send_action(occasion, &action);
    }
}

static bool is_change(uint8_t kind)
{
    return kind == RULE_EVENT_FIRED || kind == RULE_EVENT_LEVEL || kind == RULE_EVENT_CLEARED;
}

/* The message stands in `rules->message`. */
static void act(const struct occasion *occasion, unsigned what)
{
    const struct rule *rule = occasion->instance->rule;
    uint8_t kind = occasion->kind;
    if (what & NOTIFYING && !(rule->blind_quiet && !is_change(kind)))
        notify(occasion);
    if (kind == RULE_EVENT_FIRED)
        send_list(occasion, &rule->on_fire, what);
    if (kind == RULE_EVENT_CLEARED)
        send_list(occasion, &rule->on_clear, what);
    if (is_change(kind))
        send_list(occasion, &rule->on_change, what);
    if (kind == RULE_EVENT_BLIND)
        send_list(occasion, &rule->on_nodata, what);
    if (kind == RULE_EVENT_FIRED || kind == RULE_EVENT_CLEARED)
        send_list(occasion, hold_list(occasion->instance), what);
}

/* -- firing, levels and clearing -- */

static void fill_message(struct rules *rules, const struct instance *instance,
                         const struct scene *scene, uint8_t kind, const char *why)
{
    const struct rule *rule = instance->rule;
    if (why)
        snprintf(rules->message, sizeof rules->message, "%s: the alarm is over, %s",
                 instance->label, why);
    else
        template_fill(kind == RULE_EVENT_CLEARED ? &rule->clear_message
                                                 : &rule->levels[instance->last.level].message,
                      scene, rules->message, sizeof rules->message);
}

/* Whether this may be told by that way now; and remembers it. */
static bool may_tell(struct instance *instance, enum way way, uint8_t kind)
{
    struct told_of *told = &instance->told[way];
    bool was_told = told->firing != TOLD_NOTHING;
    if (way_rests(instance, way) || (is_cut_off(instance) && told->firing != TOLD_THIS)) {
        if (kind != RULE_EVENT_LEVEL)
            told->firing = was_told ? TOLD_EARLIER : TOLD_NOTHING;
        return false;
    }
    told->firing = kind == RULE_EVENT_CLEARED ? TOLD_NOTHING : TOLD_THIS;
    told->level = instance->last.level;
    return kind != RULE_EVENT_CLEARED || was_told;
}

static unsigned what_may_be_told(struct instance *instance, uint8_t kind,
                                 bool (*may)(struct instance *, enum way, uint8_t))
{
    unsigned what = DOING;
    for (unsigned way = 0; way < N_WAYS; way++)
        if (may(instance, (enum way)way, kind))
            what |= 1u << way;
    return what;
}

/* Who is told only of what is grave enough is also told when it is less grave from now on. */
static uint8_t graver(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

void tell_transition(struct rules *rules, uint32_t index, uint8_t kind, uint8_t severity,
                     const char *why)
{
    struct instance *instance = &rules->catalog.instances[index];
    const struct rule_transition *change = &instance->last;
    tell_changed(rules, index);
    rules->output.transition(rules->owner, change);
    if (kind == CHANGE_ONLY)
        return;
    struct scene scene = scene_of(rules, instance, change, change->at_ms);
    struct occasion occasion = {rules, instance, &scene, kind, change->severity, false};
    struct rule_event event = event_of(rules, index, kind, change->at_ms);
    if (kind == RULE_EVENT_LEVEL)
        occasion.severity = graver(severity, change->severity);
    fill_message(rules, instance, &scene, kind, why);
    event.message = rules->message;
    event.note = why;
    if (kind != RULE_EVENT_LEVEL) {
        instance->holds = true;
        instance->yielded = 0;
    }
    send_event(rules, &event);
    act(&occasion, what_may_be_told(instance, kind, may_tell));
}

void tell_flag(struct rules *rules, uint32_t index)
{
    struct rule_transition *last = &rules->catalog.instances[index].last;
    last->from = last->to;
    tell_changed(rules, index);
    rules->output.transition(rules->owner, last);
}

void tell_holds(struct rules *rules, uint32_t index, int64_t now_ms)
{
    struct instance *instance = &rules->catalog.instances[index];
    const struct action_list *list = hold_list(instance);
    struct scene scene = scene_of(rules, instance, &instance->last, now_ms);
    uint8_t kind = instance_fires(instance) ? RULE_EVENT_FIRED : RULE_EVENT_CLEARED;
    struct occasion occasion = {rules,          instance, &scene, kind, instance->last.severity,
                                .take_up = true};
    instance->holds = true;
    for (size_t i = 0; i < list->count; i++)
        if (!(instance->yielded & 1u << i))
            send_action(&occasion, &list->at[i]);
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
    } else if (!instance->last.blind && own == RULES_NO_SENSOR) {
        text_append(rules->message, size, &length, "sees again");
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

static uint8_t sight_of(const struct instance *instance)
{
    return instance->last.blind ? RULE_EVENT_BLIND : RULE_EVENT_SEEING;
}

/* Who was not told that it is blind need not be told that it sees. */
static bool may_tell_sight(struct instance *instance, enum way way, uint8_t kind)
{
    struct told_of *told = &instance->told[way];
    if (way_rests(instance, way) || is_cut_off(instance))
        return false;
    bool tells = kind == RULE_EVENT_BLIND || told->blind;
    told->blind = kind == RULE_EVENT_BLIND;
    return tells;
}

void tell_sight(struct rules *rules, uint32_t index, int64_t now_ms, const char *why)
{
    struct instance *instance = &rules->catalog.instances[index];
    uint8_t kind = sight_of(instance);
    struct scene scene = scene_of(rules, instance, &instance->last, now_ms);
    struct occasion occasion = {rules, instance, &scene, kind, instance->last.severity, false};
    struct rule_event event = event_of(rules, index, kind, now_ms);
    fill_sight(rules, instance, &scene, why);
    event.message = rules->message;
    event.note = why;
    send_event(rules, &event);
    act(&occasion, what_may_be_told(instance, kind, may_tell_sight));
}

/* -- what is owed -- */

#define NOTHING_OWED UINT8_MAX

/* Which change of the firing was not told by that way. */
static uint8_t owed_change(const struct instance *instance, const struct told_of *told)
{
    if (!instance_fires(instance))
        return told->firing != TOLD_NOTHING ? RULE_EVENT_CLEARED : NOTHING_OWED;
    if (told->firing != TOLD_THIS)
        return RULE_EVENT_FIRED;
    return told->level != instance->last.level ? RULE_EVENT_LEVEL : NOTHING_OWED;
}

bool tell_is_owed(const struct instance *instance)
{
    bool owed = false;
    for (unsigned way = 0; way < N_WAYS; way++)
        owed = owed || owed_change(instance, &instance->told[way]) != NOTHING_OWED ||
               instance->told[way].blind != instance->last.blind;
    return owed;
}

/* A firing is told with the time that it is, an end with the time at which it was. */
static void tell_change_late(struct rules *rules, struct instance *instance, uint8_t kind,
                             enum way way, int64_t now_ms)
{
    struct told_of *told = &instance->told[way];
    struct rule_transition change = instance->last;
    struct scene scene = scene_of(rules, instance, &change, now_ms);
    struct occasion occasion = {rules, instance, &scene, kind, change.severity, false};
    change.at_ms = now_ms;
    if (kind == RULE_EVENT_CLEARED) {
        change.at_ms = instance->cleared_ms != CLOCK_NEVER ? instance->cleared_ms : now_ms;
        change.to = RULE_OK;
    } else if (kind == RULE_EVENT_LEVEL) {
        occasion.severity = graver(change.severity, instance->rule->levels[told->level].severity);
    }
    told->firing = kind == RULE_EVENT_CLEARED ? TOLD_NOTHING : TOLD_THIS;
    told->level = change.level;
    fill_message(rules, instance, &scene, kind, NULL);
    act(&occasion, 1u << way);
}

static void tell_sight_late(struct rules *rules, struct instance *instance, enum way way,
                            int64_t now_ms)
{
    struct scene scene = scene_of(rules, instance, &instance->last, now_ms);
    struct occasion occasion = {
        rules, instance, &scene, sight_of(instance), instance->last.severity, false};
    instance->told[way].blind = instance->last.blind;
    fill_sight(rules, instance, &scene, NULL);
    act(&occasion, 1u << way);
}

void tell_owed(struct rules *rules, uint32_t index, int64_t now_ms)
{
    struct instance *instance = &rules->catalog.instances[index];
    for (unsigned way = 0; way < N_WAYS; way++) {
        const struct told_of *told = &instance->told[way];
        uint8_t kind = owed_change(instance, told);
        bool sight = told->blind != instance->last.blind;
        if ((kind == NOTHING_OWED && !sight) || tell_rests(instance) || is_cut_off(instance))
            continue;
        if (way_rests(instance, (enum way)way)) {
            group_join(rules, index, now_ms);
            continue;
        }
        tell_changed(rules, index);
        if (kind != NOTHING_OWED)
            tell_change_late(rules, instance, kind, (enum way)way, now_ms);
        if (sight)
            tell_sight_late(rules, instance, (enum way)way, now_ms);
    }
}

/* -- reminders -- */

/* What is so now, of the firing that is going on. */
static void tell_firing_now(struct rules *rules, const struct instance *instance, int64_t now_ms,
                            void (*send)(const struct occasion *, const struct action *),
                            const struct action *action)
{
    struct rule_transition change = instance->last;
    struct scene scene = scene_of(rules, instance, &change, now_ms);
    struct occasion occasion = {rules, instance, &scene, RULE_EVENT_FIRED, change.severity, false};
    change.at_ms = now_ms;
    tell_changed(rules, change.instance);
    fill_message(rules, instance, &scene, RULE_EVENT_FIRED, NULL);
    send(&occasion, action);
}

static void send_to_all(const struct occasion *occasion, const struct action *action)
{
    (void)action;
    notify(occasion);
}

void tell_again(struct rules *rules, uint32_t index, int64_t now_ms)
{
    struct instance *instance = &rules->catalog.instances[index];
    if (instance->rule->group != RULES_NO_GROUP) { /* with the repeats of the others */
        instance->told[WAY_NOTIFY].firing = TOLD_EARLIER;
        tell_owed(rules, index, now_ms);
        return;
    }
    tell_firing_now(rules, &rules->catalog.instances[index], now_ms, send_to_all, NULL);
}

void tell_escalation(struct rules *rules, uint32_t index, size_t i, int64_t now_ms)
{
    const struct instance *instance = &rules->catalog.instances[index];
    tell_firing_now(rules, instance, now_ms, send_action, &instance->rule->escalations[i].action);
}
