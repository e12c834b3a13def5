#include "gateway/app.h"
#include "gateway/base/text.h"
#include "gateway/cli/remote.h"

#include <math.h>

/* "devices   10 of 12 online" */
static void print_part(const struct json_value *json, const char *all, const char *part,
                       const char *word)
{
    printf("  %-8s %.0f of %.0f %s\n", all, remote_number(json, part), remote_number(json, all),
           word);
}

static void print_status(const struct json_value *json)
{
    const struct json_value *problem = json_first(json_get(json, "problems"));
    double uptime_ms = remote_number(json, "uptime_ms");
    char name[100], version[40], lasted[40], words[300];

    printf("%s runs for %s, thermogate %s\n", remote_text(json, "label", name, sizeof(name)),
           text_from_duration(lasted, sizeof(lasted), uptime_ms > 0 ? (int64_t)uptime_ms : 0),
           remote_text(json, "version", version, sizeof(version)));
    print_part(json, "devices", "devices_online", "online");
    print_part(json, "sensors", "sensors_good", "with a value");
    print_part(json, "rules", "rules_firing", "firing");
    if (remote_number(json, "devices") == 0)
        printf("  there is nothing to poll yet: man thermogate.cfg\n");
    if (!remote_is_true(json, "clock_good"))
        printf("  the clock is not known to be right yet\n");
    for (; problem; problem = json_next(problem))
        printf("  problem: %s\n", text_escape(words, sizeof(words),
                                              json_as_text(problem) ? json_as_text(problem) : ""));
}

/* "  rs485    38 % busy, 1204 requests: 3 timeouts, 1 damaged, 0 exceptions, 0 reconnects; half of
 * the answers within 12 ms, 99 % within 40 ms" */
static void print_bus(const struct json_value *bus)
{
    const struct json_value *traffic = json_get(bus, "traffic");
    double p50_s = remote_number(traffic, "answer_p50_seconds");
    char name[100];

    if (!(remote_number(traffic, "requests") > 0))
        return;
    printf("  %-8s %.0f %% busy, %.0f requests: %.0f timeouts, %.0f damaged, %.0f exceptions, "
           "%.0f reconnects",
           remote_text(bus, "name", name, sizeof(name)), 100 * remote_number(traffic, "busy_ratio"),
           remote_number(traffic, "requests"), remote_number(traffic, "timeouts"),
           remote_number(traffic, "crc_errors") + remote_number(traffic, "protocol_errors"),
           remote_number(traffic, "exceptions"), remote_number(traffic, "reconnects"));
    if (p50_s >= 0)
        printf("; half of the answers within %.3g ms, 99 %% within %.3g ms", 1000 * p50_s,
               1000 * remote_number(traffic, "answer_p99_seconds"));
    printf("\n");
}

/* Of what is asked, a line for each bus. */
static int print_buses(const struct cli_options *options)
{
    struct json_value *json;
    int code = remote_ask(options, "/api/v1/buses", NULL, &json);

    for (const struct json_value *bus = json_first(json_get(json, "buses")); bus;
         bus = json_next(bus))
        print_bus(bus);
    json_free(json);
    return code;
}

struct cli_end cli_status(const struct cli_options *options)
{
    struct json_value *json;
    int code = remote_ask(options, "/api/v1/status", NULL, &json);

    if (json) {
        print_status(json);
        code = print_buses(options);
    }
    json_free(json);
    return (struct cli_end){.code = code};
}
