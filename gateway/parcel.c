#include "gateway/parcel.h"

#include "gateway/mqtt/mqtt.h"
#include "gateway/notify/notify.h"

#include <stdlib.h>
#include <string.h>

/* To the broker: QoS and retain in one byte, the topic with its NUL, the payload. */
#define QOS_MASK 0x03
#define RETAIN   0x80

char *parcel_pack_mqtt(const struct mqtt_message *message, size_t *ret_size)
{
    size_t topic_size = strlen(message->topic) + 1;
    char *bytes = malloc(1 + topic_size + message->length);

    if (!bytes)
        return NULL;
    bytes[0] = (char)(message->qos | (message->retain ? RETAIN : 0));
    memcpy(bytes + 1, message->topic, topic_size);
    if (message->length > 0)
        memcpy(bytes + 1 + topic_size, message->payload, message->length);
    *ret_size = 1 + topic_size + message->length;
    return bytes;
}

bool parcel_read_mqtt(const char *bytes, size_t size, int64_t row, struct mqtt_message *ret_message)
{
    const char *end = size > 1 ? memchr(bytes + 1, '\0', size - 1) : NULL;

    if (!end)
        return false;
    *ret_message = (struct mqtt_message){
        .row = row,
        .topic = bytes + 1,
        .payload = end + 1,
        .length = size - (size_t)(end + 1 - bytes),
        .qos = (uint8_t)bytes[0] & QOS_MASK,
        .retain = ((uint8_t)bytes[0] & RETAIN) != 0,
    };
    return true;
}

/* To a person: this head, then the texts, each with its NUL. */
struct head {
    int64_t since_ms, at_ms;
    uint8_t kind, severity;
};
#define TEXTS 6

char *parcel_pack_letter(const struct notify_message *message, size_t *ret_size)
{
    const char *texts[TEXTS] = {message->title,  message->text,  message->rule,
                                message->sensor, message->value, message->unit};
    struct head head;
    size_t size = sizeof(head), at = sizeof(head);
    char *bytes;

    for (size_t i = 0; i < TEXTS; i++)
        size += (texts[i] ? strlen(texts[i]) : 0) + 1;
    bytes = malloc(size);
    if (!bytes)
        return NULL;
    memset(&head, 0, sizeof(head)); /* the bytes between its members are written, too */
    head.since_ms = message->since_ms;
    head.at_ms = message->at_ms;
    head.kind = message->kind;
    head.severity = message->severity;
    memcpy(bytes, &head, sizeof(head));
    for (size_t i = 0; i < TEXTS; i++) {
        size_t length = texts[i] ? strlen(texts[i]) : 0;

        memcpy(bytes + at, texts[i] ? texts[i] : "", length + 1);
        at += length + 1;
    }
    *ret_size = size;
    return bytes;
}

bool parcel_read_letter(const char *bytes, size_t size, uint64_t row,
                        struct notify_message *ret_message)
{
    const char *texts[TEXTS];
    struct head head;
    size_t at = sizeof(head);

    if (size < at)
        return false;
    memcpy(&head, bytes, at);
    for (size_t i = 0; i < TEXTS; i++) {
        const char *end = at < size ? memchr(bytes + at, '\0', size - at) : NULL;

        if (!end)
            return false;
        texts[i] = bytes + at;
        at = (size_t)(end - bytes) + 1;
    }
    *ret_message = (struct notify_message){
        .row = row,
        .kind = head.kind,
        .severity = head.severity,
        .title = texts[0],
        .text = texts[1],
        .rule = texts[2],
        .sensor = texts[3],
        .value = texts[4],
        .unit = texts[5],
        .since_ms = head.since_ms,
        .at_ms = head.at_ms,
    };
    return true;
}
