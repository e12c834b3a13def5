#include "adapters/onewire/tree.h"

#include "adapter_config.h"
#include "made_onewire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define M1 "w1_bus_master1"
#define M2 "w1_bus_master2"
#define A  "28-0000000000aa"
#define B  "28-0000000000bb"

static struct files files;
static struct made_host host;
static struct onewire_tree *tree;
static struct onewire_place place;

static int setup(void **state)
{
    (void)state;
    files_init(&files);
    host_init(&host);
    tree = NULL;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    onewire_tree_free(tree);
    files_remove(&files, "");
    return 0;
}

static void look(const char *path)
{
    char root[FILES_PATH_MAX];

    snprintf(root, sizeof(root), "%s%s", files.root, path);
    tree = onewire_tree_new(root);
    assert_non_null(tree);
}

static void assert_folder(const char *path)
{
    assert_string_equal(place.folder + strlen(files.root) + 1, path);
}

static void a_sensor_is_found_in_the_folder_of_its_master(void **state)
{
    int32_t one;

    (void)state;
    made_sensor(&files, M1, A, 1000);
    made_sensor(&files, M2, B, 2000);
    look("");
    assert_int_equal(onewire_tree_masters(tree), 2);
    assert_int_equal(onewire_tree_find(tree, A, ONEWIRE_NO_MASTER, &place), QUALITY_GOOD);
    assert_folder(M1 "/" A);
    one = place.master;
    assert_int_equal(onewire_tree_find(tree, B, ONEWIRE_NO_MASTER, &place), QUALITY_GOOD);
    assert_folder(M2 "/" B);
    assert_int_not_equal(place.master, one);
}

static void a_sensor_is_found_in_the_list_of_its_master(void **state)
{
    (void)state;
    files_put(&files, M1 "/w1_master_slaves", "not found.\n");
    files_put(&files, M2 "/w1_master_slaves", B "\n" A "\n");
    files_put_folder(&files, A);
    look("");
    assert_int_equal(onewire_tree_find(tree, A, ONEWIRE_NO_MASTER, &place), QUALITY_GOOD);
    assert_folder(A);
    assert_int_not_equal(place.master, ONEWIRE_NO_MASTER);
}

static void a_listed_sensor_without_a_folder_is_still_on_its_master(void **state)
{
    (void)state;
    files_put(&files, M1 "/w1_master_slaves", A "\n");
    look("");
    assert_int_equal(onewire_tree_find(tree, A, ONEWIRE_NO_MASTER, &place), QUALITY_GOOD);
    assert_int_equal(place.master, 0);
    assert_folder(A);
}

static void part_of_a_listed_address_is_not_found(void **state)
{
    (void)state;
    files_put(&files, M1 "/w1_master_slaves", "x" A "\n" A "0\n");
    look("");
    assert_int_equal(onewire_tree_find(tree, A, ONEWIRE_NO_MASTER, &place), QUALITY_NO_SENSOR);
}

static void a_list_that_would_hang_is_passed_over(void **state)
{
    (void)state;
    files_put_fifo(&files, M1 "/w1_master_slaves");
    look("");
    assert_int_equal(onewire_tree_find(tree, A, ONEWIRE_NO_MASTER, &place), QUALITY_NO_SENSOR);
}

static void a_tree_without_masters_has_sensors(void **state)
{
    (void)state;
    files_put_folder(&files, A);
    look("");
    assert_int_equal(onewire_tree_masters(tree), 0);
    assert_int_equal(onewire_tree_find(tree, A, ONEWIRE_NO_MASTER, &place), QUALITY_GOOD);
    assert_int_equal(place.master, ONEWIRE_NO_MASTER);
    assert_int_equal(onewire_tree_find(tree, B, ONEWIRE_NO_MASTER, &place), QUALITY_NO_SENSOR);
    onewire_tree_tell(tree, &host.host);
    assert_int_equal(host.n_links, 0);
}

static void a_sensor_is_followed_to_another_master(void **state)
{
    int32_t before;

    (void)state;
    made_sensor(&files, M1, A, 1000);
    files_put_folder(&files, M2);
    look("");
    onewire_tree_find(tree, A, ONEWIRE_NO_MASTER, &place);
    before = place.master;
    made_remove_sensor(&files, M1, A);
    assert_int_equal(onewire_tree_find(tree, A, before, &place), QUALITY_NO_SENSOR);
    made_sensor(&files, M2, A, 1000);
    assert_int_equal(onewire_tree_find(tree, A, before, &place), QUALITY_GOOD);
    assert_int_not_equal(place.master, before);
    assert_folder(M2 "/" A);
}

static void a_master_that_comes_later_is_found_and_told(void **state)
{
    (void)state;
    made_sensor(&files, M1, A, 1000);
    look("");
    onewire_tree_tell(tree, &host.host);
    made_sensor(&files, M2, B, 1000);
    assert_int_equal(onewire_tree_find(tree, B, ONEWIRE_NO_MASTER, &place), QUALITY_GOOD);
    assert_int_equal(place.master, 1);
    onewire_tree_tell(tree, &host.host);
    assert_int_equal(host.n_links, 2);
    assert_string_equal(host.links[0], M1 " up");
    assert_string_equal(host.links[1], M2 " up");
}

static void a_master_that_vanishes_is_down_and_keeps_its_number(void **state)
{
    (void)state;
    made_sensor(&files, M1, A, 1000);
    files_put_folder(&files, M2);
    look("");
    onewire_tree_find(tree, A, ONEWIRE_NO_MASTER, &place);
    onewire_tree_tell(tree, &host.host);
    int32_t before = place.master;

    files_remove(&files, M1);
    assert_int_equal(onewire_tree_find(tree, A, before, &place), QUALITY_DISCONNECTED);
    onewire_tree_tell(tree, &host.host);
    assert_int_equal(host.n_links, 3);
    assert_non_null(strstr(host.links[2], M1 " down: it is gone"));

    files_remove(&files, A);
    made_sensor(&files, M1, A, 1000);
    assert_int_equal(onewire_tree_find(tree, A, before, &place), QUALITY_GOOD);
    assert_int_equal(place.master, before);
    onewire_tree_tell(tree, &host.host);
    assert_string_equal(host.links[3], M1 " up");
}

static void the_last_master_to_vanish_is_told_once(void **state)
{
    (void)state;
    files_put_folder(&files, M1);
    look("");
    onewire_tree_tell(tree, &host.host);
    files_remove(&files, M1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(onewire_tree_find(tree, A, ONEWIRE_NO_MASTER, &place),
                         QUALITY_DISCONNECTED);
        onewire_tree_tell(tree, &host.host);
    }
    assert_int_equal(host.n_links, 2);
}

static void a_missing_tree_says_what_to_do_and_is_up_again_when_it_comes(void **state)
{
    (void)state;
    look("/none");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(onewire_tree_find(tree, A, ONEWIRE_NO_MASTER, &place),
                         QUALITY_DISCONNECTED);
        onewire_tree_tell(tree, &host.host);
    }
    assert_int_equal(host.n_links, 1);
    assert_non_null(strstr(host.links[0], "/none down: there is no such folder"));
    assert_non_null(strstr(host.links[0], "add dtoverlay=w1-gpio to config.txt"));

    files_put_folder(&files, "none");
    files_put_folder(&files, "none/" A);
    assert_int_equal(onewire_tree_find(tree, A, ONEWIRE_NO_MASTER, &place), QUALITY_GOOD);
    onewire_tree_tell(tree, &host.host);
    assert_int_equal(host.n_links, 2);
    assert_non_null(strstr(host.links[1], "/none up"));
}

static void an_empty_tree_says_that_there_is_no_master(void **state)
{
    (void)state;
    files_put_folder(&files, "w1_bus_master");
    files_put_folder(&files, "w1_bus_master1x");
    files_put_folder(&files, "w1_bus_master1234567890123456789012345678901234567890");
    look("");
    assert_int_equal(onewire_tree_masters(tree), 0);
    assert_int_equal(onewire_tree_find(tree, A, ONEWIRE_NO_MASTER, &place), QUALITY_DISCONNECTED);
    onewire_tree_tell(tree, &host.host);
    assert_int_equal(host.n_links, 1);
    assert_non_null(strstr(host.links[0], "down: there is no master"));
}

static void a_file_in_place_of_the_tree_is_down(void **state)
{
    (void)state;
    files_put(&files, "file", "x");
    look("/file");
    assert_int_equal(onewire_tree_find(tree, A, ONEWIRE_NO_MASTER, &place), QUALITY_DISCONNECTED);
    onewire_tree_tell(tree, &host.host);
    assert_non_null(strstr(host.links[0], "/file down: Not a directory"));
}

static void more_masters_than_there_is_room_for_still_have_their_sensors_read(void **state)
{
    char master[32], address[20];

    (void)state;
    for (int i = 1; i <= 40; i++) {
        snprintf(master, sizeof(master), "w1_bus_master%d", i);
        snprintf(address, sizeof(address), "28-%012x", (unsigned)i);
        made_sensor(&files, master, address, 1000);
    }
    look("");
    assert_int_equal(onewire_tree_masters(tree), 16);
    for (int i = 1; i <= 40; i++) {
        snprintf(address, sizeof(address), "28-%012x", (unsigned)i);
        assert_int_equal(onewire_tree_find(tree, address, ONEWIRE_NO_MASTER, &place), QUALITY_GOOD);
        assert_true(place.master < 16);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_sensor_is_found_in_the_folder_of_its_master),
        TEST(a_sensor_is_found_in_the_list_of_its_master),
        TEST(a_listed_sensor_without_a_folder_is_still_on_its_master),
        TEST(part_of_a_listed_address_is_not_found),
        TEST(a_list_that_would_hang_is_passed_over),
        TEST(a_tree_without_masters_has_sensors),
        TEST(a_sensor_is_followed_to_another_master),
        TEST(a_master_that_comes_later_is_found_and_told),
        TEST(a_master_that_vanishes_is_down_and_keeps_its_number),
        TEST(the_last_master_to_vanish_is_told_once),
        TEST(a_missing_tree_says_what_to_do_and_is_up_again_when_it_comes),
        TEST(an_empty_tree_says_that_there_is_no_master),
        TEST(a_file_in_place_of_the_tree_is_down),
        TEST(more_masters_than_there_is_room_for_still_have_their_sensors_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
