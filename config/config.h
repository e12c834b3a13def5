/* Config: from files to sections. The only room that knows libconfig.
 *
 * Reads the main file, then the fragments of its conf.d in name order, joins them and holds the
 * whole against the tables that the caller hands in. Every error is found at once, with file, line,
 * column, the line itself, and what to do. Blocks on the disk: at start and on the reload thread
 * only. */
#pragma once

#include "gateway/base/problem.h"
#include "gateway/base/setting.h"

#include <stddef.h>

#define CONF_FILE_MAX  (4 * 1024 * 1024)  /* bytes of one file */
#define CONF_TOTAL_MAX (32 * 1024 * 1024) /* bytes of all of them */
#define CONF_FILES_MAX 1000

struct conf;

/* Reads `path` and every `*.cfg` of `conf.d` beside it (missing: none) and checks the result
 * against `root`. What cannot be read is a problem too: not a regular file, over CONF_FILE_MAX, a
 * NUL byte, no UTF-8, `@include`, more than 32 levels or 10,000 settings in a group of one file,
 * integers beyond 64 bits.
 * 0, -EINVAL when `problems` has got errors, -ENOMEM. With -EINVAL *ret_conf is still set if all
 * that was written is in it, so that the rooms can add theirs; it is NULL when a file could not be
 * read or its syntax is broken: then only that is said, nothing that merely follows from it.
 * Release with conf_free(). */
int conf_read(const char *path, const struct setting *root, struct problems *problems,
              struct conf **ret_conf);

/* A text that stands for a file, under a name to show. Copied. */
struct conf_text {
    const char *name, *text;
    size_t length;
};

/* As conf_read(), with texts joined to it as if they were fragments too; `path` may be NULL: only
 * those. */
int conf_read_with(const char *path, const struct conf_text *texts, size_t count,
                   const struct setting *root, struct problems *problems, struct conf **ret_conf);

/* The same for one text alone; for what is embedded, and for tests. */
int conf_read_text(const char *name, const char *text, size_t length, const struct setting *root,
                   struct problems *problems, struct conf **ret_conf);

/* The outermost section; lives as long as `conf`. */
struct section *conf_root(const struct conf *conf);

/* Also ends every place and section of it. NULL is legal. */
void conf_free(struct conf *conf);
