/* What the rule engine costs, on one core:
 *
 *   rules-speed        prints each figure on a line
 *
 * Each measurement is of the calls that the gateway makes: rules_new(), rules_on_poll(). */
#include "config/config.h"
#include "gateway/base/clock.h"
#include "rules/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLL_MS 10

struct bench {
    struct conf *conf;
    struct problems *problems;
    struct text_table *texts;
    struct rules_sensor *sensors;
    struct rules *rules;
    char (*ids)[24];
};

static void ignore_transition(void *owner, const struct rule_transition *transition)
{
    (void)owner;
    (void)transition;
}

static void ignore_event(void *owner, const struct rule_event *event)
{
    (void)owner;
    (void)event;
}

static void ignore_action(void *owner, const struct rule_action *action)
{
    (void)owner;
    (void)action;
}

/* `rules` as libconfig has them, over sensors d.s0, d.s1, ... Returns how long compiling took. */
static int64_t open_bench(struct bench *bench, const char *rules, size_t n_sensors, size_t memory)
{
    static const struct rules_output output = {ignore_transition, ignore_event, ignore_action};
    static const struct setting root[] = {
        {.key = "rules", .forms = SETTING_NAMED, .inside = rules_settings}, {0}};

    *bench = (struct bench){.problems = problems_new(), .texts = text_table_new()};
    bench->sensors = calloc(n_sensors, sizeof(*bench->sensors));
    bench->ids = calloc(n_sensors, sizeof(*bench->ids));
    for (size_t i = 0; i < n_sensors; i++) {
        snprintf(bench->ids[i], sizeof(bench->ids[i]), "d.s%zu", i);
        bench->sensors[i] = (struct rules_sensor){
            .id = bench->ids[i], .every_ms = POLL_MS, .stale_ms = 1000 * POLL_MS, .decimals = -1};
    }
    if (conf_read_text("bench.cfg", rules, strlen(rules), root, bench->problems, &bench->conf) < 0)
        goto fail;

    struct rules_config config = {.rules = section_child(conf_root(bench->conf), "rules"),
                                  .sensors = bench->sensors,
                                  .n_sensors = n_sensors,
                                  .texts = bench->texts,
                                  .memory = memory};
    int64_t start_us = clock_boot_us();

    if (rules_new(&config, &output, NULL, bench->problems, &bench->rules) == 0)
        return clock_boot_us() - start_us;
fail:
    problems_print(bench->problems, stderr);
    exit(1);
}

static void close_bench(struct bench *bench)
{
    rules_free(bench->rules);
    conf_free(bench->conf);
    problems_free(bench->problems);
    text_table_free(bench->texts);
    free(bench->sensors);
    free(bench->ids);
}

/* `count` polls of sensor 0, from poll `first` on; nanoseconds for each. */
static double poll(struct bench *bench, size_t first, size_t count)
{
    int64_t start_us = clock_boot_us();

    for (size_t i = first; i < first + count; i++) {
        struct reading reading = {.at_ms = (int64_t)i * POLL_MS,
                                  .kind = VALUE_NUMBER,
                                  .number = (double)(i * 7919 % 1000)};

        rules_on_poll(bench->rules, &reading, 1, reading.at_ms);
    }
    return (double)(clock_boot_us() - start_us) * 1000 / (double)count;
}

/* `n` rules, each with the number of a sensor of its own between the two halves of its text. */
static char *many_rules(size_t n, const char *before, const char *behind)
{
    char *text = malloc(n * 200 + 100), *at = text;

    at += sprintf(at, "rules: {\n");
    for (size_t i = 0; i < n; i++) {
        at += sprintf(at, "r%zu: { %s%zu%s }\n", i, before, i, behind);
    }
    sprintf(at, "}\n");
    return text;
}

static void measure_evaluations(void)
{
    struct bench bench;

    open_bench(&bench, "rules: { r: { sensor = \"d.s0\"; above = 2000 } }", 1, 0);
    poll(&bench, 0, 100000);
    printf("value > limit through rules_on_poll: %.2f million a second\n",
           1000 / poll(&bench, 100000, 5000000));
    close_bench(&bench);
}

/* Rules that do not read the sensor, and one that does. */
static double cost_beside(size_t others)
{
    struct bench bench;
    char *text = many_rules(others + 1, "sensor = \"d.s", "\"; above = 2000");
    double ns;

    open_bench(&bench, text, others + 1, 0);
    poll(&bench, 0, 100000);
    ns = poll(&bench, 100000, 2000000);
    close_bench(&bench);
    free(text);
    return ns;
}

static void measure_others(void)
{
    printf("a poll beside 10 other rules: %.0f ns\n", cost_beside(10));
    printf("a poll beside 9,999 other rules: %.0f ns\n", cost_beside(9999));
}

static void measure_window(const char *function)
{
    char rule[200];
    struct bench bench;

    snprintf(rule, sizeof(rule), "rules: { r: { when = \"%s(d.s0, #100000) > 1e6\" } }", function);
    open_bench(&bench, rule, 1, 0);
    poll(&bench, 0, 200000);
    printf("%s over 100,000 samples: %.0f ns a reading\n", function, poll(&bench, 200000, 300000));
    close_bench(&bench);
}

static void measure_compiling(void)
{
    struct bench bench;
    char *text = many_rules(10000, "when = \"d.s", " > 5 and d.s0 + d.s1 < 100\"; for = \"1m\"");

    printf("10,000 rules compiled: %.0f ms\n", (double)open_bench(&bench, text, 10000, 0) / 1000);
    close_bench(&bench);
    free(text);
}

static void measure_memory(void)
{
    struct bench bench;
    char *text = many_rules(1000, "when = \"avg(d.s", ", #1000) > 5\"");

    open_bench(&bench, text, 1000, (size_t)1 << 30);
    printf("1,000 windows of 1,000 samples: %.1f MB\n", (double)rules_memory(bench.rules) / 1e6);
    close_bench(&bench);
    free(text);
}

int main(void)
{
    static const char *const functions[] = {"avg", "min", "max", "stddev", "median"};

    measure_evaluations();
    measure_others();
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        measure_window(functions[i]);
    measure_compiling();
    measure_memory();
    return 0;
}
