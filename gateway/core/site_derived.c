#include "gateway/core/site_derived.h"

#include "gateway/base/text.h"

#include <errno.h>
#include <string.h>

static int add_channels(struct site_device *device, const struct section *derived,
                        struct problems *problems)
{
    const struct section *channels = section_child(derived, "channels");
    const char *key;
    int r = 0;

    for (size_t i = 0; channels && (key = section_key(channels, i)) && r != -ENOMEM; i++) {
        const struct section *channel = section_child(channels, key);

        if (channel) /* else said when the file was checked */
            r = site_device_add_derived(device, channel, problems);
    }
    return r == -ENOMEM ? r : 0;
}

/* Each device that `for_each` means; those that are reckoned themselves are none of them. */
static int add_to_each(const struct section *derived, struct site_device *devices, size_t n_devices,
                       struct problems *problems)
{
    const char *glob = section_text(derived, "for_each");
    bool any = false;
    int r = 0;

    for (size_t i = 0; i < n_devices && r == 0; i++) {
        if (!devices[i].bus || !text_glob(glob, section_name(devices[i].section)))
            continue;
        any = true;
        r = add_channels(&devices[i], derived, problems);
    }
    if (!any)
        problem_warning(problems, section_place(derived, "for_each"),
                        "it is about names of devices", "derived \"%s\": no device matches \"%s\"",
                        section_name(derived), glob);
    return r;
}

static bool is_name_taken(const struct section *root, const struct section *derived,
                          struct problems *problems)
{
    static const char *const groups[] = {"buses", "devices"};

    for (size_t i = 0; i < 2; i++) {
        const struct section *group = section_child(root, groups[i]);

        if (!group || !section_has(group, section_name(derived)))
            continue;
        problem_error(problems, section_place(derived, NULL),
                      "choose another name, or write for_each to add channels to a device",
                      "\"%s\" stands under `%s` already", section_name(derived), groups[i]);
        return true;
    }
    return false;
}

int site_derived_read(const struct section *root, struct site_device *devices, size_t *n_devices,
                      struct problems *problems)
{
    const struct section *all = section_child(root, "derived");
    size_t n_read = *n_devices;
    const char *key;
    int r = 0;

    for (size_t i = 0; all && (key = section_key(all, i)) && r == 0; i++) {
        struct section *derived = section_child(all, key);

        if (!derived)
            continue;
        if (section_text(derived, "for_each")) {
            r = add_to_each(derived, devices, n_read, problems);
        } else if (!is_name_taken(root, derived, problems)) {
            site_device_start_derived(&devices[*n_devices], derived, problems);
            r = add_channels(&devices[(*n_devices)++], derived, problems);
        }
    }
    return r;
}
