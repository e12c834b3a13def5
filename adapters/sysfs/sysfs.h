/* Sysfs: numbers in plain files, of /sys, /proc or anywhere. The door of this folder.
 *
 *   sysfs/sysfs   connect = "sysfs:/"   under which the channels' files are looked for */
#pragma once

#include "adapters/adapter.h"

extern const struct adapter sysfs_adapter;
