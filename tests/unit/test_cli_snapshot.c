/* Copies of databases, while SQLite itself writes them. */

#include "gateway/cli/snapshot.h"

#include "gateway/base/clock.h"
#include "tests/unit/made_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdatomic.h>

struct fixture {
    struct files files;
    char from[FILES_PATH_MAX], to[FILES_PATH_MAX];
    sqlite3 *db;
    pthread_t writer;
    atomic_bool stop, broken;
    atomic_int rows; /* committed */
};

static sqlite3 *open_at(const char *folder)
{
    char path[FILES_PATH_MAX + 20];
    sqlite3 *db;

    snprintf(path, sizeof(path), "%s/state.db", folder);
    files_must(sqlite3_open(path, &db) == SQLITE_OK);
    return db;
}

static int ask_number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    int number;

    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    number = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    files_init(&f->files);
    files_put_folder(&f->files, "from");
    files_put_folder(&f->files, "to");
    files_path(&f->files, "from", f->from);
    files_path(&f->files, "to", f->to);
    f->db = open_at(f->from);
    sqlite3_exec(f->db, "PRAGMA journal_mode=wal; CREATE TABLE row (n INTEGER, pad BLOB)", NULL,
                 NULL, NULL);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    sqlite3_close(f->db);
    files_remove(&f->files, "");
    free(f);
    return 0;
}

/* Two rows a commit: a copy that has an odd number of them is of no moment that there was. */
static void *write_all_the_time(void *owner)
{
    struct fixture *f = owner;

    while (!f->stop) {
        if (sqlite3_exec(f->db,
                         "BEGIN; INSERT INTO row VALUES (1, zeroblob(3000));"
                         "INSERT INTO row VALUES (2, zeroblob(3000)); COMMIT",
                         NULL, NULL, NULL) != SQLITE_OK)
            f->broken = true;
        atomic_fetch_add(&f->rows, 2);
    }
    return NULL;
}

static void a_copy_has_what_is_only_in_the_log(void **state)
{
    struct fixture *f = *state;
    sqlite3 *copy;

    sqlite3_exec(f->db, "INSERT INTO row VALUES (1, NULL)", NULL, NULL, NULL);
    assert_int_equal(snapshot_take(f->from, f->to, "state.db"), 0);
    copy = open_at(f->to);
    assert_int_equal(ask_number(copy, "SELECT count(*) FROM row"), 1);
    sqlite3_close(copy);
}

/* Only the log grows, as between two checkpoints. */
static void a_copy_of_what_is_being_written_is_of_one_moment(void **state)
{
    struct fixture *f = *state;
    sqlite3 *copy;
    int rows;

    sqlite3_exec(f->db, "PRAGMA wal_autocheckpoint=0", NULL, NULL, NULL);
    assert_int_equal(pthread_create(&f->writer, NULL, write_all_the_time, f), 0);
    while (f->rows == 0)
        sched_yield();
    assert_int_equal(snapshot_take(f->from, f->to, "state.db"), 0);
    f->stop = true;
    pthread_join(f->writer, NULL);
    assert_false(f->broken);
    copy = open_at(f->to);
    rows = ask_number(copy, "SELECT count(*) FROM row");
    assert_true(rows > 0 && rows % 2 == 0 && rows <= f->rows);
    sqlite3_close(copy);
}

static void a_file_that_was_just_written_is_waited_for(void **state)
{
    struct fixture *f = *state;
    int64_t started_ms = clock_boot_ms();
    sqlite3 *copy;

    sqlite3_exec(f->db, "INSERT INTO row VALUES (1, NULL); PRAGMA wal_checkpoint(TRUNCATE)", NULL,
                 NULL, NULL);
    assert_int_equal(snapshot_take(f->from, f->to, "state.db"), 0);
    assert_true(clock_boot_ms() - started_ms >= 900);
    copy = open_at(f->to);
    assert_int_equal(ask_number(copy, "SELECT count(*) FROM row"), 1);
    sqlite3_close(copy);
}

static void a_database_that_is_not_there_is_left_out(void **state)
{
    struct fixture *f = *state;
    char path[FILES_PATH_MAX];

    assert_int_equal(snapshot_take(f->from, f->to, "history.db"), 0);
    assert_int_equal(access(files_path(&f->files, "to/history.db", path), F_OK), -1);
}

static void a_folder_that_is_not_there_is_a_failure(void **state)
{
    struct fixture *f = *state;
    char path[FILES_PATH_MAX];

    assert_int_equal(snapshot_take(f->from, files_path(&f->files, "nowhere", path), "state.db"),
                     -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_copy_has_what_is_only_in_the_log, setup, teardown),
        cmocka_unit_test_setup_teardown(a_copy_of_what_is_being_written_is_of_one_moment, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_file_that_was_just_written_is_waited_for, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_database_that_is_not_there_is_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_that_is_not_there_is_a_failure, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
