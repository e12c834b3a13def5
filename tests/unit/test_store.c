/* The store on disks of every kind, and how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/store_door.h"

#include <signal.h>
#include <sys/mount.h>

/* -- disks ----------------------------------------------------------------------------------- */

static void test_a_full_disk_is_told_at_once_and_heals_by_itself(void **state)
{
    struct world *world = *state;

    open_store(world);
    atomic_store(&test_disk.fail, SQLITE_FULL);
    commit(world, 1, "fired");
    wait_told(world, 1);
    assert_int_equal(world->late, 1);
    assert_true(world->late_after_ms < 900);
    assert_true(store_counts(world->store).degraded);
    assert_non_null(strstr(store_counts(world->store).reason, "full"));
    commit(world, 2, "cleared"); /* it is known to be full: that is told without a try */
    wait_told(world, 2);
    assert_int_equal(world->late, 2);
    atomic_store(&test_disk.fail, 0);
    assert_true(world_run(world->loop, is_well, world, WORLD_PATIENCE_MS));
    assert_int_equal(world->told, 2); /* that it came to disk later is not told */
    reopen(world);
    read_outbox(world, "mqtt", STORE_OUTBOX_FIRST, 10);
    assert_int_equal(world->count, 2);
    assert_string_equal(world->texts[0], "fired 1");
    assert_string_equal(world->texts[1], "cleared 2");
}

static void test_errors_of_the_disk_heal_by_themselves(void **state)
{
    struct world *world = *state;
    int codes[] = {SQLITE_IOERR_WRITE, SQLITE_READONLY, SQLITE_IOERR_FSYNC};

    open_store(world);
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        atomic_store(&test_disk.fail, codes[i]);
        commit(world, i, "fired");
        wait_told(world, i + 1);
        assert_int_equal(world->late, i + 1);
        atomic_store(&test_disk.fail, 0);
        assert_true(world_run(world->loop, is_well, world, WORLD_PATIENCE_MS));
    }
    assert_int_equal(store_counts(world->store).records, 3);
}

static bool is_degraded(void *owner)
{
    return store_counts(((struct world *)owner)->store).degraded;
}

static void test_a_disk_that_stalls_is_told_after_a_second_and_does_not_hold_the_loop(void **state)
{
    struct world *world = *state;
    int64_t start_ms;

    open_store(world);
    loop_lateness(world->loop);
    atomic_store(&test_disk.stall_ms, 2000);
    start_ms = clock_boot_ms();
    commit(world, 1, "fired");
    assert_true(clock_boot_ms() - start_ms < 100);
    wait_told(world, 1);
    assert_int_equal(world->late, 1);
    assert_in_range(world->late_after_ms, 950, 1500);
    /* The writer may have taken it up a moment after it was given away. */
    assert_true(world_run(world->loop, is_degraded, world, 900));
    assert_true(store_counts(world->store).busy_ms >= 900);
    assert_true(loop_lateness(world->loop).max_us < 200000);
    atomic_store(&test_disk.stall_ms, 0);
    assert_true(world_run(world->loop, is_well, world, WORLD_PATIENCE_MS));
    assert_int_equal(world->told, 1);
    assert_int_equal(store_counts(world->store).records, 1);
}

static bool history_is_busy(void *owner)
{
    return store_counts(((struct world *)owner)->store).busy_ms > 100;
}

static void test_a_stall_of_history_does_not_hold_up_a_record(void **state)
{
    struct world *world = *state;
    struct text_table *texts = text_table_new();
    struct inventory *inventory = world_inventory(1, texts);
    struct reading reading = world_number(0, clock_boot_ms(), 1.5);

    world->options.commit_every_ms = 1;
    test_disk.only = "history.db";
    open_store(world);
    store_sink.inventory(world->store, inventory);
    atomic_store(&test_disk.stall_ms, WORLD_PATIENCE_MS);
    store_sink.readings(world->store, 0, &reading, 1);
    assert_true(world_run(world->loop, history_is_busy, world, WORLD_PATIENCE_MS));
    commit(world, 1, "fired");
    wait_told(world, 1);
    assert_int_equal(world->durable, 1);
    assert_true(history_is_busy(world));
    atomic_store(&test_disk.stall_ms, 0);
    inventory_release(inventory);
    assert_int_equal(store_close(world->store, 5000), 0);
    world->store = NULL;
    text_table_free(texts);
}

static void test_more_records_than_there_is_room_for_keep_the_newest_and_the_values(void **state)
{
    struct world *world = *state;
    struct store_log_query query = {.max = 5};
    struct store_counts counts;
    size_t n = 0;

    open_store(world);
    atomic_store(&test_disk.fail, SQLITE_FULL);
    commit(world, n++, "fired");
    wait_told(world, 1);
    while (n < 12000) {
        for (int i = 0; i < 1000; i++, n++)
            commit(world, n, n % 2 ? "cleared" : "fired");
        wait_told(world, n);
    }
    counts = store_counts(world->store);
    assert_in_range(counts.records_waiting, STORE_RECORDS_MIN, STORE_RECORDS_MIN + 512);
    assert_int_equal(counts.records_waiting + counts.merged, n);
    atomic_store(&test_disk.fail, 0);
    assert_int_equal(store_settle(world->store, 20000), 0);
    read_log(world, &query);
    assert_int_equal(world->sequences[0], n - 1);
    reopen(world);
    read_states(world, "rule");
    assert_int_equal(world->count, 1);
    assert_string_equal(world->texts[0], "high@boiler.temp=fired 12000");
}

static void test_a_missing_folder_is_made_and_one_that_cannot_be_is_waited_for(void **state)
{
    struct world *world = *state;
    char path[128], inner[160];

    snprintf(path, sizeof(path), "%s/not", world->folder);
    snprintf(inner, sizeof(inner), "%s/there", path);
    world->options.path = inner;
    open_store(world); /* its parent is missing: that is not ours to make */
    assert_true(store_counts(world->store).degraded);
    commit(world, 1, "fired");
    wait_told(world, 1);
    assert_int_equal(world->late, 1);
    assert_false(world->opened);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_true(world_run(world->loop, is_well, world, WORLD_PATIENCE_MS));
    assert_true(world->opened);
    assert_int_equal(store_counts(world->store).records, 1);
}

static void test_what_was_saved_can_be_read_when_the_disk_comes_late(void **state)
{
    struct world *world = *state;

    open_store(world);
    commit(world, 1, "fired");
    wait_told(world, 1);
    store_close(world->store, 5000);
    atomic_store(&test_disk.cannot_open, 1);
    open_store(world);
    read_states(world, "rule");
    assert_int_equal(world->count, 0);
    commit(world, 2, "cleared");
    wait_told(world, 2);
    read_outbox(world, "mqtt", STORE_OUTBOX_FIRST, 10);
    assert_int_equal(world->status, -EAGAIN);
    atomic_store(&test_disk.cannot_open, 0);
    assert_true(world_run(world->loop, is_well, world, WORLD_PATIENCE_MS));
    assert_true(world->opened);
    read_states(world, "rule");
    assert_int_equal(world->count, 1);
    assert_string_equal(world->texts[0], "high@boiler.temp=fired 1");
    read_outbox(world, "mqtt", STORE_OUTBOX_FIRST, 10); /* numbered before the file was known */
    assert_int_equal(world->count, 2);
    assert_string_equal(world->texts[0], "fired 1");
    assert_string_equal(world->texts[1], "cleared 2");
    assert_true(world->rows[0] <= 0 && world->rows[1] > 0);
}

static void test_a_folder_that_is_exchanged_gets_new_files(void **state)
{
    struct world *world = *state;
    char from[96], to[96];

    snprintf(from, sizeof(from), "%s/state.db", world->folder);
    snprintf(to, sizeof(to), "%s/elsewhere", world->folder);
    open_store(world);
    commit(world, 1, "fired");
    wait_told(world, 1);
    assert_int_equal(rename(from, to), 0);
    commit(world, 2, "cleared");
    wait_told(world, 2);
    assert_int_equal(world->durable, 2);
    assert_int_equal(access(from, F_OK), 0);
    reopen(world);
    read_outbox(world, "mqtt", STORE_OUTBOX_FIRST, 10);
    assert_int_equal(world->count, 1);
    assert_string_equal(world->texts[0], "cleared 2");
}

static void test_a_real_file_system_that_is_full_heals_when_there_is_room(void **state)
{
    struct world *world = *state;
    char mount_point[96], ballast[128];
    FILE *file;
    size_t n = 0;

    snprintf(mount_point, sizeof(mount_point), "%s/disk", world->folder);
    snprintf(ballast, sizeof(ballast), "%s/ballast", mount_point);
    mkdir(mount_point, 0755);
    if (mount("none", mount_point, "tmpfs", 0, "size=6m") != 0)
        skip(); /* only root may */
    world->options.path = mount_point;
    open_store(world);
    commit(world, n++, "fired");
    wait_told(world, n);
    assert_int_equal(world->durable, 1);
    file = fopen(ballast, "w");
    while (fputc('x', file) != EOF)
        ;
    fclose(file);
    while (world->late == 0 && n < 5000) {
        for (int i = 0; i < 100; i++, n++)
            commit(world, n, "fired");
        wait_told(world, n);
    }
    assert_true(world->late > 0);
    unlink(ballast);
    assert_true(world_run(world->loop, is_well, world, WORLD_PATIENCE_MS));
    assert_int_equal(store_counts(world->store).records, n);
    assert_int_equal(store_close(world->store, 5000), 0);
    world->store = NULL;
    umount(mount_point);
}

/* -- files ----------------------------------------------------------------------------------- */

static void overwrite(struct world *world, const char *name, const char *text, long at, long size)
{
    char path[96];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", world->folder, name);
    file = fopen(path, at == 0 && size < 0 ? "w" : "r+");
    assert_non_null(file);
    fseek(file, at, SEEK_SET);
    fputs(text, file);
    fclose(file);
    if (size >= 0)
        assert_int_equal(truncate(path, size), 0);
}

static bool is_there(struct world *world, const char *name)
{
    char path[96];

    snprintf(path, sizeof(path), "%s/%s", world->folder, name);
    return access(path, F_OK) == 0;
}

static void test_a_damaged_file_is_set_aside_and_replaced(void **state)
{
    struct world *world = *state;
    const struct {
        const char *text;
        long at, size;
    } damages[] = {{"this is no database at all", 0, -1}, {"", 0, 5000}, {"garbage", 100, 40000}};

    log_set_sink(NULL, NULL);
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        char aside[32];

        open_store(world);
        for (uint64_t k = 0; k < 100; k++)
            commit(world, k, "fired");
        assert_int_equal(store_settle(world->store, 5000), 0);
        assert_int_equal(store_close(world->store, 5000), 0);
        open_store(world); /* folds the log in */
        assert_int_equal(store_close(world->store, 5000), 0);
        overwrite(world, "state.db", damages[i].text, damages[i].at, damages[i].size);
        open_store(world);
        assert_false(store_counts(world->store).degraded);
        snprintf(aside, sizeof(aside), "state.db.damaged-%zu", i + 1);
        assert_true(is_there(world, aside));
        read_outbox(world, "mqtt", STORE_OUTBOX_FIRST, 10);
        assert_int_equal(world->count, 0);
        commit(world, 1000, "fired");
        assert_int_equal(store_settle(world->store, 5000), 0);
        assert_int_equal(store_close(world->store, 5000), 0);
        world->store = NULL;
    }
}

static void run_sql(struct world *world, const char *name, const char *sql)
{
    char path[96];
    sqlite3 *db;

    snprintf(path, sizeof(path), "%s/%s", world->folder, name);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void test_a_file_of_another_program_is_set_aside(void **state)
{
    struct world *world = *state;

    run_sql(world, "state.db", "CREATE TABLE friends(name); PRAGMA user_version=3");
    open_store(world);
    assert_false(store_counts(world->store).degraded);
    assert_true(is_there(world, "state.db.damaged-1"));
    commit(world, 1, "fired");
    wait_told(world, 1);
    assert_int_equal(world->durable, 1);
}

static void test_a_file_of_a_newer_version_is_left_alone(void **state)
{
    struct world *world = *state;

    open_store(world);
    commit(world, 1, "fired");
    wait_told(world, 1);
    store_close(world->store, 5000);
    run_sql(world, "state.db", "PRAGMA user_version=99");
    open_store(world);
    assert_true(store_counts(world->store).degraded);
    assert_non_null(strstr(store_counts(world->store).reason, "newer version"));
    commit(world, 2, "fired");
    wait_told(world, 2);
    assert_int_equal(world->late, 1);
    assert_false(is_there(world, "state.db.damaged-1"));
    assert_int_equal(store_close(world->store, 5000), 0);
    world->store = NULL;
    run_sql(world, "state.db", "PRAGMA user_version=1");
    open_store(world);
    read_outbox(world, "mqtt", STORE_OUTBOX_FIRST, 10);
    assert_int_equal(world->count, 1);
}

static void test_a_file_that_another_process_holds_is_waited_for(void **state)
{
    struct world *world = *state;
    struct world other = {.loop = world->loop, .options = world->options};
    pid_t child;
    int ready[2], go[2], status;
    char byte = 0;

    other.calls = world->calls;
    assert_int_equal(pipe(ready) | pipe(go), 0);
    child = fork();
    if (child == 0) {
        struct loop *loop = loop_new();
        struct store *store;

        if (store_open(loop, &other.options, 5000, NULL, NULL, &store, NULL) < 0 ||
            write(ready[1], "x", 1) != 1 || read(go[0], &byte, 1) != 1)
            _exit(1);
        _exit(store_close(store, 5000) != 0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    open_store(world);
    assert_true(store_counts(world->store).degraded);
    assert_int_equal(write(go[1], "x", 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(world_run(world->loop, is_well, world, WORLD_PATIENCE_MS));
    close(ready[0]);
    close(ready[1]);
    close(go[0]);
    close(go[1]);
}

/* -- ends ------------------------------------------------------------------------------------ */

static void test_a_close_with_a_disk_that_hangs_is_bounded_and_tells_everyone(void **state)
{
    struct world *world = *state;
    int64_t start_ms;

    open_store(world);
    atomic_store(&test_disk.stall_ms, 3000);
    commit(world, 1, "fired");
    world->answered = false;
    assert_int_equal(
        store_outbox_read(world->store, "mqtt", STORE_OUTBOX_FIRST, 10, take_outbox, world), 0);
    start_ms = clock_boot_ms();
    assert_int_equal(store_close(world->store, 300), -ETIMEDOUT);
    assert_in_range(clock_boot_ms() - start_ms, 250, 700);
    assert_int_equal(world->told, 1);
    assert_int_equal(world->late, 1);
    assert_true(world->answered);
    assert_int_equal(world->status, -ECANCELED);
    _exit(0); /* as whoever gets -ETIMEDOUT has to; the parent looks at the status */
}

/* In a process of its own: what is abandoned stays for ever. */
static void test_a_close_is_bounded(void **state)
{
    int status = 1;
    pid_t child = fork();

    if (child == 0) {
        test_a_close_with_a_disk_that_hangs_is_bounded_and_tells_everyone(state);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_a_close_writes_what_waits(void **state)
{
    struct world *world = *state;

    open_store(world);
    for (uint64_t i = 1; i <= 500; i++)
        commit(world, i, "fired");
    assert_int_equal(store_close(world->store, 5000), 0);
    assert_int_equal(world->durable, 500);
    open_store(world);
    read_outbox(world, "mqtt", STORE_OUTBOX_FIRST, 1000);
    assert_int_equal(world->count, 500);
}

/* -- kill -9 -------------------------------------------------------------------------------------
 */

static int told_pipe;

static void tell_parent(void *owner, uint64_t token, bool durable)
{
    (void)owner;
    if (durable && write(told_pipe, &token, sizeof(token)) != sizeof(token))
        _exit(1);
}

static struct timer *storm_timer;
static struct world storm;

static void blow(void *owner)
{
    static uint64_t sequence;

    (void)owner;
    for (int i = 0; i < 3; i++) {
        sequence++;
        commit(&storm, sequence, sequence % 2 ? "fired" : "cleared");
    }
    timer_at(storm_timer, clock_boot_ms() + 1);
}

static void live(struct world *world, int out)
{
    told_pipe = out;
    storm.options = world->options;
    storm.options.vfs = NULL;
    storm.loop = loop_new();
    storm.calls.committed = tell_parent;
    open_store(&storm);
    storm_timer = timer_new(storm.loop, blow, NULL);
    timer_at(storm_timer, clock_boot_ms());
    loop_run(storm.loop);
}

/* What a child said was durable before it was killed. */
static uint64_t kill_a_child(struct world *world, unsigned after_us)
{
    uint64_t token, last = 0;
    int out[2], status;
    pid_t child;

    assert_int_equal(pipe(out), 0);
    child = fork();
    if (child == 0) {
        close(out[0]);
        live(world, out[1]);
        _exit(1);
    }
    close(out[1]);
    assert_int_equal(read(out[0], &token, sizeof(token)), sizeof(token));
    last = token;
    usleep(after_us);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
    while (read(out[0], &token, sizeof(token)) == sizeof(token))
        last = token;
    close(out[0]);
    return last;
}

static void test_what_was_told_durable_survives_kill_9_at_any_moment(void **state)
{
    struct world *world = *state;
    struct store_log_query query = {.max = 1};
    uint64_t seed = 1, last;

    for (int i = 0; i < 12; i++) {
        last = kill_a_child(world, (unsigned)(world_random(&seed) % 60000));
        open_store(world);
        assert_false(store_counts(world->store).degraded);
        read_log(world, &query);
        assert_true(world->sequences[0] >= last);
        assert_int_equal(store_close(world->store, 5000), 0);
        world->store = NULL;
        folder_free(world->folder);
        mkdir(world->folder, 0755);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(test_a_full_disk_is_told_at_once_and_heals_by_itself),
        CASE(test_errors_of_the_disk_heal_by_themselves),
        CASE(test_a_disk_that_stalls_is_told_after_a_second_and_does_not_hold_the_loop),
        CASE(test_a_stall_of_history_does_not_hold_up_a_record),
        CASE(test_more_records_than_there_is_room_for_keep_the_newest_and_the_values),
        CASE(test_a_missing_folder_is_made_and_one_that_cannot_be_is_waited_for),
        CASE(test_what_was_saved_can_be_read_when_the_disk_comes_late),
        CASE(test_a_folder_that_is_exchanged_gets_new_files),
        CASE(test_a_real_file_system_that_is_full_heals_when_there_is_room),
        CASE(test_a_damaged_file_is_set_aside_and_replaced),
        CASE(test_a_file_of_another_program_is_set_aside),
        CASE(test_a_file_of_a_newer_version_is_left_alone),
        CASE(test_a_file_that_another_process_holds_is_waited_for),
        CASE(test_a_close_is_bounded),
        CASE(test_a_close_writes_what_waits),
        CASE(test_what_was_told_durable_survives_kill_9_at_any_moment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
