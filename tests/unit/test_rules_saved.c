#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "rules/saved.h"

#include <stdlib.h>
#include <string.h>

/* One that stands as oddly as can be. */
static struct saved full(void)
{
    struct saved saved = saved_nothing;
    saved.print = 0xc0ffee00c0ffee;
    saved.state = RULE_RECOVERING;
    saved.level = 2;
    saved.level_told = 1;
    saved.told = saved.published = TOLD_THIS;
    saved.changed = (struct moment){5, 1763712125000};
    saved.fired = (struct moment){6, CLOCK_NEVER};
    saved.muted = (struct moment){7, CLOCK_NEVER};
    saved.value = -0.1;
    saved.limit = 1e300;
    saved.acked = saved.disabled = saved.blind = saved.blind_told = 1;
    saved.lives[0] = (struct saved_life){.state = RULE_FIRING};
    saved.lives[2] = (struct saved_life){.state = RULE_RECOVERING, .ran_ms = 99};
    saved.lives[1] =
        (struct saved_life){.state = RULE_PENDING, .ran_ms = 9, .hits = 6, .n_hits = 4};
    saved.n_limits = RULES_LIMITS_MAX;
    for (uint8_t i = 0; i < RULES_LIMITS_MAX; i++) {
        saved.limits[i] = (struct saved_limit){.value = 1.0 / 3, .file = -1.0 / 7};
        memset(saved.limits[i].key, 'a' + i, SAVED_KEY_SIZE - 1);
    }
    return saved;
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    struct saved from = full(), to;
    char text[RULES_SAVED_SIZE], again[RULES_SAVED_SIZE];
    size_t length = saved_write(&from, text);
    assert_int_equal(length, strlen(text));
    assert_non_null(strstr(text, " life.0=firing life.1=pending/9/0110 life.2=recovering/99 "));
    assert_true(saved_read(text, &to));
    saved_write(&to, again);
    assert_string_equal(again, text);
    assert_true(to.lives[1].hits == 6 && to.lives[1].n_hits == 4 && to.level == 2);
}

static void the_longest_line_fits(void **state)
{
    (void)state;
    struct saved from = full();
    char text[RULES_SAVED_SIZE];
    for (size_t i = 0; i < RULES_LEVELS_MAX; i++)
        from.lives[i] = (struct saved_life){.state = RULE_RECOVERING,
                                            .ran_ms = INT64_C(31622400000000),
                                            .hits = UINT64_MAX,
                                            .n_hits = LIFE_HITS_MAX};
    from.cleared = from.fired = from.muted = (struct moment){31622400000000, 31622400000000};
    from.blind_published = 1;
    assert_true(saved_write(&from, text) < RULES_SAVED_SIZE);
    assert_true(saved_read(text, &from));
}

/* Every byte changed, every place cut: known as damaged, or, once in four thousand million times,
 * taken. */
static void a_damaged_line_is_known(void **state)
{
    (void)state;
    struct saved from = full(), to;
    char text[RULES_SAVED_SIZE], broken[RULES_SAVED_SIZE];
    size_t length = saved_write(&from, text);
    for (size_t i = 0; i < length; i++) {
        memcpy(broken, text, sizeof broken);
        broken[i] ^= 1;
        assert_false(saved_read(broken, &to));
        memcpy(broken, text, sizeof broken);
        broken[i] = '\0';
        assert_false(saved_read(broken, &to));
    }
}

static void what_cannot_be_is_damaged_as_well(void **state)
{
    (void)state;
    struct saved from = saved_nothing, to;
    char text[RULES_SAVED_SIZE];
    from.state = RULE_OK;
    from.acked = 1;
    saved_write(&from, text);
    assert_false(saved_read(text, &to));
    from = saved_nothing;
    from.lives[1] = (struct saved_life){.state = RULE_FIRING, .ran_ms = 5};
    saved_write(&from, text);
    assert_false(saved_read(text, &to));
    from = saved_nothing;
    from.level = RULES_LEVELS_MAX;
    saved_write(&from, text);
    assert_false(saved_read(text, &to));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(the_longest_line_fits),
        cmocka_unit_test(a_damaged_line_is_known),
        cmocka_unit_test(what_cannot_be_is_damaged_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
