#include "config/number.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer words of digits fit no number anyway. */
#define DIGITS_MAX 400

static const char *read_whole(const char *word, int64_t *ret_value, char *hint, size_t hint_size)
{
    const char *digits = word + (*word == '-' || *word == '+');
    int result;

    if (digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9') {
        digits += strspn(digits, "0");
        snprintf(hint, hint_size, "write %s%s", *word == '-' ? "-" : "",
                 *digits != '\0' ? digits : "0");
        return "a number must not begin with 0";
    }
    result = text_to_int(word, ret_value);
    if (result == -ERANGE)
        return "this number is beyond 64 bits";
    return result < 0 ? "this is no number" : NULL;
}

static const char *read_real(const char *word, double *ret_value)
{
    int result;

    if (strpbrk(word, "0123456789") == NULL)
        return "this point stands without a number";
    result = text_to_number(word, ret_value);
    if (result == -ERANGE)
        return "this number is too large";
    return result < 0 ? "this is no number" : NULL;
}

const char *number_read(const struct source *source, struct token token, struct number *ret_number,
                        char *hint, size_t hint_size)
{
    size_t length = token.end - token.start;
    char word[DIGITS_MAX + 1];

    hint[0] = '\0';
    if (length > DIGITS_MAX)
        return "this number is too long";
    memcpy(word, source->bytes + token.start, length);
    while (length > 0 && word[length - 1] == 'L')
        length--;
    word[length] = '\0';
    ret_number->whole = token.kind != TOKEN_FLOAT;
    if (ret_number->whole)
        return read_whole(word, &ret_number->integer, hint, hint_size);
    return read_real(word, &ret_number->real);
}
