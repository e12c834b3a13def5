/* Probe: whether a peer that takes connections and never says anything that makes sense speaks the
 * other framing. It is asked for that once, with a connection of its own. Pure; any thread. */
#pragma once

#include "adapters/modbus/framing.h"

#define MB_SILENT_MIN 3 /* requests in a row: then it is not by chance */

struct mb_probe {
    const struct mb_framing *framing; /* that it should speak */
    struct mb_request request;        /* the last that got no answer */
    uint8_t unit;                     /* and who did not give it */
    int64_t timeout_ms;
    uint32_t silent; /* requests in a row without an answer */
    bool understood; /* at any time a frame made sense */
    bool done;       /* it was asked, or is */
    bool under_way;  /* a connection is for that */
};

/* A request got no answer. */
void mb_probe_note(struct mb_probe *probe, const struct mb_request *request, uint8_t unit,
                   int64_t timeout_ms);

/* Whether it is to be asked when it closes a connection instead of answering; or, after some
 * silence, in any case. */
bool mb_probe_may(const struct mb_probe *probe);
bool mb_probe_must(const struct mb_probe *probe);

/* The request in the other framing; returns its length. */
size_t mb_probe_build(const struct mb_probe *probe, uint16_t number, uint8_t frame[MB_FRAME_MAX]);

/* Whether the bytes answer it. */
bool mb_probe_is_answer(const struct mb_probe *probe, const uint8_t *bytes, size_t count);

/* What a person should do then; `peer` is "192.168.1.50:502". */
void mb_probe_explain(const struct mb_probe *probe, const char *peer, char *words, size_t size);
