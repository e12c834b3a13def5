/* Staged: what one commit writes for all sensors together, as one blob. Pure.
 *
 * A row a series would cost a page each; cut into chunks a series it is hours later, when there is
 * enough of each to fill them.
 *
 *   varint  sections
 *   each:   signed varint series, less the one before; varint bytes
 *   then    the sections, one behind the other, each as pack.h has it
 */
#pragma once

#include "gateway/store/bytes.h"

struct staged_section {
    int64_t series;
    const uint8_t *data; /* NULL: the blob is damaged */
    size_t size;
};

/* Writing: sections are added in any order; the same series may come again. */
struct staged_writer {
    struct bytes heads, sections;
    size_t count;
    int64_t series;
};
/* Where the next section is put; staged_end() then says whose it was. */
struct bytes *staged_begin(struct staged_writer *writer);
void staged_end(struct staged_writer *writer, int64_t series, size_t from_length);
/* The whole, appended to `to`; the writer is then empty. */
void staged_finish(struct staged_writer *writer, struct bytes *to);
void staged_free(struct staged_writer *writer);

/* Reading; the blob is borrowed. */
struct staged_reader {
    struct bytes_reader heads, sections;
    size_t left;
    int64_t series;
};
void staged_open(struct staged_reader *reader, const void *blob, size_t size);
/* false at the end, and where the blob makes no sense. */
bool staged_next(struct staged_reader *reader, struct staged_section *ret_section);
