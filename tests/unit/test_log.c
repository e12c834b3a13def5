#include "gateway/base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct heard {
    int lines, level;
    char line[2000];
};

static void hear(void *owner, enum log_level level, const char *line)
{
    struct heard *heard = owner;
    heard->lines++;
    heard->level = (int)level;
    snprintf(heard->line, sizeof(heard->line), "%s", line);
}

static int back_to_standard(void **state)
{
    (void)state;
    log_set_sink(NULL, NULL);
    log_set_level(LOG_LEVEL_INFO);
    return 0;
}

static void a_line_reaches_the_sink_with_its_level(void **state)
{
    struct heard heard = {0};
    (void)state;
    log_set_sink(hear, &heard);
    log_warn("device %s is down: %d", "boiler", 7);
    assert_int_equal(heard.lines, 1);
    assert_int_equal(heard.level, LOG_LEVEL_WARN);
    assert_string_equal(heard.line, "device boiler is down: 7");
}

static void it_starts_at_info(void **state)
{
    struct heard heard = {0};
    (void)state;
    log_set_sink(hear, &heard);
    log_debug("free to know");
    assert_int_equal(heard.lines, 0);
    log_info("life cycle");
    assert_int_equal(heard.lines, 1);
}

static void lines_above_the_level_are_left_out(void **state)
{
    struct heard heard = {0};
    (void)state;
    log_set_sink(hear, &heard);
    log_set_level(LOG_LEVEL_ERROR);
    log_warn("not this");
    assert_int_equal(heard.lines, 0);
    log_error("this");
    assert_int_equal(heard.lines, 1);
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug("and this");
    assert_int_equal(heard.lines, 2);
}

/* What standard error gets while `write_lines` runs. */
static void capture(void (*write_lines)(void), char *to, size_t size)
{
    int pipe_fds[2], saved = dup(STDERR_FILENO);
    ssize_t got;
    assert_int_equal(pipe(pipe_fds), 0);
    dup2(pipe_fds[1], STDERR_FILENO);
    write_lines();
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(pipe_fds[1]);
    got = read(pipe_fds[0], to, size - 1);
    close(pipe_fds[0]);
    to[got > 0 ? got : 0] = '\0';
}

static void write_one_of_each(void)
{
    log_set_level(LOG_LEVEL_DEBUG);
    log_error("one");
    log_warn("two");
    log_info("three");
    log_debug("four");
}

static void a_terminal_gets_the_names_of_levels(void **state)
{
    char text[200];
    (void)state;
    unsetenv("JOURNAL_STREAM");
    capture(write_one_of_each, text, sizeof(text));
    assert_string_equal(text, "error: one\nwarning: two\nthree\ndebug: four\n");
}

static void the_journal_gets_its_own_prefixes(void **state)
{
    char text[200];
    (void)state;
    setenv("JOURNAL_STREAM", "8:1", 1);
    capture(write_one_of_each, text, sizeof(text));
    unsetenv("JOURNAL_STREAM");
    assert_string_equal(text, "<3>one\n<4>two\n<6>three\n<7>four\n");
}

static void write_long_line(void)
{
    char words[5000];
    memset(words, 'w', sizeof(words) - 1);
    words[sizeof(words) - 1] = '\0';
    log_error("%s", words);
}

static void an_endless_line_is_cut_and_still_ends(void **state)
{
    char text[6000];
    size_t length;
    (void)state;
    unsetenv("JOURNAL_STREAM");
    capture(write_long_line, text, sizeof(text));
    length = strlen(text);
    assert_in_range(length, 500, 4999);
    assert_int_equal(text[length - 1], '\n');
    assert_ptr_equal(strchr(text, '\n'), text + length - 1);
}

#define THREADS          4
#define LINES_PER_THREAD 200

static void count(void *owner, enum log_level level, const char *line)
{
    int *lines = owner;
    (void)level;
    if (strcmp(line, "a whole line") == 0)
        ++*lines;
}

static void *write_many(void *arg)
{
    for (int i = 0; i < LINES_PER_THREAD; i++)
        log_info("a whole %s", "line");
    return arg;
}

static void lines_of_several_threads_never_mix(void **state)
{
    pthread_t threads[THREADS];
    int lines = 0;
    (void)state;
    log_set_sink(count, &lines);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(lines, THREADS * LINES_PER_THREAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_line_reaches_the_sink_with_its_level, back_to_standard),
        cmocka_unit_test_teardown(it_starts_at_info, back_to_standard),
        cmocka_unit_test_teardown(lines_above_the_level_are_left_out, back_to_standard),
        cmocka_unit_test_teardown(a_terminal_gets_the_names_of_levels, back_to_standard),
        cmocka_unit_test_teardown(the_journal_gets_its_own_prefixes, back_to_standard),
        cmocka_unit_test_teardown(an_endless_line_is_cut_and_still_ends, back_to_standard),
        cmocka_unit_test_teardown(lines_of_several_threads_never_mix, back_to_standard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
