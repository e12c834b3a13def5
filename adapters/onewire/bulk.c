#include "adapters/onewire/bulk.h"

#include "adapters/attribute.h"
#include "adapters/onewire/decode.h"
#include "adapters/onewire/prepare.h"
#include "gateway/base/clock.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Sensors that are due together are read one after the other, 10 to 20 ms each. */
#define FRESH_MS 5000
/* Rights, wiring and drivers do not change by themselves. */
#define RETRY_MS   300000
#define CONVERT_MS 3000
#define LOOK_MS    5

/* -- who is on the master ------------------------------------------------------------------- */

/* The next address of the master's list; false at its end. */
static bool next_slave(const char **list, struct onewire_address *ret)
{
    char word[32];

    while (**list) {
        size_t length = strcspn(*list, "\n");

        snprintf(word, sizeof(word), "%.*s", (int)(length < 31 ? length : 31), *list);
        *list += length + ((*list)[length] == '\n');
        if (onewire_address_parse(word, ret, NULL) == 0)
            return true;
    }
    return false;
}

static uint64_t sum_of(const char *text)
{
    uint64_t sum = UINT64_C(14695981039346656037); /* FNV-1a */

    while (*text)
        sum = (sum ^ (unsigned char)*text++) * UINT64_C(1099511628211);
    return sum;
}

static void look_for_parasites(struct onewire_bulk *bulk, const char *folder, const char *list)
{
    struct onewire_address address;
    char path[PATH_MAX];

    bulk->parasite[0] = '\0';
    while (!bulk->parasite[0] && next_slave(&list, &address)) {
        snprintf(path, sizeof(path), "%s/%s", folder, address.text);
        if (onewire_power(path) == ONEWIRE_PARASITE)
            text_copy(bulk->parasite, sizeof(bulk->parasite), address.text);
    }
}

/* How many thermometers it has. To ask for their power takes the wire, and so is done again only
 * when others have come. */
static size_t count_members(struct onewire_bulk *bulk, const char *folder)
{
    char path[PATH_MAX], list[ATTRIBUTE_MAX + 1];
    struct onewire_address address;
    const char *rest = list;
    size_t n = 0;

    snprintf(path, sizeof(path), "%s/w1_master_slaves", folder);
    if (attribute_read(path, list) < 0)
        return 0;
    while (next_slave(&rest, &address))
        n++;
    if (n > 1 && sum_of(list) != bulk->members) {
        look_for_parasites(bulk, folder, list);
        bulk->members = sum_of(list);
        bulk->retry_ms = 0;
    }
    return n;
}

/* -- measuring ------------------------------------------------------------------------------ */

/* The kernel waits inside the write; all the same nobody says that it must. What is no number is
 * not finished either. */
static int wait_until_done(const char *path)
{
    const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
    int64_t until_ms = clock_boot_ms() + CONVERT_MS;
    char text[ATTRIBUTE_MAX + 1];

    for (;;) {
        int r = attribute_read(path, text);

        if (r < 0)
            return r;
        if (text[0] == '0' || text[0] == '1')
            return 0;
        if (clock_boot_ms() >= until_ms)
            return -ETIMEDOUT;
        nanosleep(&pause, NULL);
    }
}

static int trigger(const char *folder)
{
    char path[PATH_MAX];
    int r;

    snprintf(path, sizeof(path), "%s/therm_bulk_read", folder);
    r = attribute_write(path, "trigger\n");
    return r < 0 ? r : wait_until_done(path);
}

static void describe(const struct onewire_bulk *bulk, int r, char *why, size_t size)
{
    if (bulk->parasite[0])
        snprintf(why, size, "%s lives on the power of the line", bulk->parasite);
    else if (r == -ENOENT)
        snprintf(why, size, "this master has no therm_bulk_read");
    else if (r == -EACCES || r == -EPERM || r == -EROFS)
        snprintf(why, size, "therm_bulk_read may not be written: is the udev rule installed?");
    else
        snprintf(why, size, "therm_bulk_read: %s", strerror(-r));
}

static void tell(struct onewire_bulk *bulk, const char *folder, const char *why,
                 struct adapter_host *host)
{
    const char *slash = strrchr(folder, '/');
    char words[256];

    if (strcmp(bulk->said, why) == 0)
        return;
    text_copy(bulk->said, sizeof(bulk->said), why);
    if (*why)
        snprintf(words, sizeof(words), "%s: its sensors are measured one after the other: %s",
                 slash ? slash + 1 : folder, why);
    else
        snprintf(words, sizeof(words), "%s: its sensors are measured at once again",
                 slash ? slash + 1 : folder);
    host->note(host, words);
}

/* Whether all of them have been measured now. */
static bool measure(struct onewire_bulk *bulk, const char *folder, struct adapter_host *host)
{
    char why[160] = "";
    int r;

    if (count_members(bulk, folder) < 2 || clock_boot_ms() < bulk->retry_ms)
        return false;
    r = bulk->parasite[0] ? -EOPNOTSUPP : trigger(folder);
    if (r < 0)
        describe(bulk, r, why, sizeof(why));
    tell(bulk, folder, why, host);
    if (r < 0) {
        bulk->retry_ms = clock_boot_ms() + RETRY_MS;
        return false;
    }
    bulk->round++;
    bulk->at_ms = clock_boot_ms();
    return true;
}

static enum onewire_bulk_result measure_locked(struct onewire_bulk *bulk, const char *folder,
                                               uint32_t *seen, struct adapter_host *host)
{
    bool unread = *seen != bulk->round;
    bool fresh = unread && clock_boot_ms() < bulk->at_ms + FRESH_MS;

    if (!fresh && measure(bulk, folder, host))
        fresh = true;
    *seen = bulk->round;
    if (fresh)
        return ONEWIRE_DONE;
    return unread ? ONEWIRE_OLD : ONEWIRE_ALONE;
}

/* -- door ----------------------------------------------------------------------------------- */

void onewire_bulk_init(struct onewire_bulk *bulk)
{
    *bulk = (struct onewire_bulk){.round = 0};
    pthread_mutex_init(&bulk->lock, NULL);
}

void onewire_bulk_clear(struct onewire_bulk *bulk)
{
    pthread_mutex_destroy(&bulk->lock);
}

/* Whoever waits for the lock would wait for the same wire without it. */
enum onewire_bulk_result onewire_bulk_measure(struct onewire_bulk *bulk, const char *folder,
                                              uint32_t *seen, struct adapter_host *host)
{
    enum onewire_bulk_result result;

    pthread_mutex_lock(&bulk->lock);
    result = measure_locked(bulk, folder, seen, host);
    pthread_mutex_unlock(&bulk->lock);
    return result;
}
