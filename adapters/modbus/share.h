/* Share: a line or connection lent to other masters over Modbus TCP: an energy manager, another
 * integration. Loop thread only.
 *
 *   another master --MBAP--> share --question--> the line, behind our polls
 *                  <--MBAP--       <--answer---
 *
 * They may read, and write where the terms say so (inquiry.h); anything else is answered with
 * exception 1. Each has one question under way; what comes meanwhile waits in a small buffer, and
 * who fills that is cut off. */
#pragma once

#include "adapters/adapter.h"

#define MB_SHARE_CLIENTS 8
#define MB_SHARE_PORT    1502

struct mb_share;
struct mb_share_terms {
    int64_t fresh_ms; /* what was read already and is not older need not be asked */
    bool writes;
};

/* Listens on `address`; questions go through host->ask() to the line of device 0. A port that
 * somebody else has is tried again and again. 0, or -Exxx with `reterr`. */
int mb_share_open(struct adapter_host *host, const struct address *address,
                  const struct mb_share_terms *terms, struct mb_share **ret_share,
                  struct error *reterr);

/* As the options of a checked bus say; the host is told what does not work. NULL: it is not shared.
 */
struct mb_share *mb_share_as_said(struct adapter_host *host, const struct section *options);

/* Answers that are still owed find their place after it. NULL is legal. */
void mb_share_close(struct mb_share *share);
