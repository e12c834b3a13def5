/* The pump, on a real store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/pump.h"
#include "tests/unit/store_door.h"

/* Who takes the messages: at most `room` of them. */
struct target {
    size_t room, taken, refused, wanted;
    int64_t rows[200];
    char texts[200][32];
};

static int take(void *self, int64_t row, const void *payload, size_t size)
{
    struct target *target = self;
    if (target->taken >= target->room) {
        target->refused++;
        return -ENOBUFS;
    }
    assert_true(target->taken < 200);
    target->rows[target->taken] = row;
    snprintf(target->texts[target->taken++], 32, "%.*s", (int)size, (const char *)payload);
    return 0;
}

static bool has_enough(void *owner)
{
    struct target *target = owner;
    return target->taken >= target->wanted;
}

static bool was_refused(void *owner)
{
    return ((struct target *)owner)->refused > 0;
}

static void wait_taken(struct world *world, struct target *target, size_t wanted)
{
    target->wanted = wanted;
    assert_true(world_run(world->loop, has_enough, target, WORLD_PATIENCE_MS));
}

static void commit_many(struct world *world, uint64_t count)
{
    open_store(world);
    for (uint64_t i = 1; i <= count; i++)
        commit(world, i, "fired");
    wait_told(world, count);
}

static struct pump *open_pump(struct world *world, struct target *target)
{
    struct pump *pump = pump_new(world->loop, world->store, "mqtt", take, target);
    assert_non_null(pump);
    pump_run(pump);
    return pump;
}

static bool outbox_is_empty(struct world *world)
{
    read_outbox(world, "mqtt", STORE_OUTBOX_FIRST, 10);
    return world->count == 0;
}

static void messages_go_in_the_order_of_their_commits(void **state)
{
    struct world *world = *state;
    struct target target = {.room = SIZE_MAX};
    struct pump *pump;
    char text[32];
    commit_many(world, 20);
    pump = open_pump(world, &target);
    wait_taken(world, &target, 20);
    commit(world, 21, "fired");
    wait_told(world, 21);
    pump_run(pump);
    wait_taken(world, &target, 21);
    for (int i = 0; i < 21; i++) {
        snprintf(text, sizeof(text), "fired %d", i + 1);
        assert_string_equal(target.texts[i], text);
    }
    pump_free(pump);
}

static void what_an_earlier_run_left_goes_first(void **state)
{
    struct world *world = *state;
    struct target target = {.room = SIZE_MAX};
    struct pump *pump;
    commit_many(world, 1);
    reopen(world);
    commit(world, 2, "fired");
    wait_told(world, 2);
    pump = open_pump(world, &target);
    wait_taken(world, &target, 2);
    assert_string_equal(target.texts[0], "fired 1");
    assert_string_equal(target.texts[1], "fired 2");
    pump_free(pump);
}

static void a_full_target_is_offered_the_same_message_again(void **state)
{
    struct world *world = *state;
    struct target target = {.room = 2};
    struct pump *pump;
    commit_many(world, 4);
    pump = open_pump(world, &target);
    assert_true(world_run(world->loop, was_refused, &target, WORLD_PATIENCE_MS));
    assert_int_equal(target.taken, 2);
    target.room = SIZE_MAX;
    wait_taken(world, &target, 4);
    assert_int_equal(target.refused, 1);
    assert_string_equal(target.texts[2], "fired 3");
    assert_string_equal(target.texts[3], "fired 4");
    pump_free(pump);
}

static void no_more_than_a_window_is_under_way(void **state)
{
    struct world *world = *state;
    struct target target = {.room = SIZE_MAX};
    struct pump *pump;
    commit_many(world, 70);
    pump = open_pump(world, &target);
    wait_taken(world, &target, 64);
    read_outbox(world, "mqtt", STORE_OUTBOX_FIRST, 100); /* a turn of the store later */
    assert_int_equal(target.taken, 64);
    for (size_t i = 0; i < 64; i++)
        pump_done(pump, target.rows[i]);
    wait_taken(world, &target, 70);
    assert_string_equal(target.texts[64], "fired 65");
    assert_string_equal(target.texts[69], "fired 70");
    pump_free(pump);
}

static void what_has_arrived_leaves_the_outbox(void **state)
{
    struct world *world = *state;
    struct target target = {.room = SIZE_MAX};
    struct pump *pump;
    int64_t until_ms = clock_boot_ms() + WORLD_PATIENCE_MS;
    commit_many(world, 2);
    pump = open_pump(world, &target);
    wait_taken(world, &target, 2);
    assert_false(outbox_is_empty(world));
    pump_done(pump, target.rows[0]);
    pump_done(pump, target.rows[1]);
    while (!outbox_is_empty(world))
        assert_true(clock_boot_ms() < until_ms);
    assert_int_equal(target.taken, 2);
    pump_free(pump);
}

static void a_pump_may_be_freed_with_its_question_open(void **state)
{
    struct world *world = *state;
    struct target target = {.room = SIZE_MAX};
    commit_many(world, 2);
    pump_free(open_pump(world, &target));
    assert_false(outbox_is_empty(world)); /* the question before it has been answered, too */
    assert_int_equal(target.taken, 0);
    pump_free(open_pump(world, &target)); /* this one is answered when the store closes */
    pump_free(NULL);
}

#define PUMP_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PUMP_TEST(messages_go_in_the_order_of_their_commits),
        PUMP_TEST(what_an_earlier_run_left_goes_first),
        PUMP_TEST(a_full_target_is_offered_the_same_message_again),
        PUMP_TEST(no_more_than_a_window_is_under_way),
        PUMP_TEST(what_has_arrived_leaves_the_outbox),
        PUMP_TEST(a_pump_may_be_freed_with_its_question_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
