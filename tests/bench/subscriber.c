/* A subscriber that costs little: MQTT 3.1.1, QoS 0, one connection, `bench/#`.
 *
 * Prints "ready" when subscribed, "start" when all expected devices have sent and the warm-up is
 * over, "end" and one line of JSON (subscriber-count.h) when the window is. With --measure 0 the
 * window ends on SIGTERM. A broker that goes away is waited for. */
#include "tests/bench/subscriber-count.h"
#include "tests/bench/tool.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define AGAIN_US 50000 /* until the next try to reach the broker */

static int64_t port = 1883, devices = 10, expect = -1, every_ms = 1000, warmup_ms = 2000,
               measure_ms = 10000, patience_ms = 60000;
static const struct tool_option options[] = {
    {"port", &port, "of the broker on 127.0.0.1"},
    {"devices", &devices, "number of devices"},
    {"expect", &expect, "devices that must have sent before the warm-up begins, -1: all"},
    {"every", &every_ms, "ms between two polls of one device"},
    {"warmup", &warmup_ms, "ms"},
    {"measure", &measure_ms, "ms, 0: until a signal"},
    {"patience", &patience_ms, "ms until the expected devices must have sent"},
    {0},
};

static uint8_t buffer[1 << 20];
static size_t filled;

static bool send_all(int fd, const void *bytes, size_t count)
{
    return send(fd, bytes, count, MSG_NOSIGNAL) == (ssize_t)count;
}

/* CONNECT (clean session, no keep-alive) and SUBSCRIBE in one go; the broker's answers are read
 * with the rest. */
static bool greet(int fd)
{
    static const uint8_t hello[] = {0x10, 17, 0, 4, 'M', 'Q', 'T', 'T', 4,  2,
                                    0,    0,  0, 5, 'b', 'e', 'n', 'c', 'h'};
    static const uint8_t subscribe[] = {0x82, 12, 0, 1, 0, 7, 'b', 'e', 'n', 'c', 'h', '/', '#', 0};
    return send_all(fd, hello, sizeof hello) && send_all(fd, subscribe, sizeof subscribe);
}

static int connect_broker(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1, size = 4 << 20;
    if (fd < 0)
        tool_die("socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    filled = 0;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 && greet(fd))
        return fd;
    close(fd);
    return -1;
}

/* One whole packet at `at`: its length with the header, and where its body begins; 0: not all here.
 */
static size_t packet_length(const uint8_t *at, size_t count, size_t *ret_body)
{
    size_t length = 0, i = 1;
    for (int shift = 0; i < count && i <= 4; shift += 7) {
        length |= (size_t)(at[i] & 0x7f) << shift;
        if (!(at[i++] & 0x80)) {
            *ret_body = i;
            return i + length <= count ? i + length : 0;
        }
    }
    return 0;
}

static void take_packet(struct count *count, const uint8_t *packet, size_t length, size_t body,
                        int64_t now_us)
{
    if (packet[0] == 0x90) {
        printf("ready\n");
        fflush(stdout);
    }
    if (packet[0] >> 4 != 3 || length < body + 2)
        return;
    size_t topic = (size_t)(packet[body] << 8 | packet[body + 1]);
    if (body + 2 + topic > length)
        return;
    const char *text = (const char *)packet + body + 2;
    count_message(count, text, topic, text + topic, length - body - 2 - topic, now_us);
}

/* False when the broker is gone. */
static bool read_broker(int fd, struct count *count)
{
    ssize_t got = read(fd, buffer + filled, sizeof buffer - filled);
    int64_t now_us = tool_now_us();
    size_t at = 0, length, body;
    if (got <= 0)
        return false;
    filled += (size_t)got;
    while ((length = packet_length(buffer + at, filled - at, &body)) > 0) {
        take_packet(count, buffer + at, length, body, now_us);
        at += length;
    }
    filled -= at;
    memmove(buffer, buffer + at, filled);
    return filled < sizeof buffer;
}

struct window {
    int64_t all_us, start_us, end_us; /* INT64_MAX: not yet */
};

static void say(const char *word)
{
    printf("%s\n", word);
    fflush(stdout);
}

/* Moves the window on; true when it is over. */
static bool window_is_over(struct window *window, struct count *count, int64_t now_us)
{
    if (window->all_us == INT64_MAX && count_devices(count) >= expect) {
        window->all_us = now_us;
        window->start_us = now_us + warmup_ms * 1000;
    }
    if (window->end_us == INT64_MAX && now_us >= window->start_us) {
        count_start(count, now_us);
        window->end_us = measure_ms > 0 ? now_us + measure_ms * 1000 : INT64_MAX - 1;
        say("start");
    }
    return now_us >= window->end_us;
}

static void run(struct count *count, int end_fd)
{
    struct window window = {INT64_MAX, INT64_MAX, INT64_MAX};
    int64_t born_us = tool_now_us(), again_us = 0;
    struct pollfd fds[2] = {{.fd = end_fd, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
    for (int64_t now_us = born_us; !window_is_over(&window, count, now_us);
         now_us = tool_now_us()) {
        if (window.all_us == INT64_MAX && now_us - born_us > patience_ms * 1000) {
            fprintf(stderr, "only %u devices have sent\n", count_devices(count));
            return;
        }
        if (fds[1].fd < 0 && now_us >= again_us) {
            fds[1].fd = connect_broker();
            again_us = now_us + AGAIN_US;
        }
        poll(fds, 2, 5);
        if (fds[0].revents)
            break;
        if (fds[1].revents && !read_broker(fds[1].fd, count)) {
            close(fds[1].fd);
            fds[1].fd = -1;
        }
    }
    say("end");
    count_report(count, tool_now_us());
}

int main(int argc, char **argv)
{
    tool_options(argc, argv, options);
    if (expect < 0)
        expect = devices;
    struct count *count = count_new((uint32_t)devices, every_ms * 1000);
    if (!count)
        tool_die("memory");
    run(count, tool_end_fd());
    count_free(count);
    return 0;
}
