/* Parcel: how a message stands in the outbox - to the broker, or to a person. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mqtt_message;
struct notify_message;

/* Packs `message` but for its row. To be freed; NULL when memory is out. */
char *parcel_pack_mqtt(const struct mqtt_message *message, size_t *ret_size);
char *parcel_pack_letter(const struct notify_message *message, size_t *ret_size);

/* Unpacks; texts and payload are borrowed from `bytes`. false when it is damaged. */
bool parcel_read_mqtt(const char *bytes, size_t size, int64_t row,
                      struct mqtt_message *ret_message);
bool parcel_read_letter(const char *bytes, size_t size, uint64_t row,
                        struct notify_message *ret_message);
