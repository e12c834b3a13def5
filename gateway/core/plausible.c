#include "gateway/core/plausible.h"

#include "gateway/core/inventory.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

struct check {
    double valid_low, valid_high; /* NAN: any */
    double max_step;              /* 0: any */
    double last;                  /* last believed value; NAN: none yet */
    double candidate;             /* the value that has to be confirmed */
    uint8_t confirmed;            /* how many readings have agreed on it */
    bool counter, any;
};

struct plausible {
    size_t n;
    struct check checks[];
};

struct plausible *plausible_new(const struct inventory *inventory)
{
    struct plausible *plausible =
        calloc(1, sizeof(*plausible) + inventory->n_sensors * sizeof(struct check));

    if (!plausible)
        return NULL;
    plausible->n = inventory->n_sensors;
    for (size_t i = 0; i < plausible->n; i++) {
        const struct inventory_sensor *sensor = &inventory->sensors[i];

        const struct inventory_trust *trust = sensor->trust;

        if (!trust && !sensor->counter)
            continue; /* most are so: what is not written takes no memory */
        plausible->checks[i] = (struct check){
            .valid_low = trust ? trust->low : NAN,
            .valid_high = trust ? trust->high : NAN,
            .max_step = trust ? trust->max_step : 0,
            .counter = sensor->counter,
            .last = NAN,
            .any = true,
        };
    }
    return plausible;
}

void plausible_free(struct plausible *plausible)
{
    free(plausible);
}

static bool is_jump(const struct check *check, double from, double to)
{
    if (check->counter && to < from)
        return true;
    return check->max_step > 0 && fabs(to - from) > check->max_step;
}

/* A jump is believed when it has come three times running, each in keeping with the one before. */
static bool confirm(struct check *check, double value)
{
    bool agrees = check->confirmed > 0 && !is_jump(check, check->candidate, value);

    check->confirmed = agrees ? check->confirmed + 1 : 1;
    check->candidate = value;
    return check->confirmed >= PLAUSIBLE_CONFIRMATIONS;
}

static bool believe(struct check *check, double value)
{
    if (value < check->valid_low || value > check->valid_high) {
        check->confirmed = 0; /* what comes around it does not come in a row */
        return false;
    }
    if (is_jump(check, check->last, value) && !confirm(check, value))
        return false;
    check->last = value;
    check->confirmed = 0;
    return true;
}

void plausible_judge(struct plausible *plausible, struct reading *reading)
{
    struct check *check = &plausible->checks[reading->sensor];

    if (!check->any || reading->kind != VALUE_NUMBER || believe(check, reading->number))
        return;
    reading->kind = VALUE_NONE;
    reading->quality = QUALITY_IMPLAUSIBLE;
}
