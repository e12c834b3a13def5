#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/mqtt/topics.h"

#include <stdlib.h>
#include <string.h>

static void topics_have_the_documented_names(void **state)
{
    char to[TOPICS_SIZE];

    (void)state;
    assert_string_equal(topics_status(to, "t/g"), "t/g/status");
    assert_string_equal(topics_health(to, "t/g"), "t/g/health");
    assert_string_equal(topics_event(to, "t/g"), "t/g/event");
    assert_string_equal(topics_device_state(to, "t/g", "boiler"), "t/g/boiler/state");
    assert_string_equal(topics_channel_event(to, "t/g", "door", "bell"), "t/g/door/bell/event");
    assert_string_equal(topics_device_availability(to, "t/g", "boiler"), "t/g/boiler/availability");
    assert_string_equal(topics_rule_state(to, "t/g", "high@boiler.temp"),
                        "t/g/rule/high@boiler.temp/state");
    assert_string_equal(topics_discovery(to, "homeassistant", "cellar", "boiler"),
                        "homeassistant/device/cellar-boiler/config");
    assert_string_equal(topics_discovery(to, "homeassistant", "cellar", NULL),
                        "homeassistant/device/cellar-gateway/config");
    assert_string_equal(topics_entity(to, "homeassistant", "cellar",
                                      &(struct topics_entity){"sensor", "boiler", "flow_temp"}),
                        "homeassistant/sensor/cellar-boiler/flow_temp/config");
}

static void a_base_has_no_wildcards_and_no_odd_ends(void **state)
{
    static const char *const bad[] = {"", "/a", "a/", "a/+/b", "a/#", "$SYS/x", "a\x01", "a\xff"};
    char long_one[200];

    (void)state;
    assert_true(topics_is_base("thermogate/cellar"));
    assert_true(topics_is_base("Küche"));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(topics_is_base(bad[i]));
    memset(long_one, 'a', sizeof(long_one));
    long_one[TOPICS_BASE_SIZE] = '\0';
    assert_false(topics_is_base(long_one));
    long_one[TOPICS_BASE_SIZE - 1] = '\0';
    assert_true(topics_is_base(long_one));
}

static void what_a_broker_would_cut_us_off_for_is_not_publishable(void **state)
{
    char *huge = malloc(70000);

    (void)state;
    assert_true(topics_is_publishable("home/siren"));
    assert_true(topics_is_publishable("/leading/and/trailing/"));
    assert_false(topics_is_publishable(""));
    assert_false(topics_is_publishable("home/+"));
    assert_false(topics_is_publishable("home/#"));
    assert_false(topics_is_publishable("home/\n"));
    assert_false(topics_is_publishable("home/\xc3"));
    memset(huge, 'a', 65536);
    huge[65536] = '\0';
    assert_false(topics_is_publishable(huge));
    huge[65535] = '\0';
    assert_true(topics_is_publishable(huge));
    free(huge);
}

static void the_longest_names_fit(void **state)
{
    char base[TOPICS_BASE_SIZE], slug[64], instance[200], to[TOPICS_SIZE];

    (void)state;
    memset(base, 'b', sizeof(base) - 1);
    base[sizeof(base) - 1] = '\0';
    memset(slug, 's', 63);
    slug[63] = '\0';
    memset(instance, 'i', 191);
    instance[191] = '\0';
    assert_int_equal(strlen(topics_rule_state(to, base, instance)), 128 + 6 + 191 + 6);
    assert_int_equal(strlen(topics_discovery(to, base, slug, slug)), 128 + 8 + 63 + 1 + 63 + 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topics_have_the_documented_names),
        cmocka_unit_test(a_base_has_no_wildcards_and_no_odd_ends),
        cmocka_unit_test(what_a_broker_would_cut_us_off_for_is_not_publishable),
        cmocka_unit_test(the_longest_names_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
