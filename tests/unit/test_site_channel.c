/* Which options fit what a channel is: through site_new(), as people meet it. */

#include "gateway/core/site_channel.h"

#include "tests/unit/site_world.h"

#define DOOR                                  \
    "buses: { sim: { adapter = \"sim\" } }\n" \
    "devices: { door: { bus = \"sim\"; channels: { bell: { type = \"event\"\n"

static const struct inventory_sensor *sensor(const struct site_world *world)
{
    return &world->site->inventory->sensors[0];
}

static void a_channel_of_events_knows_each_text_once(void **state)
{
    struct site_world world;
    (void)state;
    site_world_good(&world, DOOR "events = [ \"ring\", \"ring\", \"knock\" ] } } } }");
    assert_int_equal(sensor(&world)->kind, SENSOR_EVENT);
    assert_int_equal(sensor(&world)->n_options, 2);
    assert_string_equal(sensor(&world)->options[0].text, "ring");
    assert_string_equal(sensor(&world)->options[1].text, "knock");
    assert_string_equal(sensor(&world)->state_class, "");
    site_world_close(&world);
}

static void rules_know_it_as_one_of_events(void **state)
{
    struct site_world world;
    (void)state;
    site_world_good(&world, DOOR "events = [ \"ring\" ] } } } }");
    assert_true(rules_sensor(world.site->rules, 0)->event);
    assert_true(rules_sensor(world.site->rules, 0)->text);
    site_world_close(&world);
}

static void what_is_for_values_does_not_fit_events(void **state)
{
    (void)state;
    site_refuses(DOOR
                 "events = [ \"ring\" ]\n unit = \"V\"\n deadband = 2\n writable = true } } } }",
                 "t.cfg:4:2: error: `unit` is for values, this channel has events\n"
                 "t.cfg:5:2: error: `deadband` is for values, this channel has events\n"
                 "t.cfg:6:2: error: `writable` is for values, this channel has events");
}

static void what_is_for_writing_needs_writable(void **state)
{
    (void)state;
    site_refuses("buses: { sim: { adapter = \"sim\" } }\n"
                 "devices: { a: { bus = \"sim\"; channels: { t: { safe = 3.0 } } } }",
                 "t.cfg:2:47: error: `safe` is for channels that may be written");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_channel_of_events_knows_each_text_once),
        cmocka_unit_test(rules_know_it_as_one_of_events),
        cmocka_unit_test(what_is_for_values_does_not_fit_events),
        cmocka_unit_test(what_is_for_writing_needs_writable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
