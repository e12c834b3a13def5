/* Classes of Home Assistant: which units a class of sensors may have. Pure; any thread.
 *
 * Home Assistant refuses a sensor whose unit does not fit its class, and drops one whose class it
 * does not know: then the class is better left out. From its tables of 2025.1. */
#pragma once

#include <stdbool.h>

/* A numeric sensor's class with that unit ("": none). */
bool hass_class_fits(const char *klass, const char *unit);

/* Whether the class counts up for ever (energy, gas, water, volume): it has no state class
 * `measurement`. */
bool hass_class_is_total(const char *klass);

/* A class of binary sensors; of events. */
bool hass_class_is_binary(const char *klass);
bool hass_class_is_event(const char *klass);
