#include "gateway/store/csv_row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/csv.h"

#include <errno.h>
#include <string.h>

static void test_qualities_have_names(void **state)
{
    uint8_t quality;

    (void)state;
    assert_int_equal(csv_to_quality("timeout", &quality), 0);
    assert_int_equal(quality, QUALITY_TIMEOUT);
    assert_int_equal(csv_to_quality("exception_2", &quality), 0);
    assert_int_equal(quality, QUALITY_EXCEPTION + 2);
    assert_int_equal(csv_to_quality("", &quality), 0);
    assert_int_equal(quality, QUALITY_GOOD);
    assert_int_equal(csv_to_quality("fine", &quality), -EINVAL);
}

static void test_a_line_reads_back_as_what_it_says(void **state)
{
    struct store_row row = {.at_ms = 1795265525123,
                            .sensor = "boiler.mode",
                            .unit = "°C, or \"F\"",
                            .kind = VALUE_TEXT,
                            .text = "#1; \"on\"\nreally, yes"};
    char line[STORE_CSV_LINE_SIZE], *fields[5];
    struct csv csv;

    size_t length = store_csv_line(line, &row);

    (void)state;
    assert_int_equal(length, strlen(line));
    csv_start(&csv, line, ',');
    assert_int_equal(csv_next(&csv, fields, 5), 5);
    assert_string_equal(fields[0], "2026-11-21T12:52:05.123Z");
    assert_string_equal(fields[1], "boiler.mode");
    assert_string_equal(fields[2], "#1; \"on\" really, yes");
    assert_string_equal(fields[3], "°C, or \"F\"");
    assert_string_equal(fields[4], "good");
    assert_int_equal(csv_next(&csv, fields, 5), 0);
}

static void test_numbers_and_gaps_are_plain(void **state)
{
    struct store_row row = {.at_ms = 0, .sensor = "a.b", .unit = "", .kind = VALUE_NUMBER};
    char line[STORE_CSV_LINE_SIZE];

    (void)state;
    row.number = 0.1;
    store_csv_line(line, &row);
    assert_string_equal(line, "1970-01-01T00:00:00.000Z,a.b,0.1,,good\n");
    row.kind = VALUE_NONE;
    row.quality = QUALITY_TIMEOUT;
    store_csv_line(line, &row);
    assert_string_equal(line, "1970-01-01T00:00:00.000Z,a.b,,,timeout\n");
}

static void test_a_line_always_ends(void **state)
{
    char line[STORE_CSV_LINE_SIZE], unit[1000];
    struct store_row row = {.sensor = "a.b", .unit = unit};

    (void)state;
    memset(unit, '"', sizeof(unit) - 1);
    unit[sizeof(unit) - 1] = '\0';
    assert_in_range(store_csv_line(line, &row), 1, STORE_CSV_LINE_SIZE - 1);
    assert_int_equal(line[strlen(line) - 1], '\n');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_qualities_have_names),
        cmocka_unit_test(test_a_line_reads_back_as_what_it_says),
        cmocka_unit_test(test_numbers_and_gaps_are_plain),
        cmocka_unit_test(test_a_line_always_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
