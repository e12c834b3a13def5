#include "gateway/store/store.h"

#define DAY_MS 86400000.0

/* What a card is spared in the profile "sdcard". */
#define SDCARD_COMMIT_MS 600000

const struct setting store_settings[] = {
    {"path", SETTING_TEXT, "/var/lib/thermogate",
     .help = "Folder of state.db and history.db; on a local disk."},
    {"keep", SETTING_DURATION, "30d", DAY_MS, 36500 * DAY_MS,
     .help = "For how long readings are kept as they came."},
    {"keep_minutes", SETTING_DURATION, "400d", DAY_MS, 36500 * DAY_MS,
     .help = "For how long least, greatest and mean of every minute are kept."},
    {"keep_hours", SETTING_DURATION, "3650d", DAY_MS, 36500 * DAY_MS,
     .help = "For how long least, greatest and mean of every hour are kept."},
    {"commit_every", SETTING_DURATION, "60s", 1000, 3600000,
     .help = "How often readings are written; a power cut takes what came since. Alarms are written"
             " at once."},
    {"max_size", SETTING_SIZE, "2 GB", 16e6, 1e15,
     .help = "How large history.db may become; then the oldest readings go first."},
    {"profile", SETTING_CHOICE, "standard", .choices = "standard sdcard",
     .help = "\"sdcard\" writes readings every 10 minutes, unless commit_every says otherwise."},
    {0},
};

struct store_options store_options(const struct section *section)
{
    struct store_options options = {
        .path = section_text(section, "path"),
        .keep_ms = section_duration_ms(section, "keep"),
        .keep_minutes_ms = section_duration_ms(section, "keep_minutes"),
        .keep_hours_ms = section_duration_ms(section, "keep_hours"),
        .commit_every_ms = section_duration_ms(section, "commit_every"),
        .max_size = section_size(section, "max_size"),
    };

    if (section_choice(section, "profile") == 1 && !section_has(section, "commit_every"))
        options.commit_every_ms = SDCARD_COMMIT_MS;
    return options;
}
