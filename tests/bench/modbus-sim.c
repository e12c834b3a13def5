/* Many Modbus TCP devices in one process: device i listens on 127.1.(i / 250).(i % 250 + 1).
 *
 * Answers function 3 for any block of registers 0 to 10 (wire.h), everything else with an
 * exception. Devices can be made bad, one kind after the other from device 0 on: some refuse, some
 * are dead, some close in the middle of an answer, some lie about their length; all may be late. On
 * SIGTERM or SIGINT one line of JSON says what was asked, and how regularly of those that are not
 * bad. */
#include "tests/bench/tool.h"
#include "tests/bench/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 16384
#define REQUEST_SIZE    12
#define LATE_MAX        65536

static int64_t devices = 10, port = 15020, refuse, dead, drop, lie, delay_ms;
static const struct tool_option options[] = {
    {"devices", &devices, "number of devices"},
    {"port", &port, "TCP port of all of them"},
    {"refuse", &refuse, "N do not listen"},
    {"dead", &dead, "N accept and never answer"},
    {"drop", &drop, "N close in the middle of an answer"},
    {"lie", &lie, "N answer with a length that is not true"},
    {"delay", &delay_ms, "all answer so many ms late"},
    {0},
};

struct device {
    uint32_t answers;
    uint64_t requests;
    int64_t first_us, last_us, longest_us; /* of requests; the longest pause between two */
};

/* Pauses between two requests of devices that are not bad, by the millisecond. */
#define PAUSES_MAX 20000
static uint32_t pauses[PAUSES_MAX];

struct connection {
    bool open;
    uint32_t device;
    uint32_t generation; /* an answer that waits must not reach a later connection of this fd */
    size_t filled;
    uint8_t request[256];
};

/* An answer that waits: the delay is the same for all, so they wait in a row. */
struct late {
    int64_t due_us;
    int fd;
    uint32_t generation;
    uint8_t request[REQUEST_SIZE];
};

static struct device *table;
static struct connection connections[CONNECTIONS_MAX];
static struct late late[LATE_MAX];
static uint32_t late_head, late_tail;
static uint64_t accepted, dropped;

enum tag { TAG_END, TAG_LISTEN, TAG_CONNECTION };

static uint64_t tag_make(enum tag tag, uint32_t number)
{
    return (uint64_t)tag << 32 | number;
}

static void listen_as(int epoll, uint32_t device)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(0x7f010000u | (device / 250) << 8 | (device % 250 + 1));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 64) != 0)
        tool_die("listen");
    /* Listeners have their slots too: an accepted connection asks there whose it is. */
    connections[fd].device = device;
    tool_watch(epoll, fd, tag_make(TAG_LISTEN, (uint32_t)fd));
}

static void accept_one(int epoll, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    if (fd >= CONNECTIONS_MAX) {
        close(fd);
        return;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *connection = &connections[fd];
    connection->open = true;
    connection->device = connections[listener].device;
    connection->filled = 0;
    connection->generation++;
    accepted++;
    tool_watch(epoll, fd, tag_make(TAG_CONNECTION, (uint32_t)fd));
}

static void close_connection(int fd)
{
    connections[fd].open = false;
    close(fd);
    dropped++;
}

static bool is_bad(uint32_t device)
{
    return device < refuse + dead + drop + lie;
}

static void note_request(struct device *device, int64_t now_us)
{
    int64_t pause_us = now_us - device->last_us;

    if (device->requests++ == 0) {
        device->first_us = now_us;
    } else {
        if (pause_us > device->longest_us)
            device->longest_us = pause_us;
        if (!is_bad((uint32_t)(device - table)))
            pauses[pause_us / 1000 < PAUSES_MAX ? pause_us / 1000 : PAUSES_MAX - 1]++;
    }
    device->last_us = now_us;
}

/* The pause that so many percent of them do not exceed. */
static int64_t pause_ms(double percent)
{
    uint64_t all = 0, seen = 0;
    int64_t ms = 0;

    for (int i = 0; i < PAUSES_MAX; i++)
        all += pauses[i];
    for (; ms < PAUSES_MAX - 1; ms++) {
        seen += pauses[ms];
        if ((double)seen >= (double)all * percent / 100)
            break;
    }
    return ms;
}

static void put16(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

/* A lie keeps the frame's own byte count and changes the length before it, or the other way round.
 */
static void tell_lie(uint8_t *answer, uint32_t number)
{
    static const int8_t lies[] = {-2, +2, -1, +40};
    if (number % 8 < 4)
        put16(answer + 4, (uint32_t)((answer[4] << 8 | answer[5]) + lies[number % 4]));
    else
        answer[8] = (uint8_t)(answer[8] + lies[number % 4]);
}

/* Fills `answer` for a request of 12 bytes; its length. */
static size_t make_answer(uint32_t index, const uint8_t *request, uint8_t *answer)
{
    struct device *device = &table[index];
    uint32_t start = (uint32_t)(request[8] << 8 | request[9]);
    uint32_t count = (uint32_t)(request[10] << 8 | request[11]);
    memcpy(answer, request, 8);
    if (request[7] != 3 || count == 0 || start + count > WIRE_REGISTERS) {
        put16(answer + 4, 3);
        answer[7] |= 0x80;
        answer[8] = request[7] == 3 ? 2 : 1;
        return 9;
    }
    uint16_t registers[WIRE_REGISTERS];
    wire_fill(registers, index, device->answers, tool_now_us());
    put16(answer + 4, 3 + 2 * count);
    answer[8] = (uint8_t)(2 * count);
    for (uint32_t i = 0; i < count; i++)
        put16(answer + 9 + 2 * i, registers[start + i]);
    if (is_bad(index) && index >= refuse + dead + drop)
        tell_lie(answer, device->answers);
    device->answers++;
    return 9 + 2 * count;
}

static void answer_now(int fd, const uint8_t *request)
{
    uint8_t answer[9 + 2 * WIRE_REGISTERS];
    size_t length = make_answer(connections[fd].device, request, answer);
    if (connections[fd].device < refuse + dead + drop)
        length /= 2; /* the dead ones do not come here */
    if (write(fd, answer, length) != (ssize_t)length ||
        connections[fd].device < refuse + dead + drop)
        close_connection(fd);
}

static void answer_later(int fd, const uint8_t *request, int64_t now_us)
{
    struct late *slot = &late[late_head % LATE_MAX];
    if (late_head - late_tail == LATE_MAX)
        return;
    slot->due_us = now_us + delay_ms * 1000;
    slot->fd = fd;
    slot->generation = connections[fd].generation;
    memcpy(slot->request, request, REQUEST_SIZE);
    late_head++;
}

static void take_request(int fd, const uint8_t *request)
{
    int64_t now_us = tool_now_us();
    uint32_t device = connections[fd].device;
    note_request(&table[device], now_us);
    if (device < refuse + dead)
        return;
    if (delay_ms > 0)
        answer_later(fd, request, now_us);
    else
        answer_now(fd, request);
}

static void read_connection(int fd)
{
    struct connection *connection = &connections[fd];
    ssize_t got = read(fd, connection->request + connection->filled,
                       sizeof connection->request - connection->filled);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            close_connection(fd);
        return;
    }
    connection->filled += (size_t)got;
    while (connection->filled >= REQUEST_SIZE && connection->open) {
        take_request(fd, connection->request);
        connection->filled -= REQUEST_SIZE;
        memmove(connection->request, connection->request + REQUEST_SIZE, connection->filled);
    }
}

/* Sends what is due; how long until the next, in ms rounded up, or -1. */
static int send_late(void)
{
    while (late_tail != late_head) {
        const struct late *slot = &late[late_tail % LATE_MAX];
        int64_t wait_us = slot->due_us - tool_now_us();
        if (wait_us > 0)
            return (int)((wait_us + 999) / 1000);
        const struct connection *connection = &connections[slot->fd];
        if (connection->open && connection->generation == slot->generation)
            answer_now(slot->fd, slot->request);
        late_tail++;
    }
    return -1;
}

static void report(void)
{
    uint64_t requests = 0, answers = 0;
    int64_t longest_us = 0;
    for (int64_t i = 0; i < devices; i++) {
        requests += table[i].requests;
        answers += table[i].answers;
        if (!is_bad((uint32_t)i) && table[i].longest_us > longest_us)
            longest_us = table[i].longest_us;
    }
    printf("{\"requests\":%" PRIu64 ",\"answers\":%" PRIu64 ",\"accepted\":%" PRIu64
           ",\"closed\":%" PRIu64 ",\"longest_pause_ms\":%.3f,\"pause_p99_ms\":%" PRId64 "}\n",
           requests, answers, accepted, dropped, (double)longest_us / 1000, pause_ms(99));
}

static bool handle(int epoll, uint64_t tag)
{
    int fd = (int)(uint32_t)tag;
    if (tag >> 32 == TAG_LISTEN)
        accept_one(epoll, fd);
    else if (tag >> 32 == TAG_CONNECTION && connections[fd].open)
        read_connection(fd);
    return tag >> 32 != TAG_END;
}

int main(int argc, char **argv)
{
    tool_options(argc, argv, options);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    table = calloc((size_t)devices, sizeof *table);
    if (!table || epoll < 0)
        tool_die("start");
    tool_watch(epoll, tool_end_fd(), tag_make(TAG_END, 0));
    for (uint32_t i = (uint32_t)refuse; i < devices; i++)
        listen_as(epoll, i);
    printf("ready\n");
    fflush(stdout);

    struct epoll_event events[256];
    for (bool running = true; running;) {
        int count = epoll_wait(epoll, events, 256, send_late());
        for (int i = 0; i < count; i++)
            running &= handle(epoll, events[i].data.u64);
    }
    report();
    free(table);
    return 0;
}
