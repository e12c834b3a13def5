#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/mqtt/inbox.h"
#include "gateway/mqtt/mqtt.h"
#include "tests/unit/mqtt_site.h"

#include <errno.h>

struct fixture {
    struct inbox *inbox;
    struct inventory *site;
    int wakes, urgent;
};

static int put_message(struct inbox *inbox, const char *topic, const char *payload, uint8_t qos,
                       bool retain)
{
    struct mqtt_message message = {.topic = topic,
                                   .payload = payload,
                                   .length = strlen(payload),
                                   .qos = qos,
                                   .retain = retain};

    return inbox_put_message(inbox, &message);
}

static void on_wake(void *owner, bool urgent)
{
    struct fixture *f = owner;

    f->wakes += !urgent;
    f->urgent += urgent;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct inbox_item item;

    f->inbox = inbox_new(on_wake, f);
    f->site = site_new(NULL);
    inbox_put_inventory(f->inbox, f->site);
    if (!inbox_next(f->inbox, &item) || item.what != INBOX_INVENTORY || item.inventory != f->site)
        return 1;
    inventory_release(item.inventory);
    f->wakes = f->urgent = 0;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    inbox_free(f->inbox);
    inventory_release(f->site);
    free(f);
    return 0;
}

static struct reading number(uint32_t sensor, double value)
{
    return (struct reading){.sensor = sensor, .kind = VALUE_NUMBER, .number = value, .at_ms = 9};
}

static void put_poll(struct fixture *f, double value)
{
    struct reading poll[] = {number(ENERGY, value), number(POWER, value)};

    inbox_put_readings(f->inbox, poll, 2);
}

/* Pushes polls until one is kept back. */
static void fill(struct fixture *f)
{
    double value = 0;
    uint64_t before = inbox_superseded(f->inbox);

    while (inbox_superseded(f->inbox) == before)
        put_poll(f, value++);
}

static void everything_comes_out_as_it_went_in_and_in_order(void **state)
{
    struct fixture *f = *state;
    struct reading poll[] = {number(FLOW_TEMP, 1.5),
                             {.sensor = MODE, .kind = VALUE_TEXT, .text = 7, .at_ms = 9},
                             {.sensor = FAULT, .quality = QUALITY_TIMEOUT, .at_ms = 9}};
    struct instance_state standing = {.instance = HIGH, .state = 2, .limit = 85};
    struct event event = {.sequence = 3, .note = "words"};
    struct inbox_item item;

    inbox_put_readings(f->inbox, poll, 3);
    inbox_put_instance(f->inbox, &standing);
    assert_int_equal(inbox_put_event(f->inbox, &event), 0);
    inbox_put_device(f->inbox, METER, QUALITY_TIMEOUT, 12);
    assert_int_equal(put_message(f->inbox, "a/b", "ON", 2, true), 0);

    assert_true(inbox_next(f->inbox, &item));
    assert_int_equal(item.what, INBOX_READING);
    assert_true(item.reading.number == 1.5);
    assert_int_equal(item.reading.at_ms, 9);
    assert_false(item.last);
    assert_true(inbox_next(f->inbox, &item));
    assert_int_equal(item.reading.kind, VALUE_TEXT);
    assert_int_equal(item.reading.text, 7);
    assert_true(inbox_next(f->inbox, &item));
    assert_int_equal(item.reading.sensor, FAULT);
    assert_int_equal(item.reading.quality, QUALITY_TIMEOUT);
    assert_true(item.last);
    assert_true(inbox_next(f->inbox, &item));
    assert_int_equal(item.what, INBOX_INSTANCE);
    assert_true(item.state.limit == 85);
    assert_true(inbox_next(f->inbox, &item));
    assert_int_equal(item.what, INBOX_EVENT);
    assert_string_equal(item.event.note, "words");
    assert_true(inbox_next(f->inbox, &item));
    assert_int_equal(item.what, INBOX_DEVICE);
    assert_int_equal(item.device, METER);
    assert_int_equal(item.why, QUALITY_TIMEOUT);
    assert_true(inbox_next(f->inbox, &item));
    assert_int_equal(item.what, INBOX_PUBLISH);
    assert_string_equal(item.publish->topic, "a/b");
    assert_int_equal(item.publish->length, 2);
    assert_memory_equal(item.publish->payload, "ON", 2);
    assert_int_equal(item.publish->qos, 2);
    assert_true(item.publish->retain);
    free(item.publish);
    assert_false(inbox_next(f->inbox, &item));
}

static void readings_wake_once_and_events_at_once(void **state)
{
    struct fixture *f = *state;
    struct event event = {0};
    struct inbox_item item;

    put_poll(f, 1);
    put_poll(f, 2);
    assert_int_equal(f->wakes, 1);
    assert_int_equal(f->urgent, 0);
    inbox_put_event(f->inbox, &event);
    assert_int_equal(f->wakes, 1);
    assert_int_equal(f->urgent, 1);
    while (inbox_next(f->inbox, &item))
        ;
    put_poll(f, 3);
    assert_int_equal(f->wakes, 2);
}

static void a_long_poll_has_one_end(void **state)
{
    struct fixture *f = *state;
    struct reading poll[700];
    struct inbox_item item;
    int count = 0, ends = 0;

    for (int i = 0; i < 700; i++)
        poll[i] = number(POWER, i);
    inbox_put_readings(f->inbox, poll, 700);
    while (inbox_next(f->inbox, &item)) {
        assert_true(item.reading.number == count);
        count++;
        ends += item.last;
    }
    assert_int_equal(count, 700);
    assert_int_equal(ends, 1);
    assert_true(item.last);
}

static void events_that_are_longer_than_a_batch_are_whole(void **state)
{
    struct fixture *f = *state;
    struct event event = {0};
    struct inbox_item item;
    uint64_t next = 0;

    for (event.sequence = 0; event.sequence < 2000; event.sequence++) {
        snprintf(event.note, sizeof(event.note), "event %d", (int)event.sequence);
        inbox_put_event(f->inbox, &event);
    }
    while (inbox_next(f->inbox, &item)) {
        snprintf(event.note, sizeof(event.note), "event %d", (int)next);
        assert_int_equal(item.event.sequence, next++);
        assert_string_equal(item.event.note, event.note);
    }
    assert_int_equal(next, 2000);
}

static void the_newest_reading_survives_a_stuck_thread(void **state)
{
    struct fixture *f = *state;
    struct reading slow = number(HIDDEN_TEMP, 42);
    struct inbox_item item;
    double power = 0, temp = 0;
    int ends = 0;

    fill(f);
    inbox_put_readings(f->inbox, &slow, 1); /* its only poll for an hour */
    put_poll(f, 1e6);
    put_poll(f, 2e6);
    assert_true(inbox_superseded(f->inbox) >= 4);
    while (inbox_next(f->inbox, &item))
        ;
    put_poll(f, 3e6); /* whatever comes next brings what waited */
    while (inbox_next(f->inbox, &item)) {
        assert_int_equal(item.what, INBOX_READING);
        if (item.reading.sensor == POWER)
            power = item.reading.number;
        if (item.reading.sensor == HIDDEN_TEMP)
            temp = item.reading.number;
        ends += item.last;
    }
    assert_true(power == 3e6);
    assert_true(temp == 42);
    assert_int_equal(ends, 3); /* the meter's that waited, the hidden one's, the new one */
}

static void states_survive_a_stuck_thread(void **state)
{
    struct fixture *f = *state;
    struct instance_state standing = {.instance = HIGH, .state = 2};
    struct inbox_item item;
    int instances = 0, devices = 0;

    fill(f);
    inbox_put_instance(f->inbox, &standing);
    standing.state = 3;
    inbox_put_instance(f->inbox, &standing);
    inbox_put_device(f->inbox, BOILER, QUALITY_TIMEOUT, 1);
    inbox_put_device(f->inbox, BOILER, QUALITY_GOOD, 2);
    while (inbox_next(f->inbox, &item))
        assert_int_equal(item.what, INBOX_READING);
    put_poll(f, 1);
    while (inbox_next(f->inbox, &item)) {
        if (item.what == INBOX_INSTANCE) {
            instances++;
            assert_int_equal(item.state.state, 3);
        }
        if (item.what == INBOX_DEVICE) {
            devices++;
            assert_int_equal(item.why, QUALITY_GOOD);
        }
    }
    assert_int_equal(instances, 1);
    assert_int_equal(devices, 1);
}

static void events_have_room_when_readings_have_none(void **state)
{
    struct fixture *f = *state;
    struct event event = {.sequence = 1};
    struct inbox_item item;
    int events = 0;

    fill(f);
    for (int i = 0; i < 4096; i++)
        assert_int_equal(inbox_put_event(f->inbox, &event), 0);
    while (inbox_next(f->inbox, &item))
        events += item.what == INBOX_EVENT;
    assert_int_equal(events, 4096);
    assert_int_equal(inbox_lost(f->inbox), 0);
}

static void an_event_is_never_lost_in_silence(void **state)
{
    struct fixture *f = *state;
    struct event event = {0};
    int taken = 0;

    while (inbox_put_event(f->inbox, &event) == 0)
        taken++;
    assert_true(taken > 4096);
    while (put_message(f->inbox, "a", "b", 0, false) == 0)
        ; /* the cells that an event no longer fits into */
    assert_int_equal(put_message(f->inbox, "a", "b", 0, false), -ENOBUFS);
    assert_int_equal(inbox_lost(f->inbox), 3);
}

static void an_inventory_comes_through_a_full_queue_in_the_end(void **state)
{
    struct fixture *f = *state;
    struct inventory *newer = site_new(NULL);
    struct event event = {0};
    struct inbox_item item;
    bool came = false;

    while (inbox_put_event(f->inbox, &event) == 0)
        ;
    for (int i = 0; i < 8; i++) /* the cells that an event no longer fits into */
        put_message(f->inbox, "a", "b", 0, false);
    inbox_put_inventory(f->inbox, newer);
    inventory_release(newer);
    put_poll(f, 5);
    while (inbox_next(f->inbox, &item)) {
        assert_int_not_equal(item.what, INBOX_INVENTORY);
        if (item.what == INBOX_PUBLISH)
            free(item.publish);
    }
    put_poll(f, 6);
    assert_true(inbox_next(f->inbox, &item));
    if (item.what == INBOX_INVENTORY) {
        came = item.inventory == newer;
        inventory_release(item.inventory);
    }
    assert_true(came);
}

static void what_nobody_took_is_freed(void **state)
{
    struct fixture *f = *state;

    inbox_put_inventory(f->inbox, f->site);
    put_message(f->inbox, "a", "b", 0, false);
    /* the leak checker looks after teardown */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything_comes_out_as_it_went_in_and_in_order, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(readings_wake_once_and_events_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_poll_has_one_end, setup, teardown),
        cmocka_unit_test_setup_teardown(events_that_are_longer_than_a_batch_are_whole, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_newest_reading_survives_a_stuck_thread, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(states_survive_a_stuck_thread, setup, teardown),
        cmocka_unit_test_setup_teardown(events_have_room_when_readings_have_none, setup, teardown),
        cmocka_unit_test_setup_teardown(an_event_is_never_lost_in_silence, setup, teardown),
        cmocka_unit_test_setup_teardown(an_inventory_comes_through_a_full_queue_in_the_end, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_nobody_took_is_freed, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
