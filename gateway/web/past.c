#include "gateway/base/clock.h"
#include "gateway/base/text.h"
#include "gateway/store/store.h"
#include "gateway/web/handlers.h"
#include "gateway/web/waiting.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS     INT64_C(86400000)
#define POINTS     2000
#define POINTS_MAX 20000
#define EVENTS     100
#define EVENTS_MAX 1000

struct store *past_store(struct request *request)
{
    if (!request->web->context.store)
        request_answer_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, "this gateway has no store");
    return request->web->context.store;
}

/* What the store says of itself; false when it has nothing to show, which then has been answered.
 * An answer out of memory alone (-EAGAIN) is one, too: it says so in `complete`. */
static bool is_answer(struct request *request, int status)
{
    if (status == 0 || status == -EAGAIN)
        return true;
    if (status == -ENOENT)
        request_answer_error(request, MHD_HTTP_NOT_FOUND, "nothing was ever stored of this sensor");
    else
        request_answer_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, "the store cannot answer: %s",
                             strerror(-status));
    return false;
}

/* -- history -------------------------------------------------------------------------------- */

/* clang-format off */
const struct field history_query[] = {
    {"sensor", "string", .help = "Its id.", .required = true},
    {"from", "string", .help = "Unix milliseconds, a duration ago (24h), or a date; a day ago by default."},
    {"to", "string", .help = "Likewise; now by default."},
    {"points", "integer", .help = "At most about so many; 2,000 by default, 20,000 at most."},
    {0},
};
static const struct field point_fields[] = {
    {"at_ms", "integer", .help = "When it was read, or when the step begins."},
    {"value", "value?", .help = "The reading, or the mean of the step; null: from here on there is none."},
    {"min", "number?", .help = "The least of the step."},
    {"max", "number?", .help = "The greatest of the step."},
    {"count", "integer", .help = "How many good readings there are in the step."},
    {"quality", "string", .help = "\"good\", or why there is no value."},
    {0},
};
const struct field history_answer[] = {
    {"sensor", "string", .help = "Its id."},
    {"unit", "string", .help = "\"\" when it has none."},
    {"from_ms", "integer", .help = "Where the span begins."},
    {"to_ms", "integer", .help = "Where it ends."},
    {"step_ms", "integer", .help = "Length of a step; 0: these are the readings themselves."},
    {"complete", "boolean", .help = "false: the disk cannot be read, this is what is in memory."},
    {"points", "array", .help = "In order of time.", point_fields},
    {0},
};
/* clang-format on */

/* What was asked, to be said again beside the answer. */
struct asked_history {
    char sensor[REQUEST_WORD_SIZE];
    int64_t from_ms, to_ms;
    const struct store_answer *answer;
};

static void write_point(struct json *json, const struct store_point *point)
{
    bool number = point->count > 0 && point->kind == VALUE_NUMBER;

    json_object(json, NULL);
    json_int(json, "at_ms", point->at_ms);
    if (number) {
        json_number(json, "value", point->mean, -1);
        json_number(json, "min", point->min, -1);
        json_number(json, "max", point->max, -1);
    } else {
        json_text(json, "value", point->count && point->kind == VALUE_TEXT ? point->text : NULL);
        json_null(json, "min");
        json_null(json, "max");
    }
    json_int(json, "count", point->count);
    json_text(json, "quality", quality_name(point->quality));
    json_end(json);
}

static void write_history(struct json *json, const void *what)
{
    const struct asked_history *asked = what;
    const struct store_answer *answer = asked->answer;

    json_object(json, NULL);
    json_text(json, "sensor", asked->sensor);
    json_text(json, "unit", answer->unit ? answer->unit : "");
    json_int(json, "from_ms", asked->from_ms);
    json_int(json, "to_ms", asked->to_ms);
    json_int(json, "step_ms", answer->step_ms);
    json_bool(json, "complete", answer->status == 0);
    json_array(json, "points");
    for (size_t i = 0; i < answer->count; i++)
        write_point(json, &answer->points[i]);
    json_end(json);
    json_end(json);
}

static void take_history(void *owner, const struct store_answer *answer)
{
    struct request *request = waiting_end(owner);
    struct asked_history *asked;

    if (!request || !is_answer(request, answer->status))
        return;
    asked = request->kept;
    asked->answer = answer;
    request_answer_json(request, MHD_HTTP_OK, 4096 + 160 * answer->count, write_history, asked);
}

static struct asked_history *keep_question(struct request *request, const char *sensor,
                                           int64_t from_ms, int64_t to_ms)
{
    struct asked_history *asked = calloc(1, sizeof(*asked));

    if (!asked) {
        request_answer(request, 0, NULL);
        return NULL;
    }
    asked->from_ms = from_ms;
    asked->to_ms = to_ms;
    text_copy(asked->sensor, sizeof(asked->sensor), sensor);
    return request->kept = asked;
}

/* The span that was asked for; false when it is none, which then has been answered. */
static bool get_span(struct request *request, int64_t *ret_from_ms, int64_t *ret_to_ms)
{
    int64_t now_ms = clock_wall_ms(clock_boot_ms());

    *ret_to_ms = now_ms;
    if (!request_query_time(request, "to", ret_to_ms))
        return false;
    *ret_from_ms = *ret_to_ms > DAY_MS ? *ret_to_ms - DAY_MS : 0;
    if (!request_query_time(request, "from", ret_from_ms))
        return false;
    if (*ret_from_ms <= *ret_to_ms)
        return true;
    request_answer_error(request, MHD_HTTP_BAD_REQUEST, "from is later than to");
    return false;
}

void past_history(struct request *request)
{
    const char *sensor = request_query(request, "sensor");
    int64_t from_ms, to_ms, points = POINTS;
    struct store *store = past_store(request);
    struct waiting *waiting;
    struct store_query query;
    int r;

    if (!store || !request_query_int(request, "points", 1, POINTS_MAX, &points) ||
        !get_span(request, &from_ms, &to_ms) || !keep_question(request, sensor, from_ms, to_ms))
        return;
    waiting = request_wait(request);
    if (!waiting)
        return;
    query = (struct store_query){
        .sensor = sensor, .from_ms = from_ms, .to_ms = to_ms, .max_points = (size_t)points};
    r = store_query(store, &query, take_history, waiting);
    if (r < 0)
        request_refused(request, waiting, r);
}

/* -- events --------------------------------------------------------------------------------- */

/* clang-format off */
const struct field events_query[] = {
    {"before", "integer", .help = "Only those before this `row`: to go on where the last answer ended."},
    {"from", "string", .help = "Unix milliseconds, a duration ago (24h), or a date."},
    {"to", "string", .help = "Likewise."},
    {"type", "string", .help = "Only types that fit this glob."},
    {"rule", "string", .help = "Only rules that fit this glob; a rule's name means all its instances."},
    {"sensor", "string", .help = "Only sensors that fit this glob."},
    {"severity", "string", .help = "Only this severity and worse: info, warning, critical."},
    {"max", "integer", .help = "At most so many; 100 by default, 1,000 at most."},
    {0},
};
static const struct field event_fields[] = {
    {"row", "integer", .help = "Where to go on: as `before`."},
    {"id", "string", .help = "Never repeats."},
    {"at_ms", "integer", .help = "When it happened."},
    {"since_ms", "integer?", .help = "When what it ends or continues began."},
    {"clock_good", "boolean", .help = "false: the clock was never right in that run, the times are guesses."},
    {"durable", "boolean", .help = "Whether it is on disk."},
    {"type", "string", .help = "What happened: fired, cleared, ..."},
    {"severity", "string", .help = "\"info\", \"warning\" or \"critical\"."},
    {"rule", "string?", .help = "Id of the instance."},
    {"sensor", "string?", .help = "Its id."},
    {"value", "value?", .help = "The value, where there is one."},
    {"unit", "string?", .help = "Its unit."},
    {"limit", "number?", .help = "That was crossed."},
    {"by", "string?", .help = "Who did it."},
    {"via", "string?", .help = "Through what."},
    {"result", "string?", .help = "Of a command."},
    {"note", "string?", .help = "Words."},
    {"merged", "integer", .help = "How many before it there was no room for."},
    {0},
};
const struct field events_answer[] = {
    {"events", "array", .help = "Newest first.", event_fields},
    {"more", "boolean", .help = "Whether there are older ones."},
    {"complete", "boolean", .help = "false: the disk cannot be read, this is what is in memory."},
    {0},
};
/* clang-format on */

static void write_event_value(struct json *json, const struct store_event *event)
{
    if (event->kind == VALUE_NUMBER)
        json_number(json, "value", event->number, -1);
    else
        json_text(json, "value", event->kind == VALUE_TEXT ? event->text : NULL);
    show_write_word(json, "unit", event->unit);
    json_number(json, "limit", event->limit, -1);
}

static void write_event(struct json *json, const struct store_log_entry *entry)
{
    const struct store_event *event = &entry->event;
    char id[48];

    snprintf(id, sizeof(id), "%016llx:%llu", (unsigned long long)event->boot,
             (unsigned long long)event->sequence);
    json_object(json, NULL);
    json_int(json, "row", entry->row);
    json_text(json, "id", id);
    json_int(json, "at_ms", entry->wall_ms);
    if (entry->since_wall_ms == CLOCK_NEVER)
        json_null(json, "since_ms");
    else
        json_int(json, "since_ms", entry->since_wall_ms);
    json_bool(json, "clock_good", entry->clock_good);
    json_bool(json, "durable", entry->durable);
    json_text(json, "type", event->type);
    json_text(json, "severity", instance_severity_name(event->severity));
    show_write_word(json, "rule", event->rule);
    show_write_word(json, "sensor", event->sensor);
    write_event_value(json, event);
    show_write_word(json, "by", event->by);
    show_write_word(json, "via", event->via);
    show_write_word(json, "result", event->result);
    show_write_word(json, "note", event->note);
    json_int(json, "merged", event->merged);
    json_end(json);
}

static void write_events(struct json *json, const void *what)
{
    const struct store_log *log = what;

    json_object(json, NULL);
    json_array(json, "events");
    for (size_t i = 0; i < log->count; i++)
        write_event(json, &log->entries[i]);
    json_end(json);
    json_bool(json, "more", log->more);
    json_bool(json, "complete", log->status == 0);
    json_end(json);
}

static void take_events(void *owner, const struct store_log *log)
{
    struct request *request = waiting_end(owner);

    if (request && is_answer(request, log->status))
        request_answer_json(request, MHD_HTTP_OK, 4096 + 500 * log->count, write_events, log);
}

/* false when there is no such word, which then has been answered. */
static bool get_severity(struct request *request, uint8_t *ret)
{
    const char *word = request_query(request, "severity");

    for (uint8_t i = 0; word && i < 3; i++) {
        if (strcmp(word, instance_severity_name(i)) == 0) {
            *ret = i;
            return true;
        }
    }
    if (word)
        request_answer_error(request, MHD_HTTP_BAD_REQUEST,
                             "severity: \"info\", \"warning\" or \"critical\"");
    return !word;
}

void past_events(struct request *request)
{
    struct store_log_query query = {.type = request_query(request, "type"),
                                    .rule = request_query(request, "rule"),
                                    .sensor = request_query(request, "sensor")};
    int64_t max = EVENTS;
    struct store *store = past_store(request);
    struct waiting *waiting;
    int r;

    if (!store || !request_query_int(request, "before", INT64_MIN, INT64_MAX, &query.before) ||
        !request_query_int(request, "max", 1, EVENTS_MAX, &max) ||
        !request_query_time(request, "from", &query.from_ms) ||
        !request_query_time(request, "to", &query.to_ms) ||
        !get_severity(request, &query.min_severity))
        return;
    query.max = (size_t)max;
    waiting = request_wait(request);
    if (!waiting)
        return;
    r = store_log_read(store, &query, take_events, waiting);
    if (r < 0)
        request_refused(request, waiting, r);
}

/* -- import --------------------------------------------------------------------------------- */

/* clang-format off */
const struct field import_answer[] = {
    {"taken", "integer", .help = "Lines stored."},
    {"known", "integer", .help = "Lines that were there already: same sensor, same time."},
    {"wrong", "integer", .help = "Lines that are none, and were left out."},
    {"first_wrong", "string?", .help = "What is wrong with the first of them."},
    {0},
};
/* clang-format on */

static void write_import(struct json *json, const void *what)
{
    const struct store_import *import = what;

    json_object(json, NULL);
    json_int(json, "taken", (int64_t)import->taken);
    json_int(json, "known", (int64_t)import->known);
    json_int(json, "wrong", (int64_t)import->wrong);
    json_text(json, "first_wrong", import->wrong ? import->first_wrong.text : NULL);
    json_end(json);
}

static void take_import(void *owner, const struct store_import *import)
{
    struct request *request = waiting_end(owner);

    if (!request)
        return;
    if (import->status < 0)
        request_answer_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, "nothing can be stored now: %s",
                             strerror(-import->status));
    else
        request_answer_json(request, MHD_HTTP_OK, 2048, write_import, import);
}

void past_import(struct request *request)
{
    struct store *store = past_store(request);
    struct waiting *waiting;
    int r;

    if (!store)
        return;
    if (request->length == 0) {
        request_answer_error(request, MHD_HTTP_BAD_REQUEST, "the body must be lines of CSV");
        return;
    }
    waiting = request_wait(request);
    if (!waiting)
        return;
    r = store_import(store, request->body, request->length, take_import, waiting);
    if (r < 0)
        request_refused(request, waiting, r);
}
