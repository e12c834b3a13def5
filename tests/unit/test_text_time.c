/* Times as texts. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/base/text.h"

#include <errno.h>

static void times_are_written_and_read(void **state)
{
    char text[TEXT_TIME_SIZE];
    int64_t ms;

    (void)state;
    assert_string_equal(text_from_wall(text, 1795265525123), "2026-11-21T12:52:05.123Z");
    assert_string_equal(text_from_wall(text, -1), "1969-12-31T23:59:59.999Z");
    assert_int_equal(text_to_wall("2026-11-21T12:52:05.123Z", &ms), 0);
    assert_int_equal(ms, 1795265525123);
    assert_int_equal(text_to_wall("2026-11-21T13:52:05.123+01:00", &ms), 0);
    assert_int_equal(ms, 1795265525123);
    assert_int_equal(text_to_wall("2026-11-21 07:22:05,1239-0530", &ms), 0);
    assert_int_equal(ms, 1795265525123);
    assert_int_equal(text_to_wall("2026-11-21T12:52Z", &ms), 0);
    assert_int_equal(ms, 1795265520000);
    assert_int_equal(text_to_wall("1795265525123", &ms), 0);
    assert_int_equal(ms, 1795265525123);
}

static void what_is_no_time_is_refused(void **state)
{
    const char *wrong[] = {"",
                           "now",
                           "2026-11-21",
                           "2026-11-21T12:52:05",
                           "2026-13-21T12:52:05Z",
                           "2026-11-21T25:52:05Z",
                           "2026-11-21T12:52:05Zulu",
                           "2026-11-21T12:52:05+1:00",
                           "2026-11-21T12:5Z",
                           "999999999999999999",
                           "26-11-21T12:52:05Z"};
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(text_to_wall(wrong[i], &ms), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_written_and_read),
        cmocka_unit_test(what_is_no_time_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
