/* Adapter: the contract of whoever talks to devices. For those who write one; who runs them
 * includes adapters.h.
 *
 * An adapter turns the bytes of one kind of wire into samples. It knows no MQTT, no rules, no
 * registry, and no due times: schedule.c asks, it answers. It is one folder or file with one const
 * struct adapter for each scheme and one line in adapters.c. All state hangs on the bus that open()
 * made. A bus here is the part of a configured bus that shares a scheme. */
#pragma once

#include "gateway/base/error.h"
#include "gateway/base/problem.h"
#include "gateway/base/reading.h"
#include "gateway/base/setting.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

/* What open() is given; borrowed until it returns: copy what is kept. The sections were checked
 * against the adapter's tables (and the core's); channels and devices are known by their index from
 * here on. */
struct channel_config {
    const char *name;
    const struct section *options;
    int64_t every_ms; /* longer than its device's; 0: read with each poll */
};
struct device_config {
    const char *name;
    const char *connect; /* whole, with the scheme: the device's own, its bus's, or the default */
    int64_t every_ms;    /* 0: as fast as it answers */
    const struct section *options;
    const struct channel_config *channels; /* gone when open() is through, also for the runner */
    size_t n_channels;
};
struct bus_config {
    const char *name;
    const char *connect; /* whole: that of all its devices, also when it has none yet */
    const struct section *options;
    const struct device_config *devices;
    size_t n_devices;
};

/* What a channel is, for those who show it. */
enum channel_kind {
    CHANNEL_NUMBER, /* a measured number */
    CHANNEL_BINARY, /* 0 or 1: coil, discrete input, bit */
    CHANNEL_TEXT,   /* string, enumeration */
    CHANNEL_EVENT,  /* a text for each thing that happens; options are all that there are */
};
struct channel_traits {
    enum channel_kind kind;
    int decimals; /* that its scale can show; -1: as many as the number has */
};

/* One state of an enumeration: what it reads as, and the number by which it is written. Or a kind
 * of event: its text. */
struct channel_option {
    double number;
    char text[SAMPLE_TEXT_SIZE];
};

/* A line before it is used. */
struct adapter_forecast {
    double share; /* of its time that polls will take; devices without an interval do not count */
    int64_t cycle_us; /* for one poll of everything */
};

/* A value for a channel that may be written, in the channel's own unit: the adapter turns scale and
 * offset back. Of an enumeration it is the number of the option; other texts are not written. */
struct write_request {
    uint32_t device, channel;
    double number;
};

/* How one request to a device went, for the counters. */
struct adapter_exchange {
    uint8_t quality;   /* QUALITY_GOOD or an exception: it replied; else why there is no reply */
    bool reconnected;  /* its connection or line had to be opened for it, not for the first time */
    uint32_t foreign;  /* frames for others that came meanwhile, late replies among them */
    int64_t answer_us; /* until the reply was there */
    int64_t busy_us;   /* in which its connection or line could serve nobody else, pauses included;
                          time that several requests share is told with one of them */
};

/* A device that an adapter has found by itself. It becomes part of the running config as if
 * somebody had written `NAME: { bus = "..."; KEY = "VALUE" }`; complete() then adds what is known
 * of it. All texts are borrowed for the call. */
struct adapter_found {
    const char *name;        /* a slug, the same at every start */
    const char *key, *value; /* the option by which its adapter knows it: "address" */
    const char *what;        /* for the log: "DS18B20 28-0316a2794aff" */
};

/* What somebody asks on a line beside its polls, a person or another master: raw, as the protocol
 * of the adapter has it. */
struct adapter_answer {
    uint8_t quality;
    uint8_t bytes[255]; /* with QUALITY_GOOD: what the answer holds */
    size_t count;
};
#define ADAPTER_QUESTION_DATA 8
struct adapter_question {
    uint8_t unit, function;
    uint16_t address, count;
    uint8_t data[ADAPTER_QUESTION_DATA]; /* what a write carries, as on the wire */
    int64_t timeout_ms;
    int64_t fresh_ms; /* what was read already is as good when it is not older; 0: ask */
    /* On the loop, exactly once; also when the bus is closed before. */
    void (*done)(void *asker, const struct adapter_answer *answer);
    void *asker;
};

#define ADAPTER_LEARNT_SIZE 256 /* with the end of the text */

/* The side that the adapter calls. Made by the runner; one for each bus. */
struct adapter_host {
    struct loop *loop; /* for adapters with begin(); workers leave it alone */

    /* Samples of one device, several calls for one poll are joined; a channel has one in it. A
     * channel of events has a text when something has happened, else QUALITY_QUIET. From poll(): on
     * the worker.
     * From begin(): on the loop, before end(). What pushes: on the loop, each call is a poll of its
     * own. */
    void (*report)(struct adapter_host *host, uint32_t device, const struct sample *samples,
                   size_t count);

    /* Room for one sample of each channel of any device of the bus, to build in what report() is
     * given next. Loop only. Asked for once in open(), where NULL means that memory is out, it is
     * there from then on. */
    struct sample *(*scratch)(struct adapter_host *host);

    /* The one end of begin() and begin_write(): QUALITY_GOOD when the device answered at all
     * (single channels may be bad), else why not; then all its channels count as bad for that
     * reason. Loop only. */
    void (*end)(struct adapter_host *host, uint64_t ticket, uint8_t quality);

    /* A connection or line of this bus came up (why = NULL) or went down. Said once for each
     * change, logged by the runner: `link` names it ("192.168.1.50:502", "/dev/ttyUSB0"), `why`
     * says what happened and what to do. Same thread as report(). */
    void (*link)(struct adapter_host *host, const char *link, const char *why);

    /* A request of this device is over: once for each, before the report or the end that comes of
     * it. Same thread as report(). */
    void (*exchanged)(struct adapter_host *host, uint32_t device,
                      const struct adapter_exchange *exchange);

    /* Asks a question on the line or connection of a device, behind its polls, with ask() or
     * begin_ask() only. Loop only, not from inside open(). 0; -ENODEV, -ENOBUFS: it is not asked.
     */
    int (*ask)(struct adapter_host *host, uint32_t device, const struct adapter_question *question);

    /* Something that whoever runs this bus may want to know once, logged as it is: "28-...: its
     * resolution stays at 12 bits: Permission denied". Same thread as report(). */
    void (*note)(struct adapter_host *host, const char *words);

    /* What it knows of a device by now and would have to find out anew after a restart, in short
     * words of its own: the next open() gets them from recall(), NULL when there are none. Same
     * thread as report(); recall() only from inside open(), borrowed until that returns. */
    void (*learnt)(struct adapter_host *host, uint32_t device, const char *words);
    const char *(*recall)(struct adapter_host *host, uint32_t device);

    /* It has found a device that is not in its config, on a bus with `discover = true`. May be said
     * again and again. The bus is opened anew with it some time later. Loop only, whatever the way
     * of polling. */
    void (*appear)(struct adapter_host *host, const struct adapter_found *found);
};

struct adapter {
    const char *word;            /* `adapter = "modbus"` */
    const char *scheme;          /* `connect = "tcp://..."`: what stands before the first ':' */
    const char *default_connect; /* when neither device nor bus has `connect`; NULL: required */
    uint16_t default_port;       /* of addresses without one; 0: they have none */
    const char *connect_help;    /* for messages, with its quotes: "tcp://HOST[:PORT]" */
    const struct setting *bus, *device,
        *channel;  /* its own options beside the core's; may be NULL */
    bool paced;    /* heeds the intervals of single channels */
    bool network;  /* its polls snap to the grid on which wake-ups are gathered */
    bool together; /* its devices are due at one time: they can be measured at once */

    /* After so long a poll or write is given up, with poll() only: its lane is left alone until it
     * comes back, the others go on. 0: never, since the adapter has time-outs of its own. */
    int64_t deadline_ms;

    /* May be NULL. Puts into a device's section what the adapter knows: the channels of a template,
     * the `temp` of a 1-Wire sensor. Before the channels are checked. What a person wrote wins. */
    void (*complete)(struct section *device, struct problems *problems);

    /* Says all that is wrong with the options beyond their tables: addresses, overlaps, types that
     * do not fit. Pure: opens nothing. */
    void (*check)(const struct bus_config *config, struct problems *problems);

    /* How much of its line's time a checked bus will take. May be NULL: there is no telling. false
     * without memory. */
    bool (*forecast)(const struct bus_config *config, struct adapter_forecast *ret);

    /* What a checked channel is. May be NULL: CHANNEL_NUMBER, -1. */
    struct channel_traits (*traits)(const struct section *channel);

    /* The i-th option of a checked channel, in the order in which people shall see them; false
     * behind the last. May be NULL: no channel is an enumeration. */
    bool (*option)(const struct section *channel, size_t i, struct channel_option *ret);

    /* Makes the bus. Does not block and does not fail because a device or line is away: that is
     * told by poll results. `config` was passed by check(). 0, or -ENOMEM and the like with
     * `reterr`. */
    int (*open)(const struct bus_config *config, struct adapter_host *host, void **ret_bus,
                struct error *reterr);
    void (*close)(void *bus); /* no poll is under way; NULL is legal */

    /* Looks for new devices at once, and not only when it is time. On the loop. May be NULL: it
     * finds none by itself. */
    void (*look)(void *bus);

    /* Exactly one of poll and begin, or neither (what pushes).
     *
     * poll: blocks, on the worker of `lane`. A lane is one blocking line: a serial line, a 1-Wire
     * master. Returns as end() above. lanes() says how many there are, lane_of() which one a device
     * is on now (-1: none, it is away). lane_of() runs on the loop, possibly beside poll(). */
    uint8_t (*poll)(void *bus, uint32_t device, uint32_t lane);
    uint32_t (*lanes)(void *bus);
    int32_t (*lane_of)(void *bus, uint32_t device);

    /* Writes one channel, on the worker as poll(). QUALITY_GOOD when the device has confirmed it.
     * NULL: nothing on such a bus can be written. */
    uint8_t (*write)(void *bus, const struct write_request *request, uint32_t lane);

    /* Asks a question, on the worker as poll(). NULL: only polls and writes are for such a bus. */
    void (*ask)(void *bus, const struct adapter_question *question, uint32_t lane,
                struct adapter_answer *ret);

    /* begin: asks, on the loop, and returns; exactly one host->end(ticket) follows, never from
     * inside begin(), within the adapter's own time-outs. One ticket a device at a time. */
    void (*begin)(void *bus, uint32_t device, uint64_t ticket);

    /* The same for a write; goes ahead of polls that wait for the same connection. `request` is
     * borrowed for the call. Beside polls of the device; one write a channel at a time. */
    void (*begin_write)(void *bus, const struct write_request *request, uint64_t ticket);

    /* The same for a question, on the connection of a device: 0, and its done() is called, never
     * from inside begin_ask(); or -ENOMEM. NULL as for ask(). */
    int (*begin_ask)(void *bus, uint32_t device, const struct adapter_question *question);
};

/* -- help for writers -------------------------------------------------------------------------- */

/* Splits "scheme:rest" or "scheme://host:port/path" of connect. `host` gets no brackets, `port`
 * keeps its value where the text has none. 0 or -EINVAL. */
struct address {
    char host[256];
    uint16_t port;
};
int address_parse(const char *connect, uint16_t default_port, struct address *ret_address);

/* Whether two addresses lead to the same place, also by other names of the same device file, or
 * where one of them leaves out the port that is meant then. */
bool connect_is_same(const char *a, const char *b, uint16_t default_port);

/* The rest after "scheme:" (and "//" if there): "/dev/ttyUSB0". Borrowed from `connect`. */
const char *connect_path(const char *connect);
