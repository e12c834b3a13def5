#include "gateway/core/sink.h"

#include <stddef.h>

const char *event_type_name(uint8_t type)
{
    static const char *const names[] = {
        [EVENT_FIRED] = "fired",
        [EVENT_CLEARED] = "cleared",
        [EVENT_GATEWAY] = "gateway",
    };

    return type < sizeof(names) / sizeof(names[0]) ? names[type] : "gateway";
}
