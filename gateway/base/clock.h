/* Clock: the one place that asks the system for the time. Any thread.
 *
 * All times inside are int64_t milliseconds on CLOCK_BOOTTIME (goes on in suspend, never steps).
 * Wall time is computed when something is written out, so a step of the wall clock moves no timer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* No such time: "never", "not yet". */
#define CLOCK_NEVER INT64_MAX

int64_t clock_boot_ms(void);

/* The same in microseconds, for measuring how long something took. */
int64_t clock_boot_us(void);

/* A boot time as CLOCK_MONOTONIC has it, for the waits of pthreads; at most an hour ahead, after
 * which the caller looks again. A time that has passed is now. */
struct timespec clock_monotonic_at(int64_t boot_ms);

/* Unix milliseconds (UTC) of a boot time, by the offset between the two clocks as it is now. The
 * offset is taken to be what it was unless it has moved by a millisecond. */
int64_t clock_wall_ms(int64_t boot_ms);

/* Whether the wall clock is known good: its year is plausible, and the kernel reports it
 * synchronised (adjtimex(2)), or there is a battery clock, or the machine has been up for ten
 * minutes. Where CLOCK_FILE_VARIABLE is in the environment the existence of the file that it names
 * decides instead of these three: for a time service of one's own, and for tests, which must not
 * hang on how long a machine has been up. Once good it stays so. */
#define CLOCK_FILE_VARIABLE "THERMOGATE_CLOCK_FILE"
bool clock_wall_is_good(void);

/* Which boot of the machine this is, by the kernel's word for it; where it has none every start of
 * the process counts as one. Read once. Where CLOCK_BOOT_VARIABLE is in the environment, from the
 * file that it names: for containers that keep theirs from boot to boot, and for tests. */
#define CLOCK_BOOT_VARIABLE "THERMOGATE_BOOT_ID_FILE"
const char *clock_boot_id(void);

/* ISO 8601 with milliseconds and zone in local time, "2026-11-21T14:02:05.123+01:00" (29 characters
 * and NUL). Writes "" while the clock is not known good. Returns `text`. */
#define CLOCK_TEXT_SIZE 32
char *clock_text(int64_t boot_ms, char text[CLOCK_TEXT_SIZE]);

/* The same of Unix milliseconds. */
char *clock_wall_text(int64_t wall_ms, char text[CLOCK_TEXT_SIZE]);

/* Local time of day for people, "14:02" or, when it is not today, "20 Nov 14:02" (" 1 Nov 14:02").
 */
char *clock_text_short(int64_t boot_ms, char text[CLOCK_TEXT_SIZE]);

/* Takes the time from a test or a replay: `boot_ms` stands still until the next call, wall = boot +
 * `offset_ms` and known good; with CLOCK_NEVER it is not known. clock_use_system() goes back to the
 * real ones. */
void clock_use_fixed(int64_t boot_ms, int64_t offset_ms);
void clock_use_system(void);
