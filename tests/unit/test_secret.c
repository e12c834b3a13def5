#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/secret.h"
#include "tests/unit/made_files.h"

#include <errno.h>

static struct files files;
static char path[FILES_PATH_MAX];

static int setup(void **state)
{
    (void)state;
    files_init(&files);
    unsetenv("CREDENTIALS_DIRECTORY");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    files_remove(&files, "");
    return 0;
}

static int read_text(const char *text, char **ret_secret, struct error *reterr)
{
    files_put(&files, "secret", text);
    return secret_read(files_path(&files, "secret", path), ret_secret, reterr);
}

static void the_line_is_read_without_its_end(void **state)
{
    char *secret = NULL;

    (void)state;
    assert_int_equal(read_text("pass word\r\n", &secret, NULL), 0);
    assert_string_equal(secret, "pass word");
    secret_free(secret);
    secret_free(NULL);
}

static void two_lines_or_none_are_refused(void **state)
{
    struct error error;
    char *secret = NULL;

    (void)state;
    assert_int_equal(read_text("one\ntwo\n", &secret, &error), -EINVAL);
    assert_non_null(strstr(error.text, "one line"));
    assert_null(strstr(error.text, "two"));
    assert_int_equal(read_text("\n", &secret, &error), -EINVAL);
    assert_int_equal(read_text("\xff\n", &secret, &error), -EINVAL);
    assert_null(secret);
}

static void what_is_too_long_is_refused(void **state)
{
    char *text = malloc(SECRET_MAX + 2), *secret = NULL;

    (void)state;
    memset(text, 'x', SECRET_MAX + 1);
    text[SECRET_MAX + 1] = '\0';
    assert_int_equal(read_text(text, &secret, NULL), -EINVAL);
    text[SECRET_MAX] = '\0';
    assert_int_equal(read_text(text, &secret, NULL), 0);
    secret_free(secret);
    free(text);
}

static void a_missing_file_is_told_by_name(void **state)
{
    struct error error;
    char *secret = NULL;

    (void)state;
    assert_int_equal(secret_read("/nowhere/secret", &secret, &error), -ENOENT);
    assert_non_null(strstr(error.text, "/nowhere/secret"));
}

static void a_pipe_is_not_waited_for(void **state)
{
    char *secret = NULL;

    (void)state;
    files_put_fifo(&files, "fifo");
    assert_int_equal(secret_read(files_path(&files, "fifo", path), &secret, NULL), -EINVAL);
}

static void a_bare_name_is_a_credential_of_systemd(void **state)
{
    struct error error;
    char *secret = NULL;

    (void)state;
    files_put(&files, "mail.password", "hidden\n");
    assert_int_equal(secret_read("mail.password", &secret, &error), -ENOENT);
    setenv("CREDENTIALS_DIRECTORY", files.root, 1);
    assert_int_equal(secret_read("mail.password", &secret, &error), 0);
    assert_string_equal(secret, "hidden");
    secret_free(secret);
}

static void a_secret_is_hidden_wherever_it_stands(void **state)
{
    char text[] = "tok123 in tok123, tok12";

    (void)state;
    secret_hide(text, "tok123");
    assert_string_equal(text, "*** in ***, tok12");
    secret_hide(text, NULL);
    secret_hide(text, "");
    assert_string_equal(text, "*** in ***, tok12");
    secret_hide(text, "*");
    assert_string_equal(text, "*** in ***, tok12");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_line_is_read_without_its_end),
        TEST(two_lines_or_none_are_refused),
        TEST(what_is_too_long_is_refused),
        TEST(a_missing_file_is_told_by_name),
        TEST(a_pipe_is_not_waited_for),
        TEST(a_bare_name_is_a_credential_of_systemd),
        TEST(a_secret_is_hidden_wherever_it_stands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
