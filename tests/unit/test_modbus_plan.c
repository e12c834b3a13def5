
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/modbus/plan.h"

#include <stdlib.h>
#include <string.h>

#define HOLDING MB_READ_HOLDINGS
#define COIL    MB_READ_COILS

static uint32_t order[200];
static struct mb_block blocks[200];

static size_t plan(const struct mb_span *spans, size_t n, unsigned max_registers, unsigned max_gap)
{
    const struct mb_limits limits = {max_registers, max_gap};

    return mb_plan(spans, n, &limits, order, blocks);
}

static void assert_block(size_t i, unsigned function, unsigned address, unsigned count)
{
    assert_int_equal(blocks[i].request.function, function);
    assert_int_equal(blocks[i].request.address, address);
    assert_int_equal(blocks[i].request.count, count);
}

static void neighbours_come_in_one_read(void **state)
{
    const struct mb_span spans[] = {
        {HOLDING, 102, 2, 0}, {HOLDING, 100, 1, 0}, {HOLDING, 101, 1, 0}};

    (void)state;
    assert_int_equal(plan(spans, 3, 125, 0), 1);
    assert_block(0, HOLDING, 100, 4);
    assert_int_equal(blocks[0].n_spans, 3);
    assert_int_equal(order[0], 1);
    assert_int_equal(order[1], 2);
    assert_int_equal(order[2], 0);
}

static void kinds_are_never_mixed(void **state)
{
    const struct mb_span spans[] = {{MB_READ_INPUTS, 0, 1, 0},
                                    {HOLDING, 1, 1, 0},
                                    {COIL, 2, 1, 0},
                                    {MB_READ_DISCRETES, 3, 1, 0}};

    (void)state;
    assert_int_equal(plan(spans, 4, 125, 100), 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(blocks[i].request.function, i + 1);
}

static void what_is_wanted_equally_often_comes_together(void **state)
{
    const struct mb_span spans[] = {
        {HOLDING, 0, 1, 0}, {HOLDING, 1, 1, 60000}, {HOLDING, 2, 1, 0}, {HOLDING, 3, 1, 60000}};

    (void)state;
    assert_int_equal(plan(spans, 4, 125, 2), 2);
    assert_block(0, HOLDING, 0, 3);
    assert_int_equal(blocks[0].every_ms, 0);
    assert_block(1, HOLDING, 1, 3);
    assert_int_equal(blocks[1].every_ms, 60000);
}

static void gaps_are_read_up_to_max_gap(void **state)
{
    const struct mb_span spans[] = {{HOLDING, 0, 2, 0}, {HOLDING, 5, 1, 0}};

    (void)state;
    assert_int_equal(plan(spans, 2, 125, 2), 2);
    assert_int_equal(plan(spans, 2, 125, 3), 1);
    assert_block(0, HOLDING, 0, 6);
}

static void a_block_is_no_longer_than_max_registers(void **state)
{
    struct mb_span spans[100];

    (void)state;
    for (size_t i = 0; i < 100; i++)
        spans[i] = (struct mb_span){HOLDING, (uint16_t)(i * 2), 2, 0};
    assert_int_equal(plan(spans, 100, 125, 0), 2);
    assert_block(0, HOLDING, 0, 124);
    assert_block(1, HOLDING, 124, 76);
    assert_int_equal(plan(spans, 100, 16, 0), 13);
}

static void bits_count_sixteen_to_a_register(void **state)
{
    const struct mb_span spans[] = {
        {COIL, 0, 1, 0}, {COIL, 31, 1, 0}, {COIL, 1999, 1, 0}, {COIL, 2000, 1, 0}};

    (void)state;
    assert_int_equal(plan(spans, 2, 2, 2), 1);
    assert_block(0, COIL, 0, 32);
    assert_int_equal(plan(spans, 2, 1, 2), 2);
    assert_int_equal(plan(spans, 4, 125, 125), 2);
    assert_block(0, COIL, 0, 2000);
}

static void the_same_and_inner_registers_cost_nothing(void **state)
{
    const struct mb_span spans[] = {{HOLDING, 10, 4, 0}, {HOLDING, 11, 1, 0}, {HOLDING, 10, 4, 0}};

    (void)state;
    assert_int_equal(plan(spans, 3, 4, 0), 1);
    assert_block(0, HOLDING, 10, 4);
    assert_int_equal(blocks[0].n_spans, 3);
}

static void the_last_register_can_be_reached(void **state)
{
    const struct mb_span spans[] = {{HOLDING, 65534, 2, 0}, {HOLDING, 65535, 1, 0}};

    (void)state;
    assert_int_equal(plan(spans, 2, 125, 124), 1);
    assert_block(0, HOLDING, 65534, 2);
}

/* What any plan must keep: every span in one block, within it, no block too long. */
static void assert_plan_is_sound(const struct mb_span *spans, size_t n, size_t n_blocks,
                                 unsigned most)
{
    unsigned seen[200] = {0};
    uint32_t next = 0;

    for (size_t b = 0; b < n_blocks; b++) {
        const struct mb_request *r = &blocks[b].request;

        assert_int_equal(blocks[b].first, next);
        assert_true(r->count <= (r->function <= MB_READ_DISCRETES ? most * 16 : most));
        for (uint32_t i = 0; i < blocks[b].n_spans; i++, next++) {
            const struct mb_span *span = &spans[order[next]];

            seen[order[next]]++;
            assert_int_equal(span->function, r->function);
            assert_true(span->address >= r->address);
            assert_true(span->address + span->count <= r->address + r->count);
        }
    }
    for (size_t i = 0; i < n; i++)
        assert_int_equal(seen[i], 1);
}

static void any_spans_make_a_sound_plan(void **state)
{
    struct mb_span spans[200];

    (void)state;
    srand(1);
    for (int round = 0; round < 2000; round++) {
        size_t n = (size_t)rand() % 200 + 1;
        unsigned most = (unsigned)rand() % 122 + 4, gap = (unsigned)rand() % 20;

        for (size_t i = 0; i < n; i++)
            spans[i] = (struct mb_span){(uint8_t)(rand() % 4 + 1), (uint16_t)(rand() % 500),
                                        (uint16_t)(rand() % 4 + 1), 0};
        assert_plan_is_sound(spans, n, plan(spans, n, most, gap), most);
    }
}

static void nothing_makes_no_block(void **state)
{
    (void)state;
    assert_int_equal(plan(NULL, 0, 125, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_come_in_one_read),
        cmocka_unit_test(kinds_are_never_mixed),
        cmocka_unit_test(what_is_wanted_equally_often_comes_together),
        cmocka_unit_test(gaps_are_read_up_to_max_gap),
        cmocka_unit_test(a_block_is_no_longer_than_max_registers),
        cmocka_unit_test(bits_count_sixteen_to_a_register),
        cmocka_unit_test(the_same_and_inner_registers_cost_nothing),
        cmocka_unit_test(the_last_register_can_be_reached),
        cmocka_unit_test(any_spans_make_a_sound_plan),
        cmocka_unit_test(nothing_makes_no_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
