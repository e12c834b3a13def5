/* A random driver against a model of what people must see: readings, silence, orders, time,
 * restarts from what was saved, and reloads, in any order. After every step what came out is held
 * against the rules of the game: every firing has one clear, no event comes twice, none is lost,
 * nobody is told of an end who was not told of a beginning, and what is told at last is what is so.
 */
#include "tests/unit/rules_order_world.h"
#include "tests/unit/steps.h"

#include <math.h>

#define STEPS         STEPS_OF(1000000)
#define SEEDS         (SLOWED_DOWN ? 3 : 10)
#define N_INSTANCES   17
#define GROUP_WAIT_MS 2000

/* Two configs that differ in some conditions: a reload goes to the other one, or to the same. */
#define SAME                                                                                       \
    "plain: { sensor = \"room.temp\"; above = 5; hysteresis = 1; notify = \"n\" }"                 \
    "slow: { sensor = \"room.temp\"; above = 4; for = \"20s\"; keep_for = \"15s\"; notify = "      \
    "\"n\";"                                                                                       \
    "        adjustable = ( 2, 8, 1 ) }"                                                           \
    "two: { sensor = \"room.temp\"; above = \"room.setpoint\"; for = \"5s\"; notify = \"n\" }"     \
    "alarm: { sensor = \"room.temp\"; above = 6; if_unknown = \"alarm\"; for = \"10s\"; notify = " \
    "\"n\" }"                                                                                      \
    "fine: { sensor = \"room.setpoint\"; below = 3; if_unknown = \"ok\"; blind = \"quiet\"; "      \
    "notify = \"n\";"                                                                              \
    "        keep_for = \"40s\" }"                                                                 \
    "steps: { sensor = \"room.temp\"; hysteresis = 1; notify = \"n\"; levels = ("                  \
    "  { severity = \"info\"; above = 3; for = \"10s\" }, { severity = \"warning\"; above = 5 },"  \
    "  { severity = \"critical\"; above = 7; hits = \"2 of 3\"; keep_for = \"8s\" } ) }"           \
    "held: { sensor = \"room.temp\"; above = 5; latch = true; repeat = \"20s\"; notify = \"n\";"   \
    "  escalate = ( { after = \"35s\"; notify = \"m\" } ) }"                                       \
    "cool: { sensor = \"pump.load\"; above = 3; cooldown = \"30s\"; for = \"2s\"; notify = \"n\" " \
    "}"                                                                                            \
    "shut: { sensor = \"room.temp\"; above = 4; notify = \"n\"; inhibited_by = [ \"cool\", "       \
    "\"plain\" ] }"                                                                                \
    "times: { sensor = \"room.temp\"; above = 3; notify = \"n\"; active = \"00:00-12:00\" }"       \
    "joint: { sensor = \"room.temp\"; above = 6; message = \"fires\"; clear_message = \"ends\"; "  \
    "notify = \"n\"; group = \"g\"; group_wait = "                                                 \
    "\"2s\" }"                                                                                     \
    "other: { sensor = \"pump.load\"; above = 6; message = \"fires\"; clear_message = \"ends\"; "  \
    "notify = \"n\"; group = \"h\"; group_wait = "                                                 \
    "\"1s\" }"                                                                                     \
    "some: { sensor = \"room.temp\"; above = 2; hits = \"3 of 5\"; for = \"4s\"; notify = \"n\" }"
static const char *const configs[] = {
    "rules: { " SAME
    "change: { sensor = \"room.temp\"; above = 3; notify = \"n\"; adjustable = true } }"
    "room_limits: { low = 2; high = 7; hysteresis = 1; adjustable = true; notify = \"n\" }"
    "pump_limits: { high = 5; for = \"3s\"; notify = \"n\" }",
    "rules: { change: { sensor = \"room.temp\"; above = 4; notify = \"n\"; adjustable = true "
    "} " SAME "}"
    "room_limits: { low = 2; high = 6; hysteresis = 1; adjustable = true; notify = \"n\" }"
    "pump_limits: { high = 5; for = \"3s\"; notify = \"n\" }",
};
static const char *const ids[N_INSTANCES] = {
    "plain",          "slow",           "two",   "alarm", "fine", "change", "low@room.temp",
    "high@room.temp", "high@pump.load", "steps", "some",  "held", "cool",   "shut",
    "times",          "joint",          "other"};

/* What people and the disk know of an instance; events and saved texts are written in one go. */
struct seen {
    bool fires, blind, acked, muted, disabled; /* by the events */
    bool told_fires, told_blind;               /* by the notifications */
    bool inhibited, inactive;
    int64_t at_ms;        /* of the last event */
    uint8_t state, level; /* by the transitions */
    uint8_t told_level;   /* of what was told last */
    char saved[RULES_SAVED_SIZE];
    unsigned fired, cleared;
};

/* Who speaks: in a reload the old rules and the new ones do, each with its own indices. */
struct model;
struct voice {
    struct model *model;
    struct rules *rules;
    struct seen *seen[N_INSTANCES]; /* by its numbers */
};

struct model {
    struct seen seen[N_INSTANCES];
    struct conf *confs[2]; /* NULL: not read yet */
    struct problems *problems;
    struct text_table *texts;
    struct rules *rules;
    struct voice voices[2];
    unsigned turn; /* which voice is that of `rules` */
    unsigned config;
    uint64_t random;
    int64_t now_ms, wall_ms;
    int64_t read_ms[N_SENSORS];
    bool clock_known;
    uint64_t sum; /* of all that came out, to compare two runs */
};

static uint32_t roll(struct model *model, uint32_t sides)
{
    model->random = model->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(model->random >> 33) % sides;
}

static struct seen *seen_of(const struct voice *voice, uint32_t instance)
{
    assert_true(instance < N_INSTANCES);
    return voice->seen[instance];
}

static void learn_numbers(struct voice *voice)
{
    for (size_t i = 0; i < N_INSTANCES; i++) {
        uint32_t instance = rules_find(voice->rules, ids[i]);
        assert_true(instance < N_INSTANCES);
        voice->seen[instance] = &voice->model->seen[i];
    }
}

static void add_to_sum(struct model *model, uint64_t what, int64_t at_ms)
{
    model->sum = (model->sum ^ what ^ (uint64_t)at_ms) * 0x100000001b3u;
}

static void see_transition(void *owner, const struct rule_transition *change)
{
    struct voice *voice = owner;
    struct seen *seen = seen_of(voice, change->instance);
    assert_int_equal(change->from, seen->state);
    assert_true(change->to != seen->state || change->level != seen->level ||
                change->inhibited != seen->inhibited || change->inactive != seen->inactive);
    assert_false(change->inactive && change->to != RULE_OK);
    seen->inhibited = change->inhibited;
    seen->inactive = change->inactive;
    seen->state = change->to;
    seen->level = change->level;
    add_to_sum(voice->model, (uint64_t)(seen - voice->model->seen) * 64 + change->to,
               change->at_ms);
}

/* A flag that an event turns on or off must have been the other way. */
static void turn(bool *flag, bool on)
{
    assert_int_equal(*flag, !on);
    *flag = on;
}

static void see_event(void *owner, const struct rule_event *event)
{
    struct voice *voice = owner;
    struct seen *seen = seen_of(voice, event->instance);
    bool fires = seen->state == RULE_FIRING || seen->state == RULE_RECOVERING;
    add_to_sum(voice->model, (uint64_t)(seen - voice->model->seen) * 64 + 32 + event->kind,
               event->at_ms);
    seen->at_ms = event->at_ms;
    switch ((enum rule_event_kind)event->kind) {
    case RULE_EVENT_FIRED:
        turn(&seen->fires, true);
        assert_true(fires && !seen->acked);
        seen->fired++;
        break;
    case RULE_EVENT_CLEARED:
        turn(&seen->fires, false);
        assert_false(fires);
        seen->acked = false;
        seen->cleared++;
        break;
    case RULE_EVENT_BLIND:
        turn(&seen->blind, true);
        break;
    case RULE_EVENT_SEEING:
        turn(&seen->blind, false);
        break;
    case RULE_EVENT_ACKED:
        assert_true(fires);
        turn(&seen->acked, true);
        break;
    case RULE_EVENT_MUTED:
        seen->muted = true; /* a mute may replace another one */
        break;
    case RULE_EVENT_UNMUTED:
        turn(&seen->muted, false);
        break;
    case RULE_EVENT_ENABLED:
        turn(&seen->disabled, false);
        break;
    case RULE_EVENT_DISABLED:
        turn(&seen->disabled, true);
        break;
    case RULE_EVENT_LIMIT:
        assert_non_null(event->key);
        break;
    case RULE_EVENT_LEVEL:
        assert_true(fires && seen->fires);
        seen->acked = seen->acked && event->status.acked; /* a graver one is to be seen anew */
        break;
    }
    assert_int_equal(event->status.blind, seen->blind);
    assert_int_equal(event->status.acked, seen->acked);
    assert_int_equal(event->status.muted, seen->muted);
    assert_int_equal(event->status.disabled, seen->disabled);
}

static void see_told(struct seen *seen, uint8_t event)
{
    switch (event) {
    case RULE_EVENT_FIRED:
        assert_true(seen->fires);
        seen->told_fires = true;
        seen->told_level = seen->level;
        break;
    case RULE_EVENT_LEVEL:
        assert_true(seen->fires && seen->told_fires && seen->level != seen->told_level);
        seen->told_level = seen->level;
        break;
    case RULE_EVENT_CLEARED:
        assert_false(seen->fires);
        turn(&seen->told_fires, false);
        break;
    case RULE_EVENT_BLIND:
        assert_true(seen->blind);
        turn(&seen->told_blind, true);
        break;
    case RULE_EVENT_SEEING:
        assert_false(seen->blind);
        turn(&seen->told_blind, false);
        break;
    default:
        fail();
    }
}

/* "other is blind: ...", "other is blind"; "other is blind no more, ..." is none. */
static bool says_blind(const char *line, size_t length)
{
    static const char words[] = "is blind";
    const char *at = memmem(line, length, words, sizeof(words) - 1);

    return at && (at + sizeof(words) - 1 == line + length || at[sizeof(words) - 1] == ':');
}

/* Of a group several come in one text; of each line its words tell what it is. */
static void see_lines(struct seen *seen, const char *text)
{
    for (const char *line = text; (line = strstr(line, "\n- ")); line++) {
        if (strncmp(line + 3, "fires", 5) == 0)
            see_told(seen, RULE_EVENT_FIRED);
        else if (strncmp(line + 3, "ends", 4) == 0)
            see_told(seen, RULE_EVENT_CLEARED);
        else if (says_blind(line + 1, strcspn(line + 1, "\n")))
            see_told(seen, RULE_EVENT_BLIND);
        else
            see_told(seen, RULE_EVENT_SEEING);
    }
}

static void see_action(void *owner, const struct rule_action *action)
{
    struct voice *voice = owner;
    struct seen *seen = seen_of(voice, action->instance);
    assert_int_equal(action->kind, ACTION_NOTIFY);
    assert_false(seen->muted || seen->disabled || seen->inhibited);
    add_to_sum(voice->model, (uint64_t)(seen - voice->model->seen) * 64 + 16 + action->event,
               action->at_ms);
    if (strstr(action->text, " messages\n- "))
        see_lines(seen, action->text);
    else
        see_told(seen, action->event);
}

/* -- the gateway around the rules -- */

/* Each is read once: this is no test of reading. */
static struct conf *config_of(struct model *model)
{
    struct conf **conf = &model->confs[model->config];
    const char *text = configs[model->config];
    if (!*conf)
        assert_int_equal(
            conf_read_text("t.cfg", text, strlen(text), world_root(), model->problems, conf), 0);
    return *conf;
}

static void open_rules(struct model *model)
{
    static const struct rules_output output = {see_transition, see_event, see_action};
    struct rules_sensor sensors[N_SENSORS];
    struct world children = {.conf = config_of(model)};
    for (size_t i = 0; i < N_SENSORS; i++)
        sensors[i] = world_sensors[i];
    const struct rules_origin origins[N_SENSORS] = {
        [TEMP] = {.limits = world_child(&children, "room_limits")},
        [LOAD] = {.limits = world_child(&children, "pump_limits")},
    };
    struct rules_config all = {.rules = world_child(&children, "rules"),
                               .sensors = sensors,
                               .origins = origins,
                               .n_sensors = N_SENSORS,
                               .texts = model->texts};
    model->turn = 1 - model->turn;
    struct voice *voice = &model->voices[model->turn];
    assert_int_equal(rules_new(&all, &output, voice, model->problems, &voice->rules), 0);
    voice->model = model;
    model->rules = voice->rules;
    assert_int_equal(rules_count(model->rules), N_INSTANCES);
    learn_numbers(voice);
}

static int64_t wall_now(const struct model *model)
{
    return model->clock_known ? model->wall_ms : CLOCK_NEVER;
}

/* The transaction after each step: what changed is on the disk together with its events. */
static void save_changed(struct model *model)
{
    uint32_t instance;
    while (rules_changed(model->rules, &instance))
        rules_save(model->rules, instance, model->now_ms, wall_now(model),
                   seen_of(&model->voices[model->turn], instance)->saved);
}

/* Restored, it stands as people saw it last. */
static void check_all(const struct model *model)
{
    for (size_t i = 0; i < N_INSTANCES; i++) {
        const struct seen *seen = &model->seen[i];
        struct rule_transition status =
            rules_status(model->rules, rules_find(model->rules, ids[i]));
        assert_int_equal(status.to, seen->state);
        assert_int_equal(status.blind, seen->blind);
        assert_int_equal(status.acked, seen->acked);
        assert_int_equal(status.muted, seen->muted);
        assert_int_equal(status.disabled, seen->disabled);
        assert_int_equal(seen->fired - seen->cleared, seen->fires);
        assert_int_equal(status.since_ms != CLOCK_NEVER, seen->fires);
    }
}

/* A power cut: everything but the disk is gone; now and then the config is another one after it. */
static void restart(struct model *model)
{
    rules_free(model->rules);
    model->wall_ms += roll(model, 4) == 0 ? 3600000 : roll(model, 60000);
    model->now_ms = roll(model, 100000);
    model->clock_known = roll(model, 2) == 0;
    if (roll(model, 4) == 0)
        model->config = 1 - model->config;
    open_rules(model);
    for (size_t i = 0; i < N_INSTANCES; i++)
        model->seen[i].inhibited = false; /* found out anew */
    for (size_t i = 0; i < N_INSTANCES; i++)
        if (model->seen[i].saved[0])
            assert_int_equal(rules_restore(model->rules, ids[i], model->seen[i].saved,
                                           model->now_ms, wall_now(model)),
                             0);
    for (size_t i = 0; i < N_SENSORS; i++)
        model->read_ms[i] = 0;
}

static void reload(struct model *model)
{
    static const uint32_t sensors[N_SENSORS] = {TEMP, SETPOINT, DOOR, HALL, LOAD};
    struct rules *old = model->rules;
    model->config = roll(model, 2);
    open_rules(model);
    world_adopt(model->rules, old, sensors, model->now_ms);
    rules_free(old);
}

/* -- the driver -- */

static void poll(struct model *model)
{
    static const uint32_t sensors[] = {TEMP, TEMP, TEMP, SETPOINT, LOAD};
    struct reading readings[2];
    size_t count = 1 + roll(model, 2);
    for (size_t i = 0; i < count; i++) {
        readings[i] = world_number(model->now_ms, sensors[roll(model, 5)], roll(model, 10));
        if (roll(model, 8) == 0)
            readings[i] = (struct reading){
                .at_ms = model->now_ms, .sensor = readings[i].sensor, .quality = QUALITY_TIMEOUT};
    }
    rules_on_poll(model->rules, readings, count, model->now_ms);
}

static void order(struct model *model)
{
    static const char *const names[] = {"high", "nobody"};
    static const char *const keys[] = {"above", "high", "low"};
    uint32_t whom = roll(model, N_INSTANCES + 2);
    struct rules_order order = {.kind = (uint8_t)roll(model, ORDER_RESET + 1),
                                .target =
                                    whom < N_INSTANCES ? ids[whom] : names[whom - N_INSTANCES],
                                .until_ms = model->now_ms + roll(model, 200000) - 1000,
                                .key = keys[roll(model, 3)],
                                .value = roll(model, 10)};
    rules_order(model->rules, &order, model->now_ms, NULL);
}

static void step(struct model *model)
{
    int64_t pause_ms = roll(model, 30) == 0 ? roll(model, 200000) : roll(model, 5000);
    model->now_ms += pause_ms;
    model->wall_ms += pause_ms;
    uint32_t what = roll(model, 100);
    if (what < 70)
        poll(model);
    else if (what < 80)
        rules_on_time(model->rules, model->now_ms);
    else if (what < 96)
        order(model);
    else if (what < 97)
        reload(model);
    else if (what < 98)
        restart(model);
    else if (!model->clock_known) {
        model->clock_known = true;
        rules_on_clock(model->rules, model->now_ms, model->wall_ms);
    }
    save_changed(model);
    check_all(model);
}

/* When nothing rests any more and time has passed, what was told is what is so. */
static void come_to_rest(struct model *model)
{
    for (size_t i = 0; i < N_INSTANCES; i++) {
        struct rules_order order = {.kind = ORDER_ENABLE, .target = ids[i]};
        rules_order(model->rules, &order, model->now_ms, NULL);
        order.kind = ORDER_UNMUTE;
        rules_order(model->rules, &order, model->now_ms, NULL);
    }
    model->now_ms += GROUP_WAIT_MS;
    model->wall_ms += GROUP_WAIT_MS;
    rules_on_time(model->rules, model->now_ms);
    save_changed(model);
    for (size_t i = 0; i < N_INSTANCES; i++) {
        const struct seen *seen = &model->seen[i];
        if (seen->inhibited || seen->at_ms > model->now_ms - GROUP_WAIT_MS)
            continue;
        assert_int_equal(seen->told_fires, seen->fires);
        assert_true(!seen->fires || seen->told_level == seen->level);
        if (strcmp(ids[i], "fine") != 0) /* its blindness is quiet */
            assert_int_equal(seen->told_blind, seen->blind);
    }
}

static uint64_t drive(uint64_t seed, int steps)
{
    static struct model model;
    memset(&model, 0, sizeof model);
    clock_use_fixed(0, 0);
    model.random = seed;
    model.problems = problems_new();
    model.texts = text_table_new();
    model.wall_ms = 1700000000000;
    open_rules(&model);
    for (int i = 0; i < steps; i++) {
        step(&model);
        if (i % 1000 == 999)
            come_to_rest(&model);
    }
    for (size_t i = 0; i < N_INSTANCES; i++)
        assert_true(model.seen[i].fired > (unsigned)steps / 5000); /* it was no walk in the park */
    rules_free(model.rules);
    for (size_t i = 0; i < 2; i++)
        conf_free(model.confs[i]);
    text_table_free(model.texts);
    problems_free(model.problems);
    clock_use_system();
    return model.sum;
}

static void nothing_is_lost_and_nothing_comes_twice(void **state)
{
    (void)state;
    drive(1, STEPS);
    for (uint64_t seed = 2; seed < 2 + SEEDS; seed++)
        drive(seed, 5000);
}

static void the_same_steps_give_the_same_life(void **state)
{
    (void)state;
    assert_true(drive(99, 5000) == drive(99, 5000));
    assert_true(drive(99, 5000) != drive(98, 5000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_and_nothing_comes_twice),
        cmocka_unit_test(the_same_steps_give_the_same_life),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
