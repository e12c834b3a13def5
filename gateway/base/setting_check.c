#include "gateway/base/setting_check.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LISTS (SETTING_PAIR | SETTING_NUMBERS | SETTING_TEXTS | SETTING_GROUPS)

/* What a check is about: one value under one setting. */
struct check {
    const struct setting *setting;
    const struct value *value; /* of which an element may be looked at */
    const char *key;
    struct problems *problems;
};

/* -- single values -- */

static void report_form(const struct check *check, const struct value *value)
{
    char expected[500], hint[200];

    setting_expected(expected, sizeof expected, check->setting);
    hint_for_form(hint, sizeof hint, check->setting, value);
    if (value == check->value)
        problem_error(check->problems, value->place, hint, "\"%s\" must be %s, not %s", check->key,
                      expected, describe_found(value));
    else
        problem_error(check->problems, value->place, hint, "\"%s\" must be %s; this element is %s",
                      check->key, expected, describe_found(value));
}

/* `form` says what `number` is: SETTING_NUMBER, _DURATION (ms) or _SIZE (bytes). */
static void check_range(const struct check *check, const struct value *value, unsigned form,
                        double number)
{
    const struct setting *setting = check->setting;
    char least[40], most[40], found[40];

    if ((setting->min == 0 && setting->max == 0) ||
        (number >= setting->min && number <= setting->max))
        return;
    setting_bound(least, sizeof least, form, setting->min);
    setting_bound(found, sizeof found, form, number);
    if (setting->max > SETTING_BOUNDLESS) {
        problem_error(check->problems, value->place, NULL, "\"%s\" is %s, must be at least %s",
                      check->key, found, least);
        return;
    }
    setting_bound(most, sizeof most, form, setting->max);
    problem_error(check->problems, value->place, NULL, "\"%s\" is %s, must be between %s and %s",
                  check->key, found, least, most);
}

static void check_number(const struct check *check, const struct value *value)
{
    unsigned allowed = SETTING_NUMBER | SETTING_NUMBERS;

    if (value->is == SETTING_INT)
        allowed |= SETTING_INT;
    /* An element of a pair is judged by its own form, not as the whole pair. */
    if (value != check->value)
        allowed |= SETTING_PAIR;
    if (check->setting->forms & allowed)
        check_range(check, value, SETTING_NUMBER, value_as_number(value));
    else
        report_form(check, value);
}

static void report_choice(const struct check *check, const struct value *value)
{
    char hint[400];

    hint_for_choice(hint, sizeof hint, value_bytes(value), check->setting->choices);
    problem_error(check->problems, value->place, hint, "\"%s\" cannot be \"%s\"", check->key,
                  value_bytes(value));
}

static void check_duration(const struct check *check, const struct value *value)
{
    const char *hint = "write a number with its unit: ms, s, m, h or d; for example \"10s\" or "
                       "\"1h 30m\"";
    int64_t ms;
    int result = text_to_duration_ms(value_bytes(value), &ms);

    if (result == 0)
        check_range(check, value, SETTING_DURATION, (double)ms);
    else if (result == -ERANGE)
        problem_error(check->problems, value->place, NULL, "\"%s\" is longer than 1,000 years",
                      check->key);
    else
        problem_error(check->problems, value->place, hint, "\"%s\" is no duration: \"%s\"",
                      check->key, value_bytes(value));
}

static void check_size(const struct check *check, const struct value *value)
{
    const char *hint = "write a number with its unit: B, kB, MB, GB, KiB, MiB or GiB; for example "
                       "\"2 GB\"";
    int64_t bytes;

    if (text_to_size(value_bytes(value), &bytes) == 0)
        check_range(check, value, SETTING_SIZE, (double)bytes);
    else
        problem_error(check->problems, value->place, hint, "\"%s\" is no size: \"%s\"", check->key,
                      value_bytes(value));
}

/* A text can be many things; where several are allowed it is enough to be one of them. */
static void check_text(const struct check *check, const struct value *value)
{
    unsigned forms = check->setting->forms;
    int64_t ignored;

    if (forms & SETTING_CHOICE && choice_index(check->setting->choices, value_bytes(value)) >= 0)
        return;
    if (forms & SETTING_TEXT || (forms & SETTING_TEXTS && !(forms & SETTING_CHOICE)))
        return;
    if (forms & SETTING_DURATION && (!(forms & (SETTING_CHOICE | SETTING_SIZE)) ||
                                     text_to_duration_ms(value_bytes(value), &ignored) == 0))
        check_duration(check, value);
    else if (forms & SETTING_SIZE &&
             (!(forms & SETTING_CHOICE) || text_to_size(value_bytes(value), &ignored) == 0))
        check_size(check, value);
    else if (forms & SETTING_CHOICE)
        report_choice(check, value);
    else
        report_form(check, value);
}

/* -- groups and lists -- */

static void check_inside(const struct check *check, struct section *group)
{
    if (check->setting->inside != NULL && !(check->setting->forms & SETTING_OPEN))
        section_check(group, &check->setting->inside, 1, check->problems);
}

static void check_name(const struct check *check, const struct member *member)
{
    char slug[TEXT_SLUG_MAX + 1], hint[200];

    if (text_is_slug(member->key))
        return;
    text_make_slug(slug, sizeof slug, member->key);
    snprintf(hint, sizeof hint,
             "names have small letters, digits and _, and begin with a letter: \"%s\"", slug);
    problem_error(check->problems, member_place(member), hint, "\"%s\" cannot be a name in \"%s\"",
                  member->key, check->key);
}

static void check_named(const struct check *check, const struct section *group)
{
    char hint[200];

    for (size_t i = 0; i < group->count; i++) {
        const struct member *member = group->members[i];

        check_name(check, member);
        if (member->value.is == SETTING_GROUP) {
            check_inside(check, member->value.group);
            continue;
        }
        snprintf(hint, sizeof hint, "write %s: { ... }", member->key);
        problem_error(check->problems, member->value.place, hint,
                      "\"%s\" in \"%s\" must be a group { ... }, not %s", member->key, check->key,
                      describe_found(&member->value));
    }
}

static void check_group(const struct check *check, const struct value *value)
{
    bool element = value != check->value;

    if (check->setting->forms & SETTING_NAMED && !element)
        check_named(check, value->group);
    else if (check->setting->forms & (element ? SETTING_GROUPS : SETTING_GROUP | SETTING_GROUPS))
        check_inside(check, value->group);
    else
        report_form(check, value);
}

static void check_pair(const struct check *check)
{
    const struct value *list = check->value;

    if (list->count != 2) {
        problem_error(check->problems, list->place, NULL,
                      "\"%s\" must be two numbers like ( 18, 26.5 ), not %u", check->key,
                      list->count);
    } else if (!(value_as_number(list->list.items[0]) < value_as_number(list->list.items[1])) &&
               value_form(list) == SETTING_NUMBERS) {
        problem_error(check->problems, list->place, "the smaller one comes first",
                      "\"%s\" must be two numbers of which the second is greater", check->key);
    }
}

static void check_element(const struct check *check, const struct value *value)
{
    unsigned forms = check->setting->forms;

    if (value->is & SETTING_NUMERIC && forms & (SETTING_PAIR | SETTING_NUMBERS))
        check_number(check, value);
    else if (value->is == SETTING_TEXT && forms & SETTING_TEXTS)
        check_text(check, value);
    else if (value->is == SETTING_GROUP && forms & SETTING_GROUPS)
        check_group(check, value);
    else
        report_form(check, value);
}

static void check_list(const struct check *check)
{
    const struct value *list = check->value;

    if (!(check->setting->forms & LISTS)) {
        report_form(check, list);
        return;
    }
    for (size_t i = 0; i < list->count; i++)
        check_element(check, list->list.items[i]);
    if (value_form(list) == 0 && list->count > 1)
        problem_error(check->problems, list->place, NULL,
                      "the elements of \"%s\" must all be of one kind", check->key);
    else if ((check->setting->forms & LISTS) == SETTING_PAIR)
        check_pair(check);
}

static void check_value(const struct check *check)
{
    const struct value *value = check->value;

    if (value->is == SETTING_GROUP)
        check_group(check, value);
    else if (value->is == VALUE_LIST)
        check_list(check);
    else if (value->is == SETTING_TEXT)
        check_text(check, value);
    else if (value->is & SETTING_NUMERIC)
        check_number(check, value);
    else if (!(check->setting->forms & SETTING_BOOL))
        report_form(check, value);
}

/* -- sections -- */

static bool is_remembered(const struct section *section, const struct setting *table)
{
    for (size_t i = 0; i < section->n_tables; i++) {
        if (section->tables[i] == table)
            return true;
    }
    return false;
}

static int remember_tables(struct section *section, const struct setting *const *tables,
                           size_t count)
{
    const struct setting **kept =
        reallocarray(section->tables, section->n_tables + count + 1, sizeof *kept);

    if (kept == NULL)
        return -ENOMEM;
    section->tables = kept;
    for (size_t i = 0; i < count; i++) {
        if (tables[i] != NULL && !is_remembered(section, tables[i]))
            kept[section->n_tables++] = tables[i];
    }
    return 0;
}

/* ` in "mqtt"`, or nothing for what has no name. */
static const char *where_in(char *to, size_t size, const struct section *section)
{
    to[0] = '\0';
    if (section->name[0] != '\0')
        snprintf(to, size, " in \"%s\"", section->name);
    return to;
}

static void check_member(const struct section *section, const struct member *member,
                         const struct setting *const *tables, size_t count,
                         struct problems *problems)
{
    const struct setting *setting = tables_find(tables, count, member->key);
    char hint[400] = "", where[100];

    if (member->value.is == 0)
        return;
    if (setting != NULL) {
        check_value(&(struct check){setting, &member->value, member->key, problems});
        return;
    }
    hint_for_key(hint, sizeof hint, member->key, tables, count);
    problem_error(problems, member_place(member), hint, "unknown setting \"%s\"%s", member->key,
                  where_in(where, sizeof where, section));
}

/* An empty group, checked, for the defaults inside a group that was not written. */
static void imply_group(struct section *section, const struct setting *setting,
                        struct problems *problems)
{
    struct section **implied, *group;

    if (section_child(section, setting->key) != NULL)
        return;
    implied = reallocarray(section->implied, section->n_implied + 1, sizeof(void *));
    if (implied == NULL)
        return;
    section->implied = implied;
    group = section_new(setting->key, section->place);
    if (group == NULL)
        return;
    implied[section->n_implied++] = group;
    section_check(group, &setting->inside, 1, problems);
}

static void check_absent(struct section *section, const struct setting *setting,
                         struct problems *problems)
{
    char hint[600], expected[500], where[100];

    if (setting->forms & SETTING_REQUIRED) {
        setting_expected(expected, sizeof expected, setting);
        snprintf(hint, sizeof hint, "add %s = ...: %s", setting->key, expected);
        problem_error(problems, section->place, hint, "missing setting \"%s\"%s", setting->key,
                      where_in(where, sizeof where, section));
    } else if (setting->forms & SETTING_GROUP && setting->standard != NULL) {
        imply_group(section, setting, problems);
    }
}

size_t section_check(struct section *section, const struct setting *const *tables, size_t count,
                     struct problems *problems)
{
    size_t before = problems_errors(problems);

    if (remember_tables(section, tables, count) < 0)
        problem_error(problems, section->place, NULL, "memory is out");
    for (size_t i = 0; i < section->count; i++)
        check_member(section, section->members[i], tables, count, problems);
    for (size_t i = 0; i < count; i++) {
        for (const struct setting *s = tables[i]; s != NULL && s->key != NULL; s++) {
            if (!section_has(section, s->key) && tables_find(tables, count, s->key) == s)
                check_absent(section, s, problems);
        }
    }
    return problems_errors(problems) - before;
}
