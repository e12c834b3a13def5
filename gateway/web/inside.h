/* Web, the inside: what its files share. Private to the room, loop thread only. */
#pragma once

#include "gateway/base/loop.h"
#include "gateway/base/report.h"
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

/* All rows and problems: those of the other rooms and of this one; `web` is the struct web. */
void web_report_all(void *web, struct report *report);

/* Of at least ten seconds, however often it is asked: asking starts the measuring anew, and several
 * may ask. */
struct loop_lateness web_lateness(struct web *web);
