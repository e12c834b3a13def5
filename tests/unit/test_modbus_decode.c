
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/modbus/decode.h"

#include <math.h>
#include <string.h>

static struct mb_format format_of(enum mb_type type, enum mb_order order)
{
    return (struct mb_format){
        .type = (uint8_t)type, .order = (uint8_t)order, .scale = scale_make(1, 0)};
}

static void set_invalid(struct mb_format *format, const union mb_invalid *list, size_t n)
{
    format->invalid = list;
    format->n_invalid = (uint8_t)n;
}

/* -- every type in every order -------------------------------------------------------------- */

/* `bytes` as the protocol means them; the other orders are made of them by the letters. */
static const struct row {
    enum mb_type type;
    uint8_t bytes[8];
    double number;
} rows[] = {
    {MB_INT8_HIGH, {0x80, 0x7f}, -128},
    {MB_INT8_HIGH, {0x7f, 0x80}, 127},
    {MB_INT8_LOW, {0x7f, 0x80}, -128},
    {MB_UINT8_HIGH, {0xff, 0x01}, 255},
    {MB_UINT8_LOW, {0x01, 0xff}, 255},
    {MB_INT16, {0x80, 0x00}, -32768},
    {MB_INT16, {0x00, 0xd9}, 217},
    {MB_UINT16, {0x80, 0x01}, 32769},
    {MB_INT32, {0x80, 0x00, 0x00, 0x01}, -2147483647},
    {MB_INT32, {0x01, 0x02, 0x03, 0x04}, 16909060},
    {MB_UINT32, {0xff, 0xfe, 0xfd, 0xfc}, 4294901244.0},
    {MB_INT64, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe}, -2},
    {MB_INT64, {0x00, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08}, 566265752454920.0},
    {MB_UINT64, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf8, 0x00}, 18446744073709549568.0},
    {MB_FLOAT16, {0x3c, 0x00}, 1.0},
    {MB_FLOAT16, {0xc5, 0x40}, -5.25},
    {MB_FLOAT16, {0x00, 0x01}, 6e-8},
    {MB_FLOAT16, {0x7b, 0xff}, 65504},
    {MB_FLOAT32, {0x41, 0xae, 0x00, 0x00}, 21.75},
    {MB_FLOAT32, {0xc4, 0x9a, 0x52, 0x2b}, -1234.5677},
    {MB_FLOAT32, {0x41, 0xaa, 0x66, 0x66}, 21.3},
    {MB_FLOAT16, {0x4d, 0x53}, 21.3},
    {MB_FLOAT64, {0x40, 0x09, 0x21, 0xfb, 0x54, 0x44, 0x2d, 0x18}, 0x1.921fb54442d18p+1},
    {MB_BCD16, {0x12, 0x34}, 1234},
    {MB_BCD32, {0x12, 0x34, 0x56, 0x78}, 12345678},
    {MB_BCD32, {0x99, 0x99, 0x99, 0x99}, 99999999},
};

static const char *const letters[9][4] = {
    [2] = {"AB", "AB", "BA", "BA"},
    [4] = {"ABCD", "CDAB", "BADC", "DCBA"},
    [8] = {"ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA"},
};

static void every_type_reads_right_in_every_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        for (int order = MB_ABCD; order <= MB_DCBA; order++) {
            struct mb_format format = format_of(rows[i].type, (enum mb_order)order);
            unsigned width = mb_format_registers(&format) * 2;
            const char *wire = letters[width][mb_type_bits(rows[i].type) == 8 ? 0 : order];
            uint8_t bytes[8];
            struct sample sample;

            for (unsigned k = 0; k < width; k++)
                bytes[k] = rows[i].bytes[wire[k] - 'A'];
            sample = mb_decode(&format, bytes, 7, 1234);
            assert_int_equal(sample.quality, QUALITY_GOOD);
            assert_int_equal(sample.kind, VALUE_NUMBER);
            assert_int_equal(sample.channel, 7);
            assert_int_equal(sample.at_ms, 1234);
            assert_true(sample.number == rows[i].number);
        }
    }
}

/* -- and back ------------------------------------------------------------------------------- */

static void every_type_is_written_as_it_is_read_in_every_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        for (int order = MB_ABCD; order <= MB_DCBA; order++) {
            struct mb_format format = format_of(rows[i].type, (enum mb_order)order);
            unsigned width = mb_format_registers(&format) * 2;
            bool half = mb_type_bits(rows[i].type) == 8;
            bool high = rows[i].type == MB_INT8_HIGH || rows[i].type == MB_UINT8_HIGH;
            const char *wire = letters[width][half ? 0 : order];
            uint8_t bytes[8], want[8];

            for (unsigned k = 0; k < width; k++)
                want[k] = rows[i].bytes[wire[k] - 'A'];
            if (half)
                want[high] = 0;
            assert_int_equal(mb_encode(&format, rows[i].number, bytes), QUALITY_GOOD);
            assert_memory_equal(bytes, want, width);
        }
    }
}

/* Random bytes of every type: what is read as a number is written as the same bytes. */
static void what_is_read_is_written_as_the_same_bytes(void **state)
{
    static const double scales[][2] = {{1, 0}, {0.1, 0}, {0.01, -40}, {-2, 7}};
    uint32_t random = 7;

    (void)state;
    for (int i = 0; i < 400000; i++) {
        enum mb_type type = MB_INT8_HIGH + (enum mb_type)(i % (MB_STRING - MB_INT8_HIGH));
        bool half = mb_type_bits(type) == 8, wide = mb_type_bits(type) == 64;
        struct mb_format format = format_of(type, (enum mb_order)(i / 16 % 4));
        const double *scale = scales[wide || mb_type_is_float(type) ? 0 : i / 64 % 4];
        uint8_t bytes[8], back[8];
        struct sample sample;

        format.scale = scale_make(scale[0], scale[1]);
        for (size_t k = 0; k < sizeof(bytes); k++)
            bytes[k] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24);
        if (half)
            bytes[type == MB_INT8_HIGH || type == MB_UINT8_HIGH] = 0;
        sample = mb_decode(&format, bytes, 0, 0);
        if (sample.quality != QUALITY_GOOD)
            continue; /* digits that are none, not finite */
        if (wide && fabs(sample.number) >= 0x1p53 && type != MB_FLOAT64)
            continue; /* more than a double holds */
        if (mb_type_is_float(type) && sample.number == 0)
            continue; /* -0 reads as 0 */
        assert_int_equal(mb_encode(&format, sample.number, back), QUALITY_GOOD);
        assert_memory_equal(back, bytes, mb_format_registers(&format) * 2);
    }
}

static void what_a_type_cannot_hold_is_refused_never_wrapped(void **state)
{
    static const struct {
        enum mb_type type;
        double low, high; /* the last that fit */
    } limits[] = {
        {MB_INT8_LOW, -128, 127},
        {MB_UINT8_HIGH, 0, 255},
        {MB_INT16, -32768, 32767},
        {MB_UINT16, 0, 65535},
        {MB_INT32, -2147483648.0, 2147483647},
        {MB_UINT32, 0, 4294967295.0},
        {MB_INT64, -0x1p63, 0x1.fffffffffffffp62},
        {MB_UINT64, 0, 0x1.fffffffffffffp63},
        {MB_BCD16, 0, 9999},
        {MB_BCD32, 0, 99999999},
        {MB_FLOAT16, -65504, 65504},
        {MB_FLOAT32, -0x1.fffffep127, 0x1.fffffep127},
    };
    uint8_t bytes[8];

    (void)state;
    for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
        struct mb_format format = format_of(limits[i].type, MB_ABCD);
        double step = fmax(1, fabs(limits[i].high) * 0x1p-10);

        assert_int_equal(mb_encode(&format, limits[i].low, bytes), QUALITY_GOOD);
        assert_int_equal(mb_encode(&format, limits[i].high, bytes), QUALITY_GOOD);
        assert_int_equal(mb_encode(&format, limits[i].low - step, bytes), QUALITY_OUT_OF_RANGE);
        assert_int_equal(mb_encode(&format, limits[i].high + step, bytes), QUALITY_OUT_OF_RANGE);
        assert_int_equal(mb_encode(&format, NAN, bytes), QUALITY_OUT_OF_RANGE);
        assert_int_equal(mb_encode(&format, -INFINITY, bytes), QUALITY_OUT_OF_RANGE);
    }
}

static void scale_and_offset_are_turned_back_to_the_nearest_step(void **state)
{
    struct mb_format format = format_of(MB_INT16, MB_ABCD);
    uint8_t bytes[2];

    (void)state;
    format.scale = scale_make(0.1, -40);
    assert_int_equal(mb_encode(&format, 21.7, bytes), QUALITY_GOOD);
    assert_int_equal(bytes[0] << 8 | bytes[1], 617);
    assert_int_equal(mb_encode(&format, 21.74, bytes), QUALITY_GOOD);
    assert_int_equal(bytes[0] << 8 | bytes[1], 617);
    assert_int_equal(mb_encode(&format, 3236.8, bytes), QUALITY_OUT_OF_RANGE);
}

static void a_number_that_means_no_sensor_is_not_written(void **state)
{
    const union mb_invalid open = {.bits = 0x8000};
    struct mb_format format = format_of(MB_INT16, MB_ABCD);
    uint8_t bytes[2];

    (void)state;
    set_invalid(&format, &open, 1);
    assert_int_equal(mb_encode(&format, -32768, bytes), QUALITY_OUT_OF_RANGE);
    assert_int_equal(mb_encode(&format, -32767, bytes), QUALITY_GOOD);
}

static void the_words_of_types_stand_in_the_order_of_their_numbers(void **state)
{
    char words[300];
    char *rest = NULL, *word;
    int n = 0;

    (void)state;
    strcpy(words, MB_TYPE_WORDS);
    for (word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest), n++) {
        if (n == MB_INT32)
            assert_string_equal(word, "int32");
        if (n == MB_BCD16)
            assert_string_equal(word, "bcd16");
        if (n == MB_STRING)
            assert_string_equal(word, "string");
    }
    assert_int_equal(n, MB_STRING + 1);
}

static void a_register_has_sixteen_bits(void **state)
{
    const uint8_t bytes[] = {0x80, 0x05};

    (void)state;
    for (unsigned bit = 0; bit < 16; bit++) {
        struct mb_format format = format_of(MB_BIT, MB_ABCD);

        format.bit = (uint8_t)bit;
        assert_true(mb_decode(&format, bytes, 0, 0).number == (0x8005 >> bit & 1));
    }
}

/* -- scale ---------------------------------------------------------------------------------- */

static double scaled(double scale, double offset, int raw)
{
    struct mb_format format = format_of(MB_INT16, MB_ABCD);
    const uint8_t bytes[] = {(uint8_t)(raw >> 8), (uint8_t)raw};

    format.scale = scale_make(scale, offset);
    return mb_decode(&format, bytes, 0, 0).number;
}

static void a_tenth_gives_the_nearest_number(void **state)
{
    (void)state;
    for (int raw = -32768; raw < 32768; raw++)
        assert_true(scaled(0.1, 0, raw) == raw / 10.0);
    assert_true(scaled(0.001, 0, 12345) == 12.345);
    assert_true(scaled(0.05, 0, 7) == 0.35);
}

static void scale_and_offset_apply_in_this_order(void **state)
{
    (void)state;
    assert_true(scaled(0.1, -40, 650) == 25.0);
    assert_true(scaled(10, 1, 3) == 31.0);
    assert_true(scaled(-0.5, 0, 3) == -1.5);
    assert_true(scaled(0.3, 0, 10) == 3.0);
    assert_true(scaled(0.1, -40, 217) == -18.3);
}

/* -- no value ------------------------------------------------------------------------------- */

static void a_scale_can_stand_in_a_register(void **state)
{
    static const uint8_t bytes[] = {0xff, 0xfe, 0x00, 0x00, 0x09, 0x2e, 0x00, 0x02, 0x80, 0x00};
    struct mb_format format = format_of(MB_UINT16, MB_ABCD);

    (void)state;
    format.has_exponent = true;
    format.value_at = 2;
    assert_true(mb_decode(&format, bytes, 0, 0).number == 23.5);
    format.exponent_at = 3;
    assert_true(mb_decode(&format, bytes, 0, 0).number == 235000);
    format.exponent_at = 4;
    assert_int_equal(mb_decode(&format, bytes, 0, 0).quality, QUALITY_NO_SENSOR);
}

static void an_invalid_value_means_no_sensor(void **state)
{
    struct mb_format format = format_of(MB_INT16, MB_ABCD);
    const union mb_invalid list[] = {{.bits = 0x8000}, {.bits = 0x7fff}};
    const uint8_t open[] = {0x80, 0x00}, shorted[] = {0x7f, 0xff}, good[] = {0, 1};

    (void)state;
    set_invalid(&format, list, 2);
    assert_int_equal(mb_decode(&format, open, 0, 0).quality, QUALITY_NO_SENSOR);
    assert_int_equal(mb_decode(&format, open, 0, 0).kind, VALUE_NONE);
    assert_int_equal(mb_decode(&format, shorted, 0, 0).quality, QUALITY_NO_SENSOR);
    assert_int_equal(mb_decode(&format, good, 0, 0).quality, QUALITY_GOOD);
}

static void an_invalid_float_means_no_sensor(void **state)
{
    struct mb_format format = format_of(MB_FLOAT32, MB_ABCD);
    const union mb_invalid none = {.number = -9999};
    const uint8_t bytes[] = {0xc6, 0x1c, 0x3c, 0x00}; /* -9999 */

    (void)state;
    set_invalid(&format, &none, 1);
    assert_int_equal(mb_decode(&format, bytes, 0, 0).quality, QUALITY_NO_SENSOR);
}

static void an_invalid_float_is_what_the_device_makes_of_the_number(void **state)
{
    struct mb_format format = format_of(MB_FLOAT32, MB_ABCD);
    const union mb_invalid none = {.number = -9999.9};
    const uint8_t bytes[] = {0xc6, 0x1c, 0x3f, 0x9a}; /* -9999.9, which no float is */

    (void)state;
    set_invalid(&format, &none, 1);
    assert_int_equal(mb_decode(&format, bytes, 0, 0).quality, QUALITY_NO_SENSOR);
}

static void a_float_with_a_scale_has_no_dust(void **state)
{
    struct mb_format format = format_of(MB_FLOAT32, MB_ABCD);
    const uint8_t bytes[] = {0x41, 0xaa, 0x66, 0x66}; /* 21.3 */

    (void)state;
    format.scale = scale_make(0.001, 0);
    assert_true(mb_decode(&format, bytes, 0, 0).number == 0.0213);
}

static void what_is_not_finite_is_out_of_range(void **state)
{
    static const uint8_t bytes[][8] = {
        {0x7f, 0xc0, 0x00, 0x00}, {0x7f, 0x80, 0x00, 0x00}, {0xff, 0x80, 0x00, 0x00}};
    struct mb_format half = format_of(MB_FLOAT16, MB_ABCD);
    struct mb_format wide = format_of(MB_FLOAT32, MB_ABCD);
    const uint8_t half_nan[] = {0x7e, 0x00}, half_inf[] = {0xfc, 0x00};

    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(mb_decode(&wide, bytes[i], 0, 0).quality, QUALITY_OUT_OF_RANGE);
    assert_int_equal(mb_decode(&half, half_nan, 0, 0).quality, QUALITY_OUT_OF_RANGE);
    assert_int_equal(mb_decode(&half, half_inf, 0, 0).quality, QUALITY_OUT_OF_RANGE);
}

static void bcd_with_a_digit_above_nine_is_out_of_range(void **state)
{
    struct mb_format narrow = format_of(MB_BCD16, MB_ABCD);
    struct mb_format wide = format_of(MB_BCD32, MB_ABCD);
    const uint8_t letter[] = {0x12, 0x3a}, letters_too[] = {0xff, 0xff, 0xff, 0xff};

    (void)state;
    assert_int_equal(mb_decode(&narrow, letter, 0, 0).quality, QUALITY_OUT_OF_RANGE);
    assert_int_equal(mb_decode(&wide, letters_too, 0, 0).quality, QUALITY_OUT_OF_RANGE);
}

/* -- texts ---------------------------------------------------------------------------------- */

static const struct mb_code codes[] = {{-1, "fault"}, {0, "off"}, {7, "heating"}};

static void a_code_becomes_its_text(void **state)
{
    struct mb_format format = format_of(MB_INT16, MB_ABCD);
    const uint8_t seven[] = {0, 7}, minus_one[] = {0xff, 0xff};
    struct sample sample;

    (void)state;
    format.codes = codes;
    format.n_codes = 3;
    sample = mb_decode(&format, seven, 0, 0);
    assert_int_equal(sample.kind, VALUE_TEXT);
    assert_string_equal(sample.text, "heating");
    assert_string_equal(mb_decode(&format, minus_one, 0, 0).text, "fault");
}

static void a_code_without_a_text_is_no_value(void **state)
{
    struct mb_format format = format_of(MB_UINT16, MB_ABCD);
    const uint8_t one[] = {0, 1};

    (void)state;
    format.codes = codes;
    format.n_codes = 3;
    assert_int_equal(mb_decode(&format, one, 0, 0).quality, QUALITY_UNMAPPED);
    assert_int_equal(mb_decode(&format, one, 0, 0).kind, VALUE_NONE);
}

static void a_coil_is_a_number_or_the_text_of_its_code(void **state)
{
    struct mb_format format = format_of(MB_BIT, MB_ABCD);

    (void)state;
    assert_true(mb_decode_bit(&format, true, 3, 0).number == 1);
    assert_true(mb_decode_bit(&format, false, 3, 0).number == 0);
    format.codes = codes;
    format.n_codes = 3;
    assert_string_equal(mb_decode_bit(&format, false, 3, 0).text, "off");
    assert_int_equal(mb_decode_bit(&format, true, 3, 0).quality, QUALITY_UNMAPPED);
}

static struct sample read_text(const char *wire, unsigned length, enum mb_order order)
{
    struct mb_format format = format_of(MB_STRING, order);

    format.length = (uint16_t)length;
    return mb_decode(&format, (const uint8_t *)wire, 0, 0);
}

static void a_string_ends_at_nul_or_its_padding(void **state)
{
    (void)state;
    assert_string_equal(read_text("SDM630\0x", 8, MB_ABCD).text, "SDM630");
    assert_string_equal(read_text("SDM630  ", 8, MB_CDAB).text, "SDM630");
    assert_string_equal(read_text("DS6M03  ", 7, MB_BADC).text, "SDM630");
    assert_string_equal(read_text("DS6M03\0v", 8, MB_DCBA).text, "SDM630v");
    assert_string_equal(read_text("\0\0", 2, MB_ABCD).text, "");
}

static void a_string_shows_no_control_characters(void **state)
{
    (void)state;
    assert_string_equal(read_text("a\x1b[2J\n", 6, MB_ABCD).text, "a?[2J?");
    assert_string_equal(read_text("K\xfc"
                                  "che",
                                  5, MB_ABCD)
                            .text,
                        "K?che");
    assert_string_equal(read_text("K\xc3\xbc"
                                  "che ",
                                  7, MB_ABCD)
                            .text,
                        "K\xc3\xbc"
                        "che");
}

static void a_long_string_is_cut(void **state)
{
    char wire[MB_STRING_MAX];

    (void)state;
    memset(wire, 'x', sizeof(wire));
    assert_int_equal(strlen(read_text(wire, MB_STRING_MAX, MB_ABCD).text), SAMPLE_TEXT_SIZE - 1);
}

static void widths_are_those_of_the_types(void **state)
{
    static const unsigned want[] = {1, 1, 1, 1, 1, 1, 1, 2, 2, 4, 4, 1, 2, 4, 1, 2};
    struct mb_format string = format_of(MB_STRING, MB_ABCD);

    (void)state;
    for (unsigned type = MB_BIT; type < MB_STRING; type++) {
        struct mb_format format = format_of((enum mb_type)type, MB_ABCD);

        assert_int_equal(mb_format_registers(&format), want[type]);
    }
    string.length = 5;
    assert_int_equal(mb_format_registers(&string), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_reads_right_in_every_order),
        cmocka_unit_test(every_type_is_written_as_it_is_read_in_every_order),
        cmocka_unit_test(what_is_read_is_written_as_the_same_bytes),
        cmocka_unit_test(what_a_type_cannot_hold_is_refused_never_wrapped),
        cmocka_unit_test(scale_and_offset_are_turned_back_to_the_nearest_step),
        cmocka_unit_test(a_number_that_means_no_sensor_is_not_written),
        cmocka_unit_test(an_invalid_float_is_what_the_device_makes_of_the_number),
        cmocka_unit_test(a_float_with_a_scale_has_no_dust),
        cmocka_unit_test(the_words_of_types_stand_in_the_order_of_their_numbers),
        cmocka_unit_test(a_register_has_sixteen_bits),
        cmocka_unit_test(a_tenth_gives_the_nearest_number),
        cmocka_unit_test(scale_and_offset_apply_in_this_order),
        cmocka_unit_test(a_scale_can_stand_in_a_register),
        cmocka_unit_test(an_invalid_value_means_no_sensor),
        cmocka_unit_test(an_invalid_float_means_no_sensor),
        cmocka_unit_test(what_is_not_finite_is_out_of_range),
        cmocka_unit_test(bcd_with_a_digit_above_nine_is_out_of_range),
        cmocka_unit_test(a_code_becomes_its_text),
        cmocka_unit_test(a_code_without_a_text_is_no_value),
        cmocka_unit_test(a_coil_is_a_number_or_the_text_of_its_code),
        cmocka_unit_test(a_string_ends_at_nul_or_its_padding),
        cmocka_unit_test(a_string_shows_no_control_characters),
        cmocka_unit_test(a_long_string_is_cut),
        cmocka_unit_test(widths_are_those_of_the_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
