#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/mqtt/hass.h"
#include "gateway/mqtt/plan.h"
#include "tests/unit/hass_check.h"
#include "tests/unit/mqtt_site.h"

#include <stdio.h>

#define MESSAGE_SIZE (512 * 1024)
#define GATEWAY      N_DEVICES

struct fixture {
    struct inventory *site;
    struct plan *plan;
    struct hass_check check;
    char *text;
    cJSON *json;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->site = site_new(NULL);
    f->plan = plan_new(f->site, "t/cellar");
    f->text = malloc(MESSAGE_SIZE);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    cJSON_Delete(f->json);
    hass_check_free(&f->check);
    free(f->text);
    plan_free(f->plan);
    inventory_release(f->site);
    free(f);
    return 0;
}

/* The judged message of a device. */
static const cJSON *message_of(struct fixture *f, uint32_t device)
{
    assert_true(hass_message(f->plan, device, NULL, f->text, MESSAGE_SIZE) > 0);
    cJSON_Delete(f->json);
    f->json = hass_judge(&f->check, f->text);
    assert_string_equal(f->check.fault, "");
    return f->json;
}

static const cJSON *entity(const cJSON *message, const char *key)
{
    const cJSON *components = cJSON_GetObjectItemCaseSensitive(message, "components");
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(components, key);

    assert_non_null(found);
    return found;
}

static void assert_text(const cJSON *object, const char *key, const char *value)
{
    const char *text = hass_text(object, key);

    if (!value) {
        assert_null(text);
        return;
    }
    assert_non_null(text);
    assert_string_equal(text, value);
}

static int number(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    return cJSON_IsNumber(item) ? item->valueint : -1;
}

static void every_message_passes_the_judge_and_no_id_is_there_twice(void **state)
{
    struct fixture *f = *state;

    message_of(f, GATEWAY);
    message_of(f, BOILER);
    message_of(f, METER);
    assert_int_equal(f->check.n_ids, 5 + 5 + 6);
}

static void a_device_has_its_particulars(void **state)
{
    struct fixture *f = *state;
    const cJSON *message = message_of(f, BOILER);
    const cJSON *device = cJSON_GetObjectItemCaseSensitive(message, "device");

    assert_string_equal(
        cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(device, "identifiers"), 0)->valuestring,
        "cellar-boiler");
    assert_text(device, "name", "Heizkessel");
    assert_text(device, "manufacturer", "Viessmann");
    assert_text(device, "model", "V200");
    assert_text(device, "serial_number", "4711");
    assert_text(device, "suggested_area", "Keller");
    assert_text(device, "via_device", "cellar-gateway");
    assert_text(message, "state_topic", "t/cellar/boiler/state");
}

static void what_is_not_known_of_a_device_is_left_out(void **state)
{
    struct fixture *f = *state;
    const cJSON *device = cJSON_GetObjectItemCaseSensitive(message_of(f, METER), "device");

    assert_text(device, "name", "电表 ⚡");
    assert_null(cJSON_GetObjectItemCaseSensitive(device, "manufacturer"));
    assert_null(cJSON_GetObjectItemCaseSensitive(device, "suggested_area"));
}

static void a_device_is_available_when_it_and_the_gateway_are(void **state)
{
    struct fixture *f = *state;
    const cJSON *message = message_of(f, BOILER);
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(message, "availability");

    assert_text(message, "availability_mode", "all");
    assert_int_equal(cJSON_GetArraySize(list), 2);
    assert_text(cJSON_GetArrayItem(list, 0), "t", "t/cellar/status");
    assert_text(cJSON_GetArrayItem(list, 1), "t", "t/cellar/boiler/availability");
}

static void a_number_is_a_sensor(void **state)
{
    struct fixture *f = *state;
    const cJSON *it = entity(message_of(f, BOILER), "flow_temp");

    assert_text(it, "p", "sensor");
    assert_text(it, "uniq_id", "cellar-boiler-flow_temp");
    assert_text(it, "name", "Vorlauf"); /* the device's name is not said twice */
    assert_text(it, "val_tpl", "{{ value_json['flow_temp'] }}");
    assert_text(it, "dev_cla", "temperature");
    assert_text(it, "unit_of_meas", "°C");
    assert_text(it, "stat_cla", "measurement");
    assert_int_equal(number(it, "sug_dsp_prc"), 1);
    assert_int_equal(number(it, "exp_aft"), 30); /* three times 10 s */
}

static void a_bit_is_a_binary_sensor(void **state)
{
    struct fixture *f = *state;
    const cJSON *it = entity(message_of(f, BOILER), "fault");

    assert_text(it, "p", "binary_sensor");
    assert_text(it, "name", "Störung ⚠️");
    assert_text(it, "dev_cla", "problem");
    assert_text(it, "pl_on", "1");
    assert_text(it, "pl_off", "0");
    assert_text(it, "unit_of_meas", NULL);
}

static void a_text_has_nothing_of_a_number(void **state)
{
    struct fixture *f = *state;
    const cJSON *it = entity(message_of(f, BOILER), "mode");

    assert_text(it, "p", "sensor");
    assert_text(it, "ic", "mdi:fire");
    assert_text(it, "ent_cat", "diagnostic");
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(it, "en")));
    assert_text(it, "stat_cla", NULL);
    assert_text(it, "dev_cla", NULL);
    assert_int_equal(number(it, "sug_dsp_prc"), -1);
}

static void a_counter_of_energy_grows_for_ever(void **state)
{
    struct fixture *f = *state;
    const cJSON *it = entity(message_of(f, METER), "energy");

    assert_text(it, "name", "电能");
    assert_text(it, "dev_cla", "energy");
    assert_text(it, "stat_cla", "total_increasing");
    assert_int_equal(number(it, "exp_aft"), 15); /* never less */
}

static void a_class_with_a_wrong_unit_is_left_out(void **state)
{
    struct fixture *f = *state;
    const cJSON *it = entity(message_of(f, METER), "broken_unit");

    assert_text(it, "dev_cla", NULL);
    assert_text(it, "unit_of_meas", "degC");
    assert_text(it, "name", "broken unit");
}

static void what_only_shows_is_no_configuration(void **state)
{
    struct fixture *f = *state;

    assert_text(entity(message_of(f, METER), "power"), "ent_cat", NULL);
}

static void a_device_says_whether_it_answers(void **state)
{
    struct fixture *f = *state;
    const cJSON *it = entity(message_of(f, BOILER), "availability");
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(it, "avty");

    assert_text(it, "dev_cla", "connectivity");
    assert_text(it, "ent_cat", "diagnostic");
    assert_text(it, "stat_t", "t/cellar/boiler/availability");
    assert_text(it, "pl_on", "online");
    assert_int_equal(cJSON_GetArraySize(list), 1); /* or it could never say "off" */
    assert_text(cJSON_GetArrayItem(list, 0), "t", "t/cellar/status");
}

static void a_rule_is_shown_at_its_device_and_outlives_its_silence(void **state)
{
    struct fixture *f = *state;
    const cJSON *it = entity(message_of(f, BOILER), "rule-high-boiler-flow_temp-state");

    assert_text(it, "p", "binary_sensor");
    assert_text(it, "uniq_id", "cellar-rule-high-boiler-flow_temp-state");
    assert_text(it, "name", "Vorlauf high");
    assert_text(it, "dev_cla", "problem");
    assert_text(it, "stat_t", "t/cellar/rule/high@boiler.flow_temp/state");
    assert_text(it, "json_attr_t", "t/cellar/rule/high@boiler.flow_temp/state");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(it, "avty")), 1);
    it = entity(message_of(f, METER), "rule-overload-state");
    assert_text(it, "name", "Überlast");
    assert_text(it, "uniq_id", "cellar-rule-overload-state");
}

static void a_rule_over_many_is_one_count_at_the_gateway(void **state)
{
    struct fixture *f = *state;
    const cJSON *it = entity(message_of(f, GATEWAY), "rule-silent-state");

    assert_text(it, "p", "sensor");
    assert_text(it, "stat_t", "t/cellar/rule/silent/state");
    assert_text(it, "val_tpl", "{{ value_json.firing }}");
    assert_null(strstr(f->text, "silent@"));
}

static void the_gateway_has_status_events_and_rules_without_a_device(void **state)
{
    struct fixture *f = *state;
    const cJSON *message = message_of(f, GATEWAY);
    const cJSON *it = entity(message, "status");

    assert_null(cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(message, "device"), "via_device"));
    assert_text(it, "dev_cla", "connectivity");
    assert_text(it, "uniq_id", "cellar-gateway-status");
    assert_null(cJSON_GetObjectItemCaseSensitive(it, "avty"));
    it = entity(message, "event");
    assert_text(it, "uniq_id", "cellar-gateway-event");
    assert_text(it, "stat_t", "t/cellar/event");
    assert_string_equal(
        cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(it, "evt_typ"), 0)->valuestring,
        "fired");
    entity(message, "rule-whole_house-state");
    entity(message, "rule-on_hidden-state");
}

static void a_channel_of_events_is_an_event_with_a_topic_of_its_own(void **state)
{
    struct fixture *f = *state;
    const cJSON *it, *types;

    site_use_events(f->site);
    it = entity(message_of(f, BOILER), "mode");
    types = cJSON_GetObjectItemCaseSensitive(it, "evt_typ");
    assert_text(it, "p", "event");
    assert_text(it, "uniq_id", "cellar-boiler-mode");
    assert_text(it, "stat_t", "t/cellar/boiler/mode/event");
    assert_text(it, "dev_cla", "button");
    assert_text(it, "ic", "mdi:fire");
    assert_text(it, "ent_cat", "diagnostic");
    assert_text(it, "val_tpl", NULL);
    assert_int_equal(number(it, "exp_aft"), -1);
    assert_int_equal(cJSON_GetArraySize(types), 2);
    assert_string_equal(cJSON_GetArrayItem(types, 1)->valuestring, "off");
}

static void what_is_not_for_home_assistant_is_not_shown(void **state)
{
    struct fixture *f = *state;

    assert_true(hass_shows(f->plan, BOILER));
    assert_true(hass_shows(f->plan, GATEWAY));
    assert_false(hass_shows(f->plan, HIDDEN));
}

static void a_message_that_does_not_fit_is_none(void **state)
{
    struct fixture *f = *state;
    size_t length = hass_message(f->plan, BOILER, NULL, f->text, MESSAGE_SIZE);

    assert_int_equal(hass_message(f->plan, BOILER, NULL, f->text, length), 0);
    assert_int_equal(hass_message(f->plan, BOILER, NULL, f->text, length + 1), length);
}

static void five_hundred_sensors_fit_into_one_message(void **state)
{
    struct fixture *f = *state;
    static struct inventory_sensor sensors[500];
    static char names[500][40], ids[500][64];
    struct inventory_device device = site_devices[BOILER];
    struct inventory *site = site_new(NULL);
    const cJSON *message;

    for (uint32_t i = 0; i < 500; i++) {
        snprintf(names[i], sizeof(names[i]), "harmonic_%u", i);
        snprintf(ids[i], sizeof(ids[i]), "boiler.harmonic_%u", i);
        sensors[i] = site_sensors[FLOW_TEMP];
        sensors[i].id = ids[i];
        sensors[i].channel = sensors[i].label = names[i];
    }
    device.n_sensors = 500;
    site->devices = &device;
    site->n_devices = 1;
    site->sensors = sensors;
    site->n_sensors = 500;
    site->n_rules = 0;
    plan_free(f->plan);
    f->plan = plan_new(site, "t/cellar");
    message = message_of(f, 0);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(message, "components")),
                     501);
    assert_true(strlen(f->text) < 128 * 1024); /* where the first cloud brokers end */
    inventory_release(site);
}

/* The judge itself must be able to find something. */
static void the_judge_refuses_what_home_assistant_refuses(void **state)
{
    struct fixture *f = *state;
    static const char frame[] = "{%s\"device\":{\"identifiers\":[\"a\"],\"name\":\"A\"%s},"
                                "\"origin\":{\"name\":\"x\"},\"state_topic\":\"s\","
                                "\"components\":{\"c\":{\"p\":\"sensor\"%s}}}";
    static const struct {
        const char *top, *device, *component;
    } bad[] = {
        {"\"~\":\"x\",", "", ",\"uniq_id\":\"a\""},
        {"", ",\"label\":\"x\"", ",\"uniq_id\":\"a\""},
        {"", "", ",\"name\":\"no id\""},
        {"", "", ",\"uniq_id\":\"a\",\"dev_cla\":\"temperature\",\"unit_of_meas\":\"degC\""},
        {"", "", ",\"uniq_id\":\"a\",\"unit\":\"W\""},
        {"", "", ",\"uniq_id\":\"a\",\"ent_cat\":\"config\""},
        {"", "", ",\"uniq_id\":\"a\",\"name\":\"None\""},
        {"", "", ",\"uniq_id\":\"a\",\"name\":\"A x\""},
    };

    snprintf(f->text, MESSAGE_SIZE, frame, "", "", ",\"uniq_id\":\"a\"");
    cJSON_Delete(hass_judge(&f->check, f->text));
    assert_string_equal(f->check.fault, "");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        hass_check_free(&f->check);
        snprintf(f->text, MESSAGE_SIZE, frame, bad[i].top, bad[i].device, bad[i].component);
        cJSON_Delete(hass_judge(&f->check, f->text));
        assert_string_not_equal(f->check.fault, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_channel_of_events_is_an_event_with_a_topic_of_its_own,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(every_message_passes_the_judge_and_no_id_is_there_twice,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_device_has_its_particulars, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_known_of_a_device_is_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(a_device_is_available_when_it_and_the_gateway_are, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_number_is_a_sensor, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bit_is_a_binary_sensor, setup, teardown),
        cmocka_unit_test_setup_teardown(a_text_has_nothing_of_a_number, setup, teardown),
        cmocka_unit_test_setup_teardown(a_counter_of_energy_grows_for_ever, setup, teardown),
        cmocka_unit_test_setup_teardown(a_class_with_a_wrong_unit_is_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(what_only_shows_is_no_configuration, setup, teardown),
        cmocka_unit_test_setup_teardown(a_device_says_whether_it_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rule_is_shown_at_its_device_and_outlives_its_silence,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_rule_over_many_is_one_count_at_the_gateway, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_gateway_has_status_events_and_rules_without_a_device,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_for_home_assistant_is_not_shown, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_message_that_does_not_fit_is_none, setup, teardown),
        cmocka_unit_test_setup_teardown(five_hundred_sensors_fit_into_one_message, setup, teardown),
        cmocka_unit_test_setup_teardown(the_judge_refuses_what_home_assistant_refuses, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
