#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "gateway/mqtt/payload.h"
#include "gateway/mqtt/plan.h"
#include "gateway/mqtt/shadow.h"
#include "rules/rules.h"
#include "tests/unit/mqtt_site.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#define WALL_MS INT64_C(1795266125123) /* 2026-11-21T14:02:05.123+01:00 */

struct fixture {
    struct text_table *texts;
    struct inventory *site;
    struct plan *plan;
    struct reading newest[N_SENSORS];
    struct payload_clock clock;
    char to[8192];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    setenv("TZ", "CET-1", 1);
    tzset();
    clock_use_fixed(1000, WALL_MS - 1000);
    f->texts = text_table_new();
    f->site = site_new(f->texts);
    f->plan = plan_new(f->site, "t/cellar");
    for (uint32_t s = 0; s < N_SENSORS; s++)
        f->newest[s] = (struct reading){.sensor = s, .quality = QUALITY_NOT_READ};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    plan_free(f->plan);
    inventory_release(f->site);
    text_table_free(f->texts);
    free(f);
    clock_use_system();
    return 0;
}

#define FLAGS FLAGS_OF("false", "true")
#define FLAGS_OF(inhibited, active)                                            \
    "\"blind\":false,\"acked\":false,\"muted\":false,\"inhibited\":" inhibited \
    ",\"active\":" active ",\"enabled\":true,"

static void read_number(struct fixture *f, uint32_t sensor, double value)
{
    f->newest[sensor] = (struct reading){.sensor = sensor, .kind = VALUE_NUMBER, .number = value};
}

static size_t write_state(struct fixture *f, uint32_t device, int64_t at_ms, size_t size)
{
    struct payload_state state = {.plan = f->plan,
                                  .newest = f->newest,
                                  .texts = f->texts,
                                  .clock = &f->clock,
                                  .wall_ms = payload_wall_ms(at_ms),
                                  .device = device};

    return payload_state(&state, f->to, size);
}

static const char *state_of(struct fixture *f, uint32_t device, int64_t at_ms)
{
    size_t length = write_state(f, device, at_ms, sizeof(f->to));

    assert_int_equal(length, strlen(f->to));
    return f->to;
}

static void a_state_has_every_channel_and_its_time(void **state)
{
    struct fixture *f = *state;

    read_number(f, FLOW_TEMP, 61.26);
    read_number(f, FAULT, 1);
    f->newest[MODE] = (struct reading){
        .sensor = MODE, .kind = VALUE_TEXT, .text = text_table_add(f->texts, "Sommer \"\n")};
    assert_string_equal(state_of(f, BOILER, 1000),
                        "{\"ts\":\"2026-11-21T14:02:05.123+01:00\",\"flow_temp\":61.3,"
                        "\"fault\":1,\"mode\":\"Sommer \\\"\\n\"}");
}

static void what_is_not_good_is_null_with_its_reason(void **state)
{
    struct fixture *f = *state;

    read_number(f, FLOW_TEMP, 61.26);
    f->newest[FAULT] = (struct reading){.sensor = FAULT, .quality = QUALITY_EXCEPTION + 2};
    assert_string_equal(state_of(f, BOILER, CLOCK_NEVER),
                        "{\"ts\":null,\"flow_temp\":61.3,\"fault\":null,\"mode\":null,"
                        "\"quality\":{\"fault\":\"exception_2\",\"mode\":\"not_read\"}}");
}

static void a_bad_reading_never_shows_a_value(void **state)
{
    struct fixture *f = *state;

    read_number(f, HIDDEN_TEMP, 85);
    f->newest[HIDDEN_TEMP].quality = QUALITY_POWER_ON;
    assert_string_equal(state_of(f, HIDDEN, 1000),
                        "{\"ts\":\"2026-11-21T14:02:05.123+01:00\",\"temp\":null,"
                        "\"quality\":{\"temp\":\"power_on\"}}");
}

static void a_state_has_an_event_only_with_the_poll_that_brought_it(void **state)
{
    struct fixture *f = *state;

    site_use_events(f->site);
    read_number(f, FLOW_TEMP, 61.25);
    read_number(f, FAULT, 0);
    assert_true(write_state(f, BOILER, 1000, sizeof(f->to)) > 0);
    assert_null(strstr(f->to, "mode"));
    assert_null(strstr(f->to, "quality"));
    f->newest[MODE] = (struct reading){
        .sensor = MODE, .kind = VALUE_TEXT, .text = text_table_add(f->texts, "on")};
    assert_true(write_state(f, BOILER, 1000, sizeof(f->to)) > 0);
    assert_non_null(strstr(f->to, "\"mode\":\"on\""));
}

static void an_event_is_what_home_assistant_takes(void **state)
{
    struct fixture *f = *state;
    struct reading reading = {.sensor = MODE,
                              .at_ms = 1000,
                              .kind = VALUE_TEXT,
                              .text = text_table_add(f->texts, "say \"on\"")};

    assert_true(payload_happening(f->site, &reading, &f->clock, f->to, sizeof(f->to)) > 0);
    assert_string_equal(
        f->to, "{\"event_type\":\"say \\\"on\\\"\",\"ts\":\"2026-11-21T14:02:05.123+01:00\"}");
    assert_int_equal(payload_happening(f->site, &reading, &f->clock, f->to, 20), 0);
}

static void times_of_one_second_share_the_rest(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int64_t at_ms;
        const char *text;
    } times[] = {
        {1000, "14:02:05.123"},  {1001, "14:02:05.124"}, {1876, "14:02:05.999"},
        {1877, "14:02:06.000"},  {877, "14:02:05.000"},  {876, "14:02:04.999"},
        {61000, "14:03:05.123"},
    };

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        assert_non_null(strstr(state_of(f, HIDDEN, times[i].at_ms), times[i].text));
    clock_use_fixed(1000, WALL_MS + 3600000 - 1000); /* the clock was set */
    assert_non_null(strstr(state_of(f, HIDDEN, 61000), "15:03:05.123"));
}

static void the_largest_state_fits_what_the_plan_says(void **state)
{
    struct fixture *f = *state;
    char text[SAMPLE_TEXT_SIZE];

    memset(text, '\x01', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (uint32_t s = 0; s < N_SENSORS; s++)
        f->newest[s] = (struct reading){
            .sensor = s, .kind = VALUE_TEXT, .text = text_table_add(f->texts, text)};
    for (uint32_t d = 0; d < N_DEVICES; d++)
        assert_true(write_state(f, d, 1000, f->plan->state_size) > 0);
}

static void a_state_that_does_not_fit_is_none(void **state)
{
    struct fixture *f = *state;

    for (size_t size = 0; size < 60; size++)
        assert_int_equal(write_state(f, BOILER, 1000, size), 0);
}

static void a_rule_says_how_it_stands(void **state)
{
    struct fixture *f = *state;
    struct instance_state firing = {.instance = HIGH,
                                    .state = RULE_FIRING,
                                    .severity = SEVERITY_CRITICAL,
                                    .at_ms = 1000,
                                    .since_ms = 500,
                                    .kind = VALUE_NUMBER,
                                    .number = 86.14,
                                    .limit = 85};

    payload_rule(f->site, &firing, f->to, sizeof(f->to));
    assert_string_equal(f->to, "{\"state\":\"firing\",\"severity\":\"critical\",\"value\":86.1,"
                               "\"since\":\"2026-11-21T14:02:04.623+01:00\",\"limit\":85," FLAGS
                               "\"ts\":\"2026-11-21T14:02:05.123+01:00\"}");
    firing = (struct instance_state){
        .instance = WHOLE, .since_ms = CLOCK_NEVER, .at_ms = CLOCK_NEVER, .limit = (double)NAN};
    payload_rule(f->site, &firing, f->to, sizeof(f->to));
    assert_string_equal(f->to, "{\"state\":\"ok\",\"severity\":\"info\",\"value\":null,"
                               "\"since\":null,\"limit\":null," FLAGS "\"ts\":null}");
    firing.inhibited = firing.inactive = true;
    payload_rule(f->site, &firing, f->to, sizeof(f->to));
    assert_non_null(strstr(f->to, FLAGS_OF("true", "false")));
}

static void a_rule_that_was_never_judged_has_no_time(void **state)
{
    struct fixture *f = *state;
    struct instance_state untouched = {.instance = HIGH, .since_ms = CLOCK_NEVER};

    payload_rule(f->site, &untouched, f->to, sizeof(f->to));
    assert_non_null(strstr(f->to, "\"since\":null,"));
    assert_non_null(strstr(f->to, "\"ts\":null}"));
    untouched.at_ms = -3600000; /* judged before this boot, and kept */
    payload_rule(f->site, &untouched, f->to, sizeof(f->to));
    assert_non_null(strstr(f->to, "\"ts\":\"2026-11-21T13:02:04.123+01:00\"}"));
}

static void a_group_says_how_many_fire(void **state)
{
    struct fixture *f = *state;

    payload_group(&(struct shadow_group){.firing = 3, .blind = 1}, 500, f->to, sizeof(f->to));
    assert_string_equal(f->to, "{\"firing\":3,\"blind\":1,\"ok\":496}");
}

static void an_event_tells_everything_it_knows(void **state)
{
    struct fixture *f = *state;
    struct event event = {.boot = 0xabc,
                          .sequence = 7,
                          .type = EVENT_FIRED,
                          .severity = SEVERITY_WARNING,
                          .instance = HIGH,
                          .sensor = FLOW_TEMP,
                          .kind = VALUE_NUMBER,
                          .number = 86.1,
                          .limit = 85,
                          .at_ms = 1000,
                          .since_ms = 1000,
                          .note = "zu heiß"};

    payload_event(f->site, &(struct payload_event){.event = &event, .durable = true, .merged = 3},
                  f->to, sizeof(f->to));
    assert_string_equal(
        f->to, "{\"event_type\":\"fired\",\"id\":\"0000000000000abc:7\","
               "\"rule\":\"high@boiler.flow_temp\",\"sensor\":\"boiler.flow_temp\","
               "\"severity\":\"warning\",\"value\":86.1,\"limit\":85,"
               "\"since\":\"2026-11-21T14:02:05.123+01:00\","
               "\"ts\":\"2026-11-21T14:02:05.123+01:00\",\"note\":\"zu heiß\",\"durable\":true,"
               "\"merged\":3}");
    event = (struct event){.type = EVENT_GATEWAY,
                           .instance = UINT32_MAX,
                           .sensor = UINT32_MAX,
                           .limit = (double)NAN,
                           .at_ms = 1000,
                           .since_ms = CLOCK_NEVER};
    payload_event(f->site, &(struct payload_event){.event = &event}, f->to, sizeof(f->to));
    assert_string_equal(
        f->to,
        "{\"event_type\":\"gateway\",\"id\":\"0000000000000000:0\",\"rule\":null,"
        "\"sensor\":null,\"severity\":null,\"value\":null,\"limit\":null,"
        "\"since\":null,\"ts\":\"2026-11-21T14:02:05.123+01:00\",\"note\":null,\"durable\":false}");
}

static void health_is_json_with_the_instance(void **state)
{
    struct fixture *f = *state;
    struct payload_health health = {
        .instance = 0x1f, .connected_since_ms = 1000, .report = "\"counters\":{\"published\":12}"};
    cJSON *json;

    assert_true(payload_health(f->site, &health, f->to, PAYLOAD_SIZE) > 0);
    json = cJSON_Parse(f->to);
    assert_non_null(json);
    assert_string_equal(cJSON_GetObjectItem(json, "instance")->valuestring, "000000000000001f");
    assert_string_equal(cJSON_GetObjectItem(json, "version")->valuestring, THERMOGATE_VERSION);
    assert_int_equal(cJSON_GetObjectItem(json, "sensors")->valueint, N_SENSORS);
    assert_int_equal(
        cJSON_GetObjectItem(cJSON_GetObjectItem(json, "counters"), "published")->valueint, 12);
    cJSON_Delete(json);
    health.report = "";
    assert_true(payload_health(f->site, &health, f->to, PAYLOAD_SIZE) > 0);
    assert_null(strstr(f->to, "counters"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_state_has_an_event_only_with_the_poll_that_brought_it,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(an_event_is_what_home_assistant_takes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_state_has_every_channel_and_its_time, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_good_is_null_with_its_reason, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bad_reading_never_shows_a_value, setup, teardown),
        cmocka_unit_test_setup_teardown(times_of_one_second_share_the_rest, setup, teardown),
        cmocka_unit_test_setup_teardown(the_largest_state_fits_what_the_plan_says, setup, teardown),
        cmocka_unit_test_setup_teardown(a_state_that_does_not_fit_is_none, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rule_says_how_it_stands, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rule_that_was_never_judged_has_no_time, setup, teardown),
        cmocka_unit_test_setup_teardown(a_group_says_how_many_fire, setup, teardown),
        cmocka_unit_test_setup_teardown(an_event_tells_everything_it_knows, setup, teardown),
        cmocka_unit_test_setup_teardown(health_is_json_with_the_instance, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
