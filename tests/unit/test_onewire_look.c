#include "adapters/onewire/look.h"

#include "adapter_config.h"
#include "adapters/onewire/tree.h"
#include "loop_guard.h"
#include "made_onewire.h"

#define M1 "w1_bus_master1"
#define A  "28-0000000000aa"
#define B  "28-0000000000bb"

static struct files files;
static struct made_host host;
static struct guard guard;
static struct onewire_tree *tree;
static struct onewire_look *look;

static bool is_ours(void *owner, const char *address)
{
    (void)owner;
    return strcmp(address, B) == 0;
}

static void stop_loop(void)
{
    loop_stop(guard.loop);
}

static int setup(void **state)
{
    (void)state;
    files_init(&files);
    host_init(&host);
    guard_open(&guard);
    host.host.loop = guard.loop;
    host.on_found = stop_loop;
    tree = onewire_tree_new(files.root);
    look = onewire_look_start(&host.host, tree, is_ours, NULL);
    return look ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    onewire_look_stop(look);
    onewire_tree_free(tree);
    guard_close(&guard);
    files_remove(&files, "");
    return 0;
}

static void a_thermometer_that_is_not_ours_appears(void **state)
{
    (void)state;
    made_sensor(&files, M1, A, 21000);
    made_sensor(&files, M1, B, 22000);
    files_put_folder(&files, "1d-0000000000dd");
    guard_run(&guard);
    assert_string_equal(host.found, "w1_28_0000000000aa address=" A " ");
}

static void stop_soon(void *owner)
{
    (void)owner;
    stop_loop();
}

static void one_that_was_there_only_once_does_not(void **state)
{
    struct timer *timer = timer_new(guard.loop, stop_soon, NULL);

    (void)state;
    made_sensor(&files, M1, A, 21000);
    timer_at(timer, clock_boot_ms() + 500); /* the first look is over long before */
    guard_run(&guard);
    made_remove_sensor(&files, M1, A);
    timer_at(timer, clock_boot_ms() + 2500);
    guard_run(&guard);
    timer_free(timer);
    assert_string_equal(host.found, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_thermometer_that_is_not_ours_appears),
        TEST(one_that_was_there_only_once_does_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
