#include "gateway/cli/client.h"

#include "gateway/base/text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define SILENCE_S   30 /* longer than the gateway waits for anything */
#define LINE_SIZE   4096
#define HEADERS_MAX 64
#define HEAD_SIZE   2048

/* What has been received and not used yet. */
struct reader {
    int fd;
    char bytes[16384];
    size_t at, length;
};

struct head {
    int status;
    bool chunked;
    int64_t length; /* of the body; -1: until the end */
};

struct body {
    const struct client_question *question;
    bool taken;
    char *text;
    size_t length, size;
};

/* -- the connection ------------------------------------------------------------------------- */

static int fail_connect(const char *path, int code, struct error *reterr)
{
    if (code == -ENOENT || code == -ECONNREFUSED)
        return error_set(reterr, code,
                         "no gateway answers at %s: is it running? systemctl status thermogate",
                         path);
    return error_set(reterr, code, "cannot reach the gateway at %s: %s", path, strerror(-code));
}

static int open_connection(const char *path, struct error *reterr)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = SILENCE_S};
    int fd;

    if (!text_copy(address.sun_path, sizeof(address.sun_path), path))
        return fail_connect(path, -ENAMETOOLONG, reterr);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail_connect(path, -errno, reterr);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        int code = -errno;

        close(fd);
        return fail_connect(path, code, reterr);
    }
    return fd;
}

/* A gateway that refuses may answer before it has taken everything: what is sent to deaf ears then
 * is no failure, the answer says why. */
static void send_all(int fd, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);

        if (sent <= 0)
            return;
        bytes += sent;
        count -= (size_t)sent;
    }
}

static int send_question(int fd, const struct client_question *question)
{
    char head[HEAD_SIZE];
    size_t length = 0;

    if (!text_append(head, sizeof(head), &length,
                     "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", question->method,
                     question->path) ||
        (question->type &&
         !text_append(head, sizeof(head), &length, "Content-Type: %s\r\n", question->type)) ||
        !text_append(head, sizeof(head), &length, "Content-Length: %zu\r\n\r\n", question->length))
        return -E2BIG;
    send_all(fd, head, length);
    send_all(fd, question->body, question->length);
    return 0;
}

/* -- bytes ---------------------------------------------------------------------------------- */

/* 1 when there is something to use, 0 at the end, -Exxx. */
static int fill(struct reader *reader)
{
    ssize_t got;

    if (reader->at < reader->length)
        return 1;
    got = recv(reader->fd, reader->bytes, sizeof(reader->bytes), 0);
    if (got < 0)
        return errno == EAGAIN ? -ETIMEDOUT : -errno;
    reader->at = 0;
    reader->length = (size_t)got;
    return got > 0;
}

/* A line without its end. 0 or -Exxx. */
static int read_line(struct reader *reader, char line[LINE_SIZE])
{
    for (size_t length = 0; length < LINE_SIZE - 1;) {
        int r = fill(reader);
        char c;

        if (r <= 0)
            return r < 0 ? r : -EPIPE;
        c = reader->bytes[reader->at++];
        if (c == '\n') {
            line[length > 0 && line[length - 1] == '\r' ? length - 1 : length] = '\0';
            return 0;
        }
        line[length++] = c;
    }
    return -EMSGSIZE;
}

/* -- the body ------------------------------------------------------------------------------- */

static int keep(struct body *body, const char *bytes, size_t count)
{
    if (body->taken)
        return body->question->take(body->question->owner, bytes, count);
    if (count > CLIENT_BODY_MAX - body->length)
        return -EMSGSIZE;
    if (body->length + count + 1 > body->size) {
        size_t size = 2 * (body->length + count) + 4096;
        char *text = realloc(body->text, size);

        if (!text)
            return -ENOMEM;
        body->text = text;
        body->size = size;
    }
    memcpy(body->text + body->length, bytes, count);
    body->length += count;
    body->text[body->length] = '\0';
    return 0;
}

/* `count` bytes, or with -1 all until the end. */
static int read_bytes(struct reader *reader, int64_t count, struct body *body)
{
    while (count != 0) {
        int r = fill(reader);
        size_t part = reader->length - reader->at;

        if (r < 0)
            return r;
        if (r == 0)
            return count < 0 ? 0 : -EPIPE;
        if (count > 0 && part > (uint64_t)count)
            part = (size_t)count;
        r = keep(body, reader->bytes + reader->at, part);
        if (r < 0)
            return r;
        reader->at += part;
        count -= count > 0 ? (int64_t)part : 0;
    }
    return 0;
}

static bool is_hex(const char *text, int64_t *ret)
{
    char *end;
    unsigned long long value;

    if (!strchr("0123456789abcdefABCDEF", text[0]) || !text[0])
        return false;
    errno = 0;
    value = strtoull(text, &end, 16);
    *ret = (int64_t)value;
    return errno == 0 && value < INT64_MAX && (*end == '\0' || *end == ';' || *end == ' ');
}

/* Pieces, each with its length before it; the last is empty. */
static int read_pieces(struct reader *reader, struct body *body)
{
    char line[LINE_SIZE];
    int64_t length = 0;
    int r;

    for (;;) {
        r = read_line(reader, line);
        if (r == 0 && !is_hex(line, &length))
            r = -EPROTO;
        if (r < 0 || length == 0)
            return r;
        r = read_bytes(reader, length, body);
        if (r == 0)
            r = read_line(reader, line);
        if (r == 0 && line[0])
            r = -EPROTO;
        if (r < 0)
            return r;
    }
}

/* -- the head ------------------------------------------------------------------------------- */

static int parse_header(const char *line, struct head *head)
{
    const char *value = strchr(line, ':');
    size_t length;

    if (!value)
        return -EPROTO;
    length = (size_t)(value - line);
    for (value++; *value == ' ' || *value == '\t';)
        value++;
    if (length == 14 && strncasecmp(line, "Content-Length", length) == 0)
        return text_to_int(value, &head->length) < 0 || head->length < 0 ? -EPROTO : 0;
    if (length == 17 && strncasecmp(line, "Transfer-Encoding", length) == 0)
        head->chunked = strcasecmp(value, "chunked") == 0;
    return 0;
}

static int read_head(struct reader *reader, struct head *head)
{
    char line[LINE_SIZE];
    int r = read_line(reader, line);

    if (r < 0)
        return r;
    if (sscanf(line, "HTTP/1.%*1[01] %3d", &head->status) != 1)
        return -EPROTO;
    for (int i = 0; i < HEADERS_MAX; i++) {
        r = read_line(reader, line);
        if (r < 0 || !line[0])
            return r;
        r = parse_header(line, head);
        if (r < 0)
            return r;
    }
    return -EMSGSIZE;
}

static int read_answer(struct reader *reader, struct body *body, struct head *head)
{
    int r = read_head(reader, head);

    if (r < 0)
        return r;
    body->taken = body->question->take && head->status == 200;
    r = body->taken ? 0 : keep(body, "", 0); /* so that there is a text, even of nothing */
    if (r < 0)
        return r;
    return head->chunked ? read_pieces(reader, body) : read_bytes(reader, head->length, body);
}

int client_ask(const struct client_question *question, struct client_answer *ret_answer,
               struct error *reterr)
{
    struct reader reader = {.fd = open_connection(question->socket, reterr)};
    struct head head = {.length = -1};
    struct body body = {.question = question};
    int r = reader.fd;

    if (r < 0)
        return r;
    r = send_question(reader.fd, question);
    if (r == 0)
        r = read_answer(&reader, &body, &head);
    close(reader.fd);
    if (r < 0) {
        free(body.text);
        return error_set(reterr, r, "the gateway's answer %s",
                         r == -EPIPE       ? "broke off"
                         : r == -ETIMEDOUT ? "does not come"
                         : r == -EPROTO    ? "is no HTTP"
                                           : strerror(-r));
    }
    *ret_answer = (struct client_answer){head.status, body.text, body.length};
    return 0;
}
