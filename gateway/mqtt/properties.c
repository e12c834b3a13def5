#include "gateway/mqtt/properties.h"

#include "gateway/mqtt/session.h"

#include <string.h>

static int add_content_type(MQTTProperties *properties, const char *type)
{
    MQTTProperty property = {.identifier = MQTTPROPERTY_CODE_CONTENT_TYPE};

    property.value.data.data = (char *)(uintptr_t)type;
    property.value.data.len = (int)strlen(type);
    return MQTTProperties_add(properties, &property);
}

int properties_make(struct properties *properties, uint32_t expiry_s)
{
    MQTTProperty expiry = {.identifier = MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL};
    int r = add_content_type(&properties->of_json, "application/json");

    if (r == 0)
        r = add_content_type(&properties->of_text, "text/plain");
    expiry.value.integer4 = expiry_s;
    if (r == 0 && expiry_s > 0)
        r = MQTTProperties_add(&properties->of_value, &expiry);
    return r;
}

void properties_release(struct properties *properties)
{
    MQTTProperties_free(&properties->of_value);
    MQTTProperties_free(&properties->of_json);
    MQTTProperties_free(&properties->of_text);
}

/* A value says no more than it must: there are thousands a second. */
MQTTProperties *properties_of(struct properties *properties, const struct session_message *message)
{
    const char *payload = message->payload;

    if (message->is_value)
        return properties->of_value.count > 0 ? &properties->of_value : NULL;
    return message->length > 0 && (payload[0] == '{' || payload[0] == '[') ? &properties->of_json
                                                                           : &properties->of_text;
}
