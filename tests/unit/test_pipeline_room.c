/* From the samples of a poll to the sinks nothing is allocated, whatever rules and windows there
 * are: counted by the linker's wrappers around malloc() and its like. */
#include "gateway/core/pipeline.h"

#include "gateway/base/clock.h"
#include "gateway/base/loop.h"
#include "tests/unit/site_world.h"

#include <stdlib.h>

#define POLLS 2000

static const char config[] =
    "buses: { sim: { adapter = \"sim\" } }\n"
    "devices: { a: { bus = \"sim\"; every = \"1s\"; channels: { t: { } u: { } } } }\n"
    "derived: { sum: { channels: { all: { value = \"a.t + a.u\" } } } }\n"
    "rules: {\n"
    "  hot:   { sensor = \"a.t\"; above = 50; hysteresis = 5; for = \"3s\"; keep_for = \"2s\"\n"
    "           on_change = ( { publish = \"hot\"; payload = \"{value}\" } ) }\n"
    "  mid:   { when = \"median(a.t, 1m) > 20 and avg(a.u, 10s) > 20 and stddev(a.t, 30s) > 1\" }\n"
    "  line:  { when = \"forecast(a.t, 30s, 1m) > 50 or zscore(a.u, 20s) > 3 or ewma(a.t, 5s) > "
    "40\" }\n"
    "  day:   { when = \"max(a.t, 1h@1h) > 50 or increase(a.u, today) > 50\" }\n"
    "  sums:  { sensors = \"*.*\"; when = \"total(a.t) > 1000 or sum_of(\\\"a.*\\\") > 70\"; hits "
    "= \"2 of 3\" }\n"
    "}\n";

static size_t allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    allocations++;
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    allocations++;
    return __real_realloc(memory, size);
}

static size_t told; /* readings, states and publishes that came out */

static void take_readings(void *sink, uint32_t device, const struct reading *readings, size_t count)
{
    (void)sink;
    (void)device;
    (void)readings;
    told += count;
}

static void take_instance(void *sink, const struct instance_state *state)
{
    (void)sink;
    (void)state;
    told++;
}

static void take_publish(void *sink, const char *topic, const char *payload, uint8_t qos,
                         bool retain)
{
    (void)sink;
    (void)topic;
    (void)payload;
    (void)qos;
    (void)retain;
    told++;
}

static const struct sink_calls sink = {
    .readings = take_readings, .instance = take_instance, .publish = take_publish};

static void poll(struct pipeline *pipeline, int64_t n)
{
    struct sample samples[] = {sample_number(0, n * 1000, (double)(n * 37 % 80)),
                               sample_number(1, n * 1000, (double)(n * 13 % 60))};

    clock_use_fixed(n * 1000, INT64_C(1795266125123));
    pipeline_accept(pipeline, 0, samples, 2);
}

static void nothing_is_allocated_for_a_poll(void **state)
{
    struct loop *loop = loop_new();
    struct pipeline *pipeline = pipeline_new(loop);
    struct site_context context = {
        .output = &pipeline_rules_output, .owner = pipeline, .texts = pipeline_texts(pipeline)};
    struct site_world site;
    void *volatile one; /* else the compiler leaves out what is freed at once */

    (void)state;
    clock_use_fixed(0, INT64_C(1795266125123));
    assert_int_equal(pipeline_add_sink(pipeline, &sink, NULL), 0);
    assert_int_equal(site_world_open(&site, config, &context), 0);
    assert_int_equal(pipeline_use(pipeline, site.site, NULL), 0);
    for (int64_t n = 1; n <= 10; n++) /* what is made once */
        poll(pipeline, n);
    allocations = told = 0;
    for (int64_t n = 11; n <= POLLS; n++)
        poll(pipeline, n);
    assert_int_equal(allocations, 0);
    assert_true(told > 3 * POLLS);
    one = calloc(1, 1); /* and they are counted */
    free(one);
    assert_true(allocations > 0);
    site_world_close(&site);
    pipeline_free(pipeline);
    loop_free(loop);
    clock_use_system();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_allocated_for_a_poll),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
