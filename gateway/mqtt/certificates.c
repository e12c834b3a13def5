#include "gateway/mqtt/certificates.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/mqtt/options.h"
#include "gateway/mqtt/validity.h"

#include <inttypes.h>
#include <stddef.h>

#define LOOK_MS (12 * INT64_C(3600000))
#define DAY_MS  INT64_C(86400000)

/* What is left in days when something is said, once each; the last is worse than the first. */
static const int stages[] = {CERTIFICATES_SOON_DAYS, 7, 0};

int64_t certificates_days(int64_t until_ms, int64_t wall_ms)
{
    int64_t left_ms = until_ms - wall_ms;

    return left_ms < 0 ? -((-left_ms + DAY_MS - 1) / DAY_MS) : left_ms / DAY_MS;
}

static int stage_of(int64_t days)
{
    int stage = 0;

    while (stage < (int)(sizeof(stages) / sizeof(stages[0])) && days < stages[stage])
        stage++;
    return stage;
}

static void say(struct certificates *certificates, const char *file, int64_t days)
{
    int stage = stage_of(days);

    if (stage > certificates->said && days < 0)
        log_error("mqtt: the certificate in %s has ended: the next connection will fail", file);
    else if (stage > certificates->said)
        log_warn("mqtt: the certificate in %s ends in %" PRId64 " days", file, days);
    certificates->said = stage; /* one that was renewed is told again in time */
}

/* Of many that are trusted nobody knows which is needed: only a single one is looked at. */
void certificates_look(struct certificates *certificates, const struct options *options,
                       int64_t now_ms)
{
    const char *files[] = {options->cert_file, options->ca_file}, *file = NULL;
    int64_t until_ms = 0, its_ms;

    certificates->look_at_ms = now_ms + LOOK_MS;
    if (!clock_wall_is_good())
        return;
    for (size_t i = 0; i < 2; i++) {
        int count = files[i] ? validity_read(files[i], &its_ms) : 0;

        if (count <= 0 || (i == 1 && count > 1) || (file && its_ms >= until_ms))
            continue;
        file = files[i];
        until_ms = its_ms;
    }
    atomic_store(&certificates->until_ms, until_ms);
    if (file)
        say(certificates, file, certificates_days(until_ms, clock_wall_ms(now_ms)));
}
