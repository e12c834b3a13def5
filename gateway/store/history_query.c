#include "gateway/store/history_query.h"

#include "gateway/base/text.h"
#include "gateway/store/history_db.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

/* Lengths that people expect to see, each a multiple of what it is made of. */
static const int64_t lengths_ms[] = {
    1000,           2000,           5000,           10000,         15000,         30000,
    MINUTE_MS,      2 * MINUTE_MS,  3 * MINUTE_MS,  5 * MINUTE_MS, 6 * MINUTE_MS, 10 * MINUTE_MS,
    15 * MINUTE_MS, 20 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS,       2 * HOUR_MS,   3 * HOUR_MS,
    4 * HOUR_MS,    6 * HOUR_MS,    12 * HOUR_MS,   DAY_MS,        2 * DAY_MS,    7 * DAY_MS,
};

int64_t history_query_step(int64_t from_ms, int64_t to_ms, size_t max)
{
    int64_t step_ms = 0, most = max > 1 ? (int64_t)max - 1 : 1;

    for (size_t i = 0; i < sizeof(lengths_ms) / sizeof(lengths_ms[0]); i++) {
        step_ms = lengths_ms[i];
        if ((to_ms - from_ms) / step_ms < most)
            return step_ms;
    }
    while ((to_ms - from_ms) / step_ms >= most)
        step_ms *= 2;
    return step_ms;
}

/* Under way: either readings, as long as they are few, or stretches. */
struct gather {
    struct history_query *query;
    int64_t from_ms, to_ms;
    struct reading *readings; /* `sensor` has the order in which they were met */
    size_t count, max;
    struct rollups rollups;
    struct text_table *texts;
};

/* -- taking ---------------------------------------------------------------------------------- */

static bool is_inside(const struct gather *gather, int64_t at_ms)
{
    return at_ms >= gather->from_ms && at_ms <= gather->to_ms;
}

/* 1 when they are too many. */
static int take_readings(void *owner, int64_t series, const struct reading *readings, size_t count)
{
    struct gather *gather = owner;

    (void)series;
    for (size_t i = 0; i < count; i++) {
        if (!is_inside(gather, readings[i].at_ms))
            continue;
        if (gather->count == gather->max)
            return 1;
        gather->readings[gather->count] = readings[i];
        gather->readings[gather->count].sensor = (uint32_t)gather->count;
        gather->count++;
    }
    return 0;
}

static int take_stretches(void *owner, int64_t series, const struct reading *readings, size_t count)
{
    struct gather *gather = owner;

    (void)series;
    for (size_t i = 0; i < count; i++) {
        if (is_inside(gather, readings[i].at_ms))
            rollups_add_reading(&gather->rollups, &readings[i]);
    }
    return gather->rollups.failed ? -ENOMEM : 0;
}

static int take_rollups(void *owner, const struct rollup *rollups, size_t count)
{
    struct gather *gather = owner;

    for (size_t i = 0; i < count; i++) {
        if (is_inside(gather, rollups[i].at_ms))
            rollups_add(&gather->rollups, &rollups[i]);
    }
    return gather->rollups.failed ? -ENOMEM : 0;
}

/* What is in memory and not yet in the file. */
static int take_memory(struct gather *gather, uint64_t serial, visit_readings take)
{
    const struct history_query *query = gather->query;
    int r = 0;

    for (size_t i = 0; i < query->n_parts && r == 0; i++) {
        struct reading reading = query->parts[i].reading;

        if (query->parts[i].serial <= serial)
            continue;
        reading.at_ms += query->offset_ms;
        if (reading.quality == QUALITY_GOOD && reading.kind == VALUE_TEXT)
            reading.text =
                text_table_add(gather->texts, text_table_get(query->texts, reading.text));
        r = take(gather, 0, &reading, 1);
    }
    return r;
}

/* -- readings as they are -------------------------------------------------------------------- */

static int compare_readings(const void *a, const void *b)
{
    const struct reading *left = a, *right = b;

    if (left->at_ms != right->at_ms)
        return left->at_ms < right->at_ms ? -1 : 1;
    return left->sensor < right->sensor ? -1 : 1;
}

static void set_value(struct store_point *point, const struct reading *reading,
                      const struct text_table *texts)
{
    point->kind = reading->quality == QUALITY_GOOD ? reading->kind : VALUE_NONE;
    point->count = point->kind != VALUE_NONE;
    if (point->kind == VALUE_NUMBER)
        point->min = point->max = point->mean = reading->number;
    else if (point->kind == VALUE_TEXT)
        point->text = text_table_get(texts, reading->text);
}

/* The texts of a table go with it; points need their own. */
static int keep_texts(struct history_query *query, struct store_point *points, size_t count)
{
    const char *last = NULL, *kept = NULL;

    for (size_t i = 0; i < count; i++) {
        if (!points[i].text)
            continue;
        if (points[i].text != last) {
            last = points[i].text;
            kept = arena_text(&query->memory, last);
        }
        points[i].text = kept;
        if (!kept)
            return -ENOMEM;
    }
    return 0;
}

static int answer_readings(struct gather *gather)
{
    struct history_query *query = gather->query;
    struct store_point *points = arena_take(&query->memory, (gather->count + 1) * sizeof(*points));

    if (!points)
        return -ENOMEM;
    qsort(gather->readings, gather->count, sizeof(*gather->readings), compare_readings);
    for (size_t i = 0; i < gather->count; i++) {
        points[i].at_ms = gather->readings[i].at_ms;
        points[i].quality = gather->readings[i].quality;
        set_value(&points[i], &gather->readings[i], gather->texts);
    }
    query->answer.step_ms = 0;
    query->answer.points = points;
    query->answer.count = gather->count;
    return keep_texts(query, points, gather->count);
}

/* -- stretches ------------------------------------------------------------------------------- */

static size_t add_stretch(struct store_point *points, const struct rollup *item,
                          const struct text_table *texts)
{
    size_t n = 0;

    if (item->count > 0) {
        points[n] = (struct store_point){.at_ms = item->at_ms, .count = item->count};
        points[n].kind = item->kind;
        if (item->kind == VALUE_TEXT) {
            points[n++].text = text_table_get(texts, item->text);
        } else {
            points[n].min = item->min;
            points[n].max = item->max;
            points[n++].mean = item->sum / item->count;
        }
    }
    if (item->quality != QUALITY_GOOD)
        points[n++] = (struct store_point){.at_ms = item->at_ms, .quality = item->quality};
    return n;
}

static int answer_stretches(struct gather *gather)
{
    struct history_query *query = gather->query;
    size_t max = 2 * gather->rollups.count + 1, n = 0;
    struct store_point *points = arena_take(&query->memory, max * sizeof(*points));

    if (!points || gather->rollups.failed)
        return -ENOMEM;
    for (size_t i = 0; i < gather->rollups.count; i++)
        n += add_stretch(points + n, &gather->rollups.items[i], gather->texts);
    query->answer.step_ms = gather->rollups.step_ms;
    query->answer.points = points;
    query->answer.count = n;
    return keep_texts(query, points, n);
}

static int level_for(int64_t step_ms)
{
    return step_ms >= HOUR_MS ? LEVEL_HOUR : step_ms >= MINUTE_MS ? LEVEL_MINUTE : LEVEL_RAW;
}

/* Before the first piece of a level the next coarser one knows something. */
static int fill_earlier(struct visit *visit, struct gather *gather, int64_t series, int level)
{
    struct visit_range range = {.series = series, .from_ms = gather->from_ms};
    int64_t to_ms = gather->to_ms;
    int r = 0;

    for (; level < LEVEL_HOUR && r == 0; level++) {
        int64_t start_ms;

        r = visit_start(visit, series, level, &start_ms);
        if (r < 0 || start_ms <= gather->from_ms)
            break;
        if (start_ms <= gather->to_ms) {
            int64_t step_ms = history_step_ms(level + 1);

            gather->to_ms = rollup_start(start_ms, step_ms) - 1;
        }
        range.to_ms = gather->to_ms;
        if (range.to_ms >= range.from_ms)
            r = visit_level(visit, &range, level + 1, take_rollups, gather);
    }
    gather->to_ms = to_ms;
    return r;
}

static int gather_stretches(struct visit *visit, struct gather *gather, int64_t series,
                            int64_t rolled, int level)
{
    struct visit_range range = {
        .series = series, .from_ms = gather->from_ms, .to_ms = gather->to_ms};
    int r = fill_earlier(visit, gather, series, level);

    if (r == 0 && level != LEVEL_RAW)
        r = visit_level(visit, &range, level, take_rollups, gather);
    range.after = level == LEVEL_RAW ? 0 : rolled;
    if (r == 0)
        r = visit_chunks(visit, &range, take_stretches, gather);
    if (r == 0)
        r = visit_staged(visit, &range, take_stretches, gather);
    return r < 0 ? r : take_memory(gather, visit->serial, take_stretches);
}

/* -- the whole ------------------------------------------------------------------------------- */

static void note_start(int64_t *first_ms, int64_t at_ms)
{
    if (at_ms < *first_ms)
        *first_ms = at_ms;
}

/* A range that begins before everything or ends in the future would get steps for what is not
 * there. */
static int clip(struct visit *visit, struct gather *gather, int64_t series)
{
    int64_t first_ms = INT64_MAX, last_ms = 0, at_ms;
    int r = database_number(visit->file, "SELECT min(start_ms) FROM staged", INT64_MAX, &first_ms);

    if (r == 0)
        r = database_number(visit->file, "SELECT max(end_ms) FROM staged", 0, &last_ms);
    for (int level = 0; level < HISTORY_LEVELS && r == 0; level++) {
        r = visit_start(visit, series, level, &at_ms);
        if (r == 0)
            note_start(&first_ms, at_ms);
    }
    for (size_t i = 0; i < gather->query->n_parts; i++)
        note_start(&first_ms, gather->query->parts[i].reading.at_ms + gather->query->offset_ms);
    if (gather->query->now_ms > last_ms)
        last_ms = gather->query->now_ms;
    if (gather->from_ms < first_ms)
        gather->from_ms = first_ms;
    if (gather->to_ms > last_ms)
        gather->to_ms = last_ms;
    return r;
}

/* Whether a coarser level reaches back to where the readings have been dropped. 1, 0 or -Exxx. */
static int are_dropped(struct visit *visit, const struct gather *gather, int64_t series)
{
    int64_t raw_ms, start_ms;
    int r = visit_start(visit, series, LEVEL_RAW, &raw_ms);

    if (r < 0 || raw_ms <= gather->from_ms)
        return r;
    for (int level = LEVEL_MINUTE; level < HISTORY_LEVELS && r == 0; level++) {
        r = visit_start(visit, series, level, &start_ms);
        if (r == 0 && start_ms <= gather->to_ms && start_ms < raw_ms - history_step_ms(level))
            return 1;
    }
    return r;
}

/* The readings themselves, where they are there from the beginning and few. 1: they are not. */
static int try_readings(struct visit *visit, struct gather *gather, int64_t series)
{
    struct visit_range range = {
        .series = series, .from_ms = gather->from_ms, .to_ms = gather->to_ms};
    int r = are_dropped(visit, gather, series);

    if (r == 0)
        r = visit_chunks(visit, &range, take_readings, gather);
    if (r == 0)
        r = visit_staged(visit, &range, take_readings, gather);
    return r != 0 ? r : take_memory(gather, visit->serial, take_readings);
}

static int look(struct visit *visit, struct gather *gather, int64_t series, int64_t rolled)
{
    int r = clip(visit, gather, series);

    if (r == 0)
        r = try_readings(visit, gather, series);
    if (r == 0)
        return answer_readings(gather);
    if (r < 0)
        return r;
    gather->rollups.step_ms =
        history_query_step(gather->from_ms, gather->to_ms, gather->query->query.max_points);
    r = gather_stretches(visit, gather, series, rolled, level_for(gather->rollups.step_ms));
    return r < 0 ? r : answer_stretches(gather);
}

static int gather_start(struct gather *gather, struct history_query *query)
{
    size_t max = query->query.max_points;

    if (max == 0 || max > HISTORY_POINTS_MAX)
        query->query.max_points = max = HISTORY_POINTS_MAX;
    *gather = (struct gather){
        .query = query, .from_ms = query->query.from_ms, .to_ms = query->query.to_ms, .max = max};
    gather->readings = malloc(max * sizeof(*gather->readings));
    return gather->readings ? 0 : -ENOMEM;
}

static void gather_end(struct gather *gather)
{
    free(gather->readings);
    rollups_free(&gather->rollups);
}

static int set_unit(struct history_query *query, const char *unit)
{
    query->answer.unit = arena_text(&query->memory, unit);
    return query->answer.unit ? 0 : -ENOMEM;
}

void history_query_run(struct history_query *query, struct database *file, int64_t this_run)
{
    int64_t series = 0, rolled = 0;
    struct visit visit;
    struct gather gather;
    char unit[64];
    int r = gather_start(&gather, query), v = visit_begin(&visit, file, this_run);

    text_copy(unit, sizeof(unit), query->unit ? query->unit : "");
    gather.texts = visit.texts;
    if (r == 0)
        r = v;
    if (r == 0)
        r = visit_find(&visit, query->query.sensor, &series, &rolled, unit, sizeof(unit));
    if (r == 0 && series == 0 && query->n_parts == 0)
        r = -ENOENT;
    if (r == 0)
        r = look(&visit, &gather, series, rolled);
    if (r == 0)
        r = set_unit(query, unit);
    visit_end(&visit);
    gather_end(&gather);
    query->answer.status = r;
}

void history_query_without(struct history_query *query)
{
    struct gather gather;
    int r = gather_start(&gather, query);

    gather.texts = text_table_new();
    if (!gather.texts)
        r = -ENOMEM;
    if (r == 0 && query->n_parts > 0 &&
        gather.from_ms < query->parts[0].reading.at_ms + query->offset_ms)
        gather.from_ms = query->parts[0].reading.at_ms + query->offset_ms;
    if (r == 0)
        r = take_memory(&gather, 0, take_readings);
    if (r == 0) {
        r = answer_readings(&gather);
    } else if (r > 0) {
        gather.rollups.step_ms =
            history_query_step(gather.from_ms, gather.to_ms, query->query.max_points);
        r = take_memory(&gather, 0, take_stretches);
        if (r == 0)
            r = answer_stretches(&gather);
    }
    if (r == 0)
        r = set_unit(query, query->unit ? query->unit : "");
    text_table_free(gather.texts);
    gather_end(&gather);
    query->answer.status = r < 0 ? r : -EAGAIN;
}
