#include "adapters/onewire/decode.h"

#include "gateway/base/reading.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GOOD_TEXT "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n"

/* The kernel's text about eight bytes, with the CRC they have. */
static const char *text_of(const uint8_t bytes[8], int milli_c)
{
    static char text[200];
    char pad[32];
    uint8_t crc = onewire_crc8(bytes, 8);

    snprintf(pad, sizeof(pad), "%02x %02x %02x %02x %02x %02x %02x %02x %02x", bytes[0], bytes[1],
             bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7], crc);
    snprintf(text, sizeof(text), "%s : crc=%02x YES\n%s t=%d\n", pad, crc, pad, milli_c);
    return text;
}

static struct onewire_value slave(uint8_t family, const char *text)
{
    return onewire_decode_slave(family, text, strlen(text));
}

static void assert_good(struct onewire_value value, int milli_c)
{
    assert_int_equal(value.quality, QUALITY_GOOD);
    assert_int_equal(value.milli_c, milli_c);
}

static void assert_slave_bad(uint8_t family, const char *text, uint8_t quality)
{
    struct onewire_value value = slave(family, text);

    assert_string_equal(quality_name(value.quality), quality_name(quality));
    assert_int_equal(value.milli_c, 0);
}

/* -- addresses --------------------------------------------------------------------------------- */

static void an_address_is_taken_in_every_spelling(void **state)
{
    static const char *const spellings[] = {"28-0316a2794aff", "28-0316A2794AFF", "28.0316A2794AFF",
                                            "28.0316a2794aff"};
    struct onewire_address address;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(onewire_address_parse(spellings[i], &address, NULL), 0);
        assert_string_equal(address.text, "28-0316a2794aff");
        assert_int_equal(address.family, 0x28);
    }
    assert_int_equal(onewire_address_parse("3B-000000000001", &address, NULL), 0);
    assert_string_equal(address.text, "3b-000000000001");
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "28",
        "28-",
        "28-0316a2794af",
        "28-0316a2794aff0",
        "28-0316a2794afg",
        "280316a2794aff",
        "28_0316a2794aff",
        "-280316a2794aff",
        " 28-0316a2794aff",
        "28-0316a2794aff ",
        "w1_bus_master1",
        "28-../../etc/pa",
    };
    struct onewire_address address = {.text = "untouched"};
    struct error error;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        assert_int_equal(onewire_address_parse(wrong[i], &address, &error), -EINVAL);
        assert_non_null(strstr(error.text, "is no address"));
    }
    assert_string_equal(address.text, "untouched");
}

static void a_family_without_a_thermometer_is_refused_by_name(void **state)
{
    struct onewire_address address;
    struct error error;

    (void)state;
    assert_int_equal(onewire_address_parse("26-0316a2794aff", &address, &error), -EINVAL);
    assert_string_equal(error.text, "family 26 is no thermometer");
    assert_null(onewire_family_name(0x26));
    assert_string_equal(onewire_family_name(0x28), "DS18B20");
}

/* -- w1_slave ---------------------------------------------------------------------------------- */

static void temperatures_of_every_family_are_read(void **state)
{
    static const uint8_t families[] = {0x10, 0x22, 0x28, 0x3b, 0x42};

    (void)state;
    for (size_t i = 0; i < 5; i++)
        assert_good(slave(families[i], GOOD_TEXT), 23125);
}

static void negative_temperatures_and_the_ends_of_the_range_are_read(void **state)
{
    (void)state;
    assert_good(slave(0x28, text_of((uint8_t[8]){0xff, 0xff, 75, 70, 0x7f, 0xff, 1, 16}, -62)),
                -62);
    assert_good(slave(0x28, text_of((uint8_t[8]){0x90, 0xfc, 75, 70, 0x7f, 0xff, 16, 16}, -55000)),
                -55000);
    assert_good(slave(0x28, text_of((uint8_t[8]){0xd0, 0x07, 75, 70, 0x7f, 0xff, 16, 16}, 125000)),
                125000);
}

static void zero_degrees_are_a_temperature(void **state)
{
    (void)state;
    assert_good(slave(0x28, text_of((uint8_t[8]){0, 0, 75, 70, 0x7f, 0xff, 16, 16}, 0)), 0);
}

static void the_last_line_end_may_be_missing(void **state)
{
    (void)state;
    assert_good(onewire_decode_slave(0x28, GOOD_TEXT, strlen(GOOD_TEXT) - 1), 23125);
}

static void after_no_there_is_no_value(void **state)
{
    (void)state;
    assert_slave_bad(0x28,
                     "72 01 4b 46 7f ff 0e 10 00 : crc=57 NO\n"
                     "72 01 4b 46 7f ff 0e 10 57 t=23125\n",
                     QUALITY_CRC);
    assert_slave_bad(0x28,
                     "ff ff ff ff ff ff ff ff ff : crc=c9 NO\n"
                     "72 01 4b 46 7f ff 0e 10 57 t=23125\n",
                     QUALITY_CRC);
}

static void a_yes_that_our_own_sum_denies_is_no_value(void **state)
{
    (void)state;
    assert_slave_bad(0x28,
                     "72 01 4b 46 7f ff 0e 10 58 : crc=58 YES\n"
                     "72 01 4b 46 7f ff 0e 10 58 t=23125\n",
                     QUALITY_CRC);
    assert_slave_bad(0x28,
                     "73 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n"
                     "73 01 4b 46 7f ff 0e 10 57 t=23187\n",
                     QUALITY_CRC);
}

static void a_memory_of_zeros_is_low_power_though_its_sum_is_right(void **state)
{
    (void)state;
    assert_slave_bad(0x28,
                     "00 00 00 00 00 00 00 00 00 : crc=00 YES\n"
                     "00 00 00 00 00 00 00 00 00 t=0\n",
                     QUALITY_LOW_POWER);
}

static void the_value_of_a_supply_that_breaks_down_is_low_power(void **state)
{
    (void)state;
    assert_slave_bad(0x28, text_of((uint8_t[8]){0xff, 0x07, 75, 70, 0x7f, 0xff, 1, 16}, 127937),
                     QUALITY_LOW_POWER);
}

static void what_the_sensor_cannot_measure_is_out_of_range(void **state)
{
    const uint8_t hot[8] = {0xe0, 0x07, 75, 70, 0x7f, 0xff, 16, 16};

    (void)state;
    assert_slave_bad(0x28, text_of(hot, 126000), QUALITY_OUT_OF_RANGE);
    assert_slave_bad(0x28, text_of(hot, -55001), QUALITY_OUT_OF_RANGE);
    assert_good(slave(0x3b, text_of(hot, 126000)), 126000);
}

static void a_thermocouple_that_is_not_connected_is_no_sensor(void **state)
{
    const uint8_t open[8] = {0xfd, 0x7f, 0x01, 0x19, 0xf0, 0xff, 0xff, 0xff};
    const uint8_t fine[8] = {0x90, 0x01, 0x90, 0x19, 0xf0, 0xff, 0xff, 0xff};

    (void)state;
    assert_slave_bad(0x3b, text_of(open, 2047812), QUALITY_NO_SENSOR);
    assert_good(slave(0x3b, text_of(fine, 25000)), 25000);
}

static void a_ds18s20_by_which_the_kernel_cannot_divide_is_no_value(void **state)
{
    (void)state;
    assert_slave_bad(0x10, text_of((uint8_t[8]){0x2d, 0, 75, 70, 0xff, 0xff, 8, 0}, 0),
                     QUALITY_PROTOCOL);
    assert_good(slave(0x10, text_of((uint8_t[8]){0x2d, 0, 75, 70, 0xff, 0xff, 8, 16}, 22250)),
                22250);
}

static void halves_of_different_answers_are_no_value(void **state)
{
    (void)state;
    assert_slave_bad(0x28,
                     "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n"
                     "50 05 4b 46 7f ff 0c 10 1c t=85000\n",
                     QUALITY_PROTOCOL);
}

static void a_text_that_was_cut_anywhere_is_no_value(void **state)
{
    size_t whole = strlen(GOOD_TEXT);

    (void)state;
    for (size_t length = 0; length < whole - 7; length++) {
        struct onewire_value value = onewire_decode_slave(0x28, GOOD_TEXT, length);

        assert_int_equal(value.quality, QUALITY_PROTOCOL);
    }
}

static void a_text_with_one_wrong_character_is_never_another_value(void **state)
{
    char text[] = GOOD_TEXT;
    size_t t = (size_t)(strstr(text, "t=") + 2 - text);

    (void)state;
    /* The digits behind `t=` have no sum of their own. */
    for (size_t i = 0; i < t; i++) {
        for (int c = 0; c < 256; c++) {
            struct onewire_value value;
            char was = text[i];

            text[i] = (char)c;
            value = onewire_decode_slave(0x28, text, strlen(GOOD_TEXT));
            assert_true(value.quality != QUALITY_GOOD || value.milli_c == 23125);
            text[i] = was;
        }
    }
}

static void other_texts_are_no_value(void **state)
{
    static const char *const wrong[] = {
        "",
        "\n\n",
        "not found.\n",
        "23125\n",
        "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n",
        "72 01 4b 46 7f ff 0e 10 57 : crc=57 MAYBE\n72 01 4b 46 7f ff 0e 10 57 t=23125\n",
        "72 01 4b 46 7f ff 0e 10 57 : crc=57 NO",
        "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=\n",
        "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=-\n",
        "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=0x10\n",
        "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125 \n",
        "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=99999999999\n",
        "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\nmore\n",
        "72 01 4b 46 7f ff 0e 10 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 t=23125\n",
        "72 01 4B 46 7F FF 0E 10 57 : crc=57 YES\n72 01 4B 46 7F FF 0E 10 57 t=23125\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_slave_bad(0x28, wrong[i], QUALITY_PROTOCOL);
}

static void binary_and_huge_texts_are_no_value(void **state)
{
    size_t size = 1 << 20;
    char *text = malloc(size);

    (void)state;
    memset(text, 0, size);
    assert_int_equal(onewire_decode_slave(0x28, text, size).quality, QUALITY_PROTOCOL);
    memset(text, '7', size);
    assert_int_equal(onewire_decode_slave(0x28, text, size).quality, QUALITY_PROTOCOL);
    assert_int_equal(onewire_decode_temperature(0x28, text, size).quality, QUALITY_PROTOCOL);
    memcpy(text, GOOD_TEXT, strlen(GOOD_TEXT));
    assert_int_equal(onewire_decode_slave(0x28, text, size).quality, QUALITY_PROTOCOL);
    free(text);
}

static void an_unknown_family_is_no_value(void **state)
{
    (void)state;
    assert_slave_bad(0x26, GOOD_TEXT, QUALITY_PROTOCOL);
}

/* -- temperature ------------------------------------------------------------------------------- */

static void the_bare_number_is_read_and_judged(void **state)
{
    static const struct {
        const char *text;
        uint8_t quality;
        int milli_c;
    } cases[] = {
        {"23125\n", QUALITY_GOOD, 23125},
        {"-62\n", QUALITY_GOOD, -62},
        {"0", QUALITY_GOOD, 0},
        {"85000\n", QUALITY_GOOD, 85000},
        {"127937\n", QUALITY_LOW_POWER, 0},
        {"126000\n", QUALITY_OUT_OF_RANGE, 0},
        {"", QUALITY_PROTOCOL, 0},
        {"\n", QUALITY_PROTOCOL, 0},
        {"warm\n", QUALITY_PROTOCOL, 0},
        {"0x10\n", QUALITY_PROTOCOL, 0},
        {"23.125\n", QUALITY_PROTOCOL, 0},
        {" 23125\n", QUALITY_PROTOCOL, 0},
        {"23125\n\n", QUALITY_PROTOCOL, 0},
        {"--5\n", QUALITY_PROTOCOL, 0},
        {"2312500000\n", QUALITY_PROTOCOL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct onewire_value value =
            onewire_decode_temperature(0x28, cases[i].text, strlen(cases[i].text));

        assert_int_equal(value.quality, cases[i].quality);
        assert_int_equal(value.milli_c, cases[i].milli_c);
    }
}

/* -- 85 degrees -------------------------------------------------------------------------------- */

static void eighty_five_is_doubtful_unless_the_value_before_was_near(void **state)
{
    const struct onewire_value hot = {QUALITY_GOOD, 85000};

    (void)state;
    assert_true(onewire_is_doubtful(hot, NULL));
    assert_true(onewire_is_doubtful(hot, &(struct onewire_value){QUALITY_GOOD, 74999}));
    assert_false(onewire_is_doubtful(hot, &(struct onewire_value){QUALITY_GOOD, 75000}));
    assert_false(onewire_is_doubtful(hot, &(struct onewire_value){QUALITY_GOOD, 85000}));
    assert_false(onewire_is_doubtful(hot, &(struct onewire_value){QUALITY_GOOD, 95000}));
    assert_true(onewire_is_doubtful(hot, &(struct onewire_value){QUALITY_GOOD, 95001}));
}

static void only_exactly_eighty_five_is_doubtful(void **state)
{
    (void)state;
    assert_false(onewire_is_doubtful((struct onewire_value){QUALITY_GOOD, 84937}, NULL));
    assert_false(onewire_is_doubtful((struct onewire_value){QUALITY_GOOD, 21500}, NULL));
    assert_false(onewire_is_doubtful((struct onewire_value){.quality = QUALITY_CRC}, NULL));
}

static void a_second_reading_that_is_good_is_believed(void **state)
{
    (void)state;
    assert_good(onewire_confirm((struct onewire_value){QUALITY_GOOD, 85000}), 85000);
    assert_good(onewire_confirm((struct onewire_value){QUALITY_GOOD, 21500}), 21500);
    assert_int_equal(onewire_confirm((struct onewire_value){.quality = QUALITY_CRC}).quality,
                     QUALITY_POWER_ON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_taken_in_every_spelling),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(a_family_without_a_thermometer_is_refused_by_name),
        cmocka_unit_test(temperatures_of_every_family_are_read),
        cmocka_unit_test(negative_temperatures_and_the_ends_of_the_range_are_read),
        cmocka_unit_test(zero_degrees_are_a_temperature),
        cmocka_unit_test(the_last_line_end_may_be_missing),
        cmocka_unit_test(after_no_there_is_no_value),
        cmocka_unit_test(a_yes_that_our_own_sum_denies_is_no_value),
        cmocka_unit_test(a_memory_of_zeros_is_low_power_though_its_sum_is_right),
        cmocka_unit_test(the_value_of_a_supply_that_breaks_down_is_low_power),
        cmocka_unit_test(what_the_sensor_cannot_measure_is_out_of_range),
        cmocka_unit_test(a_thermocouple_that_is_not_connected_is_no_sensor),
        cmocka_unit_test(a_ds18s20_by_which_the_kernel_cannot_divide_is_no_value),
        cmocka_unit_test(halves_of_different_answers_are_no_value),
        cmocka_unit_test(a_text_that_was_cut_anywhere_is_no_value),
        cmocka_unit_test(a_text_with_one_wrong_character_is_never_another_value),
        cmocka_unit_test(other_texts_are_no_value),
        cmocka_unit_test(binary_and_huge_texts_are_no_value),
        cmocka_unit_test(an_unknown_family_is_no_value),
        cmocka_unit_test(the_bare_number_is_read_and_judged),
        cmocka_unit_test(eighty_five_is_doubtful_unless_the_value_before_was_near),
        cmocka_unit_test(only_exactly_eighty_five_is_doubtful),
        cmocka_unit_test(a_second_reading_that_is_good_is_believed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
