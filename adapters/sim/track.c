#include "adapters/sim/track.h"

#include "gateway/base/csv.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_MAX    (64 * 1024 * 1024)
#define COLUMNS_MAX 16

/* A row; its sensor and text borrow from the file's bytes. */
struct row {
    int64_t ms;
    const char *sensor, *value;
    bool bad;
    size_t order; /* in the file: of equal times the later row is newer */
};

struct tracks {
    char *bytes;
    struct row *rows; /* by sensor, then time */
    size_t n, room;
    int64_t first_ms, last_ms;
};

struct columns {
    int time, sensor, value, quality; /* index, -1: not there */
};

void tracks_free(struct tracks *tracks)
{
    if (!tracks)
        return;
    free(tracks->bytes);
    free(tracks->rows);
    free(tracks);
}

static int read_file(const char *path, char **ret_bytes, struct error *reterr)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r = 0;
    struct stat status;
    ssize_t got = 0;
    char *bytes = NULL;

    if (fd < 0 || fstat(fd, &status) < 0)
        r = error_set(reterr, -errno, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(status.st_mode) || status.st_size > FILE_MAX)
        r = error_set(reterr, -EFBIG, "%s: not a file, or larger than 64 MB", path);
    else if (!(bytes = malloc((size_t)status.st_size + 1)))
        r = error_set(reterr, -ENOMEM, "%s: out of memory", path);
    else if ((got = read(fd, bytes, (size_t)status.st_size)) < 0)
        r = error_set(reterr, -errno, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    if (r < 0) {
        free(bytes);
        return r;
    }
    bytes[got] = '\0';
    *ret_bytes = bytes;
    return 0;
}

static int find_columns(char *fields[], int n, struct columns *ret)
{
    *ret = (struct columns){-1, -1, -1, -1};
    for (int i = 0; i < n && i < COLUMNS_MAX; i++) {
        if (strcmp(fields[i], "time") == 0)
            ret->time = i;
        else if (strcmp(fields[i], "sensor") == 0)
            ret->sensor = i;
        else if (strcmp(fields[i], "value") == 0)
            ret->value = i;
        else if (strcmp(fields[i], "quality") == 0)
            ret->quality = i;
    }
    return ret->time >= 0 && ret->sensor >= 0 && ret->value >= 0 ? 0 : -EINVAL;
}

/* ".123" and the zone behind the seconds of an ISO time. */
static int parse_time_end(const char *text, int64_t *ms, bool *has_zone, int64_t *zone_ms)
{
    int64_t unit = 100;
    int hours, minutes, used = 0;
    char sign;

    if (*text == '.' || *text == ',') {
        for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
            *ms += (*text - '0') * unit;
    }
    *has_zone = *text != '\0';
    *zone_ms = 0;
    if (*text == '\0' || strcmp(text, "Z") == 0)
        return 0;
    if (sscanf(text, "%c%2d:%2d%n", &sign, &hours, &minutes, &used) != 3 || text[used] != '\0' ||
        (sign != '+' && sign != '-'))
        return -EINVAL;
    *zone_ms = (sign == '-' ? -1 : 1) * (hours * INT64_C(60) + minutes) * 60000;
    return 0;
}

static int parse_time(const char *text, int64_t *ret_ms)
{
    struct tm tm = {.tm_isdst = -1};
    const char *rest;
    double seconds;
    int64_t ms = 0, zone_ms;
    bool has_zone;

    if (text_to_number(text, &seconds) == 0) {
        if (seconds > 1e12 || seconds < -1e12)
            return -ERANGE;
        *ret_ms = llround(seconds * 1000); /* 1.001 is a little less than it looks */
        return 0;
    }
    rest = strptime(text, strchr(text, 'T') ? "%Y-%m-%dT%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &tm);
    if (!rest || parse_time_end(rest, &ms, &has_zone, &zone_ms) < 0)
        return -EINVAL;
    *ret_ms = (int64_t)(has_zone ? timegm(&tm) : mktime(&tm)) * 1000 + ms - zone_ms;
    return 0;
}

static struct row *add_row(struct tracks *tracks)
{
    if (tracks->n == tracks->room) {
        size_t room = tracks->room ? tracks->room * 2 : 1024;
        struct row *rows = realloc(tracks->rows, room * sizeof(*rows));

        if (!rows)
            return NULL;
        tracks->rows = rows;
        tracks->room = room;
    }
    return &tracks->rows[tracks->n++];
}

static int take_row(struct tracks *tracks, char *fields[], const struct columns *at)
{
    const char *quality = at->quality >= 0 ? fields[at->quality] : "";
    struct row *row;

    if (strcmp(quality, quality_name(QUALITY_QUIET)) == 0)
        return 0; /* of a channel of events, which is quiet where it has no row */
    row = add_row(tracks);
    if (!row)
        return -ENOMEM;
    *row = (struct row){.sensor = fields[at->sensor],
                        .value = fields[at->value],
                        .order = tracks->n,
                        .bad = quality[0] != '\0' && strcmp(quality, "good") != 0};
    if (parse_time(fields[at->time], &row->ms) < 0)
        return -EINVAL;
    if (tracks->n == 1 || row->ms < tracks->first_ms)
        tracks->first_ms = row->ms;
    if (tracks->n == 1 || row->ms > tracks->last_ms)
        tracks->last_ms = row->ms;
    return 0;
}

static int parse_rows(struct tracks *tracks, const char *path, struct error *reterr)
{
    char *fields[COLUMNS_MAX];
    struct columns columns;
    struct csv csv;
    int n;

    csv_start(&csv, tracks->bytes, 0);
    n = csv_next(&csv, fields, COLUMNS_MAX);
    if (n <= 0 || find_columns(fields, n, &columns) < 0)
        return error_set(reterr, -EINVAL,
                         "%s:1: the first line must name the columns: time,sensor,value", path);
    while ((n = csv_next(&csv, fields, COLUMNS_MAX)) > 0) {
        int r = n > columns.time && n > columns.sensor && n > columns.value && n > columns.quality
                    ? take_row(tracks, fields, &columns)
                    : -EINVAL;

        if (r < 0)
            return error_set(reterr, r,
                             "%s:%zu: %s; a row is a time (seconds or 2026-11-21T14:02:05), a "
                             "sensor and a value",
                             path, csv.line, r == -ENOMEM ? "out of memory" : "cannot be read");
    }
    if (n < 0 || tracks->n == 0)
        return error_set(reterr, -EINVAL, "%s:%zu: %s", path, csv.line,
                         n < 0 ? "a quote is not closed, or closed too early"
                               : "there are no rows");
    return 0;
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int by_sensor = strcmp(x->sensor, y->sensor);

    if (by_sensor != 0)
        return by_sensor;
    if (x->ms != y->ms)
        return x->ms < y->ms ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

int tracks_load(const char *path, struct tracks **ret_tracks, struct error *reterr)
{
    struct tracks *tracks = calloc(1, sizeof(*tracks));
    int r;

    if (!tracks)
        return error_set(reterr, -ENOMEM, "%s: out of memory", path);
    r = read_file(path, &tracks->bytes, reterr);
    if (r == 0)
        r = parse_rows(tracks, path, reterr);
    if (r < 0) {
        tracks_free(tracks);
        return r;
    }
    qsort(tracks->rows, tracks->n, sizeof(*tracks->rows), compare_rows);
    *ret_tracks = tracks;
    return 0;
}

int64_t tracks_length_ms(const struct tracks *tracks)
{
    return tracks->last_ms - tracks->first_ms + 1;
}

/* Index of the first row after (sensor, ms). */
static size_t first_after(const struct tracks *tracks, const char *sensor, int64_t ms)
{
    size_t low = 0, high = tracks->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(tracks->rows[middle].sensor, sensor);

        if (order < 0 || (order == 0 && tracks->rows[middle].ms <= ms))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct sample sample_row(const struct row *row, uint32_t channel, int64_t at_ms)
{
    double number;

    if (row->bad || row->value[0] == '\0')
        return sample_bad(channel, at_ms, QUALITY_ERROR);
    return text_to_number(row->value, &number) == 0 ? sample_number(channel, at_ms, number)
                                                    : sample_text(channel, at_ms, row->value);
}

static bool is_of(const struct tracks *tracks, size_t row, const char *sensor)
{
    return row < tracks->n && strcmp(tracks->rows[row].sensor, sensor) == 0;
}

struct sample tracks_next(const struct tracks *tracks, const char *sensor, int64_t ms,
                          uint32_t channel, int64_t at_ms, struct track_place *place)
{
    size_t first = first_after(tracks, sensor, INT64_MIN), row = first + place->rows;
    int64_t played_ms = ms - place->round * tracks_length_ms(tracks);
    struct sample sample;

    if (!is_of(tracks, first, sensor))
        return sample_bad(channel, at_ms, QUALITY_NO_SENSOR);
    if (tracks->rows[row].ms - tracks->first_ms > played_ms)
        return sample_bad(channel, at_ms, QUALITY_QUIET);
    place->rows++;
    if (!is_of(tracks, row + 1, sensor))
        *place = (struct track_place){.round = place->round + 1};
    sample = sample_row(&tracks->rows[row], channel, at_ms);
    return sample.kind == VALUE_NUMBER ? sample_text(channel, at_ms, tracks->rows[row].value)
                                       : sample;
}

struct sample tracks_at(const struct tracks *tracks, const char *sensor, int64_t ms,
                        uint32_t channel, int64_t at_ms)
{
    size_t after = first_after(tracks, sensor, tracks->first_ms + ms);

    if (after > 0 && is_of(tracks, after - 1, sensor))
        return sample_row(&tracks->rows[after - 1], channel, at_ms);
    if (is_of(tracks, after, sensor))
        return sample_bad(channel, at_ms, QUALITY_NOT_READ);
    return sample_bad(channel, at_ms, QUALITY_NO_SENSOR);
}
