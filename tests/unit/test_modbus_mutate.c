/* Replies that went wrong on the way: whatever is cut, doubled, shifted, spliced or flipped, no
 * value comes of it that the true reply did not hold.
 *
 * Modbus TCP has no check sum: there the bytes of values are left alone, and everything around them
 * is not. In RTU anything is flipped that its CRC promises to find: up to three bits, or a burst of
 * 16. The seed is always the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/modbus/decode.h"
#include "adapters/modbus/framing.h"

#include <stdlib.h>
#include <string.h>

#define MUTATIONS  1000000
#define STREAM_MAX (3 * MB_FRAME_MAX)
#define UNIT       17
#define NUMBER     0x1234

static uint64_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((random_state >> 33) % below);
}

/* -- a reply -------------------------------------------------------------------------------- */

struct reply {
    const struct mb_framing *framing;
    struct mb_request request;
    uint8_t data[2 * MB_REGISTERS_MAX]; /* the values that it holds */
    uint8_t bytes[STREAM_MAX];          /* the frame, later what became of it */
    size_t count, first_value;          /* where its values begin */
};

static void seal(struct reply *reply, size_t pdu_length)
{
    uint16_t crc;

    if (reply->framing->numbered) {
        reply->count = mb_mbap_build(reply->bytes, NUMBER, UNIT, pdu_length);
        return;
    }
    reply->bytes[0] = UNIT;
    crc = mb_crc(reply->bytes, 1 + pdu_length);
    reply->bytes[1 + pdu_length] = (uint8_t)crc;
    reply->bytes[2 + pdu_length] = (uint8_t)(crc >> 8);
    reply->count = pdu_length + 3;
}

static void make_reply(struct reply *reply, const struct mb_framing *framing)
{
    static const uint8_t functions[] = {MB_READ_COILS, MB_READ_DISCRETES, MB_READ_HOLDINGS,
                                        MB_READ_INPUTS};
    size_t head = framing->numbered ? 7 : 1, bytes;
    uint8_t *pdu = reply->bytes + head;

    *reply = (struct reply){.framing = framing};
    reply->request.function = functions[draw(4)];
    reply->request.count = (uint16_t)(1 + draw(12));
    bytes = mb_answer_bytes(&reply->request);
    for (size_t i = 0; i < bytes; i++)
        reply->data[i] = (uint8_t)draw(256);
    pdu[0] = reply->request.function;
    pdu[1] = (uint8_t)bytes;
    memcpy(pdu + 2, reply->data, bytes);
    reply->first_value = head + 2;
    seal(reply, 2 + bytes);
}

/* -- what goes wrong ------------------------------------------------------------------------ */

static void cut(struct reply *reply)
{
    reply->count = draw((uint32_t)reply->count);
}

static void cut_front(struct reply *reply)
{
    size_t n = 1 + draw((uint32_t)reply->count - 1);

    reply->count -= n;
    memmove(reply->bytes, reply->bytes + n, reply->count);
}

/* Bytes out of nowhere before the frame. */
static void shift(struct reply *reply)
{
    size_t n = 1 + draw(6);

    memmove(reply->bytes + n, reply->bytes, reply->count);
    for (size_t i = 0; i < n; i++)
        reply->bytes[i] = (uint8_t)draw(256);
    reply->count += n;
}

static void double_it(struct reply *reply)
{
    memcpy(reply->bytes + reply->count, reply->bytes, reply->count);
    reply->count *= 2;
}

/* A part of a reply, and then another one: of other values and another length. In Modbus TCP not
 * within the values: that would be the same as other values. */
static void interrupt_it(struct reply *reply)
{
    struct reply other;
    size_t most = reply->framing->numbered ? reply->first_value - 1 : reply->count;
    size_t at = draw((uint32_t)most);

    do
        make_reply(&other, reply->framing);
    while (mb_answer_bytes(&other.request) == mb_answer_bytes(&reply->request));
    memcpy(reply->bytes + at, other.bytes, other.count);
    reply->count = at + other.count;
}

static void flip_head(struct reply *reply)
{
    for (uint32_t n = 1 + draw(3); n > 0; n--)
        reply->bytes[draw((uint32_t)reply->first_value)] ^= (uint8_t)(1 + draw(255));
}

static void lie_about_length(struct reply *reply)
{
    size_t at = reply->framing->numbered ? 4 + draw(2) : reply->first_value - 1;

    reply->bytes[at] = (uint8_t)(reply->bytes[at] + 1 + draw(255));
}

static void become_an_exception(struct reply *reply)
{
    reply->bytes[reply->first_value - 2] |= 0x80;
}

static void flip_bits(struct reply *reply)
{
    uint32_t first = draw((uint32_t)reply->count * 8);

    for (uint32_t n = 1 + draw(3); n > 0; n--) {
        uint32_t bit = n == 1 ? first : draw((uint32_t)reply->count * 8);

        reply->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void burst(struct reply *reply)
{
    uint32_t first = draw((uint32_t)reply->count * 8 - 16), bits = 1 + draw(0xffff);

    for (uint32_t i = 0; i < 16; i++)
        reply->bytes[(first + i) / 8] ^= (uint8_t)((bits >> i & 1) << (first + i) % 8);
}

/* The first ones change no byte that a value has. */
static void (*const ways[])(struct reply *reply) = {
    cut,
    cut_front,
    shift,
    double_it,
    interrupt_it,
    flip_head,
    lie_about_length,
    become_an_exception,
    flip_bits,
    burst,
};
#define WAYS_TCP 8
#define WAYS_RTU (sizeof(ways) / sizeof(*ways))

/* -- what comes of it ----------------------------------------------------------------------- */

static void hold_against(const struct reply *reply, const uint8_t *data)
{
    struct mb_format format = {.type = MB_UINT16, .scale = scale_make(1, 0)};

    assert_memory_equal(data, reply->data, mb_answer_bytes(&reply->request));
    if (mb_reads_bits(reply->request.function))
        return;
    for (unsigned i = 0; i < reply->request.count; i++) {
        struct sample sample = mb_decode(&format, data + 2 * i, i, 1);

        assert_true(sample.number == (reply->data[2 * i] << 8 | reply->data[2 * i + 1]));
    }
}

/* As a connection takes it: frame after frame, until one makes no sense. */
static void take_from_stream(const struct reply *reply)
{
    const uint8_t *bytes = reply->bytes, *data = NULL;
    size_t left = reply->count;
    struct mb_framed frame;

    while (reply->framing->parse(bytes, left, &frame) == MB_FRAME_WHOLE) {
        bool meant = frame.unit == UNIT && (!reply->framing->numbered || frame.number == NUMBER);

        if (meant && mb_pdu_answer(&reply->request, frame.pdu, frame.pdu_length, &data) == 0)
            hold_against(reply, data);
        bytes += frame.used;
        left -= frame.used;
    }
}

/* As a serial line takes it: anywhere in what has come. */
static void take_from_line(const struct reply *reply)
{
    const uint8_t *data = NULL;
    uint8_t quality;

    mb_rtu_is_foreign(reply->bytes, reply->count);
    if (mb_rtu_find(&reply->request, UNIT, reply->bytes, reply->count, &quality, &data) &&
        quality == 0)
        hold_against(reply, data);
}

static void play(const struct mb_framing *framing, uint32_t n_ways)
{
    struct reply reply;

    random_state = 1;
    for (int i = 0; i < MUTATIONS / 2; i++) {
        make_reply(&reply, framing);
        ways[draw(n_ways)](&reply);
        take_from_stream(&reply);
        if (!framing->numbered)
            take_from_line(&reply);
    }
}

static void a_reply_of_modbus_tcp_gives_its_own_values_or_none(void **state)
{
    (void)state;
    play(&mb_framing_tcp, WAYS_TCP);
}

static void so_does_one_of_rtu(void **state)
{
    (void)state;
    play(&mb_framing_rtu, WAYS_RTU);
}

/* What was not touched is taken: else the two above would prove nothing. */
static void a_true_reply_is_taken(void **state)
{
    const struct mb_framing *const framings[] = {&mb_framing_tcp, &mb_framing_rtu};

    (void)state;
    for (int i = 0; i < 2000; i++) {
        const uint8_t *data = NULL;
        struct mb_framed frame;
        struct reply reply;

        make_reply(&reply, framings[i % 2]);
        assert_int_equal(reply.framing->parse(reply.bytes, reply.count, &frame), MB_FRAME_WHOLE);
        assert_int_equal(mb_pdu_answer(&reply.request, frame.pdu, frame.pdu_length, &data), 0);
        hold_against(&reply, data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_true_reply_is_taken),
        cmocka_unit_test(a_reply_of_modbus_tcp_gives_its_own_values_or_none),
        cmocka_unit_test(so_does_one_of_rtu),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
