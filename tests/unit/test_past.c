#include "gateway/cli/past.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HEADER "time,sensor,value,unit,quality\n"

/* Appends a file with that text. */
static void read_text(struct past *past, const char *text)
{
    char path[] = "/tmp/thermogate-past-XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(past_read(past, path), APP_OK);
    unlink(path);
}

static void what_is_gathered_in_pieces_is_one_recording_in_order_of_time(void **state)
{
    struct past past = {0};
    struct recording recording;
    (void)state;
    read_text(&past, HEADER "2000,a.x,1,,good\n4000,a.x,2,,good\n");
    read_text(&past, HEADER "3000,b.x,3,,good\n9000,b.x,4,,good\n");
    assert_int_equal(past_record(&past, "", 2000, 5000, &recording), APP_OK);
    assert_int_equal(recording.count, 3);
    assert_string_equal(recording.rows[1].sensor, "b.x");
    assert_null(past.text);
    recording_free(&recording);
}

static void nothing_is_a_recording_of_nothing(void **state)
{
    struct past past = {0};
    struct recording recording;
    (void)state;
    assert_int_equal(past_record(&past, "", INT64_MIN, INT64_MAX, &recording), APP_OK);
    assert_int_equal(recording.count, 0);
    recording_free(&recording);
}

static void what_is_no_recording_is_a_failure(void **state)
{
    struct past past = {0};
    struct recording recording;
    (void)state;
    assert_int_equal(past_read(&past, "/nowhere/at/all"), APP_FAILED);
    read_text(&past, HEADER "noon,a.x,1,,good\n");
    assert_int_equal(past_record(&past, "", INT64_MIN, INT64_MAX, &recording), APP_FAILED);
    recording_free(&recording);
    past_clear(&past);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_gathered_in_pieces_is_one_recording_in_order_of_time),
        cmocka_unit_test(nothing_is_a_recording_of_nothing),
        cmocka_unit_test(what_is_no_recording_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
