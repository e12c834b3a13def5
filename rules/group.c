/* Groups: what alarms of one group have to tell within a short time is told as one notification.
 *
 * A group is a short rest: the first instance that has something to tell begins it, and when it is
 * over each tells what is so then. An alarm that came and went meanwhile is told to nobody, and a
 * restart finds what is owed as after any other rest. */
#include "gateway/base/text.h"
#include "rules/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX 200   /* of one notification; of more there is the number */
#define WORDS_MAX 32768 /* of all of them */

/* A notification that is held back until all of the group have spoken. */
struct line {
    struct rule_action action; /* its text lies in `words` */
    bool sent;
};

struct gathering {
    struct line lines[LINES_MAX];
    char words[WORDS_MAX];
    size_t n_lines, n_words, left_out;
};

static uint32_t id_of(const struct rules *rules, uint32_t group)
{
    return rules->catalog.n_instances + rules->catalog.n_sensors + group;
}

int group_start(struct rules *rules)
{
    uint32_t n = rules->catalog.n_groups;
    rules->group_first = malloc(((size_t)n + 1) * sizeof *rules->group_first);
    if (n > 0)
        rules->gathering = malloc(sizeof *rules->gathering);
    if (!rules->group_first || (n > 0 && !rules->gathering))
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        rules->group_first[i] = RULES_NO_INSTANCE;
    return 0;
}

void group_stop(struct rules *rules)
{
    free(rules->group_first);
    free(rules->gathering);
}

void group_join(struct rules *rules, uint32_t index, int64_t now_ms)
{
    struct instance *instance = &rules->catalog.instances[index];
    uint32_t group = instance->rule->group, id = id_of(rules, group);
    int64_t due_ms = engine_sum_ms(now_ms, instance->rule->group_wait_ms), planned_ms;
    if (!heap_key(rules->due, id, &planned_ms) || due_ms < planned_ms)
        heap_set(rules->due, id, due_ms);
    if (instance->is_grouped)
        return;
    instance->is_grouped = true;
    instance->next_grouped = rules->group_first[group];
    rules->group_first[group] = index;
}

bool group_takes(struct rules *rules, const struct rule_action *action)
{
    struct gathering *gathering = rules->gathering;
    if (!rules->gathers || action->kind != ACTION_NOTIFY)
        return false;
    size_t size = strlen(action->text) + 1;
    if (gathering->n_lines == LINES_MAX || size > WORDS_MAX - gathering->n_words) {
        gathering->left_out++;
        return true;
    }
    struct line *line = &gathering->lines[gathering->n_lines++];
    *line = (struct line){.action = *action};
    line->action.text = memcpy(gathering->words + gathering->n_words, action->text, size);
    gathering->n_words += size;
    return true;
}

/* -- one notification of many -- */

/* What the gravest of them is, all are: its instance stands for the others. */
static void weigh(struct rule_action *all, const struct rule_action *one)
{
    bool fires = one->event == RULE_EVENT_FIRED;
    if (one->severity > all->severity ||
        (one->severity == all->severity && fires && all->event != RULE_EVENT_FIRED)) {
        all->severity = one->severity;
        all->event = one->event;
        all->instance = one->instance;
    }
}

static bool is_for(const struct line *line, const char *notifier)
{
    return !line->sent && strcmp(line->action.target, notifier) == 0;
}

static size_t count_lines(const struct gathering *gathering, const char *notifier)
{
    size_t count = 0;
    for (size_t i = 0; i < gathering->n_lines; i++)
        count += is_for(&gathering->lines[i], notifier);
    return count;
}

/* One goes as it is, several as a list. */
static void send_to(struct rules *rules, uint32_t group, const char *notifier)
{
    struct gathering *gathering = rules->gathering;
    size_t count = count_lines(gathering, notifier), length = 0;
    struct rule_action all = {.target = notifier};
    text_append(rules->text, sizeof rules->text, &length, "%s: %zu messages",
                rules->catalog.group_names[group], count + gathering->left_out);
    for (size_t i = 0; i < gathering->n_lines; i++) {
        struct line *line = &gathering->lines[i];
        if (!is_for(line, notifier))
            continue;
        line->sent = true;
        if (all.text)
            weigh(&all, &line->action);
        else
            all = line->action;
        text_append(rules->text, sizeof rules->text, &length, "\n- %s", line->action.text);
    }
    if (count > 1)
        all.text = rules->text;
    rules->output.action(rules->owner, &all);
}

/* They were put in the list newest first; people read them as they came. */
static uint32_t turned_round(struct rules *rules, uint32_t first)
{
    uint32_t turned = RULES_NO_INSTANCE;
    while (first != RULES_NO_INSTANCE) {
        struct instance *instance = &rules->catalog.instances[first];
        uint32_t next = instance->next_grouped;
        instance->next_grouped = turned;
        turned = first;
        first = next;
    }
    return turned;
}

void group_due(struct rules *rules, uint32_t group, int64_t now_ms)
{
    struct gathering *gathering = rules->gathering;
    uint32_t index = turned_round(rules, rules->group_first[group]);
    heap_remove(rules->due, id_of(rules, group));
    rules->group_first[group] = RULES_NO_INSTANCE;
    gathering->n_lines = gathering->n_words = gathering->left_out = 0;
    rules->gathers = true;
    while (index != RULES_NO_INSTANCE) {
        struct instance *instance = &rules->catalog.instances[index];
        instance->is_grouped = false;
        instance->speaks = true;
        tell_owed(rules, index, now_ms);
        instance->speaks = false;
        index = instance->next_grouped;
    }
    rules->gathers = false;
    for (size_t i = 0; i < gathering->n_lines; i++)
        if (!gathering->lines[i].sent)
            send_to(rules, group, gathering->lines[i].action.target);
}
