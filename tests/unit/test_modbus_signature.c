#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/modbus/signature.h"
#include "config/config.h"
#include "tests/unit/modbus_fake_port.h"

#include <errno.h>

static const uint8_t volts[] = {0x43, 0x66, 0x80, 0x00, 0x80, 0x00, 0x43, 0x66};
static const uint8_t name[] = {'S', 'c', 'h', 'n', 'e', 'i', 'd', 'e', 'r', ' '};
static const struct fake_registers registers[] = {
    {7, MB_READ_INPUTS, 0, 4, volts},
    {7, MB_READ_HOLDINGS, 69, 5, name},
};

static const struct setting open_table[] = {
    {"signature", SETTING_GROUPS | SETTING_OPEN, .help = ""},
    {"order", SETTING_TEXT, .help = ""},
    {0},
};

static struct conf *conf;
static struct problems *problems;
static struct mb_signature *signature;
static struct fake_port fake;
static struct mb_asked_before before;

static int set_up(void **state)
{
    (void)state;
    problems = problems_new();
    signature = NULL;
    conf = NULL;
    before.n = 0;
    fake = (struct fake_port){.port = {.ask = fake_ask}, .list = registers, .n = 2};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mb_signature_free(signature);
    conf_free(conf);
    problems_free(problems);
    return 0;
}

static int read_text(const char *text)
{
    assert_int_equal(conf_read_text("t.cfg", text, strlen(text), open_table, problems, &conf), 0);
    return mb_signature_read(conf_root(conf), problems, &signature);
}

static bool holds(const char *text)
{
    assert_int_equal(read_text(text), 0);
    return mb_signature_holds(signature, &fake.port, 7, 100, &before);
}

static void a_number_between_two_holds(void **state)
{
    (void)state;
    assert_true(holds("signature = ( { register = \"input 0\"; type = \"float32\"; "
                      "between = ( 200, 250 ) } )"));
}

static void a_number_outside_does_not(void **state)
{
    (void)state;
    assert_false(holds("signature = ( { register = \"input 0\"; type = \"float32\"; "
                       "between = ( 100, 120 ) } )"));
}

static void a_text_is_a_glob(void **state)
{
    (void)state;
    assert_true(holds("signature = ( { register = \"holding 69\"; type = \"string\"; "
                      "length = 10; equals = \"Schn*\" } )"));
}

static void the_order_is_that_of_the_template(void **state)
{
    (void)state;
    assert_true(holds("order = \"CDAB\"; signature = ( { register = \"input 2\"; "
                      "type = \"float32\"; equals = 230.5 } )"));
}

static void all_conditions_must_hold(void **state)
{
    (void)state;
    assert_false(holds("signature = ( { register = \"input 0\"; between = ( 0, 65535 ) },"
                       "{ register = \"input 99\"; between = ( 0, 65535 ) } )"));
    assert_int_equal(mb_signature_size(signature), 2);
}

static void what_was_asked_is_not_asked_again(void **state)
{
    (void)state;
    assert_true(holds("signature = ( { register = \"input 0\"; between = ( 0, 65535 ) },"
                      "{ register = \"input 0\"; type = \"int16\"; between = ( 0, 32767 ) } )"));
    assert_int_equal(fake.asked, 1);
}

static void without_one_there_is_none(void **state)
{
    (void)state;
    assert_int_equal(read_text("order = \"CDAB\""), 0);
    assert_null(signature);
}

static void slips_are_said_in_place(void **state)
{
    (void)state;
    assert_int_equal(read_text("signature = ( { register = \"input 0\" } )"), -EINVAL);
    assert_string_equal(problems_line(problems, 0),
                        "t.cfg:1:15: error: a condition says either what is equal or what it lies "
                        "between");
    conf_free(conf);
    assert_int_equal(read_text("signature = ( { register = \"inptu 0\"; equals = 1 } )"), -EINVAL);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_number_between_two_holds), TEST(a_number_outside_does_not),
        TEST(a_text_is_a_glob),           TEST(the_order_is_that_of_the_template),
        TEST(all_conditions_must_hold),   TEST(what_was_asked_is_not_asked_again),
        TEST(without_one_there_is_none),  TEST(slips_are_said_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
