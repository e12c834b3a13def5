#include "gateway/base/clock.h"
#include "gateway/base/text.h"
#include "gateway/store/store.h"
#include "gateway/web/handlers.h"
#include "gateway/web/server.h"

#include <math.h>

/* What the writers need to know besides the newest values. */
struct show {
    struct request *request;
    const struct live *live;
    const char *match; /* glob; NULL: all */
    bool ok;           /* there are no problems */
};

const struct field match_query[] = {
    {"match", "string", .help = "Only sensors whose id fits this glob: * and ?."},
    {0},
};

void show_write_time(struct json *json, const char *key, int64_t boot_ms)
{
    if (boot_ms == CLOCK_NEVER)
        json_null(json, key);
    else
        json_int(json, key, clock_wall_ms(boot_ms));
}

void show_write_word(struct json *json, const char *key, const char *text)
{
    json_text(json, key, text && text[0] ? text : NULL);
}

/* -- status and health ---------------------------------------------------------------------- */

/* clang-format off */
static const struct field loop_fields[] = {
    {"p99_us", "integer", .help = "99 of 100 timers were late by no more than this many microseconds."},
    {"max_us", "integer", .help = "The latest one."},
    {0},
};
static const struct field counter_fields[] = {
    {"*", "number", .help = "A counter or a level of a part of the gateway; /metrics says what each means."},
    {0},
};
static const struct field of_bus_fields[] = {
    {"*", "number", .help = "Of the bus with this name."},
    {0},
};
static const struct field traffic_counter_fields[] = {
    {"*", "object", .help = "A counter or a level of buses; /metrics says what each means.", of_bus_fields},
    {0},
};
const struct field status_answer[] = {
    {"name", "string", .help = "The gateway's name."},
    {"id", "string", .help = "What its ids elsewhere hang on."},
    {"label", "string", .help = "Its name for people."},
    {"version", "string", .help = "Of the program."},
    {"rights", "string", .help = "What you may do: \"all\" or \"read\"."},
    {"now_ms", "integer", .help = "The time here; all times are Unix milliseconds."},
    {"clock_good", "boolean", .help = "Whether that time is known to be right."},
    {"uptime_ms", "integer", .help = "Since the gateway was started."},
    {"buses", "integer", .help = "How many there are."},
    {"devices", "integer", .help = "How many there are."},
    {"devices_online", "integer", .help = "How many of them answer."},
    {"sensors", "integer", .help = "How many there are."},
    {"sensors_good", "integer", .help = "How many of them have a value, or wait for an event."},
    {"rules", "integer", .help = "How many instances of rules there are."},
    {"rules_firing", "integer", .help = "How many of them are on."},
    {"store", "boolean", .help = "Whether there is a history."},
    {"loop", "object", .help = "How late the gateway is with what it does, of late.", loop_fields},
    {"counters", "object", .help = "By name.", counter_fields},
    {"traffic", "object", .help = "How the requests went, by name.", traffic_counter_fields},
    {"problems", "array", .help = "What a person should look at, in words."},
    {0},
};
const struct field health_answer[] = {
    {"ok", "boolean", .help = "Whether there are no problems."},
    {"counters", "object", .help = "By name.", counter_fields},
    {"traffic", "object", .help = "How the requests went, by name.", traffic_counter_fields},
    {"problems", "array", .help = "What a person should look at, in words."},
    {0},
};
/* clang-format on */

static uint32_t count_online(const struct live *live)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < live->inventory->n_devices; i++)
        count += live->devices[i].why == QUALITY_GOOD;
    return count;
}

static uint32_t count_good(const struct live *live)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < live->inventory->n_sensors; i++) {
        uint8_t quality = live_reading(live, i)->quality;

        count += quality == QUALITY_GOOD || quality == QUALITY_QUIET;
    }
    return count;
}

static uint32_t count_firing(const struct live *live)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < live->inventory->n_rules; i++)
        count += instance_is_firing(&live->states[i]);
    return count;
}

static void write_names(struct json *json, const struct show *show)
{
    const struct inventory *inventory = show->live->inventory;

    json_text(json, "name", inventory->name);
    json_text(json, "id", inventory->id);
    json_text(json, "label", inventory->label);
    json_text(json, "version", THERMOGATE_VERSION);
    json_text(json, "rights", show->request->client->peer.right == RIGHT_ALL ? "all" : "read");
}

static void write_numbers(struct json *json, const struct live *live)
{
    json_int(json, "buses", live->inventory->n_buses);
    json_int(json, "devices", live->inventory->n_devices);
    json_int(json, "devices_online", count_online(live));
    json_int(json, "sensors", live->inventory->n_sensors);
    json_int(json, "sensors_good", count_good(live));
    json_int(json, "rules", live->inventory->n_rules);
    json_int(json, "rules_firing", count_firing(live));
}

static void write_status(struct json *json, const void *what)
{
    const struct show *show = what;
    struct web *web = show->request->web;
    struct loop_lateness lateness = web_lateness(web);
    int64_t now_ms = clock_boot_ms();

    json_object(json, NULL);
    write_names(json, show);
    show_write_time(json, "now_ms", now_ms);
    json_bool(json, "clock_good", clock_wall_is_good());
    json_int(json, "uptime_ms", now_ms - web->opened_ms);
    write_numbers(json, show->live);
    json_bool(json, "store", web->context.store != NULL);
    json_object(json, "loop");
    json_int(json, "p99_us", lateness.p99_us);
    json_int(json, "max_us", lateness.max_us);
    json_end(json);
    report_write(json, web_report_all, web);
    json_end(json);
}

void show_status(struct request *request)
{
    struct show show = {.request = request, .live = &request->web->live};

    request_answer_json(request, MHD_HTTP_OK, 8192, write_status, &show);
}

struct problems_seen {
    struct report report; /* first: leads back here */
    size_t count;
};

static void count_problem(struct report *report, const char *words)
{
    (void)words;
    ((struct problems_seen *)report)->count++;
}

static void write_health(struct json *json, const void *what)
{
    const struct show *show = what;

    json_object(json, NULL);
    json_bool(json, "ok", show->ok);
    report_write(json, web_report_all, show->request->web);
    json_end(json);
}

void show_health(struct request *request)
{
    struct problems_seen seen = {.report = {.problem = count_problem}};
    struct show show = {.request = request};

    web_report_all(request->web, &seen.report);
    show.ok = seen.count == 0;
    request_answer_json(request, show.ok ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, 8192,
                        write_health, &show);
}

/* -- buses and devices ---------------------------------------------------------------------- */

/* clang-format off */
static const struct field traffic_fields[] = {
    {"requests", "integer", .help = "Requests that were sent, since the start."},
    {"replies", "integer", .help = "Replies to them, exceptions among them."},
    {"exceptions", "integer", .help = "Replies that were exceptions."},
    {"timeouts", "integer", .help = "Requests to which nothing came."},
    {"crc_errors", "integer", .help = "Requests to which a damaged reply came."},
    {"protocol_errors", "integer", .help = "Requests to which a reply came that does not fit."},
    {"foreign_frames", "integer", .help = "Frames for others, late replies among them."},
    {"reconnects", "integer", .help = "Connections or lines that were opened anew."},
    {"busy_ratio", "number", .help = "How much of a line's or connection's time is taken up: 0 to 1."},
    {"answer_p50_seconds", "number?", .help = "Half of the last replies took no longer; null: there were none."},
    {"answer_p99_seconds", "number?", .help = "99 of 100 of the last replies took no longer."},
    {0},
};
static const struct field bus_fields[] = {
    {"name", "string", .help = "As in the config."},
    {"label", "string", .help = "For people."},
    {"devices", "integer", .help = "How many are on it."},
    {"devices_online", "integer", .help = "How many of them answer."},
    {"traffic", "object", .help = "How the requests to all of them went; {} for what is not asked.", traffic_fields},
    {0},
};
const struct field buses_answer[] = {{"buses", "array", .help = "All of them.", bus_fields}, {0}};

static const struct field device_fields[] = {
    {"name", "string", .help = "As in the config; ids of its sensors begin with it."},
    {"label", "string", .help = "For people."},
    {"area", "string", .help = "Where it is; \"\" when nobody said."},
    {"manufacturer", "string", .help = "Who made it; \"\" when not known."},
    {"model", "string", .help = "What it is; \"\" when not known."},
    {"serial_number", "string", .help = "\"\" when not known."},
    {"bus", "string", .help = "Name of its bus."},
    {"every_ms", "integer", .help = "How often it is asked; 0: as often as it answers."},
    {"sensors", "integer", .help = "How many it has."},
    {"online", "boolean?", .help = "Whether it answers; null: nothing was heard yet."},
    {"why", "string?", .help = "Why it does not answer; null when it does, or when nothing was heard yet."},
    {"since_ms", "integer?", .help = "For how long that has been so."},
    {"traffic", "object", .help = "How the requests to it went; {} for one that is not asked.", traffic_fields},
    {0},
};
const struct field devices_answer[] = {{"devices", "array", .help = "All of them.", device_fields}, {0}};
/* clang-format on */

static void write_count(void *to, const char *name, double value)
{
    json_number(to, name, value, -1);
}

static void write_bus(struct json *json, const struct web *web, uint32_t bus)
{
    const struct live *live = &web->live;
    const struct inventory *inventory = live->inventory;
    uint32_t devices = 0, online = 0;

    for (uint32_t i = 0; i < inventory->n_devices; i++) {
        if (inventory->devices[i].bus != bus)
            continue;
        devices++;
        online += live->devices[i].why == QUALITY_GOOD;
    }
    json_object(json, NULL);
    json_text(json, "name", inventory->buses[bus].name);
    json_text(json, "label", inventory->buses[bus].label);
    json_int(json, "devices", devices);
    json_int(json, "devices_online", online);
    json_object(json, "traffic");
    if (web->context.bus_traffic)
        web->context.bus_traffic(web->context.owner, inventory->buses[bus].name, write_count, json);
    json_end(json);
    json_end(json);
}

static void write_buses(struct json *json, const void *what)
{
    const struct web *web = what;

    json_object(json, NULL);
    json_array(json, "buses");
    for (uint32_t i = 0; i < web->live.inventory->n_buses; i++)
        write_bus(json, web, i);
    json_end(json);
    json_end(json);
}

void show_buses(struct request *request)
{
    const struct web *web = request->web;

    request_answer_json(request, MHD_HTTP_OK, 1024 + 500 * (size_t)web->live.inventory->n_buses,
                        write_buses, web);
}

static void write_presence(struct json *json, const struct live_device *device)
{
    bool known = device->at_ms != CLOCK_NEVER, online = device->why == QUALITY_GOOD;

    if (known)
        json_bool(json, "online", online);
    else
        json_null(json, "online");
    json_text(json, "why", known && !online ? quality_name(device->why) : NULL);
    show_write_time(json, "since_ms", device->at_ms);
}

static void write_device(struct json *json, const struct web *web, uint32_t index)
{
    const struct live *live = &web->live;
    const struct inventory_device *device = &live->inventory->devices[index];

    json_object(json, NULL);
    json_text(json, "name", device->name);
    json_text(json, "label", device->label);
    json_text(json, "area", device->area);
    json_text(json, "manufacturer", device->manufacturer);
    json_text(json, "model", device->model);
    json_text(json, "serial_number", device->serial_number);
    json_text(json, "bus",
              device->bus == INVENTORY_NO_BUS ? NULL : live->inventory->buses[device->bus].name);
    json_int(json, "every_ms", device->every_ms);
    json_int(json, "sensors", device->n_sensors);
    write_presence(json, &live->devices[index]);
    json_object(json, "traffic");
    if (web->context.device_traffic)
        web->context.device_traffic(web->context.owner, index, write_count, json);
    json_end(json);
    json_end(json);
}

static void write_devices(struct json *json, const void *what)
{
    const struct web *web = what;

    json_object(json, NULL);
    json_array(json, "devices");
    for (uint32_t i = 0; i < web->live.inventory->n_devices; i++)
        write_device(json, web, i);
    json_end(json);
    json_end(json);
}

void show_devices(struct request *request)
{
    const struct web *web = request->web;

    request_answer_json(request, MHD_HTTP_OK, 1024 + 700 * (size_t)web->live.inventory->n_devices,
                        write_devices, web);
}

/* -- sensors and readings ------------------------------------------------------------------- */

/* clang-format off */
static const struct field sensor_fields[] = {
    {"id", "string", .help = "Device and channel: boiler.flow_temp."},
    {"label", "string", .help = "For people."},
    {"device", "string", .help = "Name of its device."},
    {"kind", "string", .help = "\"number\", \"binary\" (0 and 1), \"text\" or \"event\" (a text each time)."},
    {"unit", "string", .help = "\"\" when it has none."},
    {"class", "string", .help = "Home Assistant's device class; \"\" when it has none."},
    {"decimals", "integer?", .help = "Places to show; null: as many as the number has."},
    {"stale_ms", "integer", .help = "A value that old counts no longer."},
    {"valid_low", "number?", .help = "A value below is not believed."},
    {"valid_high", "number?", .help = "A value above is not believed."},
    {"counter", "boolean", .help = "Whether it only rises."},
    {"writable", "boolean", .help = "Whether it can be written."},
    {"write_min", "number?", .help = "The least that may be written."},
    {"write_max", "number?", .help = "The greatest that may be written."},
    {"write_step", "number?", .help = "What is written must be a multiple of this."},
    {"options", "array", .help = "The texts of an enumeration, or of events; empty for others."},
    {0},
};
const struct field sensors_answer[] = {{"sensors", "array", .help = "Those asked for.", sensor_fields}, {0}};

static const struct field reading_fields[] = {
    {"sensor", "string", .help = "Its id."},
    {"at_ms", "integer?", .help = "When it was read; null: nothing was read yet."},
    {"value", "value?", .help = "null when the reading is not good: there is never a 0 in its place."},
    {"quality", "string", .help = "\"good\", or why there is no value: timeout, crc, stale, ...; \"quiet\": no event yet."},
    {0},
};
const struct field readings_answer[] = {
    {"readings", "array", .help = "The newest of each sensor asked for.", reading_fields}, {0}};
/* clang-format on */

static bool is_asked_for(const struct show *show, uint32_t sensor)
{
    return !show->match || text_glob(show->match, show->live->inventory->sensors[sensor].id);
}

static void write_limits(struct json *json, const struct inventory_sensor *sensor)
{
    const struct inventory_trust *trust = sensor->trust;
    const struct inventory_write *write = sensor->write;

    json_number(json, "valid_low", trust ? trust->low : NAN, -1);
    json_number(json, "valid_high", trust ? trust->high : NAN, -1);
    json_bool(json, "counter", sensor->counter);
    json_bool(json, "writable", write != NULL);
    json_number(json, "write_min", write ? write->min : NAN, -1);
    json_number(json, "write_max", write ? write->max : NAN, -1);
    json_number(json, "write_step", write && write->step > 0 ? write->step : NAN, -1);
}

static void write_options(struct json *json, const struct inventory_sensor *sensor)
{
    json_array(json, "options");
    for (uint32_t i = 0; i < sensor->n_options; i++)
        json_text(json, NULL, sensor->options[i].text);
    json_end(json);
}

static void write_sensor(struct json *json, const struct inventory *inventory, uint32_t index)
{
    static const char *const kinds[] = {[SENSOR_NUMBER] = "number",
                                        [SENSOR_BINARY] = "binary",
                                        [SENSOR_TEXT] = "text",
                                        [SENSOR_EVENT] = "event"};
    const struct inventory_sensor *sensor = &inventory->sensors[index];

    json_object(json, NULL);
    json_text(json, "id", sensor->id);
    json_text(json, "label", sensor->label);
    json_text(json, "device", inventory->devices[sensor->device].name);
    json_text(json, "kind", kinds[sensor->kind]);
    json_text(json, "unit", sensor->unit);
    json_text(json, "class", sensor->klass);
    if (sensor->decimals < 0)
        json_null(json, "decimals");
    else
        json_int(json, "decimals", sensor->decimals);
    json_int(json, "stale_ms", sensor->stale_ms);
    write_limits(json, sensor);
    write_options(json, sensor);
    json_end(json);
}

static void write_sensors(struct json *json, const void *what)
{
    const struct show *show = what;

    json_object(json, NULL);
    json_array(json, "sensors");
    for (uint32_t i = 0; i < show->live->inventory->n_sensors; i++) {
        if (is_asked_for(show, i))
            write_sensor(json, show->live->inventory, i);
    }
    json_end(json);
    json_end(json);
}

void show_sensors(struct request *request)
{
    struct show show = {.live = &request->web->live, .match = request_query(request, "match")};

    request_answer_json(request, MHD_HTTP_OK, 1024 + 400 * (size_t)show.live->inventory->n_sensors,
                        write_sensors, &show);
}

void show_write_reading(struct json *json, const struct live *live, const struct reading *reading)
{
    const struct inventory_sensor *sensor = &live->inventory->sensors[reading->sensor];

    json_object(json, NULL);
    json_text(json, "sensor", sensor->id);
    show_write_time(json, "at_ms", reading->at_ms);
    if (reading->kind == VALUE_NUMBER)
        json_number(json, "value", reading->number, sensor->decimals);
    else if (reading->kind == VALUE_TEXT)
        json_text(json, "value", text_table_get(live->inventory->texts, reading->text));
    else
        json_null(json, "value");
    json_text(json, "quality", quality_name(reading->quality));
    json_end(json);
}

static void write_readings(struct json *json, const void *what)
{
    const struct show *show = what;

    json_object(json, NULL);
    json_array(json, "readings");
    for (uint32_t i = 0; i < show->live->inventory->n_sensors; i++) {
        if (is_asked_for(show, i))
            show_write_reading(json, show->live, live_reading(show->live, i));
    }
    json_end(json);
    json_end(json);
}

void show_readings(struct request *request)
{
    struct show show = {.live = &request->web->live, .match = request_query(request, "match")};

    request_answer_json(request, MHD_HTTP_OK, 1024 + 150 * (size_t)show.live->inventory->n_sensors,
                        write_readings, &show);
}
