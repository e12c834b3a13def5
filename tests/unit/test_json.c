#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/base/json.h"

#include <math.h>
#include <string.h>

static char memory[4096];

static struct json started(void)
{
    struct json json;

    json_start(&json, memory, sizeof(memory));
    return json;
}

static void an_object_has_its_commas_and_quotes(void **state)
{
    struct json json = started();

    (void)state;
    json_object(&json, NULL);
    json_text(&json, "name", "boiler");
    json_int(&json, "n", -3);
    json_bool(&json, "on", true);
    json_bool(&json, "off", false);
    json_null(&json, "none");
    json_array(&json, "list");
    json_int(&json, NULL, 1);
    json_object(&json, NULL);
    json_end(&json);
    json_text(&json, NULL, "x");
    json_end(&json);
    json_number(&json, "last", 2.5, -1);
    json_end(&json);
    assert_int_equal(json_length(&json), strlen(memory));
    assert_string_equal(memory, "{\"name\":\"boiler\",\"n\":-3,\"on\":true,\"off\":false,"
                                "\"none\":null,\"list\":[1,{},\"x\"],\"last\":2.5}");
}

static void what_is_open_is_closed_by_the_length(void **state)
{
    struct json json = started();

    (void)state;
    json_object(&json, NULL);
    json_array(&json, "a");
    json_object(&json, NULL);
    assert_int_equal(json_length(&json), 10);
    assert_string_equal(memory, "{\"a\":[{}]}");
}

static void numbers_have_the_asked_places(void **state)
{
    struct json json = started();

    (void)state;
    json_array(&json, NULL);
    json_number(&json, NULL, 21.0, 1);
    json_number(&json, NULL, 21.04, 1);
    json_number(&json, NULL, -0.04, 1);
    json_number(&json, NULL, 21.04, -1);
    json_number(&json, NULL, 3, 0);
    json_number(&json, NULL, 1e300, 2);
    assert_true(json_length(&json) > 0);
    assert_string_equal(memory, "[21.0,21.0,0.0,21.04,3,1e300]");
}

static void what_is_no_number_is_null(void **state)
{
    struct json json = started();

    (void)state;
    json_array(&json, NULL);
    json_number(&json, NULL, (double)NAN, 1);
    json_number(&json, NULL, (double)INFINITY, -1);
    json_text(&json, NULL, NULL);
    json_length(&json);
    assert_string_equal(memory, "[null,null,null]");
}

static void texts_are_escaped_and_utf8_goes_through(void **state)
{
    struct json json = started();

    (void)state;
    json_array(&json, NULL);
    json_text(&json, NULL, "a\"b\\c\n\t\r\b\f\x01\x1f/");
    json_text(&json, NULL, "Küche 厨房 🔥");
    json_text(&json, NULL, "");
    json_length(&json);
    assert_string_equal(memory, "[\"a\\\"b\\\\c\\n\\t\\r\\b\\f\\u0001\\u001f/\","
                                "\"Küche 厨房 🔥\",\"\"]");
}

static void bytes_that_are_no_utf8_become_a_replacement(void **state)
{
    struct json json = started();

    (void)state;
    json_array(&json, NULL);
    json_text(&json, NULL, "a\xff\x62");
    json_text(&json, NULL, "\xc3");
    json_text(&json, NULL, "\xed\xa0\x80");
    json_length(&json);
    assert_string_equal(memory, "[\"a\xef\xbf\xbd"
                                "b\",\"\xef\xbf\xbd\","
                                "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"]");
}

static void keys_are_escaped_too(void **state)
{
    struct json json = started();

    (void)state;
    json_object(&json, NULL);
    json_int(&json, "a\"b", 1);
    json_length(&json);
    assert_string_equal(memory, "{\"a\\\"b\":1}");
}

static void a_ready_key_goes_before_any_value(void **state)
{
    struct json json = started();

    (void)state;
    json_object(&json, NULL);
    json_ready_key(&json, "\"a\":", 4);
    json_int(&json, NULL, 1);
    json_ready_key(&json, "\"b\":", 4);
    json_null(&json, NULL);
    json_int(&json, "c", 2);
    json_length(&json);
    assert_string_equal(memory, "{\"a\":1,\"b\":null,\"c\":2}");
}

static void half_an_object_is_never_given(void **state)
{
    char text[] = "{\"key\":\"value\",\"n\":12}";

    (void)state;
    for (size_t size = 0; size <= sizeof(text); size++) {
        char small[64];
        struct json json;

        memset(small, '#', sizeof(small));
        json_start(&json, small, size);
        json_object(&json, NULL);
        json_text(&json, "key", "value");
        json_int(&json, "n", 12);
        json_end(&json);
        assert_int_equal(json_length(&json), size >= sizeof(text) ? sizeof(text) - 1 : 0);
        for (size_t i = size; i < sizeof(small); i++)
            assert_int_equal(small[i], '#');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_has_its_commas_and_quotes),
        cmocka_unit_test(what_is_open_is_closed_by_the_length),
        cmocka_unit_test(numbers_have_the_asked_places),
        cmocka_unit_test(what_is_no_number_is_null),
        cmocka_unit_test(texts_are_escaped_and_utf8_goes_through),
        cmocka_unit_test(bytes_that_are_no_utf8_become_a_replacement),
        cmocka_unit_test(keys_are_escaped_too),
        cmocka_unit_test(a_ready_key_goes_before_any_value),
        cmocka_unit_test(half_an_object_is_never_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
