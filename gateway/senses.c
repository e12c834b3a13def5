#include "gateway/senses.h"

#include "adapters/adapters.h"
#include "gateway/base/clock.h"
#include "gateway/base/loop.h"
#include "gateway/base/supply.h"
#include "gateway/core/inventory.h"
#include "gateway/core/pipeline.h"
#include "gateway/core/site.h"
#include "gateway/inside.h"
#include "gateway/mqtt/mqtt.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#define LOOK_MS 2000
#define SLOW    5 /* looks for one at what changes slowly: loads are those of ten seconds */

struct senses {
    struct app *app;
    struct timer *timer;
    unsigned looks;
    bool clock_good;
    const char *hwmon;
    bool supply_watched;
};

static void feel_clock(struct senses *senses)
{
    bool good = clock_wall_is_good();

    if (good && !senses->clock_good)
        pipeline_on_clock(senses->app->pipeline);
    else if (!good)
        pipeline_own(senses->app->pipeline, OWN_CLOCK, 0);
    senses->clock_good = good;
}

/* Of the disk with the history; of the system's where there is none. */
static void feel_disk(struct senses *senses)
{
    const char *path = senses->app->disk[0] ? senses->app->disk : "/";
    struct statvfs disk;

    if (statvfs(path, &disk) == 0 && disk.f_blocks > 0)
        pipeline_own(senses->app->pipeline, OWN_DISK_FREE,
                     100.0 * (double)disk.f_bavail / (double)disk.f_blocks);
}

/* The kernel looks every two seconds, and so do we where it does. A machine that is no Pi is asked
 * now and then, since drivers may come late. */
static void feel_supply(struct senses *senses)
{
    int r;

    if (!senses->supply_watched && senses->looks % SLOW != 0)
        return;
    r = supply_undervoltage(senses->hwmon);
    senses->supply_watched = r >= 0;
    if (r >= 0)
        pipeline_own(senses->app->pipeline, OWN_UNDERVOLTAGE, r);
}

static void feel_loads(struct senses *senses)
{
    const struct inventory *inventory = senses->app->site->inventory;
    struct adapters_traffic traffic;

    for (uint32_t i = 0; i < inventory->n_buses; i++) {
        if (adapters_bus_traffic(senses->app->adapters, inventory->buses[i].name, &traffic) == 0)
            pipeline_bus_load(senses->app->pipeline, i, 100 * traffic.busy);
    }
}

static void look(void *owner)
{
    struct senses *senses = owner;
    struct app *app = senses->app;

    feel_clock(senses);
    if (app->mqtt)
        pipeline_own(app->pipeline, OWN_BROKER, mqtt_counts(app->mqtt).online);
    feel_supply(senses);
    if (senses->looks++ % SLOW == 0) {
        feel_disk(senses);
        feel_loads(senses);
    }
    timer_at(senses->timer, clock_boot_ms() + LOOK_MS);
}

int senses_start(struct app *app, struct senses **ret_senses)
{
    struct senses *senses = calloc(1, sizeof(*senses));

    if (!senses)
        return -ENOMEM;
    senses->app = app;
    senses->hwmon = getenv(SUPPLY_VARIABLE);
    if (!senses->hwmon)
        senses->hwmon = SUPPLY_HWMON;
    senses->timer = timer_new(app->loop, look, senses);
    if (!senses->timer) {
        free(senses);
        return -ENOMEM;
    }
    *ret_senses = senses;
    look(senses);
    return 0;
}

void senses_stop(struct senses *senses)
{
    if (!senses)
        return;
    timer_free(senses->timer);
    free(senses);
}
