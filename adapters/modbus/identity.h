/* Identity: what a device says of itself by function 43/14 (Modbus Application Protocol 1.1b3,
 * section 6.21). Pure; any thread.
 *
 *   mb_identity_ask(&identity, &request); ... mb_identity_take(&identity, data) until it is false
 */
#pragma once

#include "adapters/modbus/pdu.h"

#define MB_IDENTITY_TEXT 64 /* bytes of a text with NUL; longer ones are cut */

struct mb_identity {
    char vendor[MB_IDENTITY_TEXT], product[MB_IDENTITY_TEXT], revision[MB_IDENTITY_TEXT];
    uint8_t next; /* the object to be asked for */
};

/* The request for the three texts that every device with this function has, from `next` on. */
struct mb_request mb_identity_ask(const struct mb_identity *identity);

/* Bytes of an answer's data. */
size_t mb_identity_size(const uint8_t *data);

/* Takes an answer's data, as mb_pdu_answer() gives it. True when the device has more to say: ask
 * again. What is no text for a terminal is escaped. */
bool mb_identity_take(struct mb_identity *identity, const uint8_t *data);
