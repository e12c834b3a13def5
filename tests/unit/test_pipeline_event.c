/* What the pipeline does with sensors of events. */
#include "tests/unit/pipeline_world.h"

static const char bell[] = "buses: { sim: { adapter = \"sim\" } }\n"
                           "devices: { door: { bus = \"sim\"; stale = \"40ms\"; channels: {\n"
                           "  bell: { type = \"event\"; events = [ \"ring\" ] } light: { } } } }\n"
                           "rules: { ringing: { when = \"count(door.bell, #2) == 2\" } }\n";

/* The text of an event, or why there is none. */
static void accept_bell(struct world *world, const char *text, uint8_t quality)
{
    int64_t now_ms = clock_boot_ms();
    struct sample samples[] = {text ? sample_text(0, now_ms, text) : sample_bad(0, now_ms, quality),
                               sample_number(1, now_ms, 5)};
    pipeline_accept(world->pipeline, 0, samples, 2);
}

static void each_event_is_told_also_when_it_is_the_same(void **state)
{
    struct world *world = *state;
    use_config(world, bell);
    accept_bell(world, "ring", QUALITY_GOOD);
    accept_bell(world, "ring", QUALITY_GOOD);
    expect(world, "inventory:2 state:0:ok readings:0:2:good readings:0:2:good "
                  "state:0:firing event:0:fired ");
    assert_int_equal(world->last[0].sensor, 0);
    assert_int_equal(world->last[0].kind, VALUE_TEXT);
}

static void that_nothing_has_happened_is_told_once(void **state)
{
    struct world *world = *state;
    use_config(world, bell);
    accept_bell(world, NULL, QUALITY_QUIET);
    assert_int_equal(world->n_last, 2);
    accept_bell(world, NULL, QUALITY_QUIET);
    assert_int_equal(world->n_last, 1);
    assert_int_equal(world->last[0].sensor, 1);
    accept_bell(world, "ring", QUALITY_GOOD);
    accept_bell(world, NULL, QUALITY_QUIET);
    assert_int_equal(world->n_last, 1);
}

static void so_is_that_it_cannot_be_looked_at(void **state)
{
    struct world *world = *state;
    use_config(world, bell);
    accept_bell(world, "ring", QUALITY_GOOD);
    accept_bell(world, NULL, QUALITY_TIMEOUT);
    assert_int_equal(world->n_last, 2);
    accept_bell(world, NULL, QUALITY_TIMEOUT);
    assert_int_equal(world->n_last, 1);
    accept_bell(world, NULL, QUALITY_QUIET);
    assert_int_equal(world->n_last, 2);
}

static void a_poll_of_nothing_new_tells_nobody(void **state)
{
    struct world *world = *state;
    use_config(world, bell);
    accept(world, 0, sample_bad(0, clock_boot_ms(), QUALITY_QUIET));
    expect(world, "inventory:2 state:0:ok readings:0:1:quiet ");
    accept(world, 0, sample_bad(0, clock_boot_ms(), QUALITY_QUIET));
    expect(world, "");
}

static void an_event_does_not_become_stale(void **state)
{
    struct world *world = *state;
    use_config(world, bell);
    accept_bell(world, "ring", QUALITY_GOOD);
    run_until(world, "readings:0:1:stale");
    assert_int_equal(world->last[0].sensor, 1);
    expect(world, "inventory:2 state:0:ok readings:0:2:good readings:0:1:stale ");
}

#define EVENT_TEST(name) cmocka_unit_test_setup_teardown(name, open_empty, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVENT_TEST(each_event_is_told_also_when_it_is_the_same),
        EVENT_TEST(that_nothing_has_happened_is_told_once),
        EVENT_TEST(so_is_that_it_cannot_be_looked_at),
        EVENT_TEST(a_poll_of_nothing_new_tells_nobody),
        EVENT_TEST(an_event_does_not_become_stale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
