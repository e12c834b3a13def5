#include "adapters/modbus/forecast.h"

#include <errno.h>

#define NS_PER_S INT64_C(1000000000)
/* Above 19200 baud the silence is no longer counted in characters. */
#define SILENCE_FAST_NS INT64_C(1750000)

int64_t mb_char_ns(const struct mb_bus_options *options)
{
    int bits = 1 + 8 + (options->parity != 'N') + options->stop_bits;

    return bits * NS_PER_S / options->baud;
}

int64_t mb_silence_ns(const struct mb_bus_options *options)
{
    return options->baud > 19200 ? SILENCE_FAST_NS : mb_char_ns(options) * 7 / 2;
}

/* Unit and CRC are around both PDUs. */
static int64_t block_us(const struct mb_block *block, const struct mb_bus_options *options)
{
    size_t chars = 3 + 5 + 3 + mb_answer_length(&block->request);

    return ((int64_t)chars * mb_char_ns(options) + mb_silence_ns(options)) / 1000 +
           MB_TURNAROUND_US + options->pause_requests_ms * 1000;
}

static void add_device(struct mb_forecast *forecast, size_t index, const struct mb_device *device,
                       const struct mb_bus_options *options)
{
    double share = 0;

    for (uint32_t i = 0; i < device->n_blocks; i++) {
        const struct mb_block *block = &device->blocks[i];
        int64_t every_ms = block->every_ms ? block->every_ms : device->every_ms;
        int64_t us = block_us(block, options);

        forecast->cycle_us += us;
        if (every_ms > 0)
            share += (double)us / 1000 / (double)every_ms;
    }
    forecast->share += share;
    if (share > forecast->largest_share) {
        forecast->largest = index;
        forecast->largest_share = share;
    }
}

int mb_forecast(const struct bus_config *config, struct mb_forecast *ret)
{
    struct mb_bus_options options = mb_bus_options_read(config->options, true);
    struct mb_forecast forecast = {0};
    int result = 0;

    for (size_t i = 0; result == 0 && i < config->n_devices; i++) {
        struct mb_device device;

        result = mb_device_init(&device, &options, &config->devices[i], NULL);
        if (result == 0)
            add_device(&forecast, i, &device, &options);
        mb_device_clear(&device);
    }
    if (result == 0)
        *ret = forecast;
    return result;
}
