/* 1-Wire: the door of this folder.
 *
 *   onewire/sysfs   connect = "sysfs:/sys/bus/w1/devices"   what the kernel shows; a worker a
 * master */
#pragma once

#include "adapters/adapter.h"

extern const struct adapter onewire_sysfs_adapter;
