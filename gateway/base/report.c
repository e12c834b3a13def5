#include "gateway/base/report.h"

#include "gateway/base/json.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define WORDS_SIZE 256

bool report_wants(const struct report *report, const char *label)
{
    if (!report->row)
        return false;
    return !report->label || strcmp(report->label, label ? label : "") == 0;
}

void report_count_of(struct report *report, const char *label, const char *of, const char *name,
                     double value, bool total, const char *help)
{
    if (report_wants(report, label))
        report->row(report, &(struct report_row){.name = name,
                                                 .help = help,
                                                 .label = label,
                                                 .of = of,
                                                 .value = value,
                                                 .total = total});
}

void report_count(struct report *report, const char *name, double value, bool total,
                  const char *help)
{
    report_count_of(report, NULL, NULL, name, value, total, help);
}

void report_problem(struct report *report, const char *format, ...)
{
    char words[WORDS_SIZE];
    va_list arguments;

    if (!report->problem)
        return;
    va_start(arguments, format);
    vsnprintf(words, sizeof(words), format, arguments);
    va_end(arguments);
    report->problem(report, words);
}

/* -- as JSON -------------------------------------------------------------------------------- */

struct writing {
    struct report report; /* first: leads back here */
    struct json *json;
    const char *counter; /* of buses, whose object is open; NULL: none is */
};

static void write_row(struct report *report, const struct report_row *row)
{
    json_number(((struct writing *)report)->json, row->name, row->value, -1);
}

static void write_row_of_bus(struct report *report, const struct report_row *row)
{
    struct writing *writing = (struct writing *)report;

    if (!writing->counter || strcmp(writing->counter, row->name) != 0) {
        if (writing->counter)
            json_end(writing->json);
        json_object(writing->json, row->name);
        writing->counter = row->name;
    }
    json_number(writing->json, row->of, row->value, -1);
}

static void write_problem(struct report *report, const char *words)
{
    json_text(((struct writing *)report)->json, NULL, words);
}

void report_write(struct json *json, void (*gather)(void *owner, struct report *report),
                  void *owner)
{
    struct writing counters = {{.row = write_row, .label = ""}, json, NULL};
    struct writing traffic = {{.row = write_row_of_bus, .label = "bus"}, json, NULL};
    struct writing problems = {{.problem = write_problem}, json, NULL};

    json_object(json, "counters");
    gather(owner, &counters.report);
    json_end(json);
    json_object(json, "traffic");
    gather(owner, &traffic.report);
    if (traffic.counter)
        json_end(json);
    json_end(json);
    json_array(json, "problems");
    gather(owner, &problems.report);
    json_end(json);
}
