#include "gateway/base/loop.h"

#include "tests/unit/loop_probe.h"

#include <stdbool.h>
#include <stdlib.h>

/* -- timers -------------------------------------------------------------------------------------
 */

static void a_timer_never_fires_early(void **state)
{
    enum { N = 300 };
    struct guard *world = *state;
    struct probe *probes = calloc(N, sizeof(*probes));
    int64_t now_ms = clock_boot_ms();
    for (int i = 0; i < N; i++)
        probe_open(&probes[i], world, now_ms + i * 37 % 100, false);
    probes[0].stops = true;
    timer_at(probes[0].timer, probes[0].at_ms = now_ms + 120);
    guard_run(world);
    for (int i = 0; i < N; i++) {
        assert_int_equal(probes[i].fired, 1);
        assert_true(probes[i].fired_us >= probes[i].at_ms * 1000);
        timer_free(probes[i].timer);
    }
    free(probes);
}

static void timers_fire_in_the_order_of_their_times(void **state)
{
    struct guard *world = *state;
    struct probe probes[3];
    int64_t now_ms = clock_boot_ms();
    int order = 0;
    probe_open(&probes[0], world, now_ms + 30, true);
    probe_open(&probes[1], world, now_ms + 10, false);
    probe_open(&probes[2], world, now_ms + 20, false);
    for (int i = 0; i < 3; i++)
        probes[i].order = &order;
    guard_run(world);
    assert_int_equal(probes[1].place, 0);
    assert_int_equal(probes[2].place, 1);
    assert_int_equal(probes[0].place, 2);
    for (int i = 0; i < 3; i++)
        timer_free(probes[i].timer);
}

static void a_timer_that_is_moved_fires_once_at_its_new_time(void **state)
{
    struct guard *world = *state;
    struct probe later, sooner;
    int64_t now_ms = clock_boot_ms();
    probe_open(&later, world, now_ms + 5, true);
    probe_open(&sooner, world, now_ms + GUARD_MS, false);
    timer_at(later.timer, now_ms + 40);
    timer_at(sooner.timer, now_ms + 10);
    guard_run(world);
    assert_int_equal(later.fired, 1);
    assert_true(later.fired_us >= (now_ms + 40) * 1000);
    assert_int_equal(sooner.fired, 1);
    timer_free(later.timer);
    timer_free(sooner.timer);
}

static void a_timer_set_again_to_the_same_time_fires_once_at_it(void **state)
{
    struct guard *world = *state;
    struct probe same;
    int64_t at_ms = clock_boot_ms() + 20;
    probe_open(&same, world, at_ms, true);
    timer_at(same.timer, at_ms);
    timer_at(same.timer, CLOCK_NEVER);
    timer_at(same.timer, at_ms);
    timer_at(same.timer, at_ms);
    guard_run(world);
    assert_int_equal(same.fired, 1);
    assert_true(same.fired_us >= at_ms * 1000);
    timer_free(same.timer);
}

static void a_timer_set_to_never_rests(void **state)
{
    struct guard *world = *state;
    struct probe rests, stops;
    probe_open(&rests, world, clock_boot_ms() + 1, false);
    timer_at(rests.timer, CLOCK_NEVER);
    probe_open(&stops, world, clock_boot_ms() + 20, true);
    guard_run(world);
    assert_int_equal(rests.fired, 0);
    timer_free(rests.timer);
    timer_free(stops.timer);
}

static void a_time_that_has_passed_fires_on_the_next_turn(void **state)
{
    struct guard *world = *state;
    struct probe probe;
    probe_open(&probe, world, 0, true);
    assert_int_equal(probe.fired, 0);
    guard_run(world);
    assert_int_equal(probe.fired, 1);
    timer_free(probe.timer);
}

struct chain {
    struct guard *world;
    struct timer *timer;
    int left;
};

static void next_link(void *owner)
{
    struct chain *chain = owner;
    if (--chain->left > 0)
        timer_at(chain->timer, 0);
    else
        loop_stop(chain->world->loop);
}

static void a_timer_may_set_itself_again(void **state)
{
    struct chain chain = {.world = *state, .left = 50};
    chain.timer = timer_new(chain.world->loop, next_link, &chain);
    timer_at(chain.timer, 0);
    guard_run(chain.world);
    assert_int_equal(chain.left, 0);
    timer_free(chain.timer);
}

static void free_self_and_stop(void *owner)
{
    struct chain *chain = owner;
    chain->left--;
    timer_free(chain->timer);
    loop_stop(chain->world->loop);
}

static void a_timer_may_free_itself(void **state)
{
    struct chain chain = {.world = *state, .left = 1};
    chain.timer = timer_new(chain.world->loop, free_self_and_stop, &chain);
    timer_at(chain.timer, 0);
    guard_run(chain.world);
    assert_int_equal(chain.left, 0);
}

static void a_freed_timer_never_fires(void **state)
{
    struct guard *world = *state;
    struct probe freed, stops;
    probe_open(&freed, world, 0, false);
    timer_free(freed.timer);
    timer_free(NULL);
    probe_open(&stops, world, clock_boot_ms() + 5, true);
    guard_run(world);
    assert_int_equal(freed.fired, 0);
    timer_free(stops.timer);
}

/* -- many ----------------------------------------------------------------------------------- */

#define MANY 500

struct crowd {
    struct guard *world;
    struct timer *mover;
    struct member {
        struct timer *timer; /* NULL: nobody is here */
        int64_t at_ms;       /* CLOCK_NEVER: it rests */
    } members[MANY];
    uint64_t random;
    int rounds;
};

static uint64_t next_random(struct crowd *crowd)
{
    crowd->random ^= crowd->random << 13;
    crowd->random ^= crowd->random >> 7;
    crowd->random ^= crowd->random << 17;
    return crowd->random >> 8;
}

static void take_turn(void *owner)
{
    struct member *member = owner;
    assert_true(member->at_ms != CLOCK_NEVER);
    assert_true(clock_boot_ms() >= member->at_ms);
    member->at_ms = CLOCK_NEVER;
}

/* Comes, goes, rests, or is moved to just before or after now. */
static void move_one(struct crowd *crowd, int64_t now_ms)
{
    struct member *member = &crowd->members[next_random(crowd) % MANY];
    uint64_t what = next_random(crowd) % 8;
    if (!member->timer) {
        member->timer = timer_new(crowd->world->loop, take_turn, member);
        member->at_ms = CLOCK_NEVER;
    } else if (what == 0) {
        timer_free(member->timer);
        member->timer = NULL;
    } else {
        member->at_ms = what == 1 ? CLOCK_NEVER : now_ms + (int64_t)(next_random(crowd) % 30) - 3;
        timer_at(member->timer, member->at_ms);
    }
}

/* After the last round there is time for all that were set. */
static void move_some(void *owner)
{
    struct crowd *crowd = owner;
    int64_t now_ms = clock_boot_ms();
    if (crowd->rounds-- == 0) {
        loop_stop(crowd->world->loop);
        return;
    }
    for (int i = 0; i < 200; i++)
        move_one(crowd, now_ms);
    timer_at(crowd->mover, now_ms + (crowd->rounds > 0 ? 1 : 40));
}

static void of_many_that_come_and_go_each_fires_once_and_never_early(void **state)
{
    struct crowd crowd = {.world = *state, .random = 88172645463325252u, .rounds = 100};
    crowd.mover = timer_new(crowd.world->loop, move_some, &crowd);
    timer_at(crowd.mover, 0);
    guard_run(crowd.world);
    for (int i = 0; i < MANY; i++) {
        assert_true(!crowd.members[i].timer || crowd.members[i].at_ms == CLOCK_NEVER);
        timer_free(crowd.members[i].timer);
    }
    timer_free(crowd.mover);
}

static void sleep_50_ms(void *owner)
{
    int64_t until_ms = clock_boot_ms() + 50;
    (void)owner;
    while (clock_boot_ms() < until_ms)
        continue;
}

/* `together`: both are due when the loop comes to look. */
static void block_the_next(struct guard *world, bool together)
{
    struct timer *blocks = timer_new(world->loop, sleep_50_ms, NULL);
    struct loop_lateness late;
    struct probe probe;
    int64_t now_ms = clock_boot_ms();
    loop_lateness(world->loop);
    timer_at(blocks, now_ms + 1);
    probe_open(&probe, world, now_ms + 10, true);
    while (together && clock_boot_ms() < now_ms + 11)
        continue;
    guard_run(world);
    late = loop_lateness(world->loop);
    assert_int_equal(late.count, 2);
    assert_true(late.max_us >= 35000);
    assert_true(late.p99_us <= late.max_us);
    late = loop_lateness(world->loop);
    assert_int_equal(late.count, 0);
    assert_int_equal(late.max_us, 0);
    assert_int_equal(late.p99_us, 0);
    timer_free(blocks);
    timer_free(probe.timer);
}

static void lateness_tells_of_a_callback_that_blocked(void **state)
{
    block_the_next(*state, false);
}

static void lateness_is_that_of_each_callback_when_several_were_due(void **state)
{
    block_the_next(*state, true);
}

#define TIMER_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TIMER_TEST(a_timer_never_fires_early),
        TIMER_TEST(timers_fire_in_the_order_of_their_times),
        TIMER_TEST(a_timer_that_is_moved_fires_once_at_its_new_time),
        TIMER_TEST(a_timer_set_again_to_the_same_time_fires_once_at_it),
        TIMER_TEST(a_timer_set_to_never_rests),
        TIMER_TEST(a_time_that_has_passed_fires_on_the_next_turn),
        TIMER_TEST(a_timer_may_set_itself_again),
        TIMER_TEST(a_timer_may_free_itself),
        TIMER_TEST(a_freed_timer_never_fires),
        TIMER_TEST(of_many_that_come_and_go_each_fires_once_and_never_early),
        TIMER_TEST(lateness_tells_of_a_callback_that_blocked),
        TIMER_TEST(lateness_is_that_of_each_callback_when_several_were_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
