/* Totals between an app's rules and a real store, over restarts. */
#include "gateway/totals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/inside.h"
#include "tests/unit/site_world.h"
#include "tests/unit/store_door.h"

static const char config[] =
    "buses: { sim: { adapter = \"sim\" } }\n"
    "devices: { meter: { bus = \"sim\"; every = \"10s\"; channels: { power: { } } } }\n"
    "rules: { much: { when = \"total(meter.power) > 1000000\"; on_fire = ( { log = \"much\" } ) } "
    "}\n";

struct run {
    struct world *world;
    struct app app;
    struct site_world site;
};

static void begin(struct run *run)
{
    open_store(run->world);
    site_world_good(&run->site, config);
    run->app =
        (struct app){.loop = run->world->loop, .store = run->world->store, .site = run->site.site};
    run->app.totals = totals_begin(&run->app);
    assert_non_null(run->app.totals);
}

static void end(struct run *run)
{
    assert_int_equal(store_close(run->world->store, 5000), 0);
    run->world->store = NULL;
    totals_end(run->app.totals);
    site_world_close(&run->site);
}

/* 100 W for `seconds`, until now. */
static void feed(struct run *run, int64_t seconds)
{
    int64_t now_ms = clock_boot_ms();

    for (int64_t s = -seconds; s <= 0; s += 10) {
        struct reading reading = {.at_ms = now_ms + s * 1000, .kind = VALUE_NUMBER, .number = 100};

        rules_on_poll(run->app.site->rules, &reading, 1, reading.at_ms);
    }
}

static double total(const struct run *run)
{
    double number = 0;
    int64_t until_ms;

    return rules_total(run->app.site->rules, 0, &number, &until_ms) ? number : -1;
}

static int setup(void **state)
{
    struct run *run = calloc(1, sizeof(*run));
    void *world;

    start(&world);
    run->world = world;
    *state = run;
    return 0;
}

static int teardown(void **state)
{
    struct run *run = *state;
    void *world = run->world;

    free(run);
    return stop(&world);
}

static void a_total_goes_on_where_it_was(void **state)
{
    struct run *run = *state;

    begin(run);
    feed(run, 60);
    assert_true(total(run) == 6000);
    totals_save(run->app.totals);
    end(run);
    begin(run);
    assert_true(total(run) == -1); /* nothing came yet */
    feed(run, 0);
    assert_true(total(run) == 6000);
    end(run);
}

static void what_was_never_read_is_not_saved(void **state)
{
    struct run *run = *state;

    begin(run);
    totals_save(run->app.totals);
    end(run);
    reopen(run->world);
    read_states(run->world, "total");
    assert_int_equal(run->world->count, 0);
}

static void what_cannot_be_read_begins_anew(void **state)
{
    static const char *const bad[] = {"", "6000", "x 1", "6000 x"};
    struct run *run = *state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct store_state text = {
            .kind = "total", .key = "meter.power", .value = bad[i], .size = strlen(bad[i])};
        struct store_record record = {.states = &text, .n_states = 1};

        begin(run);
        assert_int_equal(store_commit(run->world->store, &record, NULL), 0);
        end(run);
        begin(run);
        feed(run, 0);
        assert_true(total(run) == 0);
        end(run);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_total_goes_on_where_it_was),
        TEST(what_was_never_read_is_not_saved),
        TEST(what_cannot_be_read_begins_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
