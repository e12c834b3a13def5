/* One libmicrohttpd without a socket of its own: we accept, so that we know who comes before
 * anything is spent on him. Its epoll descriptor is watched by the loop; a second timer looks after
 * deadlines, because libmicrohttpd's time-out begins anew with every byte, and one byte a second
 * would hold a place for ever. */
#include "gateway/web/server.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/text.h"
#include "gateway/web/feed.h"
#include "gateway/web/listen.h"
#include "gateway/web/request.h"
#include "gateway/web/waiting.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SWEEP_MS      1000
#define RETRY_MS      10000
#define REQUEST_MS    20000       /* to send the first request */
#define SILENCE_S     30          /* without a byte in either direction */
#define CLIENT_MEMORY (32 * 1024) /* request line, headers, and what is sent next */
#define LISTENERS_MAX 2

struct listener {
    struct server *server;
    int (*open)(const char *where, struct error *reterr);
    const char *where;
    int fd; /* -1: not yet */
    struct watch *watch;
    char problem[160]; /* why there is no socket; "" when there is one */
};

struct server {
    struct web *web;
    struct MHD_Daemon *daemon;
    struct watch *watch;        /* of its epoll */
    struct timer *turn, *sweep; /* when it wants its turn; deadlines and retries */
    struct listener listeners[LISTENERS_MAX];
    size_t n_listeners;
    int64_t retry_ms;
    struct client *clients;
    size_t n_clients;
    gid_t group;
    bool turning, resumed;
};

/* -- turns ---------------------------------------------------------------------------------- */

static void plan_turn(struct server *server)
{
    MHD_UNSIGNED_LONG_LONG wait_ms;

    if (server->resumed)
        timer_at(server->turn, clock_boot_ms());
    else if (MHD_get_timeout(server->daemon, &wait_ms) == MHD_YES)
        timer_at(server->turn, clock_boot_ms() + (int64_t)wait_ms);
    else
        timer_at(server->turn, CLOCK_NEVER);
}

void server_turn(struct server *server)
{
    if (server->turning)
        return;
    server->turning = true;
    server->resumed = false;
    MHD_run(server->daemon);
    server->turning = false;
    plan_turn(server);
}

/* libmicrohttpd would knock at its own door, which without a listening socket nobody watches. */
void server_resume(struct server *server, struct MHD_Connection *connection)
{
    MHD_resume_connection(connection);
    server->resumed = true;
    plan_turn(server);
}

static void take_turn(void *owner)
{
    server_turn(owner);
}

/* -- clients -------------------------------------------------------------------------------- */

/* libmicrohttpd tells both ends of a connection. */
static void on_connection(void *owner, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct server *server = owner;
    struct client *client = *context;

    if (what == MHD_CONNECTION_NOTIFY_STARTED && (client = calloc(1, sizeof(*client)))) {
        client->fd =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        client->peer = peer_of(client->fd, server->group);
        client->deadline_ms = clock_boot_ms() + REQUEST_MS;
        client->next = server->clients;
        client->link = &server->clients;
        if (client->next)
            client->next->link = &client->next;
        server->clients = client;
        if (server->n_clients++ == 0)
            timer_at(server->sweep, clock_boot_ms() + SWEEP_MS);
        *context = client;
    } else if (what == MHD_CONNECTION_NOTIFY_CLOSED && client) {
        *client->link = client->next;
        if (client->next)
            client->next->link = client->link;
        server->n_clients--;
        free(client);
        *context = NULL;
    }
}

/* Ends the conversation in both directions: libmicrohttpd sees the end and cleans up. */
static void cut_late(struct server *server, int64_t now_ms)
{
    for (struct client *client = server->clients; client; client = client->next) {
        if (client->deadline_ms > now_ms)
            continue;
        client->deadline_ms = CLOCK_NEVER;
        shutdown(client->fd, SHUT_RDWR);
    }
}

static void refuse(int fd)
{
    static const char answer[] =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
        "Content-Length: 28\r\nConnection: close\r\n\r\n"
        "{\"error\":\"too many clients\"}";

    (void)!send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(fd);
}

static void admit(struct server *server, int fd, const struct sockaddr *address, socklen_t length)
{
    struct peer peer = peer_of(fd, server->group);
    size_t places = SERVER_CLIENTS_MAX;

    if (peer.right != RIGHT_ALL)
        places -= SERVER_CLIENTS_RESERVED;
    if (server->n_clients >= places) {
        refuse(fd);
        return;
    }
    MHD_add_connection(server->daemon, fd, address, length); /* closes it when it cannot */
    server_turn(server);
}

static void on_knock(void *owner)
{
    struct listener *listener = owner;
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);
    int fd =
        accept4(listener->fd, (struct sockaddr *)&address, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd >= 0) {
        admit(listener->server, fd, (struct sockaddr *)&address, length);
        return;
    }
    /* Without descriptors the knock stays, and the loop would turn for nothing: rests until the
     * sweep. */
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        watch_free(listener->watch);
        listener->watch = NULL;
        timer_at(listener->server->sweep, clock_boot_ms() + SWEEP_MS);
    }
}

/* -- listening ------------------------------------------------------------------------------ */

static void open_listener(struct listener *listener)
{
    struct error err = {0};

    listener->fd = listener->open(listener->where, &err);
    if (listener->fd < 0) {
        if (strncmp(listener->problem, err.text, sizeof(listener->problem) - 1) != 0)
            log_warn("web: %s; it is tried again every %d s", err.text, RETRY_MS / 1000);
        text_copy(listener->problem, sizeof(listener->problem), err.text);
        return;
    }
    if (listener->problem[0])
        log_info("web: listens on %s now", listener->where);
    listener->problem[0] = '\0';
}

static void look_after_listeners(struct server *server)
{
    for (size_t i = 0; i < server->n_listeners; i++) {
        struct listener *listener = &server->listeners[i];

        if (listener->fd < 0)
            open_listener(listener);
        if (listener->fd >= 0 && !listener->watch)
            listener->watch =
                watch_new(server->web->context.loop, listener->fd, on_knock, listener);
    }
}

static void add_listener(struct server *server, const char *where,
                         int (*open)(const char *where, struct error *reterr))
{
    if (where[0])
        server->listeners[server->n_listeners++] =
            (struct listener){.server = server, .open = open, .where = where, .fd = -1};
}

/* Without it commands need --socket, which is no reason not to run. */
static void make_link(const struct web_options *options)
{
    struct error err;

    if (options->link[0] && listen_link(options->link, options->socket, &err) < 0)
        log_warn("web: %s", err.text);
}

static void close_listeners(struct server *server)
{
    const char *link = server->web->options.link;

    if (link[0])
        unlink(link);
    for (size_t i = 0; i < server->n_listeners; i++) {
        struct listener *listener = &server->listeners[i];

        watch_free(listener->watch);
        if (listener->fd < 0)
            continue;
        close(listener->fd);
        if (listener->open == listen_unix)
            unlink(listener->where);
    }
}

const char *server_problem(const struct server *server)
{
    for (size_t i = 0; i < server->n_listeners; i++) {
        if (server->listeners[i].problem[0])
            return server->listeners[i].problem;
    }
    return "";
}

/* Once a second while somebody is there, else only for what still wants to be listened on. */
static void plan_sweep(struct server *server, int64_t now_ms)
{
    bool missing = false;

    for (size_t i = 0; i < server->n_listeners; i++)
        missing = missing || !server->listeners[i].watch;
    if (server->n_clients > 0)
        timer_at(server->sweep, now_ms + SWEEP_MS);
    else
        timer_at(server->sweep, missing ? server->retry_ms : CLOCK_NEVER);
}

static void sweep(void *owner)
{
    struct server *server = owner;
    int64_t now_ms = clock_boot_ms();

    cut_late(server, now_ms);
    waiting_sweep(server->web, now_ms);
    feed_keep_alive(server->web, now_ms);
    if (now_ms >= server->retry_ms) {
        server->retry_ms = now_ms + RETRY_MS;
        look_after_listeners(server);
    }
    plan_sweep(server, now_ms);
}

/* -- life ----------------------------------------------------------------------------------- */

static void take_log(void *owner, const char *format, va_list arguments)
{
    char line[300], quoted[400];

    (void)owner;
    vsnprintf(line, sizeof(line), format, arguments);
    line[strcspn(line, "\n")] = '\0';
    log_debug("web: %s", text_escape(quoted, sizeof(quoted), line));
}

static int start_daemon(struct server *server)
{
    const union MHD_DaemonInfo *info;

    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0,
        NULL, NULL, request_handle, server->web, MHD_OPTION_EXTERNAL_LOGGER, take_log, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_NOTIFY_COMPLETED,
        request_completed, server->web, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)SERVER_CLIENTS_MAX + 8, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CLIENT_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_END);
    if (!server->daemon)
        return -EMFILE;
    info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    server->watch = watch_new(server->web->context.loop, info->epoll_fd, take_turn, server);
    return server->watch ? 0 : -ENOMEM;
}

int server_new(struct web *web, struct server **ret_server, struct error *reterr)
{
    struct server *server = calloc(1, sizeof(*server));
    int r = -ENOMEM;

    if (!server)
        return error_set(reterr, r, "web: out of memory");
    server->web = web;
    server->group = peer_group();
    server->turn = timer_new(web->context.loop, take_turn, server);
    server->sweep = timer_new(web->context.loop, sweep, server);
    if (server->turn && server->sweep)
        r = start_daemon(server);
    if (r < 0) {
        server_free(server);
        return error_set(reterr, r, "web: %s", strerror(-r));
    }
    add_listener(server, web->options.socket, listen_unix);
    add_listener(server, web->options.listen, listen_tcp);
    look_after_listeners(server);
    make_link(&web->options);
    server->retry_ms = clock_boot_ms() + RETRY_MS;
    plan_sweep(server, clock_boot_ms());
    *ret_server = server;
    return 0;
}

void server_free(struct server *server)
{
    if (!server)
        return;
    close_listeners(server);
    watch_free(server->watch);
    timer_free(server->turn);
    timer_free(server->sweep);
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    free(server);
}

size_t server_clients(const struct server *server)
{
    return server->n_clients;
}
