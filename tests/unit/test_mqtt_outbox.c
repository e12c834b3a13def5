#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/mqtt/inbox.h"
#include "gateway/mqtt/outbox.h"
#include "tests/unit/mqtt_site.h"

#include <errno.h>

static int setup(void **state)
{
    *state = outbox_new();
    return *state == NULL;
}

static int teardown(void **state)
{
    outbox_free(*state);
    return 0;
}

static void put_event(struct outbox *outbox, uint64_t sequence)
{
    struct inventory *site = site_new(NULL);
    struct event event = {.sequence = sequence};

    assert_int_equal(outbox_put_event(outbox, &event, site), 0);
    inventory_release(site);
}

/* Takes the next one as sent; its sequence. */
static uint64_t send_next(struct outbox *outbox, uint64_t *ret_number)
{
    const struct outbox_entry *entry = outbox_next(outbox);

    assert_non_null(entry);
    *ret_number = entry->number;
    outbox_sent(outbox);
    return entry->event.sequence;
}

static void entries_go_in_order_and_leave_when_acknowledged(void **state)
{
    struct outbox *outbox = *state;
    uint64_t numbers[3];

    for (uint64_t i = 0; i < 3; i++)
        put_event(outbox, 10 + i);
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(send_next(outbox, &numbers[i]), 10 + i);
    assert_null(outbox_next(outbox));
    assert_int_equal(outbox_length(outbox), 3);
    outbox_acked(outbox, numbers[1]); /* out of order */
    assert_int_equal(outbox_length(outbox), 3);
    outbox_acked(outbox, numbers[0]);
    assert_int_equal(outbox_length(outbox), 1);
    outbox_acked(outbox, numbers[2]);
    assert_int_equal(outbox_length(outbox), 0);
}

static void what_was_not_acknowledged_goes_again(void **state)
{
    struct outbox *outbox = *state;
    uint64_t numbers[3], number;

    for (uint64_t i = 0; i < 3; i++)
        put_event(outbox, 10 + i);
    for (uint64_t i = 0; i < 3; i++)
        send_next(outbox, &numbers[i]);
    outbox_acked(outbox, numbers[1]);
    outbox_again(outbox);
    assert_int_equal(send_next(outbox, &number), 10);
    assert_int_equal(send_next(outbox, &number), 12);
    assert_null(outbox_next(outbox));
}

static void a_text_keeps_its_topic_and_payload(void **state)
{
    struct outbox *outbox = *state;
    const struct outbox_entry *entry;
    struct inbox_publish *message = calloc(1, sizeof(*message) + sizeof("home/siren"));
    char payload[] = "ON and more";

    strcpy(message->topic, "home/siren");
    message->payload = payload;
    message->length = 2;
    message->row = 7;
    message->retain = true;
    assert_int_equal(outbox_put_message(outbox, message), 0);
    memset(message->topic, '#', sizeof("home/siren") - 1);
    memset(payload, '#', sizeof(payload) - 1);
    free(message);
    entry = outbox_next(outbox);
    assert_null(entry->inventory);
    assert_string_equal(entry->topic, "home/siren");
    assert_int_equal(entry->length, 2);
    assert_memory_equal(entry->payload, "ON", 2);
    assert_int_equal(entry->qos, 0);
    assert_true(entry->retain);
}

static void a_full_outbox_gives_up_the_oldest_and_counts_it(void **state)
{
    struct outbox *outbox = *state;
    uint64_t first, number;

    put_event(outbox, 0);
    send_next(outbox, &first);
    for (uint64_t i = 1; i < OUTBOX_MAX + 5; i++)
        put_event(outbox, i);
    assert_int_equal(outbox_length(outbox), OUTBOX_MAX);
    assert_int_equal(outbox_lost(outbox), 5);
    assert_int_equal(outbox_acked(outbox, first), 0); /* it is gone: nothing happens */
    assert_int_equal(outbox_length(outbox), OUTBOX_MAX);
    assert_int_equal(send_next(outbox, &number), 5);
}

static void what_there_is_no_room_for_is_counted_by_the_next_of_its_rule(void **state)
{
    struct outbox *outbox = *state;
    struct inventory *site = site_new(NULL);
    struct event event = {.instance = HIGH};

    for (uint64_t i = 0; i < OUTBOX_MAX + 5; i++) {
        event.instance = i < 4 ? HIGH : i == 4 ? OVERLOAD : i % 2 ? HIGH : WHOLE;
        event.sequence = i;
        assert_int_equal(outbox_put_event(outbox, &event, site), 0);
    }
    assert_int_equal(outbox_lost(outbox), 1); /* no other of `overload` waits */
    assert_int_equal(outbox_next(outbox)->event.sequence, 5);
    assert_int_equal(outbox_next(outbox)->merged, 4);
    inventory_release(site);
}

static int put_kept(struct outbox *outbox, int64_t row)
{
    struct inbox_publish *message = calloc(1, sizeof(*message) + 2);
    int r;

    message->payload = strcpy(message->topic, "t");
    message->row = row;
    r = outbox_put_message(outbox, message);
    free(message);
    return r;
}

/* Who keeps a message waits for it, and sends no more while too many are under way. */
static void what_somebody_keeps_is_not_given_up(void **state)
{
    struct outbox *outbox = *state;
    uint64_t numbers[8], number;

    for (int64_t row = 1; row <= 8; row++)
        assert_int_equal(put_kept(outbox, row), 0);
    for (size_t i = 0; i < 4; i++)
        send_next(outbox, &numbers[i]);
    for (uint64_t i = 0; i < 2 * OUTBOX_MAX; i++)
        put_event(outbox, i);
    assert_int_equal(outbox_length(outbox), OUTBOX_MAX);
    assert_int_equal(outbox_lost(outbox), OUTBOX_MAX + 8);
    for (size_t i = 4; i < 8; i++)
        send_next(outbox, &numbers[i]);
    assert_int_equal(send_next(outbox, &number), OUTBOX_MAX + 8);
    for (size_t i = 8; i-- > 0;)
        assert_int_equal(outbox_acked(outbox, numbers[i]), i + 1);
    assert_int_equal(outbox_length(outbox), OUTBOX_MAX - 8);
}

static void a_new_one_is_refused_when_all_are_kept(void **state)
{
    struct outbox *outbox = *state;
    uint64_t number;

    for (int64_t row = 1; row <= OUTBOX_MAX; row++)
        assert_int_equal(put_kept(outbox, row), 0);
    assert_int_equal(put_kept(outbox, OUTBOX_MAX + 1), -ENOBUFS);
    assert_int_equal(outbox_lost(outbox), 1);
    send_next(outbox, &number);
    assert_int_equal(outbox_acked(outbox, number), 1);
    assert_int_equal(put_kept(outbox, OUTBOX_MAX + 1), 0);
}

static void a_foreign_number_is_ignored(void **state)
{
    struct outbox *outbox = *state;

    put_event(outbox, 1);
    outbox_acked(outbox, 0);
    outbox_acked(outbox, 77);
    assert_int_equal(outbox_length(outbox), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(entries_go_in_order_and_leave_when_acknowledged, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_was_not_acknowledged_goes_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_text_keeps_its_topic_and_payload, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_outbox_gives_up_the_oldest_and_counts_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            what_there_is_no_room_for_is_counted_by_the_next_of_its_rule, setup, teardown),
        cmocka_unit_test_setup_teardown(what_somebody_keeps_is_not_given_up, setup, teardown),
        cmocka_unit_test_setup_teardown(a_new_one_is_refused_when_all_are_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(a_foreign_number_is_ignored, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
