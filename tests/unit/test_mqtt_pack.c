/* Late readings as messages. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "gateway/mqtt/mqtt.h"
#include "gateway/mqtt/pack.h"
#include "tests/unit/mqtt_site.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>

#define WALL INT64_C(1795266125000) /* 2026-11-21T13:02:05Z */

struct fixture {
    struct text_table *texts;
    struct inventory *site;
    struct pack pack;
    char said[4000];
    size_t messages, states;
    int answer;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    setenv("TZ", "UTC", 1);
    f->texts = text_table_new();
    f->site = site_new(f->texts);
    *state = f;
    return pack_start(&f->pack, f->site, "t/cellar");
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    pack_release(&f->pack);
    inventory_release(f->site);
    text_table_free(f->texts);
    free(f);
    return 0;
}

static int put(void *owner, const struct mqtt_message *message)
{
    struct fixture *f = owner;
    cJSON *json = cJSON_ParseWithLength(message->payload, message->length);
    size_t length = strlen(f->said);

    assert_true(cJSON_IsArray(json));
    assert_int_equal(message->qos, 1);
    assert_false(message->retain);
    f->messages++;
    f->states += (size_t)cJSON_GetArraySize(json);
    cJSON_Delete(json);
    snprintf(f->said + length, sizeof(f->said) - length, "%s %s\n", message->topic,
             message->payload);
    return f->answer;
}

static int pack(struct fixture *f, const struct reading *readings, size_t count)
{
    return pack_readings(&f->pack, readings, count, f->texts, put, f);
}

static struct reading number(uint32_t sensor, int64_t at_ms, double value)
{
    return (struct reading){
        .sensor = sensor, .at_ms = WALL + at_ms, .kind = VALUE_NUMBER, .number = value};
}

static void each_device_has_its_own_message_with_its_polls_in_order(void **state)
{
    struct fixture *f = *state;
    const struct reading readings[] = {number(FLOW_TEMP, 0, 61.2), number(FAULT, 0, 1),
                                       number(HIDDEN_TEMP, 500, 3), number(FLOW_TEMP, 1000, 61.4)};

    assert_int_equal(pack(f, readings, 4), 0);
    assert_string_equal(
        f->said,
        "t/cellar/boiler/replay [{\"ts\":\"2026-11-21T13:02:05.000+00:00\",\"flow_temp\":61.2,"
        "\"fault\":1,\"mode\":null,\"quality\":{\"mode\":\"not_read\"}},"
        "{\"ts\":\"2026-11-21T13:02:06.000+00:00\",\"flow_temp\":61.4,"
        "\"fault\":1,\"mode\":null,\"quality\":{\"mode\":\"not_read\"}}]\n"
        "t/cellar/hidden/replay [{\"ts\":\"2026-11-21T13:02:05.500+00:00\",\"temp\":3}]\n");
}

static void an_event_stands_in_its_own_poll_alone(void **state)
{
    struct fixture *f = *state;
    struct reading on = {.sensor = MODE, .kind = VALUE_TEXT};
    struct reading readings[5];

    site_use_events(f->site);
    on.text = text_table_add(f->texts, "on");
    for (int i = 0; i < 5; i++)
        readings[i] = i % 2 == 0 ? number(FLOW_TEMP, i / 2 * 1000, 61) : on;
    readings[1].at_ms = WALL;
    readings[3].at_ms = WALL + 1000;
    assert_int_equal(pack(f, readings, 5), 0);
    assert_string_equal(
        f->said,
        "t/cellar/boiler/replay [{\"ts\":\"2026-11-21T13:02:05.000+00:00\",\"flow_temp\":61.0,"
        "\"fault\":null,\"mode\":\"on\",\"quality\":{\"fault\":\"not_read\"}},"
        "{\"ts\":\"2026-11-21T13:02:06.000+00:00\",\"flow_temp\":61.0,"
        "\"fault\":null,\"mode\":\"on\",\"quality\":{\"fault\":\"not_read\"}},"
        "{\"ts\":\"2026-11-21T13:02:07.000+00:00\",\"flow_temp\":61.0,"
        "\"fault\":null,\"quality\":{\"fault\":\"not_read\"}}]\n");
}

static void two_polls_of_one_millisecond_are_two(void **state)
{
    struct fixture *f = *state;
    const struct reading readings[] = {number(FLOW_TEMP, 0, 61), number(FAULT, 0, 0),
                                       number(FLOW_TEMP, 0, 62), number(FAULT, 0, 1)};

    assert_int_equal(pack(f, readings, 4), 0);
    assert_int_equal(f->states, 2);
    assert_non_null(strstr(f->said, "\"flow_temp\":61.0,\"fault\":0,"));
    assert_non_null(strstr(f->said, "\"flow_temp\":62.0,\"fault\":1,"));
}

static void a_gap_goes_on_until_a_value_comes_also_over_pages(void **state)
{
    struct fixture *f = *state;
    struct reading reading = {.sensor = HIDDEN_TEMP, .at_ms = WALL, .quality = QUALITY_TIMEOUT};

    pack(f, &reading, 1);
    assert_non_null(strstr(f->said, "\"temp\":null,\"quality\":{\"temp\":\"timeout\"}"));
    f->said[0] = '\0';
    reading = number(HIDDEN_TEMP, 1000, 4);
    pack(f, &reading, 1);
    assert_non_null(strstr(f->said, "\"temp\":4}]"));
}

static void much_of_one_device_is_several_messages(void **state)
{
    struct fixture *f = *state;
    struct reading *readings = calloc(5000, sizeof(*readings));

    for (size_t i = 0; i < 5000; i++)
        readings[i] = number(HIDDEN_TEMP, (int64_t)i, (double)i);
    assert_int_equal(pack(f, readings, 5000), 0);
    assert_int_equal(f->states, 5000);
    assert_true(f->messages > 5 && f->messages < 50);
    free(readings);
}

static void it_ends_when_a_message_is_not_taken(void **state)
{
    struct fixture *f = *state;
    const struct reading readings[] = {number(FLOW_TEMP, 0, 1), number(HIDDEN_TEMP, 0, 1)};

    f->answer = -ENOBUFS;
    assert_int_equal(pack(f, readings, 2), -ENOBUFS);
    assert_int_equal(f->messages, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_event_stands_in_its_own_poll_alone, setup, teardown),
        TEST(each_device_has_its_own_message_with_its_polls_in_order),
        TEST(two_polls_of_one_millisecond_are_two),
        TEST(a_gap_goes_on_until_a_value_comes_also_over_pages),
        TEST(much_of_one_device_is_several_messages),
        TEST(it_ends_when_a_message_is_not_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
