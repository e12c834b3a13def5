/* The core's tables of options: each is whole, and its defaults pass its own checks. */

#include "gateway/core/inventory.h"

#include "gateway/base/section.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static const struct setting *const tables[] = {gateway_settings, defaults_settings, bus_settings,
                                               device_settings, channel_settings};
#define N_TABLES (sizeof(tables) / sizeof(tables[0]))

static void every_setting_has_a_key_a_form_and_a_sentence(void **state)
{
    (void)state;
    for (size_t t = 0; t < N_TABLES; t++) {
        for (const struct setting *s = tables[t]; s->key; s++) {
            size_t length = s->help ? strlen(s->help) : 0;
            if (!(s->forms & ~(unsigned)SETTING_REQUIRED) || length < 10 ||
                s->help[length - 1] != '.')
                fail_msg("%s: form or help is missing", s->key);
            assert_int_equal((s->forms & SETTING_CHOICE) != 0, s->choices != NULL);
        }
    }
}

static void no_table_has_a_key_twice(void **state)
{
    (void)state;
    for (size_t t = 0; t < N_TABLES; t++)
        for (const struct setting *a = tables[t]; a->key; a++)
            for (const struct setting *b = tables[t]; b != a; b++)
                assert_string_not_equal(a->key, b->key);
}

/* Writes each default as a person would, and lets the table judge it. */
static void defaults_pass_their_own_checks(void **state)
{
    (void)state;
    for (size_t t = 0; t < N_TABLES; t++) {
        struct section *section = section_new("all", (struct place){0});
        struct problems *problems = problems_new();
        for (const struct setting *s = tables[t]; s->key; s++) {
            if (!s->standard && !(s->forms & SETTING_REQUIRED))
                continue;
            struct value *value = section_add(section, s->key, (struct place){0});
            if (s->forms & SETTING_BOOL)
                value_bool(value, (struct place){0}, strcmp(s->standard, "true") == 0);
            else
                value_text(value, (struct place){0}, s->standard ? s->standard : "x", NULL);
        }
        section_check(section, &tables[t], 1, problems);
        if (problems_line(problems, 0))
            fail_msg("%s", problems_line(problems, 0));
        problems_free(problems);
        section_free(section);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_setting_has_a_key_a_form_and_a_sentence),
        cmocka_unit_test(no_table_has_a_key_twice),
        cmocka_unit_test(defaults_pass_their_own_checks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
