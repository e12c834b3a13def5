#include "gateway/core/hold.h"

#include "gateway/core/sink.h"
#include "tests/unit/loop_guard.h"
#include "tests/unit/site_world.h"

#include <stdlib.h>

static const char config[] = "buses: { sim: { adapter = \"sim\" } }\n"
                             "devices: { d: { bus = \"sim\"; channels: {\n"
                             "  v: { writable = true }\n"
                             "  w: { writable = true; precision = 1 }\n"
                             "  r: { } } } }\n"
                             "rules: { hot: { sensor = \"d.r\"; above = 50 } }\n";
enum { V, W };

#define COMMANDS 8

struct world {
    struct guard guard;
    struct site_world site;
    struct holds *holds;
    struct command commands[COMMANDS];
    size_t n_commands, wanted;
    bool full;
};

static int take(void *owner, const struct command *command)
{
    struct world *world = owner;
    if (world->full)
        return -ENOBUFS;
    assert_true(world->n_commands < COMMANDS);
    world->commands[world->n_commands++] = *command;
    if (world->n_commands == world->wanted)
        loop_stop(world->guard.loop);
    return 0;
}

static int open_world(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    guard_open(&world->guard);
    site_world_good(&world->site, config);
    world->holds = holds_new(world->guard.loop, take, world);
    assert_non_null(world->holds);
    holds_use(world->holds, world->site.site->inventory);
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    holds_free(world->holds);
    site_world_close(&world->site);
    guard_close(&world->guard);
    free(world);
    return 0;
}

static void put(struct world *world, uint32_t sensor, double number, bool held, uint8_t event)
{
    struct rule_action action = {
        .kind = ACTION_WRITE, .event = event, .sensor = sensor, .number = number, .held = held};
    assert_int_equal(holds_put(world->holds, &action), 0);
}

/* The i-th command gets its answer. */
static void answer(struct world *world, size_t i, uint8_t result)
{
    const struct command *command = &world->commands[i];
    struct command_reply reply = {.token = command->token, .result = result};
    assert_true(i < world->n_commands);
    command->reply(command->owner, &reply);
}

static void read_value(struct world *world, uint32_t sensor, double number)
{
    struct reading reading = {
        .at_ms = clock_boot_ms(), .sensor = sensor, .kind = VALUE_NUMBER, .number = number};
    holds_on_readings(world->holds, &reading, 1);
}

static void read_text(struct world *world, uint32_t sensor, const char *text)
{
    struct reading reading = {.at_ms = clock_boot_ms(),
                              .sensor = sensor,
                              .kind = VALUE_TEXT,
                              .text = text_table_add(world->site.texts, text)};
    holds_on_readings(world->holds, &reading, 1);
}

static void wait_for(struct world *world, size_t count)
{
    world->wanted = count;
    if (world->n_commands < count)
        guard_run(&world->guard);
    assert_int_equal(world->n_commands, count);
}

static void turn(struct world *world, uint8_t state, bool blind)
{
    struct instance_state now = {.state = state, .blind = blind};
    holds_on_instance(world->holds, &now);
}

static void a_write_goes_out_at_once_in_the_name_of_its_rule(void **state)
{
    struct world *world = *state;
    put(world, V, 2.5, false, RULE_EVENT_FIRED);
    assert_int_equal(world->n_commands, 1);
    assert_string_equal(world->commands[0].target, "d.v");
    assert_string_equal(world->commands[0].argument, "2.5");
    assert_string_equal(world->commands[0].by, "hot");
    assert_int_equal(world->commands[0].origin, COMMAND_VIA_RULE);
    assert_false(world->commands[0].again);
}

static void what_failed_is_tried_again_with_a_pause(void **state)
{
    struct world *world = *state;
    int64_t from_ms = clock_boot_ms();
    put(world, V, 1, false, RULE_EVENT_FIRED);
    answer(world, 0, COMMAND_TIMEOUT);
    wait_for(world, 2);
    assert_true(clock_boot_ms() - from_ms >= 1000);
    assert_true(world->commands[1].again);
    answer(world, 1, COMMAND_OK);
    read_value(world, V, 0); /* it was done once, and that was all */
    assert_int_equal(world->n_commands, 2);
    turn(world, RULE_OK, false);
}

static void it_is_tried_no_more_when_the_state_is_over(void **state)
{
    struct world *world = *state;
    put(world, V, 1, false, RULE_EVENT_FIRED);
    put(world, W, 1, false, RULE_EVENT_CLEARED);
    turn(world, RULE_OK, false);
    answer(world, 0, COMMAND_TIMEOUT);
    answer(world, 1, COMMAND_TIMEOUT);
    wait_for(world, 3);
    assert_string_equal(world->commands[2].target, "d.w");
    put(world, V, 1, false, RULE_EVENT_BLIND);
    turn(world, RULE_OK, true);
    holds_on_device(world->holds, 0); /* asks only what waits */
    assert_int_equal(world->n_commands, 4);
}

static void the_newest_wish_alone_counts(void **state)
{
    struct world *world = *state;
    put(world, V, 1, true, RULE_EVENT_FIRED);
    put(world, V, 0, true, RULE_EVENT_CLEARED);
    answer(world, 0, COMMAND_OK); /* of the one before: no answer to this one */
    answer(world, 1, COMMAND_OK);
    read_value(world, V, 0);
    assert_int_equal(world->n_commands, 2);
}

static void a_held_value_is_written_anew_when_another_is_read(void **state)
{
    struct world *world = *state;
    put(world, W, 20, true, RULE_EVENT_FIRED);
    answer(world, 0, COMMAND_OK);
    read_value(world, W, 20.04); /* as far as the channel can show it */
    read_value(world, W, 25);
    wait_for(world, 2);
    assert_string_equal(world->commands[1].argument, "20");
    assert_false(world->commands[1].again);
}

static void a_held_value_is_written_anew_when_the_device_is_back(void **state)
{
    struct world *world = *state;
    put(world, V, 1, true, RULE_EVENT_FIRED);
    answer(world, 0, COMMAND_OK);
    holds_on_device(world->holds, 0);
    wait_for(world, 2);
}

static void what_was_held_before_is_written_only_when_it_differs(void **state)
{
    struct world *world = *state;
    struct rule_action action = {.kind = ACTION_WRITE,
                                 .event = RULE_EVENT_CLEARED,
                                 .sensor = V,
                                 .held = true,
                                 .take_up = true};
    assert_int_equal(holds_put(world->holds, &action), 0);
    read_value(world, V, 0);
    assert_int_equal(world->n_commands, 0);
    read_value(world, V, 1);
    wait_for(world, 1);
    assert_string_equal(world->commands[0].argument, "0");
}

static void a_person_ends_it(void **state)
{
    struct world *world = *state;
    put(world, V, 1, true, RULE_EVENT_FIRED);
    answer(world, 0, COMMAND_OK);
    assert_true(holds_drop(world->holds, V));
    assert_false(holds_drop(world->holds, V));
    read_value(world, V, 0);
    holds_on_device(world->holds, 0);
    assert_int_equal(world->n_commands, 1);
}

static void a_held_text_is_written_anew_when_another_is_read(void **state)
{
    struct world *world = *state;
    struct rule_action action = {
        .kind = ACTION_WRITE, .sensor = V, .text = "auto", .held = true, .event = RULE_EVENT_FIRED};
    assert_int_equal(holds_put(world->holds, &action), 0);
    answer(world, 0, COMMAND_OK);
    read_text(world, V, "auto"); /* as it is to be */
    read_text(world, V, "off");
    wait_for(world, 2);
    assert_string_equal(world->commands[1].argument, "auto");
    assert_false(world->commands[1].again);
}

static void when_too_many_wait_it_is_tried_later(void **state)
{
    struct world *world = *state;
    world->full = true;
    put(world, V, 1, false, RULE_EVENT_FIRED);
    world->full = false;
    wait_for(world, 1);
}

static void a_reload_keeps_one_time_writes_and_leaves_holds_to_the_rules(void **state)
{
    struct world *world = *state;
    put(world, V, 1, false, RULE_EVENT_FIRED);
    put(world, W, 1, true, RULE_EVENT_FIRED);
    answer(world, 0, COMMAND_TIMEOUT);
    answer(world, 1, COMMAND_OK);
    holds_use(world->holds, world->site.site->inventory);
    holds_on_device(world->holds, 0);
    wait_for(world, 3);
    assert_string_equal(world->commands[2].target, "d.v");
}

static void a_sensor_that_is_not_there_is_no_wish(void **state)
{
    struct world *world = *state;
    struct rule_action action = {.kind = ACTION_WRITE, .sensor = 1000};
    assert_int_equal(holds_put(world->holds, &action), -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_write_goes_out_at_once_in_the_name_of_its_rule),
        TEST(what_failed_is_tried_again_with_a_pause),
        TEST(it_is_tried_no_more_when_the_state_is_over),
        TEST(the_newest_wish_alone_counts),
        TEST(a_held_value_is_written_anew_when_another_is_read),
        TEST(a_held_text_is_written_anew_when_another_is_read),
        TEST(a_held_value_is_written_anew_when_the_device_is_back),
        TEST(what_was_held_before_is_written_only_when_it_differs),
        TEST(a_person_ends_it),
        TEST(when_too_many_wait_it_is_tried_later),
        TEST(a_reload_keeps_one_time_writes_and_leaves_holds_to_the_rules),
        TEST(a_sensor_that_is_not_there_is_no_wish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
