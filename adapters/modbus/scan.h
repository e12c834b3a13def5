/* Scan: who is there, and what it is. Blocks; one thread at a time. */
#pragma once

#include "adapters/modbus/identity.h"
#include "adapters/modbus/port.h"
#include "gateway/base/problem.h"
#include "gateway/base/setting.h"

#define MB_MATCHES_MAX 4

/* The templates that a scan knows, by their signatures. */
struct mb_guide;
struct mb_guide *mb_guide_new(void); /* NULL when memory is out */
void mb_guide_free(struct mb_guide *guide);

/* Adds a template; `name` is copied. One without a signature is none to be found. 0, -EINVAL (said
 * in `problems`), -ENOMEM. */
int mb_guide_add(struct mb_guide *guide, const char *name, const struct section *template,
                 struct problems *problems);

/* Whether somebody answers as `unit`: QUALITY_GOOD, an exception of its own, else why not. Asks two
 * small questions, since not everybody has both kinds of registers and some are silent then. */
uint8_t mb_scan_unit(struct mb_port *port, uint8_t unit, int64_t timeout_ms, struct error *reterr);

struct mb_found {
    uint8_t unit;
    struct mb_identity identity;         /* texts "" where it does not say */
    const char *matches[MB_MATCHES_MAX]; /* names of templates, the most certain first */
    size_t n_matches;
};

/* Asks a unit that is there what it is. The names live as long as `guide`. */
void mb_scan_identify(struct mb_port *port, uint8_t unit, int64_t timeout_ms,
                      const struct mb_guide *guide, struct mb_found *ret);
