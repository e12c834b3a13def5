#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/config.h"
#include "config/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/thermogate-file-XXXXXX";
static char path[100];
static struct problems *problems;

static int set_up(void **state)
{
    (void)state;
    strcpy(directory + strlen(directory) - 6, "XXXXXX");
    problems = problems_new();
    if (problems == NULL || mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/t.cfg", directory);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    problems_free(problems);
    remove(path);
    return rmdir(directory);
}

static void write_file(const char *bytes, size_t length)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

/* The one error, behind the path. */
static const char *only_error(void)
{
    const char *line = problems_line(problems, 0);

    assert_non_null(line);
    assert_null(problems_line(problems, 1));
    line = strstr(line, path);
    assert_non_null(line);
    return line + strlen(path);
}

static void a_file_is_read_whole_and_keeps_its_name(void **state)
{
    struct source *source;

    (void)state;
    write_file("a = 1\n", 6);
    source = file_read(path, problems);
    assert_non_null(source);
    assert_string_equal(source->name, path);
    assert_string_equal(source->bytes, "a = 1\n");
    assert_int_equal(source->length, 6);
    assert_true(file_is_text(source, problems));
    assert_int_equal(problems_errors(problems), 0);
    source_free(source);
}

static void an_empty_file_is_a_file(void **state)
{
    struct source *source;

    (void)state;
    write_file("", 0);
    source = file_read(path, problems);
    assert_non_null(source);
    assert_true(file_is_text(source, problems));
    source_free(source);
}

static void a_byte_order_mark_is_left_out(void **state)
{
    struct source *source = file_from_memory("t.cfg",
                                             "\xef\xbb\xbf"
                                             "a",
                                             4, problems);

    (void)state;
    assert_string_equal(source->bytes, "a");
    source_free(source);
}

static void a_missing_file_is_one_problem(void **state)
{
    (void)state;
    assert_null(file_read(path, problems));
    assert_string_equal(only_error(), ": No such file or directory");
}

static void a_directory_is_no_file(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path, 0700), 0);
    assert_null(file_read(path, problems));
    assert_string_equal(only_error(), ": this is a directory, no file");
}

static void a_pipe_is_not_waited_for(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_null(file_read(path, problems));
    assert_string_equal(only_error(), ": this is no regular file");
}

static void an_unreadable_file_says_what_to_do(void **state)
{
    const uid_t user = geteuid();
    struct source *source;

    (void)state;
    write_file("a", 1);
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(chmod(directory, 0755), 0);
    /* Root may read all: be nobody for a moment. */
    if (user == 0)
        assert_int_equal(seteuid(65534), 0);
    source = file_read(path, problems);
    assert_int_equal(seteuid(user), 0);
    assert_null(source);
    assert_string_equal(only_error(), ": Permission denied");
}

static void a_file_of_5_mb_is_refused(void **state)
{
    (void)state;
    write_file("a", 1);
    assert_int_equal(truncate(path, 5000000), 0);
    assert_null(file_read(path, problems));
    assert_string_equal(only_error(), ": longer than 4 MB, this is hardly a config file");
}

static void expect_no_text(const char *bytes, size_t length, const char *error)
{
    struct source *source = file_from_memory("t.cfg", bytes, length, problems);

    assert_false(file_is_text(source, problems));
    assert_string_equal(problems_line(problems, 0), error);
    assert_int_equal(problems_errors(problems), 1);
    source_free(source);
}

static void what_is_no_text_is_told_by_its_first_bad_byte(void **state)
{
    (void)state;
    expect_no_text("a = 1\nb\0c", 9, "t.cfg:2:2: error: a byte 0 is in this file");
    problems_free(problems);
    problems = problems_new();
    expect_no_text("unit = \"\xb0"
                   "C\"",
                   11, "t.cfg:1:9: error: this byte is no valid UTF-8");
    problems_free(problems);
    problems = problems_new();
    expect_no_text("\xff\xfe"
                   "a\0",
                   4, "t.cfg:1:1: error: this file is UTF-16");
    problems_free(problems);
    problems = problems_new();
    expect_no_text("\x7f"
                   "ELF\x02\x01\x01\0\xff",
                   9, "t.cfg:1:8: error: a byte 0 is in this file");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_read_whole_and_keeps_its_name),
        TEST(an_empty_file_is_a_file),
        TEST(a_byte_order_mark_is_left_out),
        TEST(a_missing_file_is_one_problem),
        TEST(a_directory_is_no_file),
        TEST(a_pipe_is_not_waited_for),
        TEST(an_unreadable_file_says_what_to_do),
        TEST(a_file_of_5_mb_is_refused),
        TEST(what_is_no_text_is_told_by_its_first_bad_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
