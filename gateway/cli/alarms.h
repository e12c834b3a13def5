/* Alarms: what a rule has fired, for judging how well it is set. Pure; private to the room. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ALARMS_MAX 10000 /* that are kept of one rule */

/* An alarm that begins so soon after the end of the one before is a flap: it is the same trouble,
 * told once more. */
#define ALARMS_FLAP_MS ((int64_t)10 * 60000)

struct alarm {
    uint32_t sensor;
    int64_t from_ms, to_ms;
};

/* Zeroed at first. */
struct alarms {
    struct alarm *list;
    size_t count;
    size_t left_out; /* beyond ALARMS_MAX */
};

/* 0 or -ENOMEM. */
int alarms_add(struct alarms *alarms, const struct alarm *alarm);
void alarms_clear(struct alarms *alarms);

/* Puts them in order, sensor by sensor; before any of the questions below. */
void alarms_sort(struct alarms *alarms);

size_t alarms_flaps(const struct alarms *alarms);

/* Of how long they were on; 0 of none. */
int64_t alarms_median_ms(const struct alarms *alarms);

/* Episodes: alarms with their flaps. How many there are; in how many of them `by` has no alarm. */
size_t alarms_episodes(const struct alarms *alarms);
size_t alarms_missed(const struct alarms *alarms, const struct alarms *by);
