#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "gateway/base/text.h"
#include "gateway/notify/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOON   INT64_C(1795262400000) /* 2026-11-21 12:00 UTC */
#define MINUTE INT64_C(60000)

static struct delivery delivery;

static int setup(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    return 0;
}

static struct notify_message message(const char *rule, uint8_t kind, const char *text, int minute)
{
    return (struct notify_message){.row = 7,
                                   .kind = kind,
                                   .severity = 1,
                                   .rule = rule,
                                   .title = "Boiler",
                                   .text = text,
                                   .sensor = "boiler.temp",
                                   .at_ms = NOON + minute * MINUTE,
                                   .since_ms = CLOCK_NEVER};
}

static void compose(size_t count, const struct notify_message *messages, int64_t now_ms)
{
    const struct notify_message *list[200];

    for (size_t i = 0; i < count; i++)
        list[i] = &messages[i];
    words_compose(list, count, now_ms, &delivery);
}

static void a_message_in_time_goes_as_it_is(void **state)
{
    struct notify_message one = message("high", NOTIFY_FIRED, "86.1 °C since 14:02", 2);

    (void)state;
    compose(1, &one, NOON + 3 * MINUTE);
    assert_string_equal(delivery.title, "Boiler");
    assert_string_equal(delivery.text, "86.1 °C since 14:02");
    assert_string_equal(delivery.rule, "high");
    assert_string_equal(delivery.sensor, "boiler.temp");
    assert_int_equal(delivery.kind, NOTIFY_FIRED);
}

static void a_late_one_says_when(void **state)
{
    struct notify_message one = message("high", NOTIFY_FIRED, "86.1 °C", 2);

    (void)state;
    compose(1, &one, NOON + 31 * MINUTE);
    assert_string_equal(delivery.text, "86.1 °C (12:02, delivered 12:31)");
    compose(1, &one, NOON + 24 * 60 * MINUTE);
    assert_string_equal(delivery.text, "86.1 °C (21 Nov 12:02, delivered 12:00)");
}

static void without_a_good_clock_there_is_no_time(void **state)
{
    struct notify_message one = message("high", NOTIFY_FIRED, "86.1 °C", 2);

    (void)state;
    compose(1, &one, CLOCK_NEVER);
    assert_string_equal(delivery.text, "86.1 °C");
    one.at_ms = CLOCK_NEVER;
    compose(1, &one, NOON);
    assert_string_equal(delivery.text, "86.1 °C");
}

static void an_alarm_and_its_clearing_are_one_text(void **state)
{
    struct notify_message two[] = {message("high", NOTIFY_FIRED, "86.1 °C", 2),
                                   message("high", NOTIFY_CLEARED, "back to 82 °C", 14)};

    (void)state;
    two[0].severity = 2;
    compose(2, two, NOON + 31 * MINUTE);
    assert_string_equal(delivery.title, "Boiler");
    assert_string_equal(delivery.text, "12:02 86.1 °C\n12:14 back to 82 °C\ndelivered 12:31");
    assert_int_equal(delivery.kind, NOTIFY_CLEARED);
    assert_int_equal(delivery.severity, 2);
    assert_int_equal(words_urgency(&delivery), 0);
}

static void different_rules_are_a_group(void **state)
{
    struct notify_message two[] = {message("high", NOTIFY_FIRED, "86.1 °C", 2),
                                   message("low", NOTIFY_FIRED, "2 °C", 3)};

    (void)state;
    compose(2, two, NOON + 3 * MINUTE);
    assert_string_equal(delivery.title, "2 messages");
    assert_string_equal(delivery.text, "12:02 86.1 °C\n12:03 2 °C");
    assert_string_equal(delivery.rule, "");
    assert_int_equal(delivery.kind, NOTIFY_GROUP);
    assert_int_equal(words_urgency(&delivery), 1);
}

static void what_there_is_no_room_for_is_counted(void **state)
{
    static struct notify_message many[200];
    char text[101];

    (void)state;
    memset(text, 'x', 100);
    text[100] = '\0';
    for (int i = 0; i < 200; i++)
        many[i] = message("high", NOTIFY_FIRED, text, 0);
    many[3].rule = "low";
    compose(200, many, NOON + 30 * MINUTE);
    assert_true(strlen(delivery.text) < WORDS_TEXT_SIZE);
    assert_non_null(strstr(delivery.text, "\nand 168 more\ndelivered 12:30"));
}

static void a_long_text_is_cut_between_characters_and_keeps_its_time(void **state)
{
    char text[8001] = "";
    struct notify_message one = message("high", NOTIFY_FIRED, text, 2);

    (void)state;
    for (int i = 0; i < 8000; i += 2)
        memcpy(text + i, "\xc3\xbc", 2);
    text[8000] = '\0';
    compose(1, &one, NOON + 31 * MINUTE);
    assert_true(text_is_utf8(delivery.text, strlen(delivery.text)));
    assert_non_null(strstr(delivery.text, "(12:02, delivered 12:31)"));
}

static void hostile_bytes_do_not_come_through(void **state)
{
    struct notify_message one = message("high", NOTIFY_FIRED, "a\x1b[2J\xff\nb", 2);

    (void)state;
    one.title = "x\r\nPriority: 5\xc0";
    compose(1, &one, NOON + 2 * MINUTE);
    assert_string_equal(delivery.text, "a [2J\xef\xbf\xbd\nb");
    assert_string_equal(delivery.title, "x  Priority: 5\xef\xbf\xbd");
}

static void without_texts_there_is_still_a_title(void **state)
{
    struct notify_message none = {.at_ms = CLOCK_NEVER, .since_ms = CLOCK_NEVER};

    (void)state;
    compose(1, &none, NOON);
    assert_string_equal(delivery.title, "Thermogate");
    assert_string_equal(delivery.text, "");
    assert_string_equal(delivery.rule, "");
    none.rule = "frost";
    compose(1, &none, NOON);
    assert_string_equal(delivery.title, "frost");
}

static void the_same_messages_have_the_same_id(void **state)
{
    struct notify_message two[] = {message("high", NOTIFY_FIRED, "a", 2),
                                   message("high", NOTIFY_CLEARED, "b", 3)};
    char first[48];

    (void)state;
    compose(1, two, NOON);
    snprintf(first, sizeof(first), "%s", delivery.id);
    compose(1, two, NOON + 9 * MINUTE);
    assert_string_equal(delivery.id, first);
    compose(2, two, NOON);
    assert_string_not_equal(delivery.id, first);
}

static void times_can_be_written(void **state)
{
    char clock[WORDS_CLOCK_SIZE], utc[WORDS_UTC_SIZE];

    (void)state;
    assert_string_equal(words_clock(NOON, NOON + MINUTE, clock), "12:00");
    assert_string_equal(words_clock(CLOCK_NEVER, NOON, clock), "");
    assert_string_equal(words_utc(NOON + 1500, utc), "2026-11-21T12:00:01Z");
    assert_string_equal(words_utc(CLOCK_NEVER, utc), "");
    assert_string_equal(notify_kind_name(NOTIFY_GROUP), "group");
    assert_string_equal(notify_kind_name(200), "gateway");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_in_time_goes_as_it_is),
        cmocka_unit_test(a_late_one_says_when),
        cmocka_unit_test(without_a_good_clock_there_is_no_time),
        cmocka_unit_test(an_alarm_and_its_clearing_are_one_text),
        cmocka_unit_test(different_rules_are_a_group),
        cmocka_unit_test(what_there_is_no_room_for_is_counted),
        cmocka_unit_test(a_long_text_is_cut_between_characters_and_keeps_its_time),
        cmocka_unit_test(hostile_bytes_do_not_come_through),
        cmocka_unit_test(without_texts_there_is_still_a_title),
        cmocka_unit_test(the_same_messages_have_the_same_id),
        cmocka_unit_test(times_can_be_written),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
