/* Conf: what has been read so far. For the files of this room that add to it. */
#pragma once

#include "config/config.h"
#include "gateway/base/section.h"

struct conf_templates;

struct conf {
    struct section *root;
    struct source **sources;
    size_t count, length;             /* of all sources together */
    bool broken;                      /* something of what was written is missing in `root` */
    struct conf_templates *templates; /* that devices took something from; NULL: none */
};

/* Takes `source`, which lives as long as `conf` from now on. False when there are too many: then it
 * is freed, and `problems` says so. */
bool conf_keep(struct conf *conf, struct source *source, struct problems *problems);

/* Parses `source` into a tree of its own. False when something of it is missing there. */
bool conf_parse(const struct source *source, struct section *root, struct problems *problems);
