#include "gateway/library.h"

#include "config/templates.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define USERS_FOLDER "/etc/thermogate/templates"

/* The folder of a path with its '/'; "" for a bare name. */
static int folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? (int)(slash - path) + 1 : 0;
}

/* PREFIX/share/thermogate/templates of the PREFIX/bin/thermogate that runs. */
static void find_installed(char *to, size_t size)
{
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);

    program[length > 0 ? length : 0] = '\0';
    snprintf(to, size, "%.*s../share/thermogate/templates", folder_length(program), program);
}

struct conf_templates *library_open(const char *config_path)
{
    char beside[PATH_MAX], installed[PATH_MAX + 40];
    const char *folders[] = {beside, USERS_FOLDER, installed, NULL};

    snprintf(beside, sizeof(beside), "%.*stemplates", folder_length(config_path), config_path);
    find_installed(installed, sizeof(installed));
    return conf_templates_new(folders);
}
