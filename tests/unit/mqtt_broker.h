/* A real mosquitto on a free port of 127.0.0.1, and a real mosquitto_sub that listens to
 * everything: for tests of what goes over the wire. Nothing here knows our own MQTT code. */
#pragma once

#include "tests/unit/free_port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static inline int64_t broker_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A child that does not outlive a test that fails: whoever waits for our output would wait for it.
 */
static inline pid_t broker_fork(void)
{
    pid_t pid = fork();

    if (pid == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pid;
}

/* -- broker ------------------------------------------------------------------------------------ */

struct broker {
    char folder[40];
    char extra[500]; /* lines of its config besides the listener's */
    int port;
    pid_t pid; /* 0: not running */
};

static inline bool broker_answers(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answers = connect(sock, (struct sockaddr *)&address, sizeof(address)) == 0;

    close(sock);
    return answers;
}

static inline void broker_write_file(const struct broker *broker, const char *name,
                                     const char *text)
{
    char path[120];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", broker->folder, name);
    file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        abort();
}

/* Starts it (again) on its port; it remembers nothing of an earlier life. */
static inline bool broker_start(struct broker *broker)
{
    char text[800], path[120];
    int64_t until_ms = broker_now_ms() + 10000;

    snprintf(text, sizeof(text), "listener %d 127.0.0.1\npersistence false\n%s\n", broker->port,
             broker->extra[0] ? broker->extra : "allow_anonymous true");
    broker_write_file(broker, "mosquitto.conf", text);
    snprintf(path, sizeof(path), "%s/mosquitto.conf", broker->folder);
    broker->pid = broker_fork();
    if (broker->pid == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

        dup2(null, STDERR_FILENO);
        setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
        execlp("mosquitto", "mosquitto", "-c", path, (char *)NULL);
        _exit(127);
    }
    while (!broker_answers(broker->port)) {
        if (broker_now_ms() > until_ms || waitpid(broker->pid, NULL, WNOHANG) != 0) {
            broker->pid = 0;
            return false;
        }
        poll(NULL, 0, 10);
    }
    return true;
}

/* As a power cut would. */
static inline void broker_kill(struct broker *broker)
{
    if (broker->pid <= 0)
        return;
    kill(broker->pid, SIGKILL);
    waitpid(broker->pid, NULL, 0);
    broker->pid = 0;
}

static inline bool broker_open(struct broker *broker, const char *extra)
{
    memset(broker, 0, sizeof(*broker));
    strcpy(broker->folder, "/tmp/thermogate-test-XXXXXX");
    if (!mkdtemp(broker->folder) || chmod(broker->folder, 0755) < 0)
        return false;
    if (extra)
        snprintf(broker->extra, sizeof(broker->extra), "%s", extra);
    broker->port = free_port();
    return true;
}

static inline void broker_close(struct broker *broker)
{
    static const char *const names[] = {"mosquitto.conf", "users",      "password",   "ca.pem",
                                        "ca.key",         "broker.pem", "broker.key", "other.pem",
                                        "other.key",      "broker.csr", "ca.srl"};
    char path[120];

    broker_kill(broker);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", broker->folder, names[i]);
        unlink(path);
    }
    rmdir(broker->folder);
}

/* Runs a command to its end; its exit status. */
static inline int broker_run(const char *const *command)
{
    pid_t pid = broker_fork();
    int status = -1;

    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        execvp(command[0], (char *const *)(uintptr_t)command);
        _exit(127);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline bool broker_publish(const struct broker *broker, const char *topic,
                                  const char *payload)
{
    char port[12];
    const char *command[] = {"mosquitto_pub", "-h", "127.0.0.1", "-p", port, "-q", "1", "-t",
                             topic,           "-m", payload,     NULL};

    snprintf(port, sizeof(port), "%d", broker->port);
    return broker_run(command) == 0;
}

/* -- subscriber -------------------------------------------------------------------------------- */

#define LISTENER_MAX 20000

struct heard {
    bool retained;
    char *topic, *payload;
};

struct listener {
    pid_t pid;
    int from;
    char *bytes;
    size_t length;
    struct heard heard[LISTENER_MAX];
    size_t count;
};

static inline void listener_close(struct listener *listener)
{
    if (!listener)
        return;
    kill(listener->pid, SIGKILL);
    waitpid(listener->pid, NULL, 0);
    close(listener->from);
    for (size_t i = 0; i < listener->count; i++)
        free(listener->heard[i].topic);
    free(listener->bytes);
    free(listener);
}

/* "1 <topic> <payload>"; topics have no blanks here. Takes the line. */
static inline void listener_add(struct listener *listener, char *line)
{
    char *topic = strchr(line, ' '), *payload = topic ? strchr(topic + 1, ' ') : NULL;
    struct heard *heard = &listener->heard[listener->count];

    if (!payload || listener->count == LISTENER_MAX)
        return;
    heard->retained = line[0] == '1';
    heard->topic = strndup(topic + 1, strlen(topic + 1));
    heard->payload = heard->topic + (payload - topic);
    heard->payload[-1] = '\0';
    listener->count++;
}

static inline void listener_split(struct listener *listener)
{
    char *line = listener->bytes, *end;

    listener->bytes[listener->length] = '\0';
    while ((end = strchr(line, '\n'))) {
        *end = '\0';
        listener_add(listener, line);
        line = end + 1;
    }
    listener->length -= (size_t)(line - listener->bytes);
    memmove(listener->bytes, line, listener->length + 1);
}

#define LISTENER_BYTES (1024 * 1024)

/* Reads what there is, waiting for it until `until_ms`; false at the end of time. */
static inline bool listener_read(struct listener *listener, int64_t until_ms)
{
    struct pollfd ready = {.fd = listener->from, .events = POLLIN};
    int64_t rest_ms = until_ms - broker_now_ms();
    ssize_t got;

    if (rest_ms < 0 || poll(&ready, 1, (int)rest_ms) <= 0)
        return false;
    got = read(listener->from, listener->bytes + listener->length,
               LISTENER_BYTES - 1 - listener->length);
    if (got <= 0)
        return false;
    listener->length += (size_t)got;
    listener_split(listener);
    return true;
}

static inline const struct heard *listener_find(const struct listener *listener, size_t from,
                                                const char *topic, const char *part)
{
    for (size_t i = from; i < listener->count; i++) {
        const struct heard *heard = &listener->heard[i];

        if (strcmp(heard->topic, topic) == 0 && (!part || strstr(heard->payload, part)))
            return heard;
    }
    return NULL;
}

/* Waits for a message under `topic` with `part` in it (NULL: any), heard as number `from` or later.
 */
static inline const struct heard *listener_wait(struct listener *listener, size_t from,
                                                const char *topic, const char *part,
                                                int64_t wait_ms)
{
    int64_t until_ms = broker_now_ms() + wait_ms;
    const struct heard *heard;

    while (!(heard = listener_find(listener, from, topic, part))) {
        if (!listener_read(listener, until_ms))
            return listener_find(listener, from, topic, part);
    }
    return heard;
}

static inline size_t listener_count(const struct listener *listener, const char *topic,
                                    const char *part)
{
    size_t count = 0;

    for (size_t i = 0; i < listener->count; i++)
        count += strcmp(listener->heard[i].topic, topic) == 0 &&
                 (!part || strstr(listener->heard[i].payload, part));
    return count;
}

/* Listens to everything on `port`; returns when the broker has taken the subscription. */
static inline struct listener *listener_open(const struct broker *broker)
{
    struct listener *listener = calloc(1, sizeof(*listener));
    int64_t until_ms = broker_now_ms() + 10000;
    char port[12], token[40];
    int ends[2];

    snprintf(port, sizeof(port), "%d", broker->port);
    if (!listener || pipe2(ends, O_CLOEXEC) < 0)
        abort();
    listener->pid = broker_fork();
    if (listener->pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execlp("mosquitto_sub", "mosquitto_sub", "-h", "127.0.0.1", "-p", port, "-q", "1", "-t",
               "#", "-F", "%r %t %p", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    listener->from = ends[0];
    listener->bytes = malloc(LISTENER_BYTES);
    snprintf(token, sizeof(token), "%lld", (long long)until_ms);
    while (!listener_find(listener, 0, "probe", token)) {
        if (broker_now_ms() > until_ms || !broker_publish(broker, "probe", token)) {
            listener_close(listener);
            return NULL;
        }
        listener_read(listener, broker_now_ms() + 100);
    }
    return listener;
}
