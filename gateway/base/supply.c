#include "gateway/base/supply.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool read_word(const char *folder, const char *entry, const char *name, char word[32])
{
    char path[PATH_MAX];
    FILE *file;
    bool is = false;

    snprintf(path, sizeof(path), "%s/%s/%s", folder, entry, name);
    file = fopen(path, "re");
    if (file) {
        is = fgets(word, 32, file) != NULL;
        fclose(file);
    }
    if (is)
        word[strcspn(word, "\n")] = '\0';
    return is;
}

int supply_undervoltage(const char *hwmon)
{
    DIR *folder = opendir(hwmon);
    const struct dirent *entry;
    char word[32];
    int r = -ENOENT;

    while (folder && r < 0 && (entry = readdir(folder))) {
        if (read_word(hwmon, entry->d_name, "name", word) && strcmp(word, "rpi_volt") == 0 &&
            read_word(hwmon, entry->d_name, "in0_lcrit_alarm", word))
            r = word[0] == '1';
    }
    if (folder)
        closedir(folder);
    return r;
}
