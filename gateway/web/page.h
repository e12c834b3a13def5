/* Page: a text that grows while it is written, for answers whose length nobody knows. Private to
 * the room. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define PAGE_MAX (64u << 20)

/* A zeroed page is empty. `failed`: memory was out or the limit reached; what is there is no use.
 */
struct page {
    char *text;
    size_t length, size;
    bool failed;
};

void page_put(struct page *page, const char *bytes, size_t count);
void page_format(struct page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));
void page_free(struct page *page);
