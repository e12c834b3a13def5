#include "adapters/modbus/share.h"

#include "adapters/modbus/inquiry.h"
#include "gateway/base/clock.h"
#include "gateway/base/loop.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIMEOUT_MS 1000
/* A port that is taken is tried again: at a reload the bus before this one still has it. */
#define AGAIN_MS   1000
#define SAID_AFTER 5 /* attempts */

struct share_client {
    struct mb_share *share; /* NULL: it has gone, and only an answer is waited for */
    struct watch *watch;
    int fd;
    bool asking;
    struct mb_inquiry inquiry; /* the one under way */
    size_t n_in;
    uint8_t in[2 * MB_MBAP_MAX];
};

struct mb_share {
    struct adapter_host *host;
    struct address address;
    struct mb_share_terms terms;
    struct timer *again;
    int attempts;
    int fd; /* -1: it does not listen yet */
    struct watch *watch;
    struct share_client *clients[MB_SHARE_CLIENTS];
};

/* -- clients -------------------------------------------------------------------------------- */

/* One that still waits for an answer lives until that has come. */
static void drop(struct share_client *client)
{
    struct mb_share *share = client->share;

    for (size_t i = 0; i < MB_SHARE_CLIENTS; i++) {
        if (share->clients[i] == client)
            share->clients[i] = NULL;
    }
    watch_free(client->watch);
    close(client->fd);
    client->share = NULL;
    if (!client->asking)
        free(client);
}

/* One answer is always small enough for a peer that reads; one that does not is cut off by its next
 * question. */
static void send_frame(const struct share_client *client, const uint8_t *frame, size_t length)
{
    (void)!send(client->fd, frame, length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void refuse(const struct share_client *client, enum mb_exception exception)
{
    uint8_t frame[MB_MBAP_MAX];

    send_frame(client, frame, mb_inquiry_refuse(&client->inquiry, exception, frame));
}

/* -- questions ------------------------------------------------------------------------------ */

static bool serve(struct share_client *client);

static void take_answer(void *owner, const struct adapter_answer *answer)
{
    struct share_client *client = owner;
    uint8_t frame[MB_MBAP_MAX];

    client->asking = false;
    if (!client->share) {
        free(client);
        return;
    }
    send_frame(client, frame, mb_inquiry_answer(&client->inquiry, answer, frame));
    if (!serve(client))
        drop(client);
}

static void ask(struct share_client *client)
{
    const struct mb_share *share = client->share;
    struct adapter_question question = {.timeout_ms = TIMEOUT_MS,
                                        .fresh_ms = share->terms.fresh_ms,
                                        .done = take_answer,
                                        .asker = client};
    enum mb_exception exception = mb_inquiry_read(&client->inquiry, share->terms.writes, &question);

    if (exception == MB_EXCEPTION_NONE && share->host->ask(share->host, 0, &question) < 0)
        exception = MB_EXCEPTION_BUSY;
    if (exception == MB_EXCEPTION_NONE)
        client->asking = true;
    else
        refuse(client, exception);
}

/* Takes questions until one is under way or none is left; false when it is no Modbus TCP. */
static bool serve(struct share_client *client)
{
    enum mb_frame what = MB_FRAME_WHOLE;
    size_t used;

    while (!client->asking && what == MB_FRAME_WHOLE) {
        what = mb_inquiry_parse(client->in, client->n_in, &client->inquiry, &used);
        if (what != MB_FRAME_WHOLE)
            continue;
        client->n_in -= used;
        memmove(client->in, client->in + used, client->n_in);
        ask(client);
    }
    return what != MB_FRAME_BROKEN;
}

static void on_bytes(void *owner)
{
    struct share_client *client = owner;
    size_t room = sizeof(client->in) - client->n_in;
    ssize_t n = room > 0 ? recv(client->fd, client->in + client->n_in, room, MSG_DONTWAIT) : 0;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        client->n_in += (size_t)n;
    if (n <= 0 || !serve(client))
        drop(client);
}

/* -- listening ------------------------------------------------------------------------------ */

static struct share_client **free_place(struct mb_share *share)
{
    for (size_t i = 0; i < MB_SHARE_CLIENTS; i++) {
        if (!share->clients[i])
            return &share->clients[i];
    }
    return NULL;
}

static void on_client(void *owner)
{
    struct mb_share *share = owner;
    struct share_client **place = free_place(share), *client;
    int fd = accept4(share->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), on = 1;

    if (fd < 0)
        return;
    client = place ? calloc(1, sizeof(*client)) : NULL;
    if (client) {
        client->share = share;
        client->fd = fd;
        client->watch = watch_new(share->host->loop, fd, on_bytes, client);
    }
    if (!client || !client->watch) {
        free(client);
        close(fd);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    *place = client;
}

static int listen_at(const struct addrinfo *info, int *ret_fd)
{
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
    int r;

    if (fd < 0)
        return -errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, MB_SHARE_CLIENTS) == 0) {
        *ret_fd = fd;
        return 0;
    }
    r = -errno;
    close(fd);
    return r;
}

/* An address in figures: nothing on the loop may wait for a name. */
static int start_listening(struct mb_share *share)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *info;
    char port[8];
    int r;

    snprintf(port, sizeof(port), "%u", share->address.port);
    if (getaddrinfo(share->address.host, port, &hints, &info) != 0)
        return -EINVAL;
    r = listen_at(info, &share->fd);
    freeaddrinfo(info);
    if (r < 0)
        return r;
    share->watch = watch_new(share->host->loop, share->fd, on_client, share);
    return share->watch ? 0 : -ENOMEM;
}

static void explain(const struct mb_share *share, int code, struct error *reterr)
{
    error_set(reterr, code, "it cannot be shared at %s, port %u: %s", share->address.host,
              share->address.port, strerror(-code));
}

/* 0, also when it will be tried again. */
static int try_listening(struct mb_share *share)
{
    int r = start_listening(share);
    struct error err;

    if (r != -EADDRINUSE)
        return r;
    if (++share->attempts == SAID_AFTER) {
        explain(share, r, &err);
        share->host->note(share->host, err.text);
    }
    timer_at(share->again, clock_boot_ms() + AGAIN_MS);
    return 0;
}

static void on_again(void *owner)
{
    (void)try_listening(owner);
}

int mb_share_open(struct adapter_host *host, const struct address *address,
                  const struct mb_share_terms *terms, struct mb_share **ret_share,
                  struct error *reterr)
{
    struct mb_share *share = calloc(1, sizeof(*share));
    int r = -ENOMEM;

    if (share) {
        *share = (struct mb_share){.host = host, .address = *address, .terms = *terms, .fd = -1};
        share->again = timer_new(host->loop, on_again, share);
        r = share->again ? try_listening(share) : -ENOMEM;
    }
    if (r < 0) {
        if (share)
            explain(share, r, reterr);
        else
            error_set(reterr, r, "out of memory");
        mb_share_close(share);
        return r;
    }
    *ret_share = share;
    return 0;
}

/* A port that somebody else has keeps nobody from polling. */
struct mb_share *mb_share_as_said(struct adapter_host *host, const struct section *options)
{
    const struct mb_share_terms terms = {.fresh_ms = section_duration_ms(options, "share_fresh"),
                                         .writes = section_bool(options, "share_write")};
    const char *connect = section_text(options, "share");
    struct mb_share *share = NULL;
    struct address address;
    struct error err;

    if (connect && address_parse(connect, MB_SHARE_PORT, &address) == 0 &&
        mb_share_open(host, &address, &terms, &share, &err) < 0)
        host->note(host, err.text);
    return share;
}

void mb_share_close(struct mb_share *share)
{
    if (!share)
        return;
    for (size_t i = 0; i < MB_SHARE_CLIENTS; i++) {
        if (share->clients[i])
            drop(share->clients[i]);
    }
    timer_free(share->again);
    watch_free(share->watch);
    if (share->fd >= 0)
        close(share->fd);
    free(share);
}
