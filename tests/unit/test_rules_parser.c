#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "rules/evaluate.h"
#include "rules/parser.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Five sensors with values, one without, a device that is online, and one rule called "fire". */
enum { TEMP, HUMIDITY, SPEED, DOOR, DEAD, ONLINE, N_SENSORS };
static const struct rules_sensor sensors[N_SENSORS] = {
    [TEMP] = {.id = "room.temp"},   [HUMIDITY] = {.id = "room.humidity"},
    [SPEED] = {.id = "pump.speed"}, [DOOR] = {.id = "door.event", .text = true},
    [DEAD] = {.id = "cellar.temp"}, [ONLINE] = {.id = "pump.online"},
};
static const char *const ids[N_SENSORS] = {"room.temp",  "room.humidity", "pump.speed",
                                           "door.event", "cellar.temp",   "pump.online"};

struct world {
    struct names *names, *rules;
    struct arena arena;
    struct text_table *texts;
    struct fact facts[N_SENSORS];
    bool firing;
    struct scope scope;
    struct expression_fault fault;
};

static bool rule_is(const void *owner, uint32_t number, enum rule_what what)
{
    const struct world *w = owner;
    return number == 0 && what == RULE_IS_FIRING && w->firing;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    const double values[N_SENSORS] = {20, 50, 100, 0, 0, 1};
    w->names = names_new(ids, N_SENSORS);
    w->rules = names_new((const char *const[]){"fire"}, 1);
    w->texts = text_table_new();
    for (int i = 0; i < N_SENSORS; i++)
        w->facts[i] = (struct fact){.kind = VALUE_NUMBER,
                                    .number = values[i],
                                    .at_ms = 1000,
                                    .fresh_until_ms = CLOCK_NEVER};
    w->facts[DOOR].kind = VALUE_TEXT;
    w->facts[DOOR].text = text_table_add(w->texts, "open");
    w->facts[DEAD] = (struct fact){.kind = VALUE_NONE, .quality = QUALITY_TIMEOUT};
    clock_use_fixed(0, 1763733600000); /* Friday, 21 Nov 2025 14:00 UTC */
    setenv("TZ", "UTC", 1);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    names_free(w->names);
    names_free(w->rules);
    text_table_free(w->texts);
    arena_free(&w->arena);
    free(w);
    clock_use_system();
    return 0;
}

static int parse(struct world *w, const char *text, enum cell_kind kind, uint32_t own,
                 struct code *ret_code)
{
    static struct coder coder;
    w->scope = (struct scope){.names = w->names,
                              .sensors = sensors,
                              .n_sensors = N_SENSORS,
                              .own = own,
                              .key = "when",
                              .arena = &w->arena,
                              .rules = w->rules};
    scope_start(&w->scope);
    coder_start(&coder);
    int result = expression_parse(text, &w->scope, kind, &coder, &w->fault);
    return result ? result : coder_finish(&coder, kind, &w->arena, ret_code);
}

static struct cell run(struct world *w, const char *text, enum cell_kind kind)
{
    struct code code;
    int result = parse(w, text, kind, TEMP, &code);
    if (result)
        fail_msg("%s: %zu: %s (%s)", text, w->fault.offset, w->fault.words, w->fault.hint);
    uint32_t slots[EXPRESSION_SLOTS_MAX];
    for (int i = 0; i < w->scope.n_slots; i++)
        slots[i] = w->scope.slots[i].sensor == RULES_NO_SENSOR ? TEMP : w->scope.slots[i].sensor;
    struct facts facts = {.at = w->facts, .texts = w->texts, .rule_is = rule_is, .owner = w};
    return evaluate(&code, &facts, slots, 61000, NULL);
}

static void is_number(struct world *w, const char *text, double number)
{
    struct cell cell = run(w, text, CELL_NUMBER);
    if (cell.kind != CELL_NUMBER || !(fabs(cell.number - number) < 1e-12))
        fail_msg("%s: %.17g instead of %.17g", text, cell.kind ? cell.number : (double)NAN, number);
}

/* t, f or u. */
static void is_truth(struct world *w, const char *text, char truth)
{
    struct cell cell = run(w, text, CELL_BOOL);
    char is = cell.kind == CELL_UNKNOWN ? 'u' : cell.is ? 't' : 'f';
    if (is != truth)
        fail_msg("%s: %c instead of %c", text, is, truth);
}

/* Refused at the byte where `at` first stands in the text (or at the end, ""), with these words. */
static void is_refused_for(struct world *w, const char *text, enum cell_kind kind, uint32_t own,
                           size_t offset, const char *words, const char *hint)
{
    struct code code;
    int result = parse(w, text, kind, own, &code);
    if (result != -EINVAL || w->fault.offset != offset || strcmp(w->fault.words, words) != 0 ||
        (hint && strcmp(w->fault.hint, hint) != 0))
        fail_msg("%s: %d, at %zu: %s (%s)\ninstead of at %zu: %s (%s)", text, result,
                 w->fault.offset, w->fault.words, w->fault.hint, offset, words, hint ? hint : "");
}

static void is_refused(struct world *w, const char *text, size_t offset, const char *words)
{
    is_refused_for(w, text, CELL_BOOL, TEMP, offset, words, NULL);
}

static void is_refused_with(struct world *w, const char *text, size_t offset, const char *words,
                            const char *hint)
{
    is_refused_for(w, text, CELL_BOOL, TEMP, offset, words, hint);
}

static void operators_bind_as_people_expect(void **state)
{
    is_number(*state, "1 + 2 * 3", 7);
    is_number(*state, "(1 + 2) * 3", 9);
    is_number(*state, "10 - 4 - 3", 3);
    is_number(*state, "100 / 10 / 2", 5);
    is_number(*state, "-2 * -3", 6);
    is_number(*state, "- - 4", 4);
    is_number(*state, "17 % 5 + 1", 3);
    is_truth(*state, "1 + 1 == 2 and 3 > 2 or 1 > 2", 't');
    is_truth(*state, "true or false and false", 't');
    is_truth(*state, "(true or false) and false", 'f');
    is_truth(*state, "not 1 > 2 and true", 't');
    is_truth(*state, "not not true", 't');
}

static void numbers_durations_and_units_are_seconds(void **state)
{
    is_number(*state, "1.5e3", 1500);
    is_number(*state, "90s", 90);
    is_number(*state, "1h30m", 5400);
    is_number(*state, "1h 30m", 5400);
    is_number(*state, "250ms", 0.25);
    is_number(*state, "0.5/m", 0.5 / 60);
    is_number(*state, "36 / h", 0.01);
    is_number(*state, "6/2", 3);
    is_number(*state, "100/pump.speed", 1);
}

static void sensors_are_named_in_three_ways(void **state)
{
    is_number(*state, "value", 20);
    is_number(*state, "room.temp", 20);
    is_number(*state, ".humidity", 50);
    is_number(*state, "pump.speed / .humidity", 2);
    is_truth(*state, "door.event == \"open\"", 't');
    is_truth(*state, "door.event != 'open'", 'f');
    is_truth(*state, "cellar.temp > 1", 'u');
}

static void a_sensor_is_one_slot_however_often_it_is_named(void **state)
{
    struct world *w = *state;
    is_number(w, "pump.speed + pump.speed + .humidity + .humidity + value + value", 340);
    assert_int_equal(w->scope.n_slots, 3);
    struct code code;
    assert_int_equal(
        parse(w, "avg(5m) + avg(value, 5m) + max(5m) + avg(6m)", CELL_NUMBER, TEMP, &code), 0);
    assert_int_equal(w->scope.n_slots, 3);
    assert_int_equal(w->scope.slots[1].needs, WINDOW_NEEDS_SUMS);
}

static void functions_of_numbers_give_what_they_say(void **state)
{
    is_number(*state, "abs(-3)", 3);
    is_number(*state, "round(2.5) + floor(2.9) + ceil(2.1)", 8);
    is_number(*state, "round(-2.5)", -3);
    is_number(*state, "sqrt(16) + exp(0) + ln(1) + log10(1000)", 8);
    is_number(*state, "pow(2, 10)", 1024);
    is_number(*state, "min2(3, 4) + max2(3, 4)", 7);
    is_number(*state, "clamp(5, 0, 3) + clamp(-5, 0, 3) + clamp(2, 0, 3)", 5);
    is_number(*state, "if(value > 10, 1, 2)", 1);
    is_truth(*state, "if(value > 10, value < 5, true)", 'f');
    is_number(*state, "round(dew_point(20, 50) * 100)", 926);
    is_number(*state, "round(dew_point(25, 100) * 1000)", 25000);
    is_number(*state, "round(heat_index(32.22222222222, 70) * 9 / 5 + 32)", 106);
    is_number(*state, "round(heat_index(20, 50) * 10)", 197);
}

static void what_is_not_finite_is_unknown(void **state)
{
    is_truth(*state, "1 / 0 > 1", 'u');
    is_truth(*state, "0 / 0 == 0", 'u');
    is_truth(*state, "5 % 0 == 0", 'u');
    is_truth(*state, "ln(0) < 0", 'u');
    is_truth(*state, "sqrt(-1) < 0", 'u');
    is_truth(*state, "exp(1000) > 0", 'u');
    is_truth(*state, "pow(0, -1) > 0", 'u');
    is_truth(*state, "clamp(1, 3, 2) > 0", 'u');
    is_truth(*state, "dew_point(20, 0) > 0", 'u');
    is_truth(*state, "1e308 * 10 > 1", 'u');
}

static void unknown_goes_through_everything_but_kleenes_logic(void **state)
{
    static const char *const programs[] = {
        "abs(U) > 0",
        "-U > 0",
        "U + 1 > 0",
        "1 - U > 0",
        "U * 0 == 0",
        "pow(U, 0) == 1",
        "min2(U, 1) == 1",
        "clamp(1, U, 2) == 1",
        "clamp(1, 0, U) == 1",
        "clamp(U, 0, 1) == 1",
        "not U > 0",
        "U == U",
        "if(U > 0, 1, 1) == 1",
        "if(true, U, 1) == 1",
        "U > 0 and true",
        "U > 0 or false",
        "dew_point(U, 1) > 0",
        "heat_index(20, U) > 0",
        "U % 2 == 0",
        "avg_of(\"cellar.*\") > 0",
    };
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        char text[200] = "";
        for (const char *c = programs[i]; *c; c++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s",
                     *c == 'U' ? "cellar.temp" : (const char[]){*c, 0});
        is_truth(*state, text, 'u');
    }
    is_truth(*state, "cellar.temp > 0 and false", 'f');
    is_truth(*state, "true or cellar.temp > 0", 't');
    is_number(*state, "if(false, cellar.temp, 7)", 7);
}

static void sensors_are_asked_for_age_data_and_quality(void **state)
{
    is_number(*state, "age()", 60);
    is_truth(*state, "age(value) > 59s", 't');
    is_truth(*state, "age(cellar.temp) > 0", 'u');
    is_truth(*state, "nodata(60s)", 't');
    is_truth(*state, "nodata(61s)", 'f');
    is_truth(*state, "nodata(cellar.temp, 61s)", 't');
    is_truth(*state, "nodata(cellar.temp, 62s)", 'u');
    is_truth(*state, "quality(cellar.temp) == \"timeout\"", 't');
    is_truth(*state, "quality() == \"good\"", 't');
    is_truth(*state, "online(pump)", 't');
}

static void groups_are_over_what_is_good(void **state)
{
    is_number(*state, "sum_of(\"*.temp\")", 20);
    is_number(*state, "avg_of(\"room.*\")", 35);
    is_number(*state, "min_of(\"room.*\") + max_of(\"room.*\")", 70);
    is_number(*state, "count_of(\"*.temp\")", 2);
    is_number(*state, "count_of(\"*.temp\", \"good\")", 1);
    is_number(*state, "count_of(\"cellar.*\", \"good\")", 0);
    is_number(*state, "count_of(\"*\")", 6);
}

static void rules_and_the_calendar_can_be_asked(void **state)
{
    struct world *w = *state;
    is_truth(w, "firing(fire)", 'f');
    w->firing = true;
    is_truth(w, "firing(fire)", 't');
    is_number(w, "hour() * 100 + minute()", 1401);
    is_number(w, "weekday() * 100 + month()", 511);
}

static void a_fault_stands_at_its_place(void **state)
{
    is_refused(*state, "", 0, "the expression is empty");
    is_refused(*state, "   ", 0, "the expression is empty");
    is_refused(*state, "value >", 7, "something is missing at the end");
    is_refused(*state, "value > > 3", 8, "a number, a sensor or a call is missing before \">\"");
    is_refused(*state, "(value > 3", 10, "a ) is missing before the end");
    is_refused(*state, "value > 3)", 9, "\")\" does not fit here");
    is_refused(*state, "value > 3 4", 10, "\"4\" does not fit here");
    is_refused(*state, "1 < value < 3", 10, "comparisons cannot be chained");
    is_refused(*state, "value > 3 and", 13, "something is missing at the end");
    is_refused(*state, "value > #5", 8, "a window stands only in a call");
    is_refused(*state, "door.event == \"open", 14, "the text does not end");
    is_refused(*state, "value > 3 ; 4", 10, "this sign does not belong into an expression");
    is_refused(*state, "value > \xc3\xa4", 8, "this sign does not belong into an expression");
    is_refused(*state, "Value > 3", 0, "names are written in small letters");
    is_refused(*state, "value > 1.2.3", 8, "this is neither a number nor a duration");
    is_refused(*state, "value > 5min", 8, "this is neither a number nor a duration");
    is_refused(*state, "value > .5", 8, "a number begins with a digit");
    is_refused(*state, "value > 1m 1h", 8, "this is no duration");
    is_refused(*state, "value > 1e999", 8, "this is no number");
}

static void what_other_languages_write_is_told_in_ours(void **state)
{
    const char *const words = "this sign does not belong into an expression";
    is_refused_with(*state, "value > 3 && value < 5", 10, words, "write and");
    is_refused_with(*state, "value > 3 || value < 5", 10, words, "write or");
    is_refused_with(*state, "!(value > 3)", 0, words, "write not");
    is_refused_with(*state, "value = 3", 6, words, "write ==");
    is_refused_with(*state, "value <> 3", 6, words, "write !=");
    is_refused_with(*state, "mean(5m) > 3", 0, "unknown function \"mean\"", "did you mean avg?");
    is_refused_with(*state, "avq(5m) > 3", 0, "unknown function \"avq\"", "did you mean avg?");
}

static void unknown_names_are_refused_with_what_may_be_meant(void **state)
{
    is_refused_with(*state, "rom.temp > 3", 0, "unknown sensor \"rom.temp\"",
                    "did you mean room.temp?");
    is_refused_with(*state, "1 < .humidty", 4, "unknown sensor \"room.humidty\"",
                    "did you mean .humidity?");
    is_refused_with(*state, "1 < humidity", 4, "\"humidity\" alone means nothing",
                    "did you mean room.humidity?");
    is_refused_with(*state, "firing(fir)", 7, "unknown rule \"fir\"", "did you mean fire?");
    is_refused_with(*state, "online(pumpe)", 7, "unknown sensor \"pumpe.online\"",
                    "did you mean pump.online?");
    is_refused(*state, "sum_of(\"*.gone\") > 1", 7, "no sensor matches \"*.gone\"");
}

static void types_must_fit(void **state)
{
    is_refused_with(*state, "value", 0, "a number is no condition", "compare it: for example != 0");
    is_refused(*state, "door.event", 0, "a text is no condition");
    is_refused_with(*state, "value > 3 and pump.speed", 14,
                    "and needs a condition, and this is a number", "compare it: for example != 0");
    is_refused(*state, "value or value > 3", 0, "or needs a condition, and this is a number");
    is_refused(*state, "not value", 4, "not needs a condition, and this is a number");
    is_refused(*state, "1 + (2 > 1) > 0", 4, "+ needs a number, and this is a condition");
    is_refused(*state, "(2 > 1) * 2 > 0", 0, "* needs a number, and this is a condition");
    is_refused(*state, "-door.event > 1", 1, "- needs a number, and this is a text");
    is_refused(*state, "door.event == 3", 11, "a text and a number cannot be compared");
    is_refused(*state, "value == \"3\"", 6, "a number and a text cannot be compared");
    is_refused(*state, "value == true", 6, "a number and a condition cannot be compared");
    is_refused(*state, "door.event > \"a\"", 11, "> compares numbers, and this is a text");
    is_refused(*state, "true < false", 5, "< compares numbers, and this is a condition");
    is_refused(*state, "abs(true) > 1", 4, "abs needs a number, and this is a condition");
    is_refused(*state, "if(value, 1, 2) > 1", 3, "if needs a condition, and this is a number");
    is_refused(*state, "if(true, 1, \"x\") > 1", 12,
               "one branch of if gives a number and the other a text");
    is_refused(*state, "avg(door.event, 5m) > 1", 4,
               "avg needs numbers, and \"door.event\" gives texts");
    is_refused(*state, "sum_of(\"*\") > 1", 7,
               "sum_of needs numbers, and \"door.event\" gives texts");
    is_refused(*state, "count(\"x\", 5m) > 1", 6, "\"room.temp\" gives numbers and no texts");
    is_refused_for(*state, "1 > 2", CELL_NUMBER, TEMP, 0,
                   "this gives a condition, and a number is wanted",
                   "if(condition, 1, 0) makes a number of a condition");
}

static void calls_must_have_their_arguments(void **state)
{
    is_refused_with(*state, "avg() > 1", 4, "avg: a duration is missing here",
                    "write avg(sensor, 10m)");
    is_refused(*state, "avg(pump.speed) > 1", 14, "avg: an argument is missing");
    is_refused(*state, "avg(value * 2, 5m) > 1", 10, "avg: a comma is missing here");
    is_refused(*state, "avg(5m, 6m) > 1", 6, "avg: there are too many arguments");
    is_refused(*state, "avg(0s) > 1", 4, "avg: it cannot be nothing");
    is_refused(*state, "avg(#0) > 1", 5, "avg: after # stands a whole number of samples");
    is_refused(*state, "avg(#2.5) > 1", 5, "avg: after # stands a whole number of samples");
    is_refused(*state, "avg(#5@1d) > 1", 6, "avg: only a window of a duration can be shifted");
    is_refused(*state, "percentile(101, 5m) > 1", 11,
               "percentile: a number from 0 to 100 is missing here");
    is_refused(*state, "nodata(#5)", 7, "nodata: a duration is missing here");
    is_refused(*state, "pow(2) > 1", 5, "pow: an argument is missing");
    is_refused(*state, "hour(1) > 1", 5, "hour: a ) is missing here");
    is_refused(*state, "sum_of(3) > 1", 7, "sum_of: a text in quotes is missing here");
    is_refused(*state, "online(3)", 7, "online: the name of a device or bus is missing here");
    is_refused(*state, "firing(3)", 7, "firing: the name of a rule is missing here");
    is_refused(*state, "count_of(\"*\", \"bad\") > 1", 14,
               "count_of: the second argument can only be \"good\"");
}

static void long_windows_have_fewer_functions(void **state)
{
    const char *const said =
        "median does not work in windows above 6h, shifted ones and those of the calendar";
    struct code code;
    is_refused(*state, "median(7h) > 1", 7, said);
    is_refused(*state, "median(1h@1d) > 1", 7, said);
    is_refused(*state, "median(today) > 1", 7, said);
    is_refused(*state, "count(door.event, \"open\", 7h) > 1", 26,
               "count of a text does not work in windows above 6h, shifted ones and those of the "
               "calendar");
    assert_int_equal(parse(*state, "count(door.event, 7h) > 1", CELL_BOOL, TEMP, &code), 0);
    assert_int_equal(parse(*state, "median(6h) > 1", CELL_BOOL, TEMP, &code), 0);
    assert_int_equal(parse(*state,
                           "avg(7d) - avg(1h@1d) + max(today) - min(yesterday) > "
                           "increase(this_month)",
                           CELL_BOOL, TEMP, &code),
                     0);
}

static void and_only_eight_have_any(void **state)
{
    static const char *const names[] = {"first",   "last",  "median",   "delta",
                                        "rate",    "slope", "rising",   "falling",
                                        "changes", "stuck", "integral", "zscore"};
    char text[64], said[160];
    struct code code;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(text, sizeof text, "%s(7h)", names[i]);
        snprintf(said, sizeof said,
                 "%s does not work in windows above 6h, shifted ones and those of the calendar",
                 names[i]);
        is_refused(*state, text, strlen(names[i]) + 1, said);
    }
    is_refused(*state, "percentile(95, 7h) > 1", 15,
               "percentile does not work in windows above 6h, shifted ones and those of the "
               "calendar");
    is_refused(*state, "forecast(7h, 1h) > 1", 9,
               "forecast does not work in windows above 6h, shifted ones and those of the "
               "calendar");
    assert_int_equal(parse(*state,
                           "avg(7h) + min(7h) + max(7h) + sum(7h) + count(7h) + stddev(7h) + "
                           "increase(7h) + on_time(7h)",
                           CELL_NUMBER, TEMP, &code),
                     0);
}

static void a_rule_without_a_sensor_must_name_all(void **state)
{
    is_refused_for(*state, "value > 1", CELL_BOOL, RULES_NO_SENSOR, 0,
                   "value is the own sensor's, and this rule has no sensor of its own", NULL);
    is_refused_for(
        *state, "avg(5m) > 1", CELL_BOOL, RULES_NO_SENSOR, 4,
        "avg without a sensor is over the own one, and this rule has no sensor of its own", NULL);
    is_refused_for(*state, ".x > 1", CELL_BOOL, RULES_NO_SENSOR, 0,
                   "a channel alone is one of the own sensor's device, and this rule has no sensor "
                   "of its own",
                   NULL);
}

static void repeat(char *to, const char *what, size_t times)
{
    for (*to = '\0'; times > 0; times--)
        to = strcpy(to, what) + strlen(what);
}

static void depth_length_and_size_are_limited(void **state)
{
    static char text[60000];
    const char *const deep = "the expression is nested more than 64 deep";
    const char *const large = "the expression becomes more than 256 instructions";
    repeat(text, "(", 4000);
    is_refused(*state, text, 64, deep);
    repeat(text, "(", 10000);
    is_refused(*state, text, 0, "the expression has more than 4096 bytes");
    repeat(text, "-", 4000);
    is_refused(*state, text, 64, deep);
    repeat(text, "abs(", 1000);
    is_refused(*state, text, 256, deep);
    repeat(text, "not ", 300);
    strcat(text, "true");
    is_refused(*state, text, 1204, large);
    repeat(text, "1+", 200);
    strcat(text, "1 > 0");
    is_refused(*state, text, 257, large);
    repeat(text, "9", 70);
    is_refused(*state, text, 0, "the number is too long");
    strcat(text, "s");
    is_refused(*state, text, 0, "the duration is too long");
    repeat(text, "(", 63);
    strcat(text, "1>0");
    repeat(text + strlen(text), ")", 63);
    is_truth(*state, text, 't');
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(operators_bind_as_people_expect),
        TEST(numbers_durations_and_units_are_seconds),
        TEST(sensors_are_named_in_three_ways),
        TEST(a_sensor_is_one_slot_however_often_it_is_named),
        TEST(functions_of_numbers_give_what_they_say),
        TEST(what_is_not_finite_is_unknown),
        TEST(unknown_goes_through_everything_but_kleenes_logic),
        TEST(sensors_are_asked_for_age_data_and_quality),
        TEST(groups_are_over_what_is_good),
        TEST(rules_and_the_calendar_can_be_asked),
        TEST(a_fault_stands_at_its_place),
        TEST(what_other_languages_write_is_told_in_ours),
        TEST(unknown_names_are_refused_with_what_may_be_meant),
        TEST(types_must_fit),
        TEST(calls_must_have_their_arguments),
        TEST(long_windows_have_fewer_functions),
        TEST(and_only_eight_have_any),
        TEST(a_rule_without_a_sensor_must_name_all),
        TEST(depth_length_and_size_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
