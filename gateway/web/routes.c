#include "gateway/web/routes.h"

#include "gateway/base/text.h"
#include "gateway/web/handlers.h"

#include <errno.h>
#include <string.h>

#define JSON_MAX   (64 * 1024)
#define IMPORT_MAX 4000000

/* clang-format off */
const struct route routes[] = {
    {"GET", "/api/v1/status", RIGHT_READ, show_status,
     "How the gateway is: names, times, numbers of everything, counters, problems.",
     .answer = status_answer},
    {"GET", "/api/v1/health", RIGHT_READ, show_health,
     "Whether all is well: 200, or 503 with the problems.", .answer = health_answer},
    {"GET", "/api/v1/buses", RIGHT_READ, show_buses, "The buses.", .answer = buses_answer},
    {"GET", "/api/v1/devices", RIGHT_READ, show_devices, "The devices and whether they answer.",
     .answer = devices_answer},
    {"GET", "/api/v1/sensors", RIGHT_READ, show_sensors, "The sensors and what is known of them.",
     .query = match_query, .answer = sensors_answer},
    {"GET", "/api/v1/readings", RIGHT_READ, show_readings, "The newest reading of each sensor.",
     .query = match_query, .answer = readings_answer},
    {"GET", "/api/v1/history", RIGHT_READ, past_history,
     "The readings of one sensor over a span of time, in the finest steps that need no more than so "
     "many points.", .query = history_query, .answer = history_answer},
    {"GET", "/api/v1/rules", RIGHT_READ, show_rules, "The instances of the rules and how they stand.",
     .answer = rules_answer},
    {"GET", "/api/v1/rules/{instance}", RIGHT_READ, show_rule,
     "How one instance stands, and why.", .answer = rule_answer},
    {"POST", "/api/v1/rules/{instance}/ack", RIGHT_ALL, act_ack,
     "Acknowledges an alarm, or all of a rule.", .body = plain_body, .answer = command_answer,
     .body_max = JSON_MAX},
    {"POST", "/api/v1/rules/{instance}/mute", RIGHT_ALL, act_mute, "Mutes it for a time.",
     .body = for_body, .answer = command_answer, .body_max = JSON_MAX},
    {"POST", "/api/v1/rules/{instance}/unmute", RIGHT_ALL, act_unmute, "Ends a mute.",
     .body = plain_body, .answer = command_answer, .body_max = JSON_MAX},
    {"POST", "/api/v1/rules/{instance}/enable", RIGHT_ALL, act_enable, "Lets it judge again.",
     .body = plain_body, .answer = command_answer, .body_max = JSON_MAX},
    {"POST", "/api/v1/rules/{instance}/disable", RIGHT_ALL, act_disable, "Lets it rest.",
     .body = plain_body, .answer = command_answer, .body_max = JSON_MAX},
    {"POST", "/api/v1/rules/{instance}/reset", RIGHT_ALL, act_reset,
     "Ends its alarm, also a latched one, takes adjusted limits back, and judges it anew.",
     .body = plain_body, .answer = command_answer, .body_max = JSON_MAX},
    {"POST", "/api/v1/rules/{instance}/limit", RIGHT_ALL, act_limit,
     "Sets a limit of it that is adjustable.", .body = limit_body, .answer = command_answer,
     .body_max = JSON_MAX},
    {"GET", "/api/v1/events", RIGHT_READ, past_events, "The log of events, newest first.",
     .query = events_query, .answer = events_answer},
    {"POST", "/api/v1/write", RIGHT_ALL, act_write,
     "Writes a value to a sensor that is writable, and reads it back.", .body = write_body,
     .answer = command_answer, .body_max = JSON_MAX},
    {"POST", "/api/v1/ask", RIGHT_ALL, act_ask,
     "Asks a Modbus unit on a line that the gateway holds, behind its polls.", .body = ask_body,
     .answer = ask_answer, .body_max = JSON_MAX},
    {"POST", "/api/v1/standby", RIGHT_ALL, act_standby,
     "Mutes all that judges a device, for a time.", .body = standby_body, .answer = command_answer,
     .body_max = JSON_MAX},
    {"POST", "/api/v1/resume", RIGHT_ALL, act_resume, "Ends the standby of a device.",
     .body = resume_body, .answer = command_answer, .body_max = JSON_MAX},
    {"POST", "/api/v1/reload", RIGHT_ALL, act_reload, "Reads the config file anew.",
     .body = plain_body, .answer = command_answer, .body_max = JSON_MAX},
    {"POST", "/api/v1/rescan", RIGHT_ALL, act_rescan,
     "Asks devices that are away, and looks for new ones, now.", .body = plain_body,
     .answer = command_answer, .body_max = JSON_MAX},
    {"POST", "/api/v1/notifiers/{name}/test", RIGHT_ALL, act_test_notifier,
     "Sends a test message by a notifier and says what came of it.", .answer = tested_answer,
     .body_max = JSON_MAX},
    {"GET", "/api/v1/export", RIGHT_READ, export_csv, "Readings of many sensors as CSV.",
     .query = export_query, .media = "text/csv; charset=utf-8", .endless = true},
    {"POST", "/api/v1/import", RIGHT_ALL, past_import,
     "Stores readings from such a CSV, at most 4 MB at a time.", .answer = import_answer,
     .body_max = IMPORT_MAX},
    {"GET", "/api/v1/stream", RIGHT_READ, feed_open,
     "Server-Sent Events, as they come: `reading` (as in readings), `rule` (as in rules), `event`. Who "
     "does not read fast enough is cut off; ask for it first and for the newest readings then, and "
     "nothing is missed.", .query = match_query, .media = "text/event-stream", .endless = true},
    {"GET", "/api/v1/openapi.json", RIGHT_READ, describe, "This description.",
     .answer = openapi_answer},
    {"GET", "/metrics", RIGHT_READ, show_metrics, "Newest values and counters for Prometheus.",
     .media = "text/plain; version=0.0.4; charset=utf-8"},
    {0},
};
/* clang-format on */

/* Whether `path` is of the form `pattern`; the part for {word} goes to `word`. */
static bool fits(const char *pattern, const char *path, char word[REQUEST_WORD_SIZE])
{
    size_t brace = strcspn(pattern, "{"), length;
    const char *rest;

    if (!pattern[brace])
        return strcmp(pattern, path) == 0;
    if (strncmp(pattern, path, brace) != 0)
        return false;
    path += brace;
    rest = strchr(pattern, '}') + 1;
    length = strcspn(path, "/");
    if (length == 0 || length >= REQUEST_WORD_SIZE || strcmp(path + length, rest) != 0)
        return false;
    memcpy(word, path, length);
    word[length] = '\0';
    return true;
}

int routes_find(const char *method, const char *path, const struct route **ret_route,
                char word[REQUEST_WORD_SIZE], char ret_allowed[64])
{
    size_t length = 0;

    if (strcmp(method, "HEAD") == 0)
        method = "GET";
    ret_allowed[0] = '\0';
    for (const struct route *route = routes; route->method; route++) {
        if (!fits(route->path, path, word))
            continue;
        if (strcmp(route->method, method) == 0) {
            *ret_route = route;
            return 0;
        }
        text_append(ret_allowed, 64, &length, "%s%s", length ? ", " : "", route->method);
    }
    return length ? -EPERM : -ENOENT;
}

const struct field *routes_field(const struct field *fields, const char *name)
{
    for (; fields && fields->name; fields++) {
        if (strcmp(fields->name, name) == 0)
            return fields;
    }
    return NULL;
}
