#include "gateway/store/numbers.h"

#include <math.h>

#define DECIMALS_MAX 9
/* Up to here every whole number is a double, and differences of two fit with room to spare. */
#define WHOLE_MAX 9007199254740992.0

enum { FORM_QUOTIENT = 0, FORM_PRODUCT = 16, FORM_FLOAT = 32, FORM_DOUBLE = 33 };

static const double tens[DECIMALS_MAX + 1] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
static const double tenths[DECIMALS_MAX + 1] = {1,    1e-1, 1e-2, 1e-3, 1e-4,
                                                1e-5, 1e-6, 1e-7, 1e-8, 1e-9};

static double number_of(int form, int64_t whole)
{
    return form < FORM_PRODUCT ? (double)whole / tens[form]
                               : (double)whole * tenths[form - FORM_PRODUCT];
}

/* The k of `number` in that form; false when it does not come back the same. -0.0 does not: it
 * would come back as 0. */
static bool find_whole(int form, double number, int64_t *ret_whole)
{
    double scaled = number * tens[form % FORM_PRODUCT];

    if (!(fabs(scaled) < WHOLE_MAX))
        return false;
    *ret_whole = (int64_t)(scaled + (scaled < 0 ? -0.5 : 0.5));
    return number_of(form, *ret_whole) == number && !(number == 0 && signbit(number));
}

static bool form_holds(int form, const double *numbers, size_t count)
{
    int64_t whole;

    for (size_t i = 0; i < count; i++) {
        if (!find_whole(form, numbers[i], &whole))
            return false;
    }
    return true;
}

static int find_decimal_form(const double *numbers, size_t count)
{
    for (int d = 0; d <= DECIMALS_MAX; d++) {
        if (form_holds(FORM_QUOTIENT + d, numbers, count))
            return FORM_QUOTIENT + d;
        if (form_holds(FORM_PRODUCT + d, numbers, count))
            return FORM_PRODUCT + d;
    }
    return -1;
}

static bool are_floats(const double *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!(fabs(numbers[i]) <= 3e38) || (double)(float)numbers[i] != numbers[i])
            return false;
    }
    return true;
}

static int find_form(const double *numbers, size_t count)
{
    int form = find_decimal_form(numbers, count);

    if (form >= 0)
        return form;
    return are_floats(numbers, count) ? FORM_FLOAT : FORM_DOUBLE;
}

int numbers_decimals(const double *numbers, size_t count)
{
    int form = find_decimal_form(numbers, count);

    return form < 0 ? -1 : form % FORM_PRODUCT;
}

/* -- differences ----------------------------------------------------------------------------- */

static void put_wholes(struct bytes *to, int form, const double *numbers, size_t count)
{
    int64_t before = 0, whole = 0;

    for (size_t i = 0; i < count; i++) {
        find_whole(form, numbers[i], &whole);
        bytes_put_signed(to, whole - before);
        before = whole;
    }
}

static void get_wholes(struct bytes_reader *from, int form, double *numbers, size_t count)
{
    uint64_t whole = 0; /* unsigned: damaged bytes may make it overflow */

    for (size_t i = 0; i < count; i++) {
        whole += (uint64_t)bytes_get_signed(from);
        numbers[i] = number_of(form, (int64_t)whole);
    }
}

/* -- xor ------------------------------------------------------------------------------------- */

static uint64_t bits_of(int form, double number)
{
    float narrow = (float)number;
    uint32_t few;
    uint64_t bits;

    if (form == FORM_FLOAT) {
        memcpy(&few, &narrow, sizeof(few));
        return few;
    }
    memcpy(&bits, &number, sizeof(bits));
    return bits;
}

static double number_of_bits(int form, uint64_t bits)
{
    uint32_t few = (uint32_t)bits;
    float narrow;
    double number;

    if (form == FORM_FLOAT) {
        memcpy(&narrow, &few, sizeof(narrow));
        return narrow;
    }
    memcpy(&number, &bits, sizeof(number));
    return number;
}

static void put_bits(struct bytes *to, int form, const double *numbers, size_t count)
{
    unsigned width = form == FORM_FLOAT ? 4 : 8;
    uint64_t before = 0;

    for (size_t i = 0; i < count; i++) {
        uint64_t bits = bits_of(form, numbers[i]), change = bits ^ before;
        unsigned front = 0, behind = 0;

        while (front < width && !(change >> 8 * (width - 1 - front) & 0xff))
            front++;
        while (front + behind < width && !(change >> 8 * behind & 0xff))
            behind++;
        bytes_put_byte(to, (uint8_t)(front << 4 | behind));
        for (unsigned b = front; b < width - behind; b++)
            bytes_put_byte(to, (uint8_t)(change >> 8 * (width - 1 - b)));
        before = bits;
    }
}

static void get_bits(struct bytes_reader *from, int form, double *numbers, size_t count)
{
    unsigned width = form == FORM_FLOAT ? 4 : 8;
    uint64_t bits = 0;

    for (size_t i = 0; i < count; i++) {
        uint8_t shape = bytes_get_byte(from);
        unsigned front = shape >> 4, behind = shape & 15;

        if (front + behind > width) {
            from->failed = true;
            return;
        }
        for (unsigned b = front; b < width - behind; b++)
            bits ^= (uint64_t)bytes_get_byte(from) << 8 * (width - 1 - b);
        numbers[i] = number_of_bits(form, bits);
    }
}

/* -- door ------------------------------------------------------------------------------------ */

void numbers_encode(struct bytes *to, const double *numbers, size_t count)
{
    int form = find_form(numbers, count);

    bytes_put_byte(to, (uint8_t)form);
    if (form < FORM_FLOAT)
        put_wholes(to, form, numbers, count);
    else
        put_bits(to, form, numbers, count);
}

bool numbers_decode(struct bytes_reader *from, double *numbers, size_t count)
{
    int form = bytes_get_byte(from);

    if (form == FORM_FLOAT || form == FORM_DOUBLE)
        get_bits(from, form, numbers, count);
    else if (form < FORM_FLOAT && form % FORM_PRODUCT <= DECIMALS_MAX)
        get_wholes(from, form, numbers, count);
    else
        from->failed = true;
    return !from->failed;
}
