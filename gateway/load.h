/* Load: from the config to a site, with all that is wrong said at once. For app.c and `check`. */
#pragma once

#include "gateway/app.h"

#include <stdio.h>

struct conf;
struct site;
struct site_context;

/* Reads, checks and builds what `options` name; what is wrong is printed to `to`. 0; -EINVAL: said
 * in full; -ENOMEM. `*ret_conf` is to be freed in any case. Any thread. */
int load(const struct app_options *options, const struct site_context *context,
         struct conf **ret_conf, struct site **ret_site, FILE *to);

/* Builds anew from a config that load() has read, which must not have been changed since: when
 * context->found has grown. As load(), but that only errors are printed. */
int load_again(struct conf *conf, const struct site_context *context, struct site **ret_site,
               FILE *to);

/* As load(), with what is wrong added to `problems`. */
int load_into(const struct app_options *options, const struct site_context *context,
              struct problems *problems, struct conf **ret_conf, struct site **ret_site);
