/* Pack: readings of one sensor in few bytes, and back. Pure.
 *
 *   varint  count
 *   times   signed varint: the first less the base; then how much each step differs from the one
 *           before it (a sensor that is polled evenly takes a byte)
 *   bad     varint how many; for each: varint readings skipped; for each: byte quality
 *   texts   varint how many; if any, for each: varint readings skipped; then as texts.h has it
 *   numbers of all others, as numbers.h has it
 */
#pragma once

#include "gateway/base/reading.h"
#include "gateway/store/bytes.h"

/* More in one piece would make a question for a few of them slow. */
#define PACK_MAX 4096

/* Appends `count` (1 to PACK_MAX) readings; their sensor is not looked at, `texts` has the texts.
 * Times are kept as differences to `base_ms`: decoding with another base moves them all. */
void pack_encode(struct bytes *to, const struct reading *readings, size_t count, int64_t base_ms,
                 const struct text_table *texts);

/* Reads what pack_encode() wrote from exactly `size` bytes. `readings` has room for PACK_MAX; texts
 * are added to `texts`. Their number, or -EBADMSG. */
int pack_decode(const void *from, size_t size, int64_t base_ms, struct reading *readings,
                struct text_table *texts);
