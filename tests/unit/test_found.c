#include "gateway/core/found.h"

#include "config/config.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BUS "buses: { w1: { adapter = \"onewire\"; discover = true } } "

static const struct setting settings[] = {
    {"buses", SETTING_NAMED | SETTING_OPEN, NULL, 0, 0, NULL, NULL, NULL},
    {"devices", SETTING_NAMED | SETTING_OPEN, NULL, 0, 0, NULL, NULL, NULL},
    {0},
};

static const struct adapter_found freezer = {
    .name = "w1_28_0316a2794aff", .key = "address", .value = "28-0316a2794aff", .what = "DS18B20"};
static struct found *found;
static struct problems *problems;
static struct conf *conf;

static int setup(void **state)
{
    (void)state;
    found = found_new();
    problems = problems_new();
    conf = NULL;
    return found_add(found, "w1", &freezer) == 1 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    conf_free(conf);
    problems_free(problems);
    found_free(found);
    return 0;
}

static struct section *read_config(const char *text)
{
    assert_int_equal(conf_read_text("t.cfg", text, strlen(text), settings, problems, &conf), 0);
    return conf_root(conf);
}

static size_t n_devices(const struct section *root)
{
    const struct section *devices = section_child(root, "devices");
    size_t n = 0;

    while (devices && section_key(devices, n))
        n++;
    return n;
}

static void a_device_that_was_found_is_as_if_it_were_written(void **state)
{
    struct section *root = read_config(BUS), *device;

    (void)state;
    assert_int_equal(found_merge(found, root), 0);
    assert_int_equal(n_devices(root), 1);
    device = section_child(section_child(root, "devices"), freezer.name);
    assert_string_equal(section_text(device, "bus"), "w1");
    assert_string_equal(section_text(device, "address"), "28-0316a2794aff");
    assert_int_equal(found_merge(found, root), 0);
    assert_int_equal(n_devices(root), 1);
}

static void what_a_person_wrote_of_it_wins(void **state)
{
    struct section *root =
        read_config(BUS "devices: { freezer: { bus = \"w1\"; address = \"28.0316A2794AFF\" } }");

    (void)state;
    assert_int_equal(found_merge(found, root), 0);
    assert_int_equal(n_devices(root), 1);
}

static void the_same_address_on_another_bus_is_another_device(void **state)
{
    struct section *root =
        read_config(BUS "devices: { freezer: { bus = \"w2\"; address = \"28-0316a2794aff\" } }");

    (void)state;
    assert_int_equal(found_merge(found, root), 0);
    assert_int_equal(n_devices(root), 2);
}

static void a_bus_that_discovers_no_longer_has_none_of_them(void **state)
{
    struct section *root = read_config("buses: { w1: { adapter = \"onewire\" } }");

    (void)state;
    assert_int_equal(found_merge(found, root), 0);
    assert_int_equal(n_devices(root), 0);
}

static void each_is_new_once(void **state)
{
    struct found *copy;

    (void)state;
    assert_int_equal(found_add(found, "w1", &freezer), 0);
    assert_int_equal(found_add(found, "w2", &freezer), 1);
    copy = found_copy(found);
    assert_int_equal(found_add(copy, "w2", &freezer), 0);
    found_free(copy);
}

static void there_are_not_more_than_a_line_could_have(void **state)
{
    struct adapter_found device = freezer;
    char name[32];

    (void)state;
    device.name = name;
    for (int i = 1; i < FOUND_MAX; i++) {
        snprintf(name, sizeof(name), "w1_%d", i);
        assert_int_equal(found_add(found, "w1", &device), 1);
    }
    device.name = "w1_more";
    assert_int_equal(found_add(found, "w1", &device), -ENOSPC);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_device_that_was_found_is_as_if_it_were_written),
        TEST(what_a_person_wrote_of_it_wins),
        TEST(the_same_address_on_another_bus_is_another_device),
        TEST(a_bus_that_discovers_no_longer_has_none_of_them),
        TEST(each_is_new_once),
        TEST(there_are_not_more_than_a_line_could_have),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
