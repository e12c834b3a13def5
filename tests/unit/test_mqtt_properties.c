/* What a message says of itself in MQTT 5. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/mqtt/properties.h"
#include "gateway/mqtt/session.h"

#include <string.h>

/* The library keeps its books only while there is a client. */
static int setup(void **state)
{
    return MQTTClient_create(state, "tcp://127.0.0.1", "test", MQTTCLIENT_PERSISTENCE_NONE, NULL);
}

static int teardown(void **state)
{
    MQTTClient_destroy(state);
    return 0;
}

static MQTTProperties *of(struct properties *properties, const char *payload, bool is_value)
{
    struct session_message message = {
        .payload = payload, .length = strlen(payload), .is_value = is_value};

    return properties_of(properties, &message);
}

static void a_message_says_what_its_content_is(void **state)
{
    struct properties properties = {0};
    (void)state;

    assert_int_equal(properties_make(&properties, 0), 0);
    assert_ptr_equal(of(&properties, "{\"a\":1}", false), &properties.of_json);
    assert_ptr_equal(of(&properties, "[]", false), &properties.of_json);
    assert_ptr_equal(of(&properties, "online", false), &properties.of_text);
    assert_ptr_equal(of(&properties, "", false), &properties.of_text);
    properties_release(&properties);
}

static void a_value_says_only_how_long_it_is_kept(void **state)
{
    struct properties forever = {0}, hour = {0};
    (void)state;

    assert_int_equal(properties_make(&forever, 0), 0);
    assert_int_equal(properties_make(&hour, 3600), 0);
    assert_null(of(&forever, "{\"a\":1}", true));
    assert_int_equal(MQTTProperties_getNumericValue(of(&hour, "{\"a\":1}", true),
                                                    MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL),
                     3600);
    properties_release(&forever);
    properties_release(&hour);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_says_what_its_content_is, setup, teardown),
        cmocka_unit_test_setup_teardown(a_value_says_only_how_long_it_is_kept, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
