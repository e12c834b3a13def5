/* Active: the times at which a rule is judged, "Oct-Apr Mon-Fri 18:00-08:00". Pure.
 *
 * Months, weekdays and a time of day, each of which may be left out; names are the first three
 * letters, "Mon,Wed" and "Fri-Mon" are lists and ranges. A time that goes over midnight belongs to
 * the day on which it starts, and so to that day's month. All of it is local time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct active_window {
    uint16_t months;           /* a bit for each, January is bit 0 */
    uint8_t weekdays;          /* likewise, Sunday is bit 0 */
    uint16_t from_min, to_min; /* of the day; `to` may be less: it goes over midnight */
};

/* What is wrong with a text: at which byte, in words, and what to do. */
struct active_fault {
    size_t offset;
    char words[96];
    const char *hint;
};

/* 0, or -EINVAL with `ret_fault`. */
int active_parse(const char *text, struct active_window *ret_window,
                 struct active_fault *ret_fault);

/* Whether `now`, local time as localtime_r() makes it, is inside. */
bool active_at(const struct active_window *window, const struct tm *now);
