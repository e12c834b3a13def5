#include "gateway/core/command.h"

#include "gateway/base/text.h"
#include "gateway/core/pipeline.h"
#include "tests/unit/fake_adapter.h"
#include "tests/unit/loop_guard.h"
#include "tests/unit/site_world.h"

#include <stdlib.h>

#define REPLIES 300

/* What the device answers is 0 for `v`, 1 for `w`, "auto" for `m.mode`: so a write of another value
 * differs. */
static const char config[] =
    "buses: { sim: { adapter = \"sim\" } plc: { adapter = \"modbus\" } }\n"
    "devices: { d: { bus = \"sim\"; channels: {\n"
    "  v: { writable = true; min = -10; max = 100; step = 0.5; safe = 0 }\n"
    "  w: { writable = true }\n"
    "  r: { } } }\n"
    "  m: { bus = \"plc\"; connect = \"tcp://127.0.0.1\"; channels: {\n"
    "  mode: { register = \"holding 1\"; writable = true; enum = [ \"4: auto\", \"0: off\" ] }\n"
    "  seen: { register = \"input 1\"; enum = [ \"0: off\" ] } } } }\n"
    "rules: { hot: { sensor = \"d.r\"; above = 50 }\n"
    "         both: { when = \"d.r > 50 and d.w > 50\" }\n"
    "         away: { sensor = \"d.online\"; equals = 0 }\n"
    "         twice: { sensor = \"sum.all\"; above = 50 }\n"
    "         disk: { sensor = \"gateway.disk_free\"; below = 5 } }\n"
    "derived: { sum: { channels: { half: { value = \"d.r / 2\" }\n"
    "                              all: { value = \"sum.half * 4\" } } } }\n";

struct world {
    struct guard guard;
    struct pipeline *pipeline;
    struct commands *commands;
    struct site_world site, next; /* `next`: after a reload */
    struct fake fake;
    struct adapters_bus bus;
    struct adapters *adapters;
    struct command_reply replies[REPLIES];
    size_t n_replies, wanted;
    struct event last; /* event of a command */
    size_t n_events;
    bool no_confirmation, no_readings; /* what is lost on the way back */
    bool old_reading;                  /* 77, with the confirmation: it was read before */
    int reloads;
};

static void take_event(void *sink, const struct event *event)
{
    struct world *world = sink;
    if (event->type != EVENT_COMMAND)
        return;
    world->last = *event;
    world->n_events++;
}

static const struct sink_calls calls = {.name = "test", .event = take_event};

static void take_poll(void *owner, uint32_t id, const struct sample *samples, size_t count)
{
    struct world *world = owner;
    struct sample mode = sample_text(0, samples[0].at_ms, "auto");
    if (!world->no_readings)
        pipeline_accept(world->pipeline, id, id == 1 ? &mode : samples, id == 1 ? 1 : count);
}

static void take_device(void *owner, uint32_t id, uint8_t why, int64_t at_ms)
{
    struct world *world = owner;
    pipeline_device(world->pipeline, id, why, at_ms);
}

static void take_wrote(void *owner, uint32_t token, uint8_t quality)
{
    struct world *world = owner;
    if (world->no_confirmation)
        return;
    if (!world->old_reading) {
        commands_wrote(world->commands, token, quality);
        return;
    }
    /* A poll of several requests was at it, and ends now. */
    clock_use_fixed(clock_boot_ms(), clock_wall_ms(0));
    struct sample old = sample_number(0, clock_boot_ms(), 77);
    commands_wrote(world->commands, token, quality);
    pipeline_accept(world->pipeline, 0, &old, 1);
    clock_use_system();
}

static const struct adapters_events adapters_events = {
    .poll = take_poll, .device = take_device, .wrote = take_wrote};

static void take_reply(void *owner, const struct command_reply *reply)
{
    struct world *world = owner;
    assert_true(world->n_replies < REPLIES);
    world->replies[world->n_replies++] = *reply;
    if (world->n_replies >= world->wanted)
        loop_stop(world->guard.loop);
}

static void take_reload(void *owner)
{
    struct world *world = owner;
    world->reloads++;
    loop_stop(world->guard.loop);
}

static void use_config(struct world *world, struct site_world *site)
{
    struct site_context context = {.output = &pipeline_rules_output,
                                   .owner = world->pipeline,
                                   .texts = pipeline_texts(world->pipeline)};
    int r = site_world_open(site, config, &context);
    if (problems_line(site->problems, 0))
        fail_msg("%s", problems_line(site->problems, 0));
    assert_int_equal(r, 0);
    assert_int_equal(pipeline_use(world->pipeline, site->site, NULL), 0);
}

static int open_world(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    guard_open(&world->guard);
    world->pipeline = pipeline_new(world->guard.loop);
    world->commands = commands_new(world->guard.loop, world->pipeline, take_reload, world);
    assert_int_equal(pipeline_add_sink(world->pipeline, &commands_sink, world->commands), 0);
    assert_int_equal(pipeline_add_sink(world->pipeline, &calls, world), 0);
    use_config(world, &world->site);
    fake_init(&world->fake, &fake_asked, 2, 3600000);
    world->fake.ids[0] = 0;
    world->fake.ids[1] = 1;
    world->bus = world->fake.plan;
    assert_int_equal(adapters_open(world->guard.loop, &world->bus, 1, &adapters_events, world,
                                   &world->adapters, NULL),
                     0);
    commands_use(world->commands, world->adapters);
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    int r = adapters_close(world->adapters, 20000);
    site_world_close(&world->site);
    if (world->next.problems)
        site_world_close(&world->next);
    commands_free(world->commands);
    pipeline_free(world->pipeline);
    guard_close(&world->guard);
    free(world);
    return r;
}

static struct command make(struct world *world, uint8_t kind, const char *target,
                           const char *argument)
{
    struct command command = {.kind = kind,
                              .origin = COMMAND_VIA_API,
                              .rights = COMMAND_RIGHTS_ALL,
                              .by = "anna",
                              .expires_ms = CLOCK_NEVER,
                              .token = 42,
                              .reply = take_reply,
                              .owner = world};
    text_copy(command.target, sizeof(command.target), target);
    text_copy(command.argument, sizeof(command.argument), argument);
    return command;
}

/* Runs until `count` more are answered. */
static void wait_replies(struct world *world, size_t count)
{
    world->wanted = world->n_replies + count;
    guard_run(&world->guard);
    assert_int_equal(world->n_replies, world->wanted);
}

/* Its one answer, which is the one event, too. */
static const struct command_reply *ask(struct world *world, const struct command *command)
{
    const struct command_reply *reply = &world->replies[world->n_replies];
    size_t before = world->n_events;
    assert_int_equal(command_submit(world->commands, command), 0);
    assert_ptr_equal(reply, &world->replies[world->n_replies]); /* never from inside */
    wait_replies(world, 1);
    assert_int_equal(world->n_events, before + 1);
    assert_string_equal(world->last.result, command_result_name(reply->result));
    assert_string_equal(world->last.by, command->by);
    assert_string_equal(world->last.via, command_origin_name(command->origin));
    assert_string_equal(reply->target, command->target);
    assert_true(reply->token == 42);
    assert_int_equal(reply->kind, command->kind);
    return reply;
}

static const struct command_reply *ask_for(struct world *world, uint8_t kind, const char *target,
                                           const char *argument)
{
    struct command command = make(world, kind, target, argument);
    return ask(world, &command);
}

static const struct command_reply *ask_write(struct world *world, const char *target,
                                             const char *value)
{
    return ask_for(world, COMMAND_WRITE, target, value);
}

static void refuses(struct world *world, const char *target, const char *value, const char *words)
{
    const struct command_reply *reply = ask_write(world, target, value);
    assert_int_equal(reply->result, COMMAND_REFUSED);
    assert_string_equal(reply->words, words);
    assert_false(reply->has_value);
    assert_null(strchr(world->fake.trace, 'w'));
}

static void a_rescan_looks_for_devices_at_once(void **state)
{
    struct world *world = *state;
    assert_int_equal(ask_for(world, COMMAND_RESCAN, "", "")->result, COMMAND_OK);
    assert_non_null(strstr(world->fake.trace, "look"));
    commands_use(world->commands, NULL);
    assert_int_equal(ask_for(world, COMMAND_RESCAN, "", "")->result, COMMAND_REFUSED);
}

/* -- writes ---------------------------------------------------------------------------------- */

static void a_write_that_is_read_back_the_same_is_ok(void **state)
{
    struct world *world = *state;
    const struct command_reply *reply = ask_write(world, "d.v", "0");
    assert_int_equal(reply->result, COMMAND_OK);
    assert_true(reply->has_value && reply->value == 0);
    assert_string_equal(reply->words, "");
    assert_non_null(strstr(world->fake.trace, "w0.0=0 "));
    assert_true(commands_idle(world->commands));
}

static void a_word_is_a_value_too(void **state)
{
    struct world *world = *state;
    assert_int_equal(ask_write(world, "d.w", "ON")->result, COMMAND_OK);
    assert_non_null(strstr(world->fake.trace, "w0.1=1 "));
}

static void another_value_read_back_differs(void **state)
{
    struct world *world = *state;
    const struct command_reply *reply = ask_write(world, "d.v", "5");
    assert_int_equal(reply->result, COMMAND_DIFFERS);
    assert_true(reply->has_value && reply->value == 0);
}

static void what_was_read_before_the_write_is_not_what_was_written(void **state)
{
    struct world *world = *state;
    world->old_reading = true;
    assert_int_equal(ask_write(world, "d.v", "0")->result, COMMAND_OK);
}

static void what_may_not_be_written_is_refused_and_not_sent(void **state)
{
    struct world *world = *state;
    refuses(world, "d.r", "1", "d.r is not writable: set `writable = true` in the config");
    refuses(world, "d.v", "-10.5", "-10.5 is outside -10 to 100");
    refuses(world, "d.v", "100.5", "100.5 is outside -10 to 100");
    refuses(world, "d.v", "0.7", "0.7 is no whole step of 0.5");
    refuses(world, "d.none", "1", "there is no such sensor");
    refuses(world, "d.v", "warm", "this is no value: write a number, ON or OFF");
    refuses(world, "d.v", "", "this is no value: write a number, ON or OFF");
    refuses(world, "d.v", "nan", "this is no value: write a number, ON or OFF");
    refuses(world, "d.w", "inf", "this is no value: write a number, ON or OFF");
}

static void an_enumeration_is_written_by_its_text(void **state)
{
    struct world *world = *state;
    const struct command_reply *reply = ask_write(world, "m.mode", "auto");
    assert_int_equal(reply->result, COMMAND_OK);
    assert_false(reply->has_value);
    assert_string_equal(reply->text, "auto");
    assert_non_null(strstr(world->fake.trace, "w1.0=4 "));
    assert_int_equal(world->last.kind, VALUE_TEXT);
    assert_string_equal(text_table_get(pipeline_texts(world->pipeline), world->last.text), "auto");
    assert_string_equal(world->last.note, "write m.mode auto");
}

static void another_text_read_back_differs(void **state)
{
    struct world *world = *state;
    const struct command_reply *reply = ask_write(world, "m.mode", "off");
    assert_int_equal(reply->result, COMMAND_DIFFERS);
    assert_string_equal(reply->text, "auto");
    assert_non_null(strstr(world->fake.trace, "w1.0=0 "));
}

static void an_unknown_text_is_refused_with_those_there_are(void **state)
{
    struct world *world = *state;
    refuses(world, "m.mode", "on", "this is none of its values: write auto, off");
    refuses(world, "m.mode", "4", "this is none of its values: write auto, off");
    refuses(world, "m.seen", "off", "m.seen is not writable: set `writable = true` in the config");
}

static void of_those_that_wait_only_the_newest_is_written(void **state)
{
    struct world *world = *state;
    static const char *const values[] = {"5", "7", "0"};
    for (uint64_t i = 0; i < 3; i++) {
        struct command command = make(world, COMMAND_WRITE, "d.v", values[i]);
        command.token = i;
        assert_int_equal(command_submit(world->commands, &command), 0);
    }
    wait_replies(world, 3);
    assert_int_equal(world->replies[0].token, 1);
    assert_int_equal(world->replies[0].result, COMMAND_SUPERSEDED);
    assert_int_equal(world->replies[1].token, 0);
    assert_int_equal(world->replies[1].result, COMMAND_DIFFERS);
    assert_int_equal(world->replies[2].token, 2);
    assert_int_equal(world->replies[2].result, COMMAND_OK);
    assert_null(strstr(world->fake.trace, "w0.0=7 "));
    assert_int_equal(world->n_events, 3);
}

static void channels_do_not_supersede_each_other(void **state)
{
    struct world *world = *state;
    struct command v = make(world, COMMAND_WRITE, "d.v", "0");
    struct command w = make(world, COMMAND_WRITE, "d.w", "1");
    assert_int_equal(command_submit(world->commands, &v), 0);
    assert_int_equal(command_submit(world->commands, &w), 0);
    wait_replies(world, 2);
    assert_int_equal(world->replies[0].result, COMMAND_OK);
    assert_int_equal(world->replies[1].result, COMMAND_OK);
}

static void a_device_that_reports_a_failure_is_told(void **state)
{
    struct world *world = *state;
    world->fake.quality[0] = QUALITY_TIMEOUT;
    assert_int_equal(ask_write(world, "d.v", "0")->result, COMMAND_TIMEOUT);
    world->fake.quality[0] = QUALITY_CRC;
    assert_int_equal(ask_write(world, "d.v", "0")->result, COMMAND_REFUSED);
    world->fake.quality[0] = QUALITY_GOOD;
    assert_int_equal(ask_write(world, "d.v", "0")->result, COMMAND_OK);
}

static void what_is_not_read_back_within_two_seconds_is_a_timeout(void **state)
{
    struct world *world = *state;
    int64_t start_ms = clock_boot_ms();
    const struct command_reply *reply;
    world->no_readings = true;
    reply = ask_write(world, "d.v", "0");
    assert_int_equal(reply->result, COMMAND_TIMEOUT);
    assert_false(reply->has_value);
    assert_true(clock_boot_ms() - start_ms >= 2000);
}

static void a_device_that_says_nothing_is_given_up(void **state)
{
    struct world *world = *state;
    const struct command_reply *reply;
    world->no_confirmation = true;
    reply = ask_write(world, "d.v", "0");
    assert_int_equal(reply->result, COMMAND_TIMEOUT);
    assert_string_equal(reply->words, "the device does not answer");
    assert_true(commands_idle(world->commands));
}

static void without_adapters_a_write_is_refused(void **state)
{
    struct world *world = *state;
    commands_use(world->commands, NULL);
    refuses(world, "d.v", "0", "the gateway is stopping");
}

static void another_inventory_ends_what_is_under_way(void **state)
{
    struct world *world = *state;
    struct command command = make(world, COMMAND_WRITE, "d.v", "0");
    struct command reload = make(world, COMMAND_RELOAD, "", "");
    assert_int_equal(command_submit(world->commands, &command), 0);
    assert_int_equal(command_submit(world->commands, &reload), 0);
    world->no_confirmation = true;
    guard_run(&world->guard); /* until the reload */
    assert_false(commands_idle(world->commands));
    world->wanted = SIZE_MAX;
    use_config(world, &world->next);
    assert_int_equal(world->n_replies, 1);
    assert_int_equal(world->replies[0].result, COMMAND_TIMEOUT);
    assert_true(commands_idle(world->commands));
    commands_reloaded(world->commands, true, "");
}

static void held_writes_are_refused_and_the_safe_values_are_not(void **state)
{
    struct world *world = *state;

    commands_hold(world->commands, "not today");
    refuses(world, "d.w", "1", "not today");
    assert_true(commands_write_safe(world->commands));
    assert_false(commands_idle(world->commands));
}

static void the_safe_values_are_written_at_a_stop(void **state)
{
    struct world *world = *state;
    struct command command = make(world, COMMAND_WRITE, "d.w", "1");
    assert_true(commands_write_safe(world->commands));
    assert_false(commands_idle(world->commands));
    assert_int_equal(command_submit(world->commands, &command), 0);
    wait_replies(world, 1);
    assert_true(commands_idle(world->commands));
    assert_non_null(strstr(world->fake.trace, "w0.0=0 "));
    assert_int_equal(world->n_events, 2);
}

/* -- rights and the rest --------------------------------------------------------------------- */

static uint8_t result_with(struct world *world, uint8_t kind, uint8_t rights)
{
    struct command command =
        make(world, kind, kind == COMMAND_WRITE ? "d.v" : "hot", kind == COMMAND_WRITE ? "0" : "");
    command.rights = rights;
    return ask(world, &command)->result;
}

static void an_origin_may_do_what_its_rights_allow(void **state)
{
    struct world *world = *state;
    assert_int_equal(result_with(world, COMMAND_MUTE, COMMAND_RIGHTS_NONE), COMMAND_REFUSED);
    assert_int_equal(result_with(world, COMMAND_WRITE, COMMAND_RIGHTS_NONE), COMMAND_REFUSED);
    assert_int_equal(result_with(world, COMMAND_MUTE, COMMAND_RIGHTS_ACK), COMMAND_OK);
    assert_int_equal(result_with(world, COMMAND_UNMUTE, COMMAND_RIGHTS_ACK), COMMAND_OK);
    assert_int_equal(result_with(world, COMMAND_WRITE, COMMAND_RIGHTS_ACK), COMMAND_REFUSED);
    assert_int_equal(result_with(world, COMMAND_DISABLE, COMMAND_RIGHTS_ACK), COMMAND_REFUSED);
    assert_int_equal(result_with(world, COMMAND_RESET, COMMAND_RIGHTS_ACK), COMMAND_REFUSED);
    assert_null(strchr(world->fake.trace, 'w'));
    assert_int_equal(result_with(world, COMMAND_DISABLE, COMMAND_RIGHTS_ALL), COMMAND_OK);
    assert_int_equal(result_with(world, COMMAND_RESET, COMMAND_RIGHTS_ALL), COMMAND_OK);
    assert_int_equal(result_with(world, COMMAND_WRITE, COMMAND_RIGHTS_ALL), COMMAND_OK);
}

static void a_command_that_comes_too_late_is_not_done(void **state)
{
    struct world *world = *state;
    struct command command = make(world, COMMAND_WRITE, "d.v", "0");
    command.expires_ms = clock_boot_ms() - 1;
    assert_int_equal(ask(world, &command)->result, COMMAND_REFUSED);
    assert_null(strchr(world->fake.trace, 'w'));
}

static void a_command_that_was_given_already_is_not_done_again(void **state)
{
    struct world *world = *state;
    struct command command = make(world, COMMAND_WRITE, "d.v", "0");
    text_copy(command.id, sizeof(command.id), "7f");
    assert_string_equal(ask(world, &command)->id, "7f");
    assert_int_equal(ask(world, &command)->result, COMMAND_REFUSED);
    command.id[0] = 'x';
    assert_int_equal(ask(world, &command)->result, COMMAND_OK);
}

static void an_unknown_kind_is_refused(void **state)
{
    struct world *world = *state;
    enum command_kind kind;
    assert_int_equal(ask_for(world, COMMAND_KINDS, "d.v", "0")->result, COMMAND_REFUSED);
    assert_int_equal(ask_for(world, 255, "d.v", "0")->result, COMMAND_REFUSED);
    assert_false(command_kind_parse("explode", &kind));
    assert_true(command_kind_parse("standby", &kind));
    assert_int_equal(kind, COMMAND_STANDBY);
}

static void orders_that_make_no_sense_are_refused(void **state)
{
    struct world *world = *state;
    assert_int_equal(ask_for(world, COMMAND_MUTE, "hot", "long")->result, COMMAND_REFUSED);
    assert_int_equal(ask_for(world, COMMAND_MUTE, "cold", "1h")->result, COMMAND_REFUSED);
    assert_int_equal(ask_for(world, COMMAND_LIMIT, "hot", "above")->result, COMMAND_REFUSED);
    assert_int_equal(ask_for(world, COMMAND_LIMIT, "hot", "=5")->result, COMMAND_REFUSED);
    assert_int_equal(ask_for(world, COMMAND_STANDBY, "e", "")->result, COMMAND_REFUSED);
    assert_int_equal(ask_for(world, COMMAND_STANDBY, "d", "1h")->result, COMMAND_OK);
    assert_int_equal(ask_for(world, COMMAND_RESUME, "d", "")->result, COMMAND_OK);
}

/* By what a rule reads, whatever its own sensor is. */
static void standby_mutes_every_rule_that_reads_the_device(void **state)
{
    struct world *world = *state;
    const struct rules *rules = world->site.site->rules;
    uint32_t of_two = rules_find(rules, "both");
    assert_int_equal(rules_info(rules, of_two).sensor, RULES_NO_SENSOR);
    assert_int_equal(ask_for(world, COMMAND_STANDBY, "d", "1h")->result, COMMAND_OK);
    assert_true(rules_status(rules, of_two).muted);
    assert_true(rules_status(rules, rules_find(rules, "hot")).muted);
    assert_true(rules_status(rules, rules_find(rules, "away")).muted);
    assert_true(rules_status(rules, rules_find(rules, "twice")).muted); /* derived of derived */
    assert_false(rules_status(rules, rules_find(rules, "disk")).muted);
    assert_int_equal(ask_for(world, COMMAND_RESUME, "d", "")->result, COMMAND_OK);
    assert_false(rules_status(rules, of_two).muted);
    assert_int_equal(ask_for(world, COMMAND_STANDBY, "d", "")->result, COMMAND_OK); /* two hours */
    assert_in_range(rules_status(rules, of_two).muted_until_ms - clock_boot_ms(), 7100000, 7200000);
}

static void one_reload_answers_all_who_asked(void **state)
{
    struct world *world = *state;
    struct command command = make(world, COMMAND_RELOAD, "", "");
    assert_int_equal(command_submit(world->commands, &command), 0);
    assert_int_equal(command_submit(world->commands, &command), 0);
    guard_run(&world->guard);
    assert_int_equal(world->reloads, 1);
    assert_int_equal(world->n_replies, 0);
    commands_reloaded(world->commands, false, "line 3 is wrong");
    assert_int_equal(world->n_replies, 2);
    assert_int_equal(world->replies[1].result, COMMAND_REFUSED);
    assert_string_equal(world->replies[1].words, "line 3 is wrong");
}

static void one_too_many_is_told_to_whoever_asks(void **state)
{
    struct world *world = *state;
    struct command command = make(world, COMMAND_UNMUTE, "none", "");
    for (int i = 0; i < COMMANDS_MAX; i++)
        assert_int_equal(command_submit(world->commands, &command), 0);
    assert_int_equal(command_submit(world->commands, &command), -ENOBUFS);
    wait_replies(world, COMMANDS_MAX);
}

#define COMMAND_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COMMAND_TEST(a_write_that_is_read_back_the_same_is_ok),
        COMMAND_TEST(a_word_is_a_value_too),
        COMMAND_TEST(another_value_read_back_differs),
        COMMAND_TEST(what_was_read_before_the_write_is_not_what_was_written),
        COMMAND_TEST(what_may_not_be_written_is_refused_and_not_sent),
        COMMAND_TEST(an_enumeration_is_written_by_its_text),
        COMMAND_TEST(another_text_read_back_differs),
        COMMAND_TEST(an_unknown_text_is_refused_with_those_there_are),
        COMMAND_TEST(of_those_that_wait_only_the_newest_is_written),
        COMMAND_TEST(channels_do_not_supersede_each_other),
        COMMAND_TEST(a_device_that_reports_a_failure_is_told),
        COMMAND_TEST(what_is_not_read_back_within_two_seconds_is_a_timeout),
        COMMAND_TEST(a_device_that_says_nothing_is_given_up),
        COMMAND_TEST(without_adapters_a_write_is_refused),
        COMMAND_TEST(another_inventory_ends_what_is_under_way),
        COMMAND_TEST(held_writes_are_refused_and_the_safe_values_are_not),
        COMMAND_TEST(the_safe_values_are_written_at_a_stop),
        COMMAND_TEST(an_origin_may_do_what_its_rights_allow),
        COMMAND_TEST(a_command_that_comes_too_late_is_not_done),
        COMMAND_TEST(a_command_that_was_given_already_is_not_done_again),
        COMMAND_TEST(an_unknown_kind_is_refused),
        COMMAND_TEST(orders_that_make_no_sense_are_refused),
        COMMAND_TEST(standby_mutes_every_rule_that_reads_the_device),
        COMMAND_TEST(a_rescan_looks_for_devices_at_once),
        COMMAND_TEST(one_reload_answers_all_who_asked),
        COMMAND_TEST(one_too_many_is_told_to_whoever_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
