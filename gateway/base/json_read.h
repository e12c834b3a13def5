/* JSON, the reading side: a text from outside becomes a tree that can be asked. Any thread, one at
 * a time for a tree.
 *
 * All that is asked of NULL, or of a value of another kind, is answered with "no": a chain of
 * questions needs one check at its end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct json_value;

/* The whole text must be one JSON value in valid UTF-8. NULL when it is none, nests deeper than a
 * thousand levels, or memory is out. Release with json_free(); NULL is legal there. */
struct json_value *json_parse(const char *text, size_t length);
void json_free(struct json_value *value);

/* Of an object, exactly this key; NULL when there is none. */
const struct json_value *json_get(const struct json_value *object, const char *key);

/* Walks the members of an object or the items of an array; NULL at the end. */
const struct json_value *json_first(const struct json_value *value);
const struct json_value *json_next(const struct json_value *item);

const char *json_key(const struct json_value *member);    /* "" for an item of an array */
const char *json_as_text(const struct json_value *value); /* NULL when it is no text */
/* false, and `*ret` untouched, when it is none. */
bool json_as_number(const struct json_value *value, double *ret);
bool json_as_bool(const struct json_value *value, bool *ret);
bool json_is_object(const struct json_value *value);
bool json_is_array(const struct json_value *value);
bool json_is_null(const struct json_value *value);
