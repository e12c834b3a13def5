/* Templates: what is known of a kind of device, a file each: `sdm630.cfg` is the template "sdm630".
 *
 *   title = "Eastron SDM630"; source = "the document that its registers are from"
 *   manufacturer = "Eastron"; model = "SDM630"; max_registers = 80
 *   signature = ( { register = "input 70"; type = "float32"; between = ( 45, 65 ) } )
 *   channels: { power: { register = "input 52"; type = "float32"; unit = "W" }
 *               thd: { default = false; register = "input 248"; ... } }
 *
 * A device that says `template = "sdm630"` takes all of it that it does not say itself, key by key
 * and channel by channel. Of the channels it takes those that are not `default = false`, or with
 * `only` those it names (globs), and with `also` these as well; a channel that it writes something
 * about itself is always one of them. Blocks on the disk: where config.h may be used. */
#pragma once

#include "config/config.h"

#define CONF_TEMPLATES_MAX 1000

struct conf_template {
    char *name;
    const char *title;
    struct source *source;
    struct section *root; /* the whole file; what is not for devices: title, source, signature */
};

/* The templates of some folders, read when they are asked for. */
struct conf_templates;

/* `folders` ends with NULL and is copied; of two templates of one name the one in the folder that
 * comes first counts. NULL when memory is out. */
struct conf_templates *conf_templates_new(const char *const folders[]);
void conf_templates_free(struct conf_templates *templates); /* NULL is legal */

/* The one called `name`; NULL, and said in `problems` at `asked`, when there is none or it is
 * broken. Lives as long as `templates`. */
const struct conf_template *conf_templates_get(struct conf_templates *templates, const char *name,
                                               struct place asked, struct problems *problems);

/* Calls for each name, in their order. `path` is that of the file. */
void conf_templates_each(const struct conf_templates *templates,
                         void (*call)(void *owner, const char *name, const char *path),
                         void *owner);

/* Gives every device of `conf` what its template has. Takes ownership of `templates`, whatever
 * comes of it. 0; -EINVAL when `problems` has got errors; -ENOENT when among them a template could
 * not be had: what is said of its devices then would only lead astray; -ENOMEM. */
int conf_use_templates(struct conf *conf, struct conf_templates *templates,
                       struct problems *problems);
