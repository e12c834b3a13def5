#include "config/templates.h"
#include "config/conf.h"
#include "config/file.h"
#include "gateway/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDERS_MAX 4
#define SUFFIX      ".cfg"

static const struct place nowhere = {NULL, 0};

/* What is for people and for finding out which device answers; the rest is for devices. */
static const struct setting head_settings[] = {
    {"title", SETTING_TEXT | SETTING_REQUIRED, .help = "What it is, in one line."},
    {"source", SETTING_TEXT | SETTING_REQUIRED, .help = "The document its registers are from."},
    {"signature", SETTING_GROUPS | SETTING_OPEN, .help = "What such a device answers."},
    {"channels", SETTING_NAMED | SETTING_OPEN | SETTING_REQUIRED, .help = "What it measures."},
    {0},
};

struct conf_templates {
    char *folders[FOLDERS_MAX + 1];
    struct conf_template **list;
    size_t count;
};

/* -- life ----------------------------------------------------------------------------------- */

struct conf_templates *conf_templates_new(const char *const folders[])
{
    struct conf_templates *templates = calloc(1, sizeof *templates);

    if (templates == NULL)
        return NULL;
    templates->list = calloc(CONF_TEMPLATES_MAX, sizeof(void *));
    for (size_t i = 0; templates->list != NULL && i < FOLDERS_MAX && folders[i] != NULL; i++) {
        templates->folders[i] = strdup(folders[i]);
        if (templates->folders[i] == NULL)
            break;
    }
    if (templates->list != NULL && (folders[0] == NULL || templates->folders[0] != NULL))
        return templates;
    conf_templates_free(templates);
    return NULL;
}

static void template_free(struct conf_template *template)
{
    if (template == NULL)
        return;
    section_free(template->root);
    source_free(template->source);
    free(template->name);
    free(template);
}

void conf_templates_free(struct conf_templates *templates)
{
    if (templates == NULL)
        return;
    for (size_t i = 0; i < templates->count; i++)
        template_free(templates->list[i]);
    for (size_t i = 0; templates->folders[i] != NULL; i++)
        free(templates->folders[i]);
    free(templates->list);
    free(templates);
}

/* -- names ---------------------------------------------------------------------------------- */

/* The name of a template out of that of a file; false when it is another kind of file. */
static bool name_of_file(const char *file, char name[TEXT_SLUG_MAX + 1])
{
    size_t length = strlen(file), suffix = strlen(SUFFIX);

    if (length <= suffix || length - suffix > TEXT_SLUG_MAX ||
        strcmp(file + length - suffix, SUFFIX) != 0)
        return false;
    memcpy(name, file, length - suffix);
    name[length - suffix] = '\0';
    return text_is_slug(name);
}

struct listing {
    char **paths;
    size_t count;
};

static const char *base_name(const char *path)
{
    return strrchr(path, '/') + 1;
}

static bool is_listed(const struct listing *listing, const char *file)
{
    for (size_t i = 0; i < listing->count; i++) {
        if (strcmp(base_name(listing->paths[i]), file) == 0)
            return true;
    }
    return false;
}

static void list_folder(struct listing *listing, const char *folder)
{
    DIR *entries = opendir(folder);
    char name[TEXT_SLUG_MAX + 1];
    struct dirent *entry;

    while (entries != NULL && listing->count < CONF_TEMPLATES_MAX &&
           (entry = readdir(entries)) != NULL) {
        if (!name_of_file(entry->d_name, name) || is_listed(listing, entry->d_name))
            continue;
        if (asprintf(&listing->paths[listing->count], "%s/%s", folder, entry->d_name) >= 0)
            listing->count++;
    }
    if (entries != NULL)
        closedir(entries);
}

static int compare_files(const void *a, const void *b)
{
    return strcmp(base_name(*(char *const *)a), base_name(*(char *const *)b));
}

void conf_templates_each(const struct conf_templates *templates,
                         void (*call)(void *owner, const char *name, const char *path), void *owner)
{
    struct listing listing = {.paths = calloc(CONF_TEMPLATES_MAX, sizeof(char *))};
    char name[TEXT_SLUG_MAX + 1];

    if (listing.paths == NULL)
        return;
    for (size_t i = 0; templates->folders[i] != NULL; i++)
        list_folder(&listing, templates->folders[i]);
    qsort(listing.paths, listing.count, sizeof *listing.paths, compare_files);
    for (size_t i = 0; i < listing.count; i++) {
        name_of_file(base_name(listing.paths[i]), name);
        call(owner, name, listing.paths[i]);
        free(listing.paths[i]);
    }
    free(listing.paths);
}

struct nearest {
    const char *wanted;
    size_t distance;
    char name[TEXT_SLUG_MAX + 1];
};

static void look_nearer(void *owner, const char *name, const char *path)
{
    struct nearest *nearest = owner;
    size_t distance = text_distance(nearest->wanted, name);

    (void)path;
    if (distance >= nearest->distance)
        return;
    nearest->distance = distance;
    text_copy(nearest->name, sizeof nearest->name, name);
}

static void report_missing(const struct conf_templates *templates, const char *name,
                           struct place asked, struct problems *problems)
{
    struct nearest nearest = {.wanted = name, .distance = 4};
    char hint[TEXT_SLUG_MAX + 40] = "`thermogate templates list` shows those there are";

    conf_templates_each(templates, look_nearer, &nearest);
    if (nearest.name[0] != '\0')
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest.name);
    problem_error(problems, asked, hint, "there is no template \"%s\"", name);
}

/* -- reading -------------------------------------------------------------------------------- */

/* Holds the head against its table; the rest is checked with the devices that take it. */
static bool check_head(const struct section *root, struct problems *problems)
{
    struct section *head = section_new("", section_place(root, NULL));
    const struct setting *table = head_settings;
    size_t wrong = 1;

    for (size_t i = 0; head != NULL && table[i].key != NULL; i++) {
        if (section_inherit_key(head, root, table[i].key) < 0)
            break;
    }
    if (head != NULL)
        wrong = section_check(head, &table, 1, problems);
    section_free(head);
    return wrong == 0;
}

/* Takes `source`. Of one that is broken there is no `root`: it was said, once. */
static struct conf_template *template_new(const char *name, struct source *source,
                                          struct problems *problems)
{
    struct conf_template *template = calloc(1, sizeof *template);

    if (template == NULL) {
        source_free(source);
        return NULL;
    }
    source->order = UINT32_MAX; /* its problems come behind those of the config */
    template->source = source;
    template->name = strdup(name);
    template->root = section_new("", (struct place){source, 0});
    if (template->name == NULL || template->root == NULL) {
        template_free(template);
        return NULL;
    }
    if (conf_parse(source, template->root, problems) && check_head(template->root, problems)) {
        template->title = section_text(template->root, "title");
    } else {
        section_free(template->root);
        template->root = NULL;
    }
    return template;
}

/* The path of the first that there is; NULL when there is none, or without memory. */
static char *find_file(const struct conf_templates *templates, const char *name)
{
    char *path;

    for (size_t i = 0; templates->folders[i] != NULL; i++) {
        if (asprintf(&path, "%s/%s" SUFFIX, templates->folders[i], name) < 0)
            return NULL;
        if (access(path, F_OK) == 0)
            return path;
        free(path);
    }
    return NULL;
}

static const struct conf_template *read_template(struct conf_templates *templates, const char *name,
                                                 const char *path, struct problems *problems)
{
    struct source *source = file_read(path, problems);
    struct conf_template *template;

    if (source == NULL)
        return NULL;
    if (templates->count == CONF_TEMPLATES_MAX) {
        problem_error(problems, nowhere, NULL, "%s: more than %d templates", path,
                      CONF_TEMPLATES_MAX);
        source_free(source);
        return NULL;
    }
    template = template_new(name, source, problems);
    if (template != NULL)
        templates->list[templates->count++] = template;
    return template != NULL && template->root != NULL ? template : NULL;
}

const struct conf_template *conf_templates_get(struct conf_templates *templates, const char *name,
                                               struct place asked, struct problems *problems)
{
    const struct conf_template *template = NULL;
    char *path = NULL;

    for (size_t i = 0; i < templates->count; i++) {
        if (strcmp(templates->list[i]->name, name) == 0)
            return templates->list[i]->root != NULL ? templates->list[i] : NULL;
    }
    /* A slug: no name leads out of the folders. */
    if (text_is_slug(name))
        path = find_file(templates, name);
    if (path != NULL)
        template = read_template(templates, name, path, problems);
    else
        report_missing(templates, name, asked, problems);
    free(path);
    return template;
}

/* -- devices -------------------------------------------------------------------------------- */

static bool matches_any(const struct section *device, const char *key, const char *name)
{
    size_t count = section_has(device, key) ? section_count(device, key) : 0;

    for (size_t i = 0; i < count; i++) {
        const char *pattern = section_text_at(device, key, i);

        if (pattern != NULL && text_glob(pattern, name))
            return true;
    }
    return false;
}

static bool is_taken(const struct section *device, const struct section *channel)
{
    const char *name = section_name(channel);
    const struct section *own = section_child(device, "channels");
    bool standard = !section_has(channel, "default") || section_bool(channel, "default");

    if (own != NULL && section_child(own, name) != NULL)
        return true;
    if (section_has(device, "only"))
        standard = matches_any(device, "only", name);
    return standard || matches_any(device, "also", name);
}

/* All patterns of `only` or `also` are to match something: else it is a slip of the pen. */
static void check_patterns(const struct section *device, const char *key,
                           const struct conf_template *template, struct problems *problems)
{
    const struct section *channels = section_child(template->root, "channels");
    size_t count = section_has(device, key) ? section_count(device, key) : 0;
    char hint[TEXT_SLUG_MAX + 60];

    snprintf(hint, sizeof hint, "`thermogate templates show %s` shows what it has", template->name);
    for (size_t i = 0; i < count; i++) {
        const char *pattern = section_text_at(device, key, i), *name = NULL;
        size_t c = 0;

        while (pattern != NULL && (name = section_key(channels, c)) != NULL &&
               !text_glob(pattern, name))
            c++;
        if (pattern != NULL && name == NULL)
            problem_error(problems, section_place_at(device, key, i), hint,
                          "template \"%s\" has no channel \"%s\"", template->name, pattern);
    }
}

static int take_channel(struct section *device, const struct section *channel)
{
    struct place place = section_place(channel, NULL);
    struct section *channels = section_make_group(device, "channels", place);
    struct section *own =
        channels != NULL ? section_make_group(channels, section_name(channel), place) : NULL;
    const char *key;
    int result = 0;

    for (size_t i = 0; own != NULL && result == 0 && (key = section_key(channel, i)); i++) {
        if (strcmp(key, "default") != 0)
            result = section_inherit_key(own, channel, key);
    }
    return result;
}

static bool is_of_head(const char *key)
{
    for (const struct setting *setting = head_settings; setting->key != NULL; setting++) {
        if (strcmp(setting->key, key) == 0)
            return true;
    }
    return false;
}

static int use_template(struct section *device, const struct conf_template *template)
{
    const struct section *channels = section_child(template->root, "channels");
    const char *key;
    int result = 0;

    for (size_t i = 0; result == 0 && (key = section_key(template->root, i)); i++) {
        if (!is_of_head(key))
            result = section_inherit_key(device, template->root, key);
    }
    for (size_t i = 0; result == 0 && (key = section_key(channels, i)); i++) {
        const struct section *channel = section_child(channels, key);

        if (channel != NULL && is_taken(device, channel))
            result = take_channel(device, channel);
    }
    return result;
}

static void report_idle(const struct section *device, const char *key, struct problems *problems)
{
    if (section_has(device, key))
        problem_error(problems, section_key_place(device, key), "add template = \"NAME\"",
                      "`%s` chooses among the channels of a template, and there is none", key);
}

static int complete_device(struct section *device, struct conf_templates *templates,
                           struct problems *problems)
{
    const char *name = section_text(device, "template");
    const struct conf_template *template;

    if (name == NULL) {
        report_idle(device, "only", problems);
        report_idle(device, "also", problems);
        return 0;
    }
    template = conf_templates_get(templates, name, section_place(device, "template"), problems);
    if (template == NULL)
        return -ENOENT;
    check_patterns(device, "only", template, problems);
    check_patterns(device, "also", template, problems);
    return use_template(device, template);
}

int conf_use_templates(struct conf *conf, struct conf_templates *templates,
                       struct problems *problems)
{
    const struct section *devices = section_child(conf->root, "devices");
    size_t before = problems_errors(problems);
    const char *key;
    bool missing = false;

    conf_templates_free(conf->templates);
    conf->templates = templates;
    for (size_t i = 0; devices != NULL && (key = section_key(devices, i)); i++) {
        struct section *device = section_child(devices, key);
        int result = device != NULL ? complete_device(device, templates, problems) : 0;

        if (result == -ENOMEM)
            return result;
        missing = missing || result == -ENOENT;
    }
    if (missing)
        return -ENOENT;
    return problems_errors(problems) > before ? -EINVAL : 0;
}
