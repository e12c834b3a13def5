#include "gateway/store/rollup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/store_world.h"

#include <errno.h>

static struct text_table *texts;

static int start(void **state)
{
    (void)state;
    texts = text_table_new();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    text_table_free(texts);
    return 0;
}

static void test_a_stretch_knows_least_greatest_mean_and_count(void **state)
{
    struct rollups rollups = {.step_ms = 60000};
    const double numbers[] = {3, 1, 4, 1, 5};

    (void)state;
    for (int i = 0; i < 5; i++) {
        struct reading reading = world_number(0, 120000 + i * 10000, numbers[i]);

        rollups_add_reading(&rollups, &reading);
    }
    assert_int_equal(rollups.count, 1);
    assert_int_equal(rollups.items[0].at_ms, 120000);
    assert_int_equal(rollups.items[0].count, 5);
    assert_true(rollups.items[0].min == 1 && rollups.items[0].max == 5);
    assert_true(rollups.items[0].sum == 14);
    rollups_free(&rollups);
}

static void test_stretches_stay_in_order_whatever_comes_when(void **state)
{
    struct rollups rollups = {.step_ms = 1000};
    uint64_t seed = 11;
    double sum = 0, sums = 0;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        struct reading reading =
            world_number(0, (int64_t)(world_random(&seed) % 300000) - 100000, i);

        sum += i;
        rollups_add_reading(&rollups, &reading);
    }
    assert_int_equal(rollups.count, 300);
    for (size_t i = 0; i < rollups.count; i++) {
        assert_int_equal(rollups.items[i].at_ms, -100000 + (int64_t)i * 1000);
        sums += rollups.items[i].sum;
    }
    assert_true(sum == sums);
    rollups_free(&rollups);
}

static void test_a_gap_is_told_where_the_stretch_ends_in_it(void **state)
{
    struct rollups rollups = {.step_ms = 60000};
    struct reading readings[] = {
        world_number(0, 1000, 1),         world_bad(0, 2000, QUALITY_TIMEOUT),
        world_number(0, 3000, 2),         world_number(0, 61000, 3),
        world_bad(0, 62000, QUALITY_CRC), world_bad(0, 130000, QUALITY_CRC)};

    (void)state;
    for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++)
        rollups_add_reading(&rollups, &readings[i]);
    assert_int_equal(rollups.count, 3);
    assert_int_equal(rollups.items[0].quality, QUALITY_GOOD);
    assert_int_equal(rollups.items[0].count, 2);
    assert_int_equal(rollups.items[1].quality, QUALITY_CRC);
    assert_int_equal(rollups.items[1].count, 1);
    assert_int_equal(rollups.items[2].count, 0);
    rollups_free(&rollups);
}

static void test_texts_are_counted_each_and_many_become_other(void **state)
{
    struct rollups rollups = {.step_ms = 60000};
    uint64_t total = 0;
    char word[16];

    (void)state;
    for (int i = 0; i < 100; i++) {
        struct reading reading = {.at_ms = i, .kind = VALUE_TEXT};

        snprintf(word, sizeof(word), "w%d", i < 50 ? i % 2 : i);
        reading.text = text_table_add(texts, word);
        rollups_add_reading(&rollups, &reading);
    }
    assert_int_equal(rollups.count, ROLLUP_TEXTS_MAX + 1);
    assert_int_equal(rollups.items[0].count, 25);
    for (size_t i = 0; i < rollups.count; i++)
        total += rollups.items[i].count;
    assert_int_equal(total, 100);
    assert_string_equal(text_table_get(texts, rollups.items[rollups.count - 1].text), "other");
    rollups_free(&rollups);
}

static void fill(struct rollups *rollups, uint64_t seed, bool with_texts)
{
    char word[16];

    for (int i = 0; i < 3000; i++) {
        struct reading reading =
            world_number(0, i * INT64_C(10000), (double)(int64_t)(world_random(&seed) % 1000) / 10);

        if (i % 17 == 0)
            reading = world_bad(0, reading.at_ms, QUALITY_TIMEOUT);
        if (with_texts && i % 5 == 0) {
            snprintf(word, sizeof(word), "w%d", i % 3);
            reading = (struct reading){.at_ms = reading.at_ms, .kind = VALUE_TEXT};
            reading.text = text_table_add(texts, word);
        }
        rollups_add_reading(rollups, &reading);
    }
}

static void test_packed_ones_come_back(void **state)
{
    for (int with_texts = 0; with_texts < 2; with_texts++) {
        struct rollups rollups = {.step_ms = 60000};
        struct rollup *back = calloc(ROLLUP_MAX, sizeof(*back));
        struct text_table *other = text_table_new();
        struct bytes bytes = {0};

        (void)state;
        fill(&rollups, 12, with_texts);
        rollup_encode(&bytes, rollups.items, rollups.count, 60000, texts);
        if (!with_texts)
            assert_true(bytes.length < rollups.count * 10);
        assert_int_equal(
            rollup_decode(bytes.data, bytes.length, rollups.items[0].at_ms, 60000, back, other),
            rollups.count);
        for (size_t i = 0; i < rollups.count; i++) {
            const struct rollup *is = &rollups.items[i];

            assert_int_equal(back[i].at_ms, is->at_ms);
            assert_int_equal(back[i].count, is->count);
            assert_int_equal(back[i].kind, is->kind);
            assert_int_equal(back[i].quality, is->quality);
            if (is->kind == VALUE_TEXT)
                assert_string_equal(text_table_get(other, back[i].text),
                                    text_table_get(texts, is->text));
            if (is->kind != VALUE_NUMBER)
                continue;
            assert_true(back[i].min == is->min && back[i].max == is->max);
            assert_true(fabs(back[i].sum - is->sum) / is->count <= 0.00005001);
        }
        bytes_free(&bytes);
        rollups_free(&rollups);
        text_table_free(other);
        free(back);
    }
}

static void test_damaged_bytes_are_refused_or_at_least_survived(void **state)
{
    struct rollups rollups = {.step_ms = 60000};
    struct rollup *back = calloc(ROLLUP_MAX, sizeof(*back));
    struct bytes bytes = {0};
    uint64_t seed = 13;

    (void)state;
    fill(&rollups, 13, true);
    rollup_encode(&bytes, rollups.items, 50, 60000, texts);
    for (size_t cut = 0; cut < bytes.length; cut++)
        assert_int_equal(rollup_decode(bytes.data, cut, 0, 60000, back, texts), -EBADMSG);
    for (int round = 0; round < 5000; round++) {
        uint8_t was, *at = &bytes.data[world_random(&seed) % bytes.length];

        was = *at;
        *at = (uint8_t)world_random(&seed);
        rollup_decode(bytes.data, bytes.length, 0, 60000, back, texts);
        *at = was;
    }
    bytes_free(&bytes);
    rollups_free(&rollups);
    free(back);
}

static void test_a_stretch_begins_at_or_before_its_time(void **state)
{
    (void)state;
    assert_int_equal(rollup_start(59999, 60000), 0);
    assert_int_equal(rollup_start(60000, 60000), 60000);
    assert_int_equal(rollup_start(-1, 60000), -60000);
    assert_int_equal(rollup_start(-60000, 60000), -60000);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(test_a_stretch_knows_least_greatest_mean_and_count),
        CASE(test_stretches_stay_in_order_whatever_comes_when),
        CASE(test_a_gap_is_told_where_the_stretch_ends_in_it),
        CASE(test_texts_are_counted_each_and_many_become_other),
        CASE(test_packed_ones_come_back),
        CASE(test_damaged_bytes_are_refused_or_at_least_survived),
        CASE(test_a_stretch_begins_at_or_before_its_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
