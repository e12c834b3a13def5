#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/transfer.h"

#include <errno.h>
#include <string.h>

static void codes_become_errors(void **state)
{
    (void)state;
    assert_int_equal(transfer_error(CURLE_OK), 0);
    assert_int_equal(transfer_error(CURLE_OPERATION_TIMEDOUT), -ETIMEDOUT);
    assert_int_equal(transfer_error(CURLE_PEER_FAILED_VERIFICATION), -EKEYREJECTED);
    assert_int_equal(transfer_error(CURLE_RECV_ERROR), -EIO); /* any other */
}

static void words_are_those_of_the_failure_and_safe(void **state)
{
    char words[100];

    (void)state;
    assert_string_equal(transfer_words(words, sizeof(words), CURLE_COULDNT_CONNECT, "no\nway"),
                        "no\\x0away");
    assert_true(strlen(transfer_words(words, sizeof(words), CURLE_COULDNT_CONNECT, "")) > 5);
}

static void a_line_has_no_control_characters(void **state)
{
    (void)state;
    assert_true(transfer_is_line("Title: K\xc3\xbc"));
    assert_true(transfer_is_line(""));
    assert_false(transfer_is_line("a\r\nb"));
    assert_false(transfer_is_line("a\tb"));
    assert_false(transfer_is_line("a\x7f"));
}

static void a_request_can_be_prepared(void **state)
{
    CURL *easy = curl_easy_init();
    char errors[CURL_ERROR_SIZE] = "old";

    (void)state;
    assert_true(transfer_prepare(easy, "https", 1000, NULL, errors));
    assert_string_equal(errors, "");
    curl_easy_cleanup(easy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_become_errors),
        cmocka_unit_test(words_are_those_of_the_failure_and_safe),
        cmocka_unit_test(a_line_has_no_control_characters),
        cmocka_unit_test(a_request_can_be_prepared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
