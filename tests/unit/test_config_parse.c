#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/config_text.h"

static struct parsed parsed;

static int tear_down(void **state)
{
    (void)state;
    parsed_free(&parsed);
    return 0;
}

static struct section *read_whole(const char *text)
{
    parsed = parse_text(text);
    assert_string_equal(parsed.said, "");
    assert_int_equal(parsed.result, PARSE_WHOLE);
    return parsed.root;
}

/* Where `what` stands in the text. */
static uint32_t offset_of(const char *what)
{
    return (uint32_t)(strstr(parsed.source->bytes, what) - parsed.source->bytes);
}

static void values_have_their_forms(void **state)
{
    struct section *root = read_whole(
        "b = TRUE; i = -3; big = 5000000000; hex = 0xFFFFFFFF\nx: 2.5, t = \"a\" g: { c = 1 } "
        "l = ( 1, 2.5 ) a = [ \"x\", \"y\" ]");

    (void)state;
    assert_true(section_bool(root, "b"));
    assert_int_equal(section_int(root, "i"), -3);
    assert_true(section_int(root, "big") == 5000000000);
    assert_true(section_int(root, "hex") == 4294967295);
    assert_true(section_number(root, "x") == 2.5);
    assert_string_equal(section_text(root, "t"), "a");
    assert_int_equal(section_int(section_child(root, "g"), "c"), 1);
    assert_int_equal(section_form(root, "l"), SETTING_NUMBERS);
    assert_string_equal(section_text_at(root, "a", 1), "y");
}

static void everything_has_its_place(void **state)
{
    struct section *root =
        read_whole("mqtt: {\n  host = \"broker\"; list = ( 1, 22 )\n}\nfew = ( { x = 7 } )");
    struct section *mqtt = section_child(root, "mqtt");

    (void)state;
    assert_int_equal(section_place(mqtt, NULL).offset, offset_of("mqtt"));
    assert_int_equal(section_key_place(mqtt, "host").offset, offset_of("host"));
    assert_int_equal(section_place(mqtt, "host").offset, offset_of("\"broker"));
    assert_int_equal(section_place(mqtt, "list").offset, offset_of("( 1"));
    assert_int_equal(section_place_at(mqtt, "list", 1).offset, offset_of("22"));
    assert_int_equal(section_text_place(mqtt, "host", 2).offset, offset_of("oker"));
    assert_int_equal(section_place(section_group_at(root, "few", 0), NULL).offset,
                     offset_of("{ x"));
    assert_ptr_equal(section_place(mqtt, "host").source, parsed.source);
}

static void a_byte_is_found_through_escapes_and_joined_texts(void **state)
{
    struct section *root = read_whole("when = \"a\\\"b\" # between\n \"\\x41\\n\\\\cd\" end = 1");

    (void)state;
    assert_string_equal(section_text(root, "when"), "a\"bA\n\\cd");
    assert_int_equal(section_text_place(root, "when", 0).offset, offset_of("a\\\""));
    assert_int_equal(section_text_place(root, "when", 1).offset, offset_of("\\\"b"));
    assert_int_equal(section_text_place(root, "when", 2).offset, offset_of("b\" #"));
    assert_int_equal(section_text_place(root, "when", 3).offset, offset_of("\\x41"));
    assert_int_equal(section_text_place(root, "when", 6).offset, offset_of("cd\""));
    assert_int_equal(section_text_place(root, "when", 8).offset, offset_of("\" end"));
}

static void nothing_is_a_config_too(void **state)
{
    (void)state;
    assert_null(section_key(read_whole("\n  # just a comment"), 0));
}

static void slips_leave_the_rest_readable(void **state)
{
    (void)state;
    parsed = parse_text("a = 1;; a = 2\nl = ( 1, 2, ) m = [ 18, 26.5 ]\nlast = 5");
    assert_int_equal(parsed.result, PARSE_SLIPS);
    assert_int_equal(problems_errors(parsed.problems), 4);
    assert_non_null(strstr(parsed.said, "t.cfg:1:7: error: this \";\" is one too many"));
    assert_non_null(strstr(parsed.said, "t.cfg:1:9: error: \"a\" is given twice"));
    assert_non_null(strstr(parsed.said, "the first is in line 1, column 1"));
    assert_non_null(strstr(parsed.said, "t.cfg:2:11: error: no comma may follow the last element"));
    assert_non_null(
        strstr(parsed.said, "t.cfg:2:25: error: the elements of [ ] must all be of one"));
    assert_int_equal(section_int(parsed.root, "a"), 1);
    assert_int_equal(section_int(parsed.root, "last"), 5);
}

static void a_bad_number_does_not_hide_the_next_error(void **state)
{
    (void)state;
    parsed = parse_text("a = 010\nb = 99999999999999999999\nc = 1e999");
    assert_int_equal(parsed.result, PARSE_BROKEN);
    assert_int_equal(problems_errors(parsed.problems), 3);
    assert_non_null(strstr(parsed.said, "t.cfg:3:5: error: this number is too large"));
}

static void large_and_small_numbers_differ_in_brackets(void **state)
{
    (void)state;
    parsed = parse_text(
        "a = [ 1, 5000000000 ] b = [ 5000000000, 1L ] c = [ 0x10, 3 ] d = [ true, False ]");
    assert_int_equal(problems_errors(parsed.problems), 1);
}

static void texts_that_no_one_could_take_are_refused(void **state)
{
    (void)state;
    parsed = parse_text("a = \"x\\x00\"\nb = \"\\xff\"");
    assert_int_equal(parsed.result, PARSE_BROKEN);
    assert_non_null(strstr(parsed.said, "t.cfg:1:7: error: a text cannot contain the byte 0"));
    assert_non_null(
        strstr(parsed.said, "t.cfg:2:6: error: this byte makes the text no valid UTF-8"));
}

static void escapes_can_write_utf8(void **state)
{
    (void)state;
    assert_string_equal(section_text(read_whole("unit = \"\\xc2\\xb0\" \"C\""), "unit"), "\xc2\xb0"
                                                                                         "C");
}

static void what_is_hardly_meant_is_a_warning(void **state)
{
    (void)state;
    parsed = parse_text("a = \"C:\\dir\"\nb = [ \"one\" \"two\" ]");
    assert_int_equal(parsed.result, PARSE_WHOLE);
    assert_int_equal(problems_warnings(parsed.problems), 2);
    assert_string_equal(section_text(parsed.root, "a"), "C:\\dir");
    assert_string_equal(section_text_at(parsed.root, "b", 0), "onetwo");
}

static void levels_are_counted(void **state)
{
    char text[400] = "";

    (void)state;
    for (int i = 0; i < PARSE_DEPTH_MAX; i++)
        strcat(text, "a={");
    for (int i = 0; i < PARSE_DEPTH_MAX; i++)
        strcat(text, "}");
    read_whole(text);
    parsed_free(&parsed);
    memmove(text + 3, text, strlen(text) + 1);
    memcpy(text, "a={", 3);
    parsed = parse_text(strcat(text, "}"));
    assert_int_equal(parsed.result, PARSE_BROKEN);
    assert_non_null(strstr(parsed.said, "more than 32 levels of brackets"));
}

static void ten_thousand_brackets_do_not_overflow_the_stack(void **state)
{
    static const char *const starts[] = {"a={", "(", "[", "("};
    char *text = malloc(50000);

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        strcpy(text, i == 0 ? "" : "a=");
        for (int j = 0; j < 10000; j++)
            memcpy(text + strlen(starts[i]) * (size_t)j + (i == 0 ? 0 : 2), starts[i],
                   strlen(starts[i]) + 1);
        parsed = parse_text(text);
        assert_int_equal(parsed.result, PARSE_BROKEN);
        assert_int_equal(problems_errors(parsed.problems), 1);
        if (i < 3)
            parsed_free(&parsed);
    }
    free(text);
}

static void a_group_has_a_limit_of_settings(void **state)
{
    size_t size;
    char *text;
    FILE *to = open_memstream(&text, &size);

    (void)state;
    for (int i = 0; i <= PARSE_MEMBERS_MAX; i++)
        fprintf(to, "a%d=1 ", i);
    fclose(to);
    parsed = parse_text(text);
    free(text);
    assert_int_equal(parsed.result, PARSE_BROKEN);
    assert_non_null(strstr(parsed.said, "more than 10000 settings in one group"));
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_have_their_forms),
        TEST(everything_has_its_place),
        TEST(a_byte_is_found_through_escapes_and_joined_texts),
        TEST(nothing_is_a_config_too),
        TEST(slips_leave_the_rest_readable),
        TEST(a_bad_number_does_not_hide_the_next_error),
        TEST(large_and_small_numbers_differ_in_brackets),
        TEST(texts_that_no_one_could_take_are_refused),
        TEST(escapes_can_write_utf8),
        TEST(what_is_hardly_meant_is_a_warning),
        TEST(levels_are_counted),
        TEST(ten_thousand_brackets_do_not_overflow_the_stack),
        TEST(a_group_has_a_limit_of_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
