#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/setting_check.h"

#include <string.h>

static char text[500];

static void choices_are_counted_from_0(void **state)
{
    (void)state;
    assert_int_equal(choice_index("none ack  all", "none"), 0);
    assert_int_equal(choice_index("none ack  all", "all"), 2);
    assert_int_equal(choice_index("none ack all", "al"), -1);
    assert_int_equal(choice_index("none ack all", ""), -1);
    assert_int_equal(choice_index(NULL, "all"), -1);
}

static void choices_are_listed_as_one_speaks(void **state)
{
    (void)state;
    choices_list(text, sizeof text, "none ack all");
    assert_string_equal(text, "\"none\", \"ack\" or \"all\"");
    choices_list(text, sizeof text, "all");
    assert_string_equal(text, "\"all\"");
    choices_list(text, sizeof text, "");
    assert_string_equal(text, "");
}

static void only_a_word_that_differs_in_a_third_is_suggested(void **state)
{
    (void)state;
    hint_for_choice(text, sizeof text, "evn", "none even odd");
    assert_string_equal(text, "did you mean \"even\"?");
    hint_for_choice(text, sizeof text, "xxen", "none even odd");
    assert_string_equal(text, "write \"none\", \"even\" or \"odd\"");
}

static void bounds_are_in_the_unit_of_their_value(void **state)
{
    (void)state;
    setting_bound(text, sizeof text, SETTING_NUMBER, -12.5);
    assert_string_equal(text, "-12.5");
    setting_bound(text, sizeof text, SETTING_DURATION, 90000);
    assert_string_equal(text, "1m 30s");
    setting_bound(text, sizeof text, SETTING_SIZE, 1.5e9);
    assert_string_equal(text, "1.5 GB");
    setting_bound(text, sizeof text, SETTING_SIZE, 0);
    assert_string_equal(text, "0 B");
}

static void forms_that_say_the_same_are_named_once(void **state)
{
    const struct setting texts = {.forms = SETTING_TEXT | SETTING_TEXTS};
    const struct setting numbers = {.forms = SETTING_INT | SETTING_NUMBER};
    const struct setting choice = {.forms = SETTING_BOOL | SETTING_CHOICE, .choices = "auto never"};

    (void)state;
    setting_expected(text, sizeof text, &texts);
    assert_string_equal(text, "a text or a list of texts like [ \"one\", \"two\" ]");
    setting_expected(text, sizeof text, &numbers);
    assert_string_equal(text, "a number");
    setting_expected(text, sizeof text, &choice);
    assert_string_equal(text, "true or false, or \"auto\" or \"never\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(choices_are_counted_from_0),
        cmocka_unit_test(choices_are_listed_as_one_speaks),
        cmocka_unit_test(only_a_word_that_differs_in_a_third_is_suggested),
        cmocka_unit_test(bounds_are_in_the_unit_of_their_value),
        cmocka_unit_test(forms_that_say_the_same_are_named_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
