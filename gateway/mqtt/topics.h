/* Topics: the names under which everything is published. Pure; any thread.
 *
 *   <base>/status                        online, offline (the last will)
 *   <base>/health                        how the gateway does
 *   <base>/event                         what happened
 *   <base>/.../set, result               commands and their answers (receiver.h)
 *   <base>/<device>/state                every channel of a device
 *   <base>/<device>/<channel>            the same, a bare value each
 *   <base>/<device>/<channel>/event      what a channel of events has brought
 *   <base>/<device>/availability         online, offline
 *   <base>/<device>/replay               what it measured while the broker was away
 *   <base>/rule/<instance>/state         how a rule stands
 *   <prefix>/device/<id>-<device>/config discovery of Home Assistant; <id>-gateway is our own
 *   <prefix>/<platform>/<id>-<device>/<entity>/config   the same of one entity alone */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define TOPICS_SIZE      512 /* bytes of any topic of ours with NUL */
#define TOPICS_BASE_SIZE 129 /* of a base or prefix */

/* What a person may write as base or prefix: 1 to TOPICS_BASE_SIZE - 1 bytes of UTF-8 without
 * wildcards, control characters, a `/` at an end, or a `$` in front. */
bool topics_is_base(const char *text);

/* What a broker takes to publish to: 1 to 65,535 bytes of UTF-8 without wildcards and control
 * characters. A broker cuts the connection of who publishes to another. */
bool topics_is_publishable(const char *topic);

/* Each writes and returns `to`, which has TOPICS_SIZE bytes. */
char *topics_status(char *to, const char *base);
char *topics_health(char *to, const char *base);
char *topics_event(char *to, const char *base);
char *topics_device_state(char *to, const char *base, const char *device);
char *topics_channel(char *to, const char *base, const char *device, const char *channel);
char *topics_channel_event(char *to, const char *base, const char *device, const char *channel);
char *topics_device_availability(char *to, const char *base, const char *device);
char *topics_device_replay(char *to, const char *base, const char *device);
char *topics_rule_state(char *to, const char *base, const char *instance);
char *topics_channel_set(char *to, const char *base, const char *device, const char *channel);
char *topics_device_set(char *to, const char *base, const char *device);
char *topics_rule_set(char *to, const char *base, const char *instance);
/* `device` NULL: the gateway's own. */
char *topics_discovery(char *to, const char *prefix, const char *gateway_id, const char *device);

struct topics_entity {
    const char *platform, *device, *key;
};
char *topics_entity(char *to, const char *prefix, const char *gateway_id,
                    const struct topics_entity *entity);
