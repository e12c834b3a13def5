/* Starts that crash, and those that do not. A crash is a run that was never ended: its file stays.
 */

#include "gateway/starts.h"

#include "gateway/base/clock.h"
#include "gateway/base/loop.h"
#include "tests/unit/made_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LONG_MS 3600000

struct fixture {
    struct files files;
    struct loop *loop;
    struct starts *runs[8]; /* that crashed: only their memory is left */
    size_t n_runs;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    files_init(&f->files);
    f->loop = loop_new();
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < f->n_runs; i++)
        starts_end(f->runs[i]);
    loop_free(f->loop);
    files_remove(&f->files, "");
    free(f);
    return 0;
}

/* Starts, and never ends. Whether it knew of too many crashes before. */
static bool crash(struct fixture *f)
{
    struct starts *starts = starts_begin(f->loop, f->files.root, LONG_MS);

    assert_non_null(starts);
    f->runs[f->n_runs++] = starts;
    return starts_keep_crashing(starts);
}

static void after_three_crashes_it_knows(void **state)
{
    struct fixture *f = *state;

    assert_false(crash(f));
    assert_false(crash(f));
    assert_false(crash(f));
    assert_true(crash(f));
    assert_true(crash(f));
}

static void an_end_in_good_order_ends_the_count(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 3; i++)
        crash(f);
    starts_end(starts_begin(f->loop, f->files.root, LONG_MS));
    assert_false(crash(f));
}

static void stop(void *owner)
{
    loop_stop(owner);
}

static void a_long_run_ends_the_count(void **state)
{
    struct fixture *f = *state;
    struct timer *timer = timer_new(f->loop, stop, f->loop);

    for (int i = 0; i < 3; i++)
        crash(f);
    f->runs[f->n_runs++] = starts_begin(f->loop, f->files.root, 1);
    timer_at(timer, clock_boot_ms() + 50);
    loop_run(f->loop);
    timer_free(timer);
    assert_false(crash(f));
}

static void a_file_that_holds_no_count_counts_as_none(void **state)
{
    struct fixture *f = *state;

    files_put(&f->files, "starts", "-7 or so");
    assert_false(crash(f));
}

static void of_several_folders_the_first_is_taken(void **state)
{
    struct fixture *f = *state;
    char folders[FILES_PATH_MAX], path[FILES_PATH_MAX];

    snprintf(folders, sizeof(folders), "%s:/nowhere", f->files.root);
    f->runs[f->n_runs++] = starts_begin(f->loop, folders, LONG_MS);
    assert_int_equal(access(files_path(&f->files, "starts", path), F_OK), 0);
}

static void where_there_is_no_service_nothing_is_counted(void **state)
{
    struct fixture *f = *state;

    assert_null(starts_begin(f->loop, NULL, LONG_MS));
    assert_false(starts_keep_crashing(NULL));
    starts_end(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(after_three_crashes_it_knows, setup, teardown),
        cmocka_unit_test_setup_teardown(an_end_in_good_order_ends_the_count, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_run_ends_the_count, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_holds_no_count_counts_as_none, setup, teardown),
        cmocka_unit_test_setup_teardown(of_several_folders_the_first_is_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(where_there_is_no_service_nothing_is_counted, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
