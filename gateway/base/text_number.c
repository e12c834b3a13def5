#include "gateway/base/text.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A duration of over 1,000 years is a slip, and without it no sum of a time and a duration
 * overflows. */
#define DURATION_MAX_MS (1000LL * 366 * 86400 * 1000)

/* Whole numbers up to here are exact in a double. */
#define EXACT_MAX 9007199254740992.0

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* -- from text to numbers -- */

struct unit {
    const char *name;
    int64_t factor;
};

/* From large to small: in "1h 30m" each unit must be smaller than the one before. */
static const struct unit duration_units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000},
                                             {"s", 1000},     {"ms", 1},      {NULL, 0}};

static const struct unit size_units[] = {{"GiB", 1 << 30}, {"GB", 1000000000}, {"MiB", 1 << 20},
                                         {"MB", 1000000},  {"KiB", 1 << 10},   {"KB", 1000},
                                         {"kB", 1000},     {"B", 1},           {NULL, 0}};

/* Reads "12" or "1.5" at *text; false when no such number stands there. */
static bool read_decimal(const char **text, double *ret_value)
{
    const char *at = *text;
    double whole = 0, parts = 1;

    if (!is_digit(*at))
        return false;
    for (; is_digit(*at); at++)
        whole = whole * 10 + (*at - '0');
    if (*at == '.') {
        if (!is_digit(*++at))
            return false;
        for (; is_digit(*at); at++) {
            whole = whole * 10 + (*at - '0');
            parts *= 10;
        }
    }
    if (whole > 1e15 || parts > 1e15)
        return false;
    *text = at;
    *ret_value = whole / parts;
    return true;
}

static const struct unit *read_unit(const char **text, const struct unit *units)
{
    size_t length = 0;

    while (is_letter((*text)[length]))
        length++;
    for (; units->name != NULL; units++) {
        if (strlen(units->name) == length && strncmp(*text, units->name, length) == 0) {
            *text += length;
            return units;
        }
    }
    return NULL;
}

static const char *skip_blanks(const char *text)
{
    while (*text == ' ')
        text++;
    return text;
}

/* One number with its unit, in the smallest unit. What is no whole number of those is refused: a
 * rounded "0.1ms" would be 0, which means something else. */
static int read_amount(const char **text, const struct unit *units, const struct unit **ret_unit,
                       int64_t *ret_value)
{
    double value;
    const struct unit *unit;

    if (!read_decimal(text, &value))
        return -EINVAL;
    *text = skip_blanks(*text);
    unit = read_unit(text, units);
    if (unit == NULL)
        return -EINVAL;
    value *= (double)unit->factor;
    if (value > 9e18)
        return -ERANGE;
    if (fabs(value - nearbyint(value)) > 1e-6 * (value < 1 ? 1 : value))
        return -EINVAL;
    *ret_unit = unit;
    *ret_value = llround(value);
    return 0;
}

int text_to_duration_ms(const char *text, int64_t *ret_ms)
{
    const struct unit *unit = NULL, *before = NULL;
    int64_t total = 0, part;
    int result;

    do {
        result = read_amount(&text, duration_units, &unit, &part);
        if (result < 0)
            return result;
        if (before != NULL && unit->factor >= before->factor)
            return -EINVAL;
        if (part > DURATION_MAX_MS || total + part > DURATION_MAX_MS)
            return -ERANGE;
        total += part;
        before = unit;
        if (*text != '\0')
            text = skip_blanks(text);
    } while (is_digit(*text));
    if (*text != '\0' || text[-1] == ' ')
        return -EINVAL;
    *ret_ms = total;
    return 0;
}

int text_to_size(const char *text, int64_t *ret_bytes)
{
    const struct unit *unit;
    int64_t bytes;
    int result = read_amount(&text, size_units, &unit, &bytes);

    if (result < 0)
        return result;
    if (*text != '\0')
        return -EINVAL;
    *ret_bytes = bytes;
    return 0;
}

int text_to_int(const char *text, int64_t *ret_value)
{
    const char *digits = text + (text[0] == '-' || text[0] == '+');
    int base = 10;
    char *end;
    long long value;

    if (!is_digit(digits[0]))
        return -EINVAL;
    if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X'))
        base = 16;
    errno = 0;
    value = strtoll(text, &end, base);
    if (*end != '\0')
        return -EINVAL;
    if (errno == ERANGE)
        return -ERANGE;
    *ret_value = value;
    return 0;
}

/* Numbers look the same whatever the locale. glibc and musl have the "C" locale ready: this does
 * not allocate and cannot fail. */
static locale_t plain_locale(void)
{
    return newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

int text_to_number(const char *text, double *ret_value)
{
    locale_t plain;
    double value;
    char *end;

    /* strtod() also knows blanks, hexadecimal, "inf" and "nan": not here. */
    if (text[0] == '\0' || text[strspn(text, "0123456789+-.eE")] != '\0')
        return -EINVAL;
    plain = plain_locale();
    value = strtod_l(text, &end, plain);
    freelocale(plain);
    if (end == text || *end != '\0')
        return -EINVAL;
    if (!isfinite(value))
        return -ERANGE;
    *ret_value = value;
    return 0;
}

/* -- from numbers to text -- */

char *text_from_duration(char *to, size_t size, int64_t ms)
{
    uint64_t left = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    const struct unit *unit = duration_units;
    size_t length = 0;

    if (size > 0)
        to[0] = '\0';
    while (unit->factor > 1 && left < (uint64_t)unit->factor)
        unit++;
    if (left == 0)
        unit = &duration_units[3];
    text_append(to, size, &length, "%s%llu%s", ms < 0 ? "-" : "",
                (unsigned long long)(left / (uint64_t)unit->factor), unit->name);
    left %= (uint64_t)unit->factor;
    if (left == 0)
        return to;
    unit++;
    if (left >= (uint64_t)unit->factor)
        text_append(to, size, &length, " %llu%s",
                    (unsigned long long)(left / (uint64_t)unit->factor), unit->name);
    return to;
}

static const double powers_of_10[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

/* `units` of 10^-decimals, in plain digits. */
static size_t put_units(char *to, bool negative, uint64_t units, int decimals)
{
    char digits[24];
    int count = 0;
    size_t at = 0;

    do {
        digits[count++] = (char)('0' + units % 10);
        units /= 10;
    } while (units > 0 || count <= decimals);
    if (negative)
        to[at++] = '-';
    while (count > 0) {
        if (count == decimals)
            to[at++] = '.';
        to[at++] = digits[--count];
    }
    to[at] = '\0';
    return at;
}

/* Most numbers of sensors have few places: whole / 10^n is the very double then, because both are
 * exact and a division rounds correctly. Some 20 times faster than trying with printf(). */
static size_t put_short(char *to, bool negative, double magnitude)
{
    for (int decimals = 0; decimals <= TEXT_DECIMALS_MAX; decimals++) {
        double whole = magnitude * powers_of_10[decimals];

        if (whole >= EXACT_MAX)
            return 0;
        whole = nearbyint(whole);
        if (whole / powers_of_10[decimals] == magnitude)
            return put_units(to, negative, (uint64_t)whole, decimals);
    }
    return 0;
}

static void print_plain(char *to, size_t size, const char *format, int precision, double value)
    __attribute__((format(printf, 3, 0)));

static void print_plain(char *to, size_t size, const char *format, int precision, double value)
{
    locale_t plain = plain_locale(), before = uselocale(plain);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(to, size, format, precision, value);
#pragma GCC diagnostic pop
    uselocale(before);
    freelocale(plain);
}

/* Digits d.ddd without trailing zeros and the exponent of the first, shortest that reads back. */
static int shortest_digits(double magnitude, char digits[24])
{
    char text[40], *exponent;
    double back;
    int count;

    /* 15 digits always survive; but the smallest doubles have fewer. */
    for (int precision = magnitude < 1e-300 ? 0 : 14; precision <= 16; precision++) {
        print_plain(text, sizeof text, "%.*e", precision, magnitude);
        if (text_to_number(text, &back) == 0 && back == magnitude)
            break;
    }
    exponent = strchr(text, 'e');
    count = 0;
    for (const char *at = text; at < exponent; at++) {
        if (is_digit(*at))
            digits[count++] = *at;
    }
    while (count > 1 && digits[count - 1] == '0')
        count--;
    digits[count] = '\0';
    return (int)strtol(exponent + 1, NULL, 10);
}

/* 1.5e20, 3e-7 */
static size_t put_exponent(char *to, size_t size, bool negative, const char *digits, int exponent)
{
    return (size_t)snprintf(to, size, "%s%c%s%se%d", negative ? "-" : "", digits[0],
                            digits[1] != '\0' ? "." : "", digits + 1, exponent);
}

static size_t put_plain(char *to, size_t size, bool negative, const char *digits, int exponent)
{
    const char *sign = negative ? "-" : "";
    int count = (int)strlen(digits);

    if (exponent < 0)
        return (size_t)snprintf(to, size, "%s0.%.*s%s", sign, -exponent - 1, "00000000", digits);
    if (count <= exponent + 1)
        return (size_t)snprintf(to, size, "%s%s%.*s", sign, digits, exponent + 1 - count,
                                "0000000000000000");
    return (size_t)snprintf(to, size, "%s%.*s.%s", sign, exponent + 1, digits,
                            digits + exponent + 1);
}

static size_t put_shortest(char *to, size_t size, bool negative, double magnitude)
{
    bool plain = magnitude == 0 || (magnitude >= 1e-6 && magnitude < 1e15);
    size_t length = plain ? put_short(to, negative, magnitude) : 0;
    char digits[24];
    int exponent;

    if (length > 0)
        return length;
    exponent = shortest_digits(magnitude, digits);
    if (plain)
        return put_plain(to, size, negative, digits, exponent);
    return put_exponent(to, size, negative, digits, exponent);
}

/* Rounds like printf(): by the exact value of the double, ties to even. fma() gives what the
 * multiplication lost. */
static size_t put_fixed(char *to, size_t size, bool negative, double magnitude, int decimals)
{
    double scaled, whole, rest, lost;

    if (magnitude * powers_of_10[decimals] >= EXACT_MAX / 4) {
        print_plain(to, size, "%.*f", decimals, negative ? -magnitude : magnitude);
        return strlen(to);
    }
    scaled = magnitude * powers_of_10[decimals];
    lost = fma(magnitude, powers_of_10[decimals], -scaled);
    whole = floor(scaled);
    rest = scaled - whole - 0.5;
    if (rest > 0 || (rest == 0 && (lost > 0 || (lost == 0 && fmod(whole, 2) != 0))))
        whole += 1;
    return put_units(to, negative && whole > 0, (uint64_t)whole, decimals);
}

size_t text_from_number(char *to, size_t size, double value, int decimals)
{
    char text[64];
    size_t length;

    if (!isfinite(value))
        length = (size_t)snprintf(text, sizeof text, "%s",
                                  isnan(value) ? "nan" : (value < 0 ? "-inf" : "inf"));
    else if (decimals >= 0 && fabs(value) < 1e15)
        length = put_fixed(text, sizeof text, value < 0, fabs(value),
                           decimals < TEXT_DECIMALS_MAX ? decimals : TEXT_DECIMALS_MAX);
    else
        length = put_shortest(text, sizeof text, value < 0, fabs(value));
    /* A number that was cut would be another number. */
    if (length >= size)
        length = 0;
    if (size > 0) {
        memcpy(to, text, length);
        to[length] = '\0';
    }
    return length;
}
