#include "adapters/modbus/diagnose.h"

#include "adapters/modbus/pdu.h"
#include "gateway/base/reading.h"

#include <stdio.h>
#include <string.h>

/* So often something must have happened before it is no chance. */
#define SURE_MIN   3
#define NOBODY_MIN 8

static bool is_idle(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != 0x00 && bytes[i] != 0xff)
            return false;
    }
    return count > 0;
}

void mb_symptoms_add(struct mb_symptoms *symptoms, uint8_t quality, const uint8_t *bytes,
                     size_t count)
{
    symptoms->asked++;
    symptoms->answered += quality == QUALITY_GOOD || quality > QUALITY_EXCEPTION;
    symptoms->silent += quality == QUALITY_TIMEOUT;
    if (quality == QUALITY_CRC && is_idle(bytes, count))
        symptoms->idle++;
    else if (quality == QUALITY_CRC)
        symptoms->damaged++;
}

/* Requests to read are eight bytes; answers with registers never are, they are odd. */
static bool is_request(const uint8_t *frame, size_t length)
{
    return length == 8 && (frame[1] == MB_READ_HOLDINGS || frame[1] == MB_READ_INPUTS);
}

void mb_symptoms_overhear(struct mb_symptoms *symptoms, const uint8_t *bytes, size_t count)
{
    size_t used;

    while (count > 0) {
        if (mb_rtu_parse(bytes, count, &used) != MB_FRAME_WHOLE) {
            used = 1; /* noise before a frame */
        } else if (is_request(bytes, used)) {
            symptoms->others++;
            symptoms->other_unit = bytes[0];
        }
        bytes += used;
        count -= used;
    }
}

static enum mb_fault find_fault(const struct mb_symptoms *symptoms)
{
    if (symptoms->others >= SURE_MIN)
        return MB_FAULT_MASTER;
    if (symptoms->echo && !symptoms->echo_known)
        return MB_FAULT_ECHO;
    if (symptoms->answered > 0)
        return MB_FAULT_NONE;
    if (symptoms->idle >= SURE_MIN && symptoms->damaged == 0)
        return MB_FAULT_SWAPPED;
    if (symptoms->damaged >= SURE_MIN)
        return MB_FAULT_FRAMING;
    if (symptoms->silent >= NOBODY_MIN && symptoms->silent == symptoms->asked)
        return MB_FAULT_NOBODY;
    return MB_FAULT_NONE;
}

enum mb_fault mb_symptoms_diagnose(struct mb_symptoms *symptoms)
{
    enum mb_fault fault = find_fault(symptoms);

    if (symptoms->said & 1u << fault)
        return MB_FAULT_NONE;
    symptoms->said |= 1u << fault;
    return fault;
}

/* What the driver has counted tells speed and parity apart. */
static const char *which_framing(const struct mb_symptoms *symptoms)
{
    if (symptoms->parity_errors > symptoms->frame_errors)
        return "the parity is another one";
    if (symptoms->frame_errors > 0)
        return "the baud rate is another one";
    return "are baud rate and parity those of the devices?";
}

char *mb_fault_explain(enum mb_fault fault, const struct mb_symptoms *symptoms, const char *framing,
                       char *words, size_t size)
{
    words[0] = '\0';
    switch (fault) {
    case MB_FAULT_SWAPPED:
        snprintf(words, size, "only %s: exchange the wires A and B (D+ and D-)",
                 "zeros come, as from a line that is held the wrong way round");
        break;
    case MB_FAULT_FRAMING:
        snprintf(words, size, "what comes are no Modbus frames at %s: %s", framing,
                 which_framing(symptoms));
        break;
    case MB_FAULT_NOBODY:
        snprintf(words, size,
                 "nobody has answered at %s: are the wires A and B exchanged, is it %s", framing,
                 "another baud rate or unit, do the devices have power?");
        break;
    case MB_FAULT_MASTER:
        snprintf(words, size, "another master is on this line, it asks unit %u: %s",
                 symptoms->other_unit, "values will be lost as long as both ask");
        break;
    case MB_FAULT_ECHO:
        snprintf(words, size, "the line gives back what is sent: write echo = true");
        break;
    case MB_FAULT_NONE:
        break;
    }
    return words;
}
