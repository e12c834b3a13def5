#include "config/judge.h"

#include <libconfig.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libconfig compares each name with all before it in its group: 5,000 devices take a second on a
 * small machine. So it gets groups of the outermost level in pieces of this many members; that no
 * name is there twice has been seen before. */
#define PIECE_MEMBERS 256

/* Members `first` up to `end` of `ours` (SIZE_MAX: all the rest) that should be in `theirs`. */
struct range {
    size_t first, end;
};

static const struct range everything = {0, SIZE_MAX};

static bool same_group(const config_setting_t *theirs, const struct section *ours,
                       struct range range, struct place *ret_place);

/* Numbers are compared where libconfig is exact; that is why ours are used. */
static bool same_int(const config_setting_t *theirs, const struct section *ours, const char *key)
{
    int64_t number = section_int(ours, key);

    if (section_form(ours, key) != SETTING_INT)
        return false;
    if (number < INT_MIN || number > INT_MAX)
        return true;
    return config_setting_type(theirs) == CONFIG_TYPE_INT64
               ? config_setting_get_int64(theirs) == number
               : config_setting_get_int(theirs) == number;
}

static bool same_element(const config_setting_t *theirs, const struct section *ours,
                         const char *key, size_t i, struct place *ret_place)
{
    const char *text = section_text_at(ours, key, i);
    const struct section *group = section_group_at(ours, key, i);
    bool number = !isnan(section_number_at(ours, key, i));

    switch (config_setting_type(theirs)) {
    case CONFIG_TYPE_STRING:
        return text != NULL && strcmp(config_setting_get_string(theirs), text) == 0;
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
    case CONFIG_TYPE_FLOAT:
        return number;
    case CONFIG_TYPE_GROUP:
        return group != NULL && same_group(theirs, group, everything, ret_place);
    default:
        return text == NULL && group == NULL && !number;
    }
}

static bool same_list(const config_setting_t *theirs, const struct section *ours, const char *key,
                      struct place *ret_place)
{
    size_t count = (size_t)config_setting_length(theirs);

    if (section_count(ours, key) != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!same_element(config_setting_get_elem(theirs, (unsigned)i), ours, key, i, ret_place))
            return false;
    }
    return true;
}

/* `range` is of the members, if it is a group. */
static bool same_value(const config_setting_t *theirs, const struct section *ours, const char *key,
                       struct range range, struct place *ret_place)
{
    switch (config_setting_type(theirs)) {
    case CONFIG_TYPE_BOOL:
        return section_form(ours, key) == SETTING_BOOL &&
               section_bool(ours, key) == (config_setting_get_bool(theirs) != 0);
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        return same_int(theirs, ours, key);
    case CONFIG_TYPE_FLOAT:
        return section_form(ours, key) == SETTING_NUMBER;
    case CONFIG_TYPE_STRING:
        return section_form(ours, key) == SETTING_TEXT &&
               strcmp(section_text(ours, key), config_setting_get_string(theirs)) == 0;
    case CONFIG_TYPE_GROUP:
        return section_form(ours, key) == SETTING_GROUP &&
               same_group(theirs, section_child(ours, key), range, ret_place);
    default:
        return same_list(theirs, ours, key, ret_place);
    }
}

/* Both keep the order in which things were written. *ret_place is the innermost that differs. */
static bool same_group(const config_setting_t *theirs, const struct section *ours,
                       struct range range, struct place *ret_place)
{
    size_t count = (size_t)config_setting_length(theirs);
    const char *key = NULL;

    for (size_t i = 0; i < count; i++) {
        const config_setting_t *setting = config_setting_get_elem(theirs, (unsigned)i);

        key = section_key(ours, range.first + i);
        if (key != NULL && strcmp(key, config_setting_name(setting)) == 0 &&
            same_value(setting, ours, key, everything, ret_place))
            continue;
        if (ret_place->source == NULL)
            *ret_place = key != NULL ? section_key_place(ours, key) : section_place(ours, NULL);
        return false;
    }
    if (range.end != SIZE_MAX)
        return range.first + count == range.end;
    key = section_key(ours, range.first + count);
    if (key != NULL && ret_place->source == NULL)
        *ret_place = section_key_place(ours, key);
    return key == NULL;
}

/* Where a piece begins or ends: at a member of a member of the root, or at an end of the file. */
struct cut {
    uint32_t offset;
    size_t top, member; /* 0 for `member`: between the members of the root */
};

struct judge {
    const struct source *source;
    const struct section *root;
    struct problems *problems;
    struct cut from; /* all before it agrees */
};

/* What libconfig is given: the bytes up to `to`, with the group around them opened anew and closed.
 * The line feed: libconfig 1.5 takes a comment in the last line only if one ends it. */
static char *piece_text(const struct judge *judge, struct cut to)
{
    const char *bytes = judge->source->bytes + judge->from.offset;
    int length = (int)(to.offset - judge->from.offset);
    bool reopened = judge->from.member > 0;
    char *text;

    if (asprintf(&text, "%s%s%.*s%s\n", reopened ? section_key(judge->root, judge->from.top) : "",
                 reopened ? ": {" : "", length, bytes, to.member > 0 ? "}" : "") < 0)
        return NULL;
    return text;
}

static bool same_piece(const config_setting_t *theirs, const struct judge *judge, struct cut to,
                       struct place *ret_place)
{
    size_t count = (size_t)config_setting_length(theirs), top = judge->from.top;

    for (size_t i = 0; i < count; i++) {
        const config_setting_t *setting = config_setting_get_elem(theirs, (unsigned)i);
        const char *key = section_key(judge->root, top + i);
        struct range range = {i == 0 ? judge->from.member : 0,
                              to.member > 0 && top + i == to.top ? to.member : SIZE_MAX};

        if (key == NULL || strcmp(key, config_setting_name(setting)) != 0 ||
            !same_value(setting, judge->root, key, range, ret_place)) {
            if (ret_place->source == NULL)
                *ret_place = (struct place){judge->source, judge->from.offset};
            return false;
        }
    }
    return top + count == to.top + (to.member > 0);
}

/* The first word of a line; lines are counted from `offset` on. */
static struct place line_place(const struct source *source, uint32_t offset, int line)
{
    const char *at = source->bytes + offset;

    for (int i = 1; i < line && strchr(at, '\n') != NULL; i++)
        at = strchr(at, '\n') + 1;
    at += strspn(at, " \t");
    return (struct place){source, (uint32_t)(at - source->bytes)};
}

static bool compare_piece(const struct judge *judge, config_t *config, const char *text,
                          struct cut to)
{
    struct place place = {NULL, 0};

    if (config_read_string(config, text) != CONFIG_TRUE) {
        problem_error(judge->problems,
                      line_place(judge->source, judge->from.offset, config_error_line(config)),
                      NULL, "in or before this line: %s", config_error_text(config));
        return false;
    }
    if (!same_piece(config_root_setting(config), judge, to, &place)) {
        problem_error(judge->problems, place, "write it in another way, and please report this",
                      "this is read in two ways");
        return false;
    }
    return true;
}

/* Judges the bytes up to `to` and goes on there. */
static bool judge_piece(struct judge *judge, struct cut to)
{
    char *text = piece_text(judge, to);
    config_t config;
    bool agrees;

    if (text == NULL) {
        problem_error(judge->problems, (struct place){judge->source, 0}, NULL, "memory is out");
        return false;
    }
    config_init(&config);
    agrees = compare_piece(judge, &config, text, to);
    config_destroy(&config);
    free(text);
    judge->from = to;
    return agrees;
}

bool judge_agrees(const struct source *source, const struct section *root,
                  struct problems *problems)
{
    struct judge judge = {.source = source, .root = root, .problems = problems};
    const char *key, *name;
    size_t top = 0;

    for (; (key = section_key(root, top)) != NULL; top++) {
        const struct section *group = section_child(root, key);
        size_t member = PIECE_MEMBERS;

        for (; group != NULL && (name = section_key(group, member)) != NULL;
             member += PIECE_MEMBERS) {
            uint32_t offset = section_key_place(group, name).offset;

            if (!judge_piece(&judge, (struct cut){offset, top, member}))
                return false;
        }
    }
    return judge_piece(&judge, (struct cut){(uint32_t)source->length, top, 0});
}
