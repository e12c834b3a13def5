#include "gateway/base/json_read.h"

#include "gateway/base/text.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

static const cJSON *inside(const struct json_value *value)
{
    return (const cJSON *)(const void *)value;
}

static const struct json_value *outside(const cJSON *value)
{
    return (const struct json_value *)(const void *)value;
}

struct json_value *json_parse(const char *text, size_t length)
{
    const char *end = NULL;
    cJSON *value;

    if (!text_is_utf8(text, length))
        return NULL;
    value = cJSON_ParseWithLengthOpts(text, length, &end, false);
    while (value && end < text + length && *end != '\0' && strchr(" \t\r\n", *end))
        end++;
    if (value && end != text + length) {
        cJSON_Delete(value);
        return NULL;
    }
    return (struct json_value *)(void *)value;
}

void json_free(struct json_value *value)
{
    cJSON_Delete((cJSON *)(void *)value);
}

const struct json_value *json_get(const struct json_value *object, const char *key)
{
    return outside(cJSON_GetObjectItemCaseSensitive(inside(object), key));
}

const struct json_value *json_first(const struct json_value *value)
{
    return json_is_object(value) || json_is_array(value) ? outside(inside(value)->child) : NULL;
}

const struct json_value *json_next(const struct json_value *item)
{
    return item ? outside(inside(item)->next) : NULL;
}

const char *json_key(const struct json_value *member)
{
    return member && inside(member)->string ? inside(member)->string : "";
}

const char *json_as_text(const struct json_value *value)
{
    return cJSON_GetStringValue((cJSON *)(uintptr_t)value);
}

bool json_as_number(const struct json_value *value, double *ret)
{
    if (!cJSON_IsNumber(inside(value)) || !isfinite(inside(value)->valuedouble))
        return false;
    *ret = inside(value)->valuedouble;
    return true;
}

bool json_as_bool(const struct json_value *value, bool *ret)
{
    if (!cJSON_IsBool(inside(value)))
        return false;
    *ret = cJSON_IsTrue(inside(value));
    return true;
}

bool json_is_object(const struct json_value *value)
{
    return cJSON_IsObject(inside(value));
}

bool json_is_array(const struct json_value *value)
{
    return cJSON_IsArray(inside(value));
}

bool json_is_null(const struct json_value *value)
{
    return cJSON_IsNull(inside(value));
}
