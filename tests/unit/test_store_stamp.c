#include "gateway/store/stamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/store_world.h"

static const char *const steps[] = {STAMP_TABLE "CREATE TABLE thing(at_ms INTEGER, boot INTEGER)"};
static const struct database_kind kind = {"test.db", steps, 1, 4711, "FULL", false};

struct world {
    char folder[64];
    struct database file;
    struct stamp stamp;
};

static const struct stamp_clock guess = {1000, false}, good = {1700000000000, true};

static int start(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    clock_use_fixed(50000, 0);
    folder_new(world->folder);
    world->file = (struct database){.kind = &kind, .folder = world->folder};
    world->stamp.boot = "this boot";
    world->stamp.moves = "UPDATE thing SET at_ms=at_ms+?2, boot=NULL WHERE boot=?1";
    world->stamp.newest = "SELECT max(at_ms) FROM thing";
    assert_int_equal(database_open(&world->file), 0);
    *state = world;
    return 0;
}

static int stop(void **state)
{
    struct world *world = *state;

    database_close(&world->file);
    folder_free(world->folder);
    free(world);
    clock_use_system();
    return 0;
}

static int64_t put(struct world *world, struct stamp_clock clock, int64_t boot_ms)
{
    int64_t offset_ms = -1, boot = -1;
    char sql[128];

    assert_int_equal(stamp_now(&world->stamp, &world->file, clock, &offset_ms, &boot), 0);
    snprintf(sql, sizeof(sql), "INSERT INTO thing VALUES(%lld, nullif(%lld, 0))",
             (long long)(boot_ms + offset_ms), (long long)boot);
    assert_int_equal(database_run(&world->file, sql), 0);
    return boot;
}

static int64_t number(struct world *world, const char *sql)
{
    int64_t found = -1;

    assert_int_equal(database_number(&world->file, sql, -1, &found), 0);
    return found;
}

static void test_with_a_good_clock_times_are_just_written(void **state)
{
    struct world *world = *state;

    assert_int_equal(put(world, good, 5), 0);
    assert_int_equal(number(world, "SELECT at_ms FROM thing"), 1700000000005);
    assert_int_equal(number(world, "SELECT count(*) FROM boot"), 0);
}

static void test_guesses_become_right_with_the_clock(void **state)
{
    struct world *world = *state;

    assert_true(put(world, guess, 10) > 0);
    assert_true(put(world, guess, 20) > 0);
    assert_int_equal(put(world, good, 30), 0);
    assert_int_equal(number(world, "SELECT sum(at_ms - 1700000000000) FROM thing"), 60);
    assert_int_equal(number(world, "SELECT count(*) FROM thing WHERE boot IS NOT NULL"), 0);
}

static void test_several_starts_in_one_boot_share_a_guess(void **state)
{
    struct world *world = *state;
    int64_t boot = put(world, guess, 10);

    stamp_forget(&world->stamp);
    assert_int_equal(put(world, (struct stamp_clock){99999, false}, 20), boot);
    stamp_forget(&world->stamp);
    put(world, good, 30);
    assert_int_equal(number(world, "SELECT sum(at_ms - 1700000000000) FROM thing"), 60);
}

static void test_another_boot_is_left_as_it_was_guessed(void **state)
{
    struct world *world = *state;
    int64_t boot = put(world, guess, 10);

    stamp_forget(&world->stamp);
    world->stamp.boot = "another boot";
    assert_int_not_equal(put(world, guess, 20), boot);
    put(world, good, 30);
    assert_int_equal(number(world, "SELECT count(*) FROM thing WHERE boot IS NOT NULL"), 1);
    assert_int_equal(number(world, "SELECT at_ms FROM thing WHERE boot IS NOT NULL"), 1010);
}

static void test_a_guess_is_never_before_what_is_there(void **state)
{
    struct world *world = *state;

    put(world, good, 777);
    stamp_forget(&world->stamp);
    put(world, guess, 50000); /* now */
    assert_int_equal(number(world, "SELECT max(at_ms) FROM thing"), 1700000000778);
}

static void test_who_reads_sees_memory_with_the_same_guess(void **state)
{
    struct world *world = *state;

    put(world, guess, 10);
    assert_int_equal(atomic_load(&world->stamp.offset_ms), 1000);
    put(world, good, 20);
    assert_int_equal(atomic_load(&world->stamp.offset_ms), 0);
    assert_int_equal(stamp_offset(&world->stamp), 0); /* of the fixed clock, which is good */
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(test_with_a_good_clock_times_are_just_written),
        CASE(test_guesses_become_right_with_the_clock),
        CASE(test_several_starts_in_one_boot_share_a_guess),
        CASE(test_another_boot_is_left_as_it_was_guessed),
        CASE(test_a_guess_is_never_before_what_is_there),
        CASE(test_who_reads_sees_memory_with_the_same_guess),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
