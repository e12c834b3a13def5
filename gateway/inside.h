/* App, the inside: what its files share. Private to app.c and wiring.c, loop thread only. */
#pragma once

#include "gateway/app.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define APP_SAFE_MODE                                                                            \
    "safe mode: it crashed three times soon after its start, so it writes only safe values and " \
    "runs no hook until it is restarted"

/* The rooms, in the order in which they are built; close_all() goes backwards. */
struct app {
    const struct app_options *options;
    struct loop *loop;
    struct starts *starts;
    struct pipeline *pipeline;
    struct conf *conf; /* while rooms are built; kept while a bus discovers */
    struct site *site;
    struct commands *commands;
    struct store *store;
    struct mqtt *mqtt;
    /* Of the sinks, with a keeper: what is told at once, and what when it is kept. */
    struct sink_calls mqtt_at_once, mqtt_kept, web_at_once, web_kept;
    struct notify *notify;
    struct keeper *keeper;
    struct web *web;
    struct adapters *adapters;
    struct found *found;   /* devices that adapters have found */
    struct learnt *learnt; /* and what they know of devices by now */
    struct timer *end_timer, *found_timer, *tidy_timer;
    bool building;     /* a site is built on a thread */
    bool reload_waits; /* for that to end */
    struct pulse *pulse;
    struct senses *senses;
    struct refill *refill;
    struct outage *outage;
    struct totals *totals;
    char disk[PATH_MAX]; /* folder of the store; "": there is none */
    int64_t stop_by_ms;  /* for safe values; 0: not stopping */
    uint64_t fixed_hash; /* of what a reload cannot change */
    int64_t reload_us;   /* begin of the last reload */
};
