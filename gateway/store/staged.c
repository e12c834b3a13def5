#include "gateway/store/staged.h"

struct bytes *staged_begin(struct staged_writer *writer)
{
    return &writer->sections;
}

void staged_end(struct staged_writer *writer, int64_t series, size_t from_length)
{
    bytes_put_signed(&writer->heads, series - writer->series);
    bytes_put_unsigned(&writer->heads, writer->sections.length - from_length);
    writer->series = series;
    writer->count++;
}

void staged_finish(struct staged_writer *writer, struct bytes *to)
{
    bytes_put_unsigned(to, writer->count);
    bytes_put(to, writer->heads.data, writer->heads.length);
    bytes_put(to, writer->sections.data, writer->sections.length);
    if (writer->heads.failed || writer->sections.failed)
        to->failed = true;
    writer->heads.length = writer->sections.length = writer->count = 0;
    writer->heads.failed = writer->sections.failed = false;
    writer->series = 0;
}

void staged_free(struct staged_writer *writer)
{
    bytes_free(&writer->heads);
    bytes_free(&writer->sections);
}

/* The sections begin where the heads end: those are walked once for it. */
void staged_open(struct staged_reader *reader, const void *blob, size_t size)
{
    struct bytes_reader whole = {.at = blob, .end = (const uint8_t *)blob + size};

    *reader = (struct staged_reader){0};
    reader->left = bytes_get_count(&whole);
    reader->heads = whole;
    for (size_t i = 0; i < reader->left; i++) {
        bytes_get_signed(&whole);
        bytes_get_unsigned(&whole);
    }
    reader->sections = whole;
    if (whole.failed)
        reader->left = 0;
}

bool staged_next(struct staged_reader *reader, struct staged_section *ret_section)
{
    uint64_t size;

    if (reader->left == 0)
        return false;
    reader->left--;
    reader->series =
        (int64_t)((uint64_t)reader->series + (uint64_t)bytes_get_signed(&reader->heads));
    size = bytes_get_unsigned(&reader->heads);
    ret_section->series = reader->series;
    ret_section->size = (size_t)size;
    ret_section->data = bytes_get(&reader->sections, (size_t)size);
    return ret_section->data != NULL;
}
