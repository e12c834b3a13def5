#include "gateway/core/found.h"

#include "gateway/base/section.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct one {
    char bus[TEXT_SLUG_MAX + 1], name[TEXT_SLUG_MAX + 1];
    char key[32], value[128];
};

struct found {
    size_t n;
    struct one list[FOUND_MAX];
};

struct found *found_new(void)
{
    return calloc(1, sizeof(struct found));
}

void found_free(struct found *found)
{
    free(found);
}

struct found *found_copy(const struct found *found)
{
    struct found *copy = found_new();

    if (copy)
        *copy = *found;
    return copy;
}

int found_add(struct found *found, const char *bus, const struct adapter_found *device)
{
    struct one *one = &found->list[found->n];

    for (size_t i = 0; i < found->n; i++) {
        if (strcmp(found->list[i].name, device->name) == 0 && strcmp(found->list[i].bus, bus) == 0)
            return 0;
    }
    if (found->n == FOUND_MAX)
        return -ENOSPC;
    text_copy(one->bus, sizeof(one->bus), bus);
    text_copy(one->name, sizeof(one->name), device->name);
    text_copy(one->key, sizeof(one->key), device->key);
    text_copy(one->value, sizeof(one->value), device->value);
    found->n++;
    return 1;
}

/* -- into the config ------------------------------------------------------------------------ */

static bool bus_discovers(const struct section *root, const char *name)
{
    const struct section *buses = section_child(root, "buses");
    const struct section *bus = buses ? section_child(buses, name) : NULL;

    return bus && section_bool(bus, "discover");
}

static bool means_the_same(const char *a, const char *b)
{
    char x[TEXT_SLUG_MAX + 1], y[TEXT_SLUG_MAX + 1];

    return strcmp(text_make_slug(x, sizeof(x), a), text_make_slug(y, sizeof(y), b)) == 0;
}

static bool is_written(const struct section *devices, const struct one *one)
{
    const char *key, *bus, *value;

    for (size_t i = 0; (key = section_key(devices, i)); i++) {
        const struct section *device = section_child(devices, key);

        if (strcmp(key, one->name) == 0)
            return true;
        bus = device ? section_text(device, "bus") : NULL;
        value = device ? section_text(device, one->key) : NULL;
        if (bus && value && strcmp(bus, one->bus) == 0 && means_the_same(value, one->value))
            return true;
    }
    return false;
}

/* It stands where its bus does, since nobody wrote it. */
static int add_device(struct section *root, struct section *devices, const struct one *one)
{
    struct place place = section_place(section_child(section_child(root, "buses"), one->bus), NULL);
    struct section *device = section_make_group(devices, one->name, place);
    int r = device ? section_add_text(device, "bus", one->bus, place) : -ENOMEM;

    return r < 0 ? r : section_add_text(device, one->key, one->value, place);
}

int found_merge(const struct found *found, struct section *root)
{
    struct section *devices;
    int r = 0;

    if (found->n == 0)
        return 0;
    devices = section_make_group(root, "devices", section_place(root, NULL));
    for (size_t i = 0; devices && r == 0 && i < found->n; i++) {
        const struct one *one = &found->list[i];

        if (bus_discovers(root, one->bus) && !is_written(devices, one))
            r = add_device(root, devices, one);
    }
    return r;
}
