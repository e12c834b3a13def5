#include "gateway/base/enclosing.h"
#include "gateway/base/report.h"

#include "gateway/base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void gather(void *owner, struct report *report)
{
    const char *broker = owner;

    report_count(report, "polls", 12, true, "Polls that ended.");
    report_count_of(report, "bus", "rs485", "bus_polls", 7, true, "Polls of a bus.");
    report_count_of(report, "bus", "plant", "bus_polls", 8, true, "Polls of a bus.");
    report_count_of(report, "bus", "plant", "bus_bytes", 9, true, "Bytes of a bus.");
    report_count_of(report, "device", "pump", "device_polls", 3, true, "Polls of a device.");
    report_problem(report, "%s is away for %d s", broker, 7);
}

static void counters_traffic_of_buses_and_problems_become_members(void **state)
{
    char text[300];
    struct json json;
    (void)state;
    json_start(&json, text, sizeof(text));
    json_object(&json, NULL);
    report_write(&json, gather, (char[]){"broker"});
    json_end(&json);
    assert_int_not_equal(json_length(&json), 0);
    assert_string_equal(
        text, "{\"counters\":{\"polls\":12},"
              "\"traffic\":{\"bus_polls\":{\"rs485\":7,\"plant\":8},\"bus_bytes\":{\"plant\":9}},"
              "\"problems\":[\"broker is away for 7 s\"]}");
}

struct seen {
    struct report report;
    struct report_row row;
    unsigned count;
};

static void take_row(struct report *report, const struct report_row *row)
{
    struct seen *seen = enclosing(report, struct seen, report);
    seen->row = *row;
    seen->count++;
}

static void a_row_says_of_what_it_is_one(void **state)
{
    struct seen seen = {.report = {.row = take_row}};
    (void)state;
    gather((char[]){"it"}, &seen.report);
    assert_int_equal(seen.count, 5);
    assert_string_equal(seen.row.label, "device");
    assert_string_equal(seen.row.of, "pump");
    assert_true(seen.row.value == 3 && seen.row.total);
    seen.count = 0;
    seen.report.label = "bus";
    gather((char[]){"it"}, &seen.report);
    assert_int_equal(seen.count, 3);
    assert_true(report_wants(&seen.report, "bus"));
    assert_false(report_wants(&seen.report, NULL));
}

static void take_problem(struct report *report, const char *words)
{
    enclosing(report, struct seen, report)->count += (unsigned)strlen(words);
}

static void long_words_are_cut(void **state)
{
    struct seen seen = {.report = {.problem = take_problem}};
    char words[400];
    (void)state;
    memset(words, 'x', sizeof(words));
    words[sizeof(words) - 1] = '\0';
    report_problem(&seen.report, "%s", words);
    assert_int_equal(seen.count, 255);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_traffic_of_buses_and_problems_become_members),
        cmocka_unit_test(a_row_says_of_what_it_is_one),
        cmocka_unit_test(long_words_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
