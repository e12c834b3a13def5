/* Validity: until when certificates are valid. Reads no more of them than that: whether they can be
 * trusted is for TLS to say. Pure but for the file; any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The earliest end of all certificates in a PEM text, Unix milliseconds. How many there are, or
 * -EINVAL: none, or one that cannot be read. */
int validity_of(const char *pem, int64_t *ret_until_ms);

/* Of a file; also -Exxx of opening and reading it, -EFBIG beyond a megabyte. */
int validity_read(const char *path, int64_t *ret_until_ms);
