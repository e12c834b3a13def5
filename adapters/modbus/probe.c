#include "adapters/modbus/probe.h"

#include <stdio.h>

void mb_probe_note(struct mb_probe *probe, const struct mb_request *request, uint8_t unit,
                   int64_t timeout_ms)
{
    probe->request = *request;
    probe->unit = unit;
    probe->timeout_ms = timeout_ms;
}

/* Only a read: what a peer does with a frame that it does not know is not known either. */
bool mb_probe_may(const struct mb_probe *probe)
{
    return !probe->understood && !probe->done && mb_is_read(probe->request.function);
}

bool mb_probe_must(const struct mb_probe *probe)
{
    return probe->silent >= MB_SILENT_MIN && mb_probe_may(probe);
}

static const struct mb_framing *other(const struct mb_probe *probe)
{
    return probe->framing->numbered ? &mb_framing_rtu : &mb_framing_tcp;
}

size_t mb_probe_build(const struct mb_probe *probe, uint16_t number, uint8_t frame[MB_FRAME_MAX])
{
    return other(probe)->build(frame, number, probe->unit, &probe->request);
}

bool mb_probe_is_answer(const struct mb_probe *probe, const uint8_t *bytes, size_t count)
{
    struct mb_framed frame;

    return other(probe)->parse(bytes, count, &frame) == MB_FRAME_WHOLE &&
           mb_pdu_length(frame.pdu, frame.pdu_length) == frame.pdu_length &&
           (frame.pdu[0] & 0x7f) == probe->request.function;
}

void mb_probe_explain(const struct mb_probe *probe, const char *peer, char *words, size_t size)
{
    snprintf(words, size, "it does not answer in %s frames, but in %s: write connect = \"%s://%s\"",
             probe->framing->name, other(probe)->name, other(probe)->scheme, peer);
}
