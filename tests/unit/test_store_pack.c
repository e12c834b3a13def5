#include "gateway/store/pack.h"

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

static void assert_same(const struct reading *a, const struct reading *b,
                        const struct text_table *of_b)
{
    assert_int_equal(a->at_ms, b->at_ms);
    assert_int_equal(a->quality, b->quality);
    if (a->quality != QUALITY_GOOD)
        return;
    assert_int_equal(a->kind, b->kind);
    if (a->kind == VALUE_NUMBER)
        assert_memory_equal(&a->number, &b->number, sizeof(a->number));
    else
        assert_string_equal(text_table_get(texts, a->text), text_table_get(of_b, b->text));
}

static size_t round_trip(const struct reading *readings, size_t count, int64_t base_ms)
{
    struct reading *back = calloc(PACK_MAX, sizeof(*back));
    struct text_table *other = text_table_new();
    struct bytes bytes = {0};
    size_t length;

    pack_encode(&bytes, readings, count, base_ms, texts);
    assert_int_equal(pack_decode(bytes.data, bytes.length, base_ms, back, other), count);
    for (size_t i = 0; i < count; i++)
        assert_same(&readings[i], &back[i], other);
    length = bytes.length;
    bytes_free(&bytes);
    text_table_free(other);
    free(back);
    return length;
}

/* Anything that a sensor may do. */
static struct reading any(uint64_t *seed, int64_t at_ms)
{
    char word[16];
    uint64_t what = world_random(seed) % 10;

    if (what == 0)
        return world_bad(0, at_ms, (uint8_t)(world_random(seed) % 126 + 1));
    if (what == 1) {
        snprintf(word, sizeof(word), "text %d", (int)(world_random(seed) % 5));
        return (struct reading){
            .at_ms = at_ms, .kind = VALUE_TEXT, .text = text_table_add(texts, word)};
    }
    return world_number(0, at_ms, (double)(int64_t)(world_random(seed) % 10000 - 5000) / 100);
}

static void test_whatever_a_sensor_does_comes_back(void **state)
{
    struct reading readings[200];
    uint64_t seed = 7;

    (void)state;
    for (int round = 0; round < 500; round++) {
        size_t count = world_random(&seed) % 200 + 1;
        int64_t at_ms = (int64_t)(world_random(&seed) % 1000000000);

        for (size_t i = 0; i < count; i++) {
            /* Mostly on, sometimes at the same time, sometimes back. */
            at_ms += (int64_t)(world_random(&seed) % 20000) - 2000;
            readings[i] = any(&seed, at_ms);
        }
        round_trip(readings, count, round % 2 ? readings[0].at_ms : 0);
    }
}

static void test_a_sensor_that_is_polled_evenly_takes_three_bytes_a_reading(void **state)
{
    static struct reading readings[PACK_MAX];
    uint64_t seed = 8;

    (void)state;
    for (int i = 0; i < PACK_MAX; i++)
        readings[i] =
            world_number(0, 1000 + i * INT64_C(10000) + (int64_t)(world_random(&seed) % 8),
                         (double)(200 + (int)(world_random(&seed) % 30)) / 10);
    assert_true(round_trip(readings, PACK_MAX, 1000) < (size_t)PACK_MAX * 5 / 2);
}

static void test_another_base_moves_all_times(void **state)
{
    struct reading readings[2] = {world_number(0, 5000, 1), world_number(0, 6000, 2)}, *back;
    struct bytes bytes = {0};

    (void)state;
    back = calloc(PACK_MAX, sizeof(*back));
    pack_encode(&bytes, readings, 2, 5000, texts);
    assert_int_equal(pack_decode(bytes.data, bytes.length, 1700000005000, back, texts), 2);
    assert_int_equal(back[0].at_ms, 1700000005000);
    assert_int_equal(back[1].at_ms, 1700000006000);
    bytes_free(&bytes);
    free(back);
}

static void test_damaged_bytes_are_refused_or_at_least_survived(void **state)
{
    struct reading *back = calloc(PACK_MAX, sizeof(*back)), readings[60];
    struct bytes bytes = {0};
    uint64_t seed = 9;

    (void)state;
    for (int i = 0; i < 60; i++)
        readings[i] = any(&seed, i * 1000);
    pack_encode(&bytes, readings, 60, 0, texts);
    for (size_t cut = 0; cut < bytes.length; cut++)
        assert_int_equal(pack_decode(bytes.data, cut, 0, back, texts), -EBADMSG);
    for (int round = 0; round < 20000; round++) {
        uint8_t was, *at = &bytes.data[world_random(&seed) % bytes.length];

        was = *at;
        *at = (uint8_t)world_random(&seed);
        pack_decode(bytes.data, bytes.length, 0, back, texts);
        *at = was;
    }
    assert_int_equal(pack_decode("\0", 1, 0, back, texts), -EBADMSG);
    bytes_free(&bytes);
    free(back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whatever_a_sensor_does_comes_back, start, stop),
        cmocka_unit_test_setup_teardown(
            test_a_sensor_that_is_polled_evenly_takes_three_bytes_a_reading, start, stop),
        cmocka_unit_test_setup_teardown(test_another_base_moves_all_times, start, stop),
        cmocka_unit_test_setup_teardown(test_damaged_bytes_are_refused_or_at_least_survived, start,
                                        stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
