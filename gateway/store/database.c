#include "gateway/store/database.h"

#include "gateway/base/log.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWN_VFS "unix-excl"

/* A reader may hold a writer up for the length of a question, not longer. */
#define BUSY_MS 2000

/* Files that were set aside; a disk that damages them daily must not fill with them. */
#define ASIDE_MAX 9

static void path_of(const struct database *database, const char *suffix, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s%s", database->folder, database->kind->name, suffix);
}

/* -- errors ---------------------------------------------------------------------------------- */

static int errno_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return -EROFS;
    case SQLITE_CANTOPEN:
        return -ENOENT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
        return -EBADMSG;
    case SQLITE_NOMEM:
        return -ENOMEM;
    default:
        return -EIO;
    }
}

int database_error(struct database *database)
{
    int code = sqlite3_extended_errcode(database->db);
    int system = sqlite3_system_errno(database->db);
    int r = errno_of(code);

    /* A write that finds no room may come as an error of input and output. */
    if (r == -EIO && (system == ENOSPC || system == EDQUOT || system == EROFS))
        r = system == EROFS ? -EROFS : -ENOSPC;
    return error_set(&database->why, r, "%s: %s", database->kind->name,
                     r == -EIO && system ? strerror(system) : sqlite3_errmsg(database->db));
}

/* -- statements ------------------------------------------------------------------------------ */

int database_run(struct database *database, const char *sql)
{
    return sqlite3_exec(database->db, sql, NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : database_error(database);
}

int database_prepare(struct database *database, const char *sql, sqlite3_stmt **ret_statement)
{
    return sqlite3_prepare_v3(database->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_statement,
                              NULL) == SQLITE_OK
               ? 0
               : database_error(database);
}

int database_step(struct database *database, sqlite3_stmt *statement)
{
    int r = sqlite3_step(statement) == SQLITE_DONE ? 0 : database_error(database);

    sqlite3_reset(statement);
    return r;
}

const char *database_text(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);

    return text ? text : "";
}

int database_number(struct database *database, const char *sql, int64_t otherwise, int64_t *ret)
{
    sqlite3_stmt *statement = NULL;
    int r = database_prepare(database, sql, &statement), code;

    if (r < 0)
        return r;
    code = sqlite3_step(statement);
    *ret = otherwise;
    if (code == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL)
        *ret = sqlite3_column_int64(statement, 0);
    else if (code != SQLITE_ROW && code != SQLITE_DONE)
        r = database_error(database);
    sqlite3_finalize(statement);
    return r;
}

/* -- setting aside --------------------------------------------------------------------------- */

static void rename_with(const struct database *database, const char *suffix, int n)
{
    char from[PATH_MAX], aside[40], to[PATH_MAX];

    snprintf(aside, sizeof(aside), ".damaged-%d%s", n, suffix);
    path_of(database, suffix, from);
    path_of(database, aside, to);
    rename(from, to);
}

/* Together with its log, without which it may be worth less. */
void database_set_aside(struct database *database)
{
    char path[PATH_MAX], aside[40];
    int n = 0;

    database_close(database);
    do {
        snprintf(aside, sizeof(aside), ".damaged-%d", ++n);
        path_of(database, aside, path);
    } while (n < ASIDE_MAX && access(path, F_OK) == 0);
    rename_with(database, "-wal", n);
    rename_with(database, "", n);
    database->replaced = true;
    log_error("%s; it is kept as %s%s, and a new one is begun", database->why.text,
              database->kind->name, aside);
}

/* -- opening --------------------------------------------------------------------------------- */

static int make_folder(struct database *database)
{
    if (mkdir(database->folder, 0750) == 0 || errno == EEXIST)
        return 0;
    return error_set(&database->why, -errno, "folder %s: %s", database->folder, strerror(errno));
}

static int open_file(struct database *database, int flags)
{
    char path[PATH_MAX];
    int code;

    path_of(database, "", path);
    code = sqlite3_open_v2(path, &database->db, flags | SQLITE_OPEN_NOMUTEX,
                           database->vfs ? database->vfs : OWN_VFS);
    if (!database->db)
        return error_set(&database->why, -ENOMEM, "%s: out of memory", database->kind->name);
    if (code != SQLITE_OK)
        return database_error(database);
    sqlite3_extended_result_codes(database->db, 1);
    sqlite3_busy_timeout(database->db, BUSY_MS);
    /* The log is folded in at the next start: a stop has no time for it. */
    sqlite3_db_config(database->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return 0;
}

/* Debian's SQLite overwrites what is deleted, which would double what a card has to write. */
static int tune(struct database *database)
{
    char sql[160];

    snprintf(sql, sizeof(sql),
             "PRAGMA secure_delete=OFF; PRAGMA foreign_keys=OFF; PRAGMA wal_autocheckpoint=0;"
             "PRAGMA cache_size=-512; PRAGMA synchronous=%s",
             database->kind->sync);
    return database_run(database, sql);
}

static int damaged(struct database *database, const char *why)
{
    return error_set(&database->why, -EBADMSG, "%s: %s", database->kind->name, why);
}

/* Everything of the log into the file, and the log emptied: what a commit that failed half may have
 * left in the log's memory but not on disk must not stand before what comes. Then the file has the
 * length that it says it has. */
static int fold_log(struct database *database)
{
    int64_t pages, page_size;
    struct stat about;
    char path[PATH_MAX];
    int r = database_run(database, "PRAGMA journal_mode=WAL");

    if (r == 0 && sqlite3_wal_checkpoint_v2(database->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
                                            NULL) != SQLITE_OK)
        r = database_error(database);
    if (r == 0)
        r = database_number(database, "PRAGMA page_count", 0, &pages);
    if (r == 0)
        r = database_number(database, "PRAGMA page_size", 4096, &page_size);
    path_of(database, "", path);
    if (r == 0 && stat(path, &about) == 0 && about.st_size < pages * page_size)
        r = damaged(database, "cut off");
    return r;
}

static int look_through(struct database *database)
{
    sqlite3_stmt *statement = NULL;
    int r = database_prepare(database, "PRAGMA quick_check(1)", &statement), code;

    if (r < 0)
        return r;
    code = sqlite3_step(statement);
    if (code != SQLITE_ROW)
        r = database_error(database);
    else if (strcmp(database_text(statement, 0), "ok") != 0)
        r = damaged(database, database_text(statement, 0));
    sqlite3_finalize(statement);
    return r;
}

static int migrate(struct database *database, int64_t version)
{
    char sql[80];
    int r = database_run(database, "BEGIN IMMEDIATE");

    for (int64_t v = version; v < database->kind->versions && r == 0; v++)
        r = database_run(database, database->kind->steps[v]);
    snprintf(sql, sizeof(sql), "PRAGMA user_version=%d; PRAGMA application_id=%d; COMMIT",
             database->kind->versions, database->kind->mark);
    if (r == 0)
        r = database_run(database, sql);
    if (r < 0)
        sqlite3_exec(database->db, "ROLLBACK", NULL, NULL, NULL);
    return r;
}

/* Whose it is, and of which version. */
static int read_version(struct database *database, int64_t *ret_version)
{
    int64_t mark = 0, tables = 0;
    int r = database_number(database, "PRAGMA application_id", 0, &mark);

    if (r == 0)
        r = database_number(database, "PRAGMA user_version", 0, ret_version);
    if (r == 0)
        r = database_number(database, "SELECT count(*) FROM sqlite_schema", 0, &tables);
    if (r < 0)
        return r;
    if (mark != database->kind->mark && (mark != 0 || tables > 0))
        return damaged(database, "it is a database of another program");
    if (*ret_version > database->kind->versions)
        return error_set(&database->why, -ENOTSUP,
                         "%s: written by a newer version (%d, this one knows %d); it is left alone",
                         database->kind->name, (int)*ret_version, database->kind->versions);
    return 0;
}

static int prepare_file(struct database *database)
{
    int64_t version = 0;
    int r = open_file(database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);

    if (r == 0)
        r = tune(database);
    if (r == 0)
        r = read_version(database, &version);
    if (r == 0)
        r = fold_log(database);
    if (r == 0 && database->kind->check && version > 0)
        r = look_through(database);
    if (r == 0 && version < database->kind->versions)
        r = migrate(database, version);
    return r;
}

int database_open(struct database *database)
{
    int r;

    if (database->db)
        return 0;
    r = make_folder(database);
    if (r < 0)
        return r;
    r = prepare_file(database);
    if (r == -EBADMSG) {
        database_set_aside(database);
        r = prepare_file(database);
    }
    if (r < 0)
        database_close(database);
    return r;
}

int database_open_reader(struct database *database)
{
    int64_t version = 0;
    int r;

    if (database->db)
        return 0;
    r = open_file(database, SQLITE_OPEN_READWRITE);
    if (r == 0)
        r = database_run(database, "PRAGMA query_only=ON; PRAGMA cache_size=-1024");
    if (r == 0)
        r = database_number(database, "PRAGMA user_version", 0, &version);
    if (r == 0 && version != database->kind->versions)
        r = error_set(&database->why, -EAGAIN, "%s: not ready", database->kind->name);
    if (r < 0)
        database_close(database);
    return r;
}

bool database_check_moved(struct database *database)
{
    int moved = 0;

    if (!database->db)
        return false;
    sqlite3_file_control(database->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    if (moved)
        database_close(database);
    return moved;
}

void database_close(struct database *database)
{
    sqlite3_stmt *statement;

    while (database->db && (statement = sqlite3_next_stmt(database->db, NULL)))
        sqlite3_finalize(statement);
    sqlite3_close_v2(database->db);
    database->db = NULL;
}
