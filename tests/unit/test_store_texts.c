#include "gateway/store/texts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

static void test_texts_come_back_into_another_table(void **state)
{
    struct text_table *from = text_table_new(), *to = text_table_new();
    const char *words[] = {"open", "shut", "", "Tür 2"};
    struct bytes bytes = {0};
    struct bytes_reader reader;
    uint32_t texts[100], back[100];

    (void)state;
    text_table_add(to, "something else");
    for (int i = 0; i < 100; i++)
        texts[i] = text_table_add(from, words[i % 4]);
    texts_encode(&bytes, texts, 100, from);
    assert_true(bytes.length < 130);
    reader = (struct bytes_reader){bytes.data, bytes.data + bytes.length, false};
    assert_true(texts_decode(&reader, back, 100, to));
    assert_ptr_equal(reader.at, reader.end);
    for (int i = 0; i < 100; i++)
        assert_string_equal(text_table_get(to, back[i]), words[i % 4]);
    bytes_free(&bytes);
    text_table_free(from);
    text_table_free(to);
}

static void test_a_full_table_makes_them_other(void **state)
{
    struct text_table *from = text_table_new(), *to = text_table_new();
    struct bytes bytes = {0};
    struct bytes_reader reader;
    uint32_t text, back;
    char word[16];

    (void)state;
    for (int i = 0; i < TEXT_TABLE_MAX + 5; i++) {
        snprintf(word, sizeof(word), "w%d", i);
        text_table_add(to, word);
    }
    text = text_table_add(from, "new");
    texts_encode(&bytes, &text, 1, from);
    reader = (struct bytes_reader){bytes.data, bytes.data + bytes.length, false};
    assert_true(texts_decode(&reader, &back, 1, to));
    assert_string_equal(text_table_get(to, back), "other");
    bytes_free(&bytes);
    text_table_free(from);
    text_table_free(to);
}

static void test_damaged_columns_are_refused(void **state)
{
    struct text_table *table = text_table_new();
    const uint8_t damaged[][8] = {
        {0xff, 0xff, 0xff, 0xff, 0x7f}, /* more texts than bytes */
        {1, 100, 'a'},                  /* a text longer than what is left */
        {1, 1, 'a', 1},                 /* the second of one */
        {2, 1, 'a'},                    /* half a list */
    };
    uint32_t texts[4];

    (void)state;
    for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
        struct bytes_reader reader = {damaged[i], damaged[i] + 4, false};

        assert_false(texts_decode(&reader, texts, 1, table));
    }
    text_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_come_back_into_another_table),
        cmocka_unit_test(test_a_full_table_makes_them_other),
        cmocka_unit_test(test_damaged_columns_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
