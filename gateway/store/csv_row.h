/* Rows of exported history as text, and back. Pure. */
#pragma once

#include "gateway/store/store.h"

/* "2026-11-21T13:02:05.123Z" (24 characters and NUL); years 0 to 9999. */
#define CSV_TIME_SIZE 32
char *csv_time(char text[CSV_TIME_SIZE], int64_t wall_ms);

/* ISO 8601 with a zone ("Z", "+01:00", "+0100"), seconds and their fraction may be missing; or Unix
 * milliseconds. 0 or -EINVAL. */
int csv_to_time(const char *text, int64_t *ret_wall_ms);

/* A quality by its name; "" is good. 0 or -EINVAL. */
int csv_to_quality(const char *text, uint8_t *ret_quality);
