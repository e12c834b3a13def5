#include "adapters/modbus/identity.h"

#include "gateway/base/text.h"

#include <string.h>

#define CODE_BASIC 1
#define N_BASIC    3 /* vendor, product code, revision */

struct mb_request mb_identity_ask(const struct mb_identity *identity)
{
    return (struct mb_request){.function = MB_IDENTIFY, .data = {CODE_BASIC, identity->next}};
}

static char *text_of(struct mb_identity *identity, uint8_t object)
{
    char *texts[N_BASIC] = {identity->vendor, identity->product, identity->revision};

    return object < N_BASIC ? texts[object] : NULL;
}

/* conformity(1) more(1) next(1) n(1) n x { id(1) length(1) text } */
size_t mb_identity_size(const uint8_t *data)
{
    size_t size = 4;

    for (uint8_t i = 0; i < data[3]; i++)
        size += 2 + (size_t)data[size + 1];
    return size;
}

bool mb_identity_take(struct mb_identity *identity, const uint8_t *data)
{
    bool more = data[1] == 0xff;
    uint8_t asked = identity->next;
    const uint8_t *object = data + 4;

    for (uint8_t i = 0; i < data[3]; i++, object += 2 + object[1]) {
        char *text = text_of(identity, object[0]), raw[256];

        if (!text)
            continue;
        memcpy(raw, object + 2, object[1]);
        raw[object[1]] = '\0';
        text_escape(text, MB_IDENTITY_TEXT, raw);
    }
    identity->next = data[2];
    return more && identity->next > asked && identity->next < N_BASIC; /* it must end */
}
