/* A serial line with Modbus RTU slaves, as slow as the real one: a pty on which every character
 * takes its time.
 *
 *   request 8 characters | 3.5 silence | answer 5 + 2 n characters | 3.5 silence | next request
 *
 * The slaves take no time of their own, so a cycle over all of them cannot be shorter than that
 * sum, and who asks again before the last silence is over is seen: real slaves would not hear it.
 * Prints "ready PATH"; on SIGTERM or SIGINT one line of JSON. */
#include "tests/bench/tool.h"
#include "tests/bench/wire.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_SIZE 8
#define UNSURE_US                                                                              \
    100             /* a write that took longer was interrupted: when it came out is not known \
                     */
#define SPIN_US 200 /* a sleep may end this late; the last character must not */

static int64_t slaves = 10, baud = 19200, bits = 11, dead, settle_ms;
static const struct tool_option options[] = {
    {"slaves", &slaves, "number of slaves, units 1 to N"},
    {"baud", &baud, "bits a second"},
    {"bits", &bits, "bits a character, with start, parity and stop"},
    {"dead", &dead, "the first N never answer"},
    {"settle", &settle_ms, "counted is from so long after the first request on"},
    {0},
};

struct line {
    int fd, end_fd;
    double character_us;
    bool unsure;      /* about quiet_us */
    int64_t quiet_us; /* when the last character of the last answer was out; 0: none yet */
    int64_t first_us; /* of this request */
    size_t filled;
    uint8_t request[REQUEST_SIZE];
};

static uint32_t answers_of[256];
static uint64_t requests, answers, broken, hasty, collisions, judged, unsure;
static int64_t asked_us, begin_us, last_us, shortest_us = INT64_MAX, silence_sum_us;

static uint16_t crc16(const uint8_t *bytes, size_t count)
{
    uint16_t crc = 0xffff;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1);
    }
    return crc;
}

static void sleep_until(int64_t at_us, bool exactly)
{
    int64_t wake_us = exactly ? at_us - SPIN_US : at_us;
    struct timespec at = {wake_us / 1000000, wake_us % 1000000 * 1000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
    while (exactly && tool_now_us() < at_us)
        ;
}

/* The master side; the slave side stays open, so that a gateway may come and go. */
static int open_line(void)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || grantpt(fd) != 0 || unlockpt(fd) != 0)
        tool_die("pty");
    int slave = open(ptsname(fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios raw;
    if (slave < 0 || tcgetattr(slave, &raw) != 0)
        tool_die("pty");
    cfmakeraw(&raw);
    tcsetattr(slave, TCSANOW, &raw);
    printf("ready %s\n", ptsname(fd));
    fflush(stdout);
    return fd;
}

/* The silence is counted from the end of the answer to the first character of the request. */
static void note_silence(const struct line *line)
{
    if (line->quiet_us == 0)
        return;
    if (line->unsure) {
        unsure++;
        return;
    }
    judged++;
    int64_t silence_us = line->first_us - line->quiet_us;
    silence_sum_us += silence_us;
    if (silence_us < shortest_us)
        shortest_us = silence_us;
    if ((double)silence_us < 3.5 * line->character_us - 1)
        hasty++;
}

static size_t make_answer(const uint8_t *request, uint8_t *answer)
{
    uint32_t unit = request[0], start = (uint32_t)(request[2] << 8 | request[3]);
    uint32_t count = (uint32_t)(request[4] << 8 | request[5]);
    uint16_t registers[WIRE_REGISTERS];
    size_t length = 3;
    answer[0] = request[0];
    answer[1] = request[1];
    if ((request[1] != 3 && request[1] != 4) || count == 0 || start + count > WIRE_REGISTERS) {
        answer[1] |= 0x80;
        answer[2] = 2;
    } else {
        wire_fill(registers, unit - 1, answers_of[unit]++, tool_now_us());
        answer[2] = (uint8_t)(2 * count);
        for (uint32_t i = 0; i < count; i++) {
            answer[length++] = (uint8_t)(registers[start + i] >> 8);
            answer[length++] = (uint8_t)registers[start + i];
        }
    }
    uint16_t crc = crc16(answer, length);
    answer[length++] = (uint8_t)crc;
    answer[length++] = (uint8_t)(crc >> 8);
    return length;
}

static bool has_input(const struct line *line, int wait_ms)
{
    struct pollfd fds = {.fd = line->fd, .events = POLLIN};
    return poll(&fds, 1, wait_ms) > 0;
}

/* Puts the answer on the line, each character when its last bit would be there. */
static void send_paced(struct line *line, const uint8_t *answer, size_t length)
{
    double start_us = (double)line->first_us + (REQUEST_SIZE + 3.5) * line->character_us;
    for (size_t i = 0; i < length; i++) {
        int64_t at_us = (int64_t)(start_us + (double)(i + 1) * line->character_us);
        sleep_until(at_us, i + 1 == length);
        line->quiet_us = tool_now_us();
        if (write(line->fd, answer + i, 1) != 1)
            tool_die("write");
    }
    line->unsure = tool_now_us() - line->quiet_us > UNSURE_US;
    if (has_input(line, 0))
        collisions++; /* it spoke while the slave did */
}

static void take_request(struct line *line)
{
    const uint8_t *request = line->request;
    uint8_t answer[5 + 2 * WIRE_REGISTERS];
    requests++;
    note_silence(line);
    last_us = line->first_us;
    if (asked_us == 0) {
        asked_us = last_us;
        printf("asked\n");
        fflush(stdout);
    }
    if (begin_us == 0 && last_us >= asked_us + settle_ms * 1000) {
        begin_us = last_us;
        answers = 0;
    }
    if (crc16(request, 6) != (uint16_t)(request[6] | request[7] << 8)) {
        broken++;
        return;
    }
    if (request[0] <= dead || request[0] > slaves)
        return;
    send_paced(line, answer, make_answer(request, answer));
    answers++;
}

static void read_line(struct line *line)
{
    ssize_t got = read(line->fd, line->request + line->filled, sizeof line->request - line->filled);
    if (got <= 0)
        return;
    if (line->filled == 0)
        line->first_us = tool_now_us();
    line->filled += (size_t)got;
    if (line->filled == sizeof line->request) {
        line->filled = 0;
        take_request(line);
    }
}

static void report(const struct line *line)
{
    double seconds = (double)(last_us - begin_us) / 1e6;
    double characters = REQUEST_SIZE + 5 + 2 * WIRE_REGISTERS + 7;
    double live = (double)(slaves - dead);
    printf("{\"requests\":%" PRIu64 ",\"answers\":%" PRIu64 ",\"broken\":%" PRIu64
           ",\"hasty\":%" PRIu64 ",\"collisions\":%" PRIu64 ",\"unsure\":%" PRIu64
           ",\"silence_needed_ms\":%.3f,\"silence_shortest_ms\":%.3f,\"silence_mean_ms\":%.3f"
           ",\"cycles_per_s\":%.3f,\"cycles_possible\":%.3f}\n",
           requests, answers, broken, hasty, collisions, unsure, 3.5 * line->character_us / 1000,
           judged > 0 ? (double)shortest_us / 1000 : 0,
           judged > 0 ? (double)silence_sum_us / 1000 / (double)judged : 0,
           seconds > 0 ? (double)(answers - 1) / live / seconds : 0,
           1e6 / (characters * line->character_us * live));
}

int main(int argc, char **argv)
{
    tool_options(argc, argv, options);
    prctl(PR_SET_TIMERSLACK, 1UL);
    struct line line = {.character_us = (double)bits * 1e6 / (double)baud};
    line.end_fd = tool_end_fd();
    line.fd = open_line();
    struct pollfd fds[2] = {{.fd = line.end_fd, .events = POLLIN},
                            {.fd = line.fd, .events = POLLIN}};
    while (poll(fds, 2, -1) >= 0 && !fds[0].revents)
        if (fds[1].revents & POLLIN)
            read_line(&line);
    report(&line);
    return 0;
}
