#include "adapters/sim/track.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A recording on disk, for as long as a test runs. */
struct world {
    char path[64];
    struct tracks *tracks;
    struct error err;
};

static int open_world(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    snprintf(world->path, sizeof(world->path), "/tmp/track-XXXXXX");
    close(mkstemp(world->path));
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    tracks_free(world->tracks);
    unlink(world->path);
    free(world);
    return 0;
}

static int load(struct world *world, const char *text)
{
    FILE *file = fopen(world->path, "w");
    tracks_free(world->tracks);
    world->tracks = NULL;
    world->err = (struct error){0};
    fputs(text, file);
    fclose(file);
    return tracks_load(world->path, &world->tracks, &world->err);
}

static void expect_number(const struct world *world, const char *sensor, int64_t ms, double number)
{
    struct sample sample = tracks_at(world->tracks, sensor, ms, 3, 777);
    assert_int_equal(sample.kind, VALUE_NUMBER);
    assert_true(sample.number == number);
    assert_int_equal(sample.channel, 3);
    assert_int_equal(sample.at_ms, 777);
}

static void expect_bad(const struct world *world, const char *sensor, int64_t ms, uint8_t quality)
{
    struct sample sample = tracks_at(world->tracks, sensor, ms, 3, 777);
    assert_int_equal(sample.kind, VALUE_NONE);
    assert_int_equal(sample.quality, quality);
    assert_int_equal(sample.channel, 3);
}

/* Refused, and the words name the file, the line, and this. */
static void expect_refused(struct world *world, const char *text, int line, const char *words)
{
    char place[100];
    assert_true(load(world, text) < 0);
    assert_null(world->tracks);
    snprintf(place, sizeof(place), "%s:%d: ", world->path, line);
    assert_non_null(strstr(world->err.text, place));
    assert_non_null(strstr(world->err.text, words));
}

static void the_newest_row_at_or_before_a_time_is_played(void **state)
{
    struct world *world = *state;
    assert_int_equal(load(world, "time,sensor,value\n10,a.t,1\n11.5,a.t,2\n13,a.t,-3.25\n"), 0);
    expect_number(world, "a.t", 0, 1);
    expect_number(world, "a.t", 1499, 1);
    expect_number(world, "a.t", 1500, 2);
    expect_number(world, "a.t", 3000, -3.25);
    expect_number(world, "a.t", 100000, -3.25);
    assert_int_equal(tracks_length_ms(world->tracks), 3001);
}

static void sensors_are_played_side_by_side(void **state)
{
    struct world *world = *state;
    assert_int_equal(load(world, "time,sensor,value\n0,b.t,5\n0,a.t,1\n1,a.t,2\n2,b.t,6\n"), 0);
    expect_number(world, "a.t", 2000, 2);
    expect_number(world, "b.t", 1999, 5);
    expect_number(world, "b.t", 2000, 6);
}

static void before_its_first_row_a_sensor_was_not_read(void **state)
{
    struct world *world = *state;
    assert_int_equal(load(world, "time,sensor,value\n0,b.t,5\n2,a.t,1\n"), 0);
    expect_bad(world, "a.t", 1999, QUALITY_NOT_READ);
    expect_number(world, "a.t", 2000, 1);
}

static void a_sensor_without_rows_is_no_sensor(void **state)
{
    struct world *world = *state;
    assert_int_equal(load(world, "time,sensor,value\n0,b.t,5\n"), 0);
    expect_bad(world, "a.t", 0, QUALITY_NO_SENSOR);
    expect_bad(world, "b.u", 0, QUALITY_NO_SENSOR);
    expect_bad(world, "b", 0, QUALITY_NO_SENSOR);
    expect_bad(world, "", 0, QUALITY_NO_SENSOR);
}

static void rows_may_stand_in_any_order_and_of_equal_times_the_later_is_newer(void **state)
{
    struct world *world = *state;
    assert_int_equal(load(world, "time,sensor,value\n5,a.t,3\n1,a.t,1\n5,a.t,4\n3,a.t,2\n"), 0);
    expect_number(world, "a.t", 0, 1);
    expect_number(world, "a.t", 2000, 2);
    expect_number(world, "a.t", 4000, 4);
}

static void columns_are_found_by_name_and_others_ignored(void **state)
{
    struct world *world = *state;
    assert_int_equal(load(world, "unit;value;x;sensor;time\nC;1;;a.t;0\nC;2;;a.t;1\n"), 0);
    expect_number(world, "a.t", 1000, 2);
}

static void a_bad_row_or_an_empty_value_has_no_value(void **state)
{
    struct world *world = *state;
    assert_int_equal(load(world, "time,sensor,value,quality\n"
                                 "0,a.t,1,good\n1,a.t,2,timeout\n2,a.t,,good\n3,a.t,4,\n"),
                     0);
    expect_number(world, "a.t", 0, 1);
    assert_int_equal(tracks_at(world->tracks, "a.t", 1000, 0, 0).kind, VALUE_NONE);
    assert_int_not_equal(tracks_at(world->tracks, "a.t", 1000, 0, 0).quality, QUALITY_GOOD);
    assert_int_equal(tracks_at(world->tracks, "a.t", 2000, 0, 0).kind, VALUE_NONE);
    expect_number(world, "a.t", 3000, 4);
}

static void what_is_no_number_is_a_text(void **state)
{
    struct world *world = *state;
    struct sample sample;
    assert_int_equal(load(world, "time,sensor,value\n0,door.event,open\n"), 0);
    sample = tracks_at(world->tracks, "door.event", 0, 1, 2);
    assert_int_equal(sample.kind, VALUE_TEXT);
    assert_string_equal(sample.text, "open");
}

static void seconds_are_exact_to_the_millisecond(void **state)
{
    struct world *world = *state;
    assert_int_equal(load(world, "time,sensor,value\n0,a.t,0\n1.001,a.t,1\n4.035,a.t,2\n"), 0);
    expect_number(world, "a.t", 1000, 0);
    expect_number(world, "a.t", 1001, 1);
    assert_int_equal(tracks_length_ms(world->tracks), 4036);
}

static void iso_times_are_taken_with_and_without_zone(void **state)
{
    struct world *world = *state;
    assert_int_equal(load(world, "time,sensor,value\n"
                                 "2026-11-21T14:00:00+01:00,a.t,0\n"
                                 "2026-11-21T13:00:01.5Z,a.t,1\n"
                                 "2026-11-21T14:00:02,a.t,2\n"
                                 "2026-11-21 14:00:03.250,a.t,3\n"
                                 "2026-11-21T10:30:04-02:30,a.t,4\n"),
                     0);
    expect_number(world, "a.t", 0, 0);
    expect_number(world, "a.t", 1500, 1);
    expect_number(world, "a.t", 2000, 2);
    expect_number(world, "a.t", 3250, 3);
    expect_number(world, "a.t", 4000, 4);
    assert_int_equal(tracks_length_ms(world->tracks), 4001);
}

static void a_missing_header_is_refused(void **state)
{
    struct world *world = *state;
    expect_refused(world, "", 1, "time,sensor,value");
    expect_refused(world, "0,a.t,1\n", 1, "time,sensor,value");
    expect_refused(world, "time,sensor\n0,a.t\n", 1, "time,sensor,value");
}

static void a_broken_row_is_refused_with_its_line(void **state)
{
    struct world *world = *state;
    expect_refused(world, "time,sensor,value\n0,a.t,1\n\n1,a.t\n", 4, "a row is");
    expect_refused(world, "time,sensor,value\nsoon,a.t,1\n", 2, "a row is");
    expect_refused(world, "time,sensor,value\n1e300,a.t,1\n", 2, "a row is");
    expect_refused(world, "time,sensor,value\n2026-11-21T14:02:05+x,a.t,1\n", 2, "a row is");
    expect_refused(world, "time,sensor,value\n2026-11-21T14:02:05+01:00x,a.t,1\n", 2, "a row is");
    expect_refused(world, "time,sensor,value\n2026-13-45T14:02:05,a.t,1\n", 2, "a row is");
    expect_refused(world, "time,sensor,value\n0,\"a.t,1\n", 2, "quote");
    expect_refused(world, "time,sensor,value\n", 1, "no rows");
}

/* The texts of the rows that come until `ms`, and "|". */
static void take_events(const struct world *world, int64_t ms, struct track_place *place,
                        char *said)
{
    struct sample sample = tracks_next(world->tracks, "a.e", ms, 3, 777, place);
    for (; sample.kind == VALUE_TEXT;
         sample = tracks_next(world->tracks, "a.e", ms, 3, 777, place)) {
        strcat(said, sample.text);
        strcat(said, " ");
    }
    assert_int_equal(sample.quality, QUALITY_QUIET);
    strcat(said, "|");
}

static void of_events_each_row_comes_once_in_each_round(void **state)
{
    struct world *world = *state;
    struct track_place place = {0};
    char said[200] = "";
    assert_int_equal(load(world, "time,sensor,value\n0,a.e,open\n1,a.e,open\n1,a.e,7\n2,a.t,1\n"),
                     0);
    take_events(world, 0, &place, said);
    take_events(world, 999, &place, said);
    take_events(world, 2000, &place, said);
    take_events(world, 2001, &place, said);
    take_events(world, 6500, &place, said);
    assert_string_equal(said, "open ||open 7 |open |open 7 open open 7 open |");
}

static void rows_that_say_that_nothing_has_happened_are_none(void **state)
{
    struct world *world = *state;
    struct track_place place = {0};
    assert_int_equal(load(world, "time,sensor,value,quality\n0,a.e,open,good\n1,a.e,,quiet\n"
                                 "2,a.e,,timeout\n3,a.t,1,good\n"),
                     0);
    assert_string_equal(tracks_next(world->tracks, "a.e", 2500, 3, 777, &place).text, "open");
    assert_int_equal(tracks_next(world->tracks, "a.e", 2500, 3, 777, &place).quality,
                     QUALITY_ERROR);
    assert_int_equal(tracks_next(world->tracks, "a.e", 2500, 3, 777, &place).quality,
                     QUALITY_QUIET);
    assert_int_equal(tracks_next(world->tracks, "a.x", 2500, 3, 777, &place).quality,
                     QUALITY_NO_SENSOR);
}

static void what_is_no_file_is_refused(void **state)
{
    struct world *world = *state;
    assert_true(tracks_load("/nonexistent/recording.csv", &world->tracks, &world->err) < 0);
    assert_non_null(strstr(world->err.text, "/nonexistent/recording.csv"));
    assert_true(tracks_load("/tmp", &world->tracks, &world->err) < 0);
    assert_true(tracks_load("/dev/zero", &world->tracks, &world->err) < 0);
    assert_true(tracks_load("/dev/zero", &world->tracks, NULL) < 0);
    assert_null(world->tracks);
}

static void a_file_beyond_the_limit_is_refused(void **state)
{
    struct world *world = *state;
    assert_int_equal(truncate(world->path, 64 * 1024 * 1024 + 1), 0);
    assert_true(tracks_load(world->path, &world->tracks, &world->err) < 0);
    assert_non_null(strstr(world->err.text, world->path));
}

#define TRACK_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRACK_TEST(the_newest_row_at_or_before_a_time_is_played),
        TRACK_TEST(sensors_are_played_side_by_side),
        TRACK_TEST(before_its_first_row_a_sensor_was_not_read),
        TRACK_TEST(a_sensor_without_rows_is_no_sensor),
        TRACK_TEST(rows_may_stand_in_any_order_and_of_equal_times_the_later_is_newer),
        TRACK_TEST(columns_are_found_by_name_and_others_ignored),
        TRACK_TEST(a_bad_row_or_an_empty_value_has_no_value),
        TRACK_TEST(what_is_no_number_is_a_text),
        TRACK_TEST(seconds_are_exact_to_the_millisecond),
        TRACK_TEST(iso_times_are_taken_with_and_without_zone),
        TRACK_TEST(a_missing_header_is_refused),
        TRACK_TEST(a_broken_row_is_refused_with_its_line),
        TRACK_TEST(of_events_each_row_comes_once_in_each_round),
        TRACK_TEST(rows_that_say_that_nothing_has_happened_are_none),
        TRACK_TEST(what_is_no_file_is_refused),
        TRACK_TEST(a_file_beyond_the_limit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
