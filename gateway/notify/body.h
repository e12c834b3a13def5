/* Body: templates of what a webhook sends, "{title}: {text}". Pure.
 *
 * A brace before a lower-case letter opens a placeholder, any other stands for itself, so that JSON
 * needs no care; `{{` is one brace before a letter, too. */
#pragma once

#include "gateway/base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum body_field {
    BODY_TITLE,
    BODY_TEXT,
    BODY_SEVERITY,
    BODY_KIND,
    BODY_RULE,
    BODY_SENSOR,
    BODY_VALUE,
    BODY_UNIT,
    BODY_SINCE,
    BODY_TIME,
    BODY_PRIORITY,
    BODY_ID,
    BODY_TOKEN,
    BODY_FIELDS
};

/* How a value is made harmless where it goes. Order as in the setting `escape`. */
enum body_escape {
    BODY_JSON,  /* inside the quotes of JSON */
    BODY_FORM,  /* per cent, as in addresses and forms */
    BODY_PLAIN, /* as it is */
    BODY_URL,   /* as BODY_FORM, but the token may hold slashes and colons */
};

/* Whether it can be filled. 0, or -EINVAL with `reterr` and the offset of the byte meant. */
int body_check(const char *template, size_t *ret_offset, struct error *reterr);

/* Whether it has that placeholder. */
bool body_has(const char *template, enum body_field field);

/* Fills a template that body_check() has passed. NULL when memory is out; release with free(). */
char *body_fill(const char *template, enum body_escape escape,
                const char *const values[BODY_FIELDS]);
