/* Alarms as fast as the store takes them, to be killed in the middle; and a look at what was left.
 *
 *   store-storm FOLDER             prints the number of each record that was told to be durable
 *   store-storm FOLDER look LAST   says whether all up to LAST are there, each once; exit status 0
 * or 1
 *
 * Record n is event n, a message with n in it, and the saved value n. */
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UNDER_WAY 20 /* records that wait at a time */

static struct loop *loop;
static struct store *store;
static uint64_t next = 1, wanted, seen, newest;
static bool twice, missing;

static struct store_options options_for(const char *folder)
{
    return (struct store_options){.path = folder,
                                  .keep_ms = INT64_C(86400000),
                                  .keep_minutes_ms = INT64_C(86400000),
                                  .keep_hours_ms = INT64_C(86400000),
                                  .commit_every_ms = 60000,
                                  .max_size = 100000000};
}

/* -- the storm ------------------------------------------------------------------------------- */

static void commit_next(void)
{
    struct store_event event = {.boot = 1,
                                .sequence = next,
                                .at_ms = clock_boot_ms(),
                                .since_ms = CLOCK_NEVER,
                                .type = next % 2 ? "fired" : "cleared",
                                .rule = "high@boiler.temp"};
    struct store_state state = {"rule", "last", &next, sizeof(next)};
    struct store_message message = {"mqtt", &next, sizeof(next)};
    struct store_record record = {next, &event, &state, 1, &message, 1, next % 2 == 0};

    if (store_commit(store, &record, NULL) < 0)
        exit(1);
    next++;
}

static void on_committed(void *owner, uint64_t token, bool durable)
{
    char line[32];
    int length = snprintf(line, sizeof(line), "%llu\n", (unsigned long long)token);

    (void)owner;
    if (durable && write(STDOUT_FILENO, line, (size_t)length) != length)
        exit(1);
    commit_next();
}

/* -- the look -------------------------------------------------------------------------------- */

static void look_from(int64_t before);

/* The log comes newest first: every number once, down to 1 or to where it is cut at its length. */
static void take_log(void *owner, const struct store_log *log)
{
    (void)owner;
    for (size_t i = 0; i < log->count; i++) {
        uint64_t sequence = log->entries[i].event.sequence;

        if (newest == 0)
            newest = sequence;
        else if (sequence >= seen)
            twice = true;
        else if (sequence != seen - 1)
            missing = true;
        seen = sequence;
    }
    if (log->more && log->count > 0)
        look_from(log->entries[log->count - 1].row);
    else
        loop_stop(loop);
}

static void look_from(int64_t before)
{
    struct store_log_query query = {.before = before, .max = 1000};

    if (store_log_read(store, &query, take_log, NULL) < 0)
        exit(1);
}

static void take_state(void *owner, const struct store_state *state)
{
    (void)owner;
    if (state->size == sizeof(next))
        memcpy(&next, state->value, sizeof(next));
}

static int look(void)
{
    bool right;

    next = 0;
    store_state_each(store, "rule", take_state, NULL);
    look_from(0);
    loop_run(loop);
    right = newest >= wanted && !twice && !missing && next == newest;
    printf("told %llu, newest event %llu, saved value %llu: %s%s%s\n", (unsigned long long)wanted,
           (unsigned long long)newest, (unsigned long long)next, right ? "right" : "WRONG",
           twice ? ", twice" : "", missing ? ", missing" : "");
    return right ? 0 : 1;
}

int main(int argc, char **argv)
{
    const struct store_calls calls = {.committed = on_committed}, no_calls = {0};
    struct store_options options;
    struct error error = {0};
    bool looks = argc == 4 && strcmp(argv[2], "look") == 0;
    int result = 0;

    if (argc != 2 && !looks) {
        fprintf(stderr, "store-storm FOLDER [look LAST]\n");
        return 2;
    }
    options = options_for(argv[1]);
    loop = loop_new();
    if (store_open(loop, &options, 10000, looks ? &no_calls : &calls, NULL, &store, &error) < 0 ||
        store_counts(store).degraded) {
        fprintf(stderr, "%s\n", error.code < 0 ? error.text : store_counts(store).reason);
        return 1;
    }
    if (looks) {
        wanted = strtoull(argv[3], NULL, 10);
        result = look();
    } else {
        for (int i = 0; i < UNDER_WAY; i++)
            commit_next();
        loop_run(loop);
    }
    if (store_close(store, 5000) == 0)
        loop_free(loop);
    return result;
}
