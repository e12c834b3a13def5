#include "adapters/modbus/pending.h"

#include "gateway/base/reading.h"

#include <string.h>

/* Longer by more than this is a load for slow lines, and slaves that are this far behind are as
 * good as away. */
#define LONGER_MAX 6

static void forget(struct mb_pending *pending, size_t count)
{
    pending->n = (uint8_t)(pending->n - count);
    memmove(pending->asked, pending->asked + count, pending->n * sizeof(*pending->asked));
}

static void forget_old(struct mb_pending *pending, int64_t now_ms)
{
    size_t old = 0;

    while (old < pending->n && now_ms - pending->asked[old].at_ms >= MB_LATE_MS)
        old++;
    forget(pending, old);
}

/* Whether an older request could be answered in the way of this one. Answers to writes repeat what
 * was written, but not so much of it that two of them could be told apart. */
static bool is_mistakable(const struct mb_pending *pending, const struct mb_request *request)
{
    for (size_t i = 0; i < pending->n; i++) {
        const struct mb_asked *asked = &pending->asked[i];

        if (asked->function == request->function && asked->answer == mb_answer_length(request) &&
            request->function != MB_DIAGNOSE)
            return true;
    }
    return false;
}

/* Makes the request one register (or byte of bits) longer; false when that cannot be. */
static bool lengthen(struct mb_request *request, unsigned max_registers)
{
    bool bits = mb_reads_bits(request->function);
    unsigned count = request->count + (bits ? 8u : 1u);

    if (!mb_is_read(request->function) || count > (bits ? MB_BITS_MAX : max_registers) ||
        request->address + count > 65536)
        return false;
    request->count = (uint16_t)count;
    return true;
}

static bool vary(const struct mb_pending *pending, struct mb_request *request,
                 unsigned max_registers)
{
    for (int i = 0; i <= LONGER_MAX; i++) {
        if (!is_mistakable(pending, request))
            return true;
        if (pending->strict || !lengthen(request, max_registers))
            return false;
    }
    return false;
}

enum mb_ask mb_pending_next(struct mb_pending *pending, const struct mb_request *wanted,
                            unsigned max_registers, int64_t now_ms, struct mb_request *ret)
{
    enum mb_ask how = MB_ASK;

    forget_old(pending, now_ms);
    if (pending->n == MB_PENDING_MAX)
        return MB_HOLD;
    *ret = *wanted;
    if (!vary(pending, ret, max_registers)) {
        how = MB_ECHO;
        pending->echo++;
        *ret = (struct mb_request){
            .function = MB_DIAGNOSE,
            .data = {(uint8_t)(pending->echo >> 8), (uint8_t)pending->echo},
        };
    }
    pending->asked[pending->n++] = (struct mb_asked){
        .at_ms = now_ms,
        .answer = (uint16_t)mb_answer_length(ret),
        .function = ret->function,
        .longer = how == MB_ASK && ret->count != wanted->count,
    };
    return how;
}

/* An exception names its function only: it answers the oldest request of that at least, and with it
 * all before. True when no other could be meant than the last. */
static bool take_exception(struct mb_pending *pending, uint8_t function)
{
    size_t at = 0;

    while (pending->asked[at].function != function)
        at++;
    forget(pending, at + 1);
    return pending->n == 0;
}

uint8_t mb_pending_end(struct mb_pending *pending, uint8_t quality)
{
    struct mb_asked last = pending->asked[pending->n - 1];
    bool sure = true;

    if (quality != QUALITY_GOOD && quality <= QUALITY_EXCEPTION)
        return quality;
    if (quality == QUALITY_GOOD)
        pending->n = 0; /* nothing else could be answered like this */
    else
        sure = take_exception(pending, last.function);
    if (last.function == MB_DIAGNOSE)
        return MB_AGAIN;
    if (last.longer && (quality == QUALITY_EXCEPTION + 2 || quality == QUALITY_EXCEPTION + 3)) {
        pending->strict = true;
        return MB_AGAIN;
    }
    return sure ? quality : QUALITY_TIMEOUT;
}
