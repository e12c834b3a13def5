/* Wave: the value of a simulated channel at a time. Pure. */
#pragma once

#include "gateway/base/setting.h"

#include <stdint.h>

enum wave_form { WAVE_CONSTANT, WAVE_SINE, WAVE_SAW, WAVE_TRIANGLE, WAVE_SQUARE, WAVE_RANDOM };

/* Names in the order of enum wave_form, for SETTING_CHOICE. */
#define WAVE_CHOICES "constant sine saw triangle square random"

struct wave {
    enum wave_form form;
    double low, high;  /* of constant: `low` */
    int64_t period_ms; /* > 0 */
    int64_t shift_ms;  /* of the phase: positive starts later */
    uint32_t seed;     /* of random */
};

/* `ms` since the start. Sine and triangle start at their mean, rising; saw at low; square at low
 * for the first half. Random is one value for each `ms`, evenly spread, the same in every run. */
double wave_at(const struct wave *wave, int64_t ms);
