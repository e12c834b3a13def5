/* Web, the inside: what its files share. Private to the room, loop thread only. */
#pragma once

#include "gateway/base/loop.h"
#include "gateway/web/live.h"
#include "gateway/web/web.h"

/* How long an answer of the store or of a command is waited for. */
#define WEB_ANSWER_MS 15000

struct server;
struct subscriber;
struct waiting;

struct web {
    struct web_context context;
    struct web_options options;
    struct live live;
    struct server *server;
    struct waiting *waiting;        /* answers that others owe */
    struct subscriber *subscribers; /* of the stream of live values */
    uint64_t subscribers_dropped;   /* because they did not read */
    int64_t opened_ms;
    struct loop_lateness lateness; /* of the span that ended at the last look, */
    int64_t lateness_ms;           /* which was then: see web_lateness() */
    bool closing;
};

/* All rows and problems: those of app, of the store and of this room. */
void web_report_all(struct web *web, struct web_report *report);

/* Of at least ten seconds, however often it is asked: asking starts the measuring anew, and several
 * may ask. */
struct loop_lateness web_lateness(struct web *web);
