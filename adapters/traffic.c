#include "adapters/inside.h"
#include "adapters/runner.h"
#include "adapters/schedule.h"
#include "adapters/tally.h"
#include "gateway/base/report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct adapters_counts adapters_counts(const struct adapters *adapters)
{
    struct schedule_counts counts = schedule_counts(adapters->schedule);

    return (struct adapters_counts){.polls = counts.polls,
                                    .failed = counts.failed,
                                    .late = counts.late,
                                    .lost = counts.lost,
                                    .devices = (uint32_t)adapters->n_slots,
                                    .online = counts.online,
                                    .away = counts.away};
}

int adapters_device_traffic(const struct adapters *adapters, uint32_t id,
                            struct adapters_traffic *ret_traffic)
{
    struct slot slot;

    if (!adapters_find_slot(adapters, id, &slot))
        return -ENOENT;
    *ret_traffic = tally_traffic(runner_tally(adapters->runners[slot.bus], slot.device));
    return 0;
}

int adapters_bus_traffic(const struct adapters *adapters, const char *bus,
                         struct adapters_traffic *ret_traffic)
{
    struct tally sum = {0};
    double busiest = 0;
    bool found = false;

    for (size_t b = 0; b < adapters->n_buses; b++) {
        const struct bus_config *config = &adapters->buses[b].config;

        if (strcmp(config->name, bus) != 0)
            continue;
        found = true;
        sum.share = 0; /* of this line or connection */
        for (uint32_t d = 0; d < config->n_devices; d++)
            tally_merge(&sum, runner_tally(adapters->runners[b], d));
        busiest = sum.share > busiest ? sum.share : busiest;
    }
    if (!found)
        return -ENOENT;
    sum.share = busiest;
    *ret_traffic = tally_traffic(&sum);
    return 0;
}

/* -- reports -------------------------------------------------------------------------------- */

/* The order of put_values(). */
static const struct {
    const char *of_bus, *of_device, *help;
    bool total;
} rows[] = {
    {"bus_requests", "device_requests", "Requests that were sent.", true},
    {"bus_replies", "device_replies", "Replies to them, exceptions among them.", true},
    {"bus_exceptions", "device_exceptions", "Replies that were exceptions.", true},
    {"bus_timeouts", "device_timeouts", "Requests to which nothing came.", true},
    {"bus_crc_errors", "device_crc_errors", "Requests to which a damaged reply came.", true},
    {"bus_protocol_errors", "device_protocol_errors",
     "Requests to which a reply came that does not fit.", true},
    {"bus_foreign_frames", "device_foreign_frames", "Frames for others, late replies among them.",
     true},
    {"bus_reconnects", "device_reconnects", "Connections or lines that were opened anew.", true},
    {"bus_busy_ratio", "device_busy_ratio",
     "How much of a line's or connection's time is taken up: 0 to 1.", false},
    {"bus_answer_p50_seconds", "device_answer_p50_seconds",
     "Half of the last replies took no longer.", false},
    {"bus_answer_p99_seconds", "device_answer_p99_seconds",
     "99 of 100 of the last replies took no longer.", false},
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

/* Of one bus or device, in the order of rows; a time that is not known is NAN. */
struct values {
    const char *of;
    double list[N_ROWS];
};

static double seconds(int64_t us)
{
    return us < 0 ? NAN : (double)us / 1e6;
}

static void put_values(struct values *values, const char *of,
                       const struct adapters_traffic *traffic)
{
    *values = (struct values){of,
                              {(double)traffic->requests, (double)traffic->replies,
                               (double)traffic->exceptions, (double)traffic->timeouts,
                               (double)traffic->crc, (double)traffic->broken,
                               (double)traffic->foreign, (double)traffic->reconnects, traffic->busy,
                               seconds(traffic->p50_us), seconds(traffic->p99_us)}};
}

static void report_values(struct report *report, bool of_device, const struct values *values,
                          size_t count)
{
    for (size_t row = 0; row < N_ROWS; row++) {
        const char *name = of_device ? rows[row].of_device : rows[row].of_bus;

        for (size_t i = 0; i < count; i++) {
            if (!isnan(values[i].list[row]))
                report_count_of(report, of_device ? "device" : "bus", values[i].of, name,
                                values[i].list[row], rows[row].total, rows[row].help);
        }
    }
}

/* Parts of one bus follow each other. */
static size_t fill_buses(const struct adapters *adapters, struct values *values)
{
    struct adapters_traffic traffic;
    size_t n = 0;

    for (size_t b = 0; b < adapters->n_buses; b++) {
        const char *name = adapters->buses[b].config.name;

        if ((n == 0 || strcmp(values[n - 1].of, name) != 0) &&
            adapters_bus_traffic(adapters, name, &traffic) == 0)
            put_values(&values[n++], name, &traffic);
    }
    return n;
}

static size_t fill_devices(const struct adapters *adapters, struct values *values)
{
    for (size_t i = 0; i < adapters->n_slots; i++) {
        const struct slot *slot = &adapters->slots[i];
        struct adapters_traffic traffic =
            tally_traffic(runner_tally(adapters->runners[slot->bus], slot->device));

        put_values(&values[i], adapters->buses[slot->bus].config.devices[slot->device].name,
                   &traffic);
    }
    return adapters->n_slots;
}

/* Gathered first: rows of one name follow each other, and percentiles are worth finding once. */
static void report_traffic(const struct adapters *adapters, struct report *report)
{
    size_t most = adapters->n_slots > adapters->n_buses ? adapters->n_slots : adapters->n_buses;
    struct values *values = report->row ? calloc(most + 1, sizeof(*values)) : NULL;

    if (!values)
        return; /* nobody listens, or out of memory: then the next report has them */
    report_values(report, false, values, fill_buses(adapters, values));
    report_values(report, true, values, fill_devices(adapters, values));
    free(values);
}

void adapters_report(const struct adapters *adapters, struct report *report)
{
    struct adapters_counts counts = adapters_counts(adapters);

    report_count(report, "polls", (double)counts.polls, true, "Polls that ended.");
    report_count(report, "polls_failed", (double)counts.failed, true, "Polls without an answer.");
    report_count(report, "polls_late", (double)counts.late, true,
                 "Due times that passed while the poll before was still under way.");
    report_count(report, "polls_lost", (double)counts.lost, true,
                 "Due times left out while a device was away.");
    report_count(report, "devices_away", counts.away, false, "Devices that do not answer.");
    report_traffic(adapters, report);
    if (counts.away > 0)
        report_problem(report, "%u of %u devices %s not answer", counts.away, counts.devices,
                       counts.away == 1 ? "does" : "do");
}
