#include "gateway/base/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 8

/* All lines of `text` as "[a|b|c]" one after the other; the end as "." or "!" for -EINVAL. */
static void expect(const char *text, char separator, const char *wanted)
{
    char *copy = strdup(text), *fields[FIELDS_MAX];
    char got[1000];
    size_t length = 0;
    struct csv csv;
    int n;
    csv_start(&csv, copy, separator);
    while ((n = csv_next(&csv, fields, FIELDS_MAX)) > 0) {
        length += (size_t)snprintf(got + length, sizeof(got) - length, "[");
        for (int i = 0; i < n && i < FIELDS_MAX; i++)
            length += (size_t)snprintf(got + length, sizeof(got) - length, "%s%s", i ? "|" : "",
                                       fields[i]);
        length += (size_t)snprintf(got + length, sizeof(got) - length, "]");
    }
    snprintf(got + length, sizeof(got) - length, n == 0 ? "." : "!");
    assert_string_equal(got, wanted);
    free(copy);
}

static void lines_are_split_at_commas(void **state)
{
    (void)state;
    expect("a,b,c\n1,2,3\n", 0, "[a|b|c][1|2|3].");
    expect("a,b,c\n1,2,3", 0, "[a|b|c][1|2|3].");
    expect("one\ntwo\n", 0, "[one][two].");
}

static void empty_fields_are_fields(void **state)
{
    (void)state;
    expect("a,,c\n", 0, "[a||c].");
    expect(",\n", 0, "[|].");
    expect("a,\n,b\n", 0, "[a|][|b].");
}

static void semicolons_are_found_by_themselves(void **state)
{
    (void)state;
    expect("a;b\n1,5;2\n", 0, "[a|b][1,5|2].");
    expect("a,b;c\n", 0, "[a|b;c].");
}

static void a_given_separator_is_kept(void **state)
{
    (void)state;
    expect("a,b;c\n", ';', "[a,b|c].");
    expect("a;b\n", ',', "[a;b].");
}

static void a_comment_before_the_header_does_not_choose_the_separator(void **state)
{
    (void)state;
    expect("# meters; of the cellar\na,b\n", 0, "[a|b].");
    expect("# meters, of the cellar\na;b\n", 0, "[a|b].");
    expect("\n\na;b\n", 0, "[a|b].");
}

static void a_byte_order_mark_is_not_part_of_the_first_name(void **state)
{
    (void)state;
    expect("\xef\xbb\xbfname;unit\n", 0, "[name|unit].");
}

static void lines_may_end_in_crlf(void **state)
{
    (void)state;
    expect("a,b\r\n1,2\r\n", 0, "[a|b][1|2].");
    expect("a,\"b\"\r\n1,2", 0, "[a|b][1|2].");
    expect("\r\n\r\na\r\n", 0, "[a].");
}

static void quotes_protect_separators_quotes_and_newlines(void **state)
{
    (void)state;
    expect("\"a,b\",c\n", 0, "[a,b|c].");
    expect("\"say \"\"hi\"\"\",x\n", 0, "[say \"hi\"|x].");
    expect("\"two\nlines\",x\nnext,y\n", 0, "[two\nlines|x][next|y].");
    expect("\"\",\"\"\"\"\n", 0, "[|\"].");
}

static void spaces_around_a_field_do_not_count(void **state)
{
    (void)state;
    expect("  a , b\t,\t c  \n", 0, "[a|b|c].");
    expect(" \" a \" ,b\n", 0, "[ a |b].");
}

static void a_quote_inside_a_plain_field_is_a_character(void **state)
{
    (void)state;
    expect("5\" pipe,x\n", 0, "[5\" pipe|x].");
}

static void empty_lines_and_comments_are_skipped(void **state)
{
    (void)state;
    expect("a\n\n# not this, nor this\nb\n", 0, "[a][b].");
    expect("# only a comment", 0, ".");
    expect("", 0, ".");
    expect("\n\n", 0, ".");
}

static void an_unclosed_quote_is_an_error(void **state)
{
    (void)state;
    expect("a,b\n\"c,d\ne,f\n", 0, "[a|b]!");
    expect("\"", 0, "!");
    expect("a,\"\"\"", 0, "!");
}

static void what_follows_a_closing_quote_is_not_dropped_silently(void **state)
{
    (void)state;
    expect("\"a\"b,c\n", 0, "!");
    expect("\"a\" b\n", 0, "!");
}

static void too_many_fields_are_counted_and_not_written(void **state)
{
    char text[] = "a,b,c,d\ne,f\n", *fields[3] = {0};
    struct csv csv;
    (void)state;
    fields[2] = text;
    csv_start(&csv, text, 0);
    assert_int_equal(csv_next(&csv, fields, 2), 4);
    assert_string_equal(fields[0], "a");
    assert_string_equal(fields[1], "b");
    assert_ptr_equal(fields[2], text);
    assert_int_equal(csv_next(&csv, fields, 2), 2);
    assert_string_equal(fields[1], "f");
}

static void line_numbers_are_those_of_the_file(void **state)
{
    char text[] = "# comment\nhead\n\n\"two\nlines\"\nlast\n\"open\n\n", *fields[2];
    struct csv csv;
    (void)state;
    csv_start(&csv, text, 0);
    assert_int_equal(csv_next(&csv, fields, 2), 1);
    assert_int_equal(csv.line, 2);
    assert_int_equal(csv_next(&csv, fields, 2), 1);
    assert_int_equal(csv.line, 4);
    assert_int_equal(csv_next(&csv, fields, 2), 1);
    assert_int_equal(csv.line, 6);
    assert_int_equal(csv_next(&csv, fields, 2), -EINVAL);
    assert_int_equal(csv.line, 7);
}

/* Whatever comes, the fields lie in the text and the end is reached. */
static void random_bytes_are_survived(void **state)
{
    static const char alphabet[] = "a,;\"\r\n# \t";
    unsigned random = 12345;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[40], *fields[4];
        struct csv csv;
        size_t length = round % (sizeof(text) - 1), lines = 0;
        int n;
        for (size_t i = 0; i < length; i++) {
            random = random * 1103515245 + 12345;
            text[i] = alphabet[random >> 16 & 7];
        }
        text[length] = '\0';
        csv_start(&csv, text, 0);
        while ((n = csv_next(&csv, fields, 4)) > 0) {
            assert_true(++lines <= length);
            for (int i = 0; i < n && i < 4; i++)
                assert_true(fields[i] >= text && fields[i] <= text + length);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_split_at_commas),
        cmocka_unit_test(empty_fields_are_fields),
        cmocka_unit_test(semicolons_are_found_by_themselves),
        cmocka_unit_test(a_given_separator_is_kept),
        cmocka_unit_test(a_comment_before_the_header_does_not_choose_the_separator),
        cmocka_unit_test(a_byte_order_mark_is_not_part_of_the_first_name),
        cmocka_unit_test(lines_may_end_in_crlf),
        cmocka_unit_test(quotes_protect_separators_quotes_and_newlines),
        cmocka_unit_test(spaces_around_a_field_do_not_count),
        cmocka_unit_test(a_quote_inside_a_plain_field_is_a_character),
        cmocka_unit_test(empty_lines_and_comments_are_skipped),
        cmocka_unit_test(an_unclosed_quote_is_an_error),
        cmocka_unit_test(what_follows_a_closing_quote_is_not_dropped_silently),
        cmocka_unit_test(too_many_fields_are_counted_and_not_written),
        cmocka_unit_test(line_numbers_are_those_of_the_file),
        cmocka_unit_test(random_bytes_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
