#include "gateway/store/history_db.h"
#include "gateway/store/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What has been staged is cut when the oldest is that old, or when it is so much: many series want
 * more of it, so that the chunk of each is worth its row. */
#define CUT_AGE_MS       (4 * INT64_C(3600000))
#define CUT_BYTES        2000000
#define CUT_BYTES_SERIES 2000
#define CUT_BYTES_MAX    8000000

/* Copies of staged rows, all of one boot, and their sections in order of series. */
struct cut {
    struct cut_row {
        void *blob;
        int64_t base_ms;
    } * rows;
    struct cut_section {
        struct staged_section section;
        size_t row, order; /* the order in which they came */
    } * sections;
    size_t n_rows, n_sections;
    int64_t boot, last_seq;
    size_t bytes;
    struct text_table *texts;
};

static void cut_free(struct cut *cut)
{
    for (size_t i = 0; i < cut->n_rows; i++)
        free(cut->rows[i].blob);
    free(cut->rows);
    free(cut->sections);
    text_table_free(cut->texts);
}

/* -- reading what is staged ------------------------------------------------------------------ */

static int add_section(struct cut *cut, const struct staged_section *section, size_t row)
{
    struct cut_section *sections = cut->sections;

    if ((cut->n_sections & (cut->n_sections - 1)) == 0) {
        sections = realloc(sections, (cut->n_sections * 2 + 1) * sizeof(*sections));
        if (!sections)
            return -ENOMEM;
        cut->sections = sections;
    }
    sections[cut->n_sections] = (struct cut_section){*section, row, cut->n_sections};
    cut->n_sections++;
    return 0;
}

static int add_row(struct cut *cut, sqlite3_stmt *from)
{
    size_t size = (size_t)sqlite3_column_bytes(from, 3);
    struct cut_row *row = &cut->rows[cut->n_rows];
    struct staged_section section;
    struct staged_reader reader;
    int r = 0;

    row->base_ms = sqlite3_column_int64(from, 1);
    row->blob = malloc(size + 1);
    if (!row->blob)
        return -ENOMEM;
    if (size > 0)
        memcpy(row->blob, sqlite3_column_blob(from, 3), size);
    cut->n_rows++;
    cut->bytes += size;
    cut->last_seq = sqlite3_column_int64(from, 0);
    staged_open(&reader, row->blob, size);
    while (r == 0 && staged_next(&reader, &section))
        r = add_section(cut, &section, cut->n_rows - 1);
    return r;
}

/* All but the newest row, as far as they are of one boot. */
static int read_staged(struct history_db *history, struct cut *cut)
{
    sqlite3_stmt *rows = NULL;
    int64_t count = 0;
    int r = database_number(&history->file, "SELECT count(*) FROM staged", 0, &count);
    int code = SQLITE_DONE;

    cut->rows = r == 0 ? calloc((size_t)count + 1, sizeof(*cut->rows)) : NULL;
    if (!cut->rows)
        return r < 0 ? r : -ENOMEM;
    r = database_prepare(&history->file,
                         "SELECT seq, base_ms, boot, data FROM staged"
                         " WHERE seq < (SELECT max(seq) FROM staged) ORDER BY seq",
                         &rows);
    while (r == 0 && cut->bytes < CUT_BYTES_MAX && (code = sqlite3_step(rows)) == SQLITE_ROW) {
        int64_t boot = sqlite3_column_int64(rows, 2);

        if (cut->n_rows > 0 && boot != cut->boot)
            break;
        cut->boot = boot;
        r = add_row(cut, rows);
    }
    if (r == 0 && code != SQLITE_DONE && code != SQLITE_ROW)
        r = database_error(&history->file);
    sqlite3_finalize(rows);
    return r;
}

/* -- writing chunks -------------------------------------------------------------------------- */

static int compare_sections(const void *a, const void *b)
{
    const struct cut_section *left = a, *right = b;

    if (left->section.series != right->section.series)
        return left->section.series < right->section.series ? -1 : 1;
    return left->order < right->order ? -1 : left->order > right->order;
}

/* One series: its sections, put together to chunks. What cannot be read is counted and left out. */
static int cut_series(struct history_db *history, struct cut *cut, size_t from, size_t to)
{
    struct reading *piece = history->readings, *all = piece + PACK_MAX;
    int64_t series = cut->sections[from].section.series;
    size_t n = 0;
    int r = 0;

    for (size_t i = from; i < to && r == 0; i++) {
        const struct staged_section *section = &cut->sections[i].section;
        int count = pack_decode(section->data, section->size,
                                cut->rows[cut->sections[i].row].base_ms, piece, cut->texts);

        if (count < 0) {
            history->damaged++;
            continue;
        }
        if (n + (size_t)count > PACK_MAX) {
            r = history_add_readings(history, series, cut->boot, all, n, cut->texts);
            n = 0;
        }
        memcpy(all + n, piece, (size_t)count * sizeof(*all));
        n += (size_t)count;
    }
    if (r == 0 && n > 0)
        r = history_add_readings(history, series, cut->boot, all, n, cut->texts);
    return r;
}

static int drop_staged(struct history_db *history, int64_t last_seq)
{
    sqlite3_stmt *drop = NULL;
    int r = database_prepare(&history->file, "DELETE FROM staged WHERE seq <= ?1", &drop);

    if (r < 0)
        return r;
    sqlite3_bind_int64(drop, 1, last_seq);
    r = database_step(&history->file, drop);
    sqlite3_finalize(drop);
    return r;
}

static int cut_all(struct history_db *history, struct cut *cut)
{
    int r = read_staged(history, cut);

    cut->texts = text_table_new();
    if (r == 0 && !cut->texts)
        r = -ENOMEM;
    if (r < 0 || cut->n_rows == 0)
        return r;
    if (cut->n_sections > 0)
        qsort(cut->sections, cut->n_sections, sizeof(*cut->sections), compare_sections);
    for (size_t from = 0, to; from < cut->n_sections && r == 0; from = to) {
        for (to = from + 1; to < cut->n_sections &&
                            cut->sections[to].section.series == cut->sections[from].section.series;)
            to++;
        r = cut_series(history, cut, from, to);
    }
    return r < 0 ? r : drop_staged(history, cut->last_seq);
}

/* -- when ------------------------------------------------------------------------------------ */

static int is_due(struct history_db *history, bool *ret_due)
{
    int64_t bytes = 0, series = 0, age_ms = 0, limit;
    int r = database_number(&history->file, "SELECT sum(length(data)) FROM staged", 0, &bytes);

    if (r == 0)
        r = database_number(&history->file,
                            "SELECT max(seq) FROM sqlite_sequence WHERE"
                            " name='series'",
                            0, &series);
    if (r == 0)
        r = database_number(&history->file, "SELECT max(end_ms) - min(start_ms) FROM staged", 0,
                            &age_ms);
    limit = series * CUT_BYTES_SERIES;
    limit = limit < CUT_BYTES ? CUT_BYTES : limit > CUT_BYTES_MAX ? CUT_BYTES_MAX : limit;
    *ret_due = bytes > limit || age_ms > CUT_AGE_MS;
    return r;
}

int history_cut(struct history_db *history)
{
    struct cut cut = {0};
    bool due = false;
    int r = history_begin(history);

    if (r < 0)
        return r;
    r = is_due(history, &due);
    if (r == 0 && due)
        r = cut_all(history, &cut);
    r = history_end(history, r);
    due = cut.n_rows > 0;
    cut_free(&cut);
    return r < 0 ? r : due;
}
