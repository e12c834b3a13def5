/* What history costs, in simulated time: CPU, bytes written, bytes stored, and how long questions
 * take.
 *
 *   store-history FOLDER [SENSORS [EVERY_MS [HOURS [COMMIT_MS [walk|noise]]]]]
 *
 * `walk`: a value with one decimal that moves a little, as sensors do; `noise`: doubles with every
 * bit in use, the worst there is. Written bytes are those of /proc/self/io: give it a FOLDER of a
 * file system of its own and look at /sys/block/DEVICE/stat for what the device is given. */
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/core/inventory_edit.h"
#include "gateway/store/history_db.h"
#include "gateway/store/history_query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define EPOCH_MS INT64_C(1780272000000)
#define HOUR_MS  INT64_C(3600000)
#define DAY_MS   (24 * HOUR_MS)

static struct {
    const char *folder;
    uint32_t sensors;
    int64_t every_ms, hours, commit_ms;
    bool noise;
} run = {NULL, 1000, 1000, 1, 60000, false};

static struct history_db history;
static struct database reader;
static struct intake intake;
static struct inventory *inventory;
static uint64_t taken;

static double now_s(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static long long written_bytes(void)
{
    FILE *file = fopen("/proc/self/io", "r");
    long long bytes = 0;
    char line[80];

    while (file && fgets(line, sizeof(line), file))
        sscanf(line, "write_bytes: %lld", &bytes);
    if (file)
        fclose(file);
    return bytes;
}

static uint64_t next_random(void)
{
    static uint64_t x = 88172645463325252u;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}

static struct inventory *make_inventory(struct text_table *texts)
{
    struct inventory *made = inventory_new();
    struct arena *arena = inventory_arena(made);
    struct inventory_sensor *sensors = arena_take(arena, run.sensors * sizeof(*sensors));

    for (uint32_t i = 0; i < run.sensors; i++)
        sensors[i] = (struct inventory_sensor){
            .id = arena_format(arena, "device%u.channel%u", i / 10, i % 10), .unit = "°C"};
    made->sensors = sensors;
    made->n_sensors = run.sensors;
    made->texts = texts;
    inventory_finish(made);
    return made;
}

static void open_history(void)
{
    history.file = (struct database){.kind = &history_db_kind, .folder = run.folder};
    history.options = (struct store_options){.path = run.folder,
                                             .keep_ms = 30 * DAY_MS,
                                             .keep_minutes_ms = 400 * DAY_MS,
                                             .keep_hours_ms = 3650 * DAY_MS,
                                             .max_size = 2000000000};
    history.this_run = 1;
    reader = history.file;
    if (history_db_open(&history) < 0 || database_open_reader(&reader) < 0) {
        fprintf(stderr, "%s\n", history.file.why.text);
        exit(1);
    }
}

static void commit(void)
{
    const struct intake_block *blocks;

    while ((blocks = intake_take_batch(&intake))) {
        if (history_db_stage(&history, blocks, intake.batch) < 0) {
            fprintf(stderr, "%s\n", history.file.why.text);
            exit(1);
        }
        intake_end_batch(&intake, true);
    }
    while (history_db_tidy(&history) > 0)
        history_db_rest(&history);
    history_db_rest(&history);
}

/* All sensors are read once each `every_ms`, some milliseconds apart. */
static void live(double *values)
{
    int64_t next_commit_ms = run.commit_ms;

    for (int64_t at_ms = 0; at_ms < run.hours * HOUR_MS; at_ms += run.every_ms) {
        for (uint32_t s = 0; s < run.sensors; s++) {
            uint64_t random = next_random();
            struct reading reading = {.at_ms = at_ms + (int64_t)(random % 4), .sensor = s};

            reading.kind = VALUE_NUMBER;
            values[s] += (double)(random >> 32 & 7) - 3.5;
            reading.number = run.noise ? (double)random / 1e18 : (double)(int64_t)values[s] / 10;
            intake_take(&intake, &reading, 1);
            taken++;
        }
        if (at_ms < next_commit_ms && intake.blocks < INTAKE_BATCH_MAX)
            continue;
        clock_use_fixed(at_ms, EPOCH_MS);
        commit();
        next_commit_ms = at_ms + run.commit_ms;
    }
}

static void ask(const char *what, int64_t length_ms)
{
    int64_t end_ms = EPOCH_MS + run.hours * HOUR_MS;
    double best = 1e9, worst = 0;
    struct history_query query;
    size_t count = 0;
    int64_t step_ms = 0;

    for (int i = 0; i < 20; i++) {
        double start = now_s(CLOCK_MONOTONIC), took;

        query =
            (struct history_query){.query = {"device0.channel5", end_ms - length_ms, end_ms, 2000},
                                   .offset_ms = EPOCH_MS,
                                   .now_ms = end_ms};
        history_query_run(&query, &reader, 1);
        took = now_s(CLOCK_MONOTONIC) - start;
        count = query.answer.count;
        step_ms = query.answer.step_ms;
        arena_free(&query.memory);
        best = took < best ? took : best;
        worst = took > worst ? took : worst;
    }
    printf("%-6s %zu points of %lld ms: best %.2f ms, worst %.2f ms\n", what, count,
           (long long)step_ms, best * 1e3, worst * 1e3);
}

static void read_arguments(int argc, char **argv)
{
    run.folder = argc > 1 ? argv[1] : NULL;
    run.sensors = argc > 2 ? (uint32_t)atoi(argv[2]) : run.sensors;
    run.every_ms = argc > 3 ? atoll(argv[3]) : run.every_ms;
    run.hours = argc > 4 ? atoll(argv[4]) : run.hours;
    run.commit_ms = argc > 5 ? atoll(argv[5]) : run.commit_ms;
    run.noise = argc > 6 && strcmp(argv[6], "noise") == 0;
    if (run.folder && run.sensors > 0 && run.every_ms > 0 && run.hours > 0)
        return;
    fprintf(stderr, "store-history FOLDER [SENSORS [EVERY_MS [HOURS [COMMIT_MS [walk|noise]]]]]\n");
    exit(2);
}

static void report(double cpu_s)
{
    double days = (double)run.hours / 24;
    struct rusage usage;
    long long written;

    sync();
    written = written_bytes();
    getrusage(RUSAGE_SELF, &usage);
    printf("%u sensors each %lld ms for %lld h, commits each %lld ms, %s\n", run.sensors,
           (long long)run.every_ms, (long long)run.hours, (long long)run.commit_ms,
           run.noise ? "noise" : "walk");
    printf("readings %llu, CPU %.3f s: %.5f s each 10,000\n", (unsigned long long)taken, cpu_s,
           cpu_s / (double)taken * 1e4);
    printf("written %lld bytes: %.1f a reading, %.1f MB a day\n", written,
           (double)written / (double)taken, (double)written / 1e6 / days);
    printf("stored %lld bytes: %.2f a reading\n", (long long)history.size,
           (double)history.size / (double)taken);
    printf("peak resident %ld KB\n", usage.ru_maxrss);
}

int main(int argc, char **argv)
{
    struct text_table *texts = text_table_new();
    double *values, start;

    read_arguments(argc, argv);
    values = calloc(run.sensors, sizeof(*values));
    for (uint32_t s = 0; s < run.sensors; s++)
        values[s] = 200 + s % 100;
    clock_use_fixed(0, EPOCH_MS);
    inventory = make_inventory(texts);
    intake_use(&intake, inventory);
    open_history();
    start = now_s(CLOCK_PROCESS_CPUTIME_ID);
    live(values);
    report(now_s(CLOCK_PROCESS_CPUTIME_ID) - start);
    ask("hour", HOUR_MS);
    ask("day", DAY_MS);
    ask("week", 7 * DAY_MS);
    ask("year", 365 * DAY_MS);
    database_close(&reader);
    history_db_close(&history);
    return 0;
}
