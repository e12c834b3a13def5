/* Help for the tests of owserver: a server on a thread that answers what the test says, and writes
 * down what it was asked: "r/uncached/28.../temperature", "w/simultaneous/temperature=1".
 *
 * An answer is a text; "!41" an error code; "close" ends the connection unanswered; "silence";
 * "rubbish" is no answer of owserver; "+21.5" says twice before it that it is still at work;
 * "-21.5" is an answer after which the server closes. Paths without an answer are error 1. */
#pragma once

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OWS_ANSWERS 16

struct ows {
    pthread_mutex_t lock;
    pthread_t thread;
    int listens, speaks; /* sockets; speaks: -1 while nobody is connected */
    uint16_t port;
    char connect[64];
    bool runs;
    struct {
        char path[100], answer[100];
    } answers[OWS_ANSWERS];
    size_t n_answers;
    char asked[4000]; /* all requests, a blank behind each */
    int connections;
};

static inline void ows_answer(struct ows *server, const char *path, const char *answer)
{
    size_t i = 0;

    pthread_mutex_lock(&server->lock);
    while (i < server->n_answers && strcmp(server->answers[i].path, path) != 0)
        i++;
    if (i == OWS_ANSWERS)
        abort();
    server->n_answers += i == server->n_answers;
    snprintf(server->answers[i].path, sizeof(server->answers[i].path), "%s", path);
    snprintf(server->answers[i].answer, sizeof(server->answers[i].answer), "%s", answer);
    pthread_mutex_unlock(&server->lock);
}

/* How often it was asked for that. */
static inline int ows_count(struct ows *server, const char *asked)
{
    int n = 0;

    pthread_mutex_lock(&server->lock);
    for (const char *at = server->asked; (at = strstr(at, asked)); at += strlen(asked))
        n++;
    pthread_mutex_unlock(&server->lock);
    return n;
}

static inline void ows_send(int fd, int32_t payload, int32_t result, uint32_t flags,
                            const char *text)
{
    uint32_t words[6] = {0, (uint32_t)payload, (uint32_t)result, flags, 0, 0};
    uint8_t bytes[24 + 200];
    size_t n = payload > 0 ? (size_t)payload : 0;

    for (int i = 0; i < 6; i++) {
        words[i] = htonl(words[i]);
        memcpy(bytes + 4 * i, &words[i], 4);
    }
    memcpy(bytes + 24, text, n);
    /* In two pieces: a reader must not count on one. */
    (void)!send(fd, bytes, 10, MSG_NOSIGNAL);
    (void)!send(fd, bytes + 10, 24 + n - 10, MSG_NOSIGNAL);
}

/* false: the connection is to be closed. */
static inline bool ows_reply(int fd, const char *answer)
{
    uint32_t flags = 0x104;

    if (strcmp(answer, "close") == 0)
        return false;
    if (strcmp(answer, "silence") == 0)
        return true;
    if (strcmp(answer, "rubbish") == 0)
        return send(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28, MSG_NOSIGNAL) > 0;
    for (int i = 0; *answer == '+' && i < 2; i++)
        ows_send(fd, -1, 0, flags, "");
    if (*answer == '-')
        flags = 0x100;
    answer += *answer == '+' || *answer == '-';
    if (*answer == '!')
        ows_send(fd, 0, -atoi(answer + 1), flags, "");
    else
        ows_send(fd, (int32_t)strlen(answer), (int32_t)strlen(answer), flags, answer);
    return flags & 4;
}

static inline bool ows_take(int fd, void *to, size_t n)
{
    return n == 0 || recv(fd, to, n, MSG_WAITALL) == (ssize_t)n;
}

static inline bool ows_serve_one(struct ows *server, int fd)
{
    uint32_t words[6];
    char payload[300] = "", answer[100] = "!1";
    const char *value;
    size_t n, length;

    if (!ows_take(fd, words, sizeof(words)) || (n = ntohl(words[1])) >= sizeof(payload) ||
        !ows_take(fd, payload, n))
        return false;
    value = payload + strlen(payload) + 1;
    pthread_mutex_lock(&server->lock);
    length = strlen(server->asked);
    if (ntohl(words[2]) == 3)
        snprintf(server->asked + length, sizeof(server->asked) - length, "w%s=%s ", payload, value);
    else
        snprintf(server->asked + length, sizeof(server->asked) - length, "r%s ", payload);
    for (size_t i = 0; i < server->n_answers; i++) {
        if (strcmp(server->answers[i].path, payload) == 0)
            strcpy(answer, server->answers[i].answer);
    }
    pthread_mutex_unlock(&server->lock);
    return ows_reply(fd, answer);
}

static inline void *ows_run(void *arg)
{
    struct ows *server = (struct ows *)arg;

    for (;;) {
        int fd = accept(server->listens, NULL, NULL);

        if (fd < 0)
            return NULL;
        pthread_mutex_lock(&server->lock);
        server->speaks = fd;
        server->connections++;
        pthread_mutex_unlock(&server->lock);
        while (ows_serve_one(server, fd))
            continue;
        pthread_mutex_lock(&server->lock);
        server->speaks = -1;
        pthread_mutex_unlock(&server->lock);
        close(fd);
    }
}

/* On its old port when it had one. */
static inline void ows_start(struct ows *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(server->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int on = 1;

    if (server->port == 0)
        pthread_mutex_init(&server->lock, NULL);
    server->speaks = -1;
    server->listens = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(server->listens, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(server->listens, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(server->listens, 8) < 0 ||
        getsockname(server->listens, (struct sockaddr *)&address, &size) < 0)
        abort();
    server->port = ntohs(address.sin_port);
    snprintf(server->connect, sizeof(server->connect), "owserver://127.0.0.1:%u", server->port);
    server->runs = pthread_create(&server->thread, NULL, ows_run, server) == 0;
}

/* Closes the connection that is open. */
static inline void ows_hang_up(struct ows *server)
{
    pthread_mutex_lock(&server->lock);
    if (server->speaks >= 0)
        shutdown(server->speaks, SHUT_RDWR);
    pthread_mutex_unlock(&server->lock);
}

static inline void ows_stop(struct ows *server)
{
    if (!server->runs)
        return;
    server->runs = false;
    shutdown(server->listens, SHUT_RDWR);
    ows_hang_up(server);
    pthread_join(server->thread, NULL);
    close(server->listens);
}
