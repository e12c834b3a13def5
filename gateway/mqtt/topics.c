#include "gateway/mqtt/topics.h"

#include "gateway/base/text.h"

#include <stdio.h>
#include <string.h>

#define TOPIC_MAX 65535 /* MQTT 5, 1.5.4: a string has two bytes of length */

bool topics_is_publishable(const char *topic)
{
    size_t length = strlen(topic);

    if (length == 0 || length > TOPIC_MAX || !text_is_utf8(topic, length))
        return false;
    for (; *topic; topic++) {
        if ((unsigned char)*topic < 0x20 || *topic == 0x7f || *topic == '+' || *topic == '#')
            return false;
    }
    return true;
}

bool topics_is_base(const char *text)
{
    size_t length = strlen(text);

    return length > 0 && length < TOPICS_BASE_SIZE && topics_is_publishable(text) &&
           text[0] != '$' && text[0] != '/' && text[length - 1] != '/';
}

char *topics_status(char *to, const char *base)
{
    snprintf(to, TOPICS_SIZE, "%s/status", base);
    return to;
}

char *topics_health(char *to, const char *base)
{
    snprintf(to, TOPICS_SIZE, "%s/health", base);
    return to;
}

char *topics_event(char *to, const char *base)
{
    snprintf(to, TOPICS_SIZE, "%s/event", base);
    return to;
}

char *topics_device_state(char *to, const char *base, const char *device)
{
    snprintf(to, TOPICS_SIZE, "%s/%s/state", base, device);
    return to;
}

char *topics_channel(char *to, const char *base, const char *device, const char *channel)
{
    snprintf(to, TOPICS_SIZE, "%s/%s/%s", base, device, channel);
    return to;
}

char *topics_channel_event(char *to, const char *base, const char *device, const char *channel)
{
    snprintf(to, TOPICS_SIZE, "%s/%s/%s/event", base, device, channel);
    return to;
}

char *topics_device_availability(char *to, const char *base, const char *device)
{
    snprintf(to, TOPICS_SIZE, "%s/%s/availability", base, device);
    return to;
}

char *topics_device_replay(char *to, const char *base, const char *device)
{
    snprintf(to, TOPICS_SIZE, "%s/%s/replay", base, device);
    return to;
}

char *topics_rule_state(char *to, const char *base, const char *instance)
{
    snprintf(to, TOPICS_SIZE, "%s/rule/%s/state", base, instance);
    return to;
}

char *topics_channel_set(char *to, const char *base, const char *device, const char *channel)
{
    snprintf(to, TOPICS_SIZE, "%s/%s/%s/set", base, device, channel);
    return to;
}

char *topics_device_set(char *to, const char *base, const char *device)
{
    snprintf(to, TOPICS_SIZE, "%s/%s/set", base, device);
    return to;
}

char *topics_rule_set(char *to, const char *base, const char *instance)
{
    snprintf(to, TOPICS_SIZE, "%s/rule/%s/set", base, instance);
    return to;
}

char *topics_discovery(char *to, const char *prefix, const char *gateway_id, const char *device)
{
    snprintf(to, TOPICS_SIZE, "%s/device/%s-%s/config", prefix, gateway_id,
             device ? device : "gateway");
    return to;
}

char *topics_entity(char *to, const char *prefix, const char *gateway_id,
                    const struct topics_entity *entity)
{
    snprintf(to, TOPICS_SIZE, "%s/%s/%s-%s/%s/config", prefix, entity->platform, gateway_id,
             entity->device, entity->key);
    return to;
}
