#include "gateway/mqtt/validity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/made_certificates.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void the_end_of_a_certificate_is_read_in_both_forms_of_time(void **state)
{
    int64_t until_ms = 0;
    (void)state;
    assert_int_equal(validity_of(until_2027, &until_ms), 1);
    assert_int_equal(until_ms, SHORT_MS);
    assert_int_equal(validity_of(until_2126, &until_ms), 1);
    assert_int_equal(until_ms, LONG_MS);
}

static void of_several_the_first_end_counts(void **state)
{
    char all[sizeof(until_2027) + sizeof(until_2126) + 20];
    int64_t until_ms = 0;
    (void)state;
    snprintf(all, sizeof(all), "subject=x\n%s\n%s", until_2126, until_2027);
    assert_int_equal(validity_of(all, &until_ms), 2);
    assert_int_equal(until_ms, SHORT_MS);
}

static void what_is_no_certificate_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\nMIX/////////\n-----END CERTIFICATE-----"};
    int64_t until_ms = 7;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(validity_of(bad[i], &until_ms), -EINVAL);
    assert_int_equal(until_ms, 7);
}

/* Sanitizers watch. */
static void no_byte_of_it_does_harm(void **state)
{
    char text[sizeof(until_2027)];
    int64_t until_ms;
    (void)state;
    for (size_t i = 28; i < sizeof(text) - 1; i++) {
        for (const char *other = "A/4w="; *other; other++) {
            memcpy(text, until_2027, sizeof(text));
            text[i] = *other;
            (void)validity_of(text, &until_ms);
        }
    }
}

static void a_file_is_read_and_one_that_is_not_there_is_told(void **state)
{
    char path[] = "/tmp/thermogate-validity-XXXXXX";
    int64_t until_ms = 0;
    int file = mkstemp(path);
    (void)state;
    assert_true(file >= 0);
    assert_int_equal(write(file, until_2027, sizeof(until_2027) - 1), sizeof(until_2027) - 1);
    close(file);
    assert_int_equal(validity_read(path, &until_ms), 1);
    assert_int_equal(until_ms, SHORT_MS);
    unlink(path);
    assert_int_equal(validity_read(path, &until_ms), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_a_certificate_is_read_in_both_forms_of_time),
        cmocka_unit_test(of_several_the_first_end_counts),
        cmocka_unit_test(what_is_no_certificate_is_refused),
        cmocka_unit_test(no_byte_of_it_does_harm),
        cmocka_unit_test(a_file_is_read_and_one_that_is_not_there_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
