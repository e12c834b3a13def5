#include "adapters/onewire/file.h"

#include "adapters/attribute.h"
#include "gateway/base/reading.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

static uint8_t quality_of(int error)
{
    switch (error) {
    case -ENOENT:
    case -ENOTDIR:
    case -ENODEV:
    case -ENXIO:
        return QUALITY_NO_SENSOR;
    case -EIO: /* nobody answered the reset of the wire */
    case -ETIMEDOUT:
        return QUALITY_TIMEOUT;
    case -EFBIG:
    case -EISDIR:
        return QUALITY_PROTOCOL;
    default:
        return QUALITY_ERROR;
    }
}

/* `temperature` has no sum to check, so it is only read where there is nothing better. */
struct onewire_value onewire_file_read(const char *folder, uint8_t family, int *ret_error)
{
    char path[PATH_MAX], text[ATTRIBUTE_MAX + 1];
    bool slave = true;
    int n;

    snprintf(path, sizeof(path), "%s/w1_slave", folder);
    n = attribute_read_lines(path, 2, text);
    if (n == -ENOENT) {
        slave = false;
        snprintf(path, sizeof(path), "%s/temperature", folder);
        n = attribute_read_lines(path, 1, text);
    }
    *ret_error = n < 0 ? n : 0;
    if (n < 0)
        return (struct onewire_value){.quality = quality_of(n)};
    return slave ? onewire_decode_slave(family, text, (size_t)n)
                 : onewire_decode_temperature(family, text, (size_t)n);
}
