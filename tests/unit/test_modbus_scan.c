#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/modbus/scan.h"
#include "config/config.h"
#include "tests/unit/modbus_fake_port.h"

static const uint8_t words[] = {0, 20, 0, 30};
static const struct fake_registers registers[] = {
    {3, MB_READ_INPUTS, 0, 2, words},
    {4, MB_READ_HOLDINGS, 0, 2, words},
    {5, MB_READ_COILS, 0, 2, words},
};

static const struct setting open_table[] = {
    {"signature", SETTING_GROUPS | SETTING_OPEN, .help = ""},
    {0},
};

static struct fake_port fake;

static int set_up(void **state)
{
    (void)state;
    fake = (struct fake_port){.port = {.ask = fake_ask}, .list = registers, .n = 3};
    return 0;
}

static void who_answers_anything_is_there(void **state)
{
    (void)state;
    assert_int_equal(mb_scan_unit(&fake.port, 4, 100, NULL), QUALITY_GOOD);
    assert_int_equal(mb_scan_unit(&fake.port, 5, 100, NULL), QUALITY_EXCEPTION + 2);
}

static void who_is_silent_is_asked_twice(void **state)
{
    (void)state;
    assert_int_equal(mb_scan_unit(&fake.port, 9, 100, NULL), QUALITY_TIMEOUT);
    assert_int_equal(fake.asked, 2);
}

static void a_converter_that_speaks_for_nobody_is_nobody(void **state)
{
    (void)state;
    fake.absent = QUALITY_EXCEPTION + 11;
    assert_int_equal(mb_scan_unit(&fake.port, 9, 100, NULL), QUALITY_TIMEOUT);
}

static void add(struct mb_guide *guide, const char *name, const char *text)
{
    struct problems *problems = problems_new();
    struct conf *conf;

    assert_int_equal(conf_read_text(name, text, strlen(text), open_table, problems, &conf), 0);
    assert_int_equal(mb_guide_add(guide, name, conf_root(conf), problems), 0);
    conf_free(conf);
    problems_free(problems);
}

static void the_template_that_says_most_comes_first(void **state)
{
    struct mb_guide *guide = mb_guide_new();
    struct mb_found found;

    (void)state;
    add(guide, "less", "signature = ( { register = \"input 0\"; equals = 20 } )");
    add(guide, "none", "signature = ()");
    add(guide, "more",
        "signature = ( { register = \"input 0\"; equals = 20 },"
        "{ register = \"input 1\"; equals = 30 } )");
    add(guide, "wrong", "signature = ( { register = \"input 1\"; equals = 31 } )");
    mb_scan_identify(&fake.port, 3, 100, guide, &found);
    assert_int_equal(found.n_matches, 2);
    assert_string_equal(found.matches[0], "more");
    assert_string_equal(found.matches[1], "less");
    assert_string_equal(found.identity.vendor, "");
    mb_guide_free(guide);
}

#define TEST(test) cmocka_unit_test_setup(test, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_answers_anything_is_there),
        TEST(who_is_silent_is_asked_twice),
        TEST(a_converter_that_speaks_for_nobody_is_nobody),
        TEST(the_template_that_says_most_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
