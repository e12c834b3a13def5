#include "gateway/learnt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/loop.h"
#include "tests/unit/store_door.h"

struct fixture {
    struct world *world;
    struct learnt *learnt;
};

static void restart(struct fixture *f)
{
    learnt_free(f->learnt);
    f->learnt = learnt_new();
    reopen(f->world);
    learnt_use_store(f->learnt, f->world->store);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    void *world;

    start(&world);
    f->world = world;
    f->learnt = learnt_new();
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    void *world = f->world;

    learnt_free(f->learnt);
    free(f);
    return stop(&world);
}

static void without_a_store_it_is_known_as_long_as_it_lives(void **state)
{
    struct fixture *f = *state;

    assert_null(learnt_find(f->learnt, "heatpump"));
    learnt_put(f->learnt, "heatpump", "3:110");
    learnt_put(f->learnt, "meter", "4:7");
    learnt_put(f->learnt, "heatpump", "3:110 3:112");
    assert_string_equal(learnt_find(f->learnt, "heatpump"), "3:110 3:112");
    assert_string_equal(learnt_find(f->learnt, "meter"), "4:7");
}

static void with_a_store_it_outlives_a_restart(void **state)
{
    struct fixture *f = *state;

    restart(f);
    learnt_put(f->learnt, "heatpump", "3:110");
    restart(f);
    assert_string_equal(learnt_find(f->learnt, "heatpump"), "3:110");
    learnt_put(f->learnt, "heatpump", "3:110 3:112");
    restart(f);
    assert_string_equal(learnt_find(f->learnt, "heatpump"), "3:110 3:112");
    assert_null(learnt_find(f->learnt, "meter"));
}

static void what_is_known_already_is_not_written_again(void **state)
{
    struct fixture *f = *state;

    restart(f);
    learnt_put(f->learnt, "heatpump", "3:110");
    learnt_put(f->learnt, "heatpump", "3:110");
    assert_int_equal(store_settle(f->world->store, 5000), 0);
    assert_int_equal(store_counts(f->world->store).records, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_store_it_is_known_as_long_as_it_lives),
        TEST(with_a_store_it_outlives_a_restart),
        TEST(what_is_known_already_is_not_written_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
