/* Site channel: which options of a channel fit what it is. For site_device.c. */
#pragma once

#include "gateway/base/problem.h"
#include "gateway/base/setting.h"

struct adapter;

/* Of a channel that was checked against its tables, which are core's and its adapter's. */
void site_channel_check(const struct adapter *adapter, const struct section *channel,
                        struct problems *problems);
