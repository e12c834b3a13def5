/* Cuts: where a read of several channels was cut in two because the device refused it whole, and
 * the words by which that outlives a restart: "3:110 4:7", where a block begins (function code and
 * address) that the plan would have joined to the one before. No I/O; as device.h. */
#pragma once

#include "adapters/modbus/device.h"

/* Cuts a block in the middle. Kept: from now on its halves are asked apart. False for a block of
 * one channel, and without memory. */
bool mb_cut(struct mb_device *device, uint32_t block);

/* Takes up what was learnt of the device before, NULL when nothing was. What does not fit its
 * channels of today is passed over. */
void mb_cuts_recall(struct mb_device *device, const char *learnt);

/* A block was read well: when it is half of one that was cut in this poll, the cut was right. A
 * device that refuses everything, as some do while they start, has taught nothing. */
void mb_cuts_prove(struct mb_device *device, const struct mb_block *block);

/* What a poll that ends now has taught, for the host's learnt(); false mostly. Cuts that find no
 * room are made again after a restart. */
bool mb_cuts_learnt(struct mb_device *device, char *text, size_t size);
