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

#define ROW(name, total, help)                         \
    {                                                  \
        name, "bus_" name, "device_" name, help, total \
    }

/* The order of fill(). */
static const struct {
    const char *name, *of_bus, *of_device, *help;
    bool total;
} rows[] = {
    ROW("requests", true, "Requests that were sent."),
    ROW("replies", true, "Replies to them, exceptions among them."),
    ROW("exceptions", true, "Replies that were exceptions."),
    ROW("timeouts", true, "Requests to which nothing came."),
    ROW("crc_errors", true, "Requests to which a damaged reply came."),
    ROW("protocol_errors", true, "Requests to which a reply came that does not fit."),
    ROW("foreign_frames", true, "Frames for others, late replies among them."),
    ROW("reconnects", true, "Connections or lines that were opened anew."),
    ROW("busy_ratio", false, "How much of a line's or connection's time is taken up: 0 to 1."),
    ROW("answer_p50_seconds", false, "Half of the last replies took no longer."),
    ROW("answer_p99_seconds", false, "99 of 100 of the last replies took no longer."),
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

static void fill(double list[N_ROWS], const struct adapters_traffic *traffic)
{
    const double values[N_ROWS] = {
        (double)traffic->requests, (double)traffic->replies,    (double)traffic->exceptions,
        (double)traffic->timeouts, (double)traffic->crc,        (double)traffic->broken,
        (double)traffic->foreign,  (double)traffic->reconnects, traffic->busy,
        seconds(traffic->p50_us),  seconds(traffic->p99_us),
    };

    memcpy(list, values, sizeof(values));
}

void adapters_traffic_each(const struct adapters_traffic *traffic,
                           void (*take)(void *to, const char *name, double value), void *to)
{
    double list[N_ROWS];

    fill(list, traffic);
    for (size_t row = 0; row < N_ROWS; row++)
        take(to, rows[row].name, list[row]);
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
            adapters_bus_traffic(adapters, name, &traffic) == 0) {
            fill(values[n].list, &traffic);
            values[n++].of = name;
        }
    }
    return n;
}

static size_t fill_devices(const struct adapters *adapters, struct values *values)
{
    for (size_t i = 0; i < adapters->n_slots; i++) {
        const struct slot *slot = &adapters->slots[i];
        struct adapters_traffic traffic =
            tally_traffic(runner_tally(adapters->runners[slot->bus], slot->device));

        fill(values[i].list, &traffic);
        values[i].of = adapters->buses[slot->bus].config.devices[slot->device].name;
    }
    return adapters->n_slots;
}

/* Gathered first: rows of one name follow each other, and percentiles are worth finding once. */
static void report_traffic(const struct adapters *adapters, struct report *report)
{
    bool buses = report_wants(report, "bus"), devices = report_wants(report, "device");
    size_t most = adapters->n_slots > adapters->n_buses ? adapters->n_slots : adapters->n_buses;
    struct values *values = buses || devices ? calloc(most + 1, sizeof(*values)) : NULL;

    if (!values)
        return; /* nobody listens, or out of memory: then the next report has them */
    if (buses)
        report_values(report, false, values, fill_buses(adapters, values));
    if (devices)
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
