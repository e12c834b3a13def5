#include "gateway/web/page.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for `more` bytes behind the text; false when there is none. */
static bool make_room(struct page *page, size_t more)
{
    size_t size = page->size ? page->size : 4096;
    char *text;

    if (page->failed || more > PAGE_MAX - page->length) {
        page->failed = true;
        return false;
    }
    while (size < page->length + more)
        size *= 2;
    if (size == page->size)
        return true;
    text = realloc(page->text, size);
    if (!text) {
        page->failed = true;
        return false;
    }
    page->text = text;
    page->size = size;
    return true;
}

void page_put(struct page *page, const char *bytes, size_t count)
{
    if (!make_room(page, count))
        return;
    memcpy(page->text + page->length, bytes, count);
    page->length += count;
}

void page_format(struct page *page, const char *format, ...)
{
    char line[512];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof(line))
        page->failed = true; /* never half a line */
    else
        page_put(page, line, (size_t)length);
}

void page_free(struct page *page)
{
    free(page->text);
    *page = (struct page){0};
}
