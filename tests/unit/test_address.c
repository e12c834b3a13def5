#include "adapters/adapter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void expect(const char *connect, const char *host, uint16_t port)
{
    struct address address;
    assert_int_equal(address_parse(connect, 502, &address), 0);
    assert_string_equal(address.host, host);
    assert_int_equal(address.port, port);
}

static void expect_refused(const char *connect)
{
    struct address address = {.host = "untouched", .port = 7};
    assert_int_equal(address_parse(connect, 502, &address), -EINVAL);
    assert_string_equal(address.host, "untouched");
    assert_int_equal(address.port, 7);
}

static void a_host_and_its_port_are_split(void **state)
{
    (void)state;
    expect("tcp://192.168.1.50:8899", "192.168.1.50", 8899);
    expect("rtu+tcp://meter.local:4196", "meter.local", 4196);
    expect("tcp:plant-7:1", "plant-7", 1);
    expect("tcp://host:65535", "host", 65535);
}

static void without_a_port_the_default_counts(void **state)
{
    (void)state;
    expect("tcp://192.168.1.50", "192.168.1.50", 502);
    expect("tcp://host/", "host", 502);
}

static void a_path_behind_the_host_is_left_alone(void **state)
{
    (void)state;
    expect("owserver://host:4304/bus.0", "host", 4304);
    expect("owserver://host/bus:0", "host", 502);
}

static void brackets_of_an_ipv6_address_are_taken_off(void **state)
{
    (void)state;
    expect("tcp://[::1]:1502", "::1", 1502);
    expect("tcp://[fe80::1]", "fe80::1", 502);
}

static void a_missing_host_is_refused(void **state)
{
    (void)state;
    expect_refused("tcp://");
    expect_refused("tcp:");
    expect_refused("tcp");
    expect_refused("");
    expect_refused("tcp://:502");
    expect_refused("tcp:///path");
    expect_refused("tcp://[]:502");
}

static void a_broken_port_is_refused(void **state)
{
    (void)state;
    expect_refused("tcp://host:");
    expect_refused("tcp://host:0");
    expect_refused("tcp://host:65536");
    expect_refused("tcp://host:99999999999999999999");
    expect_refused("tcp://host:http");
    expect_refused("tcp://host:502x");
    expect_refused("tcp://host:-1");
    expect_refused("tcp://host:502:503");
}

static void an_ipv6_address_without_brackets_is_refused(void **state)
{
    (void)state;
    expect_refused("tcp://::1");
    expect_refused("tcp://fe80::1");
    expect_refused("tcp://[::1");
    expect_refused("tcp://[::1]x");
}

static void a_host_without_end_is_refused(void **state)
{
    char connect[600] = "tcp://";
    (void)state;
    memset(connect + 6, 'h', 500);
    expect_refused(connect);
    connect[6 + 255] = '\0';
    expect(connect, connect + 6, 502);
}

static void the_path_is_what_follows_the_scheme(void **state)
{
    (void)state;
    assert_string_equal(connect_path("serial:/dev/ttyUSB0"), "/dev/ttyUSB0");
    assert_string_equal(connect_path("serial:///dev/ttyUSB0"), "/dev/ttyUSB0");
    assert_string_equal(connect_path("sysfs:/sys/bus/w1/devices"), "/sys/bus/w1/devices");
    assert_string_equal(connect_path("sim:"), "");
    assert_string_equal(connect_path("sim:a:b"), "a:b");
    assert_string_equal(connect_path("nothing"), "");
}

static void a_line_has_several_names(void **state)
{
    (void)state;
    assert_true(connect_is_same("serial:/dev/null", "serial:/dev/null", 0));
    assert_true(connect_is_same("serial:/dev/null", "serial:/dev/../dev/null", 0));
    assert_false(connect_is_same("serial:/dev/null", "serial:/dev/zero", 0));
    assert_false(connect_is_same("serial:/dev/null", "serial:/dev/that-is-not-there", 0));
    assert_true(connect_is_same("tcp://a:502", "tcp://a:502", 502));
    assert_true(connect_is_same("tcp://a", "tcp://A:502", 502));
    assert_true(connect_is_same("tcp://[::1]", "tcp://[::1]:502", 502));
    assert_false(connect_is_same("tcp://a", "tcp://a:503", 502));
    assert_false(connect_is_same("tcp://a", "rtu+tcp://a", 502));
    assert_false(connect_is_same("tcp://a", "tcp://b", 502));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_and_its_port_are_split),
        cmocka_unit_test(without_a_port_the_default_counts),
        cmocka_unit_test(a_path_behind_the_host_is_left_alone),
        cmocka_unit_test(brackets_of_an_ipv6_address_are_taken_off),
        cmocka_unit_test(a_missing_host_is_refused),
        cmocka_unit_test(a_broken_port_is_refused),
        cmocka_unit_test(an_ipv6_address_without_brackets_is_refused),
        cmocka_unit_test(a_host_without_end_is_refused),
        cmocka_unit_test(the_path_is_what_follows_the_scheme),
        cmocka_unit_test(a_line_has_several_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
