/* JSON: a streaming writer over memory of the caller; reading is cJSON's. Any thread.
 *
 * Commas and quotes are the writer's. When the memory ends the writer stops and json_length()
 * returns 0 from then on: half an object is never sent. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 24

struct json {
    char *text;
    size_t size, length;
    bool overflow, comma;
    uint8_t depth;
    char close[JSON_DEPTH_MAX];
};

void json_start(struct json *json, char *memory, size_t size);

/* `key` is NULL inside an array and for the outermost value. */
void json_object(struct json *json, const char *key);
void json_array(struct json *json, const char *key);
void json_end(struct json *json); /* of the innermost object or array */

/* The next value's key, ready as `"key":`; its value then follows with a NULL key. For keys that
 * are written over and over. */
void json_ready_key(struct json *json, const char *text, size_t length);

/* Members of an object that are ready: `"a":1,"b":2`; "" is none. */
void json_ready_members(struct json *json, const char *text);

void json_null(struct json *json, const char *key);
void json_bool(struct json *json, const char *key, bool value);
void json_int(struct json *json, const char *key, int64_t value);
/* Not finite: null. `decimals` as text_from_number(). */
void json_number(struct json *json, const char *key, double value, int decimals);
/* NULL: null. Invalid UTF-8 becomes U+FFFD, control characters are escaped. */
void json_text(struct json *json, const char *key, const char *value);

/* Closes what is open and the text with NUL; its length without it, or 0 when it did not fit. */
size_t json_length(struct json *json);
