#include "gateway/store/numbers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/store_world.h"

/* Packs, unpacks, compares bit by bit; returns how many bytes it took. */
static size_t round_trip(const double *numbers, size_t count)
{
    double *back = calloc(count + 1, sizeof(*back));
    struct bytes bytes = {0};
    struct bytes_reader reader;
    size_t length;

    numbers_encode(&bytes, numbers, count);
    reader = (struct bytes_reader){bytes.data, bytes.data + bytes.length, false};
    assert_true(numbers_decode(&reader, back, count));
    assert_ptr_equal(reader.at, reader.end);
    assert_memory_equal(back, numbers, count * sizeof(*numbers));
    length = bytes.length;
    bytes_free(&bytes);
    free(back);
    return length;
}

static void test_decimals_take_a_byte_or_two(void **state)
{
    double numbers[1000];
    uint64_t seed = 1;
    int64_t k = 234;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        k += (int64_t)(world_random(&seed) % 21) - 10;
        numbers[i] = (double)k / 10;
    }
    assert_true(round_trip(numbers, 1000) < 1010);
    assert_int_equal(numbers_decimals(numbers, 1000), 1);
}

static void test_scaled_registers_do_too(void **state)
{
    double numbers[1000];
    uint64_t seed = 2;

    (void)state;
    for (int i = 0; i < 1000; i++)
        numbers[i] = (double)(int64_t)(world_random(&seed) % 50) * 0.1;
    assert_true(round_trip(numbers, 1000) < 1010);
    for (int i = 0; i < 1000; i++)
        numbers[i] = (double)(int64_t)(world_random(&seed) % 5000) * 0.001;
    assert_true(round_trip(numbers, 1000) < 2010);
}

static void test_floats_take_at_most_five_bytes(void **state)
{
    double numbers[1000];
    uint64_t seed = 3;

    (void)state;
    for (int i = 0; i < 1000; i++)
        numbers[i] = (double)(float)(21.0 + (double)(world_random(&seed) % 100000) / 98765.4321);
    assert_true(round_trip(numbers, 1000) < 5000);
}

static void test_every_double_comes_back(void **state)
{
    double numbers[64];
    uint64_t seed = 4, bits;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        size_t count = world_random(&seed) % 64 + 1;

        for (size_t i = 0; i < count; i++) {
            do {
                bits = world_random(&seed);
                memcpy(&numbers[i], &bits, sizeof(bits));
            } while (!isfinite(numbers[i]));
            if (round % 2)
                numbers[i] = (double)(int64_t)(world_random(&seed) % 2000000) / 1000;
        }
        assert_true(round_trip(numbers, count) <= 9 * count + 1);
    }
}

static void test_the_odd_ones_come_back(void **state)
{
    const double numbers[] = {0.0,
                              -0.0,
                              1e300,
                              -1e-300,
                              9007199254740992.0,
                              0.1,
                              1.0 / 3,
                              -9007199254740993.0,
                              4e15,
                              123456789.123456789,
                              5e-324,
                              1.7e308,
                              0.30000000000000004,
                              1e15 + 0.3,
                              -273.15};

    (void)state;
    round_trip(numbers, sizeof(numbers) / sizeof(numbers[0]));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        round_trip(&numbers[i], 1);
}

static void test_damaged_columns_are_refused_or_at_least_survived(void **state)
{
    uint8_t bytes[64];
    double numbers[64];
    uint64_t seed = 5;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct bytes_reader reader = {bytes, bytes + sizeof(bytes), false};

        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)world_random(&seed);
        if (round % 2)
            bytes[0] = (uint8_t)(round % 40);
        if (bytes[0] % 16 > 9 || (bytes[0] > 25 && bytes[0] != 32 && bytes[0] != 33))
            assert_false(numbers_decode(&reader, numbers, 64));
        else
            numbers_decode(&reader, numbers, 64);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decimals_take_a_byte_or_two),
        cmocka_unit_test(test_scaled_registers_do_too),
        cmocka_unit_test(test_floats_take_at_most_five_bytes),
        cmocka_unit_test(test_every_double_comes_back),
        cmocka_unit_test(test_the_odd_ones_come_back),
        cmocka_unit_test(test_damaged_columns_are_refused_or_at_least_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
