#include "adapters/modbus/pace.h"

#define RETRY_MAX_MS 60000

void mb_pace_up(struct mb_pace *pace, int64_t now_ms)
{
    pace->up_ms = now_ms;
    pace->last_unit = -1;
}

int64_t mb_pace_ready_ms(const struct mb_pace *pace, const struct mb_bus_options *options,
                         uint8_t unit)
{
    int64_t connected = pace->up_ms + options->pause_connect_ms;
    int64_t pause = options->pause_requests_ms, rested;

    if (pace->hold_ms > pace->ended_ms)
        return pace->hold_ms;
    if (!options->pause_connect_ms && !pause && !options->pause_units_ms)
        return 0;
    if (pace->last_unit < 0)
        return connected;
    if (pace->last_unit != unit && options->pause_units_ms > pause)
        pause = options->pause_units_ms;
    rested = pace->ended_ms + pause;
    return rested > connected ? rested : connected;
}

int64_t mb_pace_retry_ms(struct mb_pace *pace)
{
    static const int32_t pauses_ms[] = {500,  1000, 2000,  3000,  4000, 4000,
                                        5000, 5000, 10000, 20000, 40000};
    size_t n = sizeof(pauses_ms) / sizeof(*pauses_ms);
    int64_t pause = pace->failures < n ? pauses_ms[pace->failures] : RETRY_MAX_MS;

    pace->failures++;
    pace->random = pace->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return pause * 4 / 5 + (int64_t)(pace->random >> 33) % (pause * 2 / 5);
}
