/* 1-Wire: the door of this folder.
 *
 *   onewire/sysfs      connect = "sysfs:/sys/bus/w1/devices"   what the kernel shows; a worker a
 *                                                              master
 *   onewire/owserver   connect = "owserver://HOST:4304"        an owserver, asked on the loop */
#pragma once

#include "adapters/adapter.h"

extern const struct adapter onewire_sysfs_adapter;
extern const struct adapter onewire_owserver_adapter;
