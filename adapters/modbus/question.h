/* Question: what somebody asks on a line or connection beside its polls, a person or another
 * master. Loop thread only, but for the two that are pure. */
#pragma once

#include "adapters/adapter.h"
#include "adapters/modbus/job.h"

/* The request that a question is; pure. */
struct mb_request mb_question_request(const struct adapter_question *question);

/* The answer to it, with `data` as mb_pdu_answer() has it; pure. */
struct adapter_answer mb_question_answer(const struct mb_request *request, uint8_t quality,
                                         const uint8_t *data);

/* The answer out of what `device`, which has the unit of the question, was asked already; NULL when
 * it must be asked. */
const uint8_t *mb_question_known(const struct adapter_question *question,
                                 const struct mb_device *device, int64_t now_ms);

/* One on its way to a connection. */
struct mb_question {
    struct mb_job job; /* first */
    struct adapter_question asked;
    bool known; /* without asking: */
    struct adapter_answer answer;
};

/* Copies. NULL when memory is out. */
struct mb_question *mb_question_new(const struct adapter_question *asked);

/* Tells the asker what is known, or else came of it, and frees it. */
void mb_question_end(struct mb_question *question, uint8_t quality, const uint8_t *data);
