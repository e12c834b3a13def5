/* Share: a line lent to other masters over Modbus TCP: an energy manager, another integration. Loop
 * thread only.
 *
 *   another master --MBAP--> share --question--> the line, behind our polls
 *                  <--MBAP--       <--answer---
 *
 * They may read (functions 1 to 4); anything else is answered with exception 1. Each has one
 * question under way; what comes meanwhile waits in a small buffer, and who fills that is cut off.
 */
#pragma once

#include "adapters/adapter.h"

#define MB_SHARE_CLIENTS 8

struct mb_share;

/* Listens on `address`; questions go through host->ask() to the line of device 0, and take what is
 * not older than `fresh_ms` from what was read already. A port that somebody else has is tried
 * again and again. 0, or -Exxx with `reterr`. */
int mb_share_open(struct adapter_host *host, const struct address *address, int64_t fresh_ms,
                  struct mb_share **ret_share, struct error *reterr);

/* Answers that are still owed find their place after it. NULL is legal. */
void mb_share_close(struct mb_share *share);
