
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/modbus/float.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static float float_of(uint32_t raw)
{
    float number;

    memcpy(&number, &raw, sizeof(number));
    return number;
}

static uint32_t raw_of(float number)
{
    uint32_t raw;

    memcpy(&raw, &number, sizeof(raw));
    return raw;
}

static uint32_t next(uint32_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 17;
    *random ^= *random << 5;
    return *random;
}

static void a_float_reads_as_the_number_that_was_meant(void **state)
{
    static const double rows[] = {21.3,     0.1,     -0.7, 230.5,  49.98, 1013.25,  0.001, 1.0 / 4,
                                  1234.567, 99999.9, 1e-6, 3.4e-9, -40.0, 16777215, 0};
    int places;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_true(mb_float_shorten((double)(float)rows[i], 32, &places) == rows[i]);
    assert_true(mb_float_shorten((double)21.3f, 32, &places) == 21.3);
    assert_int_equal(places, 1);
}

static void a_half_too(void **state)
{
    int places;
    uint16_t raw;

    (void)state;
    for (int i = -640; i <= 640; i++) { /* beyond, its steps are larger than a tenth */
        assert_true(mb_half_from_double(i / 10.0, &raw));
        assert_true(mb_float_shorten(mb_half_to_double(raw), 16, &places) == i / 10.0);
    }
}

static void whole_numbers_stay_what_they_are(void **state)
{
    int places;

    (void)state;
    assert_true(mb_float_shorten(123456792.0, 32, &places) == 123456792.0);
    assert_int_equal(places, 0);
    assert_true(mb_float_shorten((double)3.4028235e38f, 32, &places) == (double)3.4028235e38f);
}

/* Over all exponents and many fractions: made a float again it is the same to the bit, and no
 * shorter text makes it. */
static void every_float_survives(void **state)
{
    uint32_t random = 12345;

    (void)state;
    for (int i = 0; i < 3000000; i++) {
        float number = float_of(next(&random));
        double read;
        int places;

        if (!isfinite(number))
            continue;
        read = mb_float_shorten((double)number, 32, &places);
        if (raw_of((float)read) != raw_of(number))
            fail_msg("%a became %a", (double)number, read);
    }
}

static void no_shorter_text_would_do(void **state)
{
    uint32_t random = 99;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        uint32_t raw = next(&random);
        float number = float_of((raw & 0x007fffff) | (110 + raw % 36) << 23); /* 2^-17 to 2^18 */
        double read;
        char text[40];
        int places, fewest = 0;

        read = mb_float_shorten((double)number, 32, &places);
        for (;; fewest++) {
            snprintf(text, sizeof(text), "%.*f", fewest, (double)number);
            if (strtof(text, NULL) == number)
                break;
        }
        assert_int_equal(places, fewest);
        assert_true(read == strtod(text, NULL));
    }
}

static void every_half_survives_both_ways(void **state)
{
    (void)state;
    for (uint32_t raw = 0; raw < 65536; raw++) {
        double number = mb_half_to_double((uint16_t)raw);
        uint16_t back;
        int places;

        if (!isfinite(number)) {
            assert_false(mb_half_from_double(number, &back));
            continue;
        }
        assert_true(mb_half_from_double(number, &back));
        assert_int_equal(back, raw);
        assert_true(mb_half_from_double(mb_float_shorten(number, 16, &places), &back));
        assert_int_equal(back, raw);
    }
}

static void halves_are_rounded_to_the_nearest(void **state)
{
    static const struct {
        double number;
        uint16_t raw;
    } rows[] = {
        {1.0 + 0x1p-11, 0x3c00}, /* a tie: even */
        {1.0 + 0x1p-11 + 0x1p-20, 0x3c01},
        {1.0 + 3 * 0x1p-11, 0x3c02},
        {0x1p-25, 0x0000}, /* half of the smallest: even */
        {0x1.8p-25, 0x0001},
        {2047.75, 0x6800}, /* carries into the exponent */
        {65519.9, 0x7bff},
        {0x1p-14 - 0x1p-26, 0x0400}, /* from the small ones to the normal */
        {-0.0, 0x8000},
    };
    uint16_t raw;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_true(mb_half_from_double(rows[i].number, &raw));
        assert_int_equal(raw, rows[i].raw);
    }
    assert_false(mb_half_from_double(65520, &raw));
    assert_false(mb_half_from_double(-65520, &raw));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_float_reads_as_the_number_that_was_meant),
        cmocka_unit_test(a_half_too),
        cmocka_unit_test(whole_numbers_stay_what_they_are),
        cmocka_unit_test(every_float_survives),
        cmocka_unit_test(no_shorter_text_would_do),
        cmocka_unit_test(every_half_survives_both_ways),
        cmocka_unit_test(halves_are_rounded_to_the_nearest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
