/* Signature: what a kind of device answers, for finding out which one answers.
 *
 *   signature = ( { register = "holding 69"; type = "string"; length = 40; equals = "Schneider*" },
 *                 { register = "input 70"; type = "float32"; between = ( 45, 65 ) } )
 *
 * All of it must hold. A register is written as in a channel, with the order of the template where
 * it has none of its own; texts are compared as globs. */
#pragma once

#include "adapters/modbus/port.h"
#include "gateway/base/problem.h"
#include "gateway/base/setting.h"

struct mb_signature;

/* Reads the `signature` of a template. 0, also with *ret NULL where it has none; -EINVAL, said in
 * `problems`; -ENOMEM. */
int mb_signature_read(const struct section *template, struct problems *problems,
                      struct mb_signature **ret);
void mb_signature_free(struct mb_signature *signature); /* NULL is legal */

/* How many conditions it has: of two that hold, the one with more of them says more. */
size_t mb_signature_size(const struct mb_signature *signature);

/* What was asked of one unit already: templates ask for the same registers again and again. */
#define MB_ASKED_MAX 64
struct mb_asked_before {
    size_t n;
    struct mb_asked_once {
        struct mb_request request;
        uint8_t quality;
        uint8_t data[2 * MB_REGISTERS_MAX];
    } list[MB_ASKED_MAX];
};

/* Asks `unit` what is needed and says whether all of it holds. */
bool mb_signature_holds(const struct mb_signature *signature, struct mb_port *port, uint8_t unit,
                        int64_t timeout_ms, struct mb_asked_before *before);
