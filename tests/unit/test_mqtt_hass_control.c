/* Entities by which something is done - what may be written, rules - and those that leave. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/core/command.h"
#include "gateway/mqtt/ghosts.h"
#include "gateway/mqtt/hass.h"
#include "gateway/mqtt/plan.h"
#include "tests/unit/hass_check.h"
#include "tests/unit/mqtt_site.h"

#include <errno.h>
#include <math.h>

#define MESSAGE_SIZE 100000

static const struct inventory_option options[] = {{"off", 0}, {"Heizbetrieb", 7}};
static const struct inventory_write from_frost = {.min = -20, .max = INFINITY, .safe = NAN};
static const struct inventory_limit limits[] = {{"above", 10, 90, 0.5}, {"below", -INFINITY, 5, 0}};

struct fixture {
    struct inventory *site;
    struct inventory_sensor sensors[N_SENSORS];
    struct inventory_rule rules[N_RULES];
    struct plan *plan;
    struct hass_check check;
    char text[MESSAGE_SIZE];
    cJSON *json;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->site = site_new(NULL);
    memcpy(f->sensors, site_sensors, sizeof(f->sensors));
    memcpy(f->rules, site_rules, sizeof(f->rules));
    f->site->sensors = f->sensors;
    f->site->rules = f->rules;
    f->sensors[FLOW_TEMP].write = f->sensors[FAULT].write = f->sensors[MODE].write = &from_frost;
    f->sensors[MODE].n_options = 2;
    f->sensors[MODE].options = options;
    f->rules[HIGH].ack = true;
    f->rules[HIGH].n_limits = 2;
    f->rules[HIGH].limits = limits;
    f->plan = plan_new(f->site, "t/cellar");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    cJSON_Delete(f->json);
    hass_check_free(&f->check);
    plan_free(f->plan);
    inventory_release(f->site);
    free(f);
    return 0;
}

static const cJSON *judge(struct fixture *f)
{
    cJSON_Delete(f->json);
    hass_check_free(&f->check); /* it judges each message for itself */
    f->json = hass_judge(&f->check, f->text);
    assert_string_equal(f->check.fault, "");
    return cJSON_GetObjectItemCaseSensitive(f->json, "components");
}

static const cJSON *components(struct fixture *f, uint32_t device, uint8_t rights)
{
    f->plan->rights = rights;
    assert_true(hass_message(f->plan, device, NULL, f->text, MESSAGE_SIZE) > 0);
    return judge(f);
}

static void assert_has(const cJSON *components, const char *key, const char *json)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(components, key);
    char *text = cJSON_PrintUnformatted(item);

    assert_non_null(item);
    if (!strstr(text, json))
        fail_msg("%s has no %s", text, json);
    free(text);
}

static void what_may_be_written_is_a_number_a_switch_or_a_select(void **state)
{
    const cJSON *all = components(*state, BOILER, COMMAND_RIGHTS_ALL);

    assert_has(all, "flow_temp", "\"p\":\"number\"");
    assert_has(all, "flow_temp", "\"cmd_t\":\"t/cellar/boiler/flow_temp/set\"");
    assert_has(all, "flow_temp", "\"min\":-20,\"max\":1000000000,\"step\":0.1,\"mode\":\"box\"");
    assert_has(all, "fault", "\"p\":\"switch\"");
    assert_has(all, "fault", "\"stat_on\":\"1\",\"stat_off\":\"0\"");
    assert_has(all, "mode", "\"p\":\"select\"");
    assert_has(all, "mode", "\"cmd_t\":\"t/cellar/boiler/mode/set\"");
    assert_has(all, "mode", "\"ops\":[\"off\",\"Heizbetrieb\"]");
}

static void what_would_be_refused_is_not_offered(void **state)
{
    const cJSON *few = components(*state, BOILER, COMMAND_RIGHTS_ACK);

    assert_has(few, "flow_temp", "\"p\":\"sensor\"");
    assert_has(few, "fault", "\"p\":\"binary_sensor\"");
    assert_has(few, "mode", "\"p\":\"sensor\"");
    assert_has(few, "mode", "\"dev_cla\":\"enum\",\"ops\":[\"off\",\"Heizbetrieb\"]");
    assert_has(few, "rule-high-boiler-flow_temp-ack", "\"pl_prs\":\"ack\"");
    assert_has(few, "rule-high-boiler-flow_temp-mute", "\"p\":\"switch\"");
    assert_null(cJSON_GetObjectItem(few, "rule-high-boiler-flow_temp-enable"));
    few = components(*state, BOILER, COMMAND_RIGHTS_NONE);
    assert_null(cJSON_GetObjectItem(few, "rule-high-boiler-flow_temp-ack"));
}

static void a_rule_with_limits_has_numbers_for_them(void **state)
{
    const cJSON *all = components(*state, BOILER, COMMAND_RIGHTS_ALL);

    assert_has(all, "rule-high-boiler-flow_temp-limit_above",
               "\"cmd_tpl\":\"limit above={{ value }}\"");
    assert_has(all, "rule-high-boiler-flow_temp-limit_above", "\"min\":10,\"max\":90,\"step\":0.5");
    assert_has(all, "rule-high-boiler-flow_temp-limit_above",
               "\"uniq_id\":\"cellar-rule-high-boiler-flow_temp-limit_above\"");
    assert_has(all, "rule-high-boiler-flow_temp-limit_below", "\"min\":-1000000000");
    assert_has(all, "rule-high-boiler-flow_temp-enable", "\"pl_off\":\"disable\"");
}

static void a_rule_with_which_nothing_is_to_do_has_only_a_state(void **state)
{
    const cJSON *all = components(*state, METER, COMMAND_RIGHTS_ALL);

    assert_non_null(cJSON_GetObjectItem(all, "rule-overload-state"));
    assert_null(cJSON_GetObjectItem(all, "rule-overload-mute"));
}

static void what_is_published_on_change_is_believed_until_its_heartbeat_failed_thrice(void **state)
{
    struct fixture *f = *state;

    f->sensors[POWER].sparse = &(struct inventory_sparse){.heartbeat_ms = 300000};
    assert_has(components(f, METER, COMMAND_RIGHTS_ACK), "power", "\"exp_aft\":900");
}

static void bare_values_have_topics_of_their_own(void **state)
{
    struct fixture *f = *state;

    f->plan->bare = true;
    assert_has(components(f, BOILER, COMMAND_RIGHTS_NONE), "flow_temp",
               "\"stat_t\":\"t/cellar/boiler/flow_temp\"");
    assert_null(cJSON_GetObjectItem(f->json, "state_topic"));
}

static void a_ghost_is_announced_with_the_least_and_then_removed(void **state)
{
    static const struct ghost gone[] = {{.device = "boiler", .platform = "sensor", .key = "old"},
                                        {.device = "boiler", .platform = "number", .key = "set"},
                                        {.device = "boiler", .platform = "button", .key = "go"},
                                        {.device = "boiler", .platform = "select", .key = "pick"},
                                        {.device = "boiler", .platform = "event", .key = "ev"}};
    struct fixture *f = *state;
    struct hass_ghosts ghosts = {.ghosts = gone, .count = 5};
    const cJSON *all;

    assert_true(hass_message(f->plan, BOILER, &ghosts, f->text, MESSAGE_SIZE) > 0);
    all = judge(f);
    assert_has(all, "old", "\"uniq_id\":\"cellar-boiler-old\"");
    assert_has(all, "set", "\"cmd_t\":");
    assert_has(all, "pick", "\"cmd_t\":");
    assert_has(all, "pick", "\"ops\":[\"removed\"]");
    assert_has(all, "flow_temp", "\"p\":\"sensor\"");
    ghosts.removed = true;
    assert_true(hass_message(f->plan, BOILER, &ghosts, f->text, MESSAGE_SIZE) > 0);
    assert_has(judge(f), "old", "{\"p\":\"sensor\"}");
    ghosts.removed = false;
    assert_true(hass_ghost_message(f->plan, &ghosts, f->text, MESSAGE_SIZE) > 0);
    assert_has(judge(f), "ev", "\"evt_typ\":[\"removed\"]");
}

static void a_ghost_of_another_platform_has_its_key_alone_until_it_is_gone(void **state)
{
    static const struct ghost gone[] = {
        {.device = "boiler", .platform = "sensor", .key = "mode"},
        {.device = "boiler", .platform = "binary_sensor", .key = "mode"}};
    struct fixture *f = *state;
    struct hass_ghosts ghosts = {.ghosts = gone, .count = 2};

    f->plan->rights = COMMAND_RIGHTS_ALL;
    assert_true(hass_message(f->plan, BOILER, &ghosts, f->text, MESSAGE_SIZE) > 0);
    assert_has(judge(f), "mode", "\"p\":\"sensor\",\"uniq_id\"");
    ghosts.removed = true;
    assert_true(hass_message(f->plan, BOILER, &ghosts, f->text, MESSAGE_SIZE) > 0);
    assert_has(judge(f), "mode", "{\"p\":\"sensor\"}");
    assert_has(components(f, BOILER, COMMAND_RIGHTS_ALL), "mode", "\"p\":\"select\"");
}

static void one_of_many_stands_at_its_device_when_it_is_wished(void **state)
{
    struct fixture *f = *state;
    const cJSON *all = components(f, BOILER, COMMAND_RIGHTS_ACK);

    assert_null(cJSON_GetObjectItem(all, "rule-silent-boiler-flow_temp-state"));
    f->rules[SILENT_1].each = f->rules[SILENT_2].each = f->rules[SILENT_3].each = true;
    f->rules[SILENT_2].label = "Ausfall";
    plan_free(f->plan);
    f->plan = plan_new(f->site, "t/cellar");
    assert_has(components(f, BOILER, COMMAND_RIGHTS_ACK), "rule-silent-boiler-flow_temp-state",
               "\"name\":\"Vorlauf silent\"");
    assert_has(components(f, METER, COMMAND_RIGHTS_ACK), "rule-silent-meter-power-state",
               "\"name\":\"power Ausfall\"");
    assert_has(components(f, N_DEVICES, COMMAND_RIGHTS_ACK), "rule-silent-state",
               "\"p\":\"sensor\""); /* how many there are stays */
}

static void what_was_renamed_keeps_its_ids_and_has_new_topics(void **state)
{
    struct fixture *f = *state;
    struct inventory_device devices[N_DEVICES];
    const cJSON *all;

    memcpy(devices, site_devices, sizeof(devices));
    devices[BOILER].was = "burner";
    f->site->devices = devices;
    f->sensors[FAULT].was = "alarm";
    all = components(f, BOILER, COMMAND_RIGHTS_ALL);
    assert_has(all, "alarm", "\"uniq_id\":\"cellar-burner-alarm\"");
    assert_has(all, "alarm", "{{ value_json['fault'] }}");
    assert_has(all, "alarm", "\"cmd_t\":\"t/cellar/boiler/fault/set\"");
    assert_has(all, "flow_temp", "\"uniq_id\":\"cellar-burner-flow_temp\"");
    assert_has(all, "rule-high-burner-flow_temp-state",
               "\"stat_t\":\"t/cellar/rule/high@boiler.flow_temp/state\"");
    assert_non_null(strstr(f->text, "\"identifiers\":[\"cellar-burner\"]"));
    assert_non_null(strstr(f->text, "\"state_topic\":\"t/cellar/boiler/state\""));
    f->site->devices = site_devices;
}

/* -- one message for each entity ------------------------------------------------------------- */

struct alone_ones {
    const cJSON *components; /* of the message for all */
    struct hass_check check;
    int count, stop_at, removed;
    char last[4000];
};

static int judge_entity(void *owner, const struct hass_entity *entity)
{
    struct alone_ones *ones = owner;

    if (++ones->count == ones->stop_at)
        return -EAGAIN;
    if (!entity->text) {
        ones->removed++;
        return 0;
    }
    assert_int_equal(entity->length, strlen(entity->text));
    snprintf(ones->last, sizeof(ones->last), "%s", entity->text);
    cJSON_Delete(hass_judge_entity(&ones->check, entity->platform, entity->text));
    assert_string_equal(ones->check.fault, "");
    return 0;
}

static int compare_entity(void *owner, const struct hass_entity *entity)
{
    const struct alone_ones *ones = owner;
    const cJSON *same = cJSON_GetObjectItemCaseSensitive(ones->components, entity->key);
    cJSON *json = cJSON_Parse(entity->text);

    assert_non_null(same);
    assert_string_equal(hass_text(same, "p"), entity->platform);
    assert_string_equal(hass_text(same, "uniq_id"), hass_text(json, "uniq_id"));
    cJSON_Delete(json);
    return judge_entity(owner, entity);
}

static void alone_an_entity_has_all_that_it_has_in_the_message_for_all(void **state)
{
    struct fixture *f = *state;
    static char text[MESSAGE_SIZE];

    for (uint32_t d = 0; d <= N_DEVICES; d++) {
        struct alone_ones ones = {.components = components(f, d, COMMAND_RIGHTS_ALL)};

        assert_int_equal(hass_entities(f->plan, d, NULL, text, sizeof(text), compare_entity, &ones),
                         0);
        assert_int_equal(ones.count, cJSON_GetArraySize(ones.components));
        hass_check_free(&ones.check);
    }
}

static void a_value_alone_names_its_topic_and_what_it_depends_on(void **state)
{
    struct fixture *f = *state;
    struct alone_ones ones = {.stop_at = 2};
    static const char *const parts[] = {
        "\"stat_t\":\"t/cellar/boiler/state\"",
        "\"availability\":[{\"t\":\"t/cellar/status\"},{\"t\":\"t/cellar/boiler/availability\"}],"
        "\"availability_mode\":\"all\"",
        "\"device\":{\"identifiers\":[\"cellar-boiler\"]",
        "\"origin\":{\"name\":\"Thermogate\"",
    };

    assert_int_equal(
        hass_entities(f->plan, BOILER, NULL, f->text, MESSAGE_SIZE, judge_entity, &ones), -EAGAIN);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        assert_non_null(strstr(ones.last, parts[i]));
    assert_int_equal(ones.count, 2); /* nothing is handed over after a failure */
    hass_check_free(&ones.check);
}

static void what_does_not_fit_alone_has_no_length(void **state)
{
    struct fixture *f = *state;
    struct alone_ones ones = {.stop_at = 1};

    assert_int_equal(hass_entities(f->plan, BOILER, NULL, f->text, 100, judge_entity, &ones),
                     -EAGAIN);
}

static void a_ghost_alone_is_announced_and_removed_by_itself(void **state)
{
    static const struct ghost gone[] = {{.device = "boiler", .platform = "sensor", .key = "old"},
                                        {.device = "boiler", .platform = "number", .key = "set"}};
    struct fixture *f = *state;
    struct hass_ghosts ghosts = {.ghosts = gone, .count = 2};
    struct alone_ones ones = {0};

    assert_int_equal(
        hass_ghost_entities(f->plan, &ghosts, f->text, MESSAGE_SIZE, judge_entity, &ones), 0);
    assert_int_equal(ones.count, 2);
    assert_int_equal(ones.removed, 0);
    ghosts.removed = true;
    assert_int_equal(
        hass_ghost_entities(f->plan, &ghosts, f->text, MESSAGE_SIZE, judge_entity, &ones), 0);
    assert_int_equal(ones.removed, 2);
    hass_check_free(&ones.check);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_may_be_written_is_a_number_a_switch_or_a_select),
        TEST(what_would_be_refused_is_not_offered),
        TEST(a_rule_with_limits_has_numbers_for_them),
        TEST(a_rule_with_which_nothing_is_to_do_has_only_a_state),
        TEST(what_is_published_on_change_is_believed_until_its_heartbeat_failed_thrice),
        TEST(bare_values_have_topics_of_their_own),
        TEST(a_ghost_is_announced_with_the_least_and_then_removed),
        TEST(a_ghost_of_another_platform_has_its_key_alone_until_it_is_gone),
        TEST(one_of_many_stands_at_its_device_when_it_is_wished),
        TEST(what_was_renamed_keeps_its_ids_and_has_new_topics),
        TEST(alone_an_entity_has_all_that_it_has_in_the_message_for_all),
        TEST(a_value_alone_names_its_topic_and_what_it_depends_on),
        TEST(what_does_not_fit_alone_has_no_length),
        TEST(a_ghost_alone_is_announced_and_removed_by_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
