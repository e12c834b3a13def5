#include "adapters/attribute.h"

#include "made_files.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

static struct files files;
static char text[ATTRIBUTE_MAX + 1], path[FILES_PATH_MAX];

static int setup(void **state)
{
    (void)state;
    files_init(&files);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    files_remove(&files, "");
    return 0;
}

static void a_file_is_read_to_its_end(void **state)
{
    (void)state;
    files_put(&files, "temp", "45678\nmore\n");
    assert_int_equal(attribute_read(files_path(&files, "temp", path), text), 11);
    assert_string_equal(text, "45678\nmore\n");
}

static void a_file_that_is_there_is_written_in_place_of_what_it_had(void **state)
{
    (void)state;
    files_put(&files, "resolution", "12 bits\n");
    assert_int_equal(attribute_write(files_path(&files, "resolution", path), "9"), 0);
    assert_int_equal(attribute_read(path, text), 1);
    assert_string_equal(text, "9");
    assert_int_equal(attribute_write(files_path(&files, "nothing", path), "9"), -ENOENT);
    files_put_fifo(&files, "pipe");
    assert_int_equal(attribute_write(files_path(&files, "pipe", path), "9"), -EINVAL);
}

static void an_empty_file_is_empty(void **state)
{
    (void)state;
    files_put(&files, "temp", "");
    assert_int_equal(attribute_read(files_path(&files, "temp", path), text), 0);
    assert_string_equal(text, "");
}

static void a_page_is_read_and_a_byte_more_is_too_much(void **state)
{
    static char page[ATTRIBUTE_MAX + 1];

    (void)state;
    memset(page, '7', sizeof(page));
    files_put_bytes(&files, "page", page, ATTRIBUTE_MAX);
    files_put_bytes(&files, "more", page, ATTRIBUTE_MAX + 1);
    assert_int_equal(attribute_read(files_path(&files, "page", path), text), ATTRIBUTE_MAX);
    assert_int_equal(attribute_read(files_path(&files, "more", path), text), -EFBIG);
    assert_int_equal(attribute_read_lines(files_path(&files, "more", path), 1, text), -EFBIG);
}

static void what_is_not_there_says_so(void **state)
{
    (void)state;
    files_put(&files, "temp", "1");
    assert_int_equal(attribute_read(files_path(&files, "none", path), text), -ENOENT);
    snprintf(path, sizeof(path), "%s/temp/below", files.root);
    assert_int_equal(attribute_read(path, text), -ENOTDIR);
    assert_int_equal(attribute_read_lines(path, 1, text), -ENOTDIR);
    snprintf(path, sizeof(path), "%s/dangling", files.root);
    files_put_link(&files, "dangling", "nowhere");
    assert_int_equal(attribute_read(path, text), -ENOENT);
}

/* None of these may hang; the test would. */
static void what_is_no_regular_file_is_refused_at_once(void **state)
{
    (void)state;
    files_put_fifo(&files, "fifo");
    files_put_folder(&files, "folder");
    files_put_link(&files, "endless", "/dev/zero");
    assert_int_equal(attribute_read(files_path(&files, "fifo", path), text), -EINVAL);
    assert_int_equal(attribute_read(files_path(&files, "folder", path), text), -EINVAL);
    assert_int_equal(attribute_read(files_path(&files, "endless", path), text), -EINVAL);
    assert_int_equal(attribute_read_lines(files_path(&files, "folder", path), 1, text), -EISDIR);
}

static void a_socket_is_refused(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)state;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", files.root);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(attribute_read(address.sun_path, text), -EINVAL);
    close(fd);
}

static void a_file_of_the_kernel_is_read(void **state)
{
    (void)state;
    assert_true(attribute_read("/proc/sys/kernel/ostype", text) > 0);
    assert_string_equal(text, "Linux\n");
}

static void lines_end_the_reading_of_an_endless_file(void **state)
{
    (void)state;
    assert_int_equal(attribute_read_lines("/dev/zero", 1, text), -EFBIG);
}

/* -- a file that takes its time ---------------------------------------------------------------- */

struct slow {
    int to_writer[2];
};

/* Keeps the file open behind what it wrote until it is told to close it: who reads on would hang.
 */
static void *write_slowly(void *arg)
{
    struct slow *slow = arg;
    char byte, fifo[FILES_PATH_MAX];
    int fd = open(files_path(&files, "fifo", fifo), O_WRONLY);

    files_must(write(fd, "one\ntw", 6) == 6);
    files_must(write(fd, "o\n", 2) == 2);
    files_must(read(slow->to_writer[0], &byte, 1) == 1);
    close(fd);
    return NULL;
}

static void lines_are_waited_for_and_not_a_byte_behind_them(void **state)
{
    struct slow slow;
    pthread_t writer;

    (void)state;
    files_put_fifo(&files, "fifo");
    assert_int_equal(pipe(slow.to_writer), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_slowly, &slow), 0);
    assert_int_equal(attribute_read_lines(files_path(&files, "fifo", path), 2, text), 8);
    assert_string_equal(text, "one\ntwo\n");
    assert_int_equal(write(slow.to_writer[1], "x", 1), 1);
    pthread_join(writer, NULL);
    close(slow.to_writer[0]);
    close(slow.to_writer[1]);
}

static void fewer_lines_are_what_there_is(void **state)
{
    (void)state;
    files_put(&files, "half", "one\ntw");
    assert_int_equal(attribute_read_lines(files_path(&files, "half", path), 2, text), 6);
    assert_string_equal(text, "one\ntw");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_read_to_its_end, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_is_there_is_written_in_place_of_what_it_had,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_file_is_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(a_page_is_read_and_a_byte_more_is_too_much, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_not_there_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_regular_file_is_refused_at_once, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_socket_is_refused, setup, teardown),
        cmocka_unit_test(a_file_of_the_kernel_is_read),
        cmocka_unit_test(lines_end_the_reading_of_an_endless_file),
        cmocka_unit_test_setup_teardown(lines_are_waited_for_and_not_a_byte_behind_them, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(fewer_lines_are_what_there_is, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
