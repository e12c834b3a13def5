#include "gateway/mqtt/certificates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/mqtt/options.h"
#include "tests/unit/made_certificates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY_MS INT64_C(86400000)

struct fixture {
    char path[64];
    struct options options;
    struct certificates certificates;
    char said[300]; /* since it was last asked */
};

static void hear(void *owner, enum log_level level, const char *line)
{
    struct fixture *f = owner;
    (void)level;
    strncat(f->said, line, sizeof(f->said) - strlen(f->said) - 1);
}

static void put(struct fixture *f, const char *pem)
{
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    fputs(pem, file);
    fclose(file);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    int file;
    snprintf(f->path, sizeof(f->path), "/tmp/thermogate-certificate-XXXXXX");
    file = mkstemp(f->path);
    close(file);
    put(f, until_2027);
    f->options.cert_file = f->path;
    log_set_sink(hear, f);
    *state = f;
    return file < 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    log_set_sink(NULL, NULL);
    clock_use_system();
    unlink(f->path);
    free(f);
    return 0;
}

/* What is said so many days before the end; "" for nothing. */
static const char *at(struct fixture *f, int days)
{
    f->said[0] = '\0';
    clock_use_fixed(1000, SHORT_MS - days * DAY_MS - 2000);
    certificates_look(&f->certificates, &f->options, 1000);
    return f->said;
}

static void days_are_whole_and_what_is_over_is_negative(void **state)
{
    (void)state;
    assert_int_equal(certificates_days(30 * DAY_MS, 0), 30);
    assert_int_equal(certificates_days(30 * DAY_MS - 1, 0), 29);
    assert_int_equal(certificates_days(DAY_MS, DAY_MS), 0);
    assert_int_equal(certificates_days(DAY_MS, DAY_MS + 1), -1);
}

static void its_end_is_said_at_thirty_days_at_seven_and_when_it_is_there(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(at(f, 31), "");
    assert_non_null(strstr(at(f, 29), "ends in 29 days"));
    assert_string_equal(at(f, 28), "");
    assert_non_null(strstr(at(f, 6), "ends in 6 days"));
    assert_string_equal(at(f, 1), "");
    assert_non_null(strstr(at(f, -1), "has ended"));
    assert_string_equal(at(f, -2), "");
    assert_int_equal(f->certificates.until_ms, SHORT_MS);
    assert_int_equal(f->certificates.look_at_ms, 1000 + DAY_MS / 2);
}

static void one_that_was_renewed_is_told_again_in_time(void **state)
{
    struct fixture *f = *state;
    assert_non_null(strstr(at(f, 6), "ends in 6 days"));
    put(f, until_2126);
    assert_string_equal(at(f, 5), "");
    assert_int_equal(f->certificates.until_ms, LONG_MS);
    put(f, until_2027);
    assert_non_null(strstr(at(f, 4), "ends in 4 days"));
}

static void of_many_authorities_none_is_looked_at(void **state)
{
    struct fixture *f = *state;
    char both[sizeof(until_2027) + sizeof(until_2126)];
    f->options.cert_file = NULL;
    f->options.ca_file = f->path;
    assert_non_null(strstr(at(f, 6), "ends in 6 days"));
    snprintf(both, sizeof(both), "%s%s", until_2027, until_2126);
    put(f, both);
    at(f, -1);
    assert_int_equal(f->certificates.until_ms, 0);
}

static void without_a_clock_nothing_is_known(void **state)
{
    struct fixture *f = *state;
    clock_use_fixed(1000, CLOCK_NEVER);
    certificates_look(&f->certificates, &f->options, 1000);
    assert_int_equal(f->certificates.until_ms, 0);
    assert_string_equal(f->said, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(days_are_whole_and_what_is_over_is_negative),
        TEST(its_end_is_said_at_thirty_days_at_seven_and_when_it_is_there),
        TEST(one_that_was_renewed_is_told_again_in_time),
        TEST(of_many_authorities_none_is_looked_at),
        TEST(without_a_clock_nothing_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
