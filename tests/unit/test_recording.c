#include "gateway/cli/recording.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/reading.h"

#include <errno.h>
#include <string.h>

#define HEAD "time,sensor,value,unit,quality\n"

static int read_text(const char *text, int64_t from_ms, int64_t to_ms, struct recording *recording,
                     struct error *err)
{
    return recording_read(strdup(text), from_ms, to_ms, recording, err);
}

static void rows_come_in_the_order_of_their_times(void **state)
{
    struct recording recording;
    struct error err;
    (void)state;
    assert_int_equal(read_text(HEAD "3000,a.b,3,,good\n1000,a.b,1,,good\n"
                                    "1000,a.c,\"x, y\",°C,\n2000,a.b,,,timeout\n",
                               INT64_MIN, INT64_MAX, &recording, &err),
                     0);
    assert_int_equal(recording.count, 4);
    assert_string_equal(recording.rows[0].sensor, "a.b");
    assert_string_equal(recording.rows[1].value, "x, y");
    assert_int_equal(recording.rows[2].quality, QUALITY_TIMEOUT);
    assert_int_equal(recording.rows[3].at_ms, 3000);
    recording_free(&recording);
}

static void only_what_is_in_the_span_is_kept(void **state)
{
    struct recording recording;
    struct error err;
    (void)state;
    assert_int_equal(
        read_text("1000,a.b,1\n2000,a.b,2\n3000,a.b,3\n", 1500, 2000, &recording, &err), 0);
    assert_int_equal(recording.count, 1);
    assert_int_equal(recording.rows[0].at_ms, 2000);
    recording_free(&recording);
}

static void a_line_that_is_none_is_told_with_its_number(void **state)
{
    static const struct {
        const char *text, *words;
    } rows[] = {
        {HEAD "x,a.b,1\n", "line 2: the time is none"},
        {HEAD "1000,a.b\n", "line 2: time,sensor,value,unit,quality is what a line must have"},
        {HEAD "1000,a.b,1,,fine\n", "line 2: there is no such quality"},
        {HEAD "1000,a.b,,,good\n", "line 2: the value is missing"},
        {HEAD "1000,a.b,\"1,,good\n", "line 2: a quote is not closed"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct recording recording;
        struct error err;
        assert_int_equal(read_text(rows[i].text, 0, INT64_MAX, &recording, &err), -EINVAL);
        assert_string_equal(err.text, rows[i].words);
        recording_free(&recording);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_in_the_order_of_their_times),
        cmocka_unit_test(only_what_is_in_the_span_is_kept),
        cmocka_unit_test(a_line_that_is_none_is_told_with_its_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
