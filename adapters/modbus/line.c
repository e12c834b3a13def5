#include "adapters/modbus/line.h"

#include "adapters/modbus/diagnose.h"
#include "adapters/modbus/forecast.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/serial.h>
#include <modbus/modbus.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS INT64_C(1000000)
/* Bytes of one answer follow each other within this: USB adapters hand them on in lumps of 16 ms.
 */
#define GAP_NS (50 * NS_PER_MS)
/* A line that talks on and on is given this long to be quiet before a request. */
#define BABBLE_NS (1000 * NS_PER_MS)

struct mb_line {
    char *path;
    struct mb_bus_options options;
    modbus_t *modbus; /* NULL while closed */
    int lock;         /* a descriptor of its own that holds the lock */
    int fd;           /* libmodbus' */
    int64_t char_ns, silence_ns;
    int64_t sent_ns;  /* CLOCK_MONOTONIC: when the last byte of a request went over the line */
    int64_t heard_ns; /* likewise: when the last byte of a frame went over the line */
    int64_t ready_ns; /* when the next request may begin */
    bool echoes;      /* what is sent comes back first: two-wire adapters that hear themselves */
    bool echo_over;   /* of the present request: taken off, or there was none */
    struct mb_symptoms symptoms;
    uint32_t foreign;
    char words[200];
    size_t n_sent, n_in;
    uint8_t sent[MB_RTU_MAX];
    uint8_t in[2 * MB_RTU_MAX];
};

/* -- time ----------------------------------------------------------------------------------- */

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
}

static void sleep_until(int64_t at_ns)
{
    struct timespec at = {at_ns / (1000 * NS_PER_MS), at_ns % (1000 * NS_PER_MS)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
        ;
}

/* The line was in use until `at_ns`. */
static void heard(struct mb_line *line, int64_t at_ns)
{
    line->heard_ns = at_ns;
    line->ready_ns = at_ns + line->silence_ns;
}

/* -- opening -------------------------------------------------------------------------------- */

struct mb_line *mb_line_new(const char *path, const struct mb_bus_options *options)
{
    struct mb_line *line = calloc(1, sizeof(*line));

    if (!line)
        return NULL;
    line->path = strdup(path);
    line->options = *options;
    line->lock = line->fd = -1;
    line->char_ns = mb_char_ns(options);
    line->silence_ns = mb_silence_ns(options);
    if (!line->path) {
        free(line);
        return NULL;
    }
    return line;
}

void mb_line_free(struct mb_line *line)
{
    if (!line)
        return;
    mb_line_close(line);
    free(line->path);
    free(line);
}

bool mb_line_is_open(const struct mb_line *line)
{
    return line->modbus != NULL;
}

void mb_line_close(struct mb_line *line)
{
    if (line->fd >= 0)
        (void)ioctl(line->fd, TIOCNXCL); /* a pty outlives this, and so would its mark */
    if (line->modbus) {
        modbus_close(line->modbus);
        modbus_free(line->modbus);
    }
    if (line->lock >= 0)
        close(line->lock);
    line->modbus = NULL;
    line->fd = line->lock = -1;
}

static int explain(const struct mb_line *line, int code, struct error *reterr)
{
    switch (-code) {
    case ENOENT:
        return error_set(
            reterr, code,
            "no such file: is the stick plugged in? ls /dev/serial/by-id shows what is");
    case EACCES:
    case EPERM:
        return error_set(reterr, code, "no permission: is our user in the group of %s (dialout)?",
                         line->path);
    case EBUSY:
        return error_set(reterr, code, "held by another program: lsof %s shows which", line->path);
    case EOPNOTSUPP:
        return error_set(reterr, code,
                         "its driver cannot switch RS-485: leave `rs485` out where the adapter "
                         "switches by itself, as most do; or try rs485 = \"rts\"");
    case ENOTTY:
        return error_set(reterr, code, "this is no serial line");
    default:
        return error_set(reterr, code, "%s", strerror(-code));
    }
}

/* The lock comes first: a line that somebody else works on must not even get other settings. */
static int take_lock(struct mb_line *line)
{
    line->lock = open(line->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (line->lock < 0)
        return -errno;
    if (!isatty(line->lock))
        return -ENOTTY;
    if (flock(line->lock, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        return -EBUSY;
    return 0;
}

static int set_line(struct mb_line *line)
{
    line->modbus = modbus_new_rtu(line->path, line->options.baud, line->options.parity, 8,
                                  line->options.stop_bits);
    if (!line->modbus)
        return -errno;
    if (modbus_connect(line->modbus) < 0)
        return errno ? -errno : -EIO;
    line->fd = modbus_get_socket(line->modbus);
    if (mb_rs485_open(&line->options.rs485, line->fd) < 0)
        return -EOPNOTSUPP;
    (void)ioctl(line->fd, TIOCEXCL); /* for programs that do not know the lock; not all lines can */
    return 0;
}

int mb_line_open(struct mb_line *line, struct error *reterr)
{
    int result = take_lock(line);

    if (result == 0)
        result = set_line(line);
    if (result < 0) {
        mb_line_close(line);
        return explain(line, result, reterr);
    }
    /* The kernel may be 50 us late with every sleep of a thread: two of them are a good part of a
     * character. This is the worker's own thread. */
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    line->echoes = line->options.echo;
    line->symptoms = (struct mb_symptoms){.echo_known = line->options.echo};
    modbus_flush(line->modbus);
    heard(line, now_ns());
    mb_line_pause(line, line->options.pause_connect_ms);
    return 0;
}

void mb_line_pause(struct mb_line *line, int64_t ms)
{
    int64_t until_ns = line->heard_ns + ms * NS_PER_MS;

    if (until_ns > line->ready_ns)
        line->ready_ns = until_ns;
}

/* -- bytes ---------------------------------------------------------------------------------- */

/* Adds what has come to what is there: how many bytes, or -Exxx when the line is gone. */
static ssize_t read_some(struct mb_line *line)
{
    ssize_t n;

    if (line->n_in == sizeof(line->in))
        line->n_in = 0; /* nobody answers this long: noise */
    n = read(line->fd, line->in + line->n_in, sizeof(line->in) - line->n_in);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if (n > 0)
        heard(line, now_ns());
    line->n_in += (size_t)n;
    return n;
}

/* Waits for bytes until `at_ns`: 1 when there are some, 0, or -Exxx when the line is gone. To the
 * millisecond, for ppoll() cannot be had: with _FORTIFY_SOURCE, glibc 2.36 takes the 64 bits of our
 * time for its 32 on armhf, and waits not at all. */
static int wait_readable(const struct mb_line *line, int64_t at_ns)
{
    struct pollfd fd = {line->fd, POLLIN, 0};
    int64_t rest_ns = at_ns - now_ns();
    int r = poll(&fd, 1, rest_ns > 0 ? (int)((rest_ns + NS_PER_MS - 1) / NS_PER_MS) : 0);

    if (r < 0)
        return errno == EINTR ? 0 : -errno;
    if (fd.revents & (POLLHUP | POLLERR | POLLNVAL))
        return -EIO;
    return r;
}

/* What came is not for us, unless it is our own request on a line of which we did not know that it
 * echoes. */
static void overhear(struct mb_line *line)
{
    bool own = line->n_in >= line->n_sent && memcmp(line->in, line->sent, line->n_sent) == 0;
    size_t skip = own ? line->n_sent : 0;

    line->foreign += mb_rtu_is_foreign(line->in + skip, line->n_in - skip);
    mb_symptoms_overhear(&line->symptoms, line->in + skip, line->n_in - skip);
}

/* Throws away what has come, until the line has been silent for as long as it must be before a
 * request. */
static int quieten(struct mb_line *line)
{
    int64_t began_ns = now_ns();

    for (;;) {
        ssize_t n;

        sleep_until(line->ready_ns);
        line->n_in = 0;
        n = read_some(line);
        if (n <= 0)
            return (int)n;
        overhear(line);
        if (now_ns() > began_ns + BABBLE_NS)
            return -EBUSY;
    }
}

/* -- asking --------------------------------------------------------------------------------- */

static int send_request(struct mb_line *line, uint8_t unit, const struct mb_request *request)
{
    size_t length = 1 + mb_pdu_build(request, line->sent + 1);
    int64_t over_ns, now;
    uint16_t crc;
    int result;

    line->sent[0] = unit;
    crc = mb_crc(line->sent, length);
    line->sent[length] = (uint8_t)crc;
    line->sent[length + 1] = (uint8_t)(crc >> 8);
    line->n_sent = length + 2;
    line->echo_over = false;
    result = mb_rs485_begin(&line->options.rs485, line->fd);
    if (result == 0 && modbus_send_raw_request(line->modbus, line->sent, (int)length) < 0)
        result = errno > 0 && errno < MODBUS_ENOBASE ? -errno : -EIO;
    over_ns = now_ns() + (int64_t)line->n_sent * line->char_ns;
    if (result == 0)
        result = mb_rs485_end(&line->options.rs485, line->fd);
    now = now_ns();
    heard(line, now > over_ns ? now : over_ns);
    return result;
}

/* Takes our own request off the front of what has come. No answer to a read looks like its request,
 * so reads show whether the line echoes; the answer to a write does, and without this the echo of
 * one that nobody heard would confirm it. True when what is left may be looked at. */
static bool strip_echo(struct mb_line *line, const struct mb_request *request)
{
    size_t n = line->n_in < line->n_sent ? line->n_in : line->n_sent;
    bool same = memcmp(line->in, line->sent, n) == 0;

    if (line->echo_over)
        return true;
    if (same && n < line->n_sent)
        return !line->echoes;
    line->echo_over = true;
    if (mb_is_read(request->function))
        line->echoes = same;
    if (same && line->echoes) {
        line->n_in -= n;
        memmove(line->in, line->in + n, line->n_in);
    }
    return true;
}

/* How many bytes are missing at least, by what has come so far. */
static size_t missing(const struct mb_line *line, const struct mb_request *request)
{
    bool good = line->n_in >= 2 && line->in[1] == request->function;
    size_t whole = good ? 3 + mb_answer_length(request) : 5;

    return line->n_in < whole ? whole - line->n_in : 0;
}

/* While an answer comes in there is nothing to do: sleeping over most of it costs one wake-up,
 * waiting for every byte two dozen. Bytes cannot come faster than the line carries them, so nothing
 * is late. */
static void sleep_over(const struct mb_line *line, const struct mb_request *request)
{
    size_t chars = missing(line, request);

    if (line->n_in > 0 && chars > 2)
        sleep_until(line->heard_ns + (int64_t)(chars - 2) * line->char_ns);
}

/* Until when the rest of an answer may come; `begin_ns` is for its beginning. Foreign frames use up
 * no patience, damaged ones do: they were the answer. */
static int64_t patience_ns(const struct mb_line *line, int64_t begin_ns)
{
    if (line->n_in == 0 || mb_rtu_is_foreign(line->in, line->n_in))
        return begin_ns;
    return line->heard_ns + GAP_NS;
}

static uint8_t why_not(const struct mb_line *line)
{
    if (line->n_in == 0)
        return QUALITY_TIMEOUT;
    return mb_rtu_is_foreign(line->in, line->n_in) ? QUALITY_PROTOCOL : QUALITY_CRC;
}

static int receive(struct mb_line *line, uint8_t unit, const struct mb_request *request,
                   int64_t begin_ns, uint8_t *ret_quality, const uint8_t **ret_data)
{
    int64_t end_ns = begin_ns + GAP_NS + MB_RTU_MAX * line->char_ns;

    for (;;) {
        int64_t until_ns = patience_ns(line, begin_ns);
        int r = wait_readable(line, until_ns < end_ns ? until_ns : end_ns);
        ssize_t n = r > 0 ? read_some(line) : r;

        if (n < 0)
            return (int)n;
        if (n == 0) {
            *ret_quality = why_not(line);
            return r > 0 ? -EIO : 0; /* readable without bytes: hung up */
        }
        if (strip_echo(line, request) &&
            mb_rtu_find(request, unit, line->in, line->n_in, ret_quality, ret_data))
            return 0;
        sleep_over(line, request);
    }
}

/* Some drivers count what is wrong with single characters. */
static void count_errors(struct mb_line *line)
{
    struct serial_icounter_struct counts;

    if (ioctl(line->fd, TIOCGICOUNT, &counts) < 0)
        return;
    line->symptoms.parity_errors = (uint32_t)counts.parity;
    line->symptoms.frame_errors = (uint32_t)counts.frame;
}

static void note_symptoms(struct mb_line *line, uint8_t quality)
{
    mb_symptoms_add(&line->symptoms, quality, line->in, line->n_in);
    line->symptoms.echo = line->echoes;
    if (quality == QUALITY_CRC)
        count_errors(line);
    if (quality == QUALITY_PROTOCOL)
        overhear(line);
}

uint8_t mb_line_ask(struct mb_line *line, uint8_t unit, const struct mb_request *request,
                    int64_t timeout_ms, const uint8_t **ret_data, struct error *reterr)
{
    uint8_t quality = QUALITY_DISCONNECTED;
    int result = quieten(line);

    if (result == -EBUSY)
        return QUALITY_PROTOCOL; /* somebody talks without a pause */
    if (result == 0)
        result = send_request(line, unit, request);
    line->sent_ns = line->heard_ns;
    if (result == 0)
        result = receive(line, unit, request, line->sent_ns + timeout_ms * NS_PER_MS, &quality,
                         ret_data);
    if (result == 0) {
        note_symptoms(line, quality);
        return quality;
    }
    mb_line_close(line);
    error_set(reterr, result, "the line is gone (%s): was the stick pulled?", strerror(-result));
    return QUALITY_DISCONNECTED;
}

int64_t mb_line_answer_us(const struct mb_line *line)
{
    int64_t took_ns = line->heard_ns - line->sent_ns;

    return took_ns > 0 ? took_ns / 1000 : 0; /* a pty answers while we think it still sends */
}

const char *mb_line_diagnose(struct mb_line *line)
{
    const struct mb_bus_options *o = &line->options;
    enum mb_fault fault = mb_symptoms_diagnose(&line->symptoms);
    char framing[24];

    if (fault == MB_FAULT_NONE)
        return NULL;
    snprintf(framing, sizeof(framing), "%d 8%c%d", o->baud, o->parity, o->stop_bits);
    return mb_fault_explain(fault, &line->symptoms, framing, line->words, sizeof(line->words));
}

uint32_t mb_line_take_foreign(struct mb_line *line)
{
    uint32_t foreign = line->foreign;

    line->foreign = 0;
    return foreign;
}
