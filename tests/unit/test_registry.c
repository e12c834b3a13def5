#include "gateway/core/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

static struct reading number(uint32_t sensor, int64_t at_ms, double value)
{
    return (struct reading){
        .at_ms = at_ms, .sensor = sensor, .kind = VALUE_NUMBER, .number = value};
}

static int update(struct registry *registry, struct reading reading)
{
    return registry_update(registry, &reading);
}

static void before_the_first_reading_nothing_was_read(void **state)
{
    struct registry *registry = registry_new(3);
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(registry_last(registry, i)->quality, QUALITY_NOT_READ);
        assert_int_equal(registry_last(registry, i)->kind, VALUE_NONE);
        assert_int_equal(registry_last(registry, i)->sensor, i);
    }
    registry_free(registry);
    registry_free(NULL);
}

static void the_newest_reading_is_kept_good_or_bad(void **state)
{
    struct registry *registry = registry_new(2);
    struct reading bad = {.at_ms = 9, .sensor = 1, .quality = QUALITY_TIMEOUT};
    (void)state;
    update(registry, number(1, 5, 42));
    assert_true(registry_last(registry, 1)->number == 42);
    assert_int_equal(registry_last(registry, 1)->at_ms, 5);
    assert_int_equal(update(registry, bad), 1);
    assert_int_equal(registry_last(registry, 1)->quality, QUALITY_TIMEOUT);
    assert_int_equal(registry_last(registry, 1)->kind, VALUE_NONE);
    assert_int_equal(registry_last(registry, 0)->quality, QUALITY_NOT_READ);
    registry_free(registry);
}

static void a_change_of_value_or_quality_is_told(void **state)
{
    struct registry *registry = registry_new(1);
    struct reading bad = {.at_ms = 9, .quality = QUALITY_TIMEOUT};
    (void)state;
    assert_int_equal(update(registry, number(0, 1, 5)), 1);
    assert_int_equal(update(registry, number(0, 2, 5)), 0);
    assert_int_equal(registry_last(registry, 0)->at_ms, 2);
    assert_int_equal(update(registry, number(0, 3, 6)), 1);
    assert_int_equal(update(registry, bad), 1);
    assert_int_equal(update(registry, bad), 0);
    bad.quality = QUALITY_CRC;
    assert_int_equal(update(registry, bad), 1);
    registry_free(registry);
}

static void texts_are_compared_as_texts(void **state)
{
    struct registry *registry = registry_new(1);
    struct reading text = {.kind = VALUE_TEXT, .text = 1};
    (void)state;
    assert_int_equal(update(registry, text), 1);
    assert_int_equal(update(registry, text), 0);
    text.text = 2;
    assert_int_equal(update(registry, text), 1);
    registry_free(registry);
}

static void an_unknown_sensor_is_refused(void **state)
{
    struct registry *registry = registry_new(2), *empty = registry_new(0);
    (void)state;
    assert_int_equal(update(registry, number(2, 1, 5)), -ENOENT);
    assert_int_equal(update(registry, number(UINT32_MAX, 1, 5)), -ENOENT);
    assert_null(registry_last(registry, 2));
    assert_int_equal(update(empty, number(0, 1, 5)), -ENOENT);
    assert_null(registry_last(empty, 0));
    registry_free(registry);
    registry_free(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_the_first_reading_nothing_was_read),
        cmocka_unit_test(the_newest_reading_is_kept_good_or_bad),
        cmocka_unit_test(a_change_of_value_or_quality_is_told),
        cmocka_unit_test(texts_are_compared_as_texts),
        cmocka_unit_test(an_unknown_sensor_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
