/* Latch and cooldown, and what a rule is without a condition. */
#include "tests/unit/rules_order_world.h"

#define OF(keys)                                                                         \
    "rules: { a: { sensor = \"room.temp\"; above = 1; message = \"m\"; clear_message = " \
    "\"c\"; " keys " } }"

static void open_world(struct world *world, const char *config)
{
    assert_int_equal(world_open(world, config), 0);
}

static void save_and_open(struct world *world, const char *config, int64_t saved_ms, int64_t now_ms)
{
    char text[RULES_SAVED_SIZE];
    rules_save(world->rules, 0, saved_ms, CLOCK_NEVER, text);
    world_close(world);
    open_world(world, config);
    assert_int_equal(rules_restore(world->rules, "a", text, now_ms, CLOCK_NEVER), 0);
}

static void a_latch_holds_until_it_is_acknowledged(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, OF("latch = true"));
    assert_true(rules_info(w.rules, 0).ack);
    world_poll(&w, 0, TEMP, 2);
    world_poll(&w, 1000, TEMP, 0);
    world_expect(&w, "0 a ok>firing 1 | m\n");
    world_do(&w, 2000, ORDER_ACK, "a");
    world_expect(&w, "2000 a acked by anna\n2000 a firing>ok 1 | c\n");
    world_close(&w);
}

static void a_latch_holds_until_it_is_over(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, OF("latch = true"));
    world_poll(&w, 0, TEMP, 2);
    world_do(&w, 1000, ORDER_ACK, "a");
    w.length = 0;
    world_poll(&w, 2000, TEMP, 3);
    world_expect(&w, "");
    world_poll(&w, 3000, TEMP, 0);
    world_expect(&w, "3000 a firing>ok 1 | c\n");
    world_close(&w);
}

static void what_is_held_by_a_latch_is_one_firing(void **state)
{
    (void)state;
    struct world w;
    const char *config = OF("latch = true; keep_for = \"5s\"");
    open_world(&w, config);
    world_poll(&w, 0, TEMP, 2);
    world_poll(&w, 1000, TEMP, 0);
    world_poll(&w, 6000, TEMP, 0);
    world_poll(&w, 7000, TEMP, 2);
    world_expect(&w, "0 a ok>firing 1 | m\n1000 a firing>recovering 1\n"
                     "6000 a recovering>firing 1\n");
    world_poll(&w, 8000, TEMP, 0);
    world_poll(&w, 13000, TEMP, 0);
    w.length = 0;
    save_and_open(&w, config, 20000, 500);
    world_poll(&w, 600, TEMP, 0);
    world_expect(&w, "");
    world_do(&w, 700, ORDER_ACK, "a");
    world_expect(&w, "700 a acked by anna\n700 a firing>ok 1 | c\n");
    world_close(&w);
}

static void after_its_end_it_cools_down(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, OF("cooldown = \"20s\""));
    world_poll(&w, 0, TEMP, 2);
    world_poll(&w, 1000, TEMP, 0);
    w.length = 0;
    world_poll(&w, 5000, TEMP, 2);
    world_poll(&w, 10000, TEMP, 0);
    world_poll(&w, 15000, TEMP, 2);
    rules_on_time(w.rules, 30000);
    world_expect(&w, "5000 a ok>pending 1\n10000 a pending>ok 1\n15000 a ok>pending 1\n"
                     "21000 a pending>firing 1 | m\n");
    world_close(&w);
}

static void for_runs_while_it_cools_down(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, OF("cooldown = \"20s\"; for = \"10s\""));
    world_poll(&w, 0, TEMP, 2);
    world_poll(&w, 10000, TEMP, 2);
    world_poll(&w, 11000, TEMP, 0);
    w.length = 0;
    world_poll(&w, 12000, TEMP, 2);
    world_poll(&w, 23000, TEMP, 2);
    rules_on_time(w.rules, 31000);
    world_expect(&w, "12000 a ok>pending 1\n31000 a pending>firing 1 | m\n");
    world_close(&w);
}

static void time_in_which_the_gateway_was_down_cools_nothing(void **state)
{
    (void)state;
    struct world w;
    const char *config = OF("cooldown = \"20s\"");
    open_world(&w, config);
    world_poll(&w, 0, TEMP, 2);
    world_poll(&w, 1000, TEMP, 0);
    w.length = 0;
    save_and_open(&w, config, 6000, 1000000);
    world_poll(&w, 1001000, TEMP, 2);
    rules_on_time(w.rules, 1015000);
    world_expect(&w, "1001000 a ok>pending 1\n1015000 a pending>firing 1 | m\n");
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_latch_holds_until_it_is_acknowledged),
        cmocka_unit_test(a_latch_holds_until_it_is_over),
        cmocka_unit_test(what_is_held_by_a_latch_is_one_firing),
        cmocka_unit_test(after_its_end_it_cools_down),
        cmocka_unit_test(for_runs_while_it_cools_down),
        cmocka_unit_test(time_in_which_the_gateway_was_down_cools_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
