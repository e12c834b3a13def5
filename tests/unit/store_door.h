/* The store behind its door, for tests: records are committed, answers are kept, the disk obeys. */
#pragma once

#include "tests/unit/store_vfs.h"
#include "tests/unit/store_world.h"

#include <errno.h>

struct world {
    char folder[64];
    struct loop *loop;
    struct store *store;
    struct store_options options;
    struct store_calls calls;
    /* what was told */
    size_t told, durable, late;
    int64_t late_after_ms, committed_ms;
    uint64_t tokens[20000];
    bool opened;
    /* answers */
    bool answered;
    int status;
    size_t count;
    bool more;
    int64_t rows[1000], last_row;
    uint64_t sequences[1000];
    bool durables[1000];
    char texts[1000][32];
    size_t wanted;
};

static inline void on_committed(void *owner, uint64_t token, bool durable)
{
    struct world *world = owner;

    if (world->told < 20000)
        world->tokens[world->told] = token;
    world->told++;
    world->durable += durable;
    world->late += !durable;
    if (!durable && world->late == 1)
        world->late_after_ms = clock_boot_ms() - world->committed_ms;
}

static inline void on_opened(void *owner)
{
    ((struct world *)owner)->opened = true;
}

static inline void open_store(struct world *world)
{
    assert_int_equal(
        store_open(world->loop, &world->options, 5000, &world->calls, world, &world->store, NULL),
        0);
}

static inline int start(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    log_set_level(LOG_LEVEL_ERROR);
    test_disk_use();
    folder_new(world->folder);
    world->loop = loop_new();
    world->options = world_options(world->folder);
    world->options.vfs = TEST_VFS;
    world->calls = (struct store_calls){on_committed, on_opened};
    *state = world;
    return 0;
}

static inline int stop(void **state)
{
    struct world *world = *state;

    test_disk_use();
    assert_int_equal(store_close(world->store, 5000), 0);
    loop_free(world->loop);
    folder_free(world->folder);
    free(world);
    return 0;
}

static inline void reopen(struct world *world)
{
    assert_int_equal(store_close(world->store, 5000), 0);
    world->store = NULL;
    open_store(world);
}

static inline struct store_event event(uint64_t sequence, const char *type)
{
    return (struct store_event){.boot = 0xfedcba9876543210,
                                .sequence = sequence,
                                .at_ms = clock_boot_ms(),
                                .since_ms = CLOCK_NEVER,
                                .type = type,
                                .rule = "high@boiler.temp",
                                .sensor = "boiler.temp",
                                .unit = "°C",
                                .number = 86.5,
                                .limit = 85,
                                .kind = VALUE_NUMBER,
                                .severity = 2,
                                .note = "it is hot"};
}

/* An event, a value and a message, as a transition has them. */
static inline int64_t commit(struct world *world, uint64_t sequence, const char *type)
{
    struct store_event what = event(sequence, type);
    char payload[32];
    struct store_state value = {"rule", "high@boiler.temp", payload, 0};
    struct store_message message = {"mqtt", payload, 0};
    struct store_record record = {.token = sequence,
                                  .event = &what,
                                  .states = &value,
                                  .n_states = 1,
                                  .messages = &message,
                                  .n_messages = 1,
                                  .resolves = strcmp(type, "cleared") == 0};
    int64_t row = 0;

    value.size = message.size =
        (size_t)snprintf(payload, sizeof(payload), "%s %llu", type, (unsigned long long)sequence);
    world->committed_ms = clock_boot_ms();
    assert_int_equal(store_commit(world->store, &record, &row), 0);
    return row;
}

static inline bool all_told(void *owner)
{
    struct world *world = owner;

    return world->told >= world->wanted;
}

static inline void wait_told(struct world *world, size_t wanted)
{
    world->wanted = wanted;
    assert_true(world_run(world->loop, all_told, world, WORLD_PATIENCE_MS));
}

/* -- answers --------------------------------------------------------------------------------- */

static inline bool was_answered(void *owner)
{
    return ((struct world *)owner)->answered;
}

static inline void take_outbox(void *owner, const struct store_outbox *outbox)
{
    struct world *world = owner;

    world->answered = true;
    world->status = outbox->status;
    world->count = outbox->count;
    world->more = outbox->more;
    for (size_t i = 0; i < outbox->count; i++) {
        size_t size = outbox->rows[i].size < 31 ? outbox->rows[i].size : 31;

        world->rows[i] = outbox->rows[i].row;
        memcpy(world->texts[i], outbox->rows[i].payload, size);
        world->texts[i][size] = '\0';
    }
}

static inline void read_outbox(struct world *world, const char *target, int64_t after, size_t max)
{
    world->answered = false;
    assert_int_equal(store_outbox_read(world->store, target, after, max, take_outbox, world), 0);
    assert_true(world_run(world->loop, was_answered, world, WORLD_PATIENCE_MS));
}

static inline void take_log(void *owner, const struct store_log *log)
{
    struct world *world = owner;

    world->answered = true;
    world->status = log->status;
    world->count = log->count;
    world->more = log->more;
    for (size_t i = 0; i < log->count; i++) {
        world->last_row = log->entries[i].row;
        world->sequences[i] = log->entries[i].event.sequence;
        world->durables[i] = log->entries[i].durable;
    }
}

static inline void read_log(struct world *world, const struct store_log_query *query)
{
    world->answered = false;
    assert_int_equal(store_log_read(world->store, query, take_log, world), 0);
    assert_true(world_run(world->loop, was_answered, world, WORLD_PATIENCE_MS));
}

static inline void take_state(void *owner, const struct store_state *state)
{
    struct world *world = owner;

    snprintf(world->texts[world->count], 32, "%s=%.*s", state->key, (int)state->size,
             (const char *)state->value);
    world->count++;
}

static inline void read_states(struct world *world, const char *kind)
{
    world->count = 0;
    store_state_each(world->store, kind, take_state, world);
}

static inline bool is_well(void *owner)
{
    struct store_counts counts = store_counts(((struct world *)owner)->store);

    return !counts.degraded && counts.records_waiting == 0;
}
