#include "gateway/base/queue.h"

#include "gateway/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEADLINE_MS 20000

static void count_wake(void *owner)
{
    ++*(int *)owner;
}

static struct queue *ints(size_t capacity, enum queue_when_full when_full)
{
    struct queue *queue = queue_new(sizeof(int), capacity, when_full, NULL, NULL);
    assert_non_null(queue);
    return queue;
}

/* Pushes first, first + 1, ... as one group. */
static int push(struct queue *queue, int first, size_t count)
{
    int items[64];
    for (size_t i = 0; i < count; i++)
        items[i] = first + (int)i;
    return queue_push(queue, items, count);
}

/* All that is inside must be first, first + 1, ..., `count` of them. */
static void expect_inside(struct queue *queue, int first, size_t count)
{
    int items[64];
    assert_int_equal(queue_length(queue), count);
    assert_int_equal(queue_pop(queue, items, 64), count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(items[i], first + (int)i);
    assert_int_equal(queue_length(queue), 0);
}

static void items_come_out_in_the_order_in_which_they_went_in(void **state)
{
    struct queue *queue = ints(10, QUEUE_REFUSE);
    int item;
    (void)state;
    push(queue, 1, 3);
    push(queue, 4, 2);
    assert_int_equal(queue_pop(queue, &item, 1), 1);
    assert_int_equal(item, 1);
    expect_inside(queue, 2, 4);
    assert_int_equal(queue_pop(queue, &item, 1), 0);
    queue_free(queue);
    queue_free(NULL);
}

static void order_holds_around_the_end_of_the_ring(void **state)
{
    struct queue *queue = ints(7, QUEUE_REFUSE);
    int next_in = 0, next_out = 0, items[7];
    (void)state;
    for (int round = 0; round < 500; round++) {
        size_t in = (size_t)(round * 5 % 7), out = (size_t)(round * 3 % 7);
        if (push(queue, next_in, in) == 0)
            next_in += (int)in;
        out = queue_pop(queue, items, out);
        for (size_t i = 0; i < out; i++)
            assert_int_equal(items[i], next_out++);
    }
    assert_true(next_in > 1000);
    expect_inside(queue, next_out, (size_t)(next_in - next_out));
    queue_free(queue);
}

static size_t resident_bytes(void)
{
    FILE *from = fopen("/proc/self/statm", "re");
    size_t pages = 0;
    assert_non_null(from);
    assert_int_equal(fscanf(from, "%*u %zu", &pages), 1);
    fclose(from);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void a_large_ring_that_runs_empty_again_and_again_stays_small(void **state)
{
    static char item[4096];
    struct queue *queue = queue_new(sizeof(item), 16384, QUEUE_REFUSE, NULL, NULL);
    size_t before = resident_bytes(), after;
    (void)state;
    memset(item, 'x', sizeof(item));
    for (int i = 0; i < 16384; i++) {
        assert_int_equal(queue_push(queue, item, 1), 0);
        assert_int_equal(queue_pop(queue, item, 1), 1);
    }
    after = resident_bytes();
    assert_true(after < before + 16 * 1024 * 1024);
    queue_free(queue);
}

static void items_of_any_size_are_copied_whole(void **state)
{
    struct item {
        char text[37];
    } one = {"the first"}, two = {"the second"}, got;
    struct queue *queue = queue_new(sizeof(struct item), 3, QUEUE_REFUSE, NULL, NULL);
    (void)state;
    queue_push(queue, &one, 1);
    queue_push(queue, &two, 1);
    memset(&one, 'x', sizeof(one));
    assert_int_equal(queue_pop(queue, &got, 1), 1);
    assert_string_equal(got.text, "the first");
    assert_int_equal(queue_pop(queue, &got, 1), 1);
    assert_string_equal(got.text, "the second");
    queue_free(queue);
}

static void a_full_queue_refuses_a_group_whole_and_counts_it(void **state)
{
    struct queue *queue = ints(5, QUEUE_REFUSE);
    (void)state;
    assert_int_equal(push(queue, 0, 3), 0);
    assert_int_equal(push(queue, 3, 3), -ENOBUFS);
    assert_int_equal(queue_dropped(queue), 3);
    assert_int_equal(push(queue, 3, 2), 0);
    assert_int_equal(push(queue, 5, 1), -ENOBUFS);
    assert_int_equal(queue_dropped(queue), 4);
    expect_inside(queue, 0, 5);
    queue_free(queue);
}

static void a_full_queue_drops_the_oldest_and_counts_them(void **state)
{
    struct queue *queue = ints(5, QUEUE_DROP_OLDEST);
    (void)state;
    for (int i = 0; i < 12; i++)
        assert_int_equal(push(queue, i, 1), 0);
    assert_int_equal(queue_dropped(queue), 7);
    assert_int_equal(push(queue, 12, 3), 0);
    assert_int_equal(queue_dropped(queue), 10);
    expect_inside(queue, 10, 5);
    queue_free(queue);
}

static void a_group_that_never_fits_is_refused_and_drops_nothing(void **state)
{
    struct queue *queue = ints(5, QUEUE_DROP_OLDEST);
    (void)state;
    push(queue, 0, 2);
    assert_int_equal(push(queue, 100, 6), -ENOBUFS);
    assert_int_equal(queue_dropped(queue), 6);
    expect_inside(queue, 0, 2);
    assert_int_equal(push(queue, 0, 5), 0);
    expect_inside(queue, 0, 5);
    queue_free(queue);
}

static void it_wakes_once_from_empty_to_full(void **state)
{
    int wakes = 0, items[8];
    struct queue *queue = queue_new(sizeof(int), 8, QUEUE_REFUSE, count_wake, &wakes);
    (void)state;
    for (int i = 0; i < 8; i++)
        push(queue, i, 1);
    assert_int_equal(wakes, 1);
    assert_int_equal(push(queue, 9, 1), -ENOBUFS);
    assert_int_equal(wakes, 1);
    queue_pop(queue, items, 8);
    push(queue, 0, 3);
    assert_int_equal(wakes, 2);
    queue_free(queue);
}

static void dropping_the_oldest_needs_no_second_wake(void **state)
{
    int wakes = 0;
    struct queue *queue = queue_new(sizeof(int), 2, QUEUE_DROP_OLDEST, count_wake, &wakes);
    (void)state;
    for (int i = 0; i < 10; i++)
        push(queue, i, 2);
    assert_int_equal(wakes, 1);
    queue_free(queue);
}

static void a_wait_takes_what_is_there(void **state)
{
    struct queue *queue = ints(5, QUEUE_REFUSE);
    int items[5];
    (void)state;
    push(queue, 7, 3);
    assert_int_equal(queue_wait(queue, items, 2, CLOCK_NEVER), 2);
    assert_int_equal(items[1], 8);
    assert_int_equal(queue_wait(queue, items, 2, 0), 1);
    queue_free(queue);
}

static void a_wait_ends_at_its_time_and_not_before(void **state)
{
    struct queue *queue = ints(5, QUEUE_REFUSE);
    int64_t until_ms = clock_boot_ms() + 20;
    int item;
    (void)state;
    assert_int_equal(queue_wait(queue, &item, 1, until_ms), 0);
    assert_true(clock_boot_ms() >= until_ms);
    assert_int_equal(queue_is_closed(queue), 0);
    assert_int_equal(queue_wait(queue, &item, 1, 0), 0);
    queue_free(queue);
}

static void a_closed_queue_refuses_but_gives_what_it_has(void **state)
{
    struct queue *queue = ints(5, QUEUE_REFUSE);
    int items[5];
    (void)state;
    push(queue, 1, 2);
    queue_close(queue);
    assert_int_not_equal(queue_is_closed(queue), 0);
    assert_int_equal(push(queue, 3, 1), -EPIPE);
    assert_int_equal(queue_wait(queue, items, 5, CLOCK_NEVER), 2);
    assert_int_equal(items[0], 1);
    assert_int_equal(queue_wait(queue, items, 5, CLOCK_NEVER), 0);
    queue_free(queue);
}

/* -- threads ------------------------------------------------------------------------------------
 */

struct waiting {
    struct queue *queue;
    size_t got;
    int item;
};

static void *wait_for_one(void *arg)
{
    struct waiting *waiting = arg;
    waiting->got = queue_wait(waiting->queue, &waiting->item, 1, clock_boot_ms() + DEADLINE_MS);
    return NULL;
}

static void a_push_ends_a_wait(void **state)
{
    struct waiting waiting = {.queue = ints(5, QUEUE_REFUSE)};
    pthread_t thread;
    int64_t start_ms = clock_boot_ms();
    (void)state;
    pthread_create(&thread, NULL, wait_for_one, &waiting);
    push(waiting.queue, 42, 1);
    pthread_join(thread, NULL);
    assert_int_equal(waiting.got, 1);
    assert_int_equal(waiting.item, 42);
    assert_true(clock_boot_ms() - start_ms < DEADLINE_MS / 2);
    queue_free(waiting.queue);
}

static void closing_ends_a_wait(void **state)
{
    struct waiting waiting = {.queue = ints(5, QUEUE_REFUSE)};
    pthread_t thread;
    int64_t start_ms = clock_boot_ms();
    (void)state;
    pthread_create(&thread, NULL, wait_for_one, &waiting);
    queue_close(waiting.queue);
    pthread_join(thread, NULL);
    assert_int_equal(waiting.got, 0);
    assert_true(clock_boot_ms() - start_ms < DEADLINE_MS / 2);
    queue_free(waiting.queue);
}

#define PUSHERS   4
#define GROUPS    3000
#define GROUP_MAX 7

/* The i-th of `size` items of a pusher's group. */
struct piece {
    int pusher, group, i, size;
};

struct pusher {
    struct queue *queue;
    int number;
    bool again; /* when refused */
    pthread_t thread;
};

static void *push_groups(void *arg)
{
    struct pusher *pusher = arg;
    for (int g = 0; g < GROUPS; g++) {
        struct piece pieces[GROUP_MAX];
        int size = (g * 7 + pusher->number * 3) % GROUP_MAX + 1;
        for (int i = 0; i < size; i++)
            pieces[i] = (struct piece){pusher->number, g, i, size};
        while (queue_push(pusher->queue, pieces, (size_t)size) == -ENOBUFS && pusher->again)
            sched_yield();
    }
    return NULL;
}

static void start_pushers(struct pusher *pushers, struct queue *queue, bool again)
{
    for (int p = 0; p < PUSHERS; p++) {
        pushers[p] = (struct pusher){.queue = queue, .number = p, .again = again};
        assert_int_equal(pthread_create(&pushers[p].thread, NULL, push_groups, &pushers[p]), 0);
    }
}

static void join_pushers(struct pusher *pushers)
{
    for (int p = 0; p < PUSHERS; p++)
        pthread_join(pushers[p].thread, NULL);
}

/* The pieces of a group stand together, and the groups of a pusher in order. */
static void check_whole(const struct piece *last, const struct piece *piece, int *groups)
{
    if (piece->i == 0) {
        if (last->size != 0 && last->i + 1 != last->size)
            fail_msg("group %d of pusher %d is torn", last->group, last->pusher);
        assert_int_equal(piece->group, groups[piece->pusher] + 1);
        groups[piece->pusher] = piece->group;
        return;
    }
    assert_int_equal(piece->pusher, last->pusher);
    assert_int_equal(piece->group, last->group);
    assert_int_equal(piece->i, last->i + 1);
}

/* Where the oldest are dropped a group may begin late; one that was left is never come back to. */
static void check_rest(const struct piece *last, const struct piece *piece, int *groups)
{
    if (last->size != 0 && piece->pusher == last->pusher && piece->group == last->group) {
        assert_true(piece->i > last->i);
        return;
    }
    assert_true(piece->group > groups[piece->pusher]);
    groups[piece->pusher] = piece->group;
}

static void groups_of_several_threads_are_never_torn(void **state)
{
    struct queue *queue = queue_new(sizeof(struct piece), 32, QUEUE_REFUSE, NULL, NULL);
    struct pusher pushers[PUSHERS];
    struct piece last = {0}, pieces[5];
    int groups[PUSHERS] = {-1, -1, -1, -1};
    int ended = 0;
    (void)state;
    start_pushers(pushers, queue, true);
    while (ended < PUSHERS) {
        size_t n = queue_wait(queue, pieces, 5, clock_boot_ms() + DEADLINE_MS);
        assert_true(n > 0);
        for (size_t i = 0; i < n; i++) {
            check_whole(&last, &pieces[i], groups);
            last = pieces[i];
            ended += last.group == GROUPS - 1 && last.i + 1 == last.size;
        }
    }
    join_pushers(pushers);
    assert_int_equal(queue_length(queue), 0);
    queue_free(queue);
}

static void of_dropped_groups_only_heads_are_missing_and_the_count_is_exact(void **state)
{
    struct queue *queue = queue_new(sizeof(struct piece), 32, QUEUE_DROP_OLDEST, NULL, NULL);
    struct pusher pushers[PUSHERS];
    struct piece last = {0}, pieces[5];
    int groups[PUSHERS] = {-1, -1, -1, -1};
    size_t taken = 0, pushed = 0, n;
    (void)state;
    for (int p = 0; p < PUSHERS; p++)
        for (int g = 0; g < GROUPS; g++)
            pushed += (size_t)((g * 7 + p * 3) % GROUP_MAX + 1);
    start_pushers(pushers, queue, false);
    while ((n = queue_wait(queue, pieces, 5, clock_boot_ms() + 200)) > 0) {
        for (size_t i = 0; i < n; i++) {
            check_rest(&last, &pieces[i], groups);
            last = pieces[i];
        }
        taken += n;
    }
    join_pushers(pushers);
    while ((n = queue_pop(queue, pieces, 5)) > 0)
        taken += n;
    assert_int_equal(taken + queue_dropped(queue), pushed);
    queue_free(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_out_in_the_order_in_which_they_went_in),
        cmocka_unit_test(order_holds_around_the_end_of_the_ring),
        cmocka_unit_test(a_large_ring_that_runs_empty_again_and_again_stays_small),
        cmocka_unit_test(items_of_any_size_are_copied_whole),
        cmocka_unit_test(a_full_queue_refuses_a_group_whole_and_counts_it),
        cmocka_unit_test(a_full_queue_drops_the_oldest_and_counts_them),
        cmocka_unit_test(a_group_that_never_fits_is_refused_and_drops_nothing),
        cmocka_unit_test(it_wakes_once_from_empty_to_full),
        cmocka_unit_test(dropping_the_oldest_needs_no_second_wake),
        cmocka_unit_test(a_wait_takes_what_is_there),
        cmocka_unit_test(a_wait_ends_at_its_time_and_not_before),
        cmocka_unit_test(a_closed_queue_refuses_but_gives_what_it_has),
        cmocka_unit_test(a_push_ends_a_wait),
        cmocka_unit_test(closing_ends_a_wait),
        cmocka_unit_test(groups_of_several_threads_are_never_torn),
        cmocka_unit_test(of_dropped_groups_only_heads_are_missing_and_the_count_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
