#include "gateway/store/staged.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_sections_come_back_in_order(void **state)
{
    struct staged_writer writer = {0};
    struct staged_section section;
    struct staged_reader reader;
    struct bytes blob = {0};
    const int64_t series[] = {5, 3, 3, 1000000};

    (void)state;
    for (int round = 0; round < 2; round++) {
        blob.length = 0;
        for (int i = 0; i < 4; i++) {
            struct bytes *to = staged_begin(&writer);
            size_t length = to->length;

            for (int n = 0; n <= i; n++)
                bytes_put_byte(to, (uint8_t)('a' + i));
            staged_end(&writer, series[i], length);
        }
        staged_finish(&writer, &blob);
        staged_open(&reader, blob.data, blob.length);
        for (int i = 0; i < 4; i++) {
            assert_true(staged_next(&reader, &section));
            assert_int_equal(section.series, series[i]);
            assert_int_equal(section.size, i + 1);
            assert_int_equal(section.data[0], 'a' + i);
        }
        assert_false(staged_next(&reader, &section));
    }
    staged_free(&writer);
    bytes_free(&blob);
}

static void test_damaged_blobs_end_early(void **state)
{
    const uint8_t lies[] = {200, 1, 2, 3}, longer[] = {1, 2, 100, 'x'}, half[] = {2, 2, 1};
    struct staged_section section;
    struct staged_reader reader;

    (void)state;
    staged_open(&reader, lies, sizeof(lies));
    assert_false(staged_next(&reader, &section));
    staged_open(&reader, longer, sizeof(longer));
    assert_false(staged_next(&reader, &section));
    staged_open(&reader, half, sizeof(half));
    assert_false(staged_next(&reader, &section));
    staged_open(&reader, "", 0);
    assert_false(staged_next(&reader, &section));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sections_come_back_in_order),
        cmocka_unit_test(test_damaged_blobs_end_early),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
