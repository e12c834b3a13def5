#include "gateway/base/enclosing.h"
#include "gateway/store/desk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "gateway/base/queue.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

struct work {
    struct task task;
    int number;
    sem_t *gate; /* waited for; NULL: none */
};

static struct queue *answers;
static int done[600], n_done, statuses[600];
static atomic_int rests, leaves;

static void work(struct task *task)
{
    struct work *work = enclosing(task, struct work, task);

    if (work->gate)
        sem_wait(work->gate);
    task->status = work->number;
}

static void note(struct task *task)
{
    statuses[n_done] = task->status;
    done[n_done++] = enclosing(task, struct work, task)->number;
    free(task);
}

static void rest(void *owner)
{
    (void)owner;
    atomic_fetch_add(&rests, 1);
}

static void leave(void *owner)
{
    (void)owner;
    atomic_fetch_add(&leaves, 1);
}

static int start(void **state)
{
    n_done = 0;
    atomic_store(&rests, 0);
    atomic_store(&leaves, 0);
    answers = queue_new(sizeof(struct task *), DESK_TASKS_MAX + 1, QUEUE_REFUSE, NULL, NULL);
    *state = desk_new(answers, rest, leave, NULL);
    return *state ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    queue_free(answers);
    return 0;
}

static int give(struct desk *desk, int number, sem_t *gate)
{
    struct work *item = calloc(1, sizeof(*item));
    int r;

    *item = (struct work){.task = {.work = work, .done = note}, .number = number, .gate = gate};
    r = desk_give(desk, &item->task);
    if (r < 0)
        free(item);
    return r;
}

static void take(int wanted)
{
    struct task *task;

    while (n_done < wanted && queue_wait(answers, &task, 1, clock_boot_ms() + 20000) > 0)
        task->done(task);
    assert_int_equal(n_done, wanted);
}

static void test_tasks_are_done_in_order(void **state)
{
    for (int i = 0; i < 100; i++)
        assert_int_equal(give(*state, i, NULL), 0);
    take(100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(done[i], i);
    assert_true(desk_stop(*state, clock_boot_ms() + 20000));
    assert_true(atomic_load(&rests) >= 1);
    assert_int_equal(atomic_load(&leaves), 1);
}

static void test_too_many_are_refused(void **state)
{
    int n = 0;
    sem_t gate;

    sem_init(&gate, 0, 0);
    assert_int_equal(give(*state, -1, &gate), 0);
    while (n < 1000 && give(*state, n, NULL) == 0)
        n++;
    assert_in_range(n, DESK_TASKS_MAX - 1, DESK_TASKS_MAX);
    sem_post(&gate);
    take(n + 1);
    assert_true(desk_stop(*state, clock_boot_ms() + 20000));
    sem_destroy(&gate);
}

static void test_what_was_not_begun_is_cancelled(void **state)
{
    sem_t gate;

    sem_init(&gate, 0, 0);
    give(*state, 1, &gate);
    while (desk_busy_ms(*state) == 0)
        ;
    give(*state, 2, NULL);
    give(*state, 3, NULL);
    desk_close(*state);
    assert_int_equal(n_done, 2);
    assert_int_equal(statuses[0], -ECANCELED);
    assert_int_equal(give(*state, 4, NULL), -EBUSY);
    assert_false(desk_stop(*state, clock_boot_ms() + 30)); /* it hangs */
    sem_post(&gate);
    assert_true(desk_stop(*state, clock_boot_ms() + 20000));
    take(3);
    assert_int_equal(statuses[2], 1);
    sem_destroy(&gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tasks_are_done_in_order, start, stop),
        cmocka_unit_test_setup_teardown(test_too_many_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(test_what_was_not_begun_is_cancelled, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
