#include "adapters/modbus/scan.h"

#include "adapters/modbus/signature.h"
#include "gateway/base/reading.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GUIDE_MAX 1000

/* A converter that speaks for a slave which does not answer: path unavailable, target silent. */
#define EXCEPTION_PATH   10
#define EXCEPTION_TARGET 11

struct known {
    char *name;
    struct mb_signature *signature;
};

struct mb_guide {
    struct known list[GUIDE_MAX]; /* those with more conditions first */
    size_t n;
};

/* -- guide ---------------------------------------------------------------------------------- */

struct mb_guide *mb_guide_new(void)
{
    return calloc(1, sizeof(struct mb_guide));
}

void mb_guide_free(struct mb_guide *guide)
{
    if (!guide)
        return;
    for (size_t i = 0; i < guide->n; i++) {
        free(guide->list[i].name);
        mb_signature_free(guide->list[i].signature);
    }
    free(guide);
}

/* Where one of this size stands: behind those that say as much or more. */
static size_t place_for(const struct mb_guide *guide, const struct mb_signature *signature)
{
    size_t at = 0;

    while (at < guide->n &&
           mb_signature_size(guide->list[at].signature) >= mb_signature_size(signature))
        at++;
    return at;
}

int mb_guide_add(struct mb_guide *guide, const char *name, const struct section *template,
                 struct problems *problems)
{
    struct mb_signature *signature;
    int result = mb_signature_read(template, problems, &signature);
    size_t at;
    char *copy;

    if (result < 0 || !signature)
        return result;
    copy = strdup(name);
    if (!copy || guide->n == GUIDE_MAX) {
        mb_signature_free(signature);
        free(copy);
        return -ENOMEM;
    }
    at = place_for(guide, signature);
    memmove(&guide->list[at + 1], &guide->list[at], (guide->n - at) * sizeof(guide->list[0]));
    guide->list[at] = (struct known){copy, signature};
    guide->n++;
    return 0;
}

/* -- asking --------------------------------------------------------------------------------- */

static bool is_there(uint8_t quality)
{
    return quality == QUALITY_GOOD ||
           (quality > QUALITY_EXCEPTION && quality != QUALITY_EXCEPTION + EXCEPTION_PATH &&
            quality != QUALITY_EXCEPTION + EXCEPTION_TARGET);
}

uint8_t mb_scan_unit(struct mb_port *port, uint8_t unit, int64_t timeout_ms, struct error *reterr)
{
    static const struct mb_request questions[] = {
        {.function = MB_READ_HOLDINGS, .address = 0, .count = 1},
        {.function = MB_READ_INPUTS, .address = 0, .count = 1},
    };
    uint8_t quality = QUALITY_TIMEOUT;
    const uint8_t *data;

    for (size_t i = 0; i < 2 && !is_there(quality) && quality != QUALITY_DISCONNECTED; i++)
        quality = port->ask(port, unit, &questions[i], timeout_ms, &data, reterr);
    return quality > QUALITY_EXCEPTION && !is_there(quality) ? QUALITY_TIMEOUT : quality;
}

static void ask_identity(struct mb_port *port, uint8_t unit, int64_t timeout_ms,
                         struct mb_identity *identity)
{
    const uint8_t *data;
    bool more = true;

    *identity = (struct mb_identity){0};
    while (more) {
        struct mb_request request = mb_identity_ask(identity);

        more = port->ask(port, unit, &request, timeout_ms, &data, NULL) == QUALITY_GOOD &&
               mb_identity_take(identity, data);
    }
}

void mb_scan_identify(struct mb_port *port, uint8_t unit, int64_t timeout_ms,
                      const struct mb_guide *guide, struct mb_found *ret)
{
    struct mb_asked_before *before = calloc(1, sizeof(*before));

    *ret = (struct mb_found){.unit = unit};
    ask_identity(port, unit, timeout_ms, &ret->identity);
    for (size_t i = 0; before && i < guide->n && ret->n_matches < MB_MATCHES_MAX; i++) {
        if (mb_signature_holds(guide->list[i].signature, port, unit, timeout_ms, before))
            ret->matches[ret->n_matches++] = guide->list[i].name;
    }
    free(before);
}
