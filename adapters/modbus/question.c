#include "adapters/modbus/question.h"

#include "adapters/modbus/held.h"
#include "adapters/modbus/identity.h"

#include <stdlib.h>
#include <string.h>

struct mb_request mb_question_request(const struct adapter_question *question)
{
    struct mb_request request = {
        .function = question->function, .address = question->address, .count = question->count};

    if (question->function == MB_IDENTIFY)
        return mb_identity_ask(&(struct mb_identity){.next = (uint8_t)question->address});
    memcpy(request.data, question->data, sizeof(request.data));
    return request;
}

static size_t size_of(const struct mb_request *request, const uint8_t *data)
{
    if (request->function == MB_IDENTIFY)
        return mb_identity_size(data);
    return mb_is_read(request->function) ? mb_answer_bytes(request) : 0;
}

struct adapter_answer mb_question_answer(const struct mb_request *request, uint8_t quality,
                                         const uint8_t *data)
{
    struct adapter_answer answer = {.quality = quality};

    if (quality == QUALITY_GOOD)
        answer.count = size_of(request, data);
    if (answer.count > 0)
        memcpy(answer.bytes, data, answer.count);
    return answer;
}

const uint8_t *mb_question_known(const struct adapter_question *question,
                                 const struct mb_device *device, int64_t now_ms)
{
    struct mb_request request = mb_question_request(question);

    if (!device->held || question->fresh_ms == 0 || !mb_is_read(request.function))
        return NULL;
    return mb_held_find(device->held, &request, now_ms - question->fresh_ms);
}

struct mb_question *mb_question_new(const struct adapter_question *asked)
{
    struct mb_question *question = calloc(1, sizeof(*question));

    if (!question)
        return NULL;
    question->asked = *asked;
    question->job = (struct mb_job){.kind = MB_JOB_QUESTION,
                                    .unit = asked->unit,
                                    .timeout_ms = asked->timeout_ms,
                                    .own = mb_question_request(asked)};
    return question;
}

void mb_question_end(struct mb_question *question, uint8_t quality, const uint8_t *data)
{
    struct adapter_question asked = question->asked;
    struct adapter_answer answer =
        question->known ? question->answer : mb_question_answer(&question->job.own, quality, data);

    if (question->job.device && !mb_job_reads(&question->job))
        mb_device_forget(question->job.device);
    free(question);
    asked.done(asked.asker, &answer);
}
