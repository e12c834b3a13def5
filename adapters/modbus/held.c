#include "adapters/modbus/held.h"

#include <string.h>

static bool is_same(const struct mb_request *a, const struct mb_request *b)
{
    return a->function == b->function && a->address == b->address && a->count == b->count;
}

static struct mb_held_answer *place_for(struct mb_held *held, const struct mb_request *request)
{
    for (size_t i = 0; i < held->n; i++) {
        if (is_same(&held->list[i].request, request))
            return &held->list[i];
    }
    if (held->n < MB_HELD_MAX)
        return &held->list[held->n++];
    held->next = (held->next + 1) % MB_HELD_MAX;
    return &held->list[held->next];
}

void mb_held_put(struct mb_held *held, const struct mb_request *request, const uint8_t *data,
                 int64_t at_ms)
{
    struct mb_held_answer *answer = place_for(held, request);

    answer->request = *request;
    answer->at_ms = at_ms;
    memcpy(answer->data, data, mb_answer_bytes(request));
}

void mb_held_forget(struct mb_held *held)
{
    held->n = held->next = 0;
}

static bool covers(const struct mb_request *read, const struct mb_request *wanted)
{
    if (read->function != wanted->function)
        return false;
    if (mb_reads_bits(wanted->function))
        return is_same(read, wanted);
    return wanted->address >= read->address &&
           wanted->address + (unsigned)wanted->count <= read->address + (unsigned)read->count;
}

const uint8_t *mb_held_find(const struct mb_held *held, const struct mb_request *request,
                            int64_t since_ms)
{
    for (size_t i = 0; i < held->n; i++) {
        const struct mb_held_answer *answer = &held->list[i];

        if (answer->at_ms >= since_ms && covers(&answer->request, request))
            return answer->data + 2 * (size_t)(request->address - answer->request.address);
    }
    return NULL;
}
