#include "gateway/store/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_numbers_come_back_and_small_ones_are_short(void **state)
{
    const int64_t numbers[] = {0, 1, -1, 63, -64, 64, 300, -300, INT64_MAX, INT64_MIN};
    struct bytes bytes = {0};
    struct bytes_reader reader;

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        bytes_put_signed(&bytes, numbers[i]);
        bytes_put_unsigned(&bytes, (uint64_t)numbers[i]);
        if (i == 2)
            assert_int_equal(bytes.length, 3 + 1 + 1 + 10);
    }
    reader = (struct bytes_reader){bytes.data, bytes.data + bytes.length, false};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        assert_int_equal(bytes_get_signed(&reader), numbers[i]);
        assert_int_equal(bytes_get_unsigned(&reader), (uint64_t)numbers[i]);
    }
    assert_false(reader.failed);
    assert_ptr_equal(reader.at, reader.end);
    bytes_free(&bytes);
}

static void test_it_grows_as_it_must(void **state)
{
    struct bytes bytes = {0};
    char piece[1000];

    (void)state;
    memset(piece, 'x', sizeof(piece));
    for (int i = 0; i < 100; i++)
        bytes_put(&bytes, piece, sizeof(piece));
    bytes_put_byte(&bytes, 'y');
    assert_int_equal(bytes.length, 100001);
    assert_int_equal(bytes.data[99999], 'x');
    assert_int_equal(bytes.data[100000], 'y');
    bytes_free(&bytes);
    assert_null(bytes.data);
}

static void test_a_reader_never_leaves_its_bytes(void **state)
{
    const uint8_t endless[] = {0xff, 0xff, 0xff};
    struct bytes_reader reader = {endless, endless + sizeof(endless), false};

    (void)state;
    assert_int_equal(bytes_get_unsigned(&reader), 0);
    assert_true(reader.failed);
    assert_null(bytes_get(&reader, 1));
    assert_int_equal(bytes_get_byte(&reader), 0);
    reader = (struct bytes_reader){endless, endless + 2, false};
    assert_non_null(bytes_get(&reader, 2));
    assert_null(bytes_get(&reader, 1));
}

static void test_a_count_that_cannot_be_is_none(void **state)
{
    const uint8_t bytes[] = {3, 'a', 'b', 4, 'a'};
    struct bytes_reader reader = {bytes, bytes + sizeof(bytes), false};

    (void)state;
    assert_int_equal(bytes_get_count(&reader), 3);
    reader.at += 2;
    assert_int_equal(bytes_get_count(&reader), 0);
    assert_true(reader.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_come_back_and_small_ones_are_short),
        cmocka_unit_test(test_it_grows_as_it_must),
        cmocka_unit_test(test_a_reader_never_leaves_its_bytes),
        cmocka_unit_test(test_a_count_that_cannot_be_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
