/* Diagnose: what is wrong with a serial line, by what comes over it. Pure; any thread.
 *
 *   swapped wires    idle looks like a long break: nothing but 00 or FF, and never an answer
 *   another framing  bytes come after each request, but never a good CRC
 *   deaf and dumb    nobody has ever answered
 *   second master    requests that we have not sent
 *   echo             our own request comes back first
 *
 * Each is a guess for a person who stands before the cabinet: said once while the line is open. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mb_fault {
    MB_FAULT_NONE,
    MB_FAULT_SWAPPED,
    MB_FAULT_FRAMING,
    MB_FAULT_NOBODY,
    MB_FAULT_MASTER,
    MB_FAULT_ECHO,
};

struct mb_symptoms {
    uint32_t asked, answered;             /* an exception is an answer */
    uint32_t silent;                      /* nothing came at all */
    uint32_t idle;                        /* nothing but 00 and FF came */
    uint32_t damaged;                     /* something came that was no frame */
    uint32_t others;                      /* requests of another master */
    uint8_t other_unit;                   /* to whom the last of them went */
    bool echo;                            /* the line gives back what is sent */
    bool echo_known;                      /* and that was written in the config */
    uint32_t parity_errors, frame_errors; /* that the driver has counted; some count none */
    uint32_t said;                        /* bits of enum mb_fault */
};

/* A request of ours is over: `quality` as of mb_line_ask(), `bytes` what came but the answer. */
void mb_symptoms_add(struct mb_symptoms *symptoms, uint8_t quality, const uint8_t *bytes,
                     size_t count);

/* Looks for requests of another master among bytes that were not for us. */
void mb_symptoms_overhear(struct mb_symptoms *symptoms, const uint8_t *bytes, size_t count);

/* What has not been said yet; MB_FAULT_NONE mostly. */
enum mb_fault mb_symptoms_diagnose(struct mb_symptoms *symptoms);

/* In words, with what to do. `framing` is "9600 8N1". Returns `words`. */
char *mb_fault_explain(enum mb_fault fault, const struct mb_symptoms *symptoms, const char *framing,
                       char *words, size_t size);
