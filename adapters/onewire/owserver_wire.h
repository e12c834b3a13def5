/* Owserver wire: the messages that owserver, of the 1-Wire file system, exchanges over TCP. Pure.
 *
 * Six big-endian 32-bit words, then the payload:
 *
 *   request   version 0 | payload bytes | type | flags | size  | offset 0 | path NUL [value]
 *   answer    version   | payload bytes | result | flags | size | offset  | data
 *
 * `size` is the length of the value of a write, else the most that an answer may have. `result` is
 * a length, or an error code of owserver below zero. An answer with a negative payload length says
 * only that the server is still at work; another one follows. The server keeps the connection open
 * where the answer has the flag of it, else it closes it. Sources: owserver_protocol of owfs.org,
 * module/ owlib/src/include/ow_message.h, and `owserver --help=error`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OW_HEADER      24
#define OW_REQUEST_MAX 256   /* header, path and value of a request of ours */
#define OW_DATA_MAX    32768 /* of an answer: a list of 1,800 sensors */

enum ow_type { OW_READ = 2, OW_WRITE = 3, OW_LIST = 7 };

/* A request in degrees Celsius on a connection that shall stay; `value` only of a write. Returns
 * its length, 0 when it does not fit. */
size_t ow_build(uint8_t to[OW_REQUEST_MAX], enum ow_type type, const char *path, const char *value);

struct ow_answer {
    size_t length;   /* of the data that follow */
    int32_t result;  /* 0 or more; or an error code, negative */
    bool persistent; /* the server will keep the connection */
};

/* 0; -EAGAIN: still at work, nothing follows; -EPROTO: this is no answer of owserver. */
int ow_parse(const uint8_t header[OW_HEADER], struct ow_answer *ret_answer);

/* What an error code means for a value: enum quality, never good. */
uint8_t ow_quality(int32_t result);

/* The code in words, "error 41" for those without. */
const char *ow_words(int32_t result, char *text, size_t size);
