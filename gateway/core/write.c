#include "gateway/core/write.h"

#include "adapters/adapters.h"
#include "gateway/base/clock.h"
#include "gateway/base/loop.h"
#include "gateway/base/text.h"
#include "gateway/core/inventory.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRITES_MAX   256   /* under way and waiting together */
#define READ_BACK_MS 2000  /* after the device has confirmed */
#define CONFIRM_MS   10000 /* after which a device that says nothing is given up */

enum stage { FREE, WAITING, SENT, CONFIRMED };

struct entry {
    struct command command;
    uint8_t stage; /* enum stage */
    uint32_t sensor;
    uint32_t turn; /* of this use of the entry: a late confirmation must not hit the next */
    double number;
    int64_t since_ms; /* of the stage */
};

struct writes {
    struct entry entries[WRITES_MAX];
    size_t n_busy;
    const struct inventory *inventory;
    struct adapters *adapters;
    struct timer *timer;
    writes_ended ended;
    void *owner;
};

/* Tokens are an entry and its turn. */
static uint32_t token_of(const struct writes *writes, const struct entry *entry)
{
    return (uint32_t)(entry - writes->entries) | entry->turn << 8;
}

static struct entry *find(struct writes *writes, uint32_t sensor, enum stage from, enum stage to)
{
    for (size_t i = 0; i < WRITES_MAX; i++) {
        struct entry *entry = &writes->entries[i];

        if (entry->stage >= from && entry->stage <= to && entry->sensor == sensor)
            return entry;
    }
    return NULL;
}

static struct entry *take_free(struct writes *writes)
{
    for (size_t i = 0; i < WRITES_MAX; i++) {
        if (writes->entries[i].stage == FREE)
            return &writes->entries[i];
    }
    return NULL;
}

/* -- ends ----------------------------------------------------------------------------------- */

static void send(struct writes *writes, struct entry *entry);

static void answer(struct writes *writes, const struct command *command, uint8_t result,
                   const struct reading *read, const char *words)
{
    struct command_reply reply = {.token = command->token, .kind = COMMAND_WRITE, .result = result};

    if (read && read->kind == VALUE_TEXT) {
        reply.text = text_table_get(writes->inventory->texts, read->text);
    } else if (read) {
        reply.has_value = true;
        reply.value = read->number;
    }
    text_copy(reply.target, sizeof(reply.target), command->target);
    text_copy(reply.words, sizeof(reply.words), words);
    writes->ended(writes->owner, command, &reply);
}

/* Ends what was under way for a channel; who waited for it goes next. */
static void end(struct writes *writes, struct entry *entry, uint8_t result,
                const struct reading *read, const char *words)
{
    struct command command = entry->command;
    uint32_t sensor = entry->sensor;
    struct entry *next;

    entry->stage = FREE;
    writes->n_busy--;
    answer(writes, &command, result, read, words);
    next = find(writes, sensor, WAITING, WAITING);
    if (next)
        send(writes, next);
}

static void plan_timer(struct writes *writes)
{
    int64_t next_ms = CLOCK_NEVER;

    for (size_t i = 0; i < WRITES_MAX; i++) {
        const struct entry *entry = &writes->entries[i];
        int64_t end_ms = entry->since_ms + (entry->stage == SENT ? CONFIRM_MS : READ_BACK_MS);

        if (entry->stage >= SENT && end_ms < next_ms)
            next_ms = end_ms;
    }
    timer_at(writes->timer, next_ms);
}

static void time_out(void *owner)
{
    struct writes *writes = owner;
    int64_t now_ms = clock_boot_ms();

    for (size_t i = 0; i < WRITES_MAX; i++) {
        struct entry *entry = &writes->entries[i];

        if (entry->stage == SENT && now_ms >= entry->since_ms + CONFIRM_MS)
            end(writes, entry, COMMAND_TIMEOUT, NULL, "the device does not answer");
        else if (entry->stage == CONFIRMED && now_ms >= entry->since_ms + READ_BACK_MS)
            end(writes, entry, COMMAND_TIMEOUT, NULL, "it was written, but could not be read back");
    }
    plan_timer(writes);
}

/* -- on the way ----------------------------------------------------------------------------- */

static const char *words_for(int r)
{
    switch (r) {
    case -ENODEV:
        return "the device is on no line now";
    case -ENOBUFS:
        return "too many writes wait for this line";
    case -ECANCELED:
        return "the gateway is stopping";
    default:
        return "this device cannot be written";
    }
}

static void send(struct writes *writes, struct entry *entry)
{
    const struct inventory_sensor *sensor = &writes->inventory->sensors[entry->sensor];
    uint32_t channel = entry->sensor - writes->inventory->devices[sensor->device].first_sensor;
    int r = -ECANCELED;

    entry->stage = SENT;
    entry->since_ms = clock_boot_ms();
    if (writes->adapters)
        r = adapters_write(writes->adapters, sensor->device, channel, entry->number,
                           token_of(writes, entry));
    if (r < 0)
        end(writes, entry, COMMAND_REFUSED, NULL, words_for(r));
    plan_timer(writes);
}

void writes_put(struct writes *writes, const struct command *command, uint32_t sensor,
                double number)
{
    bool busy = find(writes, sensor, SENT, CONFIRMED) != NULL;
    struct entry *entry = find(writes, sensor, WAITING, WAITING);

    if (entry) {
        struct command older = entry->command;

        entry->command = *command;
        entry->number = number;
        answer(writes, &older, COMMAND_SUPERSEDED, NULL, "a newer value came before it was sent");
        return;
    }
    entry = take_free(writes);
    if (!entry) {
        answer(writes, command, COMMAND_REFUSED, NULL, "too many writes are under way");
        return;
    }
    writes->n_busy++;
    *entry = (struct entry){.command = *command,
                            .stage = WAITING,
                            .sensor = sensor,
                            .turn = (entry->turn + 1) & 0xffffff,
                            .number = number};
    if (!busy)
        send(writes, entry);
}

void writes_confirm(struct writes *writes, uint32_t token, uint8_t quality)
{
    struct entry *entry = &writes->entries[token & (WRITES_MAX - 1)];
    char words[120];

    if (entry->stage != SENT || token_of(writes, entry) != token)
        return;
    if (quality == QUALITY_GOOD) {
        entry->stage = CONFIRMED;
        entry->since_ms = clock_boot_ms();
        plan_timer(writes);
        return;
    }
    snprintf(words, sizeof(words), "the device answered: %s", quality_name(quality));
    end(writes, entry,
        quality == QUALITY_TIMEOUT || quality == QUALITY_DISCONNECTED ? COMMAND_TIMEOUT
                                                                      : COMMAND_REFUSED,
        NULL, words);
}

bool write_is_same(const struct inventory_sensor *sensor, double wanted, double read)
{
    double tolerance = sensor->decimals >= 0 ? 0.5 * pow(10, -sensor->decimals) : 0;

    return fabs(wanted - read) <= tolerance + 1e-6 * fabs(wanted);
}

/* An enumeration is written by number and read by text. */
static bool is_option(const struct inventory_sensor *sensor, double number, const char *text)
{
    for (uint32_t i = 0; i < sensor->n_options; i++) {
        if (sensor->options[i].number == number)
            return strcmp(sensor->options[i].text, text) == 0;
    }
    return false;
}

static bool is_as_written(const struct writes *writes, const struct entry *entry,
                          const struct reading *read)
{
    const struct inventory_sensor *sensor = &writes->inventory->sensors[entry->sensor];

    if (read->kind == VALUE_TEXT)
        return is_option(sensor, entry->number,
                         text_table_get(writes->inventory->texts, read->text));
    return write_is_same(sensor, entry->number, read->number);
}

void writes_read_back(struct writes *writes, const struct reading *readings, size_t count)
{
    for (size_t i = 0; writes->n_busy > 0 && i < count; i++) {
        const struct reading *reading = &readings[i];
        struct entry *entry = find(writes, reading->sensor, CONFIRMED, CONFIRMED);
        bool same;

        /* A poll that was under way may have read in the same millisecond, before the write. */
        if (!entry || reading->kind == VALUE_NONE || reading->at_ms <= entry->since_ms)
            continue;
        same = is_as_written(writes, entry, reading);
        end(writes, entry, same ? COMMAND_OK : COMMAND_DIFFERS, reading,
            same ? "" : "another value was read back");
    }
}

bool writes_idle(const struct writes *writes)
{
    return writes->n_busy == 0;
}

/* -- life ----------------------------------------------------------------------------------- */

struct writes *writes_new(struct loop *loop, writes_ended ended, void *owner)
{
    struct writes *writes = calloc(1, sizeof(*writes));

    if (!writes)
        return NULL;
    writes->ended = ended;
    writes->owner = owner;
    writes->timer = timer_new(loop, time_out, writes);
    if (!writes->timer) {
        free(writes);
        return NULL;
    }
    return writes;
}

void writes_free(struct writes *writes)
{
    if (!writes)
        return;
    timer_free(writes->timer);
    free(writes);
}

void writes_use(struct writes *writes, const struct inventory *inventory)
{
    for (size_t i = 0; i < WRITES_MAX; i++) {
        struct entry *entry = &writes->entries[i];
        struct command command = entry->command;

        if (entry->stage == FREE)
            continue;
        entry->stage = FREE;
        writes->n_busy--;
        answer(writes, &command, COMMAND_TIMEOUT, NULL, "the config was reloaded meanwhile");
    }
    writes->inventory = inventory;
    plan_timer(writes);
}

void writes_connect(struct writes *writes, struct adapters *adapters)
{
    writes->adapters = adapters;
}
