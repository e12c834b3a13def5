#include "config/config.h"
#include "config/conf.h"
#include "config/file.h"
#include "config/judge.h"
#include "config/parse.h"
#include "config/templates.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct place nowhere = {NULL, 0};

static struct conf *conf_new(void)
{
    struct conf *conf = calloc(1, sizeof *conf);

    if (conf == NULL)
        return NULL;
    conf->sources = calloc(CONF_FILES_MAX, sizeof(void *));
    if (conf->sources == NULL) {
        free(conf);
        return NULL;
    }
    return conf;
}

void conf_free(struct conf *conf)
{
    if (conf == NULL)
        return;
    section_free(conf->root);
    conf_templates_free(conf->templates);
    for (size_t i = 0; i < conf->count; i++)
        source_free(conf->sources[i]);
    free(conf->sources);
    free(conf);
}

struct section *conf_root(const struct conf *conf)
{
    return conf->root;
}

bool conf_keep(struct conf *conf, struct source *source, struct problems *problems)
{
    if (conf->count == CONF_FILES_MAX || conf->length > CONF_TOTAL_MAX) {
        problem_error(problems, nowhere, "join some of them into one",
                      "%s: more than %d files, or more than %d MB in all", source->name,
                      CONF_FILES_MAX, CONF_TOTAL_MAX / 1024 / 1024);
        source_free(source);
        return false;
    }
    source->order = (uint32_t)conf->count;
    conf->sources[conf->count++] = source;
    conf->length += source->length;
    return true;
}

bool conf_parse(const struct source *source, struct section *root, struct problems *problems)
{
    enum parse_result result;

    if (!file_is_text(source, problems))
        return false;
    result = parse_source(source, root, problems);
    if (result == PARSE_WHOLE)
        return judge_agrees(source, root, problems);
    return result == PARSE_SLIPS;
}

/* Joins one source, which it takes (NULL: it could not be read), into the rest. */
static int conf_add(struct conf *conf, struct source *source, const struct setting *table,
                    struct problems *problems)
{
    struct section *root;

    if (source == NULL || !conf_keep(conf, source, problems)) {
        conf->broken = true;
        return source == NULL ? 0 : -E2BIG;
    }
    root = section_new("", (struct place){source, 0});
    if (root == NULL)
        return -ENOMEM;
    if (!conf_parse(source, root, problems))
        conf->broken = true;
    if (conf->root == NULL) {
        conf->root = root;
        return 0;
    }
    section_join(conf->root, root, table, problems);
    section_free(root);
    return 0;
}

/* Checks what was read and hands it out, if it is all that was written: complaints about what a
 * broken file has not told would only lead astray. Takes `conf`. */
static int conf_finish(struct conf *conf, const struct setting *table, struct problems *problems,
                       size_t errors_before, struct conf **ret_conf)
{
    if (conf->broken || conf->root == NULL) {
        conf_free(conf);
        return -EINVAL;
    }
    section_check(conf->root, &table, 1, problems);
    *ret_conf = conf;
    return problems_errors(problems) > errors_before ? -EINVAL : 0;
}

/* -- conf.d -- */

static int is_fragment(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return entry->d_name[0] != '.' && length > 4 && strcmp(entry->d_name + length - 4, ".cfg") == 0;
}

/* Not alphasort(): that goes by the locale, and the order must be the same for everybody. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* "conf.d" beside `path`; NULL when memory is out. */
static char *fragments_path(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *result;

    if (asprintf(&result, "%.*sconf.d", slash != NULL ? (int)(slash - path) + 1 : 0, path) < 0)
        return NULL;
    return result;
}

static int add_fragment(struct conf *conf, const char *directory, const char *name,
                        const struct setting *table, struct problems *problems)
{
    char *path;
    int result;

    if (asprintf(&path, "%s/%s", directory, name) < 0)
        return -ENOMEM;
    result = conf_add(conf, file_read(path, problems), table, problems);
    free(path);
    return result;
}

static int add_fragments(struct conf *conf, const char *directory, const struct setting *table,
                         struct problems *problems)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_fragment, by_name), result = 0;

    if (count < 0 && errno != ENOENT) {
        problem_error(problems, nowhere,
                      "it must be a directory that the user this program runs as can read",
                      "%s: %s", directory, strerror(errno));
        conf->broken = true;
    }
    for (int i = 0; i < count; i++) {
        if (result == 0)
            result = add_fragment(conf, directory, entries[i]->d_name, table, problems);
        free(entries[i]);
    }
    free(entries);
    return result == -ENOMEM ? result : 0;
}

/* The file and what is in the conf.d beside it. */
static int add_path(struct conf *conf, const char *path, const struct setting *root,
                    struct problems *problems)
{
    char *directory = fragments_path(path);
    int result;

    if (directory == NULL)
        return -ENOMEM;
    result = conf_add(conf, file_read(path, problems), root, problems);
    /* Without a main file it is the wrong place; its conf.d would be, too. */
    if (result == 0 && conf->count > 0)
        result = add_fragments(conf, directory, root, problems);
    free(directory);
    return result;
}

/* -- the door -- */

int conf_read_with(const char *path, const struct conf_text *texts, size_t count,
                   const struct setting *root, struct problems *problems, struct conf **ret_conf)
{
    size_t errors_before = problems_errors(problems);
    struct conf *conf = conf_new();
    int result = -ENOMEM;

    *ret_conf = NULL;
    if (conf != NULL)
        result = path != NULL ? add_path(conf, path, root, problems) : 0;
    for (size_t i = 0; i < count && result == 0 && conf->count < CONF_FILES_MAX; i++)
        result = conf_add(conf,
                          file_from_memory(texts[i].name, texts[i].text, texts[i].length, problems),
                          root, problems);
    if (result < 0) {
        conf_free(conf);
        return result;
    }
    return conf_finish(conf, root, problems, errors_before, ret_conf);
}

int conf_read(const char *path, const struct setting *root, struct problems *problems,
              struct conf **ret_conf)
{
    return conf_read_with(path, NULL, 0, root, problems, ret_conf);
}

int conf_read_text(const char *name, const char *text, size_t length, const struct setting *root,
                   struct problems *problems, struct conf **ret_conf)
{
    struct conf_text one = {name, text, length};

    return conf_read_with(NULL, &one, 1, root, problems, ret_conf);
}
