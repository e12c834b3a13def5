/* Decode: thermometers on 1-Wire, from the texts that the kernel gives to a temperature. Pure; any
 * thread.
 *
 * `w1_slave` shows the nine bytes of the sensor's memory twice, and what the kernel makes of them:
 *
 *   72 01 4b 46 7f ff 0e 10 57 : crc=57 YES        what was read now, and whether byte 9 is its CRC
 *   72 01 4b 46 7f ff 0e 10 57 t=23125             the last that was good, in thousandths of a
 * degree
 *
 * After NO the second line is an old value. `temperature` is that number alone. Sources: the
 * kernel's Documentation/w1/slaves/w1_therm.rst and drivers/w1/slaves/w1_therm.c; data sheets of
 * DS18S20, DS1822, DS18B20, DS1825, DS28EA00, MAX31850. */
#pragma once

#include "gateway/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "28-0316a2794aff": family and serial number, as the kernel names a sensor's folder. */
#define ONEWIRE_ADDRESS_SIZE 16
struct onewire_address {
    uint8_t family;
    char text[ONEWIRE_ADDRESS_SIZE];
};

/* Takes upper case, and '.' for '-', too. 0, or -EINVAL with words for the person who wrote it. */
int onewire_address_read(const char *text, struct onewire_address *ret, struct error *reterr);

/* The same for thermometers only: other families are -EINVAL, too. */
int onewire_address_parse(const char *text, struct onewire_address *ret, struct error *reterr);

/* "DS18B20" for 0x28; NULL for a family that is no thermometer. Borrowed for ever. */
const char *onewire_family_name(uint8_t family);

struct onewire_value {
    uint8_t quality; /* enum quality; anything but QUALITY_GOOD: there is no value */
    int32_t milli_c; /* thousandths of a degree Celsius */
};

/* Any bytes are legal. QUALITY_CRC when either the kernel or our own sum says so; QUALITY_LOW_POWER
 * for a memory of zeros (its CRC is right!) and 127.937 °C; QUALITY_NO_SENSOR for a thermocouple
 * that is not connected; QUALITY_OUT_OF_RANGE beyond what the family can measure; QUALITY_PROTOCOL
 * for all that is not the text above. 85 °C is good here: see below. */
struct onewire_value onewire_decode_slave(uint8_t family, const char *text, size_t length);
struct onewire_value onewire_decode_temperature(uint8_t family, const char *text, size_t length);

/* The same for a temperature that somebody else has made of the memory. */
struct onewire_value onewire_judge(uint8_t family, int32_t milli_c);

/* Whether a value of this quality is an answer: a sensor that says what is wrong with it is there.
 */
bool onewire_has_answered(uint8_t quality);

/* 85 °C is what the memory holds between power-on and the first conversion, and a real temperature.
 * Whether `value` needs a second reading before it is believed: it is 85 °C, and `last` (NULL:
 * none), the sensor's good value before, is not within 10 K of it. */
bool onewire_is_doubtful(struct onewire_value value, const struct onewire_value *last);

/* What to believe after that: a second reading that is good, and QUALITY_POWER_ON otherwise. */
struct onewire_value onewire_confirm(struct onewire_value second);

/* Of Maxim's application note 27; 0 over bytes that end with their own CRC. */
uint8_t onewire_crc8(const uint8_t *bytes, size_t count);
