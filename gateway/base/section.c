#include "gateway/base/setting_check.h"

#include "gateway/base/enclosing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Below this a walk over the keys is as fast as a hash and takes no memory. */
#define INDEX_FROM 16

/* -- the tree -- */

struct section *section_new(const char *name, struct place place)
{
    size_t length = strlen(name) + 1;
    struct section *section = calloc(1, sizeof *section + length);

    if (section == NULL)
        return NULL;
    memcpy(section->name, name, length);
    section->place = place;
    return section;
}

static void member_free(struct member *member);

static void value_clear(struct value *value)
{
    if (value->is == SETTING_TEXT && !value->is_short) {
        free(value->text.bytes);
        free(value->text.offsets);
    } else if (value->is == SETTING_GROUP) {
        section_free(value->group);
    } else if (value->is == VALUE_LIST) {
        for (size_t i = 0; i < value->count; i++) {
            member_free(enclosing(value->list.items[i], struct member, value));
        }
        free(value->list.items);
    }
    value->is = 0;
    value->is_short = false;
}

static void member_free(struct member *member)
{
    if (member == NULL)
        return;
    value_clear(&member->value);
    free(member);
}

void section_free(struct section *section)
{
    if (section == NULL)
        return;
    for (size_t i = 0; i < section->count; i++)
        member_free(section->members[i]);
    free(section->members);
    free(section->index);
    free(section->tables);
    for (size_t i = 0; i < section->n_implied; i++)
        section_free(section->implied[i]);
    free(section->implied);
    free(section);
}

/* -- finding members -- */

static size_t hash(const char *key)
{
    uint32_t sum = 2166136261U; /* FNV-1a */

    for (; *key != '\0'; key++)
        sum = (sum ^ (unsigned char)*key) * 16777619U;
    return sum;
}

/* Where `key` is in the index, or the empty slot where it would be. There always is one: at most
 * half of them are taken. */
static size_t index_slot(const struct section *section, const char *key)
{
    size_t slot = hash(key) & (section->index_size - 1);

    while (section->index[slot] != 0 &&
           strcmp(section->members[section->index[slot] - 1]->key, key) != 0)
        slot = (slot + 1) & (section->index_size - 1);
    return slot;
}

static int index_build(struct section *section)
{
    uint32_t size = section->index_size == 0 ? 4 * INDEX_FROM : section->index_size * 2;
    uint32_t *index = calloc(size, sizeof *index);

    if (index == NULL)
        return -ENOMEM;
    free(section->index);
    section->index = index;
    section->index_size = size;
    for (size_t i = 0; i < section->count; i++)
        index[index_slot(section, section->members[i]->key)] = (uint32_t)i + 1;
    return 0;
}

struct member *section_member(const struct section *section, const char *key)
{
    if (section->index != NULL) {
        uint32_t number = section->index[index_slot(section, key)];

        return number > 0 ? section->members[number - 1] : NULL;
    }
    for (size_t i = 0; i < section->count; i++) {
        if (section->members[i]->key[0] == key[0] && strcmp(section->members[i]->key, key) == 0)
            return section->members[i];
    }
    return NULL;
}

const struct value *section_value(const struct section *section, const char *key)
{
    const struct member *member = section_member(section, key);

    return member != NULL && member->value.is != 0 ? &member->value : NULL;
}

void section_forget(struct section *section, const char *key)
{
    struct member *member = section_member(section, key);

    if (member != NULL)
        value_clear(&member->value);
}

/* -- building -- */

/* Room for one more member, and an index that stays half empty with it. */
static int make_room(struct section *section)
{
    if (section->count == section->capacity) {
        uint32_t capacity = section->capacity == 0 ? 2 : section->capacity * 2;
        struct member **members = reallocarray(section->members, capacity, sizeof(void *));

        if (members == NULL)
            return -ENOMEM;
        section->members = members;
        section->capacity = capacity;
    }
    if (section->count + 1 >= INDEX_FROM && (section->count + 1) * 2 > section->index_size)
        return index_build(section);
    return 0;
}

/* Takes ownership of `member`, also when it fails. */
static struct member *adopt(struct section *section, struct member *member)
{
    if (make_room(section) < 0) {
        member_free(member);
        return NULL;
    }
    if (section->index != NULL)
        section->index[index_slot(section, member->key)] = (uint32_t)section->count + 1;
    section->members[section->count++] = member;
    return member;
}

static struct member *member_new(const char *key, struct place place)
{
    size_t length = strlen(key) + 1;
    struct member *member = calloc(1, sizeof *member + length);

    if (member == NULL)
        return NULL;
    memcpy(member->key, key, length);
    member->key_offset = place.offset;
    member->value.place = place;
    return member;
}

struct value *section_add(struct section *section, const char *key, struct place key_place)
{
    struct member *member;

    if (section_member(section, key) != NULL)
        return NULL;
    member = member_new(key, key_place);
    if (member == NULL || adopt(section, member) == NULL)
        return NULL;
    return &member->value;
}

static void value_set(struct value *value, unsigned is, struct place place)
{
    value_clear(value);
    value->is = is;
    value->place = place;
}

void value_bool(struct value *value, struct place place, bool is)
{
    value_set(value, SETTING_BOOL, place);
    value->truth = is;
}

void value_int(struct value *value, struct place place, int64_t number)
{
    value_set(value, SETTING_INT, place);
    value->whole = number;
}

void value_number(struct value *value, struct place place, double number)
{
    value_set(value, SETTING_NUMBER, place);
    value->number = number;
}

static void short_text(struct value *value, struct place place, const char *text, size_t length)
{
    value_set(value, SETTING_TEXT, place);
    memcpy(value->short_text, text, length + 1);
    value->is_short = true;
    value->count = length & INT32_MAX;
}

int value_text(struct value *value, struct place place, const char *text, const uint32_t *offsets)
{
    size_t length = strlen(text);
    uint32_t *kept = NULL;
    char *bytes;

    if (length < VALUE_SHORT && offsets == NULL) {
        short_text(value, place, text, length);
        return 0;
    }
    bytes = malloc(length + 1);

    if (bytes == NULL)
        return -ENOMEM;
    if (offsets != NULL) {
        kept = reallocarray(NULL, length + 1, sizeof *kept);
        if (kept == NULL) {
            free(bytes);
            return -ENOMEM;
        }
        memcpy(kept, offsets, (length + 1) * sizeof *kept);
    }
    memcpy(bytes, text, length + 1);
    value_set(value, SETTING_TEXT, place);
    value->text.bytes = bytes;
    value->text.offsets = kept;
    value->count = length & INT32_MAX;
    return 0;
}

struct section *value_group(struct value *value, struct place place)
{
    struct section *group = section_new(enclosing(value, struct member, value)->key, place);

    if (group == NULL)
        return NULL;
    value_set(value, SETTING_GROUP, place);
    value->group = group;
    return group;
}

void value_list(struct value *value, struct place place)
{
    value_set(value, VALUE_LIST, place);
    value->count = 0;
    memset(&value->list, 0, sizeof value->list);
}

struct value *value_append(struct value *list)
{
    struct member *member;

    if (list->count == list->list.capacity) {
        uint32_t capacity = list->list.capacity == 0 ? 4 : list->list.capacity * 2;
        struct value **items = reallocarray(list->list.items, capacity, sizeof(void *));

        if (items == NULL)
            return NULL;
        list->list.items = items;
        list->list.capacity = capacity;
    }
    member = member_new("", list->place);
    if (member == NULL)
        return NULL;
    list->list.items[list->count++] = &member->value;
    return &member->value;
}

/* -- joining -- */

static void report_twice(const struct member *first, const struct member *second,
                         struct problems *problems)
{
    char hint[600];
    uint32_t line, column;

    place_line_column(member_place(first), &line, &column);
    if (first->value.place.source == NULL)
        snprintf(hint, sizeof hint, "keep one of the two");
    else
        snprintf(hint, sizeof hint, "the first is at %s:%u:%u; keep one of the two",
                 first->value.place.source->name, line, column);
    problem_error(problems, member_place(second), hint, "\"%s\" is given twice", second->key);
}

static void join_named(struct section *to, struct section *from, struct problems *problems);

/* Moves `member` of another section into `to`, or joins it with the one that is there. */
static void join_member(struct section *to, struct member *member, const struct setting *table,
                        struct problems *problems)
{
    struct member *there = section_member(to, member->key);
    const struct setting *setting = setting_find(table, member->key);

    if (there == NULL) {
        struct place place = member_place(member);

        if (adopt(to, member) == NULL)
            problem_error(problems, place, NULL, "memory is out");
        return;
    }
    if (there->value.is != SETTING_GROUP || member->value.is != SETTING_GROUP)
        report_twice(there, member, problems);
    else if (setting != NULL && setting->forms & SETTING_NAMED)
        join_named(there->value.group, member->value.group, problems);
    else
        section_join(there->value.group, member->value.group,
                     setting != NULL ? setting->inside : NULL, problems);
    member_free(member);
}

/* After this `section` has no members; the caller has taken them. */
static void forget_members(struct section *section)
{
    section->count = 0;
    free(section->index);
    section->index = NULL;
    section->index_size = 0;
}

static void join_named(struct section *to, struct section *from, struct problems *problems)
{
    for (size_t i = 0; i < from->count; i++) {
        struct member *member = from->members[i], *there = section_member(to, member->key);

        if (there == NULL) {
            join_member(to, member, NULL, problems);
        } else {
            report_twice(there, member, problems);
            member_free(member);
        }
    }
    forget_members(from);
}

void section_join(struct section *to, struct section *from, const struct setting *table,
                  struct problems *problems)
{
    for (size_t i = 0; i < from->count; i++)
        join_member(to, from->members[i], table, problems);
    forget_members(from);
}

static int copy_value(struct value *to, const struct value *from)
{
    struct section *group;

    if (from->is == SETTING_TEXT)
        return value_text(to, from->place, value_bytes(from),
                          from->is_short ? NULL : from->text.offsets);
    if (from->is == SETTING_GROUP) {
        group = value_group(to, from->place);
        return group != NULL ? section_inherit(group, from->group) : -ENOMEM;
    }
    if (from->is == VALUE_LIST) {
        value_list(to, from->place);
        for (size_t i = 0; i < from->count; i++) {
            struct value *item = value_append(to);

            if (item == NULL || copy_value(item, from->list.items[i]) < 0)
                return -ENOMEM;
        }
        return 0;
    }
    if (from->is == SETTING_BOOL)
        value_bool(to, from->place, from->truth);
    else if (from->is == SETTING_INT)
        value_int(to, from->place, from->whole);
    else if (from->is == SETTING_NUMBER)
        value_number(to, from->place, from->number);
    return 0;
}

static int inherit_member(struct section *to, const struct member *member)
{
    struct member *there = section_member(to, member->key);
    struct value *value;

    if (there == NULL) {
        value = section_add(to, member->key, member_place(member));
        return value != NULL ? copy_value(value, &member->value) : -ENOMEM;
    }
    if (there->value.is == SETTING_GROUP && member->value.is == SETTING_GROUP)
        return section_inherit(there->value.group, member->value.group);
    return 0;
}

int section_inherit_key(struct section *to, const struct section *from, const char *key)
{
    const struct member *member = section_member(from, key);

    return member != NULL ? inherit_member(to, member) : 0;
}

int section_inherit(struct section *to, const struct section *from)
{
    int result = 0;

    for (size_t i = 0; i < from->count && result == 0; i++)
        result = inherit_member(to, from->members[i]);
    return result;
}

/* -- looking -- */

const char *section_name(const struct section *section)
{
    return section->name;
}

bool section_has(const struct section *section, const char *key)
{
    return section_value(section, key) != NULL;
}

/* The one form that all elements share. */
static unsigned list_form(const struct value *list)
{
    unsigned all = 0;

    for (size_t i = 0; i < list->count; i++)
        all |= list->list.items[i]->is;
    if (all == 0 || all == SETTING_TEXT)
        return SETTING_TEXTS;
    if (all == SETTING_GROUP)
        return SETTING_GROUPS;
    return (all & ~(unsigned)(SETTING_INT | SETTING_NUMBER)) == 0 ? SETTING_NUMBERS : 0;
}

unsigned value_form(const struct value *value)
{
    return value->is == VALUE_LIST ? list_form(value) : value->is;
}

unsigned section_form(const struct section *section, const char *key)
{
    const struct value *value = section_value(section, key);

    return value != NULL ? value_form(value) : 0;
}

const struct value *value_at(const struct value *value, size_t i)
{
    if (value->is == VALUE_LIST)
        return i < value->count ? value->list.items[i] : NULL;
    return i == 0 ? value : NULL;
}

struct place section_place(const struct section *section, const char *key)
{
    const struct value *value = key != NULL ? section_value(section, key) : NULL;

    return value != NULL ? value->place : section->place;
}

struct place section_key_place(const struct section *section, const char *key)
{
    const struct member *member = section_member(section, key);

    return member != NULL ? member_place(member) : section->place;
}

struct place section_place_at(const struct section *section, const char *key, size_t i)
{
    const struct value *value = section_value(section, key);
    const struct value *item = value != NULL ? value_at(value, i) : NULL;

    return item != NULL ? item->place : section_place(section, key);
}

struct place section_text_place(const struct section *section, const char *key, size_t offset)
{
    const struct value *value = section_value(section, key);
    struct place place = section_place(section, key);
    bool quoted;

    if (value == NULL || value->is != SETTING_TEXT || place.source == NULL)
        return place;
    if (offset > value->count)
        offset = value->count;
    if (!value->is_short && value->text.offsets != NULL)
        return (struct place){place.source, value->text.offsets[offset]};
    quoted = place.offset < place.source->length && place.source->bytes[place.offset] == '"';
    place.offset += (uint32_t)offset + quoted;
    return place;
}

struct section *section_child(const struct section *section, const char *key)
{
    const struct member *member = section_member(section, key);

    if (member != NULL)
        return member->value.is == SETTING_GROUP ? member->value.group : NULL;
    for (size_t i = 0; i < section->n_implied; i++) {
        if (strcmp(section->implied[i]->name, key) == 0)
            return section->implied[i];
    }
    return NULL;
}

struct section *section_group_at(const struct section *section, const char *key, size_t i)
{
    const struct value *value = section_value(section, key);
    const struct value *item = value != NULL ? value_at(value, i) : NULL;

    return item != NULL && item->is == SETTING_GROUP ? item->group : NULL;
}

const char *section_key(const struct section *section, size_t i)
{
    return i < section->count ? section->members[i]->key : NULL;
}

int section_add_text(struct section *section, const char *key, const char *text, struct place place)
{
    struct value *value;

    if (section_has(section, key))
        return 0;
    value = section_add(section, key, place);
    return value ? value_text(value, place, text, NULL) : -ENOMEM;
}

struct section *section_make_group(struct section *section, const char *key, struct place place)
{
    struct value *value;

    if (section_has(section, key))
        return section_child(section, key);
    value = section_add(section, key, place);
    return value ? value_group(value, place) : NULL;
}
