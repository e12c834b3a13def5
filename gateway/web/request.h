/* Request: one question and its answer, as the handlers of the routes see it. Private to the room.
 *
 * A handler either answers with one of the request_answer_*() calls, or calls request_wait() and
 * lets the one who will answer do so later. */
#pragma once

#include "gateway/base/json.h"
#include "gateway/web/inside.h"
#include "gateway/web/page.h"

#include <microhttpd.h>

#define REQUEST_WORD_SIZE 136

struct client;
struct route;

struct request {
    struct web *web;
    struct client *client;
    const struct route *route;
    char word[REQUEST_WORD_SIZE]; /* what stood in the braces of the route's path */
    char *body;                   /* `length` bytes and NUL; NULL when there was none */
    size_t length;
    void *kept; /* what a handler keeps until the answer has come; freed with the request */

    /* for request.c */
    struct MHD_Connection *connection;
    struct MHD_Response *response;
    unsigned status;
    struct waiting *waiting;
    bool asked, suspended, too_long, failed;
};

/* The value of a parameter behind the '?'; NULL when it was not given. */
const char *request_query(const struct request *request, const char *name);

/* The same as a whole number from `min` to `max`; `*ret` stays when it was not given. false when it
 * is none, which then has been answered. */
bool request_query_int(struct request *request, const char *name, int64_t min, int64_t max,
                       int64_t *ret);

/* The same as a wall time in ms: see when.h. */
bool request_query_time(struct request *request, const char *name, int64_t *ret_ms);

/* {"error": ...} */
void request_answer_error(struct request *request, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What `write` writes, called again with more memory when `guess` bytes were too few: it must write
 * the same again. */
void request_answer_json(struct request *request, unsigned status, size_t guess,
                         void (*write)(struct json *json, const void *what), const void *what);

/* Takes over the page's text. `media` is its type. */
void request_answer_page(struct request *request, const char *media, struct page *page);

/* A response of one's own; NULL: memory was out. */
void request_answer(struct request *request, unsigned status, struct MHD_Response *response);

/* For whoever will answer: waiting_end() then gives the request, or NULL when nobody waits any
 * more. NULL when memory is out, which has been answered. */
struct waiting *request_wait(struct request *request);
/* The one who was to answer cannot: his -Exxx, as an answer. */
void request_refused(struct request *request, struct waiting *waiting, int code);

/* -- for server.c --------------------------------------------------------------------------- */

enum MHD_Result request_handle(void *web, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *bytes,
                               size_t *count, void **context);
void request_completed(void *web, struct MHD_Connection *connection, void **context,
                       enum MHD_RequestTerminationCode why);
