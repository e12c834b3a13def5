#include "adapters/modbus/register.h"

#include "adapters/modbus/pdu.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <string.h>

static const struct kind {
    const char *word;
    uint8_t function;
    char digit; /* in front of a number as manuals count */
} kinds[] = {
    {"coil", MB_READ_COILS, '0'},
    {"discrete", MB_READ_DISCRETES, '1'},
    {"input", MB_READ_INPUTS, '3'},
    {"holding", MB_READ_HOLDINGS, '4'},
};
#define N_KINDS (sizeof(kinds) / sizeof(*kinds))

/* The nearest kind to a word that is none. */
static const char *nearest_kind(const char *word)
{
    const struct kind *best = &kinds[0];

    for (size_t i = 1; i < N_KINDS; i++) {
        if (text_distance(word, kinds[i].word) < text_distance(word, best->word))
            best = &kinds[i];
    }
    return best->word;
}

/* A number without a sign, decimal or 0x..., and nothing else around it. */
static bool parse_count(const char *text, size_t length, int64_t *ret)
{
    char copy[12];

    if (length == 0 || length >= sizeof(copy) || text[0] < '0' || text[0] > '9')
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return text_to_int(copy, ret) == 0;
}

/* "40101": a digit for the kind, then four or five digits that count from 1. */
static int parse_manual(const char *text, size_t length, struct mb_register *ret, int64_t *ret_at,
                        struct error *reterr)
{
    const struct kind *kind = NULL;

    for (size_t i = 0; i < N_KINDS; i++) {
        if (kinds[i].digit == text[0])
            kind = &kinds[i];
    }
    if (!kind || (length != 5 && length != 6) || strspn(text, "0123456789") != length)
        return error_set(reterr, -EINVAL, "\"%s\" is no register", text);
    *ret_at = -1;
    for (size_t i = 1; i < length; i++)
        *ret_at = (*ret_at < 0 ? 0 : *ret_at * 10) + (text[i] - '0');
    *ret_at -= 1;
    ret->function = kind->function;
    return 0;
}

/* "holding 100": a word, blanks, an address that counts from 0. */
static int parse_worded(const char *text, size_t length, struct mb_register *ret, int64_t *ret_at,
                        struct error *reterr)
{
    size_t word = strcspn(text, " \t0123456789.");
    size_t number = word + strspn(text + word, " \t");
    char name[16] = "";

    memcpy(name, text, word < sizeof(name) ? word : sizeof(name) - 1);
    for (size_t i = 0; i < N_KINDS; i++) {
        if (strcmp(kinds[i].word, name) != 0)
            continue;
        ret->function = kinds[i].function;
        if (number >= length || !parse_count(text + number, length - number, ret_at))
            return error_set(reterr, -EINVAL, "\"%s\" has no address after \"%s\"", text, name);
        return 0;
    }
    return error_set(reterr, -EINVAL, "\"%s\" is no kind of register, did you mean \"%s\"?", name,
                     nearest_kind(name));
}

static int parse_bit(const char *text, struct mb_register *ret, struct error *reterr)
{
    int64_t bit;

    if (!parse_count(text, strlen(text), &bit) || bit > 15)
        return error_set(reterr, -EINVAL, "\"%s\" is no bit of a register, they go from 0 to 15",
                         text);
    if (ret->function == MB_READ_COILS || ret->function == MB_READ_DISCRETES)
        return error_set(reterr, -EINVAL, "a coil or discrete input has no bits");
    ret->bit = (int8_t)bit;
    return 0;
}

int mb_register_parse(const char *text, struct mb_register *ret, struct error *reterr)
{
    struct mb_register found = {.bit = -1};
    size_t length = strcspn(text, ".");
    int64_t at = 0;
    int code = text[0] >= '0' && text[0] <= '9' ? parse_manual(text, length, &found, &at, reterr)
                                                : parse_worded(text, length, &found, &at, reterr);

    if (code == 0 && (at < 0 || at > UINT16_MAX))
        code = error_set(reterr, -ERANGE, "\"%s\": addresses go from 0 to 65535 (or %s)", text,
                         "00001, 10001, 30001, 40001 upwards as manuals count");
    if (code == 0 && text[length] == '.')
        code = parse_bit(text + length + 1, &found, reterr);
    if (code < 0)
        return code;
    found.address = (uint16_t)at;
    *ret = found;
    return 0;
}
