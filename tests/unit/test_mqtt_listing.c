/* What a site has with the broker. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/core/command.h"
#include "gateway/mqtt/listing.h"
#include "gateway/mqtt/options.h"
#include "tests/unit/loop_guard.h"
#include "tests/unit/mqtt_site.h"

static char base[] = "home/cellar", prefix[] = "homeassistant";

struct fixture {
    struct guard guard;
    struct options options;
    struct inventory *site;
    size_t done;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    guard_open(&f->guard);
    f->options = (struct options){
        .base = base, .prefix = prefix, .json = true, .commands = COMMAND_RIGHTS_ALL};
    f->site = site_new(NULL);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    inventory_release(f->site);
    guard_close(&f->guard);
    free(f);
    return 0;
}

static struct listing *make(struct fixture *f)
{
    struct listing *listing = listing_new(&f->options, NULL, f->site);

    listing_make(listing);
    return listing;
}

static void assert_lines(const struct roll *roll, const char *device, const char *lines)
{
    const struct roll_entry *entry = roll_find(roll, device);

    assert_non_null(entry);
    assert_string_equal(entry->lines ? entry->lines : "", lines);
}

static void what_is_retained_is_listed_by_device_also_of_those_that_are_hidden(void **state)
{
    struct listing *listing = make(*state);

    assert_lines(&listing->now.kept, "hidden",
                 "topic hidden/availability\ntopic hidden/state\n"
                 "topic rule/silent@hidden.temp/state\ntopic rule/on_hidden/state\n");
    assert_lines(&listing->now.kept, "gateway",
                 "topic rule/whole_house/state\ntopic rule/silent/state\n");
    assert_int_equal(listing->before.kept.count, 0);
    listing_free(listing);
}

static void bare_values_have_topics_of_their_own(void **state)
{
    struct fixture *f = *state;
    struct listing *listing;

    f->options.json = false;
    f->options.plain = true;
    f->site->n_rules = 0;
    listing = make(f);
    assert_lines(&listing->now.kept, "hidden", "topic hidden/availability\ntopic hidden/temp\n");
    listing_free(listing);
}

static void what_is_announced_is_listed_where_there_is_discovery(void **state)
{
    struct fixture *f = *state;
    struct listing *listing = make(f);

    assert_lines(&listing->now.shown, "hidden", "");
    assert_true(roll_has(roll_find(&listing->now.shown, "meter"), "sensor energy\n"));
    assert_true(roll_index_has(&listing->rules, "binary_sensor rule-overload-state\n"));
    listing_free(listing);
    f->options.prefix = NULL;
    listing = make(f);
    assert_int_equal(listing->now.shown.count, 0);
    assert_int_equal(listing->now.kept.count, N_DEVICES + 1);
    listing_free(listing);
}

static void take(void *owner, struct listing *listing)
{
    struct fixture *f = owner;

    f->done++;
    assert_true(roll_has(roll_find(&listing->now.shown, "meter"), "sensor energy\n"));
    assert_int_equal(listing->before.shown.count, listing->now.shown.count);
    loop_stop(f->guard.loop);
}

static void a_thread_lists_two_sites_and_tells_only_who_still_wants_them(void **state)
{
    struct fixture *f = *state;
    struct listing *unwanted = listing_new(&f->options, NULL, f->site);
    struct listing *wanted = listing_new(&f->options, f->site, f->site);

    assert_int_equal(listing_start(unwanted, f->guard.loop, take, f), 0);
    unwanted->owner = NULL;
    assert_int_equal(listing_start(wanted, f->guard.loop, take, f), 0);
    guard_run(&f->guard);
    assert_int_equal(f->done, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_retained_is_listed_by_device_also_of_those_that_are_hidden),
        TEST(bare_values_have_topics_of_their_own),
        TEST(what_is_announced_is_listed_where_there_is_discovery),
        TEST(a_thread_lists_two_sites_and_tells_only_who_still_wants_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
