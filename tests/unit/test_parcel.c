#include "gateway/parcel.h"

#include "gateway/base/clock.h"
#include "gateway/mqtt/mqtt.h"
#include "gateway/notify/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static const struct mqtt_message publication = {
    .topic = "home/siren", .payload = "ON", .length = 2, .qos = 2, .retain = true};
static const struct notify_message letter = {.kind = NOTIFY_CLEARED,
                                             .severity = 2,
                                             .title = "Küche",
                                             .text = "zu heiß",
                                             .rule = "hot",
                                             .sensor = "boiler.temp",
                                             .value = "86.1",
                                             .since_ms = 5,
                                             .at_ms = CLOCK_NEVER};

static void a_message_to_the_broker_comes_out_as_it_went_in(void **state)
{
    struct mqtt_message out;
    size_t size;
    char *bytes = parcel_pack_mqtt(&publication, &size);
    (void)state;
    assert_true(parcel_read_mqtt(bytes, size, 7, &out));
    assert_int_equal(out.row, 7);
    assert_string_equal(out.topic, "home/siren");
    assert_int_equal(out.length, 2);
    assert_memory_equal(out.payload, "ON", 2);
    assert_int_equal(out.qos, 2);
    assert_true(out.retain);
    free(bytes);
}

static void a_message_without_a_payload_has_none(void **state)
{
    struct mqtt_message in = {.topic = "t"}, out;
    size_t size;
    char *bytes = parcel_pack_mqtt(&in, &size);
    (void)state;
    assert_true(parcel_read_mqtt(bytes, size, 1, &out));
    assert_int_equal(out.length, 0);
    assert_int_equal(out.qos, 0);
    assert_false(out.retain);
    free(bytes);
}

static void a_letter_comes_out_as_it_went_in(void **state)
{
    struct notify_message out;
    size_t size;
    char *bytes = parcel_pack_letter(&letter, &size);
    (void)state;
    assert_true(parcel_read_letter(bytes, size, 9, &out));
    assert_int_equal(out.row, 9);
    assert_int_equal(out.kind, NOTIFY_CLEARED);
    assert_int_equal(out.severity, 2);
    assert_string_equal(out.title, "Küche");
    assert_string_equal(out.text, "zu heiß");
    assert_string_equal(out.rule, "hot");
    assert_string_equal(out.sensor, "boiler.temp");
    assert_string_equal(out.value, "86.1");
    assert_string_equal(out.unit, "");
    assert_int_equal(out.since_ms, 5);
    assert_int_equal(out.at_ms, CLOCK_NEVER);
    free(bytes);
}

/* Every length but the whole one lacks a NUL somewhere. */
static void half_a_parcel_is_damaged(void **state)
{
    struct mqtt_message message;
    struct notify_message out;
    size_t size;
    char *bytes = parcel_pack_letter(&letter, &size);
    (void)state;
    for (size_t length = 0; length < size; length++) {
        char *half = malloc(length + 1);
        memcpy(half, bytes, length);
        assert_false(parcel_read_letter(half, length, 1, &out));
        free(half);
    }
    free(bytes);
    assert_false(parcel_read_mqtt("", 0, 1, &message));
    assert_false(parcel_read_mqtt("\1", 1, 1, &message));
    assert_false(parcel_read_mqtt("\1home", 5, 1, &message));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_to_the_broker_comes_out_as_it_went_in),
        cmocka_unit_test(a_message_without_a_payload_has_none),
        cmocka_unit_test(a_letter_comes_out_as_it_went_in),
        cmocka_unit_test(half_a_parcel_is_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
