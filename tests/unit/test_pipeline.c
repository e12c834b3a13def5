#include "tests/unit/pipeline_world.h"

static const char config[] =
    "buses: { sim: { adapter = \"sim\" } }\n"
    "devices: {\n"
    "  a: { bus = \"sim\"; channels: { t: { valid = ( -20, 120 ) } u: { } } }\n"
    "  b: { bus = \"sim\"; channels: { t: { } } }\n"
    "  c: { bus = \"sim\"; channels: { t: { stale = \"40ms\" } u: { stale = \"40ms\" } } }\n"
    "  door: { bus = \"sim\"; channels: { event: { } } } }\n"
    "rules: {\n"
    "  hot:  { sensor = \"a.t\"; above = 50; hysteresis = 5; severity = \"critical\"\n"
    "          on_fire = ( { publish = \"siren\"; payload = \"ON {value}\"; retain = true },\n"
    "                      { log = \"hot: {value}\" } ) }\n"
    "  slow: { sensor = \"b.t\"; above = 50; for = \"30ms\" } }\n";

enum { A_T, A_U, B_T, C_T, C_U, DOOR_EVENT };
enum { DEVICE_A, DEVICE_B, DEVICE_C, DEVICE_DOOR };

static int open_world(void **state)
{
    struct world *world;
    open_empty(state);
    world = *state;
    use_config(world, config);
    world->length = world->n_states = 0;
    world->said[0] = '\0';
    return 0;
}

/* -- the order of things ------------------------------------------------------------------------
 */

static void the_inventory_comes_first_and_then_how_each_rule_stands(void **state)
{
    struct world *world = *state;
    use_config(world, config);
    expect(world, "inventory:6 state:0:ok state:1:ok ");
}

static void readings_come_before_the_alarm_that_they_cause(void **state)
{
    struct world *world = *state;
    accept(world, DEVICE_A, sample_number(0, clock_boot_ms(), 60));
    expect(world, "readings:0:1:good state:0:firing event:0:fired publish:siren:ON 60:1:1 ");
    assert_string_equal(world->log, "rule hot: \"hot: 60\"\n");
}

static void news_of_the_gateway_reach_everyone_but_who_cannot(void **state)
{
    struct world *world = *state;
    struct pipeline_news news = {.type = EVENT_GATEWAY,
                                 .severity = SEVERITY_CRITICAL,
                                 .since_ms = CLOCK_NEVER,
                                 .words = "phone fails",
                                 .notify = true,
                                 .except = "phone"};
    pipeline_tell(world->pipeline, &news);
    expect(world, "event:4294967295:gateway notify:all:gateway:phone fails:but phone ");
    assert_string_equal(world->events[0].note, "phone fails");
}

static void what_became_of_a_message_is_an_event_of_its_rule(void **state)
{
    struct world *world = *state;
    const char *rule = world->site.site->inventory->rules[0].id;
    struct pipeline_news news = {
        .type = EVENT_NOTIFIED, .rule = rule, .words = "phone", .result = "ok"};
    pipeline_tell(world->pipeline, &news);
    expect(world, "event:0:notified ");
    assert_int_equal(world->events[0].sensor, world->site.site->inventory->rules[0].sensor);
    assert_string_equal(world->events[0].result, "ok");
}

static void the_samples_of_a_poll_stay_together(void **state)
{
    struct world *world = *state;
    int64_t now_ms = clock_boot_ms();
    struct sample samples[] = {sample_number(0, now_ms, 21), sample_bad(1, now_ms, QUALITY_CRC)};
    pipeline_accept(world->pipeline, DEVICE_A, samples, 2);
    expect(world, "readings:0:2:good ");
    assert_int_equal(world->last[0].sensor, A_T);
    assert_true(world->last[0].number == 21);
    assert_int_equal(world->last[0].at_ms, now_ms);
    assert_int_equal(world->last[1].sensor, A_U);
    assert_int_equal(world->last[1].kind, VALUE_NONE);
    assert_int_equal(world->last[1].quality, QUALITY_CRC);
    assert_int_equal(pipeline_counts(world->pipeline).polls, 1);
    assert_int_equal(pipeline_counts(world->pipeline).readings, 2);
    assert_int_equal(pipeline_counts(world->pipeline).bad, 1);
}

static void a_poll_of_any_size_stays_together(void **state)
{
    struct world *world = *state;
    struct sample samples[MANY];
    char text[8000] = "";
    size_t length = 0;
    text_append(text, sizeof(text), &length,
                "buses: { sim: { adapter = \"sim\" } }\n"
                "devices: { big: { bus = \"sim\"; channels: {");
    for (uint32_t c = 0; c < MANY; c++) {
        text_append(text, sizeof(text), &length, " c%u: { }", c);
        samples[c] = sample_number(c, clock_boot_ms(), c);
    }
    text_append(text, sizeof(text), &length, " } } }");
    use_config(world, text);
    pipeline_accept(world->pipeline, 0, samples, MANY);
    expect(world, "inventory:100 readings:0:100:good ");
    for (uint32_t c = 0; c < MANY; c++)
        assert_true(world->last[c].sensor == c && world->last[c].number == c);
}

static void more_samples_than_channels_are_survived(void **state)
{
    struct world *world = *state;
    struct sample samples[300];
    for (uint32_t i = 0; i < 300; i++)
        samples[i] = sample_number(i % 2, clock_boot_ms(), 20);
    pipeline_accept(world->pipeline, DEVICE_A, samples, 300);
    assert_int_equal(pipeline_counts(world->pipeline).readings, 300);
}

static void a_channel_that_is_not_the_devices_is_ignored(void **state)
{
    struct world *world = *state;
    int64_t now_ms = clock_boot_ms();
    struct sample samples[] = {sample_number(2, now_ms, 1), sample_number(1, now_ms, 2),
                               sample_number(UINT32_MAX, now_ms, 3)};
    pipeline_accept(world->pipeline, DEVICE_A, samples, 3);
    expect(world, "readings:0:1:good ");
    assert_int_equal(world->last[0].sensor, A_U);
    accept(world, DEVICE_A, sample_number(2, now_ms, 99));
    expect(world, "");
}

static void a_poll_without_samples_is_legal(void **state)
{
    struct world *world = *state;
    pipeline_accept(world->pipeline, DEVICE_A, NULL, 0);
    expect(world, "");
    assert_int_equal(pipeline_counts(world->pipeline).polls, 1);
}

static void what_cannot_be_true_becomes_a_bad_reading(void **state)
{
    struct world *world = *state;
    accept(world, DEVICE_A, sample_number(0, clock_boot_ms(), 5000));
    expect(world, "readings:0:1:implausible ");
    assert_int_equal(world->last[0].kind, VALUE_NONE);
    assert_int_equal(pipeline_counts(world->pipeline).bad, 1);
}

static void texts_are_interned(void **state)
{
    struct world *world = *state;
    accept(world, DEVICE_DOOR, sample_text(0, clock_boot_ms(), "open"));
    assert_int_equal(world->last[0].sensor, DOOR_EVENT);
    assert_int_equal(world->last[0].kind, VALUE_TEXT);
    assert_string_equal(text_table_get(pipeline_texts(world->pipeline), world->last[0].text),
                        "open");
}

static void a_text_in_place_of_a_number_moves_no_rule(void **state)
{
    struct world *world = *state;
    accept(world, DEVICE_A, sample_text(0, clock_boot_ms(), "100"));
    expect(world, "readings:0:1:good ");
}

static void devices_that_come_and_go_are_passed_on(void **state)
{
    struct world *world = *state;
    pipeline_device(world->pipeline, DEVICE_C, QUALITY_TIMEOUT, 77);
    expect(world, "device:2:timeout:77 ");
}

static void a_poll_that_is_older_than_the_last_is_survived(void **state)
{
    struct world *world = *state;
    int64_t now_ms = clock_boot_ms();
    accept(world, DEVICE_A, sample_number(0, now_ms, 20));
    accept(world, DEVICE_B, sample_number(0, now_ms - 5000, 20));
    expect(world, "readings:0:1:good readings:1:1:good ");
    assert_int_equal(world->last[0].at_ms, now_ms - 5000);
}

/* -- alarms -------------------------------------------------------------------------------------
 */

static void an_event_tells_value_limit_and_since_when(void **state)
{
    struct world *world = *state;
    int64_t now_ms = clock_boot_ms();
    const struct event *fired = &world->events[0], *cleared = &world->events[1];
    accept(world, DEVICE_A, sample_number(0, now_ms, 60));
    accept(world, DEVICE_A, sample_number(0, now_ms + 10, 52));
    accept(world, DEVICE_A, sample_number(0, now_ms + 25, 40));
    assert_int_equal(world->n_events, 2);
    assert_int_equal(fired->type, EVENT_FIRED);
    assert_int_equal(fired->at_ms, now_ms);
    assert_int_equal(fired->since_ms, now_ms);
    assert_int_equal(fired->sensor, A_T);
    assert_int_equal(fired->severity, SEVERITY_CRITICAL);
    assert_int_equal(fired->kind, VALUE_NUMBER);
    assert_true(fired->number == 60 && fired->limit == 50);
    assert_int_equal(cleared->type, EVENT_CLEARED);
    assert_int_equal(cleared->at_ms, now_ms + 25);
    assert_int_equal(cleared->since_ms, now_ms);
    assert_true(cleared->number == 40);
    assert_int_equal(pipeline_counts(world->pipeline).events, 2);
}

static void ids_of_events_never_repeat(void **state)
{
    struct world *world = *state;
    int64_t now_ms = clock_boot_ms();
    for (int i = 0; i < 4; i++) {
        accept(world, DEVICE_A, sample_number(0, now_ms + 2 * i, 60));
        accept(world, DEVICE_A, sample_number(0, now_ms + 2 * i + 1, 20));
    }
    assert_int_equal(world->n_events, 8);
    for (int i = 0; i < 8; i++) {
        assert_true(world->events[i].boot == world->events[0].boot);
        assert_true(world->events[i].boot != 0);
        for (int k = 0; k < i; k++)
            assert_true(world->events[k].sequence < world->events[i].sequence);
    }
}

static void a_rule_that_waits_fires_by_time_alone(void **state)
{
    struct world *world = *state;
    int64_t now_ms = clock_boot_ms();
    accept(world, DEVICE_B, sample_number(0, now_ms, 60));
    expect(world, "readings:1:1:good state:1:pending ");
    run_until(world, "event:1:fired");
    expect(world, "state:1:firing event:1:fired ");
    assert_int_equal(world->events[0].at_ms, now_ms + 30);
    assert_true(clock_boot_ms() >= now_ms + 30);
}

/* -- what becomes stale -------------------------------------------------------------------------
 */

static void a_sensor_whose_readings_stop_becomes_stale_once(void **state)
{
    struct world *world = *state;
    int64_t now_ms = clock_boot_ms();
    accept(world, DEVICE_C, sample_number(0, now_ms, 1));
    run_until(world, "readings:2:1:stale");
    expect(world, "readings:2:1:good readings:2:1:stale ");
    assert_int_equal(world->last[0].sensor, C_T);
    assert_int_equal(world->last[0].kind, VALUE_NONE);
    assert_true(world->last[0].at_ms >= now_ms + 40);
    accept(world, DEVICE_B, sample_number(0, clock_boot_ms(), 60));
    run_until(world, "event:1:fired");
    accept(world, DEVICE_B, sample_number(0, clock_boot_ms(), 60));
    assert_null(strstr(world->said, "stale"));
}

static void a_sensor_that_is_read_again_may_become_stale_again(void **state)
{
    struct world *world = *state;
    accept(world, DEVICE_C, sample_number(0, clock_boot_ms(), 1));
    run_until(world, "readings:2:1:stale");
    accept(world, DEVICE_C, sample_number(0, clock_boot_ms(), 1));
    run_until(world, "readings:2:1:stale");
    expect(world, "readings:2:1:good readings:2:1:stale readings:2:1:good readings:2:1:stale ");
}

static void what_is_bad_already_does_not_become_stale(void **state)
{
    struct world *world = *state;
    int64_t now_ms = clock_boot_ms();
    struct sample samples[] = {sample_bad(0, now_ms, QUALITY_TIMEOUT), sample_number(1, now_ms, 1)};
    pipeline_accept(world->pipeline, DEVICE_C, samples, 2);
    run_until(world, "readings:2:1:stale");
    assert_int_equal(world->last[0].sensor, C_U);
    expect(world, "readings:2:2:timeout readings:2:1:stale ");
}

/* -- another site -------------------------------------------------------------------------------
 */

static const char renamed[] =
    "buses: { sim: { adapter = \"sim\" } }\n"
    "devices: { z: { bus = \"sim\"; channels: { t: {} } }\n"
    "           a: { bus = \"sim\"; channels: { warmth: { was = \"t\" }; new: {} } } }\n"
    "rules: { hot: { when = \"a.warmth > 50\" } }\n";

static void a_sensor_of_another_name_and_number_keeps_its_newest_reading(void **state)
{
    struct world *world = *state;
    struct site_context context = {.output = &pipeline_rules_output,
                                   .owner = world->pipeline,
                                   .texts = pipeline_texts(world->pipeline),
                                   .before = world->site.site};
    struct site_world before = world->site;
    enum { Z_T, A_WARMTH, A_NEW };
    accept(world, DEVICE_A, sample_number(0, clock_boot_ms(), 60));
    assert_int_equal(site_world_open(&world->site, renamed, &context), 0);
    assert_int_equal(pipeline_use(world->pipeline, world->site.site, NULL), 0);
    site_world_close(&before);
    assert_true(pipeline_newest(world->pipeline, A_WARMTH)->number == 60);
    assert_int_equal(pipeline_newest(world->pipeline, A_WARMTH)->sensor, A_WARMTH);
    assert_int_equal(pipeline_newest(world->pipeline, A_NEW)->quality, QUALITY_NOT_READ);
    assert_true(pipeline_newest(world->pipeline, A_NEW)->at_ms == CLOCK_NEVER);
    assert_int_equal(pipeline_newest(world->pipeline, Z_T)->quality, QUALITY_NOT_READ);
    run_until(world, "event:0:fired"); /* by what it was told before */
}

/* An order stands for what was restored: both change how an instance stands. */
static void how_an_instance_stands_is_told_when_all_is_as_it_was(void **state)
{
    struct world *world = *state;
    struct rules_order order = {.kind = ORDER_DISABLE, .target = "hot"};
    struct error err;
    pipeline_hold(world->pipeline);
    use_config(world, "buses: { sim: { adapter = \"sim\" } }\n"
                      "devices: { a: { bus = \"sim\"; channels: { t: { } } } }\n"
                      "rules: { hot: { sensor = \"a.t\"; above = 50 } }\n");
    assert_true(pipeline_order(world->pipeline, &order, &err) > 0);
    assert_null(strstr(world->said, "state:0"));
    pipeline_release(world->pipeline);
    assert_non_null(strstr(world->said, "state:0"));
    assert_null(strstr(strstr(world->said, "state:0") + 1, "state:0")); /* once */
    assert_true(world->states[0].disabled);
}

/* -- sinks --------------------------------------------------------------------------------------
 */

static void an_order_changes_the_state_and_is_an_event_with_its_author(void **state)
{
    struct world *world = *state;
    struct rules_order order = {.kind = ORDER_LIMIT,
                                .target = "hot",
                                .key = "above",
                                .value = 60,
                                .by = "anna",
                                .via = "mqtt",
                                .note = "summer"};
    use_config(world, "buses: { sim: { adapter = \"sim\" } }\n"
                      "devices: { a: { bus = \"sim\"; channels: { t: { } } } }\n"
                      "rules: { hot: { sensor = \"a.t\"; above = 50; adjustable = true;"
                      " notify = \"phone\"; message = \"m\"; on_fire = ({ run = \"siren\" }) } }\n"
                      "notifiers: { phone: { } } hooks: { siren: { } }");
    world->length = 0;
    assert_int_equal(rules_order(world->site.site->rules, &order, clock_boot_ms(), NULL), 1);
    expect(world, "state:0:ok event:0:limit ");
    assert_int_equal(world->states[(world->n_states - 1) % 8].n_limits, 1);
    assert_true(world->states[(world->n_states - 1) % 8].limits[0] == 60);
    assert_string_equal(world->events[0].note, "above = 60: summer");
    assert_string_equal(world->events[0].by, "anna");
    assert_string_equal(world->events[0].via, "mqtt");
    order.kind = ORDER_DISABLE;
    rules_order(world->site.site->rules, &order, clock_boot_ms(), NULL);
    assert_true(world->states[(world->n_states - 1) % 8].disabled);
    expect(world, "state:0:ok event:0:disabled ");
}

static void notifications_and_hooks_go_to_the_sinks(void **state)
{
    struct world *world = *state;
    use_config(world, "buses: { sim: { adapter = \"sim\" } }\n"
                      "devices: { a: { bus = \"sim\"; channels: { t: { } } } }\n"
                      "rules: { hot: { sensor = \"a.t\"; above = 50;"
                      " notify = \"phone\"; message = \"m\"; on_fire = ({ run = \"siren\" }) } }\n"
                      "notifiers: { phone: { } } hooks: { siren: { } }");
    world->length = 0;
    accept(world, 0, sample_number(0, clock_boot_ms(), 51));
    expect(world, "readings:0:1:good state:0:firing event:0:fired notify:phone:fired:m "
                  "run:0:siren:m ");
}

static void there_is_room_for_so_many_sinks_and_no_more(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < PIPELINE_SINKS_MAX; i++)
        assert_int_equal(pipeline_add_sink(world->pipeline, &no_calls, NULL), 0);
    assert_int_equal(pipeline_add_sink(world->pipeline, &no_calls, NULL), -ENOSPC);
}

static void freeing_no_pipeline_is_legal(void **state)
{
    (void)state;
    pipeline_free(NULL);
}

#define EMPTY_TEST(name)    cmocka_unit_test_setup_teardown(name, open_empty, close_world)
#define PIPELINE_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EMPTY_TEST(the_inventory_comes_first_and_then_how_each_rule_stands),
        PIPELINE_TEST(readings_come_before_the_alarm_that_they_cause),
        PIPELINE_TEST(news_of_the_gateway_reach_everyone_but_who_cannot),
        PIPELINE_TEST(what_became_of_a_message_is_an_event_of_its_rule),
        PIPELINE_TEST(the_samples_of_a_poll_stay_together),
        EMPTY_TEST(a_poll_of_any_size_stays_together),
        PIPELINE_TEST(more_samples_than_channels_are_survived),
        PIPELINE_TEST(a_channel_that_is_not_the_devices_is_ignored),
        PIPELINE_TEST(a_poll_without_samples_is_legal),
        PIPELINE_TEST(what_cannot_be_true_becomes_a_bad_reading),
        PIPELINE_TEST(texts_are_interned),
        PIPELINE_TEST(a_text_in_place_of_a_number_moves_no_rule),
        PIPELINE_TEST(devices_that_come_and_go_are_passed_on),
        PIPELINE_TEST(a_poll_that_is_older_than_the_last_is_survived),
        PIPELINE_TEST(an_event_tells_value_limit_and_since_when),
        PIPELINE_TEST(ids_of_events_never_repeat),
        PIPELINE_TEST(a_rule_that_waits_fires_by_time_alone),
        PIPELINE_TEST(a_sensor_whose_readings_stop_becomes_stale_once),
        PIPELINE_TEST(a_sensor_that_is_read_again_may_become_stale_again),
        PIPELINE_TEST(what_is_bad_already_does_not_become_stale),
        PIPELINE_TEST(a_sensor_of_another_name_and_number_keeps_its_newest_reading),
        EMPTY_TEST(how_an_instance_stands_is_told_when_all_is_as_it_was),
        EMPTY_TEST(an_order_changes_the_state_and_is_an_event_with_its_author),
        EMPTY_TEST(notifications_and_hooks_go_to_the_sinks),
        EMPTY_TEST(there_is_room_for_so_many_sinks_and_no_more),
        cmocka_unit_test(freeing_no_pipeline_is_legal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
