#include "gateway/store/state_db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/store_vfs.h"
#include "tests/unit/store_world.h"

#include <errno.h>

struct world {
    char folder[64];
    struct state_db state;
    struct ledger ledger;
    int64_t next_row;
};

static void ignore(void *owner, uint64_t token, bool durable)
{
    (void)owner;
    (void)token;
    (void)durable;
}

static int start(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    test_disk_use();
    folder_new(world->folder);
    world->state.file =
        (struct database){.kind = &state_db_kind, .folder = world->folder, .vfs = TEST_VFS};
    world->next_row = 1;
    ledger_start(&world->ledger, ignore, NULL);
    assert_int_equal(state_db_open(&world->state, NULL), 0);
    *state = world;
    return 0;
}

static int stop(void **state)
{
    struct world *world = *state;

    ledger_clear(&world->ledger);
    state_db_close(&world->state);
    folder_free(world->folder);
    free(world);
    return 0;
}

static void add(struct world *world, const struct store_record *record)
{
    ledger_add(&world->ledger, entry_new(record, world->next_row, clock_boot_ms()));
    world->next_row += (int64_t)store_record_rows(record);
}

static int flush(struct world *world)
{
    size_t n = ledger_take_group(&world->ledger);
    int r = state_db_write(&world->state, world->ledger.first, n, NULL, 0);

    ledger_end_group(&world->ledger, r == 0);
    return r;
}

static int64_t number(struct world *world, const char *sql)
{
    int64_t found = -1;

    assert_int_equal(database_number(&world->state.file, sql, -1, &found), 0);
    return found;
}

static struct store_event event(void)
{
    return (struct store_event){.boot = UINT64_MAX,
                                .sequence = 3,
                                .at_ms = clock_boot_ms(),
                                .since_ms = CLOCK_NEVER,
                                .type = "fired",
                                .rule = "r",
                                .limit = NAN};
}

static void test_a_group_is_there_whole_or_not_at_all(void **state)
{
    struct world *world = *state;
    struct store_event what = event();
    struct store_message message = {"mqtt", "x", 1};
    struct store_state value = {"rule", "r", "1", 1};
    struct store_record record = {1, &what, &value, 1, &message, 1, false};

    add(world, &record);
    add(world, &record);
    atomic_store(&test_disk.fail, SQLITE_FULL);
    assert_int_equal(flush(world), -ENOSPC);
    atomic_store(&test_disk.fail, 0);
    assert_int_equal(number(world, "SELECT (SELECT count(*) FROM event) + (SELECT count(*) FROM"
                                   " outbox) + (SELECT count(*) FROM state)"),
                     0);
    assert_int_equal(world->state.outbox_bytes, 0);
    assert_int_equal(flush(world), 0);
    assert_int_equal(number(world, "SELECT count(*) FROM event"), 2);
    assert_int_equal(number(world, "SELECT count(*) FROM outbox"), 2);
    assert_int_equal(number(world, "SELECT count(*) FROM state"), 1);
    assert_int_equal(world->state.outbox_bytes, 2);
}

static void test_giving_a_group_again_does_not_double_it(void **state)
{
    struct world *world = *state;
    struct store_event what = event();
    struct store_record record = {.event = &what};

    add(world, &record);
    assert_int_equal(state_db_write(&world->state, world->ledger.first, 1, NULL, 0), 0);
    assert_int_equal(flush(world), 0); /* as if the answer had been lost */
    assert_int_equal(number(world, "SELECT count(*) FROM event"), 1);
    assert_int_equal(number(world, "SELECT run FROM event"), -1); /* all 64 bits */
}

static void test_rows_go_on_behind_those_of_earlier_runs(void **state)
{
    struct world *world = *state;
    struct store_event what = event();
    struct store_record record = {.event = &what};

    for (int run = 0; run < 3; run++) {
        world->next_row = 1;
        add(world, &record);
        add(world, &record);
        assert_int_equal(flush(world), 0);
        state_db_close(&world->state);
        world->state.has_row_base = false;
        assert_int_equal(state_db_open(&world->state, NULL), 0);
    }
    assert_int_equal(number(world, "SELECT count(*) FROM event"), 6);
    assert_int_equal(number(world, "SELECT max(row) FROM event"), 6);
    assert_int_equal(world->state.row_base, 6);
}

static void test_the_log_is_kept_short(void **state)
{
    struct world *world = *state;
    struct store_event what = event();
    struct store_record record = {.event = &what};

    assert_int_equal(database_run(&world->state.file,
                                  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                                  " LIMIT 12000) INSERT INTO event SELECT i, 0, i, 0, NULL, NULL,"
                                  " '', 0, '', '', NULL, '', NULL, '', '', '', '', 0 FROM n"),
                     0);
    assert_int_equal(database_run(&world->state.file, "UPDATE event SET at_ms=unixepoch()*1000"),
                     0);
    world->next_row = 20001;
    for (int i = 0; i < 300; i++)
        add(world, &record);
    while (world->ledger.count > 0)
        assert_int_equal(flush(world), 0);
    assert_in_range(number(world, "SELECT count(*) FROM event"), STATE_LOG_MAX,
                    STATE_LOG_MAX + 256);
    assert_int_equal(number(world, "SELECT count(*) FROM event WHERE row > 20000"), 300);
}

static void test_what_is_older_than_a_year_goes(void **state)
{
    struct world *world = *state;
    struct store_event what = event();
    struct store_record record = {.event = &what};

    if (!clock_wall_is_good())
        skip();
    what.at_ms -= 400 * DAY_MS;
    for (int i = 0; i < 300; i++)
        add(world, &record);
    while (world->ledger.count > 0)
        assert_int_equal(flush(world), 0);
    assert_true(number(world, "SELECT count(*) FROM event") < 100);
}

static void test_the_log_of_the_file_is_folded_in_at_rest(void **state)
{
    struct world *world = *state;
    struct store_state value = {"rule", "r", "1", 1};
    struct store_record record = {.states = &value, .n_states = 1};

    for (int i = 0; i < 300; i++) {
        add(world, &record);
        assert_int_equal(flush(world), 0);
    }
    assert_true(world->state.log_pages >= 256);
    state_db_rest(&world->state);
    add(world, &record);
    assert_int_equal(flush(world), 0);
    assert_true(world->state.log_pages < 10);
}

static void test_a_record_costs_one_sync_and_an_arrival_none(void **state)
{
    struct world *world = *state;
    struct store_event what = event();
    struct store_message message = {"mqtt", "x", 1};
    struct store_record record = {.event = &what, .messages = &message, .n_messages = 1};
    unsigned long before;
    int64_t row = 2;

    add(world, &record);
    assert_int_equal(flush(world), 0); /* a new log has a header to be synced */
    add(world, &record);
    before = atomic_load(&test_disk.syncs);
    assert_int_equal(flush(world), 0);
    assert_int_equal(atomic_load(&test_disk.syncs) - before, 1);
    assert_int_equal(state_db_write(&world->state, NULL, 0, &row, 1), 0);
    assert_int_equal(atomic_load(&test_disk.syncs) - before, 1);
    assert_int_equal(number(world, "SELECT count(*) FROM outbox"), 1);
    assert_int_equal(world->state.outbox_bytes, 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(test_a_group_is_there_whole_or_not_at_all),
        CASE(test_giving_a_group_again_does_not_double_it),
        CASE(test_rows_go_on_behind_those_of_earlier_runs),
        CASE(test_the_log_is_kept_short),
        CASE(test_what_is_older_than_a_year_goes),
        CASE(test_the_log_of_the_file_is_folded_in_at_rest),
        CASE(test_a_record_costs_one_sync_and_an_arrival_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
