/* What is published and in which order, heard by a subscriber that is not ours. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "tests/unit/hass_check.h"
#include "tests/unit/mqtt_gateway.h"

/* -- values ------------------------------------------------------------------------------------ */

static void values_arrive_as_json_and_are_retained(void **state)
{
    struct fixture *f = *state;
    const struct heard *heard;

    start_and_listen(f, "");
    assert_non_null(hear(f, "t/cellar/status", "online"));
    poll_boiler(f, 61.26);
    heard = hear(f, "t/cellar/boiler/state", "\"flow_temp\":61.3");
    assert_non_null(heard);
    assert_non_null(strstr(heard->payload, "\"fault\":0,\"mode\":null"));
    assert_non_null(strstr(heard->payload, "\"quality\":{\"mode\":\"timeout\"}"));
    assert_retained(f, "t/cellar/boiler/state", "\"flow_temp\":61.3");
    assert_retained(f, "t/cellar/status", "online");
}

static void each_poll_is_published_in_order_even_when_gathered(void **state)
{
    struct fixture *f = *state;
    double expected = 0;

    start_and_listen(f, "gather = \"200ms\"");
    assert_non_null(hear(f, "t/cellar/hidden/state", NULL));
    for (int i = 1; i <= 500; i++)
        poll_hidden(f, i);
    assert_non_null(hear(f, "t/cellar/hidden/state", "\"temp\":500"));
    for (size_t i = 0; i < f->listener->count; i++) {
        cJSON *json = cJSON_Parse(f->listener->heard[i].payload);

        if (strcmp(f->listener->heard[i].topic, "t/cellar/hidden/state") == 0 &&
            cJSON_IsNumber(cJSON_GetObjectItem(json, "temp")))
            assert_true(cJSON_GetObjectItem(json, "temp")->valuedouble == ++expected);
        cJSON_Delete(json);
    }
    assert_true(expected == 500);
}

static void bare_values_go_out_one_by_one(void **state)
{
    struct fixture *f = *state;

    start_and_listen(f, "payload = \"plain\"");
    assert_non_null(hear(f, "t/cellar/status", "online"));
    poll_boiler(f, 61.26);
    assert_non_null(hear(f, "t/cellar/boiler/flow_temp", "61.3"));
    assert_non_null(hear(f, "t/cellar/boiler/fault", "0"));
    assert_non_null(hear(f, "t/cellar/boiler/mode", "None"));
    assert_null(listener_find(f->listener, 0, "t/cellar/boiler/state", NULL));
    assert_retained(f, "t/cellar/boiler/flow_temp", "61.3");
}

static void objects_and_bare_values_go_together(void **state)
{
    struct fixture *f = *state;

    start_and_listen(f, "payload = \"both\"");
    assert_non_null(hear(f, "t/cellar/status", "online"));
    poll_boiler(f, 61.26);
    assert_non_null(hear(f, "t/cellar/boiler/flow_temp", "61.3"));
    assert_non_null(hear(f, "t/cellar/boiler/state", "\"flow_temp\":61.3"));
}

static void at_a_higher_qos_every_reading_arrives_once_and_in_order(void **state)
{
    struct fixture *f = *state;
    uint64_t before;

    start_and_listen(f, "qos: { readings = 2 }; discovery = \"none\"");
    assert_non_null(hear(f, "t/cellar/health", NULL));
    before = mqtt_counts(f->mqtt).acknowledged;
    for (int i = 1; i <= 500; i++)
        poll_hidden(f, i);
    assert_non_null(hear(f, "t/cellar/hidden/state", "\"temp\":500"));
    assert_true(mqtt_counts(f->mqtt).acknowledged - before >= 400);
    assert_in_range(listener_count(f->listener, "t/cellar/hidden/state", NULL), 500, 505);
}

/* What Home Assistant would complain of, in everything that was heard. */
static void the_whole_log_pleases_home_assistant(void **state)
{
    struct fixture *f = *state;
    struct hass_check check = {0};
    const char *config = "homeassistant/device/";

    start_and_listen(f, "commands = \"all\"");
    poll_boiler(f, 61.26);
    stand(f, HIGH, RULE_FIRING);
    fire(f, 7);
    assert_non_null(hear(f, "t/cellar/event", ":7\""));
    assert_non_null(hear(f, "t/cellar/health", NULL));
    for (size_t i = 0; i < f->listener->count; i++) {
        const struct heard *heard = &f->listener->heard[i];

        if (strncmp(heard->topic, config, strlen(config)) == 0)
            cJSON_Delete(hass_judge(&check, heard->payload));
        assert_null(strstr(heard->payload, "NaN"));
    }
    assert_string_equal(check.fault, "");
    assert_true(check.n_ids > 10);
    hass_check_free(&check);
}

static void an_event_does_not_wait_for_others(void **state)
{
    struct fixture *f = *state;
    int64_t before_ms;

    start_and_listen(f, "gather = \"1s\"");
    assert_non_null(hear(f, "t/cellar/health", NULL));
    before_ms = broker_now_ms();
    poll_hidden(f, 90);
    fire(f, 1);
    assert_non_null(hear(f, "t/cellar/event", "\"fired\""));
    assert_true(broker_now_ms() - before_ms < 900);
    assert_non_null(listener_find(f->listener, 0, "t/cellar/hidden/state", "\"temp\":90"));
}

static void events_and_rule_states_are_told_and_only_states_are_retained(void **state)
{
    struct fixture *f = *state;
    struct listener *late;

    start_and_listen(f, "");
    stand(f, HIGH, RULE_FIRING);
    stand(f, SILENT_2, RULE_FIRING);
    fire(f, 7);
    assert_non_null(hear(f, "t/cellar/event", "\"0000000000000001:7\""));
    assert_non_null(hear(f, "t/cellar/rule/high@boiler.flow_temp/state", "\"firing\""));
    assert_non_null(hear(f, "t/cellar/rule/silent/state", "{\"firing\":1,\"blind\":0,\"ok\":2}"));
    assert_retained(f, "t/cellar/rule/high@boiler.flow_temp/state", "\"firing\"");
    late = listener_open(&f->broker);
    assert_null(listener_find(late, 0, "t/cellar/event", NULL));
    listener_close(late);
}

static void availability_follows_the_device(void **state)
{
    struct fixture *f = *state;

    start_and_listen(f, "");
    assert_non_null(hear(f, "t/cellar/boiler/availability", "offline"));
    poll_boiler(f, 20);
    assert_non_null(hear(f, "t/cellar/boiler/availability", "online"));
    mqtt_sink.device(f->mqtt, BOILER, QUALITY_TIMEOUT, clock_boot_ms());
    assert_non_null(listener_wait(f->listener, f->listener->count, "t/cellar/boiler/availability",
                                  "offline", SOON_MS));
    assert_retained(f, "t/cellar/boiler/availability", "offline");
}

static void what_a_rule_publishes_goes_out_as_it_says(void **state)
{
    struct fixture *f = *state;

    start_and_listen(f, "");
    mqtt_sink.publish(f->mqtt, "home/siren", "ON", 0, true);
    mqtt_sink.publish(f->mqtt, "home/lamp", "two words", 2, false);
    assert_non_null(hear(f, "home/siren", "ON"));
    assert_non_null(hear(f, "home/lamp", "two words"));
    assert_retained(f, "home/siren", "ON");
}

static void a_topic_that_is_none_costs_nothing_but_itself(void **state)
{
    struct fixture *f = *state;

    start_and_listen(f, "");
    mqtt_sink.publish(f->mqtt, "home/#", "x", 1, false);
    mqtt_sink.publish(f->mqtt, "", "x", 1, false);
    mqtt_sink.publish(f->mqtt, "home/\xff", "x", 1, false);
    mqtt_sink.publish(f->mqtt, "home/good", "x", 1, false);
    assert_non_null(hear(f, "home/good", "x"));
    assert_int_equal(mqtt_counts(f->mqtt).lost, 3);
    assert_int_equal(mqtt_counts(f->mqtt).connects, 1);
}

static void thousands_of_events_pass_the_window_in_order(void **state)
{
    struct fixture *f = *state;

    start_and_listen(f, "");
    for (uint64_t i = 2; i <= 3000; i++)
        fire(f, i);
    assert_non_null(hear(f, "t/cellar/event", ":3000\""));
    assert_events_in_order(f, 2, 3000);
}

/* Without an answer of the broker the window stays full; at its own limit the library would let
 * nothing through. */
static void a_full_window_holds_up_no_reading(void **state)
{
    struct fixture *f = *state;
    uint64_t before;

    start_and_listen(f, "");
    assert_non_null(hear(f, "t/cellar/health", NULL));
    kill(f->broker.pid, SIGSTOP);
    before = mqtt_counts(f->mqtt).published;
    for (uint64_t i = 1; i <= 100; i++)
        fire(f, i);
    /* mosquitto takes 20 at once; of what went before, some may not be acknowledged yet. */
    assert_true(wait_published(f, before + 10));
    for (int i = 0; i < 200; i++)
        poll_hidden(f, i);
    assert_true(wait_published(f, before + 10 + 200));
    assert_in_range(mqtt_counts(f->mqtt).published, before + 10 + 200, before + 19 + 200);
    kill(f->broker.pid, SIGCONT);
    assert_non_null(hear(f, "t/cellar/event", ":100\""));
}

/* -- home assistant ---------------------------------------------------------------------------- */

static void discovery_is_right_and_the_gateway_comes_first(void **state)
{
    struct fixture *f = *state;
    struct hass_check check = {0};
    static const char *const topics[] = {"homeassistant/device/cellar-gateway/config",
                                         "homeassistant/device/cellar-boiler/config",
                                         "homeassistant/device/cellar-meter/config"};
    const struct heard *before = NULL;

    start_and_listen(f, "");
    assert_non_null(hear(f, "t/cellar/health", NULL)); /* the last of all */
    for (size_t i = 0; i < 3; i++) {
        const struct heard *heard = hear(f, topics[i], NULL);

        assert_true(heard > before);
        before = heard;
        cJSON_Delete(hass_judge(&check, heard->payload));
        assert_string_equal(check.fault, "");
        assert_retained(f, topics[i], NULL);
    }
    assert_null(listener_find(f->listener, 0, "homeassistant/device/cellar-hidden/config", NULL));
    hass_check_free(&check);
}

static void at_a_connect_availability_comes_before_discovery_and_states_come_last(void **state)
{
    static const char *const devices[] = {"boiler", "meter"};
    static const char *const forms[][2] = {{"t/cellar/", "/availability"},
                                           {"homeassistant/device/cellar-", "/config"},
                                           {"t/cellar/", "/state"}};
    struct fixture *f = *state;
    char topic[100];

    start_and_listen(f, "");
    assert_non_null(hear(f, "t/cellar/health", NULL)); /* the last of all */
    for (size_t i = 0; i < 2; i++) {
        const struct heard *before = NULL;

        for (size_t n = 0; n < 3; n++) {
            snprintf(topic, sizeof(topic), "%s%s%s", forms[n][0], devices[i], forms[n][1]);
            assert_true(hear(f, topic, NULL) > before);
            before = hear(f, topic, NULL);
        }
    }
}

static void without_discovery_nothing_is_said_to_home_assistant(void **state)
{
    struct fixture *f = *state;

    start_and_listen(f, "discovery = \"none\"");
    assert_non_null(hear(f, "t/cellar/health", NULL));
    for (size_t i = 0; i < f->listener->count; i++)
        assert_null(strstr(f->listener->heard[i].topic, "homeassistant"));
}

static void on_a_birth_everything_is_told_again(void **state)
{
    struct fixture *f = *state;
    int64_t before_ms;
    size_t from;

    start_and_listen(f, "");
    poll_boiler(f, 55.5);
    stand(f, HIGH, RULE_OK);
    assert_non_null(hear(f, "t/cellar/health", NULL));
    assert_non_null(hear(f, "t/cellar/boiler/state", "55.5"));
    from = f->listener->count;
    before_ms = broker_now_ms();
    assert_true(broker_publish(&f->broker, "homeassistant/status", "offline"));
    assert_true(broker_publish(&f->broker, "homeassistant/status", "online"));
    assert_non_null(listener_wait(f->listener, from, "homeassistant/device/cellar-boiler/config",
                                  NULL, SOON_MS));
    assert_true(broker_now_ms() - before_ms >= 1000);
    assert_non_null(listener_wait(f->listener, from, "t/cellar/boiler/state", "55.5", SOON_MS));
    assert_non_null(
        listener_wait(f->listener, from, "t/cellar/boiler/availability", "online", SOON_MS));
    assert_non_null(listener_wait(f->listener, from, "t/cellar/rule/high@boiler.flow_temp/state",
                                  "\"ok\"", SOON_MS));
    assert_non_null(listener_wait(f->listener, from, "t/cellar/status", "online", SOON_MS));
}

static void a_new_config_is_announced_once_it_rests(void **state)
{
    struct fixture *f = *state;
    struct inventory *newer = site_new(f->texts);
    struct inventory_device devices[N_DEVICES];
    int64_t before_ms;

    memcpy(devices, site_devices, sizeof(devices));
    devices[BOILER].label = "Neuer Kessel";
    newer->devices = devices;
    start_and_listen(f, "");
    poll_boiler(f, 55.5);
    assert_non_null(hear(f, "t/cellar/health", NULL));
    before_ms = broker_now_ms();
    mqtt_sink.inventory(f->mqtt, newer);
    assert_non_null(hear(f, "homeassistant/device/cellar-boiler/config", "Neuer Kessel"));
    assert_true(broker_now_ms() - before_ms >= 1900);
    assert_int_equal(mqtt_stop(f->mqtt, 5000), 0);
    f->mqtt = NULL;
    inventory_release(newer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_arrive_as_json_and_are_retained),
        TEST(each_poll_is_published_in_order_even_when_gathered),
        TEST(bare_values_go_out_one_by_one),
        TEST(objects_and_bare_values_go_together),
        TEST(at_a_higher_qos_every_reading_arrives_once_and_in_order),
        TEST(the_whole_log_pleases_home_assistant),
        TEST(an_event_does_not_wait_for_others),
        TEST(events_and_rule_states_are_told_and_only_states_are_retained),
        TEST(availability_follows_the_device),
        TEST(what_a_rule_publishes_goes_out_as_it_says),
        TEST(a_topic_that_is_none_costs_nothing_but_itself),
        TEST(thousands_of_events_pass_the_window_in_order),
        TEST(a_full_window_holds_up_no_reading),
        TEST(discovery_is_right_and_the_gateway_comes_first),
        TEST(at_a_connect_availability_comes_before_discovery_and_states_come_last),
        TEST(without_discovery_nothing_is_said_to_home_assistant),
        TEST(on_a_birth_everything_is_told_again),
        TEST(a_new_config_is_announced_once_it_rests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
