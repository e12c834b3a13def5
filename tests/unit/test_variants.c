#include "gateway/cli/variants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/config.h"
#include "gateway/base/clock.h"
#include "gateway/cli/rehearse.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char devices[] =
    "buses: { lab: { adapter = \"sim\"; connect = \"sim:\" } }\n"
    "devices: { room: { bus = \"lab\"; channels: { temp: { limits: { low = 2; high = 8; "
    "hysteresis = 2.5 } }\n"
    "} }\n"
    "           hall: { bus = \"lab\"; channels: { temp: { } } } }\n";

static struct made {
    struct variants variants;
    struct rehearsal *rehearsal;
    const char *name;
    char problem[300];
} made;

static void ignore_transition(void *owner, const struct rule_transition *transition)
{
    (void)owner;
    (void)transition;
}

static void ignore_event(void *owner, const struct rule_event *event)
{
    (void)owner;
    (void)event;
}

static void ignore_action(void *owner, const struct rule_action *action)
{
    (void)owner;
    (void)action;
}

static int add(void *owner, struct section *root, struct problems *problems)
{
    (void)owner;
    return variants_add(&made.variants, made.name, root, problems);
}

/* Makes the variants of a rule in a config that ends with `rules`. Release with unmake(). */
static int make(const char *rules, const char *name)
{
    static const struct rules_output output = {ignore_transition, ignore_event, ignore_action};
    char text[2000];
    struct problems *problems = problems_new();
    snprintf(text, sizeof text, "%srules: { %s }\n", devices, rules);
    struct conf_text conf = {"t.cfg", text, strlen(text)};
    struct rehearsal_config config = {
        .texts = &conf, .n_texts = 1, .output = &output, .wall_ms = CLOCK_NEVER, .change = add};
    memset(&made, 0, sizeof made);
    made.name = name;
    int result = rehearsal_open(&config, problems, &made.rehearsal);
    const char *line = problems_line(problems, 0);
    snprintf(made.problem, sizeof made.problem, "%s", line ? line : "");
    problems_free(problems);
    return result;
}

static void unmake(void)
{
    rehearsal_close(made.rehearsal);
}

static const struct variant *find(double low, double back, int64_t for_ms)
{
    for (size_t i = 0; i < made.variants.count; i++) {
        const struct variant *variant = &made.variants.list[i];
        if (variant->low == low && variant->back == back && variant->for_ms == for_ms)
            return variant;
    }
    return NULL;
}

/* The line for the config of a variant. */
static void expect_line(const struct variant *variant, const char *line)
{
    char text[200];
    assert_non_null(variant);
    assert_string_equal(variant_line(&made.variants, variant, text), line);
}

static void limit_hysteresis_and_time_are_varied_around_what_there_is(void **state)
{
    (void)state;
    assert_int_equal(make("a: { sensor = \"room.temp\"; above = -15.0; hysteresis = 0.5; for = "
                          "\"10m\"; hits = \"2 of 3\" }",
                          "a"),
                     0);
    assert_int_equal(made.variants.count, 60);
    const struct variant *present = &made.variants.list[made.variants.present];
    expect_line(present, "above = -15; hysteresis = 0.5; for = \"10m\"");
    assert_int_equal(present->differs, 0);
    assert_string_equal(made.variants.place, "t.cfg:5");
    expect_line(find(-14, 1, 2400000), "above = -14; hysteresis = 1; for = \"40m\"");
    expect_line(find(-16, 0.25, 300000), "above = -16; hysteresis = 0.25; for = \"5m\"");
    assert_int_equal(find(-16, 0.25, 300000)->differs, 4);
    unmake();
}

static void they_are_rules_that_nobody_must_acknowledge(void **state)
{
    size_t found = 0, number;
    (void)state;
    assert_int_equal(make("a: { sensors = \"*.temp\"; above = 30; latch = true; "
                          "on_fire = ( { log = \"warm\" } ) }",
                          "a"),
                     0);
    const struct rules *rules = rehearsal_rules(made.rehearsal);
    for (uint32_t i = 0; i < rules_count(rules); i++) {
        struct rule_info info = rules_info(rules, i);
        if (!variants_find(&made.variants, info.rule, &number))
            continue;
        found++;
        assert_false(info.ack);
        assert_int_equal(info.n_notify, 0);
    }
    assert_int_equal(found, 2 * made.variants.count);
    unmake();
}

static void one_instance_is_varied_alone(void **state)
{
    (void)state;
    assert_int_equal(make("a: { sensors = \"*.temp\"; below = 3; clear_above = 5 }", "a@hall.temp"),
                     0);
    const struct rules *rules = rehearsal_rules(made.rehearsal);
    assert_int_equal(rules_count(rules), 4 + made.variants.count); /* a@..., low and high */
    expect_line(find(1, 4, 60000), "below = 1; clear_above = 5; for = \"1m\"");
    unmake();
}

static void the_limit_of_a_sensor_is_varied_as_far_as_the_other_leaves_room(void **state)
{
    (void)state;
    assert_int_equal(make("", "high@room.temp"), 0);
    expect_line(&made.variants.list[made.variants.present],
                "high = 8; hysteresis = 2.5; for = \"0s\"");
    assert_non_null(find(5.5, 1.25, 0));
    assert_null(find(5.5, 5, 0)); /* down to 0.5, which is below 2 */
    assert_null(find(3, 2.5, 0));
    unmake();
}

static void a_pair_grows_and_shrinks_at_both_ends(void **state)
{
    char text[80];
    (void)state;
    assert_int_equal(make("a: { sensor = \"room.temp\"; outside = ( 18, 26 ); hysteresis = 1; "
                          "adjustable = ( 10, 30, 2 ) }",
                          "a"),
                     0);
    assert_string_equal(variants_limit_name(&made.variants), "outside");
    assert_string_equal(variant_limit(find(16, 1, 0), text), "16, 28");
    expect_line(find(14, 2, 0), "outside = ( 14, 30 ); hysteresis = 2; for = \"0s\"");
    assert_null(find(22, 1, 0)); /* nothing would be inside */
    unmake();
}

static void of_an_expression_only_the_time_is_varied(void **state)
{
    char text[80];
    (void)state;
    assert_int_equal(make("a: { when = \"avg(room.temp, 1h) > 3\"; clear_when = \"room.temp < 1\"; "
                          "for = \"1m\" }",
                          "a"),
                     0);
    assert_int_equal(made.variants.count, 4);
    expect_line(&made.variants.list[3], "for = \"4m\"");
    assert_string_equal(variant_limit(&made.variants.list[0], text), "-");
    unmake();
}

static void what_cannot_be_varied_says_why(void **state)
{
    (void)state;
    assert_int_equal(make("", "nobody"), -EINVAL);
    assert_non_null(strstr(made.problem, "there is no rule \"nobody\""));
    assert_int_equal(make("a: { sensor = \"room.temp\"; levels = ( { severity = \"warning\"; above "
                          "= 3 } ) }",
                          "a"),
                     -EINVAL);
    assert_non_null(strstr(made.problem, "rule \"a\" has levels, each with its own limit"));
    assert_int_equal(make("a: { sensor = \"room.temp\"; levels = ( { severity = \"warning\"; above "
                          "= 3 } ) }",
                          "a/critical"),
                     -EINVAL);
    assert_non_null(strstr(made.problem, "rule \"a\" has no level \"critical\""));
    assert_int_equal(make("a: { sensor = \"room.temp\"; above = 3 }", "a/critical"), -EINVAL);
}

static void one_level_is_varied_with_what_its_rule_has_for_all(void **state)
{
    (void)state;
    assert_int_equal(make("a: { sensor = \"room.temp\"; hysteresis = 1.0; for = \"2m\"\n"
                          "levels = ( { severity = \"warning\"; above = 30.0 },\n"
                          "{ severity = \"critical\"; above = 40.0; for = \"1m\" } ) }",
                          "a/critical"),
                     0);
    expect_line(find(40, 1, 60000), "above = 40; hysteresis = 1; for = \"1m\"");
    assert_int_equal(find(40, 1, 60000)->differs, 0);
    assert_non_null(find(41, 0.5, 120000));
    unmake();
    assert_int_equal(make("a: { sensors = \"*.temp\"; hysteresis = 1.0; for = \"2m\"\n"
                          "levels = ( { severity = \"warning\"; above = 30.0 } ) }",
                          "a/warning@room.temp"),
                     0);
    expect_line(find(30, 1, 120000), "above = 30; hysteresis = 1; for = \"2m\"");
    assert_true(rules_find(rehearsal_rules(made.rehearsal), "0") != RULES_NO_INSTANCE);
    unmake();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limit_hysteresis_and_time_are_varied_around_what_there_is),
        cmocka_unit_test(they_are_rules_that_nobody_must_acknowledge),
        cmocka_unit_test(one_instance_is_varied_alone),
        cmocka_unit_test(the_limit_of_a_sensor_is_varied_as_far_as_the_other_leaves_room),
        cmocka_unit_test(a_pair_grows_and_shrinks_at_both_ends),
        cmocka_unit_test(of_an_expression_only_the_time_is_varied),
        cmocka_unit_test(what_cannot_be_varied_says_why),
        cmocka_unit_test(one_level_is_varied_with_what_its_rule_has_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
