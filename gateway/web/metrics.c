#include "gateway/base/enclosing.h"
#include "gateway/base/text.h"
#include "gateway/web/handlers.h"
#include "gateway/web/server.h"

#include <string.h>

/* Prometheus' text format, 0.0.4. A sensor without a value has no line: there is never a 0 in its
 * place. */

static void put_head(struct page *page, const char *name, const char *kind, const char *help)
{
    page_format(page, "# HELP thermogate_%s %s\n# TYPE thermogate_%s %s\n", name, help, name, kind);
}

/* The escapes of a label's value. */
static void put_quoted(struct page *page, const char *text)
{
    page_put(page, "\"", 1);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            page_put(page, "\\", 1);
        if (*text == '\n')
            page_put(page, "\\n", 2);
        else
            page_put(page, text, 1);
    }
    page_put(page, "\"", 1);
}

static void put_number(struct page *page, double value)
{
    char number[40];
    size_t length = text_from_number(number, sizeof(number), value, -1);

    page_put(page, number, length);
    page_put(page, "\n", 1);
}

static void put_sensors(struct page *page, const struct live *live)
{
    put_head(page, "sensor_value", "gauge", "Newest value of a sensor that has one.");
    for (uint32_t i = 0; i < live->inventory->n_sensors; i++) {
        const struct inventory_sensor *sensor = &live->inventory->sensors[i];
        const struct reading *reading = live_reading(live, i);

        if (reading->kind != VALUE_NUMBER)
            continue;
        page_format(page, "thermogate_sensor_value{sensor=\"%s\",unit=", sensor->id);
        put_quoted(page, sensor->unit);
        page_put(page, "} ", 2);
        put_number(page, reading->number);
    }
}

static void put_devices(struct page *page, const struct live *live)
{
    put_head(page, "device_online", "gauge", "Whether a device answers.");
    for (uint32_t i = 0; i < live->inventory->n_devices; i++)
        page_format(page, "thermogate_device_online{device=\"%s\"} %d\n",
                    live->inventory->devices[i].name, live->devices[i].why == QUALITY_GOOD);
}

static void put_rules(struct page *page, const struct live *live)
{
    put_head(page, "rule_firing", "gauge", "Whether an alarm is on.");
    for (uint32_t i = 0; i < live->inventory->n_rules; i++)
        page_format(page, "thermogate_rule_firing{rule=\"%s\"} %d\n", live->inventory->rules[i].id,
                    instance_is_firing(&live->states[i]));
}

struct rows {
    struct report report;
    struct page *page;
    const char *name; /* of the row before: one head is for all of a name */
};

static void put_row(struct report *report, const struct report_row *row)
{
    struct rows *rows = enclosing(report, struct rows, report);
    char name[64];

    text_copy(name, sizeof(name) - strlen("_total"), row->name);
    if (row->total)
        strcat(name, "_total");
    if (!rows->name || strcmp(rows->name, row->name) != 0)
        put_head(rows->page, name, row->total ? "counter" : "gauge", row->help);
    rows->name = row->name;
    page_format(rows->page, "thermogate_%s", name);
    if (row->label) {
        page_format(rows->page, "{%s=", row->label);
        put_quoted(rows->page, row->of);
        page_put(rows->page, "}", 1);
    }
    page_put(rows->page, " ", 1);
    put_number(rows->page, row->value);
}

static void put_loop(struct page *page, struct web *web)
{
    struct loop_lateness lateness = web_lateness(web);

    put_head(page, "loop_lateness_seconds", "gauge", "How late timers were, of late.");
    page_format(page, "thermogate_loop_lateness_seconds{quantile=\"0.99\"} ");
    put_number(page, (double)lateness.p99_us / 1e6);
    page_format(page, "thermogate_loop_lateness_seconds{quantile=\"1\"} ");
    put_number(page, (double)lateness.max_us / 1e6);
}

void show_metrics(struct request *request)
{
    struct page page = {0};
    struct rows rows = {.report = {.row = put_row}, .page = &page};

    put_head(&page, "info", "gauge", "Version of the gateway.");
    page_format(&page, "thermogate_info{version=\"" THERMOGATE_VERSION "\"} 1\n");
    put_sensors(&page, &request->web->live);
    put_devices(&page, &request->web->live);
    put_rules(&page, &request->web->live);
    put_loop(&page, request->web);
    web_report_all(request->web, &rows.report);
    request_answer_page(request, request->route->media, &page);
}
