/* Report: what a room knows of itself, for whoever shows it - status, health, /metrics, the broker.
 * A room fills in rows with the calls below; who shows them hands in a struct report with two
 * functions of his own around which he keeps what he needs. Nothing is stored in between. */
#pragma once

#include <stdbool.h>

struct json;

struct report_row {
    const char *name, *help; /* [a-z_]+ and a sentence, both literals */
    const char *label, *of;  /* one of several: "bus", "rs485"; NULL: the only one of its name */
    double value;
    bool total; /* only ever rises */
};

/* Either function may be NULL. All is borrowed for the call. */
struct report {
    void (*row)(struct report *report, const struct report_row *row);
    void (*problem)(struct report *report, const char *words);
    const char *label; /* only rows with this one are wanted; "": only those without; NULL: all */
};

/* Whether rows with a label (NULL: without one) are wanted: for those that are dear to find out. */
bool report_wants(const struct report *report, const char *label);

/* One more row. */
void report_count(struct report *report, const char *name, double value, bool total,
                  const char *help);
/* One of several; those of one name follow each other. */
void report_count_of(struct report *report, const char *label, const char *of, const char *name,
                     double value, bool total, const char *help);

/* What a person should look at: it makes the gateway "not ok". */
void report_problem(struct report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What `gather` reports as three members of the object that is open in `json`: "counters", an
 * object by name; "traffic", where each counter of buses is an object by bus (there may be
 * thousands of devices: theirs are left out); and "problems", an array of texts. */
void report_write(struct json *json, void (*gather)(void *owner, struct report *report),
                  void *owner);
