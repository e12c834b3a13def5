/* Properties: what a message says of itself in MQTT 5: what its content is, and how long it is
 * worth keeping. Made once: at each message Paho copies them. */
#pragma once

#include <MQTTClient.h>
#include <stdint.h>

struct session_message;

struct properties {
    MQTTProperties of_value, of_json, of_text;
};

/* `expiry_s` 0: values are kept for ever. 0, or what Paho says. */
int properties_make(struct properties *properties, uint32_t expiry_s);
void properties_release(struct properties *properties);

/* NULL: it says nothing. */
MQTTProperties *properties_of(struct properties *properties, const struct session_message *message);
