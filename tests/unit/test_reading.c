#include "gateway/base/reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void every_quality_has_its_own_name(void **state)
{
    (void)state;
    for (int a = 0; a <= QUALITY_ERROR; a++) {
        assert_non_null(quality_name((uint8_t)a));
        for (int b = 0; b < a; b++)
            assert_string_not_equal(quality_name((uint8_t)a), quality_name((uint8_t)b));
    }
    assert_string_equal(quality_name(QUALITY_GOOD), "good");
    assert_string_equal(quality_name(QUALITY_POWER_ON), "power_on");
    assert_string_equal(quality_name(QUALITY_OUT_OF_RANGE), "out_of_range");
}

/* They are saved and published by name and number: none may move. */
static void numbers_of_qualities_never_change(void **state)
{
    (void)state;
    assert_int_equal(QUALITY_GOOD, 0);
    assert_int_equal(QUALITY_STALE, 1);
    assert_int_equal(QUALITY_TIMEOUT, 2);
    assert_int_equal(QUALITY_NOT_READ, 12);
    assert_int_equal(QUALITY_ERROR, 13);
    assert_int_equal(QUALITY_EXCEPTION, 64);
}

static void exceptions_carry_their_number(void **state)
{
    const char *two = quality_name(QUALITY_EXCEPTION + 2);
    (void)state;
    assert_string_equal(two, "exception_2");
    assert_string_equal(quality_name(QUALITY_MAX), "exception_63");
    assert_ptr_equal(quality_name(QUALITY_EXCEPTION + 2), two);
}

static void a_number_that_is_no_quality_is_an_error(void **state)
{
    (void)state;
    for (int q = QUALITY_QUIET + 1; q < QUALITY_EXCEPTION; q++)
        assert_string_equal(quality_name((uint8_t)q), "error");
    for (int q = QUALITY_MAX + 1; q < 256; q++)
        assert_string_equal(quality_name((uint8_t)q), "error");
}

static void a_sample_keeps_channel_time_and_value(void **state)
{
    struct sample sample = sample_number(3, 42, -1.5);
    (void)state;
    assert_int_equal(sample.channel, 3);
    assert_int_equal(sample.at_ms, 42);
    assert_int_equal(sample.kind, VALUE_NUMBER);
    assert_int_equal(sample.quality, QUALITY_GOOD);
    assert_true(sample.number == -1.5);
}

static void a_number_that_is_not_finite_has_no_value(void **state)
{
    const double numbers[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct sample sample = sample_number(1, 2, numbers[i]);
        assert_int_equal(sample.kind, VALUE_NONE);
        assert_int_equal(sample.quality, QUALITY_OUT_OF_RANGE);
        assert_int_equal(sample.channel, 1);
        assert_int_equal(sample.at_ms, 2);
    }
}

static void a_bad_sample_has_no_value(void **state)
{
    struct sample sample = sample_bad(7, 9, QUALITY_CRC);
    (void)state;
    assert_int_equal(sample.kind, VALUE_NONE);
    assert_int_equal(sample.quality, QUALITY_CRC);
    assert_int_equal(sample.channel, 7);
}

static void a_long_text_is_cut_at_a_whole_character(void **state)
{
    struct sample sample;
    char text[SAMPLE_TEXT_SIZE + 10];
    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text + SAMPLE_TEXT_SIZE - 2, "ü", 3); /* its second byte would be the last that fits */
    sample = sample_text(0, 0, text);
    assert_int_equal(sample.kind, VALUE_TEXT);
    assert_int_equal(sample.quality, QUALITY_GOOD);
    assert_int_equal(strlen(sample.text), SAMPLE_TEXT_SIZE - 2);
}

static void the_same_text_has_one_number(void **state)
{
    struct text_table *table = text_table_new();
    char copy[] = "open";
    uint32_t open = text_table_add(table, "open"), closed = text_table_add(table, "closed");
    (void)state;
    assert_int_not_equal(open, closed);
    assert_int_equal(text_table_add(table, copy), open);
    assert_string_equal(text_table_get(table, open), "open");
    assert_string_equal(text_table_get(table, closed), "closed");
    assert_string_equal(text_table_get(table, text_table_add(table, "")), "");
    text_table_free(table);
    text_table_free(NULL);
}

static void a_text_is_copied(void **state)
{
    struct text_table *table = text_table_new();
    char text[] = "open";
    uint32_t id = text_table_add(table, text);
    (void)state;
    text[0] = 'X';
    assert_string_equal(text_table_get(table, id), "open");
    text_table_free(table);
}

static void beyond_its_capacity_texts_are_other_and_counted(void **state)
{
    struct text_table *table = text_table_new();
    uint32_t ids[TEXT_TABLE_MAX];
    char text[32];
    (void)state;
    for (int i = 0; i < TEXT_TABLE_MAX; i++) {
        snprintf(text, sizeof(text), "text %d", i);
        ids[i] = text_table_add(table, text);
    }
    assert_int_equal(text_table_overflows(table), 0);
    for (int i = 0; i < 10; i++) {
        snprintf(text, sizeof(text), "more %d", i);
        assert_string_equal(text_table_get(table, text_table_add(table, text)), "other");
    }
    assert_int_equal(text_table_overflows(table), 10);
    for (int i = 0; i < TEXT_TABLE_MAX; i++) {
        snprintf(text, sizeof(text), "text %d", i);
        assert_string_equal(text_table_get(table, ids[i]), text);
        assert_int_equal(text_table_add(table, text), ids[i]);
    }
    assert_int_equal(text_table_overflows(table), 10);
    text_table_free(table);
}

static void a_number_that_was_never_given_is_other(void **state)
{
    struct text_table *table = text_table_new();
    (void)state;
    text_table_add(table, "open");
    assert_string_equal(text_table_get(table, 4000), "other");
    assert_string_equal(text_table_get(table, UINT32_MAX), "other");
    text_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_quality_has_its_own_name),
        cmocka_unit_test(numbers_of_qualities_never_change),
        cmocka_unit_test(exceptions_carry_their_number),
        cmocka_unit_test(a_number_that_is_no_quality_is_an_error),
        cmocka_unit_test(a_sample_keeps_channel_time_and_value),
        cmocka_unit_test(a_number_that_is_not_finite_has_no_value),
        cmocka_unit_test(a_bad_sample_has_no_value),
        cmocka_unit_test(a_long_text_is_cut_at_a_whole_character),
        cmocka_unit_test(the_same_text_has_one_number),
        cmocka_unit_test(a_text_is_copied),
        cmocka_unit_test(beyond_its_capacity_texts_are_other_and_counted),
        cmocka_unit_test(a_number_that_was_never_given_is_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
