/* The least that a Modbus TCP master can do, as a measure: it asks each device for ten registers
 * each interval and reads the answer, on epoll, and knows no types, rules, faults or config.
 *
 * Device i is at 127.1.(i / 250).(i % 250 + 1), as modbus-sim has it. Due times are spread over the
 * interval and fall on a grid of 20 ms, as the gateway's do. Prints "start" when all are connected
 * and "end" after `--measure` ms, then one line of JSON. */
#include "tests/bench/tool.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define GRID_US     20000
#define REGISTERS   10
#define ANSWER_SIZE (9 + 2 * REGISTERS)

static int64_t devices = 10, port = 15020, every_ms = 1000, measure_ms = 10000;
static const struct tool_option options[] = {
    {"devices", &devices, "number of devices"},
    {"port", &port, "TCP port of all of them"},
    {"every", &every_ms, "interval of polls"},
    {"measure", &measure_ms, "for so long"},
    {0},
};

struct device {
    int fd;
    uint16_t transaction;
    size_t filled;
    uint8_t answer[256];
};

static struct device *table;
static uint64_t polls, answers;

static void connect_to(int epoll, uint32_t i)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1;

    address.sin_addr.s_addr = htonl(0x7f010000u | (i / 250) << 8 | (i % 250 + 1));
    table[i].fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (table[i].fd < 0 || connect(table[i].fd, (struct sockaddr *)&address, sizeof address) != 0)
        tool_die("connect");
    setsockopt(table[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    tool_watch(epoll, table[i].fd, i);
}

static void ask(struct device *device)
{
    uint8_t request[12] = {0, 0, 0, 0, 0, 6, 1, 3, 0, 0, 0, REGISTERS};

    device->transaction++;
    request[0] = (uint8_t)(device->transaction >> 8);
    request[1] = (uint8_t)device->transaction;
    if (write(device->fd, request, sizeof request) != sizeof request)
        tool_die("write");
    polls++;
}

static void take(struct device *device)
{
    ssize_t got =
        read(device->fd, device->answer + device->filled, sizeof device->answer - device->filled);

    if (got <= 0)
        tool_die("read");
    device->filled += (size_t)got;
    if (device->filled < ANSWER_SIZE)
        return;
    answers += (device->answer[0] << 8 | device->answer[1]) == device->transaction;
    device->filled = 0;
}

/* Asks all whose line of the grid this is; lines are numbered from the start. */
static void ask_line(int64_t line)
{
    int64_t lines = every_ms * 1000 / GRID_US, at = line % lines;

    for (int64_t i = at * devices / lines; i < (at + 1) * devices / lines; i++)
        ask(&table[i]);
}

static double cpu_s(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void run(int epoll)
{
    struct epoll_event events[256];
    int64_t begin_us = tool_now_us(), end_us = begin_us + measure_ms * 1000, line = 0;

    for (int64_t now_us; (now_us = tool_now_us()) < end_us;) {
        int64_t due_us = begin_us + line * GRID_US;
        int count;

        if (now_us >= due_us) {
            ask_line(line++);
            continue;
        }
        count = epoll_wait(epoll, events, 256, (int)((due_us - now_us + 999) / 1000));
        for (int i = 0; i < count; i++)
            take(&table[events[i].data.u64]);
    }
}

int main(int argc, char **argv)
{
    double before_s;
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    tool_options(argc, argv, options);
    table = calloc((size_t)devices, sizeof *table);
    if (!table || epoll < 0)
        tool_die("start");
    for (uint32_t i = 0; i < devices; i++)
        connect_to(epoll, i);
    printf("start\n");
    fflush(stdout);
    before_s = cpu_s();
    run(epoll);
    printf("end\n{\"polls\":%" PRIu64 ",\"answers\":%" PRIu64 ",\"cpu_s\":%.4f}\n", polls, answers,
           cpu_s() - before_s);
    free(table);
    return 0;
}
