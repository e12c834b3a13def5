#include "gateway/notify/quiet.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_MIN 1440

int quiet_parse(const char *text, struct quiet *ret_quiet)
{
    unsigned hour[2], minute[2];
    char form[12];

    if (strlen(text) != 11 ||
        sscanf(text, "%2u:%2u-%2u:%2u", &hour[0], &minute[0], &hour[1], &minute[1]) != 4)
        return -EINVAL;
    /* sscanf() is lenient about spaces and signs. */
    snprintf(form, sizeof(form), "%02u:%02u-%02u:%02u", hour[0] % 100, minute[0] % 100,
             hour[1] % 100, minute[1] % 100);
    if (strcmp(form, text) != 0 || hour[0] > 23 || hour[1] > 23 || minute[0] > 59 ||
        minute[1] > 59 || (hour[0] == hour[1] && minute[0] == minute[1]))
        return -EINVAL;
    ret_quiet->from = (int16_t)(hour[0] * 60 + minute[0]);
    ret_quiet->to = (int16_t)(hour[1] * 60 + minute[1]);
    return 0;
}

bool quiet_is(const struct quiet *quiet, int64_t wall_ms, int64_t *ret_end_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    int now, length = (quiet->to - quiet->from + DAY_MIN) % DAY_MIN;

    localtime_r(&seconds, &tm);
    now = tm.tm_hour * 60 + tm.tm_min;
    if ((now - quiet->from + DAY_MIN) % DAY_MIN >= length)
        return false;
    /* mktime() knows the days on which the clock is put forward or back. */
    if (now >= quiet->to)
        tm.tm_mday++;
    tm.tm_hour = quiet->to / 60;
    tm.tm_min = quiet->to % 60;
    tm.tm_sec = 0;
    tm.tm_isdst = -1;
    *ret_end_ms = (int64_t)mktime(&tm) * 1000;
    return true;
}
