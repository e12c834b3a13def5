/* Bytes: a buffer that grows, and a reader that never leaves what it was given. For the packed
 * blobs of history.db. One thread at a time.
 *
 * Whole numbers are LEB128 varints, seven bits a byte, the lowest first; signed ones are zigzagged
 * before, so that small ones are short whatever their sign. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    uint8_t *data;
    size_t length, size;
    bool failed; /* memory was out: what is inside is worth nothing */
};

void bytes_free(struct bytes *bytes);
/* Room for `count` more; NULL (and failed) when memory is out. The caller moves `length`. */
uint8_t *bytes_room(struct bytes *bytes, size_t count);
void bytes_put(struct bytes *bytes, const void *from, size_t count);
void bytes_put_byte(struct bytes *bytes, uint8_t byte);
void bytes_put_unsigned(struct bytes *bytes, uint64_t value);
void bytes_put_signed(struct bytes *bytes, int64_t value);

/* Times beyond this, before or after 1970, are no times; milliseconds. With less, sums of some
 * never overflow. */
#define BYTES_TIME_MAX (UINT64_C(1) << 53)

struct bytes_reader {
    const uint8_t *at, *end;
    bool failed; /* it asked for more than there was; all further answers are 0 */
};

uint8_t bytes_get_byte(struct bytes_reader *reader);
uint64_t bytes_get_unsigned(struct bytes_reader *reader);
int64_t bytes_get_signed(struct bytes_reader *reader);
/* The next `count` bytes, borrowed; NULL when there are fewer. */
const uint8_t *bytes_get(struct bytes_reader *reader, size_t count);
/* A number of things that take at least a byte each; 0 and failed when there cannot be so many. */
size_t bytes_get_count(struct bytes_reader *reader);
