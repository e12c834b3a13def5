#include "gateway/store/database.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/store_vfs.h"
#include "tests/unit/store_world.h"

#include <errno.h>

static const char *const steps[] = {
    "CREATE TABLE a(x)",
    "CREATE TABLE b(x); INSERT INTO b SELECT x + 1 FROM a",
    "ALTER TABLE b ADD COLUMN y DEFAULT 5",
};

static const char *const failing[] = {
    "CREATE TABLE a(x)",
    "CREATE TABLE c(x); INSERT INTO nowhere VALUES(1)",
};

static struct database_kind kind(int versions)
{
    return (struct database_kind){"test.db", steps, versions, 4711, "FULL", true};
}

static int start(void **state)
{
    static char folder[64];

    log_set_level(LOG_LEVEL_ERROR);
    test_disk_use();
    folder_new(folder);
    *state = folder;
    return 0;
}

static int stop(void **state)
{
    test_disk_use();
    folder_free(*state);
    return 0;
}

static int64_t number(struct database *database, const char *sql)
{
    int64_t found = -1;

    assert_int_equal(database_number(database, sql, -1, &found), 0);
    return found;
}

static bool is_there(const char *folder, const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static void test_a_file_is_brought_from_every_version_to_the_newest(void **state)
{
    struct database_kind old, all = kind(3);

    for (int version = 1; version <= 3; version++) {
        struct database database = {.kind = &old, .folder = *state};

        old = kind(version);
        assert_int_equal(database_open(&database), 0);
        assert_int_equal(number(&database, "PRAGMA user_version"), version);
        assert_int_equal(database_run(&database, "INSERT INTO a VALUES(1)"), 0);
        database_close(&database);
        database.kind = &all;
        assert_int_equal(database_open(&database), 0);
        assert_false(database.replaced);
        assert_int_equal(number(&database, "PRAGMA user_version"), 3);
        assert_int_equal(number(&database, "SELECT count(*) FROM a"), 1);
        assert_int_equal(number(&database, "SELECT sum(y) FROM b"), version == 1 ? 5 : -1);
        database_close(&database);
        folder_free(*state);
    }
    mkdir(*state, 0755);
}

static void test_a_step_that_fails_leaves_the_file_as_it_was(void **state)
{
    struct database_kind old = kind(1), bad = {"test.db", failing, 2, 4711, "FULL", true};
    struct database database = {.kind = &old, .folder = *state};

    assert_int_equal(database_open(&database), 0);
    database_close(&database);
    database.kind = &bad;
    assert_true(database_open(&database) < 0);
    assert_null(database.db);
    database.kind = &old;
    assert_int_equal(database_open(&database), 0);
    assert_int_equal(number(&database, "PRAGMA user_version"), 1);
    assert_int_equal(number(&database, "SELECT count(*) FROM sqlite_schema"), 1);
    database_close(&database);
}

static void test_a_newer_file_is_not_touched(void **state)
{
    struct database_kind now = kind(1);
    struct database database = {.kind = &now, .folder = *state};

    assert_int_equal(database_open(&database), 0);
    assert_int_equal(database_run(&database, "PRAGMA user_version=7"), 0);
    database_close(&database);
    assert_int_equal(database_open(&database), -ENOTSUP);
    assert_non_null(strstr(database.why.text, "newer"));
    assert_false(is_there(*state, "test.db.damaged-1"));
}

static void test_names_of_what_is_set_aside_go_on(void **state)
{
    struct database_kind now = kind(1);
    char path[128];

    log_set_level(LOG_LEVEL_ERROR);
    for (int i = 1; i <= 11; i++) {
        struct database database = {.kind = &now, .folder = *state};
        FILE *file;

        snprintf(path, sizeof(path), "%s/test.db-wal", (char *)*state);
        unlink(path); /* which would have all that the file had */
        snprintf(path, sizeof(path), "%s/test.db", (char *)*state);
        file = fopen(path, "w");
        fprintf(file,
                "garbage %d, more than a header of a database would be, and then some more of it",
                i);
        for (int n = 0; n < 200; n++)
            fputs("garbage", file);
        fclose(file);
        assert_int_equal(database_open(&database), 0);
        assert_true(database.replaced);
        database_close(&database);
    }
    assert_true(is_there(*state, "test.db.damaged-1"));
    assert_true(is_there(*state, "test.db.damaged-9"));
    assert_false(is_there(*state, "test.db.damaged-10"));
}

static void test_a_reader_sees_what_is_there_and_can_change_nothing(void **state)
{
    struct database_kind now = kind(1);
    struct database writer = {.kind = &now, .folder = *state}, reader = writer;

    assert_int_equal(database_open_reader(&reader), -ENOENT);
    assert_int_equal(database_open(&writer), 0);
    assert_int_equal(database_open_reader(&reader), 0);
    assert_int_equal(database_run(&writer, "INSERT INTO a VALUES(1)"), 0);
    assert_int_equal(number(&reader, "SELECT count(*) FROM a"), 1);
    assert_int_equal(database_run(&reader, "INSERT INTO a VALUES(1)"), -EROFS);
    database_close(&reader);
    database_close(&writer);
}

static void test_reading_and_writing_do_not_wait_for_each_other(void **state)
{
    struct database_kind now = kind(1);
    struct database writer = {.kind = &now, .folder = *state}, reader = writer;

    assert_int_equal(database_open(&writer), 0);
    assert_int_equal(database_open_reader(&reader), 0);
    assert_int_equal(database_run(&reader, "BEGIN"), 0);
    assert_int_equal(number(&reader, "SELECT count(*) FROM a"), 0);
    assert_int_equal(database_run(&writer, "INSERT INTO a VALUES(1)"), 0);
    assert_int_equal(number(&reader, "SELECT count(*) FROM a"), 0);
    assert_int_equal(database_run(&reader, "COMMIT"), 0);
    assert_int_equal(number(&reader, "SELECT count(*) FROM a"), 1);
    database_close(&reader);
    database_close(&writer);
}

static void test_a_file_that_was_removed_is_noticed(void **state)
{
    struct database_kind now = kind(1);
    struct database database = {.kind = &now, .folder = *state};
    char path[128];

    assert_int_equal(database_open(&database), 0);
    assert_false(database_check_moved(&database));
    snprintf(path, sizeof(path), "%s/test.db", (char *)*state);
    unlink(path);
    assert_true(database_check_moved(&database));
    assert_null(database.db);
    assert_int_equal(database_open(&database), 0);
    database_close(&database);
}

static void test_errors_have_a_number_and_words(void **state)
{
    struct database_kind now = kind(1);
    struct database database = {.kind = &now, .folder = *state, .vfs = TEST_VFS};
    const struct {
        int says, means;
    } all[] = {{SQLITE_FULL, -ENOSPC}, {SQLITE_READONLY, -EROFS}, {SQLITE_IOERR_WRITE, -EIO}};

    assert_int_equal(database_open(&database), 0);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        atomic_store(&test_disk.fail, all[i].says);
        assert_int_equal(database_run(&database, "INSERT INTO a VALUES(1)"), all[i].means);
        assert_ptr_equal(strstr(database.why.text, "test.db: "), database.why.text);
        atomic_store(&test_disk.fail, 0);
    }
    assert_int_equal(database_run(&database, "INSERT INTO a VALUES(1)"), 0);
    database_close(&database);
}

static void test_no_map_of_a_file_is_used_that_a_failing_disk_could_take_away(void **state)
{
    struct database_kind now = kind(1);
    struct database database = {.kind = &now, .folder = *state};

    assert_int_equal(database_open(&database), 0);
    assert_int_equal(database_run(&database, "INSERT INTO a VALUES(1)"), 0);
    assert_true(is_there(*state, "test.db-wal"));
    assert_false(is_there(*state, "test.db-shm"));
    database_close(&database);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(test_a_file_is_brought_from_every_version_to_the_newest),
        CASE(test_a_step_that_fails_leaves_the_file_as_it_was),
        CASE(test_a_newer_file_is_not_touched),
        CASE(test_names_of_what_is_set_aside_go_on),
        CASE(test_a_reader_sees_what_is_there_and_can_change_nothing),
        CASE(test_reading_and_writing_do_not_wait_for_each_other),
        CASE(test_a_file_that_was_removed_is_noticed),
        CASE(test_errors_have_a_number_and_words),
        CASE(test_no_map_of_a_file_is_used_that_a_failing_disk_could_take_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
