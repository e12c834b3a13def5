/* Any bytes as a config file. Beyond not crashing: what our own parser takes libconfig must take,
 * and must read the same; whatever is wrong has at least one error; and every place can be shown.
 */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct setting limits[] = {
    {"low", SETTING_NUMBER | SETTING_TEXT, NULL, -1000, 1000, NULL, NULL, ""},
    {"for", SETTING_DURATION, "10s", 0, 1e9, NULL, NULL, ""},
    {NULL, 0, NULL, 0, 0, NULL, NULL, NULL}};

static const struct setting device[] = {
    {"bus", SETTING_TEXT | SETTING_REQUIRED, NULL, 0, 0, NULL, NULL, ""},
    {"unit", SETTING_INT, "1", 0, 247, NULL, NULL, ""},
    {"valid", SETTING_PAIR, NULL, -300, 300, NULL, NULL, ""},
    {"only", SETTING_TEXTS, NULL, 0, 0, NULL, NULL, ""},
    {"numbers", SETTING_NUMBERS, NULL, 0, 0, NULL, NULL, ""},
    {"most", SETTING_SIZE, "2 GB", 0, 1e12, NULL, NULL, ""},
    {"order", SETTING_CHOICE, "AB", 0, 0, "AB BA", NULL, ""},
    {"limits", SETTING_GROUP, "{}", 0, 0, NULL, limits, ""},
    {"on_fire", SETTING_GROUPS, NULL, 0, 0, NULL, limits, ""},
    {"on", SETTING_BOOL, NULL, 0, 0, NULL, NULL, ""},
    {NULL, 0, NULL, 0, 0, NULL, NULL, NULL}};

static const struct setting root[] = {
    {"devices", SETTING_NAMED, NULL, 0, 0, NULL, device, ""},
    {"rules", SETTING_NAMED | SETTING_OPEN, NULL, 0, 0, NULL, NULL, ""},
    {"any", SETTING_GROUP | SETTING_OPEN, NULL, 0, 0, NULL, NULL, ""},
    {NULL, 0, NULL, 0, 0, NULL, NULL, NULL}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The message itself, behind "fuzz.cfg:1:2: error: "; what it quotes of the input must not count.
 */
static void check_line(const char *line)
{
    const char *message = strstr(line, "error: ");

    if (message != NULL && (strcmp(message, "error: this is read in two ways") == 0 ||
                            strncmp(message, "error: in or before this line", 29) == 0)) {
        fprintf(stderr, "the parser and libconfig disagree: %s\n", line);
        abort();
    }
}

/* Asks for everything in every form. */
static void read_all(struct section *section)
{
    const char *key;

    for (size_t i = 0; (key = section_key(section, i)) != NULL; i++) {
        const char *text = section_text(section, key);
        size_t count = section_count(section, key);
        struct section *group = section_child(section, key);

        section_bool(section, key);
        section_int(section, key);
        section_number(section, key);
        section_duration_ms(section, key);
        section_size(section, key);
        section_choice(section, key);
        for (size_t j = 0; text != NULL && j <= strlen(text); j++) {
            struct place place = section_text_place(section, key, j);

            if (place.source == NULL || place.offset > place.source->length)
                abort();
        }
        for (size_t j = 0; j <= count; j++) {
            section_text_at(section, key, j);
            section_number_at(section, key, j);
            section_place_at(section, key, j);
            if (section_group_at(section, key, j) != NULL && group == NULL)
                read_all(section_group_at(section, key, j));
        }
        if (group != NULL)
            read_all(group);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct problems *problems = problems_new();
    FILE *nowhere = fopen("/dev/null", "w");
    struct conf *conf = NULL;
    const char *line;
    int result = conf_read_text("fuzz.cfg", (const char *)data, size, root, problems, &conf);

    if ((result == 0) != (problems_errors(problems) == 0) || (result == 0 && conf == NULL))
        abort();
    for (size_t i = 0; (line = problems_line(problems, i)) != NULL; i++)
        check_line(line);
    problems_print(problems, nowhere);
    fclose(nowhere);
    if (conf != NULL)
        read_all(conf_root(conf));
    conf_free(conf);
    problems_free(problems);
    return 0;
}
