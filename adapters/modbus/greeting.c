#include "adapters/modbus/greeting.h"

#include "adapters/modbus/write.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <string.h>

#define HINT "write \"holding 100 = 5\" or \"coil 3 = 1\""

/* "holding 100 = 5" into both sides. */
static int split(const char *text, char *name, size_t size, int64_t *ret_value,
                 struct error *reterr)
{
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : 0;

    while (length > 0 && text[length - 1] == ' ')
        length--;
    if (length == 0 || length >= size)
        return error_set(reterr, -EINVAL, "\"%s\" is no register and value", text);
    memcpy(name, text, length);
    name[length] = '\0';
    equals += 1 + strspn(equals + 1, " ");
    if (text_to_int(equals, ret_value) < 0)
        return error_set(reterr, -EINVAL, "\"%s\" is no whole number", equals);
    return 0;
}

int mb_greeting_read(const struct section *device, size_t i, struct mb_request *ret,
                     struct error *reterr)
{
    const char *text = section_text_at(device, "on_connect", i);
    struct mb_channel channel = {.writable = true};
    struct mb_register reg;
    char name[32];
    int64_t value;
    int r = split(text ? text : "", name, sizeof(name), &value, reterr);

    if (r == 0)
        r = mb_register_parse(name, &reg, reterr);
    if (r < 0)
        return r;
    if (reg.bit >= 0 || (reg.function != MB_READ_COILS && reg.function != MB_READ_HOLDINGS))
        return error_set(reterr, -EINVAL, "\"%s\" is no coil and no whole holding register", name);
    channel.span = (struct mb_span){.function = reg.function, .address = reg.address, .count = 1};
    channel.write_with = (uint8_t)section_choice(device, "write_with");
    channel.format.type = reg.function == MB_READ_COILS ? MB_BIT : value < 0 ? MB_INT16 : MB_UINT16;
    channel.format.scale = scale_make(1, 0);
    if (mb_write_build(&channel, (double)value, ret) != QUALITY_GOOD)
        return error_set(reterr, -ERANGE, "\"%s\" cannot hold %lld", name, (long long)value);
    return 0;
}

void mb_greeting_check(const struct section *device, struct problems *problems)
{
    size_t n = section_count(device, "on_connect");
    struct mb_request request;
    struct error err;

    if (n > MB_GREETINGS_MAX)
        problem_error(problems, section_place(device, "on_connect"), NULL,
                      "at most %d registers can be written at first", MB_GREETINGS_MAX);
    for (size_t i = 0; i < n; i++) {
        if (mb_greeting_read(device, i, &request, &err) < 0)
            problem_error(problems, section_place_at(device, "on_connect", i), HINT, "%s",
                          err.text);
    }
}
