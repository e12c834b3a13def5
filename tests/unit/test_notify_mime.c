#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "gateway/notify/mime.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static void assert_header(const char *text, const char *expected)
{
    char *header = mime_header(text, " ");

    assert_string_equal(header, expected);
    free(header);
}

static void ascii_stays_as_it_is(void **state)
{
    (void)state;
    assert_header("Boiler is hot", "Boiler is hot");
    assert_header("", "");
}

static void other_letters_become_encoded_words(void **state)
{
    (void)state;
    assert_header("K\xc3\xbc"
                  "che",
                  "=?UTF-8?B?S8O8Y2hl?=");
    assert_header("\xc3\xbc", "=?UTF-8?B?w7w=?=");
}

static void a_long_text_becomes_several_words_of_whole_letters(void **state)
{
    char text[101] = "";

    (void)state;
    for (int i = 0; i < 50; i++)
        strcat(text, "\xc3\xbc");
    assert_header(text, "=?UTF-8?B?w7zDvMO8w7zDvMO8w7zDvMO8w7zDvMO8w7zDvMO8w7zDvMO8w7zDvMO8w7w=?= "
                        "=?UTF-8?B?w7zDvMO8w7zDvMO8w7zDvMO8w7zDvMO8w7zDvMO8w7zDvMO8w7zDvMO8w7w=?= "
                        "=?UTF-8?B?w7zDvMO8w7zDvMO8?=");
}

static void a_line_break_cannot_begin_a_header(void **state)
{
    (void)state;
    assert_header("a\r\nBcc: b", "a  Bcc: b");
}

static char *compose(const char *subject, const char *text, int64_t wall_ms)
{
    static const char *const to[] = {"b@example.org", "c@example.org"};
    struct mime_mail mail = {"a@example.org", to, 2, subject, text, "ab-1", wall_ms};

    return mime_compose(&mail);
}

static void a_mail_has_its_headers(void **state)
{
    char *mail;

    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    mail = compose("Hello", "text", INT64_C(1795262400000));
    assert_string_equal(mail, "Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nFrom: a@example.org\r\n"
                              "To: b@example.org,\r\n c@example.org\r\nSubject: Hello\r\n"
                              "Message-ID: <ab-1.thermogate@example.org>\r\n"
                              "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                              "Content-Type: text/plain; charset=utf-8\r\n"
                              "Content-Transfer-Encoding: base64\r\n\r\ndGV4dA==\r\n");
    free(mail);
}

static void without_a_clock_there_is_no_date(void **state)
{
    char *mail = compose("Hello", "text", CLOCK_NEVER);

    (void)state;
    assert_int_equal(strncmp(mail, "From: ", 6), 0);
    free(mail);
}

static void line_ends_are_those_of_mail(void **state)
{
    char *mail = compose("Hello", "a\nb", CLOCK_NEVER);

    (void)state;
    assert_non_null(strstr(mail, "\r\n\r\nYQ0KYg==\r\n"));
    free(mail);
}

/* The line break falls on the end of an encoded line. */
static void long_texts_are_broken_into_lines(void **state)
{
    char text[200], *mail;
    const char *line;

    (void)state;
    memset(text, 'x', sizeof(text));
    text[56] = '\n';
    text[199] = '\0';
    mail = compose("Hello", text, CLOCK_NEVER);
    line = strstr(mail, "\r\n\r\n") + 4;
    assert_int_equal(strcspn(line, "\r"), 76);
    assert_int_equal(strcspn(line + 78, "\r"), 76);
    assert_int_equal(strncmp(line + 72, "eHgN\r\nCnh4", 10), 0);
    free(mail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ascii_stays_as_it_is),
        cmocka_unit_test(other_letters_become_encoded_words),
        cmocka_unit_test(a_long_text_becomes_several_words_of_whole_letters),
        cmocka_unit_test(a_line_break_cannot_begin_a_header),
        cmocka_unit_test(a_mail_has_its_headers),
        cmocka_unit_test(without_a_clock_there_is_no_date),
        cmocka_unit_test(line_ends_are_those_of_mail),
        cmocka_unit_test(long_texts_are_broken_into_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
