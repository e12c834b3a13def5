/* File: bytes from the disk, and whether they are text at all. */
#pragma once

#include "gateway/base/problem.h"

/* Reads the regular file `path`, at most CONF_FILE_MAX bytes, into a source of that name; NULL when
 * it cannot be read: then `problems` says why and what to do. A byte order mark is left out. */
struct source *file_read(const char *path, struct problems *problems);

/* The same from memory: NULL (and a problem) only when memory is out. */
struct source *file_from_memory(const char *name, const char *bytes, size_t length,
                                struct problems *problems);

/* Whether `source` is text: not too long, UTF-8, no NUL byte. If not, `problems` says so. */
bool file_is_text(const struct source *source, struct problems *problems);
