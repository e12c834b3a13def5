#include "adapters/onewire/prepare.h"

#include "adapters/attribute.h"
#include "gateway/base/text.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define FEATURE_POLL 2 /* for completion */

/* The whole number in a file; false when there is none. */
static bool read_number(const char *folder, const char *name, int64_t *ret)
{
    char path[PATH_MAX], text[ATTRIBUTE_MAX + 1];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (attribute_read(path, text) < 0)
        return false;
    text[strcspn(text, "\n")] = '\0';
    return text_to_int(text, ret) == 0;
}

static int write_number(const char *folder, const char *name, int64_t number)
{
    char path[PATH_MAX], text[32];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    snprintf(text, sizeof(text), "%lld\n", (long long)number);
    return attribute_write(path, text);
}

enum onewire_power onewire_power(const char *folder)
{
    int64_t number;

    if (!read_number(folder, "ext_power", &number) || number < 0)
        return ONEWIRE_POWER_UNKNOWN;
    return number == 0 ? ONEWIRE_PARASITE : ONEWIRE_SUPPLIED;
}

int onewire_resolution(const char *folder)
{
    int64_t bits;

    return read_number(folder, "resolution", &bits) && bits >= 9 && bits <= 14 ? (int)bits : 0;
}

static void set_resolution(struct onewire_prepared *prepared, const char *address,
                           const char *folder, int bits, struct adapter_host *host)
{
    char words[256];
    int r;

    if (bits == 0 || onewire_resolution(folder) == bits)
        return;
    r = write_number(folder, "resolution", bits);
    if (r == 0 || prepared->said)
        return;
    snprintf(words, sizeof(words), "%s: its resolution cannot be set to %d bits: %s", address, bits,
             strerror(-r));
    host->note(host, words);
    prepared->said = true;
}

/* Without rights it stays off; that costs a few hundred milliseconds and is not worth a word. */
static void try_polling(struct onewire_prepared *prepared, const char *folder)
{
    int64_t features;

    if (prepared->refused || onewire_power(folder) != ONEWIRE_SUPPLIED ||
        !read_number(folder, "features", &features) || features & FEATURE_POLL)
        return;
    prepared->polls = write_number(folder, "features", features | FEATURE_POLL) == 0;
}

void onewire_prepare(struct onewire_prepared *prepared, const char *address, const char *folder,
                     int bits, struct adapter_host *host)
{
    if (prepared->done)
        return;
    prepared->done = true;
    set_resolution(prepared, address, folder, bits, host);
    try_polling(prepared, folder);
}

void onewire_unprepare(struct onewire_prepared *prepared, const char *address, const char *folder,
                       uint8_t quality, struct adapter_host *host)
{
    char words[256];
    int64_t features;

    prepared->done = false; /* it may have lost its power, and its RAM with it */
    if (!prepared->polls)
        return;
    prepared->polls = false;
    if (quality == QUALITY_NO_SENSOR || quality == QUALITY_DISCONNECTED)
        return;
    prepared->refused = true;
    if (!read_number(folder, "features", &features) ||
        write_number(folder, "features", features & ~(int64_t)FEATURE_POLL) < 0)
        return;
    snprintf(words, sizeof(words), "%s: its conversions are waited out from now on (it said: %s)",
             address, quality_name(quality));
    host->note(host, words);
}
