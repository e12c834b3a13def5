#include "gateway/base/arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include <string.h>

static void memory_is_zeroed_and_aligned(void **state)
{
    struct arena arena = {0};
    (void)state;
    for (size_t bytes = 1; bytes < 200; bytes++) {
        unsigned char *piece = arena_take(&arena, bytes);
        assert_non_null(piece);
        assert_int_equal((uintptr_t)piece % alignof(max_align_t), 0);
        for (size_t i = 0; i < bytes; i++)
            assert_int_equal(piece[i], 0);
        memset(piece, 0xff, bytes);
    }
    arena_free(&arena);
}

static void pieces_never_overlap(void **state)
{
    enum { N = 2000 };
    struct arena arena = {0};
    unsigned char *pieces[N];
    (void)state;
    for (size_t i = 0; i < N; i++) {
        pieces[i] = arena_take(&arena, i % 700 + 1);
        memset(pieces[i], (int)(i % 251), i % 700 + 1);
    }
    for (size_t i = 0; i < N; i++)
        for (size_t b = 0; b < i % 700 + 1; b++)
            assert_int_equal(pieces[i][b], i % 251);
    arena_free(&arena);
}

static void a_piece_may_be_larger_than_any_block(void **state)
{
    struct arena arena = {0};
    const char *before = arena_text(&arena, "before");
    char *large = arena_take(&arena, 1000003);
    const char *after = arena_text(&arena, "after");
    (void)state;
    memset(large, 'x', 1000003);
    assert_string_equal(before, "before");
    assert_string_equal(after, "after");
    arena_free(&arena);
}

static void an_impossible_size_is_refused(void **state)
{
    struct arena arena = {0};
    (void)state;
    assert_null(arena_take(&arena, SIZE_MAX));
    assert_null(arena_take(&arena, SIZE_MAX - 8));
    assert_null(arena_copy(&arena, "x", SIZE_MAX / 4, 16));
    assert_string_equal(arena_text(&arena, "still works"), "still works");
    arena_free(&arena);
}

static void a_copy_is_independent_of_what_it_was_made_from(void **state)
{
    struct arena arena = {0};
    int numbers[] = {1, 2, 3};
    const int *copy = arena_copy(&arena, numbers, 3, sizeof(numbers[0]));
    (void)state;
    memset(numbers, 0, sizeof(numbers));
    assert_int_equal(copy[0], 1);
    assert_int_equal(copy[2], 3);
    assert_non_null(arena_copy(&arena, NULL, 0, 8));
    arena_free(&arena);
}

static void a_text_that_is_none_stays_none(void **state)
{
    struct arena arena = {0};
    (void)state;
    assert_null(arena_text(&arena, NULL));
    assert_string_equal(arena_text(&arena, ""), "");
    arena_free(&arena);
}

static void a_formatted_text_is_whole_whatever_its_length(void **state)
{
    struct arena arena = {0};
    char name[30000];
    const char *text;
    (void)state;
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_string_equal(arena_format(&arena, "%s.%d", "boiler", 7), "boiler.7");
    text = arena_format(&arena, "<%s>", name);
    assert_int_equal(strlen(text), sizeof(name) + 1);
    assert_int_equal(text[sizeof(name)], '>');
    arena_free(&arena);
}

static void an_arena_that_was_freed_is_empty_again(void **state)
{
    struct arena arena = {0};
    (void)state;
    arena_free(&arena);
    arena_take(&arena, 100);
    arena_free(&arena);
    arena_free(&arena);
    assert_string_equal(arena_text(&arena, "again"), "again");
    arena_free(&arena);
}

static void texts_and_pieces_share_a_block_and_never_meet(void **state)
{
    struct arena arena = {0};
    const char *texts[2000];
    uint64_t *pieces[2000];
    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        texts[i] = arena_format(&arena, "text %u", i);
        pieces[i] = arena_take(&arena, sizeof(**pieces) * (i % 7 + 1));
        assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
        for (unsigned k = 0; k <= i % 7; k++) {
            assert_int_equal(pieces[i][k], 0);
            pieces[i][k] = i;
        }
    }
    for (unsigned i = 0; i < 2000; i++) {
        char wanted[20];
        snprintf(wanted, sizeof(wanted), "text %u", i);
        assert_string_equal(texts[i], wanted);
        assert_int_equal(pieces[i][i % 7], i);
    }
    arena_free(&arena);
}

static void an_empty_text_costs_nothing(void **state)
{
    struct arena arena = {0};
    (void)state;
    assert_string_equal(arena_text(&arena, ""), "");
    assert_null(arena.newest);
    assert_null(arena_text(&arena, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_and_pieces_share_a_block_and_never_meet),
        cmocka_unit_test(an_empty_text_costs_nothing),
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(pieces_never_overlap),
        cmocka_unit_test(a_piece_may_be_larger_than_any_block),
        cmocka_unit_test(an_impossible_size_is_refused),
        cmocka_unit_test(a_copy_is_independent_of_what_it_was_made_from),
        cmocka_unit_test(a_text_that_is_none_stays_none),
        cmocka_unit_test(a_formatted_text_is_whole_whatever_its_length),
        cmocka_unit_test(an_arena_that_was_freed_is_empty_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
