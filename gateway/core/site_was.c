#include "gateway/core/site_was.h"

#include "gateway/base/text.h"
#include "gateway/core/site_device.h"

#include <string.h>

static const char *identity_of(const struct section *section)
{
    const char *was = section_text(section, "was");

    return was ? was : section_name(section);
}

static void check(const struct section *section, const struct section *other,
                  struct problems *problems)
{
    if (other != section && strcmp(identity_of(section), identity_of(other)) == 0)
        problem_error(problems, section_place(section, "was"),
                      "a name that another has now, or had, is not free",
                      "\"%s\" cannot have been \"%s\": \"%s\" is", section_name(section),
                      identity_of(section), section_name(other));
}

/* false: it has no former name. */
static bool check_slug(const struct section *section, struct problems *problems)
{
    const char *was = section_text(section, "was");

    if (was && !text_is_slug(was))
        problem_error(problems, section_place(section, "was"),
                      "write small letters, digits and _, beginning with a letter",
                      "\"%s\" cannot have been a name", was);
    return was != NULL;
}

static void check_channels(const struct site_device *device, struct problems *problems)
{
    for (size_t i = 0; i < device->n_channels; i++) {
        if (!check_slug(device->channels[i], problems))
            continue;
        for (size_t other = 0; other < device->n_channels; other++)
            check(device->channels[i], device->channels[other], problems);
    }
}

void site_was_check(const struct site_device *devices, size_t n_devices, struct problems *problems)
{
    for (size_t i = 0; i < n_devices; i++) {
        check_channels(&devices[i], problems);
        if (!check_slug(devices[i].section, problems))
            continue;
        for (size_t other = 0; other < n_devices; other++)
            check(devices[i].section, devices[other].section, problems);
    }
}
