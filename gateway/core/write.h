/* Write: the values that are on their way to devices. Private to the room; command.c decides what
 * may be written. Loop thread only. */
#pragma once

#include "gateway/core/command.h"

#include "gateway/base/reading.h"

struct inventory;
struct writes;

/* Ends a write: fills `reply` as far as it knows; the command is the one that was given. */
typedef void (*writes_ended)(void *owner, const struct command *command,
                             const struct command_reply *reply);

/* NULL when memory is out. */
struct writes *writes_new(struct loop *loop, writes_ended ended, void *owner);
void writes_free(struct writes *writes);

/* Sensor indices of another inventory: all that is under way is answered first. */
void writes_use(struct writes *writes, const struct inventory *inventory);
void writes_connect(struct writes *writes, struct adapters *adapters);

/* Takes a write of `number` to `sensor`, which may be written. Ends it at once when it cannot be.
 */
void writes_put(struct writes *writes, const struct command *command, uint32_t sensor,
                double number);

void writes_confirm(struct writes *writes, uint32_t token, uint8_t quality);
void writes_read_back(struct writes *writes, const struct reading *readings, size_t count);
/* Whether what was read is what was written, as far as the channel can show it. */
struct inventory_sensor;
bool write_is_same(const struct inventory_sensor *sensor, double wanted, double read);

bool writes_idle(const struct writes *writes);
