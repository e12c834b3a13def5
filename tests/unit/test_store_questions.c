/* Readings and questions about them, behind the door of the store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/store_door.h"

/* The door with sensors. */
struct site {
    struct world *world;
    struct text_table *texts;
    struct inventory *inventory;
    /* the last answer */
    struct store_point points[100];
    char units[100][16];
    int64_t step_ms, next_ms;
    struct store_import import;
    size_t answers;
};

static int start_site(void **state)
{
    struct site *site = calloc(1, sizeof(*site));

    start((void **)&site->world);
    site->texts = text_table_new();
    site->inventory = world_inventory(10, site->texts);
    *state = site;
    return 0;
}

static int stop_site(void **state)
{
    struct site *site = *state;

    test_disk_use();
    assert_int_equal(store_close(site->world->store, 5000), 0);
    site->world->store = NULL;
    stop((void **)&site->world);
    inventory_release(site->inventory);
    text_table_free(site->texts);
    free(site);
    return 0;
}

static void open_site(struct site *site)
{
    open_store(site->world);
    store_sink.inventory(site->world->store, site->inventory);
}

static void take(struct site *site, uint32_t sensor, int64_t at_ms, double number)
{
    struct reading reading = world_number(sensor, at_ms, number);

    store_sink.readings(site->world->store, 0, &reading, 1);
}

static void take_answer(void *owner, const struct store_answer *answer)
{
    struct site *site = owner;

    site->world->answered = true;
    site->world->status = answer->status;
    site->world->count = answer->count;
    site->step_ms = answer->step_ms;
    site->answers++;
    for (size_t i = 0; i < answer->count && i < 100; i++)
        site->points[i] = answer->points[i];
}

static struct store_query query_of(const char *sensor, size_t max)
{
    int64_t now_ms = clock_wall_ms(clock_boot_ms());

    return (struct store_query){sensor, now_ms - DAY_MS, now_ms + DAY_MS, max};
}

static void ask(struct site *site, const char *sensor, size_t max)
{
    struct store_query query = query_of(sensor, max);

    site->world->answered = false;
    assert_int_equal(store_query(site->world->store, &query, take_answer, site), 0);
    assert_false(site->world->answered); /* never from inside the call */
    assert_true(world_run(site->world->loop, was_answered, site->world, WORLD_PATIENCE_MS));
}

static void test_what_was_just_taken_can_be_asked_for(void **state)
{
    struct site *site = *state;
    int64_t now_ms = clock_boot_ms();

    open_site(site);
    take(site, 3, now_ms - 2, 1.5);
    take(site, 3, now_ms - 1, 2.5);
    take(site, 4, now_ms, 3.5);
    ask(site, "d0.c3", 100);
    assert_int_equal(site->world->status, 0);
    assert_int_equal(site->world->count, 2);
    assert_true(site->points[1].mean == 2.5);
    assert_true(llabs(site->points[1].at_ms - clock_wall_ms(now_ms - 1)) <= 2);
    ask(site, "no.such", 100);
    assert_int_equal(site->world->status, -ENOENT);
}

static void test_readings_are_there_after_a_restart(void **state)
{
    struct site *site = *state;

    open_site(site);
    for (int i = 0; i < 50; i++)
        take(site, 0, clock_boot_ms() - 50 + i, i);
    assert_int_equal(store_close(site->world->store, 5000), 0);
    open_site(site);
    ask(site, "d0.c0", 100);
    assert_int_equal(site->world->count, 50);
    assert_int_equal(store_counts(site->world->store).dropped, 0);
}

static bool are_stored(void *owner)
{
    struct site *site = owner;
    struct store_counts counts = store_counts(site->world->store);

    return counts.readings >= site->world->wanted && counts.readings_bytes == 0;
}

static void test_readings_are_written_when_their_time_has_come(void **state)
{
    struct site *site = *state;
    int64_t start_ms;

    site->world->options.commit_every_ms = 300;
    open_site(site);
    start_ms = clock_boot_ms();
    take(site, 0, start_ms, 1);
    site->world->wanted = 1;
    assert_true(world_run(site->world->loop, are_stored, site, WORLD_PATIENCE_MS));
    assert_in_range(clock_boot_ms() - start_ms, 300, 2000);
    ask(site, "d0.c0", 100);
    assert_int_equal(site->world->count, 1);
}

static void test_two_megabytes_are_written_at_once(void **state)
{
    struct site *site = *state;
    uint32_t n = 0;

    open_site(site);
    for (; n < INT32_C(2) * 64 * 1360; n++)
        take(site, n % 10, clock_boot_ms() + n / 100, n);
    site->world->wanted = 64 * 1360;
    while (store_counts(site->world->store).readings < site->world->wanted) {
        bool (*never)(void *) = was_answered;

        site->world->answered = false;
        world_run(site->world->loop, never, site->world, 20);
    }
    assert_int_equal(store_counts(site->world->store).dropped, 0);
}

static void test_without_a_disk_memory_is_bounded_and_becomes_coarser(void **state)
{
    struct site *site = *state;
    struct store_counts counts;
    int64_t first_ms = clock_boot_ms() - 1000000;

    site->world->options.commit_every_ms = 1;
    open_site(site);
    test_disk.only = NULL;
    atomic_store(&test_disk.fail, SQLITE_FULL);
    for (uint32_t n = 0; n < 1000000; n++)
        take(site, n % 10, first_ms + n, n);
    counts = store_counts(site->world->store);
    assert_true(counts.readings_bytes <= 8000000);
    assert_true(counts.dropped > 300000);
    ask(site, "d0.c0", 20000);
    assert_true(site->points[0].at_ms < clock_wall_ms(first_ms) + 300000);
    atomic_store(&test_disk.fail, 0);
    site->world->wanted = 1000000 - counts.dropped - 100;
    assert_true(world_run(site->world->loop, are_stored, site, WORLD_PATIENCE_MS));
}

static void test_a_broken_disk_answers_from_memory(void **state)
{
    struct site *site = *state;

    atomic_store(&test_disk.cannot_open, 1);
    open_site(site);
    take(site, 0, clock_boot_ms(), 7);
    ask(site, "d0.c0", 100);
    assert_int_equal(site->world->status, -EAGAIN);
    assert_int_equal(site->world->count, 1);
    assert_true(site->points[0].mean == 7);
}

static void test_a_question_does_not_wait_for_a_stalled_writer(void **state)
{
    struct site *site = *state;
    int64_t start_ms;

    site->world->options.commit_every_ms = 100;
    open_site(site);
    take(site, 0, clock_boot_ms(), 1);
    site->world->wanted = 1;
    assert_true(world_run(site->world->loop, are_stored, site, WORLD_PATIENCE_MS));
    atomic_store(&test_disk.stall_ms, 1500);
    take(site, 0, clock_boot_ms(), 2);
    site->world->answered = false;
    world_run(site->world->loop, was_answered, site->world, 300);
    start_ms = clock_boot_ms();
    ask(site, "d0.c0", 100);
    assert_true(clock_boot_ms() - start_ms < 800);
    assert_int_equal(site->world->count, 2);
}

static void test_a_new_inventory_keeps_what_waits_of_the_old(void **state)
{
    struct site *site = *state;
    struct inventory *other = world_inventory(3, site->texts);

    open_site(site);
    take(site, 7, clock_boot_ms() - 1, 70);
    take(site, 1, clock_boot_ms() - 1, 10);
    store_sink.inventory(site->world->store, other);
    take(site, 1, clock_boot_ms(), 11);
    take(site, 7, clock_boot_ms(), 71); /* there is none now */
    assert_int_equal(store_close(site->world->store, 5000), 0);
    open_site(site);
    ask(site, "d0.c7", 100);
    assert_int_equal(site->world->count, 1);
    ask(site, "d0.c1", 100);
    assert_int_equal(site->world->count, 2);
    inventory_release(other);
}

static void test_more_questions_than_it_takes_are_refused(void **state)
{
    struct site *site = *state;
    struct store_query query = query_of("d0.c0", 100);
    int r = 0, n = 0;

    open_site(site);
    while (n < 1000 && r == 0) {
        r = store_query(site->world->store, &query, take_answer, site);
        n += r == 0;
    }
    assert_int_equal(r, -EBUSY);
    assert_in_range(n, 150, 250);
    assert_int_equal(store_close(site->world->store, 5000), 0);
    site->world->store = NULL;
    assert_int_equal(site->answers, n); /* each once */
}

/* -- rows ------------------------------------------------------------------------------------ */

static char exported[100000];

static void take_rows(void *owner, const struct store_rows *rows)
{
    struct site *site = owner;
    size_t length = strlen(exported);

    site->world->answered = true;
    site->world->status = rows->status;
    site->world->count += rows->count;
    site->next_ms = rows->next_ms;
    for (size_t i = 0; i < rows->count && length + STORE_CSV_LINE_SIZE < sizeof(exported); i++)
        length += store_csv_line(exported + length, &rows->rows[i]);
}

static void take_import(void *owner, const struct store_import *import)
{
    struct site *site = owner;

    site->world->answered = true;
    site->import = *import;
}

static void test_what_is_exported_can_be_imported_elsewhere(void **state)
{
    struct site *site = *state;
    struct store_range range = {NULL, 0, INT64_MAX, 30};
    char other[80];
    size_t total;

    open_site(site);
    exported[0] = '\0';
    site->world->count = 0;
    for (int i = 0; i < 100; i++)
        take(site, (uint32_t)i % 3 * 3, clock_boot_ms() - 1000 + i * 10, i / 4.0);
    do {
        site->world->answered = false;
        assert_int_equal(store_read(site->world->store, &range, take_rows, site), 0);
        assert_true(world_run(site->world->loop, was_answered, site->world, WORLD_PATIENCE_MS));
        assert_int_equal(site->world->status, 0);
        range.from_ms = site->next_ms;
    } while (site->next_ms != CLOCK_NEVER);
    total = site->world->count;
    assert_int_equal(total, 100);
    assert_int_equal(store_close(site->world->store, 5000), 0);
    snprintf(other, sizeof(other), "%s/other", site->world->folder);
    site->world->options.path = other;
    open_site(site);
    for (int i = 0; i < 2; i++) {
        site->world->answered = false;
        assert_int_equal(
            store_import(site->world->store, exported, strlen(exported), take_import, site), 0);
        assert_true(world_run(site->world->loop, was_answered, site->world, WORLD_PATIENCE_MS));
        assert_int_equal(site->import.status, 0);
        assert_int_equal(i == 0 ? site->import.taken : site->import.known, 100);
    }
    ask(site, "d0.c3", 100);
    assert_int_equal(site->world->count, 33);
}

static void test_an_import_that_is_none_is_refused(void **state)
{
    struct site *site = *state;

    open_site(site);
    assert_int_equal(store_import(site->world->store, "a\0b", 3, take_import, site), -EINVAL);
    assert_int_equal(
        store_import(site->world->store, exported, STORE_IMPORT_MAX + 1, take_import, site),
        -E2BIG);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start_site, stop_site)
    const struct CMUnitTest tests[] = {
        CASE(test_what_was_just_taken_can_be_asked_for),
        CASE(test_readings_are_there_after_a_restart),
        CASE(test_readings_are_written_when_their_time_has_come),
        CASE(test_two_megabytes_are_written_at_once),
        CASE(test_without_a_disk_memory_is_bounded_and_becomes_coarser),
        CASE(test_a_broken_disk_answers_from_memory),
        CASE(test_a_question_does_not_wait_for_a_stalled_writer),
        CASE(test_a_new_inventory_keeps_what_waits_of_the_old),
        CASE(test_more_questions_than_it_takes_are_refused),
        CASE(test_what_is_exported_can_be_imported_elsewhere),
        CASE(test_an_import_that_is_none_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
