/* Server: sockets, clients and libmicrohttpd, driven by the loop. Private to the room. */
#pragma once

#include "gateway/web/inside.h"
#include "gateway/web/peer.h"

#include <microhttpd.h>

/* Of them the last ones are for those who may do everything: others cannot lock them out. */
#define SERVER_CLIENTS_MAX      200
#define SERVER_CLIENTS_RESERVED 50

/* A connection. One that is not through with what it does at its deadline is cut. */
struct client {
    struct client *next, **link;
    int fd;
    struct peer peer;
    int64_t deadline_ms;
};

/* 0, -ENOMEM, -EMFILE. */
int server_new(struct web *web, struct server **ret_server, struct error *reterr);

/* Cuts every connection; nothing may be suspended any more but what is resumed already. Then frees
 * everything. NULL is legal. */
void server_free(struct server *server);

/* Does what can be done now. Nothing when called from inside a handler. */
void server_turn(struct server *server);

/* A connection that was suspended goes on, at the loop's next turn. */
void server_resume(struct server *server, struct MHD_Connection *connection);

/* How many are connected. */
size_t server_clients(const struct server *server);

/* What cannot be listened on, in words; "" when all is well. */
const char *server_problem(const struct server *server);
