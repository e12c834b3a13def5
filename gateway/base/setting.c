#include "gateway/base/setting_check.h"
#include "gateway/base/text.h"

#include <math.h>
#include <string.h>

/* Keys are asked for ten thousand times and more in a large config: most differ in their first
 * letter. */
const struct setting *setting_find(const struct setting *table, const char *key)
{
    for (; table != NULL && table->key != NULL; table++) {
        if (table->key[0] == key[0] && strcmp(table->key, key) == 0)
            return table;
    }
    return NULL;
}

const struct setting *tables_find(const struct setting *const *tables, size_t count,
                                  const char *key)
{
    const struct setting *setting = NULL;

    for (size_t i = 0; i < count && setting == NULL; i++)
        setting = setting_find(tables[i], key);
    return setting;
}

double value_as_number(const struct value *value)
{
    if (value->is == SETTING_INT)
        return (double)value->whole;
    return value->is == SETTING_NUMBER ? value->number : (double)NAN;
}

static const struct setting *setting_of(const struct section *section, const char *key)
{
    return tables_find(section->tables, section->n_tables, key);
}

static const char *standard_of(const struct section *section, const char *key)
{
    const struct setting *setting = setting_of(section, key);

    return setting != NULL ? setting->standard : NULL;
}

/* The written value, when it is one of `forms`. */
static const struct value *written(const struct section *section, const char *key, unsigned forms)
{
    const struct value *value = section_value(section, key);

    return value != NULL && value->is & forms ? value : NULL;
}

bool section_bool(const struct section *section, const char *key)
{
    const struct value *value = written(section, key, SETTING_BOOL);
    const char *standard = value == NULL ? standard_of(section, key) : NULL;

    return value != NULL ? value->truth : standard != NULL && strcmp(standard, "true") == 0;
}

int64_t section_int(const struct section *section, const char *key)
{
    const struct value *value = written(section, key, SETTING_INT);
    const char *standard = value == NULL ? standard_of(section, key) : NULL;
    int64_t number = 0;

    if (value != NULL)
        return value->whole;
    if (standard != NULL)
        text_to_int(standard, &number);
    return number;
}

static double number_from(const char *standard)
{
    double number = (double)NAN;

    if (standard != NULL)
        text_to_number(standard, &number);
    return number;
}

double section_number(const struct section *section, const char *key)
{
    const struct value *value = written(section, key, SETTING_NUMERIC);

    return value != NULL ? value_as_number(value) : number_from(standard_of(section, key));
}

const char *section_text(const struct section *section, const char *key)
{
    const struct value *value = written(section, key, SETTING_TEXT);

    return value != NULL ? value_bytes(value) : standard_of(section, key);
}

int64_t section_duration_ms(const struct section *section, const char *key)
{
    const struct value *value = written(section, key, SETTING_TEXT);
    const char *standard;
    int64_t ms = 0;

    if (value != NULL && text_to_duration_ms(value_bytes(value), &ms) == 0)
        return ms;
    standard = standard_of(section, key);
    if (standard != NULL)
        text_to_duration_ms(standard, &ms);
    return ms;
}

int64_t section_size(const struct section *section, const char *key)
{
    const struct value *value = written(section, key, SETTING_TEXT);
    const char *standard;
    int64_t bytes = 0;

    if (value != NULL && text_to_size(value_bytes(value), &bytes) == 0)
        return bytes;
    standard = standard_of(section, key);
    if (standard != NULL)
        text_to_size(standard, &bytes);
    return bytes;
}

int section_choice(const struct section *section, const char *key)
{
    const struct value *value = written(section, key, SETTING_TEXT);
    const struct setting *setting = setting_of(section, key);
    int choice = -1;

    if (setting == NULL)
        return -1;
    if (value != NULL)
        choice = choice_index(setting->choices, value_bytes(value));
    else if (setting->standard != NULL)
        choice = choice_index(setting->choices, setting->standard);
    return choice;
}

size_t section_count(const struct section *section, const char *key)
{
    const struct value *value = section_value(section, key);

    if (value == NULL)
        return standard_of(section, key) != NULL;
    return value->is == VALUE_LIST ? value->count : 1;
}

double section_number_at(const struct section *section, const char *key, size_t i)
{
    const struct value *value = section_value(section, key);

    if (value == NULL)
        return i == 0 ? number_from(standard_of(section, key)) : (double)NAN;
    value = value_at(value, i);
    return value != NULL ? value_as_number(value) : (double)NAN;
}

const char *section_text_at(const struct section *section, const char *key, size_t i)
{
    const struct value *value = section_value(section, key);

    if (value == NULL)
        return i == 0 ? standard_of(section, key) : NULL;
    value = value_at(value, i);
    return value != NULL && value->is == SETTING_TEXT ? value_bytes(value) : NULL;
}

/* -- hash ----------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t sum, const void *bytes, size_t count)
{
    const unsigned char *at = bytes;

    while (count-- > 0)
        sum = (sum ^ *at++) * UINT64_C(1099511628211); /* FNV-1a */
    return sum;
}

static uint64_t hash_value(const struct value *value)
{
    uint64_t sum = mix(UINT64_C(14695981039346656037), &value->is, sizeof value->is), part;

    switch (value->is) {
    case SETTING_BOOL:
        return mix(sum, &value->truth, sizeof value->truth);
    case SETTING_INT:
        return mix(sum, &value->whole, sizeof value->whole);
    case SETTING_NUMBER:
        return mix(sum, &value->number, sizeof value->number);
    case SETTING_TEXT:
        return mix(sum, value_bytes(value), value->count);
    case SETTING_GROUP:
        part = section_hash(value->group);
        return mix(sum, &part, sizeof part);
    default:
        for (size_t i = 0; value->is == VALUE_LIST && i < value->count; i++) {
            part = hash_value(value->list.items[i]);
            sum = mix(sum, &part, sizeof part);
        }
        return sum;
    }
}

uint64_t section_hash(const struct section *section)
{
    uint64_t sum = section->count;

    for (size_t i = 0; i < section->count; i++) {
        const struct member *member = section->members[i];
        uint64_t value = hash_value(&member->value);

        /* Added up, so that the order does not matter. */
        sum += mix(mix(UINT64_C(14695981039346656037), member->key, strlen(member->key)), &value,
                   sizeof value);
    }
    return sum;
}
