/* Prepare: what a 1-Wire thermometer is asked for and told once, when it turns up.
 *
 *   ext_power    1 a supply of its own, 0 parasite: it lives on the line
 *   resolution   9 to 12 bits; 94 to 750 ms a conversion. Kept in the sensor's RAM: its EEPROM,
 * with 50,000 writes in its life, is never written by us features     2: whether the conversion is
 * done is asked for on the wire, not waited out. Not with parasite power, and clones get it wrong:
 * it is tried, and taken back at the first bad answer
 *
 * Bit 1 of `features` stays off: it makes an error of 85 °C and 127.937 °C, and then nobody could
 * say which. Blocks: for workers. Source: the kernel's Documentation/w1/slaves/w1_therm.rst. */
#pragma once

#include "adapters/adapter.h"

enum onewire_power { ONEWIRE_POWER_UNKNOWN, ONEWIRE_PARASITE, ONEWIRE_SUPPLIED };

/* Of the sensor in `folder`. */
enum onewire_power onewire_power(const char *folder);

/* Its bits now, 0 when it does not say. */
int onewire_resolution(const char *folder);

/* One sensor's; all zero at first. */
struct onewire_prepared {
    bool done;    /* it was prepared since it came */
    bool polls;   /* we have switched completion polling on */
    bool refused; /* and back off: not tried again */
    bool said;    /* that its resolution could not be set */
};

/* Sets what `bits` (0: leave it) and its power ask for. `address` is for words to the host. */
void onewire_prepare(struct onewire_prepared *prepared, const char *address, const char *folder,
                     int bits, struct adapter_host *host);

/* It has answered with `quality`, which is bad: takes back what may be the cause. */
void onewire_unprepare(struct onewire_prepared *prepared, const char *address, const char *folder,
                       uint8_t quality, struct adapter_host *host);
