/* News: what the MQTT thread tells the loop, through a queue. */
#pragma once

#include <stdint.h>

enum news_what {
    NEWS_DELIVERED, /* value: row of a message that needs no keeping any more */
    NEWS_REPLAYED,  /* a message of a replay is through */
    NEWS_ONLINE,    /* value: the boot time from which on readings reach the broker */
    NEWS_BURIED,    /* value: serial of the list of ghosts that Home Assistant has seen go */
    NEWS_MOVED,     /* value: serial of the list of what is no longer announced in another form */
    NEWS_CLEARED,   /* value: serial of the list whose topics the broker has no longer */
    NEWS_OFFLINE,   /* value: the boot time up to which they are known to have reached it */
};

struct news {
    uint8_t what;
    int64_t value;
};
