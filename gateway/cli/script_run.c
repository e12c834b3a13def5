/* The steps of a test in their order, against a rehearsal. What comes out is written down as it
 * comes, and held against what the test says at its end. */
#include "gateway/cli/script_run.h"

#include "config/config.h"
#include "gateway/base/clock.h"
#include "gateway/base/section.h"
#include "gateway/base/text.h"
#include "gateway/cli/rehearse.h"
#include "gateway/cli/script_shown.h"
#include "gateway/core/sink.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLL_MAX 256 /* sensors that are read at one instant */

struct stage {
    const struct script *script;
    const struct script_test *test;
    struct problems *problems;
    struct rehearsal *rehearsal;
    struct script_shown shown;
    bool no_memory, wrong;
};

#define FAIL(stage, place, ...)                                              \
    do {                                                                     \
        script_fail((stage)->problems, (stage)->test, (place), __VA_ARGS__); \
        (stage)->wrong = true;                                               \
    } while (0)

/* -- what comes out ------------------------------------------------------------------------- */

static void ignore_transition(void *owner, const struct rule_transition *transition)
{
    (void)owner;
    (void)transition;
}

static const char *id_of(const struct stage *stage, uint32_t instance)
{
    return rules_info(rehearsal_rules(stage->rehearsal), instance).id;
}

static void take_event(void *owner, const struct rule_event *event)
{
    struct stage *stage = owner;
    char value[40], text[200];

    if (event->key) {
        text_from_number(value, sizeof(value), event->value, -1);
        snprintf(text, sizeof(text), "%s %s", event->key, value);
    }
    script_show(&stage->shown, event->at_ms, event->instance,
                event->kind == RULE_EVENT_LIMIT ? "adjusted" : event_type_name(event->kind),
                id_of(stage, event->instance), event->key ? text : event->message);
}

static void take_action(void *owner, const struct rule_action *action)
{
    static const char *const words[] = {[ACTION_PUBLISH] = "publish",
                                        [ACTION_WRITE] = "write",
                                        [ACTION_NOTIFY] = "notify",
                                        [ACTION_RUN] = "run",
                                        [ACTION_LOG] = "log"};
    struct stage *stage = owner;
    char number[40];

    text_from_number(number, sizeof(number), action->number, -1);
    script_show(&stage->shown, action->at_ms, action->instance, words[action->kind],
                action->target ? action->target : "", action->text ? action->text : number);
}

static const struct rules_output output = {ignore_transition, take_event, take_action};

/* -- the config, and what is wrong with it -------------------------------------------------- */

/* The expressions of the test, as settings of a section that has their places. */
static struct section *collect_probes(struct stage *stage)
{
    struct section *probes = section_new("", stage->test->place);
    int64_t n = 0;

    for (size_t i = 0; probes && i < stage->test->n_steps; i++) {
        struct script_step *step = &stage->test->steps[i];
        char key[24];
        struct value *value;

        if (step->kind != SCRIPT_VALUE)
            continue;
        snprintf(key, sizeof(key), "p%zu", (size_t)n);
        step->ms = n++;
        value = section_add(probes, key, step->place);
        if (!value || value_text(value, step->place, step->name, NULL) < 0)
            stage->no_memory = true;
    }
    stage->no_memory = stage->no_memory || !probes;
    return probes;
}

/* "test.test:4:31: error: rule ...": whether it is that fault. */
static bool is_fault(const struct stage *stage, const struct script_fault *fault, const char *line)
{
    char start[PATH_MAX + 64];
    int length = snprintf(start, sizeof(start), "%s:%u:%u: %s: ", stage->script->source->name,
                          fault->line, fault->column, fault->warning ? "warning" : "error");

    return length > 0 && (size_t)length < sizeof(start) &&
           strncmp(line, start, (size_t)length) == 0 && strstr(line + length, fault->words);
}

/* Whether one of the problems is that fault; each one is only once. */
static bool is_found(const struct stage *stage, struct problems *found,
                     const struct script_fault *fault)
{
    const char *line;

    for (size_t i = 0; (line = problems_line(found, i)); i++) {
        if (is_fault(stage, fault, line))
            return true;
    }
    return false;
}

static bool is_foreseen(const struct stage *stage, const char *line)
{
    for (size_t i = 0; i < stage->test->n_faults; i++) {
        if (is_fault(stage, &stage->test->faults[i], line))
            return true;
    }
    return strstr(line, ": error: ") == NULL; /* of warnings only what the test names counts */
}

/* Everything that is wrong must have been foreseen. */
static void judge_config(struct stage *stage, struct problems *found)
{
    const struct script_test *test = stage->test;
    const char *line;

    for (size_t i = 0; i < test->n_faults; i++) {
        if (!is_found(stage, found, &test->faults[i]))
            FAIL(stage, test->faults[i].place, "nothing is wrong there with these words");
    }
    for (size_t i = 0; (line = problems_line(found, i)); i++) {
        if (!is_foreseen(stage, line))
            FAIL(stage, test->place, "its config is wrong: %s", line);
    }
}

/* As written in the zone of the test. */
static int64_t wall_of(int64_t written_ms)
{
    time_t seconds = (time_t)(written_ms / 1000);
    struct tm tm;

    if (written_ms == CLOCK_NEVER)
        return CLOCK_NEVER;
    gmtime_r(&seconds, &tm);
    tm.tm_isdst = -1;
    return (int64_t)mktime(&tm) * 1000;
}

static int open_rehearsal(struct stage *stage, const struct section *probes,
                          const struct conf_text *texts, size_t n_texts)
{
    struct rehearsal_config config = {.path = stage->script->config,
                                      .texts = texts,
                                      .n_texts = n_texts,
                                      .probes = probes,
                                      .wall_ms = wall_of(stage->test->wall_ms),
                                      .output = &output,
                                      .owner = stage};
    struct problems *found = problems_new();
    int r = found ? rehearsal_open(&config, found, &stage->rehearsal) : -ENOMEM;

    if (r == 0 || r == -EINVAL)
        judge_config(stage, found);
    problems_free(found);
    return r;
}

/* -- steps ---------------------------------------------------------------------------------- */

static bool make_reading(struct stage *stage, const struct script_step *step,
                         struct reading *reading)
{
    const struct rules *rules = rehearsal_rules(stage->rehearsal);
    uint32_t sensor = rules_find_sensor(rules, step->name);

    *reading = (struct reading){
        .at_ms = step->at_ms, .sensor = sensor, .kind = step->value_kind, .quality = step->quality};
    if (step->value_kind == VALUE_NUMBER)
        reading->number = step->number;
    else if (step->value_kind == VALUE_TEXT)
        reading->text = rehearsal_add_text(stage->rehearsal, step->text);
    if (sensor == RULES_NO_SENSOR)
        FAIL(stage, step->place, "there is no sensor \"%s\"", step->name);
    else if (step->value_kind != VALUE_NONE &&
             (step->value_kind == VALUE_TEXT) != rules_sensor(rules, sensor)->text)
        FAIL(stage, step->place, "\"%s\" gives %s", step->name,
             step->value_kind == VALUE_TEXT ? "numbers, not texts" : "texts, not numbers");
    else
        return true;
    return false;
}

/* All samples of one instant are one poll. Returns how many steps that were. */
static size_t poll(struct stage *stage, const struct script_step *steps, size_t most)
{
    struct reading readings[POLL_MAX];
    size_t n = 0;

    while (n < most && n < POLL_MAX && steps[n].kind == SCRIPT_SAMPLE &&
           steps[n].at_ms == steps[0].at_ms) {
        if (!make_reading(stage, &steps[n], &readings[n]))
            return most; /* the rest of the test would only be wrong as well */
        n++;
    }
    rehearsal_poll(stage->rehearsal, readings, n, steps[0].at_ms);
    return n;
}

static void give_order(struct stage *stage, const struct script_step *step)
{
    struct error err = {0};
    struct rules_order order = {.kind = step->order,
                                .target = step->name,
                                .until_ms = step->ms > 0 ? step->at_ms + step->ms : CLOCK_NEVER,
                                .key = step->key,
                                .value = step->number,
                                .by = "test",
                                .via = "test"};
    int taken = rules_order(rehearsal_rules(stage->rehearsal), &order, step->at_ms, &err);

    if (taken < 0 && !step->text)
        FAIL(stage, step->place, "it is refused: %s", err.text);
    else if (taken >= 0 && step->text)
        FAIL(stage, step->place, "it is not refused");
    else if (taken < 0 && !strstr(err.text, step->text))
        FAIL(stage, step->place, "it is refused with other words: %s", err.text);
}

/* "firing critical acked": the state, how severe where that is written, and all of the flags. */
static bool is_as_written(const struct rule_transition *status, const char *words)
{
    const struct {
        const char *word;
        bool is;
    } flags[] = {{"acked", status->acked},         {"muted", status->muted},
                 {"disabled", status->disabled},   {"blind", status->blind},
                 {"inhibited", status->inhibited}, {"inactive", status->inactive}};
    const char *state = rule_state_name(status->to);
    size_t length = strlen(state);
    char wanted[200], name[32];

    if (strncmp(words, state, length) != 0 || !strchr(" ", words[length]))
        return false;
    snprintf(wanted, sizeof(wanted), "%s ", words + length);
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        snprintf(name, sizeof(name), " %s ", flags[i].word);
        if (flags[i].is != (strstr(wanted, name) != NULL))
            return false;
    }
    for (uint8_t s = SEVERITY_INFO; s <= SEVERITY_CRITICAL; s++) {
        snprintf(name, sizeof(name), " %s ", rule_severity_name(s));
        if (strstr(wanted, name) && s != status->severity)
            return false;
    }
    return true;
}

static void check_state(struct stage *stage, const struct script_step *step)
{
    const struct rules *rules = rehearsal_rules(stage->rehearsal);
    uint32_t instance = rules_find(rules, step->name);
    struct rule_transition status;

    if (instance == RULES_NO_INSTANCE) {
        FAIL(stage, step->place, "there is no instance \"%s\" of a rule", step->name);
        return;
    }
    status = rules_status(rules, instance);
    if (!is_as_written(&status, step->text))
        FAIL(stage, step->place, "%s is %s %s%s%s%s%s%s%s", step->name, rule_state_name(status.to),
             rule_severity_name(status.severity), status.acked ? " acked" : "",
             status.muted ? " muted" : "", status.disabled ? " disabled" : "",
             status.blind ? " blind" : "", status.inhibited ? " inhibited" : "",
             status.inactive ? " inactive" : "");
}

/* ~9.26 is anything that is that when rounded to as many places. */
static bool is_number(const char *text, double number)
{
    bool rounded = *text == '~';
    const char *point = strchr(text, '.');
    char shown[64];
    double wanted;

    text += rounded;
    if (text_to_number(text, &wanted) < 0)
        return false;
    text_from_number(shown, sizeof(shown), number, point ? (int)strlen(point + 1) : 0);
    return rounded ? strcmp(shown, text) == 0
                   : fabs(number - wanted) <= 1e-9 * fmax(1, fabs(wanted));
}

static void check_value(struct stage *stage, const struct script_step *step)
{
    struct rules_value value =
        rules_probe(rehearsal_rules(stage->rehearsal), (size_t)step->ms, step->at_ms);
    char is[200] = "unknown";

    if (value.kind == RULES_NUMBER)
        text_from_number(is, sizeof(is), value.number, -1);
    else if (value.kind == RULES_CONDITION)
        text_copy(is, sizeof(is), value.is ? "true" : "false");
    else if (value.kind == RULES_TEXT)
        snprintf(is, sizeof(is), "\"%.190s\"", value.text);
    if (strcmp(is, step->text) != 0 &&
        (value.kind != RULES_NUMBER || !is_number(step->text, value.number)))
        FAIL(stage, step->place, "%s is %s", step->name, is);
}

static void do_step(struct stage *stage, const struct script_step *step)
{
    if (step->kind == SCRIPT_RESTART) {
        stage->no_memory =
            rehearsal_restart(stage->rehearsal, step->at_ms, step->ms) < 0 || stage->no_memory;
        return;
    }
    rehearsal_time(stage->rehearsal, step->at_ms);
    switch (step->kind) {
    case SCRIPT_CLOCK:
        rehearsal_set_clock(stage->rehearsal, wall_of(step->ms), step->at_ms);
        break;
    case SCRIPT_ORDER:
        give_order(stage, step);
        break;
    case SCRIPT_STATE:
        check_state(stage, step);
        break;
    default:
        check_value(stage, step);
        break;
    }
}

static void do_steps(struct stage *stage)
{
    const struct script_test *test = stage->test;
    int64_t end_ms = 0;

    for (size_t i = 0; i < test->n_steps && !stage->no_memory;) {
        if (test->steps[i].kind == SCRIPT_SAMPLE)
            i += poll(stage, &test->steps[i], test->n_steps - i);
        else
            do_step(stage, &test->steps[i++]);
    }
    for (size_t i = 0; i < test->n_outputs; i++)
        end_ms = test->outputs[i].at_ms > end_ms ? test->outputs[i].at_ms : end_ms;
    rehearsal_time(stage->rehearsal, end_ms);
}

/* -- the whole ------------------------------------------------------------------------------ */

static void perform(struct stage *stage)
{
    const struct script_test *test = stage->test;
    const char *name = stage->script->source->name;
    char *head = script_config(stage->script, 0, stage->script->head_end);
    char *own = script_config(stage->script, test->first, test->end);
    struct section *probes = collect_probes(stage);
    struct conf_text texts[2];
    size_t n = 0;
    int r = stage->no_memory ? -ENOMEM : 0;

    if (head)
        texts[n++] = (struct conf_text){name, head, strlen(head)};
    if (own)
        texts[n++] = (struct conf_text){name, own, strlen(own)};
    if (r == 0)
        r = open_rehearsal(stage, probes, texts, n);
    if (r == 0) {
        do_steps(stage);
        stage->wrong = script_judge_shown(&stage->shown, test, rehearsal_rules(stage->rehearsal),
                                          stage->problems) ||
                       stage->wrong;
    }
    stage->no_memory = stage->no_memory || stage->shown.no_memory || r == -ENOMEM;
    rehearsal_close(stage->rehearsal);
    section_free(probes);
    free(head);
    free(own);
}

int script_run(const struct script *script, const struct script_test *test,
               struct problems *problems)
{
    struct stage stage = {.script = script, .test = test, .problems = problems};

    setenv("TZ", test->zone, 1);
    tzset();
    perform(&stage);
    script_shown_free(&stage.shown);
    return stage.no_memory ? -ENOMEM : stage.wrong ? -EINVAL : 0;
}
