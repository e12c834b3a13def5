/* Tables: devices as lines of a CSV file, for hundreds of one kind.
 *
 *   device_tables = ( { bus = "plant"; file = "meters.csv" } )
 *
 *   name,connect,unit,template,label,only
 *   hall_1,tcp://10.0.0.5,1,sdm630,"Hall, left",power energy*
 *
 * The first line names options of a device; an empty field is one that is not written. Commas or
 * semicolons, RFC 4180; lines that begin with # are passed over. A list is written with blanks
 * between its texts. Blocks on the disk: where config.h may be used. */
#pragma once

#include "config/config.h"

#define CONF_TABLE_ROWS_MAX    20000 /* of one file */
#define CONF_TABLE_COLUMNS_MAX 64

extern const struct setting conf_table_settings[]; /* device_tables: ( { ... } ) */

/* Makes a device of `conf` of each line of the files that `device_tables` names; what they hold is
 * checked as if it stood in the config. `devices` are the `count` tables of options that a device
 * can have: they say how a field is to be read. 0, -EINVAL when `problems` has got errors, -ENOENT
 * when among them a file could not be read, -ENOMEM. */
int conf_add_tables(struct conf *conf, const struct setting *const *devices, size_t count,
                    struct problems *problems);
