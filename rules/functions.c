#include "rules/functions.h"

#include "gateway/base/text.h"
#include "rules/rules.h"

#include <string.h>

#define X    PARAM_SENSOR
#define W    PARAM_WINDOW
#define N    PARAM_NUMBER
#define NUM  CELL_NUMBER
#define IS   CELL_BOOL
#define SUMS WINDOW_NEEDS_SUMS
#define SORT WINDOW_NEEDS_ORDER
#define FAR  (WINDOW_NEEDS_SUMS | WINDOW_NEEDS_SPREAD)
#define LINE (WINDOW_NEEDS_SUMS | WINDOW_NEEDS_LINE)
#define PAIR WINDOW_NEEDS_PAIRS

/* Over a window: name, what, gives, needs, of texts, in minutes. */
#define OVER(name, what, gives, needs, of_texts, in_minutes)                                    \
    {                                                                                           \
        name, {X, W}, OP_WINDOW, what, gives, needs, of_texts, in_minutes, name "(sensor, 10m)" \
    }

/* Arithmetic. */
#define MATH1(name, op)                                         \
    {                                                           \
        name, {N}, op, 0, NUM, 0, false, false, name "(number)" \
    }
#define MATH2(name, op)                                                    \
    {                                                                      \
        name, {N, N}, op, 0, NUM, 0, false, false, name "(number, number)" \
    }

/* Over all sensors that a glob means. */
#define GROUP(name, what)                                                             \
    {                                                                                 \
        name, {PARAM_GLOB}, OP_GROUP, what, NUM, 0, false, false, name "(\"*.temp\")" \
    }

#define CIVIL(name, what)                                                  \
    {                                                                      \
        name, {PARAM_END}, OP_CIVIL, what, NUM, 0, false, false, name "()" \
    }

static const struct function functions[] = {
    OVER("first", WINDOW_FIRST, TYPE_SAME, 0, true, false),
    OVER("last", WINDOW_LAST, TYPE_SAME, 0, true, false),
    OVER("avg", WINDOW_AVG, NUM, SUMS, false, true),
    OVER("min", WINDOW_MIN, NUM, SUMS, false, true),
    OVER("max", WINDOW_MAX, NUM, SUMS, false, true),
    OVER("sum", WINDOW_SUM, NUM, SUMS, false, true),
    {"count",
     {X, PARAM_MAYBE_TEXT, W},
     OP_WINDOW,
     WINDOW_COUNT,
     NUM,
     0,
     true,
     true,
     "count(sensor, 10m) or count(sensor, \"text\", 10m)"},
    OVER("median", WINDOW_MEDIAN, NUM, SORT, false, false),
    {"percentile",
     {X, PARAM_PERCENT, W},
     OP_WINDOW,
     WINDOW_PERCENTILE,
     NUM,
     SORT,
     false,
     false,
     "percentile(sensor, 95, 10m)"},
    OVER("stddev", WINDOW_STDDEV, NUM, FAR, false, true),
    OVER("delta", WINDOW_DELTA, NUM, 0, false, false),
    OVER("rate", WINDOW_RATE, NUM, 0, false, false),
    OVER("slope", WINDOW_SLOPE, NUM, LINE, false, false),
    OVER("rising", WINDOW_RISING, IS, PAIR, false, false),
    OVER("falling", WINDOW_FALLING, IS, PAIR, false, false),
    OVER("changes", WINDOW_CHANGES, NUM, PAIR, true, false),
    OVER("stuck", WINDOW_STUCK, IS, PAIR, true, false),
    OVER("increase", WINDOW_INCREASE, NUM, SUMS | PAIR, false, true),
    OVER("on_time", WINDOW_ON_TIME, NUM, PAIR, false, true),
    OVER("integral", WINDOW_INTEGRAL, NUM, SUMS | PAIR, false, false),
    OVER("zscore", WINDOW_ZSCORE, NUM, FAR, false, false),
    {"forecast",
     {X, W, PARAM_SPAN},
     OP_WINDOW,
     WINDOW_FORECAST,
     NUM,
     LINE,
     false,
     false,
     "forecast(sensor, 2h, 6h): the line of the last 2h in 6h"},
    {"ewma", {X, PARAM_SPAN}, OP_WINDOW, WINDOW_EWMA, NUM, 0, false, false, "ewma(sensor, 10m)"},
    {"prev", {X}, OP_WINDOW, WINDOW_PREV, TYPE_SAME, 0, true, false, "prev(sensor)"},
    {"total", {X}, OP_WINDOW, WINDOW_TOTAL, NUM, 0, false, false, "total(sensor)"},
    {"age", {X}, OP_AGE, 0, NUM, 0, true, false, "age(sensor)"},
    {"nodata", {X, PARAM_SPAN}, OP_NODATA, 0, IS, 0, true, false, "nodata(sensor, 5m)"},
    {"quality", {X}, OP_QUALITY, 0, CELL_TEXT, 0, true, false, "quality(sensor)"},
    {"online", {PARAM_DEVICE}, OP_NE, 0, IS, 0, false, false, "online(device)"},
    GROUP("sum_of", GROUP_SUM),
    GROUP("avg_of", GROUP_AVG),
    GROUP("min_of", GROUP_MIN),
    GROUP("max_of", GROUP_MAX),
    {"count_of",
     {PARAM_GLOB, PARAM_MAYBE_GOOD},
     OP_GROUP,
     GROUP_COUNT,
     NUM,
     0,
     true,
     false,
     "count_of(\"*.temp\") or count_of(\"*.temp\", \"good\")"},
    {"firing", {PARAM_RULE}, OP_RULE, RULE_IS_FIRING, IS, 0, false, false, "firing(rule)"},
    {"acked", {PARAM_RULE}, OP_RULE, RULE_IS_ACKED, IS, 0, false, false, "acked(rule)"},
    CIVIL("hour", CIVIL_HOUR),
    CIVIL("minute", CIVIL_MINUTE),
    CIVIL("weekday", CIVIL_WEEKDAY),
    CIVIL("month", CIVIL_MONTH),
    {"if",
     {PARAM_BOOL, PARAM_ANY, PARAM_ANY},
     OP_IF,
     0,
     TYPE_SAME,
     0,
     false,
     false,
     "if(condition, then, else)"},
    MATH1("abs", OP_ABS),
    MATH1("round", OP_ROUND),
    MATH1("floor", OP_FLOOR),
    MATH1("ceil", OP_CEIL),
    MATH1("sqrt", OP_SQRT),
    MATH1("exp", OP_EXP),
    MATH1("ln", OP_LN),
    MATH1("log10", OP_LOG10),
    MATH2("pow", OP_POW),
    MATH2("min2", OP_MIN2),
    MATH2("max2", OP_MAX2),
    {"clamp", {N, N, N}, OP_CLAMP, 0, NUM, 0, false, false, "clamp(number, low, high)"},
    {"dew_point", {N, N}, OP_DEW_POINT, 0, NUM, 0, false, false, "dew_point(celsius, percent)"},
    {"heat_index", {N, N}, OP_HEAT_INDEX, 0, NUM, 0, false, false, "heat_index(celsius, percent)"},
};

#define N_FUNCTIONS (sizeof functions / sizeof functions[0])

const char *rules_function_usage(size_t i)
{
    return i < N_FUNCTIONS ? functions[i].usage : NULL;
}

const struct function *function_find(const char *name, size_t length)
{
    for (size_t i = 0; i < N_FUNCTIONS; i++)
        if (strlen(functions[i].name) == length && strncmp(functions[i].name, name, length) == 0)
            return &functions[i];
    return NULL;
}

const char *function_name(uint8_t op, uint8_t what)
{
    for (size_t i = 0; i < N_FUNCTIONS; i++)
        if (functions[i].op == op && functions[i].what == what)
            return functions[i].name;
    if (op == OP_WINDOW) /* of plain keys */
        return what == WINDOW_RISE ? "rise" : what == WINDOW_FALL ? "fall" : "count";
    return op == OP_GROUP ? "count_of" : "value";
}

/* What other systems call them. */
static const struct {
    const char *name, *ours;
} synonyms[] = {{"mean", "avg"},
                {"average", "avg"},
                {"minimum", "min"},
                {"maximum", "max"},
                {"std", "stddev"},
                {"derivative", "rate"},
                {"deriv", "slope"},
                {"idelta", "delta"},
                {"diff", "delta"},
                {"change", "changes"},
                {"no_data", "nodata"},
                {"log", "ln"},
                {"quantile", "percentile"},
                {"iif", "if"},
                {"time", "hour"}};

const char *function_nearest(const char *name)
{
    const char *nearest = NULL;
    size_t best = 3;
    for (size_t i = 0; i < sizeof synonyms / sizeof synonyms[0]; i++)
        if (strcmp(synonyms[i].name, name) == 0)
            return synonyms[i].ours;
    for (size_t i = 0; i < N_FUNCTIONS; i++) {
        size_t distance = text_distance(functions[i].name, name);
        if (distance < best) {
            best = distance;
            nearest = functions[i].name;
        }
    }
    return nearest;
}
