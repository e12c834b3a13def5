#include "config/tables.h"
#include "config/conf.h"
#include "config/file.h"
#include "gateway/base/csv.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct setting conf_table_settings[] = {
    {"bus", SETTING_TEXT, .help = "Name of the bus that they are on, where no column says it."},
    {"file", SETTING_TEXT | SETTING_REQUIRED,
     .help = "A CSV file, its first line names options: name,connect,unit,template; beside the "
             "config where the path does not begin with /."},
    {0},
};

/* A column of the table. */
struct column {
    const char *key;               /* NULL: not known, said */
    const struct setting *setting; /* NULL for `name` */
};

/* One table on its way into the devices. */
struct table {
    const struct section *section; /* of device_tables */
    const struct source *source;
    char *text; /* the same bytes, cut into fields */
    struct csv csv;
    struct column columns[CONF_TABLE_COLUMNS_MAX];
    size_t n_columns;
    struct section *devices;
    struct problems *problems;
};

static struct place place_of(const struct table *table, const char *field)
{
    return (struct place){table->source, (uint32_t)(field - table->text)};
}

/* -- header --------------------------------------------------------------------------------- */

static const struct setting *find_option(const struct setting *const *tables, size_t count,
                                         const char *key)
{
    for (size_t i = 0; i < count; i++) {
        for (const struct setting *setting = tables[i]; setting != NULL && setting->key != NULL;
             setting++) {
            if (strcmp(setting->key, key) == 0)
                return setting;
        }
    }
    return NULL;
}

static void report_column(const struct table *table, const char *key,
                          const struct setting *const *tables, size_t count)
{
    const char *nearest = "name";
    char hint[200];

    for (size_t i = 0; i < count; i++) {
        for (const struct setting *setting = tables[i]; setting != NULL && setting->key != NULL;
             setting++) {
            if (text_distance(key, setting->key) < text_distance(key, nearest))
                nearest = setting->key;
        }
    }
    if (text_distance(key, nearest) <= 3)
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
    else
        snprintf(hint, sizeof hint, "the first line names options of a device: %s",
                 "name,connect,unit,template,label,every,...");
    problem_error(table->problems, place_of(table, key), hint, "a device has no option \"%s\"",
                  key);
}

/* What stands in a column; groups have no place in a field. */
static void read_column(struct table *table, struct column *column, const char *key,
                        const struct setting *const *tables, size_t count)
{
    const struct setting *setting = find_option(tables, count, key);

    *column = (struct column){.key = key, .setting = setting};
    if (strcmp(key, "name") == 0)
        return;
    if (setting != NULL && !(setting->forms & (SETTING_GROUP | SETTING_NAMED | SETTING_GROUPS)))
        return;
    report_column(table, key, tables, count);
    column->key = NULL;
}

static void check_twice(const struct table *table, size_t i)
{
    for (size_t before = 0; before < i; before++) {
        if (table->columns[i].key != NULL && table->columns[before].key != NULL &&
            strcmp(table->columns[i].key, table->columns[before].key) == 0)
            problem_error(table->problems, place_of(table, table->columns[i].key),
                          "keep one of the two", "\"%s\" is given twice", table->columns[i].key);
    }
}

static bool read_header(struct table *table, const struct setting *const *tables, size_t count)
{
    size_t before = problems_errors(table->problems);
    char *fields[CONF_TABLE_COLUMNS_MAX];
    int n = csv_next(&table->csv, fields, CONF_TABLE_COLUMNS_MAX);
    bool named = false;

    for (int i = 0; i < n && i < CONF_TABLE_COLUMNS_MAX; i++) {
        read_column(table, &table->columns[i], fields[i], tables, count);
        table->n_columns++;
        check_twice(table, (size_t)i);
        named = named || strcmp(fields[i], "name") == 0;
    }
    if (n > CONF_TABLE_COLUMNS_MAX)
        problem_error(table->problems, (struct place){table->source, 0}, NULL,
                      "more than %d columns", CONF_TABLE_COLUMNS_MAX);
    else if (!named)
        problem_error(table->problems, (struct place){table->source, 0},
                      "begin with a line like: name,connect,unit,template",
                      "the first line has no column \"name\"");
    return problems_errors(table->problems) == before;
}

/* -- rows ----------------------------------------------------------------------------------- */

/* "power energy*": a text for each word. `field` is left as it is. */
static int put_words(const struct table *table, struct value *list, const char *field)
{
    value_list(list, place_of(table, field));
    for (const char *at = field + strspn(field, " "); *at != '\0';) {
        size_t length = strcspn(at, " ");
        char *word = strndup(at, length);
        struct value *item = value_append(list);
        int result = word != NULL && item != NULL
                         ? value_text(item, place_of(table, at), word, NULL)
                         : -ENOMEM;

        free(word);
        if (result < 0)
            return result;
        at += length + strspn(at + length, " ");
    }
    return 0;
}

/* Reads a field as the option wants to have it; what it cannot be is left a text, for the check of
 * the device to complain of. */
static int put_field(const struct table *table, const struct column *column, struct value *value,
                     const char *field)
{
    unsigned forms = column->setting->forms;
    struct place place = place_of(table, field);
    double number;
    int64_t whole;

    if (forms & (SETTING_INT | SETTING_NUMBER) && text_to_int(field, &whole) == 0)
        value_int(value, place, whole);
    else if (forms & SETTING_NUMBER && text_to_number(field, &number) == 0)
        value_number(value, place, number);
    else if (forms & SETTING_BOOL && (strcmp(field, "true") == 0 || strcmp(field, "false") == 0))
        value_bool(value, place, field[0] == 't');
    else if (forms & SETTING_TEXTS)
        return put_words(table, value, field);
    else
        return value_text(value, place, field, NULL);
    return 0;
}

static void report_twice(const struct table *table, const char *name)
{
    struct place first = section_key_place(table->devices, name);
    uint32_t line, column;
    char hint[600];

    place_line_column(first, &line, &column);
    snprintf(hint, sizeof hint, "the first is at %s:%u:%u; keep one of the two",
             first.source != NULL ? first.source->name : "?", line, column);
    problem_error(table->problems, place_of(table, name), hint, "\"%s\" is given twice", name);
}

/* The device of a line, empty; NULL when it has none: said. */
static struct section *add_device(const struct table *table, char *const fields[], size_t n)
{
    const char *name = NULL;
    struct section *device;
    struct value *value;

    for (size_t i = 0; i < n; i++) {
        if (strcmp(table->columns[i].key, "name") == 0)
            name = fields[i];
    }
    if (name == NULL || !text_is_slug(name)) {
        problem_error(table->problems, place_of(table, name != NULL ? name : fields[0]),
                      "a name has small letters, digits and _, and begins with a letter",
                      "\"%s\" is not a name", name != NULL ? name : "");
        return NULL;
    }
    if (section_has(table->devices, name)) {
        report_twice(table, name);
        return NULL;
    }
    value = section_add(table->devices, name, place_of(table, name));
    device = value != NULL ? value_group(value, place_of(table, name)) : NULL;
    if (device == NULL)
        problem_error(table->problems, place_of(table, name), NULL, "memory is out");
    return device;
}

static int fill_device(const struct table *table, struct section *device, char *const fields[],
                       size_t n)
{
    int result = 0;

    for (size_t i = 0; i < n && result == 0; i++) {
        const struct column *column = &table->columns[i];
        struct value *value;

        if (*fields[i] == '\0' || strcmp(column->key, "name") == 0)
            continue;
        value = section_add(device, column->key, place_of(table, fields[i]));
        result = value != NULL ? put_field(table, column, value, fields[i]) : -ENOMEM;
    }
    if (result == 0)
        result = section_inherit_key(device, table->section, "bus");
    return result;
}

static int read_row(const struct table *table, char *const fields[], size_t n)
{
    struct section *device;

    if (n > table->n_columns) {
        problem_error(table->problems, place_of(table, fields[0]),
                      "put a field that has a comma in it into quotes",
                      "this line has %zu fields, the first one names %zu", n, table->n_columns);
        return 0;
    }
    device = add_device(table, fields, n);
    return device != NULL ? fill_device(table, device, fields, n) : 0;
}

static int read_rows(struct table *table)
{
    char *fields[CONF_TABLE_COLUMNS_MAX];
    int result = 0;

    for (size_t rows = 0; result == 0; rows++) {
        int n = csv_next(&table->csv, fields, CONF_TABLE_COLUMNS_MAX);

        if (n == 0)
            return 0;
        if (n < 0) {
            problem_error(table->problems, place_of(table, table->csv.next),
                          "write \"\" for a quote within quotes",
                          "a quote is not closed, or something follows it");
            return 0;
        }
        if (rows == CONF_TABLE_ROWS_MAX) {
            problem_error(table->problems, place_of(table, fields[0]), "make two files of it",
                          "more than %d lines", CONF_TABLE_ROWS_MAX);
            return 0;
        }
        result = read_row(table, fields, (size_t)n);
    }
    return result;
}

/* -- files ---------------------------------------------------------------------------------- */

/* A path beside the config that names it. */
static struct source *read_beside(const struct section *section, struct problems *problems)
{
    const char *file = section_text(section, "file");
    struct place place = section_place(section, "file");
    const char *config = place.source != NULL ? place.source->name : "",
               *slash = strrchr(config, '/');
    struct source *source;
    char *path;

    if (asprintf(&path, "%.*s%s", *file != '/' && slash != NULL ? (int)(slash - config) + 1 : 0,
                 config, file) < 0)
        return NULL;
    source = file_read(path, problems);
    free(path);
    return source;
}

static int add_table(struct conf *conf, const struct section *section,
                     const struct setting *const *devices, size_t count, struct problems *problems)
{
    struct source *source =
        section_text(section, "file") != NULL ? read_beside(section, problems) : NULL;
    struct table table = {.section = section, .source = source, .problems = problems};
    int result = 0;

    if (source == NULL || !conf_keep(conf, source, problems) || !file_is_text(source, problems))
        return -ENOENT;
    table.devices = section_make_group(conf->root, "devices", section_place(section, NULL));
    table.text = strdup(source->bytes);
    if (table.devices == NULL || table.text == NULL) {
        free(table.text);
        return -ENOMEM;
    }
    csv_start(&table.csv, table.text, 0);
    if (read_header(&table, devices, count))
        result = read_rows(&table);
    free(table.text);
    return result;
}

int conf_add_tables(struct conf *conf, const struct setting *const *devices, size_t count,
                    struct problems *problems)
{
    size_t before = problems_errors(problems);
    const struct section *section;
    bool missing = false;

    for (size_t i = 0; (section = section_group_at(conf->root, "device_tables", i)) != NULL; i++) {
        int result = add_table(conf, section, devices, count, problems);

        if (result == -ENOMEM)
            return result;
        missing = missing || result == -ENOENT;
    }
    if (missing)
        return -ENOENT;
    return problems_errors(problems) > before ? -EINVAL : 0;
}
