/* Scan: which 1-Wire sensors are there, and what they say. Blocks; one thread at a time. */
#pragma once

#include "adapters/onewire/decode.h"
#include "adapters/onewire/prepare.h"

#define ONEWIRE_SCAN_DEFAULT "sysfs:/sys/bus/w1/devices"

struct onewire_seen {
    struct onewire_address address;
    const char *type;           /* "DS18B20"; "" when nobody knows */
    const char *where;          /* "w1_bus_master1"; "" behind an owserver */
    struct onewire_value value; /* of thermometers; else QUALITY_NOT_READ */
    enum onewire_power power;
    int bits; /* of its resolution; 0: it does not say */
};

/* Called for each sensor as soon as it was read; texts are borrowed for the call. false ends it. */
typedef bool (*onewire_scan_found)(void *owner, const struct onewire_seen *seen);

/* Looks at "sysfs:FOLDER" or "owserver://HOST[:PORT]". How many sensors there are, or -EINVAL for
 * another address, -ENODEV, -ECONNREFUSED and the like, with words. */
int onewire_scan(const char *connect, onewire_scan_found found, void *owner, struct error *reterr);
