#include "rules/active.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DAY_MIN 1440
#define EXAMPLE "write months, weekdays and a time of day: \"Oct-Apr Mon-Fri 18:00-08:00\""

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

/* -- reading -- */

struct reader {
    const char *text, *at;
    struct active_fault *fault;
};

static int refuse(struct reader *reader, const char *at, const char *words, const char *hint)
{
    reader->fault->offset = (size_t)(at - reader->text);
    snprintf(reader->fault->words, sizeof reader->fault->words, "%s", words);
    reader->fault->hint = hint;
    return -EINVAL;
}

/* The index of the name at which the reader stands, which it passes; -1: none of these. */
static int take_name(struct reader *reader, const char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        if (strncasecmp(reader->at, names[i], 3) != 0)
            continue;
        reader->at += 3;
        return i;
    }
    return -1;
}

static bool take(struct reader *reader, char c)
{
    bool is = *reader->at == c;
    reader->at += is;
    return is;
}

/* "Oct-Apr", "Sat,Sun": the bits of all that is meant; a range may go over the end of the year or
 * of the week. */
static int read_names(struct reader *reader, const char *const *names, int count, unsigned *ret)
{
    unsigned bits = 0;
    do {
        const char *from_at = reader->at;
        int from = take_name(reader, names, count), to = from;
        if (from >= 0 && take(reader, '-'))
            to = take_name(reader, names, count);
        if (from < 0 || to < 0)
            return refuse(reader, from_at, "these are no months or weekdays in a row", EXAMPLE);
        for (int i = from;; i = (i + 1) % count) {
            bits |= 1u << i;
            if (i == to)
                break;
        }
    } while (take(reader, ','));
    *ret = bits;
    return 0;
}

static bool read_clock(struct reader *reader, uint16_t *ret_min)
{
    unsigned hour = 0, minute = 0;
    int length = 0;
    if (sscanf(reader->at, "%2u:%2u%n", &hour, &minute, &length) != 2 || length != 5)
        return false;
    reader->at += length;
    *ret_min = (uint16_t)(hour * 60 + minute);
    return minute < 60 && *ret_min <= DAY_MIN;
}

static int read_time(struct reader *reader, struct active_window *window)
{
    const char *from_at = reader->at;
    if (!read_clock(reader, &window->from_min) || !take(reader, '-') ||
        !read_clock(reader, &window->to_min) || window->from_min == DAY_MIN)
        return refuse(reader, from_at, "this is no time of day", "write 18:00-08:00");
    if (window->from_min == window->to_min)
        return refuse(reader, from_at, "this time of day is nothing", "all day is 00:00-24:00");
    return 0;
}

static int read_part(struct reader *reader, struct active_window *window, unsigned *done)
{
    enum { MONTHS = 1, WEEKDAYS, TIME };
    struct reader ahead = *reader;
    unsigned bits = 0, part = TIME;
    int result;
    if (take_name(&ahead, months, 12) >= 0)
        part = MONTHS;
    else if (take_name(&ahead, weekdays, 7) >= 0)
        part = WEEKDAYS;
    if (part <= *done)
        return refuse(reader, reader->at, "this comes too late in the text", EXAMPLE);
    *done = part;
    if (part == TIME)
        return read_time(reader, window);
    result = part == MONTHS ? read_names(reader, months, 12, &bits)
                            : read_names(reader, weekdays, 7, &bits);
    if (part == MONTHS)
        window->months = (uint16_t)bits;
    else
        window->weekdays = (uint8_t)bits;
    return result;
}

int active_parse(const char *text, struct active_window *ret_window, struct active_fault *ret_fault)
{
    struct active_window window = {.months = 0xfff, .weekdays = 0x7f, .to_min = DAY_MIN};
    struct reader reader = {text, text + strspn(text, " "), ret_fault};
    unsigned done = 0;
    if (!*reader.at)
        return refuse(&reader, text, "there is no time in it", EXAMPLE);
    while (*reader.at) {
        int result = read_part(&reader, &window, &done);
        if (result)
            return result;
        if (*reader.at && *reader.at != ' ')
            return refuse(&reader, reader.at, "a space is missing here", EXAMPLE);
        reader.at += strspn(reader.at, " ");
    }
    *ret_window = window;
    return 0;
}

/* -- asking -- */

static bool has_day(const struct active_window *window, const struct tm *day)
{
    return window->months >> day->tm_mon & 1 && window->weekdays >> day->tm_wday & 1;
}

/* By its noon, which is there on days of 23 and 25 hours as well. */
static struct tm day_before(const struct tm *day)
{
    struct tm before = {.tm_year = day->tm_year,
                        .tm_mon = day->tm_mon,
                        .tm_mday = day->tm_mday - 1,
                        .tm_hour = 12,
                        .tm_isdst = -1};
    mktime(&before);
    return before;
}

bool active_at(const struct active_window *window, const struct tm *now)
{
    uint16_t minute = (uint16_t)(now->tm_hour * 60 + now->tm_min);
    if (window->from_min < window->to_min)
        return minute >= window->from_min && minute < window->to_min && has_day(window, now);
    if (minute >= window->from_min)
        return has_day(window, now);
    struct tm before = day_before(now);
    return minute < window->to_min && has_day(window, &before);
}
