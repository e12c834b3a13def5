#include "adapters/sim/wave.h"

#include <math.h>

/* 0..1 by a mix of the bits of (seed, ms): splitmix64's finish. */
static double noise(uint32_t seed, int64_t ms)
{
    uint64_t x = (uint64_t)ms * UINT64_C(0x9e3779b97f4a7c15) + seed;

    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((x ^ (x >> 31)) >> 11) / (double)(UINT64_C(1) << 53);
}

/* Height of the form, 0 (low) to 1 (high), at a phase of 0 to 1. */
static double height(enum wave_form form, double phase)
{
    switch (form) {
    case WAVE_SINE:
        return 0.5 + 0.5 * sin(2 * M_PI * phase);
    case WAVE_SAW:
        return phase;
    case WAVE_TRIANGLE:
        return phase < 0.25 ? 0.5 + 2 * phase : phase < 0.75 ? 1.5 - 2 * phase : 2 * phase - 1.5;
    case WAVE_SQUARE:
        return phase < 0.5 ? 0 : 1;
    default:
        return 0;
    }
}

double wave_at(const struct wave *wave, int64_t ms)
{
    int64_t into = (ms - wave->shift_ms) % wave->period_ms;
    double part;

    if (into < 0)
        into += wave->period_ms;
    part = wave->form == WAVE_RANDOM ? noise(wave->seed, ms)
                                     : height(wave->form, (double)into / (double)wave->period_ms);
    return wave->low + (wave->high - wave->low) * part;
}
