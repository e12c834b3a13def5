#include "gateway/core/sink.h"

#include "rules/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void every_type_of_event_has_its_name(void **state)
{
    (void)state;
    static const char *const names[] = {"fired", "level",   "cleared",  "blind",   "seeing",
                                        "acked", "muted",   "unmuted",  "enabled", "disabled",
                                        "limit", "command", "notified", "outage",  "gateway"};
    for (uint8_t type = EVENT_FIRED; type <= EVENT_GATEWAY; type++)
        assert_string_equal(event_type_name(type), names[type]);
}

static void a_number_that_is_no_type_has_a_name_too(void **state)
{
    (void)state;
    for (int type = 0; type < 256; type++)
        assert_non_null(event_type_name((uint8_t)type));
}

static void states_and_severities_are_named_as_by_the_rules(void **state)
{
    (void)state;
    assert_string_equal(instance_state_name(RULE_FIRING), "firing");
    assert_string_equal(instance_state_name(RULE_OK), "ok");
    assert_string_equal(instance_severity_name(SEVERITY_CRITICAL), "critical");
}

static void an_alarm_is_on_until_it_has_recovered(void **state)
{
    static const bool firing[] = {
        [RULE_OK] = false, [RULE_PENDING] = false, [RULE_FIRING] = true, [RULE_RECOVERING] = true};
    (void)state;
    for (uint8_t i = 0; i < 4; i++) {
        struct instance_state instance = {.state = i};
        assert_int_equal(instance_is_firing(&instance), firing[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_of_event_has_its_name),
        cmocka_unit_test(a_number_that_is_no_type_has_a_name_too),
        cmocka_unit_test(states_and_severities_are_named_as_by_the_rules),
        cmocka_unit_test(an_alarm_is_on_until_it_has_recovered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
