
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/modbus/job.h"

static void jobs_leave_in_the_order_in_which_they_came(void **state)
{
    struct mb_jobs jobs = {0};
    struct mb_job list[3] = {0};

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3; i++)
            mb_jobs_put(&jobs, &list[i]);
        for (int i = 0; i < 3; i++) {
            assert_ptr_equal(mb_jobs_first(&jobs), &list[i]);
            assert_ptr_equal(mb_jobs_take(&jobs), &list[i]);
        }
        assert_null(mb_jobs_first(&jobs));
    }
}

static void writes_go_before_polls(void **state)
{
    struct mb_jobs jobs = {0};
    struct mb_job polls[2] = {0}, writes[2] = {{.kind = MB_JOB_WRITE}, {.kind = MB_JOB_WRITE}};

    (void)state;
    mb_jobs_put(&jobs, &polls[0]);
    mb_jobs_put(&jobs, &writes[0]);
    mb_jobs_put(&jobs, &polls[1]);
    mb_jobs_put(&jobs, &writes[1]);
    assert_ptr_equal(mb_jobs_take(&jobs), &writes[0]);
    assert_ptr_equal(mb_jobs_take(&jobs), &writes[1]);
    assert_ptr_equal(mb_jobs_take(&jobs), &polls[0]);
    assert_ptr_equal(mb_jobs_take(&jobs), &polls[1]);
}

static void questions_wait_until_no_poll_does(void **state)
{
    struct mb_jobs jobs = {0};
    struct mb_job question = {.kind = MB_JOB_QUESTION}, poll = {0};

    (void)state;
    mb_jobs_put(&jobs, &question);
    mb_jobs_put(&jobs, &poll);
    assert_int_equal(jobs.questions.n, 1);
    assert_ptr_equal(mb_jobs_take(&jobs), &poll);
    assert_ptr_equal(mb_jobs_take(&jobs), &question);
    assert_int_equal(jobs.questions.n, 0);
}

static void only_polls_are_asked_again_and_only_what_reads_twice(void **state)
{
    struct mb_job write = {.kind = MB_JOB_WRITE, .own = {.function = MB_WRITE_REGISTER}};
    struct mb_job question = {.kind = MB_JOB_QUESTION, .own = {.function = MB_READ_INPUTS}};

    (void)state;
    assert_false(mb_job_again(&write, QUALITY_TIMEOUT));
    assert_false(mb_job_again(&question, QUALITY_TIMEOUT));
    assert_false(mb_job_reads(&write));
    assert_true(mb_job_reads(&question));
}

static void a_job_can_come_back_before_all_others_of_its_kind(void **state)
{
    struct mb_jobs jobs = {0};
    struct mb_job list[3] = {0};

    (void)state;
    mb_jobs_put_first(&jobs, &list[1]);
    mb_jobs_put(&jobs, &list[2]);
    mb_jobs_put_first(&jobs, &list[0]);
    for (int i = 0; i < 3; i++)
        assert_ptr_equal(mb_jobs_take(&jobs), &list[i]);
}

static void a_write_wants_what_it_was_given(void **state)
{
    struct mb_device device = {0};
    struct mb_job poll = {.device = &device}, write = {.kind = MB_JOB_WRITE};

    (void)state;
    assert_null(mb_job_wants(&poll));
    assert_ptr_equal(mb_job_wants(&write), &write.own);
}

static void only_a_read_is_asked_anew_and_only_once(void **state)
{
    struct mb_device device = {.retries = 0};
    struct mb_job first = {.device = &device, .tries = 1}, second = {.device = &device, .tries = 2};
    struct mb_job write = {.device = &device, .tries = 1, .kind = MB_JOB_WRITE};

    (void)state;
    assert_true(mb_job_anew(&first));
    assert_false(mb_job_anew(&second));
    assert_false(mb_job_anew(&write));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_leave_in_the_order_in_which_they_came),
        cmocka_unit_test(writes_go_before_polls),
        cmocka_unit_test(questions_wait_until_no_poll_does),
        cmocka_unit_test(only_polls_are_asked_again_and_only_what_reads_twice),
        cmocka_unit_test(a_job_can_come_back_before_all_others_of_its_kind),
        cmocka_unit_test(a_write_wants_what_it_was_given),
        cmocka_unit_test(only_a_read_is_asked_anew_and_only_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
