
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/modbus/job.h"

static void jobs_leave_in_the_order_in_which_they_came(void **state)
{
    struct mb_queue queue = {0};
    struct mb_job jobs[3] = {0};

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3; i++)
            mb_queue_put(&queue, &jobs[i]);
        for (int i = 0; i < 3; i++) {
            assert_ptr_equal(queue.first, &jobs[i]);
            assert_ptr_equal(mb_queue_take(&queue), &jobs[i]);
        }
        assert_null(queue.first);
        assert_null(queue.last);
    }
}

static void a_write_wants_what_it_was_given(void **state)
{
    struct mb_device device = {0};
    struct mb_job poll = {.device = &device}, write = {.device = &device, .writes = true};

    (void)state;
    assert_null(mb_job_wants(&poll));
    assert_ptr_equal(mb_job_wants(&write), &write.write);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_leave_in_the_order_in_which_they_came),
        cmocka_unit_test(a_write_wants_what_it_was_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
