#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/scan.h"

#include <string.h>

/* The kinds of all words of `text`, up to the end. */
static size_t scan_all(const char *text, struct token *tokens, size_t max)
{
    struct source *source = source_new("t.cfg", text, strlen(text));
    size_t count = 0;
    uint32_t at = 0;

    do {
        tokens[count] = scan_token(source, at);
        assert_true(tokens[count].start >= at && tokens[count].end <= source->length);
        at = tokens[count].end;
    } while (tokens[count++].kind != TOKEN_END && count < max);
    source_free(source);
    return count;
}

static void expect_kinds(const char *text, const enum token_kind *kinds, size_t count)
{
    struct token tokens[40];

    assert_int_equal(scan_all(text, tokens, 40), count + 1);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(tokens[i].kind, kinds[i]);
    assert_int_equal(tokens[count].kind, TOKEN_END);
}

#define EXPECT(text, ...)                                      \
    expect_kinds(text, (const enum token_kind[]){__VA_ARGS__}, \
                 sizeof((const enum token_kind[]){__VA_ARGS__}) / sizeof(enum token_kind))

static void words_are_cut_as_libconfig_cuts_them(void **state)
{
    (void)state;
    EXPECT("a = 1; b: \"x\", c={}", TOKEN_NAME, TOKEN_EQUALS, TOKEN_INT, TOKEN_SEMICOLON,
           TOKEN_NAME, TOKEN_EQUALS, TOKEN_STRING, TOKEN_COMMA, TOKEN_NAME, TOKEN_EQUALS,
           TOKEN_GROUP_OPEN, TOKEN_GROUP_CLOSE);
    EXPECT("([", TOKEN_LIST_OPEN, TOKEN_ARRAY_OPEN);
    EXPECT("TRUE False trueish", TOKEN_TRUE, TOKEN_FALSE, TOKEN_NAME);
    EXPECT("a-b_c*9", TOKEN_NAME);
}

static void numbers_have_their_kinds(void **state)
{
    (void)state;
    EXPECT("1 -1 +1 1L 1LL", TOKEN_INT, TOKEN_INT, TOKEN_INT, TOKEN_INT64, TOKEN_INT64);
    EXPECT("0x1F 0X1fL", TOKEN_HEX, TOKEN_HEX64);
    EXPECT("1.5 .5 5. 1e5 1E-5 -1.5e+5", TOKEN_FLOAT, TOKEN_FLOAT, TOKEN_FLOAT, TOKEN_FLOAT,
           TOKEN_FLOAT, TOKEN_FLOAT);
    EXPECT("1e", TOKEN_INT, TOKEN_NAME);
    EXPECT("10s", TOKEN_INT, TOKEN_NAME);
    EXPECT("1.2.3", TOKEN_FLOAT, TOKEN_FLOAT);
    EXPECT("-", TOKEN_GARBAGE);
    EXPECT("-x", TOKEN_GARBAGE, TOKEN_NAME);
    EXPECT("-0x1", TOKEN_INT, TOKEN_NAME);
    EXPECT("1LLL", TOKEN_INT64, TOKEN_NAME);
}

static void comments_are_blanks(void **state)
{
    (void)state;
    EXPECT("a # b\nc // d\n/* e\n */ f", TOKEN_NAME, TOKEN_NAME, TOKEN_NAME);
    expect_kinds("# only", NULL, 0);
    expect_kinds("/**/", NULL, 0);
    EXPECT("/* *", TOKEN_COMMENT_OPEN);
    EXPECT("a / b", TOKEN_NAME, TOKEN_GARBAGE, TOKEN_NAME);
    /* A carriage return ends no line. */
    EXPECT("# a\rb\nc", TOKEN_NAME);
}

static void a_text_ends_at_its_quote(void **state)
{
    struct token tokens[4];

    (void)state;
    scan_all("x \"a\\\"b\\\\\" y", tokens, 4);
    assert_int_equal(tokens[1].kind, TOKEN_STRING);
    assert_int_equal(tokens[1].start, 2);
    assert_int_equal(tokens[1].end, 10);
    assert_int_equal(tokens[2].kind, TOKEN_NAME);
    EXPECT("\"two\nlines\" \"\"", TOKEN_STRING, TOKEN_STRING);
    EXPECT("\"\\x4\"", TOKEN_STRING);
    EXPECT("\"open", TOKEN_STRING_OPEN);
    EXPECT("\"open\\\"", TOKEN_STRING_OPEN);
    EXPECT("\"open\\", TOKEN_STRING_OPEN);
}

static void what_begins_nothing_is_one_byte(void **state)
{
    (void)state;
    EXPECT("@%", TOKEN_GARBAGE, TOKEN_GARBAGE);
    EXPECT("\xc3\xbc", TOKEN_GARBAGE, TOKEN_GARBAGE);
    EXPECT("_a", TOKEN_GARBAGE, TOKEN_NAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_cut_as_libconfig_cuts_them),
        cmocka_unit_test(numbers_have_their_kinds),
        cmocka_unit_test(comments_are_blanks),
        cmocka_unit_test(a_text_ends_at_its_quote),
        cmocka_unit_test(what_begins_nothing_is_one_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
