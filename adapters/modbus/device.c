#include "adapters/modbus/device.h"

#include "adapters/modbus/cuts.h"
#include "adapters/modbus/greeting.h"
#include "adapters/modbus/held.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exceptions of a device that has not all of the registers, or gives fewer at once. */
#define EXCEPTION_ADDRESS 2
#define EXCEPTION_VALUE   3
/* That of a device that has no time now. */
#define EXCEPTION_BUSY 6
#define BUSY_TRIES     3
/* Exceptions of a converter that speaks for a slave: path unavailable, target did not respond. */
#define EXCEPTION_PATH   10
#define EXCEPTION_TARGET 11

static int read_channels(struct mb_device *device, const struct device_config *config,
                         struct error *reterr)
{
    struct problems *problems = problems_new();
    int result = problems ? 0 : -ENOMEM;

    for (size_t i = 0; problems && i < config->n_channels && result == 0; i++)
        result =
            mb_channel_read(config->options, &config->channels[i], &device->channels[i], problems);
    if (result == -EINVAL)
        error_set(reterr, result, "device \"%s\": %s", config->name,
                  problems_errors(problems) ? problems_line(problems, 0) : "no register");
    problems_free(problems);
    return result;
}

static int plan_blocks(struct mb_device *device, const struct device_config *config)
{
    struct mb_limits limits = {device->max_registers,
                               (unsigned)section_int(config->options, "max_gap")};
    struct mb_span *spans = calloc(device->n_channels + 1u, sizeof(*spans));
    struct mb_block *fitting;

    if (!spans)
        return -ENOMEM;
    for (size_t i = 0; i < device->n_channels; i++) {
        spans[i] = device->channels[i].span;
        if (config->channels[i].every_ms > config->every_ms)
            spans[i].every_ms = config->channels[i].every_ms;
    }
    device->n_blocks =
        (uint32_t)mb_plan(spans, device->n_channels, &limits, device->order, device->blocks);
    free(spans);
    fitting = realloc(device->blocks, device->n_blocks * sizeof(*fitting));
    if (fitting)
        device->blocks = fitting;
    return 0;
}

static int read_greetings(struct mb_device *device, const struct section *options,
                          struct error *reterr)
{
    size_t n = section_count(options, "on_connect");
    int result = 0;

    device->greetings = calloc(n + 1, sizeof(*device->greetings));
    if (!device->greetings)
        return -ENOMEM;
    for (size_t i = 0; i < n && result == 0; i++)
        result = mb_greeting_read(options, i, &device->greetings[i], reterr);
    device->n_greetings = (uint32_t)n;
    return result;
}

int mb_device_init(struct mb_device *device, const struct mb_bus_options *bus,
                   const struct device_config *config, struct error *reterr)
{
    size_t n = config->n_channels;
    int result;

    *device = (struct mb_device){
        .unit = (uint8_t)section_int(config->options, "unit"),
        .every_ms = config->every_ms,
        .retries = bus->retries,
        .max_registers = (unsigned)section_int(config->options, "max_registers"),
        .timeout_ms = section_has(config->options, "timeout")
                          ? section_duration_ms(config->options, "timeout")
                          : bus->timeout_ms,
        .channels = calloc(n, sizeof(*device->channels)),
        .blocks = calloc(n, sizeof(*device->blocks)),
        .order = calloc(n, sizeof(*device->order)),
    };
    if (!device->channels || !device->blocks || !device->order)
        return error_set(reterr, -ENOMEM, "out of memory");
    if (n == 0)
        return error_set(reterr, -EINVAL, "device \"%s\" has no channels", config->name);
    device->n_channels = (uint32_t)n;
    result = read_channels(device, config, reterr);
    if (result == 0)
        result = read_greetings(device, config->options, reterr);
    if (result == 0)
        result = plan_blocks(device, config);
    if (result == 0 && bus->shared)
        result = mb_device_hold(device);
    return result == -ENOMEM ? error_set(reterr, -ENOMEM, "out of memory") : result;
}

void mb_device_clear(struct mb_device *device)
{
    for (size_t i = 0; device->channels && i < device->n_channels; i++)
        mb_channel_clear(&device->channels[i]);
    free(device->channels);
    free(device->blocks);
    free(device->greetings);
    free(device->order);
    free(device->held);
    *device = (struct mb_device){0};
}

int mb_device_hold(struct mb_device *device)
{
    device->held = calloc(1, sizeof(*device->held));
    return device->held ? 0 : -ENOMEM;
}

void mb_device_forget(struct mb_device *device)
{
    if (device->held)
        mb_held_forget(device->held);
}

/* -- a poll --------------------------------------------------------------------------------- */

static uint32_t current_index(const struct mb_device *device)
{
    return (device->first_block + device->poll.done) % device->n_blocks;
}

static struct mb_block *current_block(const struct mb_device *device)
{
    return &device->blocks[current_index(device)];
}

/* A poll that comes a little early serves as well: it is on the device's raster, not the block's.
 */
static bool is_due(const struct mb_device *device, const struct mb_block *block)
{
    return device->poll.whole || block->due_ms <= device->poll.began_ms + device->every_ms / 2;
}

static void skip_undue(struct mb_device *device)
{
    while (device->poll.done < device->n_blocks && !is_due(device, current_block(device)))
        device->poll.done++;
}

/* On a raster of its own, unless it is behind by more than an interval. */
static void plan_next(struct mb_device *device, struct mb_block *block)
{
    int64_t now_ms = device->poll.began_ms;

    if (block->due_ms + block->every_ms <= now_ms)
        block->due_ms = now_ms;
    block->due_ms += block->every_ms;
}

void mb_poll_start(struct mb_device *device, int64_t now_ms)
{
    device->poll = (struct mb_poll){.began_ms = now_ms, .quality = QUALITY_ERROR};
    skip_undue(device);
    if (device->poll.done == device->n_blocks)
        device->poll =
            (struct mb_poll){.began_ms = now_ms, .whole = true, .quality = QUALITY_ERROR};
}

void mb_poll_greet(struct mb_device *device)
{
    device->greeted = 0;
}

bool mb_poll_complaint(struct mb_device *device, char *words, size_t size)
{
    if (device->refusal == 0)
        return false;
    snprintf(words, size, "unit %u has not taken what on_connect writes: %s", device->unit,
             quality_name(device->refusal));
    device->refusal = 0;
    return true;
}

void mb_poll_tell(struct mb_device *device, struct adapter_host *host, uint32_t index)
{
    char words[ADAPTER_LEARNT_SIZE];

    if (mb_poll_complaint(device, words, sizeof(words)))
        host->note(host, words);
    if (mb_cuts_learnt(device, words, sizeof(words)))
        host->learnt(host, index, words);
}

void mb_poll_want(struct mb_device *device, uint32_t channel)
{
    mb_device_forget(device);
    for (uint32_t i = 0; i < device->n_blocks; i++) {
        struct mb_block *block = &device->blocks[i];

        for (uint32_t k = 0; k < block->n_spans; k++) {
            if (device->order[block->first + k] == channel)
                block->due_ms = 0;
        }
    }
}

static bool is_to_greet(const struct mb_device *device)
{
    return device->greeted < device->n_greetings;
}

const struct mb_request *mb_poll_request(const struct mb_device *device)
{
    if (device->poll.done == device->n_blocks)
        return NULL;
    return is_to_greet(device) ? &device->greetings[device->greeted]
                               : &current_block(device)->request;
}

bool mb_poll_is_busy(uint8_t quality)
{
    return quality == QUALITY_EXCEPTION + EXCEPTION_BUSY;
}

bool mb_poll_again(const struct mb_device *device, uint8_t quality, unsigned tries)
{
    if (mb_poll_is_busy(quality))
        return tries < BUSY_TRIES;
    return (quality == QUALITY_TIMEOUT || quality == QUALITY_CRC || quality == QUALITY_PROTOCOL) &&
           (!device->away || device->poll.answered) && tries <= device->retries;
}

static size_t block_bad(const struct mb_device *device, const struct mb_block *block,
                        uint8_t quality, int64_t at_ms, struct sample *samples)
{
    for (uint32_t i = 0; i < block->n_spans; i++)
        samples[i] = sample_bad(device->order[block->first + i], at_ms, quality);
    return block->n_spans;
}

static size_t block_good(const struct mb_device *device, const struct mb_block *block,
                         const uint8_t *data, int64_t at_ms, struct sample *samples)
{
    bool bits = mb_reads_bits(block->request.function);

    for (uint32_t i = 0; i < block->n_spans; i++) {
        uint32_t index = device->order[block->first + i];
        const struct mb_channel *channel = &device->channels[index];
        size_t offset = (size_t)channel->span.address - block->request.address;

        if (bits)
            samples[i] =
                mb_decode_bit(&channel->format, data[offset / 8] >> offset % 8 & 1, index, at_ms);
        else
            samples[i] = mb_decode(&channel->format, data + 2 * offset, index, at_ms);
        if (channel->edge)
            samples[i] = edge_take(channel->edge, &samples[i]);
    }
    return block->n_spans;
}

/* The rest of the poll is bad for one reason. Nothing is to be reported when nothing came at all:
 * then the end of the poll says it of all channels. */
static size_t poll_abandon(struct mb_device *device, uint8_t quality, int64_t at_ms,
                           struct sample *samples)
{
    size_t n = 0;

    device->poll.quality = quality;
    for (; device->poll.done < device->n_blocks; device->poll.done++, skip_undue(device)) {
        if (device->poll.answered)
            n += block_bad(device, current_block(device), quality, at_ms, samples + n);
    }
    if (!device->poll.answered && device->n_blocks > 0)
        device->first_block = (device->first_block + 1) % device->n_blocks;
    for (uint32_t i = 0; !device->poll.answered && i < device->n_blocks; i++)
        device->blocks[i].due_ms = 0;
    return n;
}

/* Whether the device itself has spoken. */
static bool is_answer(uint8_t quality)
{
    if (quality == QUALITY_EXCEPTION + EXCEPTION_PATH ||
        quality == QUALITY_EXCEPTION + EXCEPTION_TARGET)
        return false;
    return quality == QUALITY_GOOD || quality > QUALITY_EXCEPTION;
}

/* One that is refused would be refused again; one that is not answered is, too. */
static void take_greeting(struct mb_device *device, uint8_t quality)
{
    if (quality != QUALITY_GOOD)
        device->refusal = quality;
    device->greeted++;
}

size_t mb_poll_take(struct mb_device *device, uint8_t quality, const uint8_t *data, int64_t at_ms,
                    struct sample *samples)
{
    bool greeting = is_to_greet(device);
    struct mb_block *block = current_block(device);
    size_t n;

    if (is_answer(quality)) {
        device->poll.answered = true;
    } else if (!device->poll.answered || quality == QUALITY_DISCONNECTED || device->poll.silent) {
        return poll_abandon(device, quality, at_ms, samples);
    } else {
        device->poll.silent++;
    }
    if (greeting) {
        take_greeting(device, quality);
        return 0;
    }
    if ((quality == QUALITY_EXCEPTION + EXCEPTION_ADDRESS ||
         quality == QUALITY_EXCEPTION + EXCEPTION_VALUE) &&
        mb_cut(device, current_index(device)))
        return 0;
    if (quality == QUALITY_GOOD)
        mb_cuts_prove(device, block);
    if (quality == QUALITY_GOOD && device->held)
        mb_held_put(device->held, &block->request, data, at_ms);
    n = quality == QUALITY_GOOD ? block_good(device, block, data, at_ms, samples)
                                : block_bad(device, block, quality, at_ms, samples);
    if (is_answer(quality))
        plan_next(device, block);
    device->poll.done++;
    skip_undue(device);
    return n;
}

uint8_t mb_poll_quality(struct mb_device *device)
{
    device->away = !device->poll.answered;
    if (device->away)
        mb_poll_greet(device);
    return device->poll.answered ? QUALITY_GOOD : device->poll.quality;
}
