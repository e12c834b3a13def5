/* Subscriber, the counting side: takes every message as it comes, knows by wire.h what must be in
 * it, and says in the end what came, how late, and what is missing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNT_BASE "bench/" /* what all topics begin with */

struct count;

/* For devices d0 to d<devices - 1>, each polled every `every_us` (0: as fast as it answers). */
struct count *count_new(uint32_t devices, int64_t every_us);
void count_free(struct count *count);

/* One message that arrived at `now_us`; neither text ends with NUL. */
void count_message(struct count *count, const char *topic, size_t topic_length, const char *payload,
                   size_t payload_length, int64_t now_us);

/* How many devices have sent at least one good value. */
uint32_t count_devices(const struct count *count);

/* Begins the window: everything up to now was warming up. */
void count_start(struct count *count, int64_t now_us);

/* Ends the window and prints one line of JSON. */
void count_report(struct count *count, int64_t now_us);
