#include "gateway/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void copy_cuts_at_a_character(void **state)
{
    char to[5];

    (void)state;
    assert_true(text_copy(to, sizeof to, "abcd"));
    assert_string_equal(to, "abcd");
    assert_false(text_copy(to, sizeof to, "abc\xc3\xbc"));
    assert_string_equal(to, "abc");
    assert_false(text_copy(to, sizeof to, "a\xf0\x9f\x8c\xa1"));
    assert_string_equal(to, "a");
    assert_false(text_copy(to, sizeof to, "\xc3\xbc\xc3\xbc\xc3\xbc"));
    assert_string_equal(to, "\xc3\xbc\xc3\xbc");
}

static void append_moves_the_length_and_says_when_it_is_full(void **state)
{
    char to[12];
    size_t length = 0;

    (void)state;
    assert_true(text_append(to, sizeof to, &length, "%d-", 12));
    assert_true(text_append(to, sizeof to, &length, "%s", "abcd"));
    assert_int_equal(length, 7);
    assert_false(text_append(to, sizeof to, &length, "xyz\xc3\xbc"));
    assert_string_equal(to, "12-abcdxyz");
    assert_int_equal(length, 10);
}

static void quote_shows_what_a_terminal_must_not_get(void **state)
{
    char to[100];

    (void)state;
    assert_string_equal(text_quote(to, sizeof to,
                                   "K\xc3\xbc"
                                   "che"),
                        "\"K\xc3\xbc"
                        "che\"");
    assert_string_equal(text_quote(to, sizeof to, "a\"b\\c"), "\"a\\\"b\\\\c\"");
    assert_string_equal(text_quote(to, sizeof to, "\x1b[2J\n"), "\"\\x1b[2J\\x0a\"");
    assert_string_equal(text_quote(to, sizeof to, "\xff\xc3"), "\"\\xff\\xc3\"");
    /* A mark that turns the direction of writing, and a C1 control. */
    assert_string_equal(text_quote(to, sizeof to,
                                   "\xe2\x80\xae"
                                   "x\xc2\x9b"),
                        "\"\\xe2\\x80\\xaex\\xc2\\x9b\"");
    assert_string_equal(text_escape(to, sizeof to, "say \"hi\"\t"), "say \"hi\"\\x09");
}

static void quote_cuts_with_dots_and_never_overflows(void **state)
{
    char to[24];

    (void)state;
    for (size_t size = 0; size < sizeof to; size++) {
        memset(to, '#', sizeof to);
        text_quote(to, size, "abcdef\x01ghijklmnopq");
        assert_int_equal(to[size], '#');
        if (size > 0)
            assert_true(strlen(to) < size);
    }
    assert_string_equal(text_quote(to, 10, "abcdefghij"), "\"abcd\"...");
    assert_string_equal(text_quote(to, 13, "abcdefghij"), "\"abcdefghij\"");
}

static void slugs_are_small_letters_digits_and_underscores(void **state)
{
    char longest[TEXT_SLUG_MAX + 2];

    (void)state;
    assert_true(text_is_slug("flow_temp2"));
    assert_false(text_is_slug(""));
    assert_false(text_is_slug("2nd"));
    assert_false(text_is_slug("_a"));
    assert_false(text_is_slug("Flow"));
    assert_false(text_is_slug("flow-temp"));
    memset(longest, 'a', sizeof longest);
    longest[TEXT_SLUG_MAX] = '\0';
    assert_true(text_is_slug(longest));
    longest[TEXT_SLUG_MAX] = 'a';
    longest[TEXT_SLUG_MAX + 1] = '\0';
    assert_false(text_is_slug(longest));
}

static void a_slug_is_made_of_any_text(void **state)
{
    static const char *const pairs[][2] = {
        {"K\xc3\xbc"
         "che S\xc3\xbc"
         "d/1",
         "kueche_sued_1"},
        {"  Living Room!! ", "living_room"},
        {"1st floor", "x_1st_floor"},
        {"28-0316a2794aff", "x_28_0316a2794aff"},
        {"Stra\xc3\x9f"
         "e",
         "strasse"},
        {"\xc5\x81\xc3\xb3"
         "d\xc5\xba",
         "lodz"},
        {"\xe6\xb8\xa9\xe5\xba\xa6", "x"},
        {"", "x"},
        {"\xff\xfe", "x"},
        {"already_fine", "already_fine"},
    };
    char to[TEXT_SLUG_MAX + 1];

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        assert_string_equal(text_make_slug(to, sizeof to, pairs[i][0]), pairs[i][1]);
        assert_true(text_is_slug(to));
    }
}

static void a_made_slug_fits_and_is_a_slug_whatever_the_room(void **state)
{
    char to[80], from[200];

    (void)state;
    memset(from, 'b', sizeof from);
    from[sizeof from - 1] = '\0';
    text_make_slug(to, sizeof to, from);
    assert_int_equal(strlen(to), TEXT_SLUG_MAX);
    for (size_t size = 2; size < 20; size++) {
        text_make_slug(to, size, "1 \xc3\xa4 2-\xc3\x9f");
        assert_true(strlen(to) < size);
        assert_true(text_is_slug(to));
    }
}

static void utf8_is_strict(void **state)
{
    static const char *const bad[] = {
        "\xc0\x80", "\xe0\x80\x80",     "\xed\xa0\x80", "\xf4\x90\x80\x80",
        "\x80",     "\xf0\x82\x82\xac", "\xc3",         "\xe2\x82"};

    (void)state;
    assert_true(text_is_utf8("", 0));
    assert_true(text_is_utf8("a\xc3\xbc\xe2\x82\xac\xf0\x9f\x8c\xa1", 10));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(text_is_utf8(bad[i], strlen(bad[i])));
}

static void a_character_is_decoded(void **state)
{
    uint32_t code;

    (void)state;
    assert_int_equal(text_utf8("\xe2\x82\xac", 3, &code), 3);
    assert_int_equal(code, 0x20ac);
    assert_int_equal(text_utf8("\xf0\x9f\x8c\xa1", 4, &code), 4);
    assert_int_equal(code, 0x1f321);
    assert_int_equal(text_utf8("\xe2\x82\xac", 2, &code), 0);
    assert_int_equal(text_utf8("", 0, &code), 0);
}

static void globs_match_the_whole_text(void **state)
{
    (void)state;
    assert_true(text_glob("*.temp", "boiler.temp"));
    assert_false(text_glob("*.temp", "boiler.temperature"));
    assert_true(text_glob("patient_*.spo2", "patient_7.spo2"));
    assert_true(text_glob("*", ""));
    assert_false(text_glob("?", ""));
    assert_true(text_glob("a?c", "a\xc3\xbc"
                                 "c"));
    assert_true(text_glob("*a*b*", "xxaxxbxx"));
    assert_false(text_glob("*a*b", "xxaxxbxx"));
    assert_true(text_glob("energy*", "energy"));
}

static void a_glob_full_of_stars_is_still_fast(void **state)
{
    char text[2001];

    (void)state;
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_false(text_glob("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
}

static void distance_counts_edits(void **state)
{
    (void)state;
    assert_int_equal(text_distance("host", "host"), 0);
    assert_int_equal(text_distance("hots", "host"), 1);
    assert_int_equal(text_distance("hst", "host"), 1);
    assert_int_equal(text_distance("hoost", "host"), 1);
    assert_int_equal(text_distance("cellar.tmp", "cellar.temp"), 1);
    assert_int_equal(text_distance("", "abc"), 3);
    assert_int_equal(text_distance("kitten", "sitting"), 3);
}

static void names_too_long_to_compare_are_wholly_different(void **state)
{
    char a[300], b[300];

    (void)state;
    memset(a, 'a', sizeof a);
    a[299] = '\0';
    memcpy(b, a, sizeof b);
    assert_int_equal(text_distance(a, b), 0);
    b[0] = 'b';
    assert_int_equal(text_distance(a, b), 299);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copy_cuts_at_a_character),
        cmocka_unit_test(append_moves_the_length_and_says_when_it_is_full),
        cmocka_unit_test(quote_shows_what_a_terminal_must_not_get),
        cmocka_unit_test(quote_cuts_with_dots_and_never_overflows),
        cmocka_unit_test(slugs_are_small_letters_digits_and_underscores),
        cmocka_unit_test(a_slug_is_made_of_any_text),
        cmocka_unit_test(a_made_slug_fits_and_is_a_slug_whatever_the_room),
        cmocka_unit_test(utf8_is_strict),
        cmocka_unit_test(a_character_is_decoded),
        cmocka_unit_test(globs_match_the_whole_text),
        cmocka_unit_test(a_glob_full_of_stars_is_still_fast),
        cmocka_unit_test(distance_counts_edits),
        cmocka_unit_test(names_too_long_to_compare_are_wholly_different),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
