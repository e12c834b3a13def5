#include "adapters/modbus/share.h"

#include "adapters/modbus/pdu.h"
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

#define HEADER     7 /* of MBAP, with the unit */
#define TIMEOUT_MS 1000
/* A port that is taken is tried again: at a reload the bus before this one still has it. */
#define AGAIN_MS   1000
#define SAID_AFTER 5 /* attempts */

/* What a master is told who gets no values. */
#define EXCEPTION_FUNCTION 1
#define EXCEPTION_VALUE    3
#define EXCEPTION_BUSY     6
#define EXCEPTION_PATH     10
#define EXCEPTION_TARGET   11

struct share_client {
    struct mb_share *share; /* NULL: it has gone, and only an answer is waited for */
    struct watch *watch;
    int fd;
    bool asking;
    uint8_t head[HEADER]; /* of the question under way; its function is next */
    uint8_t function;
    size_t n_in;
    uint8_t in[2 * MB_MBAP_MAX];
};

struct mb_share {
    struct adapter_host *host;
    struct address address;
    int64_t fresh_ms;
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
static void answer(struct share_client *client, const uint8_t *pdu, size_t length)
{
    uint8_t frame[MB_MBAP_MAX];

    memcpy(frame, client->head, HEADER);
    frame[4] = (uint8_t)((length + 1) >> 8);
    frame[5] = (uint8_t)(length + 1);
    memcpy(frame + HEADER, pdu, length);
    (void)!send(client->fd, frame, HEADER + length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void answer_exception(struct share_client *client, uint8_t code)
{
    const uint8_t pdu[] = {client->function | 0x80, code};

    answer(client, pdu, sizeof(pdu));
}

/* -- questions ------------------------------------------------------------------------------ */

static bool serve(struct share_client *client);

static uint8_t exception_for(uint8_t quality)
{
    if (quality > QUALITY_EXCEPTION)
        return (uint8_t)(quality - QUALITY_EXCEPTION);
    return quality == QUALITY_DISCONNECTED ? EXCEPTION_PATH : EXCEPTION_TARGET;
}

static void take_answer(void *owner, const struct adapter_answer *got)
{
    struct share_client *client = owner;
    uint8_t pdu[MB_PDU_MAX];

    client->asking = false;
    if (!client->share) {
        free(client);
        return;
    }
    if (got->quality == QUALITY_GOOD && got->count <= MB_PDU_MAX - 2) {
        pdu[0] = client->function;
        pdu[1] = (uint8_t)got->count;
        memcpy(pdu + 2, got->bytes, got->count);
        answer(client, pdu, 2 + got->count);
    } else {
        answer_exception(client, exception_for(got->quality));
    }
    if (!serve(client))
        drop(client);
}

static void ask(struct share_client *client, const uint8_t *pdu, size_t length)
{
    struct adapter_question question = {.unit = client->head[6],
                                        .function = client->function,
                                        .timeout_ms = TIMEOUT_MS,
                                        .fresh_ms = client->share->fresh_ms,
                                        .done = take_answer,
                                        .asker = client};
    unsigned most = mb_reads_bits(client->function) ? MB_BITS_MAX : MB_REGISTERS_MAX;

    if (!mb_is_read(client->function)) {
        answer_exception(client, EXCEPTION_FUNCTION);
        return;
    }
    if (length == 5) {
        question.address = (uint16_t)(pdu[1] << 8 | pdu[2]);
        question.count = (uint16_t)(pdu[3] << 8 | pdu[4]);
    }
    if (question.count == 0 || question.count > most) {
        answer_exception(client, EXCEPTION_VALUE);
        return;
    }
    client->asking = client->share->host->ask(client->share->host, 0, &question) == 0;
    if (!client->asking)
        answer_exception(client, EXCEPTION_BUSY);
}

/* The bytes of the frame at the front; 0: it is not whole yet; -EPROTO: it is none. */
static ssize_t frame_length(const struct share_client *client)
{
    const uint8_t *in = client->in;
    size_t length;

    if (client->n_in < HEADER + 1)
        return 0;
    length = (size_t)6 + (size_t)(in[4] << 8 | in[5]);
    if (in[2] != 0 || in[3] != 0 || length < HEADER + 1 || length > MB_MBAP_MAX)
        return -EPROTO;
    return client->n_in >= length ? (ssize_t)length : 0;
}

/* Takes questions until one is under way or none is left; false when it is no Modbus TCP. */
static bool serve(struct share_client *client)
{
    ssize_t length;

    while (!client->asking && (length = frame_length(client)) != 0) {
        uint8_t frame[MB_MBAP_MAX];

        if (length < 0)
            return false;
        memcpy(frame, client->in, (size_t)length);
        client->n_in -= (size_t)length;
        memmove(client->in, client->in + length, client->n_in);
        memcpy(client->head, frame, HEADER);
        client->function = frame[HEADER];
        ask(client, frame + HEADER, (size_t)length - HEADER);
    }
    return true;
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

int mb_share_open(struct adapter_host *host, const struct address *address, int64_t fresh_ms,
                  struct mb_share **ret_share, struct error *reterr)
{
    struct mb_share *share = calloc(1, sizeof(*share));
    int r = -ENOMEM;

    if (share) {
        *share =
            (struct mb_share){.host = host, .address = *address, .fresh_ms = fresh_ms, .fd = -1};
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
