#include "gateway/base/when.h"

#include "gateway/base/text.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define LATEST_MS INT64_C(253402300799999) /* the end of the year 9999 */

/* strptime(3) takes spaces and missing zeros; the length tells the forms apart and leaves no room.
 */
static int parse_date(const char *text, int64_t *ret_ms)
{
    static const struct {
        size_t length;
        const char *format;
    } forms[] = {{10, "%Y-%m-%d"}, {16, "%Y-%m-%dT%H:%M"}, {19, "%Y-%m-%dT%H:%M:%S"}};
    size_t length = strlen(text), utc = length > 10 && text[length - 1] == 'Z';
    struct tm tm = {.tm_isdst = -1};
    const char *end = NULL;
    time_t seconds;

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (forms[i].length == length - utc)
            end = strptime(text, forms[i].format, &tm);
    }
    if (!end || strcmp(end, utc ? "Z" : "") != 0)
        return -EINVAL;
    seconds = utc ? timegm(&tm) : mktime(&tm);
    if (seconds < 0 || seconds > LATEST_MS / 1000)
        return -EINVAL;
    *ret_ms = (int64_t)seconds * 1000;
    return 0;
}

int when_parse(const char *text, int64_t now_ms, int64_t *ret_ms)
{
    int64_t ms;

    if (text_to_int(text, &ms) == 0) {
        if (ms < 0 || ms > LATEST_MS)
            return -EINVAL;
        *ret_ms = ms;
        return 0;
    }
    if (text_to_duration_ms(text, &ms) == 0) {
        *ret_ms = now_ms > ms ? now_ms - ms : 0;
        return 0;
    }
    return parse_date(text, ret_ms);
}
