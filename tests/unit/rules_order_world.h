/* Orders for tests of rules. */
#pragma once

#include "tests/unit/rules_world.h"

static inline int world_order(struct world *world, int64_t now_ms, struct rules_order order,
                              struct error *reterr)
{
    order.by = "anna";
    order.via = "test";
    if (order.kind == ORDER_MUTE && order.until_ms == 0)
        order.until_ms = CLOCK_NEVER;
    return rules_order(world->rules, &order, now_ms, reterr);
}

/* What must be taken by one instance. */
static inline void world_do(struct world *world, int64_t now_ms, enum rules_order_kind kind,
                            const char *target)
{
    struct error err = {0};
    struct rules_order order = {.kind = (uint8_t)kind, .target = target};
    int taken = world_order(world, now_ms, order, &err);
    if (taken != 1)
        print_error("%s\n", err.text);
    assert_int_equal(taken, 1);
}

static inline void world_set_limit(struct world *world, int64_t now_ms, const char *target,
                                   const char *key, double value)
{
    struct error err = {0};
    struct rules_order order = {.kind = ORDER_LIMIT, .target = target, .key = key, .value = value};
    int taken = world_order(world, now_ms, order, &err);
    if (taken != 1)
        print_error("%s\n", err.text);
    assert_int_equal(taken, 1);
}

/* What must be refused, for this reason, and change nothing. */
static inline void world_refuses_order(struct world *world, int64_t now_ms,
                                       struct rules_order order, int code, const char *reason)
{
    struct error err = {0};
    assert_int_equal(world_order(world, now_ms, order, &err), code);
    assert_int_equal(err.code, code);
    assert_string_equal(err.text, reason);
    world_expect(world, "");
}
