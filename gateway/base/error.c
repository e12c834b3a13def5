#include "gateway/base/error.h"

#include "gateway/base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* An error that does not fit ends in "...": the reader sees that something is missing. */
static void mark_cut(struct error *err, int wanted)
{
    if (wanted >= (int)sizeof(err->text))
        memcpy(err->text + sizeof(err->text) - 4, "...", 4);
}

int error_set(struct error *reterr, int code, const char *format, ...)
{
    va_list args;

    if (!reterr)
        return code;
    reterr->code = code;
    va_start(args, format);
    mark_cut(reterr, vsnprintf(reterr->text, sizeof(reterr->text), format, args));
    va_end(args);
    return code;
}

int error_prefix(struct error *reterr, const char *format, ...)
{
    char before[sizeof(reterr->text)], prefix[sizeof(reterr->text)];
    va_list args;

    if (!reterr)
        return -EINVAL;
    text_copy(before, sizeof(before), reterr->text);
    va_start(args, format);
    vsnprintf(prefix, sizeof(prefix), format, args);
    va_end(args);
    return error_set(reterr, reterr->code, "%s: %s", prefix, before);
}
