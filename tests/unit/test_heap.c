#include "gateway/base/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void an_empty_heap_has_no_first(void **state)
{
    struct heap *heap = heap_new(4);
    uint32_t id = 77;
    int64_t key = 78;
    (void)state;
    assert_false(heap_first(heap, &id, &key));
    heap_remove(heap, 2);
    assert_false(heap_first(heap, &id, &key));
    heap_free(heap);
    heap_free(NULL);
}

static void a_heap_for_nothing_is_legal(void **state)
{
    struct heap *heap = heap_new(0);
    uint32_t id;
    int64_t key;
    (void)state;
    assert_non_null(heap);
    assert_false(heap_first(heap, &id, &key));
    heap_free(heap);
}

static void a_heap_that_has_grown_keeps_what_it_has(void **state)
{
    struct heap *heap = heap_new(2);
    uint32_t id;
    int64_t key;
    (void)state;
    heap_set(heap, 1, 7);
    assert_int_equal(heap_grow(heap, 100), 0);
    assert_int_equal(heap_grow(heap, 50), 0);
    assert_false(heap_key(heap, 99, &key));
    heap_set(heap, 99, 6);
    assert_true(heap_first(heap, &id, &key));
    assert_int_equal(id, 99);
    heap_remove(heap, 99);
    assert_true(heap_first(heap, &id, &key));
    assert_int_equal(id, 1);
    heap_free(heap);
}

static void of_equal_keys_the_first_set_is_first(void **state)
{
    struct heap *heap = heap_new(100);
    uint32_t id;
    int64_t key;
    (void)state;
    for (uint32_t i = 0; i < 100; i++)
        heap_set(heap, i * 37 % 100, 5);
    for (uint32_t i = 0; i < 100; i++) {
        assert_true(heap_first(heap, &id, &key));
        assert_int_equal(id, i * 37 % 100);
        heap_remove(heap, id);
    }
    heap_free(heap);
}

static void setting_the_same_key_again_puts_it_last_of_its_equals(void **state)
{
    struct heap *heap = heap_new(3);
    uint32_t id;
    int64_t key;
    (void)state;
    heap_set(heap, 0, 5);
    heap_set(heap, 1, 5);
    heap_set(heap, 0, 5);
    assert_true(heap_first(heap, &id, &key));
    assert_int_equal(id, 1);
    heap_free(heap);
}

static void keys_may_be_any_number(void **state)
{
    struct heap *heap = heap_new(3);
    uint32_t id;
    int64_t key;
    (void)state;
    heap_set(heap, 0, INT64_MAX);
    heap_set(heap, 1, INT64_MIN);
    heap_set(heap, 2, 0);
    assert_true(heap_first(heap, &id, &key));
    assert_int_equal(id, 1);
    assert_true(key == INT64_MIN);
    heap_set(heap, 1, INT64_MAX);
    assert_true(heap_first(heap, &id, &key));
    assert_int_equal(id, 2);
    heap_free(heap);
}

/* A list that is searched from end to end: slow, and without anything to go wrong. */
#define MODEL_IDS 40

struct model {
    struct {
        bool in;
        int64_t key;
        uint64_t turn;
    } ids[MODEL_IDS];
    uint64_t turn;
};

static uint32_t model_first(const struct model *model)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < MODEL_IDS; i++) {
        if (!model->ids[i].in)
            continue;
        if (best == UINT32_MAX || model->ids[i].key < model->ids[best].key ||
            (model->ids[i].key == model->ids[best].key &&
             model->ids[i].turn < model->ids[best].turn))
            best = i;
    }
    return best;
}

static void a_million_random_operations_agree_with_a_naive_list(void **state)
{
    struct heap *heap = heap_new(MODEL_IDS);
    struct model model = {0};
    uint64_t random = 88172645463325252u;
    (void)state;
    for (int i = 0; i < 1000000; i++) {
        uint32_t wanted, id = UINT32_MAX;
        int64_t key = 0;
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        id = (uint32_t)(random >> 8) % MODEL_IDS;
        if (random % 3 == 0) {
            heap_remove(heap, id);
            model.ids[id].in = false;
        } else {
            key = (int64_t)(random >> 40 & 63) - 32;
            heap_set(heap, id, key);
            model.ids[id].in = true;
            model.ids[id].key = key;
            model.ids[id].turn = model.turn++;
        }
        wanted = model_first(&model);
        assert_int_equal(heap_first(heap, &id, &key), wanted != UINT32_MAX);
        if (wanted != UINT32_MAX && (id != wanted || key != model.ids[wanted].key))
            fail_msg("operation %d: %u instead of %u", i, id, wanted);
    }
    heap_free(heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_heap_has_no_first),
        cmocka_unit_test(a_heap_for_nothing_is_legal),
        cmocka_unit_test(a_heap_that_has_grown_keeps_what_it_has),
        cmocka_unit_test(of_equal_keys_the_first_set_is_first),
        cmocka_unit_test(setting_the_same_key_again_puts_it_last_of_its_equals),
        cmocka_unit_test(keys_may_be_any_number),
        cmocka_unit_test(a_million_random_operations_agree_with_a_naive_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
