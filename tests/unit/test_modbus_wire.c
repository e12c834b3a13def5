/* Plays the transcripts tests/wire/modbus_tcp_*.txt and modbus_rtu_*.txt (see README there) against
 * the adapters modbus/tcp and modbus/rtu+tcp: a thread is the peer, the adapter runs on the loop.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/modbus/modbus.h"
#include "adapters/modbus/pdu.h"
#include "gateway/base/clock.h"
#include "gateway/base/enclosing.h"
#include "gateway/base/loop.h"
#include "modbus_config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <glob.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEADLINE_MS 20000
#define LINES_MAX   100
#define DEVICES     8
#define CHANNELS    8
/* Tickets of polls and writes begin here; those of writes have the channel, too. */
#define POLL_TICKET  1000
#define WRITE_TICKET 2000

struct play {
    const struct adapter *adapter;
    char lines[LINES_MAX][300];
    size_t n_lines;
    struct made *made;
    struct loop *loop;
    struct timer *deadline, *tick;
    int pauses;
    atomic_int peer_pauses;
    struct adapter_host host;
    void *bus;
    char connect[48];
    /* what the host was told */
    struct sample newest[DEVICES][CHANNELS];
    bool valued[DEVICES][CHANNELS];
    uint8_t ends[DEVICES], wrote[DEVICES][CHANNELS];
    bool writing[DEVICES][CHANNELS];
    bool under_way[DEVICES];
    bool beginning;
    const char *link;
    char why[300];
    size_t waiting;
    /* the peer, its own thread */
    int listener, peer;
    unsigned split;
    uint8_t transaction[2];
    char complaint[400];
};

static struct play *play_of(struct adapter_host *host)
{
    return enclosing(host, struct play, host);
}

/* -- host ----------------------------------------------------------------------------------- */

static void on_report(struct adapter_host *host, uint32_t device, const struct sample *samples,
                      size_t count)
{
    struct play *play = play_of(host);

    assert_true(device < DEVICES && play->under_way[device]);
    for (size_t i = 0; i < count; i++) {
        assert_true(samples[i].channel < play->made->devices[device].n_channels);
        assert_int_equal(samples[i].kind == VALUE_NONE, samples[i].quality != QUALITY_GOOD);
        play->newest[device][samples[i].channel] = samples[i];
        play->valued[device][samples[i].channel] |= samples[i].quality == QUALITY_GOOD;
    }
}

static struct sample *on_scratch(struct adapter_host *host)
{
    static struct sample samples[200];
    (void)host;
    return samples;
}

static void on_end(struct adapter_host *host, uint64_t ticket, uint8_t quality)
{
    struct play *play = play_of(host);
    uint32_t device = (uint32_t)(ticket - POLL_TICKET), write = (uint32_t)(ticket - WRITE_TICKET);

    assert_false(play->beginning);
    if (ticket >= WRITE_TICKET) {
        device = write / CHANNELS;
        assert_true(device < DEVICES && play->writing[device][write % CHANNELS]);
        play->writing[device][write % CHANNELS] = false;
        play->wrote[device][write % CHANNELS] = quality;
    } else {
        assert_true(device < DEVICES && play->under_way[device]);
        play->under_way[device] = false;
        play->ends[device] = quality;
    }
    if (--play->waiting == 0)
        loop_stop(play->loop);
}

static void on_link(struct adapter_host *host, const char *link, const char *why)
{
    struct play *play = play_of(host);
    const char *now = why ? "down" : "up";

    assert_string_equal(link, strstr(play->connect, "://") + 3);
    if (play->link && !(why && strstr(why, "write connect")))
        assert_string_not_equal(play->link, now);
    play->link = now;
    text_copy(play->why, sizeof(play->why), why ? why : "");
}

static void on_deadline(void *owner)
{
    struct play *play = owner;

    fail_msg("a poll did not end within %d ms; the peer: %s", DEADLINE_MS, play->complaint);
}

/* -- the peer ------------------------------------------------------------------------------- */

static bool complain(struct play *play, const char *line, const char *what)
{
    if (!play->complaint[0])
        snprintf(play->complaint, sizeof(play->complaint), "%s: %s", line, what);
    return false;
}

/* Waits for a connection where there is none. */
static bool meet(struct play *play, const char *line)
{
    struct pollfd fd = {play->listener, POLLIN, 0};
    int yes = 1;

    if (play->peer >= 0)
        return true;
    if (poll(&fd, 1, DEADLINE_MS) != 1)
        return complain(play, line, "nobody connected");
    play->peer = accept4(play->listener, NULL, NULL, SOCK_CLOEXEC);
    setsockopt(play->peer, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    return play->peer >= 0;
}

/* Up to `count` bytes; fewer when the other side closes or nothing comes. */
static size_t read_bytes(struct play *play, uint8_t *bytes, size_t count)
{
    size_t n = 0;

    while (n < count) {
        struct pollfd fd = {play->peer, POLLIN, 0};
        ssize_t got =
            poll(&fd, 1, DEADLINE_MS) == 1 ? recv(play->peer, bytes + n, count - n, 0) : -1;

        if (got <= 0)
            break;
        n += (size_t)got;
    }
    return n;
}

/* "crc" is that of all bytes since the last. */
static size_t parse_hex(const char *text, const uint8_t transaction[2], uint8_t *bytes)
{
    size_t n = 0, sealed = 0;

    for (; *text; text++) {
        char pair[3] = {text[0], text[1], '\0'};

        if (isspace((unsigned char)*text))
            continue;
        if (strncmp(text, "tttt", 4) == 0) {
            memcpy(bytes + n, transaction, 2);
            n += 2;
            text += 3;
        } else if (strncmp(text, "crc", 3) == 0) {
            uint16_t crc = mb_crc(bytes + sealed, n - sealed);

            bytes[n++] = (uint8_t)crc;
            bytes[n++] = (uint8_t)(crc >> 8);
            sealed = n;
            text += 2;
        } else {
            bytes[n++] = (uint8_t)strtoul(pair, NULL, 16);
            text++;
        }
    }
    return n;
}

static bool expect_bytes(struct play *play, const char *line)
{
    uint8_t want[300], got[300];
    size_t n = parse_hex(line + 2, play->transaction, want);

    if (!meet(play, line))
        return false;
    if (read_bytes(play, got, n) != n)
        return complain(play, line, "did not come");
    memcpy(play->transaction, got, 2);
    if (strstr(line, "tttt"))
        memcpy(want, got, 2);
    return memcmp(want, got, n) == 0 || complain(play, line, "other bytes came");
}

static bool send_bytes(struct play *play, const char *line)
{
    uint8_t bytes[300];
    size_t n = parse_hex(line + 2, play->transaction, bytes);
    size_t piece = play->split ? play->split : n;

    if (!meet(play, line))
        return false;
    for (size_t at = 0; at < n; at += piece) {
        size_t rest = n - at < piece ? n - at : piece;

        if (at > 0)
            usleep(2000); /* so that it travels alone; the outcome is the same when it does not */
        if (send(play->peer, bytes + at, rest, MSG_NOSIGNAL) != (ssize_t)rest)
            return complain(play, line, "could not be sent");
    }
    play->split = 0;
    return true;
}

static bool end_connection(struct play *play, bool reset)
{
    struct linger now = {1, 0};

    if (reset)
        setsockopt(play->peer, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(play->peer);
    play->peer = -1;
    return true;
}

static bool expect_closed(struct play *play, const char *line)
{
    uint8_t byte;

    if (play->peer >= 0 && read_bytes(play, &byte, 1) > 0)
        return complain(play, line, "something else came");
    return play->peer < 0 || end_connection(play, false);
}

static bool play_peer_line(struct play *play, const char *line)
{
    if (strncmp(line, ">>", 2) == 0)
        return expect_bytes(play, line);
    if (strncmp(line, "<<", 2) == 0)
        return send_bytes(play, line);
    if (strcmp(line, "pause") == 0)
        atomic_fetch_add(&play->peer_pauses, 1);
    if (strcmp(line, "close") == 0 || strcmp(line, "reset") == 0)
        return end_connection(play, line[0] == 'r');
    if (strcmp(line, "closed") == 0)
        return expect_closed(play, line);
    if (strncmp(line, "split ", 6) == 0)
        play->split = (unsigned)atoi(line + 6);
    return true;
}

static void *run_peer(void *owner)
{
    struct play *play = owner;

    for (size_t i = 0; i < play->n_lines; i++) {
        if (!play_peer_line(play, play->lines[i]))
            break;
    }
    expect_closed(play, "at the end");
    return NULL;
}

/* -- our side ------------------------------------------------------------------------------- */

/* "0" is a poll, "0.a=21.7" a write. */
static void begin(struct play *play, const char *word)
{
    uint32_t device = (uint32_t)(word[0] - '0');
    struct write_request request = {.device = device};

    play->waiting++;
    play->beginning = true;
    if (word[1] == '.') {
        request.channel = (uint32_t)(word[2] - 'a');
        request.number = strtod(word + 4, NULL);
        play->writing[device][request.channel] = true;
        play->adapter->begin_write(play->bus, &request,
                                   WRITE_TICKET + device * CHANNELS + request.channel);
    } else {
        play->under_way[device] = true;
        play->adapter->begin(play->bus, device, POLL_TICKET + device);
    }
    play->beginning = false;
}

static void play_poll(struct play *play, char *list)
{
    char *rest = NULL;

    for (char *word = strtok_r(list, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        begin(play, word);
    timer_at(play->deadline, clock_boot_ms() + DEADLINE_MS);
    loop_run(play->loop);
}

/* Runs the loop until the peer has come to the same place in the transcript. */
static void play_pause(struct play *play)
{
    int64_t until_ms = clock_boot_ms() + DEADLINE_MS;

    play->pauses++;
    while (atomic_load(&play->peer_pauses) < play->pauses && clock_boot_ms() < until_ms) {
        timer_at(play->tick, clock_boot_ms() + 5);
        loop_run(play->loop);
    }
    timer_at(play->tick, clock_boot_ms() + 5); /* what it did last is on its way */
    loop_run(play->loop);
}

static void on_tick(void *owner)
{
    loop_stop(((struct play *)owner)->loop);
}

/* "0.a 21.7" */
static void play_value(const struct play *play, const char *rest, const char *kind)
{
    int device = rest[0] - '0', channel = rest[2] - 'a';
    const struct sample *sample = &play->newest[device][channel];

    if (strcmp(kind, "none") == 0)
        assert_false(play->valued[device][channel]);
    else if (strcmp(kind, "bad") == 0)
        assert_string_equal(quality_name(sample->quality), rest + 4);
    else
        assert_true(sample->kind == VALUE_NUMBER && sample->number == strtod(rest + 4, NULL));
}

static void play_line(struct play *play, const char *line)
{
    char copy[300];
    char *rest;

    text_copy(copy, sizeof(copy), line);
    if (strcmp(copy, "pause") == 0)
        play_pause(play);
    rest = strchr(copy, ' ');
    if (!rest)
        return;
    *rest++ = '\0';
    if (strcmp(copy, "poll") == 0)
        play_poll(play, rest);
    else if (strcmp(copy, "end") == 0)
        assert_string_equal(quality_name(play->ends[rest[0] - '0']), rest + 2);
    else if (strcmp(copy, "wrote") == 0)
        assert_string_equal(quality_name(play->wrote[rest[0] - '0'][rest[2] - 'a']), rest + 4);
    else if (strcmp(copy, "link") == 0)
        assert_string_equal(play->link, rest);
    else if (strcmp(copy, "why") == 0)
        assert_non_null(strstr(play->why, rest));
    else if (strcmp(copy, "value") == 0 || strcmp(copy, "none") == 0 || strcmp(copy, "bad") == 0)
        play_value(play, rest, copy);
}

static void on_note(struct adapter_host *host, const char *words)
{
    struct play *play = play_of(host);

    text_copy(play->why, sizeof(play->why), words);
}

static void on_exchanged(struct adapter_host *host, uint32_t device,
                         const struct adapter_exchange *exchange)
{
    (void)host;
    (void)device;
    assert_true(exchange->busy_us >= 0);
}

/* -- set up --------------------------------------------------------------------------------- */

static void read_lines(struct play *play, const char *path)
{
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    while (fgets(play->lines[play->n_lines], sizeof(play->lines[0]), file)) {
        char *line = play->lines[play->n_lines];

        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '\0' && line[0] != '#')
            play->n_lines++;
        assert_true(play->n_lines < LINES_MAX);
    }
    fclose(file);
}

static void add_devices(struct play *play)
{
    for (size_t i = 0; i < play->n_lines; i++) {
        const char *channels[CHANNELS + 1] = {NULL};
        size_t n = 0;

        if (strncmp(play->lines[i], "device ", 7) != 0)
            continue;
        while (i + 1 + n < play->n_lines && n < CHANNELS &&
               strncmp(play->lines[i + 1 + n], "channel ", 8) == 0) {
            channels[n] = play->lines[i + 1 + n] + 8;
            n++;
        }
        made_device(play->made, play->adapter, play->connect, play->lines[i] + 7, channels);
    }
}

static void make_bus(struct play *play)
{
    struct error err;

    assert_int_equal(strncmp(play->lines[0], "bus ", 4), 0);
    play->made = made_bus(play->adapter, play->lines[0] + 4);
    add_devices(play);
    play->adapter->check(&play->made->config, play->made->problems);
    if (problems_errors(play->made->problems))
        fail_msg("%s", problems_line(play->made->problems, 0));
    play->host = (struct adapter_host){.loop = play->loop,
                                       .report = on_report,
                                       .scratch = on_scratch,
                                       .end = on_end,
                                       .link = on_link,
                                       .note = on_note,
                                       .exchanged = on_exchanged,
                                       .learnt = made_learnt,
                                       .recall = made_recall};
    assert_int_equal(play->adapter->open(&play->made->config, &play->host, &play->bus, &err), 0);
}

static void listen_on_loopback(struct play *play)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);

    play->peer = -1;
    play->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(play->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(play->listener, 8), 0);
    getsockname(play->listener, (struct sockaddr *)&address, &size);
    snprintf(play->connect, sizeof(play->connect), "%s://127.0.0.1:%u", play->adapter->scheme,
             ntohs(address.sin_port));
}

static void a_transcript_is_kept(void **state)
{
    struct play *play = calloc(1, sizeof(*play));
    pthread_t peer;

    play->adapter = strstr(*state, "/modbus_rtu_") ? &modbus_rtu_tcp_adapter : &modbus_tcp_adapter;
    read_lines(play, *state);
    listen_on_loopback(play);
    play->loop = loop_new();
    play->deadline = timer_new(play->loop, on_deadline, play);
    play->tick = timer_new(play->loop, on_tick, play);
    make_bus(play);
    assert_int_equal(pthread_create(&peer, NULL, run_peer, play), 0);
    for (size_t i = 0; i < play->n_lines; i++)
        play_line(play, play->lines[i]);
    play->adapter->close(play->bus);
    timer_free(play->deadline);
    timer_free(play->tick);
    loop_free(play->loop);
    pthread_join(peer, NULL);
    assert_string_equal(play->complaint, "");
    close(play->listener);
    made_free(play->made);
    free(play);
}

int main(void)
{
    struct CMUnitTest tests[100];
    glob_t found;
    size_t n = 0;
    int failed;

    signal(SIGPIPE, SIG_IGN);
    if (glob(WIRE_FOLDER "/modbus_tcp_*.txt", 0, NULL, &found) != 0 ||
        glob(WIRE_FOLDER "/modbus_rtu_*.txt", GLOB_APPEND, NULL, &found) != 0)
        return 1;
    for (; n < found.gl_pathc && n < sizeof(tests) / sizeof(*tests); n++)
        tests[n] = (struct CMUnitTest){strrchr(found.gl_pathv[n], '/') + 1, a_transcript_is_kept,
                                       NULL, NULL, found.gl_pathv[n]};
    failed = _cmocka_run_group_tests("wire", tests, n, NULL, NULL);
    globfree(&found);
    return failed;
}
