/* Rows of exported history as text, and back. Pure. */
#pragma once

#include "gateway/store/store.h"

/* A quality by its name; "" is good. 0 or -EINVAL. */
int csv_to_quality(const char *text, uint8_t *ret_quality);
