#include "gateway/base/json.h"

#include "gateway/base/text.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

void json_start(struct json *json, char *memory, size_t size)
{
    memset(json, 0, sizeof(*json));
    json->text = memory;
    json->size = size;
}

/* One byte always stays for the closing NUL. */
static void put(struct json *json, const char *bytes, size_t count)
{
    if (json->overflow || count >= json->size - json->length) {
        json->overflow = true;
        return;
    }
    memcpy(json->text + json->length, bytes, count);
    json->length += count;
}

static void put_escape(struct json *json, unsigned char c)
{
    static const char plain[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
    const char *at = c ? strchr(plain, c) : NULL;
    char text[8];

    if (at)
        snprintf(text, sizeof(text), "\\%c", names[at - plain]);
    else
        snprintf(text, sizeof(text), "\\u%04x", c);
    put(json, text, strlen(text));
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static void put_quoted(struct json *json, const char *text)
{
    size_t left = strlen(text), count;
    uint32_t code;

    put(json, "\"", 1);
    while (left > 0) {
        for (count = 0; count < left && is_plain((unsigned char)text[count]);)
            count++;
        if (count > 0) {
            put(json, text, count);
        } else if ((unsigned char)*text < 0x80) {
            put_escape(json, (unsigned char)*text);
            count = 1;
        } else if ((count = text_utf8(text, left, &code)) > 0) {
            put(json, text, count);
        } else {
            put(json, REPLACEMENT, strlen(REPLACEMENT));
            count = 1;
        }
        text += count;
        left -= count;
    }
    put(json, "\"", 1);
}

static void put_comma(struct json *json)
{
    if (json->comma)
        put(json, ",", 1);
    json->comma = true;
}

static void put_key(struct json *json, const char *key)
{
    put_comma(json);
    if (key) {
        put_quoted(json, key);
        put(json, ":", 1);
    }
}

void json_ready_key(struct json *json, const char *text, size_t length)
{
    put_comma(json);
    put(json, text, length);
    json->comma = false;
}

void json_ready_members(struct json *json, const char *text)
{
    if (!text[0])
        return;
    put_comma(json);
    put(json, text, strlen(text));
}

static void open_with(struct json *json, const char *key, char open, char close)
{
    assert(json->depth < JSON_DEPTH_MAX);
    put_key(json, key);
    put(json, &open, 1);
    json->close[json->depth++] = close;
    json->comma = false;
}

void json_object(struct json *json, const char *key)
{
    open_with(json, key, '{', '}');
}

void json_array(struct json *json, const char *key)
{
    open_with(json, key, '[', ']');
}

void json_end(struct json *json)
{
    assert(json->depth > 0);
    put(json, &json->close[--json->depth], 1);
    json->comma = true;
}

void json_null(struct json *json, const char *key)
{
    put_key(json, key);
    put(json, "null", 4);
}

void json_bool(struct json *json, const char *key, bool value)
{
    put_key(json, key);
    put(json, value ? "true" : "false", value ? 4 : 5);
}

void json_int(struct json *json, const char *key, int64_t value)
{
    char text[24];

    put_key(json, key);
    put(json, text, (size_t)snprintf(text, sizeof(text), "%lld", (long long)value));
}

void json_number(struct json *json, const char *key, double value, int decimals)
{
    char text[64];
    size_t length = isfinite(value) ? text_from_number(text, sizeof(text), value, decimals) : 0;

    if (length == 0) {
        json_null(json, key);
        return;
    }
    put_key(json, key);
    put(json, text, length);
}

void json_text(struct json *json, const char *key, const char *value)
{
    if (!value) {
        json_null(json, key);
        return;
    }
    put_key(json, key);
    put_quoted(json, value);
}

size_t json_length(struct json *json)
{
    while (json->depth > 0)
        json_end(json);
    if (json->overflow)
        return 0;
    json->text[json->length] = '\0';
    return json->length;
}
