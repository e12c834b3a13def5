#include "adapters/onewire/owserver_wire.h"

#include "gateway/base/reading.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FLAG_PERSISTENT 0x004
#define FLAG_OWNET      0x100 /* the flags count, also those of the temperature scale: 0 is °C */

static void put_word(uint8_t *to, uint32_t word)
{
    to[0] = (uint8_t)(word >> 24);
    to[1] = (uint8_t)(word >> 16);
    to[2] = (uint8_t)(word >> 8);
    to[3] = (uint8_t)word;
}

static int32_t get_word(const uint8_t *from)
{
    return (int32_t)((uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 |
                     from[3]);
}

size_t ow_build(uint8_t to[OW_REQUEST_MAX], enum ow_type type, const char *path, const char *value)
{
    size_t n_path = strlen(path) + 1, n_value = value ? strlen(value) : 0;

    if (n_path > OW_REQUEST_MAX - OW_HEADER || n_value > OW_REQUEST_MAX - OW_HEADER - n_path)
        return 0;
    memset(to, 0, OW_HEADER);
    put_word(to + 4, (uint32_t)(n_path + n_value));
    put_word(to + 8, type);
    put_word(to + 12, FLAG_OWNET | FLAG_PERSISTENT);
    put_word(to + 16, value ? (uint32_t)n_value : OW_DATA_MAX);
    memcpy(to + OW_HEADER, path, n_path);
    if (value)
        memcpy(to + OW_HEADER + n_path, value, n_value);
    return OW_HEADER + n_path + n_value;
}

int ow_parse(const uint8_t header[OW_HEADER], struct ow_answer *ret_answer)
{
    int32_t version = get_word(header), payload = get_word(header + 4);

    if (version != 0 || payload > OW_DATA_MAX)
        return -EPROTO;
    if (payload < 0)
        return -EAGAIN;
    *ret_answer = (struct ow_answer){
        .length = (size_t)payload,
        .result = get_word(header + 8),
        .persistent = get_word(header + 12) & FLAG_PERSISTENT,
    };
    return 0;
}

/* Those that a person meets; all others are QUALITY_ERROR by their number. */
static const struct {
    int32_t code;
    uint8_t quality;
    const char *words;
} errors[] = {
    {1, QUALITY_NO_SENSOR, "there is no such sensor or property"},
    {2, QUALITY_NO_SENSOR, "there is no such sensor or property"},
    {5, QUALITY_TIMEOUT, "the sensor does not answer"},
    {13, QUALITY_ERROR, "owserver does not allow it"},
    {19, QUALITY_NO_SENSOR, "there is no such sensor"},
    {22, QUALITY_ERROR, "owserver cannot do this"},
    {28, QUALITY_NO_SENSOR, "the address has a wrong check sum"},
    {29, QUALITY_NO_SENSOR, "there is no such sensor"},
    {30, QUALITY_ERROR, "owserver may not write"},
    {32, QUALITY_NO_SENSOR, "the sensor has no such property"},
    {41, QUALITY_NO_SENSOR, "the sensor is gone"},
    {44, QUALITY_DISCONNECTED, "the 1-Wire line is short-circuited"},
    {45, QUALITY_DISCONNECTED, "the bus master is gone"},
    {47, QUALITY_DISCONNECTED, "the bus master does not answer"},
    {49, QUALITY_DISCONNECTED, "the bus master is closed"},
    {50, QUALITY_DISCONNECTED, "the bus master cannot be opened"},
    {51, QUALITY_CRC, "the line disturbs what is sent"},
    {52, QUALITY_TIMEOUT, "the bus master takes too long"},
    {58, QUALITY_CRC, "what was read is damaged"},
    {65, QUALITY_ERROR, "this property cannot be written"},
    {66, QUALITY_ERROR, "owserver may not write"},
    {67, QUALITY_CRC, "what was written did not arrive"},
    {70, QUALITY_NO_SENSOR, "the sensor is gone"},
    {74, QUALITY_CRC, "what was read is damaged"},
    {95, QUALITY_ERROR, "this property cannot be written"},
};
#define N_ERRORS (sizeof(errors) / sizeof(errors[0]))

static size_t find_error(int32_t result)
{
    size_t i = 0;

    while (i < N_ERRORS && (result == INT32_MIN || errors[i].code != -result))
        i++;
    return i;
}

uint8_t ow_quality(int32_t result)
{
    size_t i = find_error(result);

    return i < N_ERRORS ? errors[i].quality : QUALITY_ERROR;
}

const char *ow_words(int32_t result, char *text, size_t size)
{
    size_t i = find_error(result);

    if (i < N_ERRORS)
        snprintf(text, size, "%s", errors[i].words);
    else
        snprintf(text, size, "owserver says error %lld", -(long long)result);
    return text;
}
