/* Any bytes as what another master sends. Beyond not crashing: frames lie within the bytes, a
 * question asks for no more than an answer can hold or its data can carry, and every answer is a
 * frame that our own master takes for the answer to that question. The first byte says how it went.
 */
#include "adapters/modbus/inquiry.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool is)
{
    if (!is)
        abort();
}

static void check_frame(const struct mb_inquiry *inquiry, const uint8_t *frame, size_t length)
{
    struct mb_mbap mbap;

    demand(length >= 9 && length <= MB_MBAP_MAX);
    demand(mb_mbap_parse(frame, length, &mbap) == MB_FRAME_WHOLE && mbap.used == length);
    demand(memcmp(frame, inquiry->head, 2) == 0 && mbap.unit == inquiry->head[6]);
}

/* A line that has answered what it was asked. */
static void check_answer(const struct mb_inquiry *inquiry, const struct adapter_question *question,
                         uint8_t quality)
{
    struct mb_request request = {
        .function = question->function, .address = question->address, .count = question->count};
    struct adapter_answer answer = {.quality = quality};
    uint8_t frame[MB_MBAP_MAX];
    const uint8_t *found;
    size_t length;

    memcpy(request.data, question->data, sizeof(request.data));
    if (quality == QUALITY_GOOD && mb_is_read(request.function))
        answer.count = mb_answer_bytes(&request);
    demand(answer.count <= sizeof(answer.bytes));
    length = mb_inquiry_answer(inquiry, &answer, frame);
    check_frame(inquiry, frame, length);
    if (quality == QUALITY_GOOD)
        demand(mb_pdu_answer(&request, frame + 7, length - 7, &found) == QUALITY_GOOD);
    else
        demand(frame[7] == (inquiry->pdu[0] | 0x80));
}

static void check_inquiry(const struct mb_inquiry *inquiry, uint8_t quality)
{
    struct adapter_question question = {0};
    enum mb_exception exception = mb_inquiry_read(inquiry, true, &question);
    uint8_t frame[MB_MBAP_MAX];

    if (exception != MB_EXCEPTION_NONE)
        demand(mb_inquiry_refuse(inquiry, exception, frame) == 9);
    else
        check_answer(inquiry, &question, quality);
    if (mb_inquiry_read(inquiry, false, &question) == MB_EXCEPTION_NONE)
        demand(mb_is_read(inquiry->pdu[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mb_inquiry inquiry;
    uint8_t *bytes; /* of its own, so that a read behind the end is seen */
    size_t count = size - 1, at = 0, used;

    if (size <= 1 || !(bytes = malloc(count)))
        return 0;
    memcpy(bytes, data + 1, count);
    while (mb_inquiry_parse(bytes + at, count - at, &inquiry, &used) == MB_FRAME_WHOLE) {
        demand(used <= count - at && inquiry.pdu_length == used - 7 && inquiry.pdu_length >= 1);
        check_inquiry(&inquiry, data[0] % 2 ? QUALITY_GOOD : data[0]);
        at += used;
    }
    free(bytes);
    return 0;
}
