#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "rules/template.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct world {
    struct arena arena;
    struct names *names;
    struct rules_sensor sensors[3];
    struct fact facts_at[3];
    struct facts facts;
    struct text_table *texts;
    struct rule_transition change;
    struct template_fault fault;
    struct scene scene;
};

static int setup(void **state)
{
    static const char *const ids[] = {"room.temp", "pump.load", "door.event"};
    static const uint32_t slots[] = {0, 1};
    static struct world w;
    memset(&w, 0, sizeof w);
    w.names = names_new(ids, 3);
    w.texts = text_table_new();
    w.sensors[0] = (struct rules_sensor){"room.temp", "Room", "°C", .decimals = 1};
    w.sensors[1] = (struct rules_sensor){"pump.load", "Pump", "", .decimals = -1};
    w.sensors[2] = (struct rules_sensor){"door.event", "Door", "", .text = true, .decimals = -1};
    for (int i = 0; i < 3; i++)
        w.facts_at[i] = (struct fact){.kind = VALUE_NUMBER, .fresh_until_ms = CLOCK_NEVER};
    w.facts_at[0].number = 21.26;
    w.facts_at[1].number = 0.125;
    w.facts_at[2].kind = VALUE_TEXT;
    w.facts_at[2].text = text_table_add(w.texts, "open");
    w.facts = (struct facts){.at = w.facts_at, .texts = w.texts};
    w.change = (struct rule_transition){.to = RULE_FIRING,
                                        .severity = SEVERITY_CRITICAL,
                                        .at_ms = 3725000,
                                        .fired_ms = 65000,
                                        .limit = 20.5};
    w.scene = (struct scene){.change = &w.change,
                             .rule = "warm",
                             .label = "A label",
                             .sensors = w.sensors,
                             .facts = &w.facts,
                             .slots = slots,
                             .now_ms = 3725000};
    setenv("TZ", "UTC", 1);
    clock_use_fixed(3725000, 0);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    clock_use_system();
    arena_free(&w->arena);
    names_free(w->names);
    text_table_free(w->texts);
    return 0;
}

static void expect(struct world *w, const char *text, const char *filled)
{
    char to[400];
    struct template template = {0};
    assert_int_equal(
        template_compile(text, TEMPLATE_TEXT, w->names, &w->arena, &template, &w->fault), 0);
    assert_string_equal(template_fill(&template, &w->scene, to, sizeof to), filled);
}

static void refuse(struct world *w, const char *text, enum template_use use, size_t offset,
                   const char *words, const char *hint)
{
    struct template template;
    assert_int_equal(template_compile(text, use, w->names, &w->arena, &template, &w->fault),
                     -EINVAL);
    assert_string_equal(w->fault.words, words);
    assert_int_equal(w->fault.offset, offset);
    if (hint)
        assert_string_equal(w->fault.hint, hint);
}

static void a_text_without_placeholders_stays_as_it_is(void **state)
{
    expect(*state, "", "");
    expect(*state, "Wärme } 100 % %s", "Wärme } 100 % %s");
}

static void every_placeholder_is_filled(void **state)
{
    expect(*state, "{value} {unit}|{sensor}|{label}|{rule}|{severity}|{state}",
           "21.3 °C|room.temp|Room|warm|critical|firing");
    expect(*state, "{since}|{duration}|{limit}|{time}", "00:01|1h 1m|20.5|01:02");
    expect(*state, "{pump.load}{door.event}", "0.125open");
}

static void a_doubled_brace_is_a_brace(void **state)
{
    expect(*state, "{{\"v\": {value}}", "{\"v\": 21.3}");
    expect(*state, "{{{{{value}{{", "{{21.3{");
}

static void what_is_not_known_is_said_so(void **state)
{
    struct world *w = *state;
    w->facts_at[0].fresh_until_ms = 3725000;
    w->change.limit = (double)NAN;
    w->change.fired_ms = CLOCK_NEVER;
    expect(w, "{value} {limit} {since} {duration}", "unknown none --:-- 0s");
}

static void a_unit_that_is_empty_takes_its_space_along(void **state)
{
    struct world *w = *state;
    w->scene.sensor = 1;
    expect(w, "{value} {unit}, {unit}", "0.125,");
    expect(w, "{unit}", "");
}

static void without_a_sensor_the_label_is_that_of_the_rule(void **state)
{
    struct world *w = *state;
    w->scene.sensor = RULES_NO_SENSOR;
    expect(w, "{label}{sensor} {value} {unit}", "A label unknown");
}

static void a_text_that_does_not_fit_is_cut_at_a_character(void **state)
{
    struct world *w = *state;
    char to[4];
    struct template template;
    assert_int_equal(
        template_compile("ab°", TEMPLATE_TEXT, w->names, &w->arena, &template, &w->fault), 0);
    assert_string_equal(template_fill(&template, &w->scene, to, sizeof to), "ab");
}

static void an_unknown_placeholder_is_refused_where_it_stands(void **state)
{
    refuse(*state, "a {valeu}", TEMPLATE_TEXT, 2, "unknown placeholder \"{valeu}\"",
           "did you mean \"{value}\"?");
    refuse(*state, "{{{x}", TEMPLATE_TEXT, 2, "unknown placeholder \"{x}\"", NULL);
    refuse(*state, "{}", TEMPLATE_TEXT, 0, "unknown placeholder \"{}\"", NULL);
}

static void an_unknown_sensor_is_refused_with_the_nearest(void **state)
{
    refuse(*state, "{room.tmp}", TEMPLATE_TEXT, 0, "unknown placeholder \"{room.tmp}\"",
           "did you mean \"{room.temp}\"?");
}

static void a_brace_that_is_not_closed_is_refused(void **state)
{
    refuse(*state, "ab {value", TEMPLATE_TEXT, 3, "\"{\" without \"}\"",
           "a brace itself is written {{");
}

static void a_topic_takes_no_wildcards_and_no_values(void **state)
{
    refuse(*state, "", TEMPLATE_TOPIC, 0, "a topic cannot be empty or begin with $", NULL);
    refuse(*state, "$SYS/x", TEMPLATE_TOPIC, 0, "a topic cannot be empty or begin with $", NULL);
    refuse(*state, "home/#", TEMPLATE_TOPIC, 5, "a topic to publish to cannot have + or # in it",
           NULL);
    refuse(*state, "home/{value}", TEMPLATE_TOPIC, 5, "a topic cannot have this placeholder", NULL);
    refuse(*state, "{room.temp}", TEMPLATE_TOPIC, 0, "a topic cannot have a value in it", NULL);
}

static void a_text_without_end_is_refused(void **state)
{
    static char text[4 * TEMPLATE_TEXT_MAX];
    memset(text, 'x', TEMPLATE_TEXT_MAX + 1);
    refuse(*state, text, TEMPLATE_TEXT, 0, "the text is too long", NULL);
    text[0] = '\0';
    for (int i = 0; i < 200; i++)
        strcat(text, "{rule}");
    refuse(*state, text, TEMPLATE_TEXT, 768, "too many placeholders in one text", NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_text_without_placeholders_stays_as_it_is),
        TEST(every_placeholder_is_filled),
        TEST(a_doubled_brace_is_a_brace),
        TEST(what_is_not_known_is_said_so),
        TEST(a_unit_that_is_empty_takes_its_space_along),
        TEST(without_a_sensor_the_label_is_that_of_the_rule),
        TEST(a_text_that_does_not_fit_is_cut_at_a_character),
        TEST(an_unknown_placeholder_is_refused_where_it_stands),
        TEST(an_unknown_sensor_is_refused_with_the_nearest),
        TEST(a_brace_that_is_not_closed_is_refused),
        TEST(a_topic_takes_no_wildcards_and_no_values),
        TEST(a_text_without_end_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
