#include "adapters/edge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define CHANNEL 3
#define AT_MS   777

static struct edge edge;

static int begin(void **state)
{
    (void)state;
    edge = (struct edge){0};
    return 0;
}

/* What is read: "" is a code without a text. */
static struct sample take(const char *text)
{
    struct sample read =
        text[0] ? sample_text(CHANNEL, AT_MS, text) : sample_bad(CHANNEL, AT_MS, QUALITY_UNMAPPED);
    return edge_take(&edge, &read);
}

static void expect_event(const char *text)
{
    struct sample sample = take(text);
    assert_int_equal(sample.kind, VALUE_TEXT);
    assert_int_equal(sample.quality, QUALITY_GOOD);
    assert_string_equal(sample.text, text);
    assert_int_equal(sample.channel, CHANNEL);
    assert_int_equal(sample.at_ms, AT_MS);
}

static void expect_quiet(const char *text)
{
    struct sample sample = take(text);
    assert_int_equal(sample.kind, VALUE_NONE);
    assert_int_equal(sample.quality, QUALITY_QUIET);
    assert_int_equal(sample.channel, CHANNEL);
    assert_int_equal(sample.at_ms, AT_MS);
}

static void what_is_read_first_may_have_happened_long_ago(void **state)
{
    (void)state;
    expect_quiet("open");
    expect_quiet("open");
    expect_event("closed");
    expect_event("open");
}

static void a_code_without_a_text_is_no_event(void **state)
{
    (void)state;
    expect_quiet("");
    expect_event("pressed");
    expect_quiet("");
    expect_quiet("");
}

static void behind_it_the_same_text_is_another_event(void **state)
{
    (void)state;
    expect_quiet("");
    expect_event("pressed");
    expect_quiet("");
    expect_event("pressed");
}

static void a_failed_poll_loses_no_change(void **state)
{
    struct sample bad = sample_bad(CHANNEL, AT_MS, QUALITY_TIMEOUT);
    (void)state;
    expect_quiet("closed");
    assert_int_equal(edge_take(&edge, &bad).quality, QUALITY_TIMEOUT);
    expect_event("open");
    assert_int_equal(edge_take(&edge, &bad).quality, QUALITY_TIMEOUT);
    expect_quiet("open");
}

static void a_failed_poll_at_first_is_no_reading(void **state)
{
    struct sample bad = sample_bad(CHANNEL, AT_MS, QUALITY_CRC);
    (void)state;
    assert_int_equal(edge_take(&edge, &bad).quality, QUALITY_CRC);
    expect_quiet("open");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_read_first_may_have_happened_long_ago, begin),
        cmocka_unit_test_setup(a_code_without_a_text_is_no_event, begin),
        cmocka_unit_test_setup(behind_it_the_same_text_is_another_event, begin),
        cmocka_unit_test_setup(a_failed_poll_loses_no_change, begin),
        cmocka_unit_test_setup(a_failed_poll_at_first_is_no_reading, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
