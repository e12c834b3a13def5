#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/section.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct source *source;
static struct section *root;
static struct problems *problems;

static int set_up(void **state)
{
    (void)state;
    source = source_new("t.cfg", "0123456789\n\"text\" and more", 26);
    root = section_new("", (struct place){source, 0});
    problems = problems_new();
    return source != NULL && root != NULL && problems != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    section_free(root);
    source_free(source);
    problems_free(problems);
    return 0;
}

static struct place at(uint32_t offset)
{
    return (struct place){source, offset};
}

static struct value *add(struct section *section, const char *key, uint32_t offset)
{
    struct value *value = section_add(section, key, at(offset));

    assert_non_null(value);
    return value;
}

static void a_text_comes_back_whole_whatever_its_length(void **state)
{
    const char *all = "0123456789abcdefghijklmnopqrstuvwxyz";
    struct value *value = add(root, "text", 1);

    (void)state;
    for (size_t length = strlen(all); length <= strlen(all); length--) {
        assert_int_equal(value_text(value, at(2), all + length, NULL), 0);
        assert_string_equal(section_text(root, "text"), all + length);
        assert_int_equal(section_text_place(root, "text", 99).offset, 2 + strlen(all) - length);
    }
    assert_int_equal(value_text(value, at(2), "", NULL), 0);
    assert_string_equal(section_text(root, "text"), "");
}

static void a_short_text_knows_the_places_of_its_bytes(void **state)
{
    const uint32_t offsets[] = {3, 5, 8};
    struct section *other = section_new("", at(0));

    (void)state;
    assert_int_equal(value_text(add(root, "text", 1), at(2), "ab", offsets), 0);
    assert_int_equal(section_text_place(root, "text", 1).offset, 5);
    assert_int_equal(section_inherit(other, root), 0);
    assert_string_equal(section_text(other, "text"), "ab");
    assert_int_equal(section_text_place(other, "text", 2).offset, 8);
    section_free(other);
}

static void values_come_back_with_their_forms_and_places(void **state)
{
    (void)state;
    value_bool(add(root, "yes", 1), at(2), true);
    value_int(add(root, "many", 3), at(4), INT64_MAX);
    value_number(add(root, "part", 5), at(6), 2.5);
    assert_int_equal(value_text(add(root, "word", 7), at(11), "text", NULL), 0);
    assert_true(section_bool(root, "yes"));
    assert_true(section_int(root, "many") == INT64_MAX);
    assert_true(section_number(root, "part") == 2.5);
    assert_string_equal(section_text(root, "word"), "text");
    assert_int_equal(section_form(root, "yes"), SETTING_BOOL);
    assert_int_equal(section_form(root, "many"), SETTING_INT);
    assert_int_equal(section_form(root, "part"), SETTING_NUMBER);
    assert_int_equal(section_form(root, "word"), SETTING_TEXT);
    assert_int_equal(section_form(root, "none"), 0);
    assert_int_equal(section_place(root, "part").offset, 6);
    assert_int_equal(section_key_place(root, "part").offset, 5);
    assert_int_equal(section_place(root, "none").offset, 0);
}

static void a_key_is_added_once(void **state)
{
    (void)state;
    value_int(add(root, "a", 3), at(4), 1);
    assert_null(section_add(root, "a", at(9)));
    assert_int_equal(section_key_place(root, "a").offset, 3);
}

static void what_the_program_adds_gives_way_to_what_is_there(void **state)
{
    struct section *section = section_new("", (struct place){0});
    struct place place = {0};
    struct section *group = section_make_group(section, "channels", place);
    (void)state;
    assert_non_null(group);
    assert_ptr_equal(section_make_group(section, "channels", place), group);
    assert_int_equal(section_add_text(group, "unit", "K", place), 0);
    assert_int_equal(section_add_text(group, "unit", "F", place), 0);
    assert_string_equal(section_text(group, "unit"), "K");
    assert_null(section_make_group(group, "unit", place));
    section_free(section);
}

static void keys_keep_their_order_and_are_found_in_large_groups(void **state)
{
    char key[32];

    (void)state;
    for (int i = 0; i < 5000; i++) {
        snprintf(key, sizeof key, "key%d", i * 7 % 5000);
        value_int(add(root, key, 0), at(0), i);
    }
    for (int i = 0; i < 5000; i++) {
        snprintf(key, sizeof key, "key%d", i * 7 % 5000);
        assert_string_equal(section_key(root, (size_t)i), key);
        assert_int_equal(section_int(root, key), i);
    }
    assert_null(section_key(root, 5000));
    assert_false(section_has(root, "key5000"));
    assert_null(section_add(root, "key17", at(0)));
}

static void a_byte_of_a_text_is_found_in_the_source(void **state)
{
    const uint32_t offsets[] = {3, 5, 9, 10};

    (void)state;
    value_text(add(root, "plain", 0), at(11), "text", NULL);
    assert_int_equal(section_text_place(root, "plain", 0).offset, 12);
    assert_int_equal(section_text_place(root, "plain", 4).offset, 16);
    assert_int_equal(section_text_place(root, "plain", 400).offset, 16);
    /* A cell of a table has no quote. */
    value_text(add(root, "cell", 0), at(18), "and", NULL);
    assert_int_equal(section_text_place(root, "cell", 1).offset, 19);
    value_text(add(root, "escaped", 0), at(2), "abc", offsets);
    assert_int_equal(section_text_place(root, "escaped", 1).offset, 5);
    assert_int_equal(section_text_place(root, "escaped", 3).offset, 10);
}

static void lists_know_what_they_hold(void **state)
{
    struct value *numbers = add(root, "numbers", 0), *texts = add(root, "texts", 0);
    struct value *mixed = add(root, "mixed", 0), *groups = add(root, "groups", 0);
    struct section *group;

    (void)state;
    value_list(numbers, at(1));
    value_int(value_append(numbers), at(2), 18);
    value_number(value_append(numbers), at(3), 26.5);
    value_list(texts, at(4));
    assert_int_equal(section_form(root, "texts"), SETTING_TEXTS);
    value_text(value_append(texts), at(5), "one", NULL);
    value_list(mixed, at(6));
    value_int(value_append(mixed), at(7), 1);
    value_text(value_append(mixed), at(8), "two", NULL);
    value_list(groups, at(9));
    group = value_group(value_append(groups), at(9));
    value_int(section_add(group, "x", at(9)), at(9), 5);

    assert_int_equal(section_form(root, "numbers"), SETTING_NUMBERS);
    assert_int_equal(section_form(root, "texts"), SETTING_TEXTS);
    assert_int_equal(section_form(root, "mixed"), 0);
    assert_int_equal(section_form(root, "groups"), SETTING_GROUPS);
    assert_true(section_has(root, "mixed"));
    assert_int_equal(section_count(root, "numbers"), 2);
    assert_true(section_number_at(root, "numbers", 0) == 18);
    assert_true(section_number_at(root, "numbers", 1) == 26.5);
    assert_true(isnan(section_number_at(root, "numbers", 2)));
    assert_null(section_text_at(root, "numbers", 0));
    assert_string_equal(section_text_at(root, "texts", 0), "one");
    assert_int_equal(section_place_at(root, "numbers", 1).offset, 3);
    assert_int_equal(section_int(section_group_at(root, "groups", 0), "x"), 5);
    assert_string_equal(section_name(section_group_at(root, "groups", 0)), "");
    assert_null(section_group_at(root, "groups", 1));
}

static void a_single_value_counts_as_a_list_of_one(void **state)
{
    (void)state;
    value_text(add(root, "notify", 1), at(2), "phone", NULL);
    assert_int_equal(section_count(root, "notify"), 1);
    assert_string_equal(section_text_at(root, "notify", 0), "phone");
    assert_null(section_text_at(root, "notify", 1));
    assert_int_equal(section_count(root, "absent"), 0);
    assert_int_equal(section_place_at(root, "notify", 0).offset, 2);
}

static struct section *group_with(struct section *in, const char *name, const char *key, int number)
{
    struct section *group = section_child(in, name);

    if (group == NULL)
        group = value_group(add(in, name, 0), at(0));
    value_int(add(group, key, 5), at(6), number);
    return group;
}

static void joining_puts_groups_together(void **state)
{
    struct section *other = section_new("", at(0));

    (void)state;
    group_with(root, "mqtt", "port", 1883);
    group_with(other, "mqtt", "version", 5);
    group_with(other, "store", "keep", 30);
    section_join(root, other, NULL, problems);
    assert_null(section_key(other, 0));
    section_free(other);
    assert_int_equal(problems_errors(problems), 0);
    assert_int_equal(section_int(section_child(root, "mqtt"), "port"), 1883);
    assert_int_equal(section_int(section_child(root, "mqtt"), "version"), 5);
    assert_int_equal(section_int(section_child(root, "store"), "keep"), 30);
    assert_string_equal(section_key(root, 1), "store");
}

static void joining_names_both_places_of_what_is_given_twice(void **state)
{
    struct section *other = section_new("", at(0));
    struct source *second = source_new("u.cfg", "abc", 3);
    const struct place place = {second, 2};
    char *text = NULL;
    size_t size;
    FILE *to;

    (void)state;
    value_int(add(root, "a", 3), at(4), 1);
    value_int(section_add(other, "a", place), place, 2);
    section_join(root, other, NULL, problems);
    section_free(other);
    assert_int_equal(section_int(root, "a"), 1);
    to = open_memstream(&text, &size);
    problems_print(problems, to);
    fclose(to);
    assert_non_null(strstr(text, "u.cfg:1:3: error: \"a\" is given twice"));
    assert_non_null(strstr(text, "the first is at t.cfg:1:4"));
    free(text);
    source_free(second);
}

static void joining_refuses_two_things_of_one_name(void **state)
{
    static const struct setting table[] = {
        {"devices", SETTING_NAMED | SETTING_OPEN, NULL, 0, 0, NULL, NULL, ""},
        {NULL, 0, NULL, 0, 0, NULL, NULL, NULL}};
    struct section *other = section_new("", at(0)), *devices;

    (void)state;
    devices = value_group(add(root, "devices", 0), at(0));
    group_with(devices, "boiler", "unit", 1);
    devices = value_group(add(other, "devices", 0), at(0));
    group_with(devices, "boiler", "bus", 2);
    group_with(devices, "freezer", "unit", 2);
    section_join(root, other, table, problems);
    section_free(other);
    assert_int_equal(problems_errors(problems), 1);
    assert_non_null(strstr(problems_line(problems, 0), "\"boiler\" is given twice"));
    devices = section_child(root, "devices");
    assert_non_null(section_child(devices, "freezer"));
    assert_false(section_has(section_child(devices, "boiler"), "bus"));
}

static void inheriting_fills_in_what_is_not_there(void **state)
{
    struct section *template = section_new("", at(0)), *device;
    struct value *list;

    (void)state;
    device = group_with(root, "meter", "unit", 3);
    group_with(device, "channels", "power", 1);
    value_int(add(template, "unit", 1), at(1), 99);
    value_text(add(template, "order", 1), at(1), "CDAB", NULL);
    list = add(template, "only", 1);
    value_list(list, at(1));
    value_text(value_append(list), at(1), "power", NULL);
    group_with(template, "channels", "power", 7);
    group_with(template, "channels", "energy", 8);
    assert_int_equal(section_inherit(device, template), 0);
    section_free(template);
    assert_int_equal(section_int(device, "unit"), 3);
    assert_string_equal(section_text(device, "order"), "CDAB");
    assert_string_equal(section_text_at(device, "only", 0), "power");
    assert_int_equal(section_int(section_child(device, "channels"), "power"), 1);
    assert_int_equal(section_int(section_child(device, "channels"), "energy"), 8);
}

static void what_is_forgotten_reads_as_not_written(void **state)
{
    (void)state;
    value_int(add(value_group(add(root, "rules", 1), at(2)), "a", 3), at(4), 1);
    value_int(add(root, "b", 5), at(6), 2);
    section_forget(root, "rules");
    section_forget(root, "rules");
    section_forget(root, "nothing");
    assert_false(section_has(root, "rules"));
    assert_null(section_child(root, "rules"));
    assert_int_equal(section_int(root, "b"), 2);
}

static void one_member_is_inherited_alone(void **state)
{
    struct section *from = section_new("", at(0));

    (void)state;
    value_int(add(from, "a", 1), at(2), 1);
    value_int(add(from, "b", 3), at(4), 2);
    assert_int_equal(section_inherit_key(root, from, "b"), 0);
    assert_int_equal(section_inherit_key(root, from, "c"), 0);
    assert_false(section_has(root, "a"));
    assert_int_equal(section_int(root, "b"), 2);
    assert_int_equal(section_place(root, "b").offset, 4);
    section_free(from);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_come_back_with_their_forms_and_places),
        TEST(a_text_comes_back_whole_whatever_its_length),
        TEST(a_short_text_knows_the_places_of_its_bytes),
        TEST(a_key_is_added_once),
        TEST(what_the_program_adds_gives_way_to_what_is_there),
        TEST(keys_keep_their_order_and_are_found_in_large_groups),
        TEST(a_byte_of_a_text_is_found_in_the_source),
        TEST(lists_know_what_they_hold),
        TEST(a_single_value_counts_as_a_list_of_one),
        TEST(joining_puts_groups_together),
        TEST(joining_names_both_places_of_what_is_given_twice),
        TEST(joining_refuses_two_things_of_one_name),
        TEST(inheriting_fills_in_what_is_not_there),
        TEST(what_is_forgotten_reads_as_not_written),
        TEST(one_member_is_inherited_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
