#include "gateway/pulse.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

struct pulse {
    struct timer *timer;
    int64_t every_ms;
    const struct pulse_part *parts, *stuck; /* stuck: that has been told */
    void *owner;
};

const struct pulse_part *pulse_find_stuck(const struct pulse_part *parts, void *owner)
{
    for (; parts->name; parts++) {
        if (parts->stuck_ms(owner) >= PULSE_PATIENCE_MS)
            return parts;
    }
    return NULL;
}

static void beat(void *owner)
{
    struct pulse *pulse = owner;
    const struct pulse_part *stuck = pulse_find_stuck(pulse->parts, pulse->owner);

    if (!stuck)
        sd_notify(0, "WATCHDOG=1");
    else if (stuck != pulse->stuck)
        log_error("%s has not come back for %d minutes; the watchdog is no longer fed, so that the "
                  "gateway is started anew",
                  stuck->name, PULSE_PATIENCE_MS / 60000);
    pulse->stuck = stuck;
    timer_at(pulse->timer, clock_boot_ms() + pulse->every_ms);
}

int pulse_start(struct loop *loop, uint64_t interval_us, const struct pulse_part *parts,
                void *owner, struct pulse **ret_pulse)
{
    struct pulse *pulse;

    *ret_pulse = NULL;
    if (interval_us == 0)
        return 0;
    pulse = calloc(1, sizeof(*pulse));
    if (!pulse)
        return -ENOMEM;
    pulse->every_ms = (int64_t)(interval_us / 2000); /* half of it */
    pulse->parts = parts;
    pulse->owner = owner;
    pulse->timer = timer_new(loop, beat, pulse);
    if (!pulse->timer) {
        free(pulse);
        return -ENOMEM;
    }
    beat(pulse);
    *ret_pulse = pulse;
    return 0;
}

void pulse_stop(struct pulse *pulse)
{
    if (!pulse)
        return;
    timer_free(pulse->timer);
    free(pulse);
}
