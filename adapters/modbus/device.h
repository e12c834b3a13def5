/* Device: one Modbus device with its channels and the reads that get them, and how one poll of it
 * goes on, whatever the wire. No I/O; the thread that polls it. */
#pragma once

#include "adapters/modbus/options.h"

struct mb_held;

struct mb_device {
    uint8_t unit;
    bool away; /* the last poll failed: the next is a short probe, asked once */
    unsigned retries;
    unsigned max_registers; /* of one read */
    int64_t timeout_ms, every_ms;
    struct mb_channel *channels;
    struct mb_block *blocks;
    uint32_t *order;               /* of channels, as blocks name them */
    struct mb_request *greetings;  /* written before the first read */
    uint32_t n_greetings, greeted; /* how many of them it has taken since it is there */
    uint8_t refusal;               /* why the last one that it refused was; 0: none was */
    uint32_t n_channels, n_blocks;
    struct mb_held *held; /* what it answered, for others who ask; NULL: nobody does */
    uint32_t first_block; /* a poll begins with it: a failed one lets the next try another block */
    struct mb_poll {
        int64_t began_ms;
        bool whole;    /* everything is due: nothing else would be */
        uint32_t done; /* blocks that are over, or not due */
        bool answered;
        bool halved;     /* it has cut blocks, */
        bool proven;     /* and read a part of one (cuts.h) */
        uint8_t silent;  /* blocks without an answer, after one with */
        uint8_t quality; /* why the poll failed */
    } poll;
};

/* `config` was passed by the check. 0, -ENOMEM or -EINVAL with `reterr`. Release with
 * mb_device_clear(), also after a failure. */
int mb_device_init(struct mb_device *device, const struct mb_bus_options *bus,
                   const struct device_config *config, struct error *reterr);
void mb_device_clear(struct mb_device *device);

/* From now on it keeps what it is answered (held.h). 0 or -ENOMEM. */
int mb_device_hold(struct mb_device *device);

/* Somebody has written to it: what it has kept may not hold any more. */
void mb_device_forget(struct mb_device *device);

/* A poll asks block after block; those that are wanted less often only when they are due, and all
 * of them after a poll that failed. A device that has not answered yet is given up after the first
 * block that stays silent; one that has, after the second: devices that keep silent about an
 * address that they do not know lose that block only.
 *
 * A block that is refused with exception 2 or 3 is split, and stays so: some devices give fewer
 * registers at once than the protocol allows, or lack one in the midst of others.
 *
 * Before all that, until it has taken them and after each time that it was away, go its greetings.
 *
 *   mb_poll_start(now); while ((request = mb_poll_request())) mb_poll_take(); mb_poll_quality() */
void mb_poll_start(struct mb_device *device, int64_t now_ms);

/* Its connection or line was opened anew: it is greeted again, also within a poll. */
void mb_poll_greet(struct mb_device *device);

/* Words about a greeting that was refused, once; false mostly. */
bool mb_poll_complaint(struct mb_device *device, char *words, size_t size);

/* Tells the host what a poll that is over has left to say: a greeting that was refused, and what
 * cuts.h has learnt. */
struct adapter_host;
void mb_poll_tell(struct mb_device *device, struct adapter_host *host, uint32_t index);

/* The next poll reads this channel, however often it is wanted: it was written. */
void mb_poll_want(struct mb_device *device, uint32_t channel);

/* What to ask now; NULL when the poll is over. */
const struct mb_request *mb_poll_request(const struct mb_device *device);

/* Whether a request that was sent `tries` times and ended with `quality` is worth sending again:
 * after silence as often as `retries` says, less for one that is away; when the device was busy,
 * after some other request or MB_BUSY_MS. */
bool mb_poll_again(const struct mb_device *device, uint8_t quality, unsigned tries);
bool mb_poll_is_busy(uint8_t quality); /* exception 6 */
#define MB_BUSY_MS 50

/* Takes how the request ended: QUALITY_GOOD with mb_answer_bytes() of data, an exception, or why
 * there is no answer; QUALITY_DISCONNECTED ends the poll. Returns how many `samples` there are to
 * be reported now; there must be room for all channels. */
size_t mb_poll_take(struct mb_device *device, uint8_t quality, const uint8_t *data, int64_t at_ms,
                    struct sample *samples);

/* For the host's end(): QUALITY_GOOD when it answered at all. Ends the poll. */
uint8_t mb_poll_quality(struct mb_device *device);
