/* The config of the web, its addresses, times as people write them, growing texts. */

#include "config/config.h"
#include "gateway/base/when.h"
#include "gateway/web/listen.h"
#include "gateway/web/page.h"
#include "gateway/web/web.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static struct conf *read_config(const char *text, struct problems *problems)
{
    static const struct setting root[] = {
        {.key = "web", .forms = SETTING_GROUP, .standard = "{}", .inside = web_settings}, {0}};
    struct conf *conf = NULL;
    conf_read_text("t.cfg", text, strlen(text), root, problems, &conf);
    assert_non_null(conf);
    return conf;
}

/* What web_check() says of `web: { TEXT }`: the first line, "" when it is good. */
static void check_says(const char *text, const char *wanted)
{
    struct problems *problems = problems_new();
    struct conf *conf;
    char config[300];
    const char *line;
    snprintf(config, sizeof(config), "web: { %s }", text);
    conf = read_config(config, problems);
    web_check(section_child(conf_root(conf), "web"), problems);
    line = problems_line(problems, 0);
    if (!wanted[0] ? line != NULL : !line || !strstr(line, wanted))
        fail_msg("%s: %s", text, line ? line : "good");
    conf_free(conf);
    problems_free(problems);
}

static void only_addresses_of_this_machine_are_good(void **state)
{
    (void)state;
    check_says("", "");
    check_says("listen = \"127.0.0.1:8377\"", "");
    check_says("listen = \"localhost:1\"", "");
    check_says("listen = \"[::1]:65535\"", "");
    check_says("listen = \"0.0.0.0:8377\"", "outside");
    check_says("listen = \"192.168.1.5:8377\"", "outside");
    check_says("listen = \"[::]:8377\"", "outside");
    check_says("listen = \"127.0.0.1\"", "no address");
    check_says("listen = \"127.0.0.1:0\"", "no address");
    check_says("listen = \"127.0.0.1:65536\"", "no address");
    check_says("listen = \"::1:8377\"", "no address");
    check_says("listen = \"house:8377\"", "no address");
    check_says("socket = \"relative\"", "socket");
    check_says("socket = \"/run/x.sock\"", "");
}

static void the_socket_is_where_systemd_says_else_where_it_always_is(void **state)
{
    struct problems *problems = problems_new();
    struct conf *conf = read_config("", problems);
    struct section *none = section_child(conf_root(conf), "web");
    struct web_options options;
    (void)state;
    unsetenv("RUNTIME_DIRECTORY");
    options = web_options(none);
    assert_string_equal(options.socket, WEB_SOCKET);
    assert_string_equal(options.listen, "");
    setenv("RUNTIME_DIRECTORY", "/run/a:/run/b", 1);
    options = web_options(none);
    assert_string_equal(options.socket, "/run/a/thermogate.sock");
    assert_string_equal(options.link, "");
    unsetenv("RUNTIME_DIRECTORY");
    conf_free(conf);
    problems_free(problems);
}

static void another_socket_is_linked_to_where_systemd_would_have_it(void **state)
{
    struct problems *problems = problems_new();
    struct conf *conf = read_config("web: { socket = \"/run/b/other.sock\" }", problems);
    struct web_options options;
    (void)state;
    unsetenv("RUNTIME_DIRECTORY");
    options = web_options(section_child(conf_root(conf), "web"));
    assert_string_equal(options.socket, "/run/b/other.sock");
    assert_string_equal(options.link, "");
    setenv("RUNTIME_DIRECTORY", "/run/a", 1);
    options = web_options(section_child(conf_root(conf), "web"));
    assert_string_equal(options.socket, "/run/b/other.sock");
    assert_string_equal(options.link, "/run/a/thermogate.sock");
    unsetenv("RUNTIME_DIRECTORY");
    conf_free(conf);
    problems_free(problems);
}

/* Clients come to the socket over the link; one that is left, as by kill -9, gives way to a socket
 * as it does to a new link. */
static void a_link_leads_to_the_socket(void **state)
{
    char folder[] = "/tmp/thermogate-listen-XXXXXX", link[60], path[60];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd, client = socket(AF_UNIX, SOCK_STREAM, 0);
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(link, sizeof(link), "%s/link", folder);
    snprintf(path, sizeof(path), "%s/path", folder);
    memcpy(address.sun_path, link, sizeof(link));
    for (int i = 0; i < 2; i++)
        assert_int_equal(listen_link(link, path, NULL), 0);
    fd = listen_unix(path, NULL);
    assert_true(fd >= 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen_unix(link, NULL), -EADDRINUSE);
    close(client);
    close(fd);
    fd = listen_unix(link, NULL);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(listen_link("/nowhere/link", path, NULL), -ENOENT);
    unlink(link);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

static void expect_when(const char *text, int64_t wanted)
{
    int64_t ms = -1;
    int r = when_parse(text, 10000000, &ms);
    if (wanted < 0 ? r != -EINVAL || ms != -1 : r != 0 || ms != wanted)
        fail_msg("%s: %d, %lld", text, r, (long long)ms);
}

static void times_are_numbers_spans_and_dates(void **state)
{
    (void)state;
    setenv("TZ", "UTC-1", 1);
    tzset();
    expect_when("1767323045123", 1767323045123);
    expect_when("0", 0);
    expect_when("1h", 6400000);
    expect_when("10000h", 0);
    expect_when("2026-01-02T03:04:05Z", 1767323045000);
    expect_when("2026-01-02T03:04Z", 1767323040000);
    expect_when("2026-01-02T04:04:05", 1767323045000);
    expect_when("2026-01-02", 1767308400000);
    expect_when("-1", -1);
    expect_when("", -1);
    expect_when("soon", -1);
    expect_when("2026-13-02", -1);
    expect_when("2026-01-02 03:04", -1);
    expect_when("2026-01-02T03:04:05Zx", -1);
    expect_when("2026-1-2T3:4:5Z", -1);
    expect_when("99999999999999999", -1);
}

static void a_page_grows_and_never_has_half_a_line(void **state)
{
    struct page page = {0};
    char text[600];
    (void)state;
    for (int i = 0; i < 10000; i++)
        page_format(&page, "line %04d\n", i);
    assert_int_equal(page.length, 100000);
    assert_memory_equal(page.text + 99990, "line 9999\n", 10);
    assert_false(page.failed);
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    page_format(&page, "%s", text);
    assert_true(page.failed);
    page_free(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_addresses_of_this_machine_are_good),
        cmocka_unit_test(the_socket_is_where_systemd_says_else_where_it_always_is),
        cmocka_unit_test(another_socket_is_linked_to_where_systemd_would_have_it),
        cmocka_unit_test(a_link_leads_to_the_socket),
        cmocka_unit_test(times_are_numbers_spans_and_dates),
        cmocka_unit_test(a_page_grows_and_never_has_half_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
