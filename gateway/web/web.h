/* Web: the HTTP API under /api/v1/, for the command line, the dashboard and other programs. The
 * only room that knows libmicrohttpd, which runs inside the loop: no thread of its own.
 *
 * It listens on a Unix socket, where the kernel says who asks: root, our own user and members of
 * the group `thermogate` may do everything, everybody else may read. On TCP nobody can be known, so
 * there everybody may only read, and it listens on loopback only. Everything has a limit: bytes of
 * a request, seconds to send it, 200 clients, the time to wait for an answer.
 *
 * What can be asked stands in one table (routes.c), of which /api/v1/openapi.json is made. */
#pragma once

#include "gateway/base/error.h"
#include "gateway/base/setting.h"
#include "gateway/core/sink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct commands;
struct loop;
struct report;
struct store;
struct web;

/* The group `web` of the config (with the default "{}": it is there even when nobody wrote it), and
 * what its table cannot say; returns how many errors were added. */
extern const struct setting web_settings[];
size_t web_check(const struct section *section, struct problems *problems);

#define WEB_SOCKET_SIZE 108 /* sockaddr_un */
/* The socket where nothing else is said: in $RUNTIME_DIRECTORY, which systemd sets, or here. */
#define WEB_SOCKET "/run/thermogate/thermogate.sock"

struct web_options {
    char socket[WEB_SOCKET_SIZE]; /* path */
    char link[WEB_SOCKET_SIZE];   /* to it, from where commands look; "": that is where it is */
    char listen[64];              /* "127.0.0.1:8377"; "": no TCP */
};
struct web_options web_options(const struct section *section);

/* What somebody asks on a line that the gateway holds; see /api/v1/ask. */
struct web_question {
    const char *connect; /* of the line */
    uint8_t unit, function;
    uint16_t address, count;
    int64_t timeout_ms;
};

/* The rest of the program, borrowed for the life of the web. */
struct web_context {
    struct loop *loop;
    struct commands *commands;
    struct store *store; /* NULL: no history and no log of events; say so */
    /* What the other rooms know of themselves; `status`, `health` and `/metrics` show it all. May
     * be NULL. */
    void (*report)(void *owner, struct report *report);
    /* Has a notifier send a test message; as notify_test(). */
    int (*test_notifier)(void *owner, const char *name,
                         void (*done)(void *asker, const char *name, bool ok, const char *words),
                         void *asker);
    /* Asks; `done` follows on the loop. 0 and *ret_bus is the name
     * of its bus; -ENOENT when the gateway does not hold that line; -Exxx. May be NULL. */
    int (*ask)(void *owner, const struct web_question *question,
               void (*done)(void *asker, const char *quality, const uint8_t *bytes, size_t count),
               void *asker, const char **ret_bus);
    /* The newest reading of a sensor of the inventory that the sink was given last. */
    const struct reading *(*newest)(void *owner, uint32_t sensor);
    /* Tells each part of what an instance of a rule waits for, and what it is now. May be NULL. */
    void (*explain)(void *owner, uint32_t instance,
                    void (*part)(void *to, const char *what, const char *value), void *to);
    /* Tell each count of the requests on a bus, or to a device by its number in the inventory, by
     * the names that /api/v1/devices describes; NAN: not known. May be NULL. */
    void (*bus_traffic)(void *owner, const char *bus,
                        void (*count)(void *to, const char *name, double value), void *to);
    void (*device_traffic)(void *owner, uint32_t device,
                           void (*count)(void *to, const char *name, double value), void *to);
    void *owner;
};

/* Starts to listen. What cannot be listened on is logged and tried again every ten seconds. 0,
 * -ENOMEM or -EMFILE with `reterr`. */
int web_open(const struct web_options *options, const struct web_context *context,
             struct web **ret_web, struct error *reterr);

/* For pipeline_add_sink() with the struct web. */
extern const struct sink_calls web_sink;

/* Stops listening and ends every connection: open questions are answered 503. Does not wait. */
void web_close(struct web *web);
/* After web_close(), store_close() and commands_free(): answers that they still owe find their
 * place until then. NULL is legal. */
void web_free(struct web *web);
