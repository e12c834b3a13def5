/* Texts: a column of texts in few bytes, and back. Pure.
 *
 *   varint how many different ones; each varint length and bytes; then for every text a varint:
 * which
 */
#pragma once

#include "gateway/base/reading.h"
#include "gateway/store/bytes.h"

#define TEXTS_MAX 4096 /* in a column */

/* `texts` are numbers in `table`. */
void texts_encode(struct bytes *to, const uint32_t *texts, size_t count,
                  const struct text_table *table);

/* false when the bytes are no such column. New texts are added to `table`. */
bool texts_decode(struct bytes_reader *from, uint32_t *texts, size_t count,
                  struct text_table *table);
