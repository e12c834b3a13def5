/* The print of a condition: FNV-1a over what is written in its section, key by key. The order of
 * the keys does not count, nor how a number is written; how a duration is written does. */
#include "rules/compile.h"

#include <string.h>

/* What tells, and decides nothing. */
static const char *const telling[] = {
    "label",       "severity",   "message",    "clear_message", "notify",   "blind",
    "ack",         "adjustable", "latch",      "inhibited_by",  "active",   "repeat",
    "max_repeats", "cooldown",   "escalate",   "on_fire",       "on_clear", "on_change",
    "on_nodata",   "group",      "group_wait", "while_firing",  "while_ok", "ha",
};

static uint64_t mix(uint64_t print, const void *bytes, size_t count)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < count; i++)
        print = (print ^ at[i]) * 0x100000001b3u;
    return print;
}

static uint64_t mix_text(uint64_t print, const char *text)
{
    return text ? mix(print, text, strlen(text) + 1) : print;
}

static uint64_t mix_number(uint64_t print, double number)
{
    number += 0.0; /* -0 is 0 */
    return mix(print, &number, sizeof number);
}

static uint64_t print_of_section(const struct section *section, const char *without);

static uint64_t print_of_value(const struct section *section, const char *key)
{
    uint64_t print = mix_text(0xcbf29ce484222325u, key);
    unsigned form = section_form(section, key);
    size_t count = section_count(section, key);
    if (form == SETTING_BOOL)
        return mix_number(print, section_bool(section, key));
    for (size_t i = 0; i < count; i++) {
        if (form == SETTING_GROUP || form == SETTING_GROUPS) {
            uint64_t inner = print_of_section(section_group_at(section, key, i), NULL);
            print = mix(print, &inner, sizeof inner);
        } else if (form == SETTING_TEXT || form == SETTING_TEXTS) {
            print = mix_text(print, section_text_at(section, key, i));
        } else {
            print = mix_number(print, section_number_at(section, key, i));
        }
    }
    return print;
}

static bool is_telling(const char *key)
{
    for (size_t i = 0; i < sizeof telling / sizeof telling[0]; i++)
        if (strcmp(telling[i], key) == 0)
            return true;
    return false;
}

static uint64_t print_of_section(const struct section *section, const char *without)
{
    uint64_t print = 0;
    const char *key;
    for (size_t i = 0; section && (key = section_key(section, i)); i++)
        if (!is_telling(key) && !(without && strcmp(key, without) == 0))
            print += print_of_value(section, key);
    return print;
}

uint64_t compile_print(const struct section *section, const char *without)
{
    return print_of_section(section, without);
}
