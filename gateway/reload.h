/* Reload: reads and builds the config anew on a thread of its own, so that no poll waits for it.
 * What comes of it is taken over by app.c, between two polls. */
#pragma once

#include "gateway/app.h"

struct conf;
struct loop;
struct pipeline_workings;
struct site;
struct site_context;

/* `result` is that of load(); all are the receiver's, and may be NULL where it is not 0. */
struct reloaded {
    int result;
    bool again; /* built from a config that was there */
    struct conf *conf;
    struct site *site;
    struct pipeline_workings *workings; /* for it, in the place of the one that ran */
};

/* What a reload has left over; each may be NULL. */
struct reload_rest {
    struct conf *conf, *older;
    struct site *site;
    struct pipeline_workings *workings;
};

/* Frees it on a thread of its own: for a thousand devices that takes longer than a poll may wait.
 * The last step of a reload, as the loop would wait for the heap in what follows. */
void reload_dispose(struct loop *loop, const struct reload_rest *rest);

/* Reads what `options` name, borrowed until `done`; or, where `conf` is not NULL, builds that
 * again. `done` is called once, on the loop, never from inside; `conf` is handed back by it. 0 or
 * -ENOMEM. */
int reload_start(struct loop *loop, const struct app_options *options, struct conf *conf,
                 const struct site_context *context,
                 void (*done)(void *owner, struct reloaded *reloaded), void *owner);
