#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/modbus/held.h"

static const uint8_t words[] = {0, 1, 0, 2, 0, 3, 0, 4};
static const struct mb_request four = {.function = MB_READ_INPUTS, .address = 10, .count = 4};

static struct mb_held held;

static int set_up(void **state)
{
    (void)state;
    held = (struct mb_held){0};
    mb_held_put(&held, &four, words, 1000);
    return 0;
}

static const uint8_t *find(uint8_t function, uint16_t address, uint16_t count, int64_t since_ms)
{
    struct mb_request request = {.function = function, .address = address, .count = count};

    return mb_held_find(&held, &request, since_ms);
}

static void a_part_of_what_was_read_is_found(void **state)
{
    (void)state;
    assert_int_equal(find(MB_READ_INPUTS, 12, 2, 1000)[1], 3);
    assert_int_equal(find(MB_READ_INPUTS, 10, 4, 0)[1], 1);
}

static void what_was_not_read_is_not(void **state)
{
    (void)state;
    assert_null(find(MB_READ_INPUTS, 12, 3, 0));
    assert_null(find(MB_READ_INPUTS, 9, 2, 0));
    assert_null(find(MB_READ_HOLDINGS, 10, 4, 0));
}

static void what_is_too_old_is_not(void **state)
{
    (void)state;
    assert_null(find(MB_READ_INPUTS, 10, 4, 1001));
    mb_held_put(&held, &four, words, 2000);
    assert_non_null(find(MB_READ_INPUTS, 10, 4, 1001));
    assert_int_equal(held.n, 1);
}

static void bits_are_found_as_they_were_read(void **state)
{
    static const uint8_t bits[] = {0x05};
    struct mb_request request = {.function = MB_READ_COILS, .address = 0, .count = 8};

    (void)state;
    mb_held_put(&held, &request, bits, 1000);
    assert_int_equal(find(MB_READ_COILS, 0, 8, 0)[0], 0x05);
    assert_null(find(MB_READ_COILS, 1, 2, 0));
}

static void the_oldest_makes_room(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 2 * MB_HELD_MAX; i++) {
        struct mb_request request = {
            .function = MB_READ_INPUTS, .address = (uint16_t)(100 + 10 * i), .count = 4};

        mb_held_put(&held, &request, words, 1000 + i);
    }
    assert_int_equal(held.n, MB_HELD_MAX);
    assert_non_null(find(MB_READ_INPUTS, 100 + 10 * (2 * MB_HELD_MAX - 1), 4, 0));
    assert_null(find(MB_READ_INPUTS, 100, 4, 0));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_part_of_what_was_read_is_found),
        TEST(what_was_not_read_is_not),
        TEST(what_is_too_old_is_not),
        TEST(bits_are_found_as_they_were_read),
        TEST(the_oldest_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
