/* Owserver link: one connection to an owserver, on the loop, and who waits for it. One request is
 * in flight at a time, since behind the server is one wire. The connection stays open; when the
 * server closes it or goes away it is opened again as soon as somebody asks, at most once a second.
 */
#pragma once

#include "adapters/adapter.h"
#include "adapters/onewire/owserver_wire.h"

struct ow_link;
struct ow_ask;

/* How an ask ended. `text` is borrowed for the call, ended with NUL. */
struct ow_end {
    uint8_t quality; /* QUALITY_GOOD; ow_quality() of the answer; DISCONNECTED, TIMEOUT, PROTOCOL */
    int32_t result;  /* the server's error code; 0 when it is not that */
    const char *text;
    size_t length;
    int64_t at_ms;   /* boot time of its last byte */
    int64_t took_us; /* on the connection; 0: it was never sent */
};

/* One request; the owner keeps it, its path and its value until `done`. */
struct ow_ask {
    struct ow_ask *next;
    enum ow_type type;
    const char *path, *value;
    void (*done)(struct ow_ask *ask, const struct ow_end *end);
    void *owner;
};

/* Opens nothing yet. NULL when memory is out. */
struct ow_link *ow_link_new(struct adapter_host *host, const struct address *address);
void ow_link_free(struct ow_link *link); /* asks are forgotten; NULL is legal */

/* Lines an ask up, `first` ahead of those that wait. Exactly one done() follows, never from inside
 * the call. */
void ow_link_put(struct ow_link *link, struct ow_ask *ask, bool first);
