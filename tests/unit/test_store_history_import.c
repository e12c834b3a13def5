#include "gateway/store/history_db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/store_history.h"

static struct store_import import(struct history_world *world, const char *csv)
{
    struct store_import result = {0};
    char *text = strdup(csv);

    assert_int_equal(history_db_import(&world->history, text, &result), 0);
    free(text);
    return result;
}

static void test_lines_become_history(void **state)
{
    struct history_world *world = *state;
    struct history_query query;
    struct store_import result =
        import(world, STORE_CSV_HEADER "2026-05-01T00:00:00Z,boiler.temp,21.5,°C,good\n"
                                       "2026-05-01T00:00:10Z,boiler.temp,,°C,timeout\n"
                                       "1777593620000,boiler.temp,22\n"
                                       "2026-05-01T00:00:20Z,door.event,\"open, wide\",,\n");

    assert_int_equal(result.taken, 4);
    assert_int_equal(result.wrong, 0);
    history_ask(world, &query, "boiler.temp", 0, HISTORY_EPOCH_MS, 100);
    assert_int_equal(query.answer.count, 3);
    assert_string_equal(query.answer.unit, "°C");
    assert_true(query.answer.points[0].mean == 21.5);
    assert_int_equal(query.answer.points[1].quality, QUALITY_TIMEOUT);
    assert_true(query.answer.points[2].mean == 22);
    assert_int_equal(query.answer.points[2].at_ms, query.answer.points[0].at_ms + 20000);
    history_answered(&query);
    history_ask(world, &query, "door.event", 0, HISTORY_EPOCH_MS, 100);
    assert_int_equal(query.answer.count, 1);
    assert_string_equal(query.answer.points[0].text, "open, wide");
    history_answered(&query);
}

static void test_the_same_again_changes_nothing(void **state)
{
    struct history_world *world = *state;
    const char *csv = "2026-05-01T00:00:00Z,a.b,1\n2026-05-01T00:00:01Z,a.b,2\n"
                      "2026-05-01T00:00:01Z,a.b,3\n";
    struct store_import result = import(world, csv);

    assert_int_equal(result.taken, 2); /* a sensor has one value at a time */
    assert_int_equal(result.known, 1);
    result = import(world, csv);
    assert_int_equal(result.taken, 0);
    assert_int_equal(result.known, 3);
    assert_int_equal(history_number(world, "SELECT sum(count) FROM chunk"), 2);
}

static void test_what_was_recorded_here_is_known(void **state)
{
    struct history_world *world = *state;
    struct reading reading = world_number(0, 1000, 5);
    struct store_import result;

    intake_take(&world->intake, &reading, 1);
    history_flush(world);
    result = import(world, "1780272001000,d0.c0,5\n1780272001001,d0.c0,6\n");
    assert_int_equal(result.taken, 1);
    assert_int_equal(result.known, 1);
}

static void test_wrong_lines_are_counted_and_the_first_is_told(void **state)
{
    struct history_world *world = *state;
    struct store_import result = import(world, "2026-05-01T00:00:00Z,a.b,1\n"
                                               "yesterday,a.b,1\n"
                                               "2026-05-01T00:00:02Z,no sensor,1\n"
                                               "2026-05-01T00:00:03Z,a.b\n"
                                               "2026-05-01T00:00:04Z,a.b,1,,wonderful\n"
                                               "2026-05-01T00:00:05Z,a.b,\n"
                                               "2026-05-01T00:00:06Z,A.b,1\n"
                                               "2026-05-01T00:00:07Z,a.b,\"1\n");

    assert_int_equal(result.taken, 1);
    assert_int_equal(result.wrong, 7);
    assert_string_equal(result.first_wrong.text, "line 2: the time is none");
}

static void test_much_is_cut_into_chunks_and_rolled_up(void **state)
{
    struct history_world *world = *state;
    size_t size = 1000000, length = 0;
    char *csv = malloc(size);
    struct store_import result = {0};

    for (int i = 0; i < 10000; i++)
        length += (size_t)snprintf(csv + length, size - length, "%lld,a.b,%d\n",
                                   (long long)(HISTORY_EPOCH_MS - i * INT64_C(60000)), i % 7);
    assert_int_equal(history_db_import(&world->history, csv, &result), 0);
    free(csv);
    assert_int_equal(result.taken, 10000);
    assert_int_equal(history_number(world, "SELECT count(*) FROM chunk"), 3);
    history_tidy(world);
    assert_int_equal(history_number(world, "SELECT count(*) FROM chunk WHERE level=2"), 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, history_start, history_stop)
    const struct CMUnitTest tests[] = {
        CASE(test_lines_become_history),
        CASE(test_the_same_again_changes_nothing),
        CASE(test_what_was_recorded_here_is_known),
        CASE(test_wrong_lines_are_counted_and_the_first_is_told),
        CASE(test_much_is_cut_into_chunks_and_rolled_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
