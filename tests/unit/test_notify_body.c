#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/notify/body.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const values[BODY_FIELDS] = {
    "A \"title\"", "one\ntwo & 3 %", "critical", "fired", "high@boiler.temp",
    "boiler.temp", "86.1",           "°C",       "14:02", "14:05",
    "5",           "ab-1",           "T0/B0:x"};

static void assert_filled(const char *template, enum body_escape escape, const char *expected)
{
    size_t offset;
    char *text;

    assert_int_equal(body_check(template, &offset, NULL), 0);
    text = body_fill(template, escape, values);
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

static void braces_of_json_stand_for_themselves(void **state)
{
    (void)state;
    assert_filled("{\"a\": {\"t\": \"{severity}\", \"n\": {priority}}, \"e\": {}}", BODY_JSON,
                  "{\"a\": {\"t\": \"critical\", \"n\": 5}, \"e\": {}}");
    assert_filled("", BODY_JSON, "");
    assert_filled("} { {", BODY_JSON, "} { {");
}

static void two_braces_are_one(void **state)
{
    (void)state;
    assert_filled("{{title} {title}", BODY_PLAIN, "{title} A \"title\"");
}

static void values_are_escaped_for_json(void **state)
{
    (void)state;
    assert_filled("\"{title}: {text}\"", BODY_JSON, "\"A \\\"title\\\": one\\ntwo & 3 %\"");
}

static void values_are_escaped_for_forms(void **state)
{
    (void)state;
    assert_filled("m={text}&u={unit}", BODY_FORM, "m=one%0Atwo%20%26%203%20%25&u=%C2%B0C");
}

static void only_the_token_stands_in_an_address_as_it_is(void **state)
{
    (void)state;
    assert_filled("https://x/{token}/{rule}", BODY_URL, "https://x/T0/B0:x/high%40boiler.temp");
    assert_filled("{token}", BODY_FORM, "T0%2FB0%3Ax");
}

static void every_field_has_a_name(void **state)
{
    (void)state;
    assert_filled("{severity}{kind}{rule}{sensor}{value}{unit}{since}{time}{priority}{id}{token}",
                  BODY_PLAIN,
                  "criticalfiredhigh@boiler.tempboiler.temp86.1°C14:0214:055ab-1T0/B0:x");
}

static void a_value_is_not_a_template(void **state)
{
    const char *tricky[BODY_FIELDS];
    char *text;

    (void)state;
    for (int i = 0; i < BODY_FIELDS; i++)
        tricky[i] = "{token}";
    text = body_fill("{text}", BODY_PLAIN, tricky);
    assert_string_equal(text, "{token}");
    free(text);
}

static void unknown_placeholders_are_found_where_they_stand(void **state)
{
    struct error error;
    size_t offset = 0;

    (void)state;
    assert_int_equal(body_check("{title} {titel}", &offset, &error), -EINVAL);
    assert_int_equal(offset, 8);
    assert_string_equal(error.text, "unknown placeholder \"{titel}\"");
    assert_int_equal(body_check("ab {title", &offset, &error), -EINVAL);
    assert_int_equal(offset, 3);
    assert_string_equal(error.text, "\"{title\" has no closing brace");
}

static void a_placeholder_can_be_looked_for(void **state)
{
    (void)state;
    assert_true(body_has("a {token}", BODY_TOKEN));
    assert_false(body_has("a {{token}", BODY_TOKEN));
    assert_false(body_has("a {text}", BODY_TOKEN));
}

static void bytes_that_are_no_text_become_valid_json(void **state)
{
    const char *bad[BODY_FIELDS];
    char *text;

    (void)state;
    for (int i = 0; i < BODY_FIELDS; i++)
        bad[i] = "\xff\x01";
    text = body_fill("{text}", BODY_JSON, bad);
    assert_string_equal(text, "\xef\xbf\xbd\\u0001");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(braces_of_json_stand_for_themselves),
        cmocka_unit_test(two_braces_are_one),
        cmocka_unit_test(values_are_escaped_for_json),
        cmocka_unit_test(values_are_escaped_for_forms),
        cmocka_unit_test(only_the_token_stands_in_an_address_as_it_is),
        cmocka_unit_test(every_field_has_a_name),
        cmocka_unit_test(a_value_is_not_a_template),
        cmocka_unit_test(unknown_placeholders_are_found_where_they_stand),
        cmocka_unit_test(a_placeholder_can_be_looked_for),
        cmocka_unit_test(bytes_that_are_no_text_become_valid_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
