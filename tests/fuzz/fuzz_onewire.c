/* Any bytes as what the kernel shows of a 1-Wire sensor, and as the header of an owserver's answer.
 * Beyond not crashing: a value that is taken was read, with a sum that is right, and lies where a
 * thermometer can be; an address that is taken reads as itself; an answer is never longer than the
 * room for it. The first byte chooses the family. */
#include "adapters/onewire/decode.h"
#include "adapters/onewire/owserver_wire.h"

#include "gateway/base/reading.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool is)
{
    if (!is)
        abort();
}

static void check_value(struct onewire_value value)
{
    demand(value.quality == QUALITY_GOOD || value.milli_c == 0);
    demand(value.milli_c >= -270000 && value.milli_c <= 1372000 && value.milli_c != 127937);
}

/* By other means than the decoder's: the text of a good value, read once more. */
static void check_slave(struct onewire_value value, const char *text)
{
    unsigned pad[9], crc, any = 0;
    uint8_t bytes[9];
    int t;

    check_value(value);
    if (value.quality != QUALITY_GOOD)
        return;
    demand(sscanf(text, "%2x %2x %2x %2x %2x %2x %2x %2x %2x : crc=%2x YES", &pad[0], &pad[1],
                  &pad[2], &pad[3], &pad[4], &pad[5], &pad[6], &pad[7], &pad[8], &crc) == 10);
    for (int i = 0; i < 9; i++) {
        bytes[i] = (uint8_t)pad[i];
        any |= pad[i];
    }
    demand(any && onewire_crc8(bytes, 8) == bytes[8] && strstr(text, "t="));
    demand(sscanf(strstr(text, "t="), "t=%d", &t) == 1 && t == value.milli_c);
}

static void check_address(const char *text)
{
    struct onewire_address address, again;
    struct error error;

    if (onewire_address_parse(text, &address, &error) < 0) {
        demand(error.text[0] && strlen(error.text) < sizeof(error.text));
        return;
    }
    demand(strlen(address.text) == 15 && onewire_family_name(address.family));
    demand(onewire_address_parse(address.text, &again, NULL) == 0);
    demand(strcmp(address.text, again.text) == 0 && address.family == again.family);
}

static void check_answer(const uint8_t *bytes, size_t length)
{
    uint8_t header[OW_HEADER] = {0};
    struct ow_answer answer;
    char words[100];
    int r;

    memcpy(header, bytes, length < sizeof(header) ? length : sizeof(header));
    r = ow_parse(header, &answer);
    demand(r == 0 || r == -EAGAIN || r == -EPROTO);
    if (r < 0)
        return;
    demand(answer.length <= OW_DATA_MAX);
    if (answer.result < 0)
        demand(ow_quality(answer.result) != QUALITY_GOOD &&
               *ow_words(answer.result, words, sizeof(words)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t families[] = {0x10, 0x22, 0x28, 0x3b, 0x42, 0x26};
    uint8_t family;
    size_t length = size - 1;
    char *bytes, *text; /* of its own, so that a read behind the end is seen; ended with NUL */

    if (size < 1)
        return 0;
    family = families[data[0] % sizeof(families)];
    bytes = malloc(length + (length == 0));
    text = malloc(length + 1);
    if (bytes && text) {
        memcpy(bytes, data + 1, length);
        memcpy(text, data + 1, length);
        text[length] = '\0';
        check_slave(onewire_decode_slave(family, bytes, length), text);
        check_value(onewire_decode_temperature(family, bytes, length));
        check_address(text);
        check_answer((const uint8_t *)bytes, length);
    }
    free(bytes);
    free(text);
    return 0;
}
