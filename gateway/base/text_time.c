/* The part of text.h that knows times. */
#include "gateway/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#define YEAR_10000_MS INT64_C(253402300800000)
#define YEAR_0_MS     INT64_C(-62167219200000)

char *text_from_wall(char to[TEXT_TIME_SIZE], int64_t wall_ms)
{
    int64_t ms = wall_ms < YEAR_0_MS        ? YEAR_0_MS
                 : wall_ms >= YEAR_10000_MS ? YEAR_10000_MS - 1
                                            : wall_ms;
    unsigned fraction = (unsigned)(((ms % 1000) + 1000) % 1000);
    time_t seconds = (time_t)((ms - (int64_t)fraction) / 1000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    snprintf(to, TEXT_TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%03uZ", (tm.tm_year + 1900) % 10000,
             (tm.tm_mon + 1) % 100, tm.tm_mday % 100, tm.tm_hour % 100, tm.tm_min % 100,
             tm.tm_sec % 100, fraction % 1000);
    return to;
}

/* `digits` digits; NULL when there are fewer. */
static const char *get_digits(const char *at, int digits, int *ret)
{
    *ret = 0;
    for (int i = 0; i < digits; i++, at++) {
        if (*at < '0' || *at > '9')
            return NULL;
        *ret = *ret * 10 + (*at - '0');
    }
    return at;
}

/* A mark and two digits behind it. */
static const char *get_pair(const char *at, char mark, int *ret)
{
    return at && *at == mark ? get_digits(at + 1, 2, ret) : NULL;
}

static const char *get_fraction(const char *at, int *ret_ms)
{
    int scale = 100;

    *ret_ms = 0;
    if (*at != '.' && *at != ',')
        return at;
    for (at++; *at >= '0' && *at <= '9'; at++, scale /= 10)
        *ret_ms += (*at - '0') * scale;
    return at;
}

/* What is behind the time; the whole text must be used up. */
static int get_zone(const char *at, int *ret_minutes)
{
    int sign = *at == '-' ? -1 : 1, hours = 0, minutes = 0;

    if ((*at == 'Z' || *at == 'z') && at[1] == '\0')
        return *ret_minutes = 0;
    if (*at != '+' && *at != '-')
        return -EINVAL;
    at = get_digits(at + 1, 2, &hours);
    if (at && *at == ':')
        at++;
    if (at && *at)
        at = get_digits(at, 2, &minutes);
    if (!at || *at || hours > 23 || minutes > 59)
        return -EINVAL;
    *ret_minutes = sign * (hours * 60 + minutes);
    return 0;
}

static const char *get_date(const char *at, struct tm *tm)
{
    at = get_digits(at, 4, &tm->tm_year);
    at = get_pair(at, '-', &tm->tm_mon);
    at = get_pair(at, '-', &tm->tm_mday);
    if (!at || tm->tm_mon < 1 || tm->tm_mon > 12 || tm->tm_mday < 1 || tm->tm_mday > 31)
        return NULL;
    tm->tm_year -= 1900;
    tm->tm_mon--;
    return at;
}

int text_to_wall(const char *text, int64_t *ret_wall_ms)
{
    struct tm tm = {0};
    int ms = 0, zone = 0;
    const char *at;

    if (text_to_int(text, ret_wall_ms) == 0)
        return *ret_wall_ms >= YEAR_0_MS && *ret_wall_ms < YEAR_10000_MS ? 0 : -EINVAL;
    at = get_date(text, &tm);
    if (!at || (*at != 'T' && *at != ' '))
        return -EINVAL;
    at = get_digits(at + 1, 2, &tm.tm_hour);
    at = get_pair(at, ':', &tm.tm_min);
    if (at && *at == ':')
        at = get_pair(at, ':', &tm.tm_sec);
    if (!at || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
        return -EINVAL;
    at = get_fraction(at, &ms);
    if (get_zone(at, &zone) < 0)
        return -EINVAL;
    *ret_wall_ms = ((int64_t)timegm(&tm) - zone * 60) * 1000 + ms;
    return 0;
}
