/* Options: the group `mqtt` of the config as the room uses it. Any thread; read-only once made. */
#pragma once

#include "gateway/base/error.h"
#include "gateway/base/problem.h"
#include "gateway/base/setting.h"

#include <stdbool.h>
#include <stdint.h>

struct mqtt_gateway;

struct options {
    char *host;
    int port;
    bool v5; /* MQTT 5; else 3.1.1 */
    char *client_id;
    char *username, *password; /* NULL: none */
    char *gateway_id;          /* what our entities hang on */
    char *base;                /* of our topics */
    char *prefix;              /* of discovery; NULL: no discovery */
    bool entities;             /* it has a message for each entity, not for each device */
    char *birth_topic, *birth_payload;
    int keep_alive_s;
    uint32_t expiry_s; /* of values, at the broker; 0: never */
    int64_t gather_ms;
    bool json, plain; /* one object a device, one message a channel */
    uint8_t qos_readings, qos_states, qos_events;
    uint8_t commands; /* enum command_rights: which ones the broker's clients may give */
    bool tls, insecure;
    char *ca_file, *cert_file, *key_file; /* NULL: none; the CAs of the system */
};

/* What the table cannot say: texts that are no topics, keys that need each other. Returns how many
 * errors were added. */
size_t options_check(const struct section *section, struct problems *problems);

/* Reads the password file too. 0, -ENOMEM, or -Exxx with `reterr`. */
int options_read(const struct section *section, const struct mqtt_gateway *gateway,
                 struct options **ret_options, struct error *reterr);
/* What a person should know at every start, to the log. */
void options_warn(const struct options *options);
void options_free(struct options *options);
