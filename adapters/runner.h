/* Runner: one open bus, its workers if it blocks, and the way back of what it reports. Private to
 * the room; adapters.c decides which device is asked when. Loop thread only. */
#pragma once

#include "adapters/adapters.h"

struct gather_pool;
struct runner;
struct tally;

/* What a runner tells; `device` is the bus's own index. Never called from inside runner_open() or
 * runner_poll(), but for the last. */
struct runner_events {
    void (*samples)(void *owner, uint32_t bus, uint32_t device, const struct sample *samples,
                    size_t count);
    void (*end)(void *owner, uint32_t bus, uint32_t device, uint8_t quality);
    void (*wrote)(void *owner, uint32_t bus, uint32_t device, uint32_t token, uint8_t quality);
    void (*appear)(void *owner, uint32_t bus, const struct adapter_found *found);
    void (*learnt)(void *owner, uint32_t bus, uint32_t device, const char *words);
    const char *(*recall)(void *owner, const char *device); /* only from inside runner_open() */
};

/* Opens `plan` as bus number `bus`. 0 or -Exxx with `reterr`. */
int runner_open(struct loop *loop, struct gather_pool *pool, const struct adapters_bus *plan,
                uint32_t bus, const struct runner_events *events, void *owner,
                struct runner **ret_runner, struct error *reterr);

/* Asks a device; exactly one `end` follows. On a lane that is busy it waits its turn. */
void runner_poll(struct runner *runner, uint32_t device);

/* Writes one channel, ahead of the polls that wait; exactly one `wrote` with `token` follows. 0,
 * -ENOTSUP where nothing can be written, -ENOBUFS when too much waits already. */
int runner_write(struct runner *runner, const struct write_request *request, uint32_t token);

/* Asks a question on the line or connection that a device is on. 0, -ENOMEM, or as lanes_ask(). */
int runner_ask(struct runner *runner, uint32_t device, const struct adapter_question *question);

/* What was counted of a device; borrowed until the next call. runner_mark() is to be called every
 * few seconds: shares of time are between two of them. */
const struct tally *runner_tally(const struct runner *runner, uint32_t device);
int64_t runner_take_ms(struct runner *runner, uint32_t device); /* tally_take_ms() */
void runner_mark(struct runner *runner);

/* Looks for new devices now. */
void runner_look(struct runner *runner);

/* For how long the worker that has been at one job longest has been at it; 0: none is. */
int64_t runner_stuck_ms(const struct runner *runner);

/* It goes on as bus number `bus`. */
void runner_renumber(struct runner *runner, uint32_t bus);

/* From now on nobody is told what comes of it: it is only waiting to be closed. */
void runner_mute(struct runner *runner);

/* As adapters_close(), until a boot time; may be called again after -ETIMEDOUT. */
int runner_close(struct runner *runner, int64_t until_ms);
