#include "rules/rules.h"

#include <stddef.h>

#define YEAR_MS (366.0 * 86400 * 1000)

#define ACTION_SETTINGS                                                                           \
    {.key = "publish", .forms = SETTING_TEXT, .help = "Topic to publish to."},                    \
        {.key = "payload", .forms = SETTING_TEXT, .help = "What to publish, with placeholders."}, \
        {.key = "qos",                                                                            \
         .forms = SETTING_INT,                                                                    \
         .standard = "1",                                                                         \
         .max = 2,                                                                                \
         .help = "Quality of service of the publish."},                                           \
        {.key = "retain",                                                                         \
         .forms = SETTING_BOOL,                                                                   \
         .standard = "false",                                                                     \
         .help = "Whether the broker keeps the message."},                                        \
        {.key = "write",                                                                          \
         .forms = SETTING_TEXT,                                                                   \
         .help = "Sensor to write to; it must be writable."},                                     \
        {.key = "value",                                                                          \
         .forms = SETTING_NUMBER | SETTING_BOOL | SETTING_TEXT,                                   \
         .help = "What to write: a number, an expression, or a text for a sensor of texts."},     \
        {.key = "notify", .forms = SETTING_TEXT, .help = "Notifier to tell as well."},            \
        {.key = "run", .forms = SETTING_TEXT, .help = "Hook to run."},                            \
    {                                                                                             \
        .key = "log", .forms = SETTING_TEXT, .help = "Line for the log, with placeholders."       \
    }

static const struct setting action_settings[] = {ACTION_SETTINGS, {0}};

static const struct setting hold_settings[] = {
    {.key = "write",
     .forms = SETTING_TEXT | SETTING_REQUIRED,
     .help = "Sensor to write to; it must be writable."},
    {.key = "value",
     .forms = SETTING_NUMBER | SETTING_BOOL | SETTING_TEXT | SETTING_REQUIRED,
     .help = "What it is kept at: a number, an expression, or a text for a sensor of texts."},
    {0},
};

static const struct setting escalation_settings[] = {
    {.key = "after",
     .forms = SETTING_DURATION | SETTING_REQUIRED,
     .max = YEAR_MS,
     .help = "How long after it began to fire, as long as nobody has acknowledged."},
    ACTION_SETTINGS,
    {0},
};

/* What a rule and the limits of a sensor have in common. */
#define COMMON_SETTINGS                                                                          \
    {.key = "hysteresis",                                                                        \
     .forms = SETTING_NUMBER,                                                                    \
     .standard = "0",                                                                            \
     .help = "How far back the value must go before the alarm clears."},                         \
        {.key = "for",                                                                           \
         .forms = SETTING_DURATION,                                                              \
         .standard = "0s",                                                                       \
         .max = YEAR_MS,                                                                         \
         .help = "How long the condition must hold before it fires."},                           \
        {.key = "hits",                                                                          \
         .forms = SETTING_TEXT,                                                                  \
         .help = "Fires when so many of the last readings did: \"3 of 5\"."},                    \
        {.key = "keep_for",                                                                      \
         .forms = SETTING_DURATION,                                                              \
         .standard = "0s",                                                                       \
         .max = YEAR_MS,                                                                         \
         .help = "How long it must be over before it clears."},                                  \
        {.key = "severity",                                                                      \
         .forms = SETTING_CHOICE,                                                                \
         .standard = "warning",                                                                  \
         .choices = "info warning critical",                                                     \
         .help = "How grave it is."},                                                            \
        {.key = "if_unknown",                                                                    \
         .forms = SETTING_CHOICE,                                                                \
         .standard = "keep",                                                                     \
         .choices = "keep ok alarm",                                                             \
         .help = "What a condition that cannot be judged counts as."},                           \
        {.key = "message",                                                                       \
         .forms = SETTING_TEXT,                                                                  \
         .help = "What to tell when it fires, with placeholders."},                              \
        {.key = "clear_message",                                                                 \
         .forms = SETTING_TEXT,                                                                  \
         .help = "What to tell when it clears, with placeholders."},                             \
        {.key = "notify", .forms = SETTING_TEXTS, .help = "Notifiers that tell it."},            \
        {.key = "ack",                                                                           \
         .forms = SETTING_BOOL,                                                                  \
         .standard = "false",                                                                    \
         .help = "Whether it wants to be acknowledged."},                                        \
        {.key = "inhibited_by",                                                                  \
         .forms = SETTING_TEXTS,                                                                 \
         .help = "Rules of which one that fires keeps this one from telling."},                  \
        {.key = "active",                                                                        \
         .forms = SETTING_TEXTS,                                                                 \
         .help = "When it is judged at all: \"Oct-Apr Mon-Fri 18:00-08:00\", or a list of such " \
                 "times."},                                                                      \
        {.key = "while_firing",                                                                  \
         .forms = SETTING_GROUPS,                                                                \
         .inside = hold_settings,                                                                \
         .help = "What is kept written as long as it fires."},                                   \
        {.key = "while_ok",                                                                      \
         .forms = SETTING_GROUPS,                                                                \
         .inside = hold_settings,                                                                \
         .help = "What is kept written as long as it does not fire."},                           \
        {.key = "group",                                                                         \
         .forms = SETTING_TEXT,                                                                  \
         .help = "Rules of one group tell what comes at about the same time as one."},           \
        {.key = "group_wait",                                                                    \
         .forms = SETTING_DURATION,                                                              \
         .standard = "10s",                                                                      \
         .max = YEAR_MS,                                                                         \
         .help = "How long the first of a group waits for others."},                             \
        {.key = "latch",                                                                         \
         .forms = SETTING_BOOL,                                                                  \
         .standard = "false",                                                                    \
         .help = "Whether it stays firing until it is acknowledged."},                           \
        {.key = "repeat",                                                                        \
         .forms = SETTING_DURATION,                                                              \
         .min = 1000,                                                                            \
         .max = YEAR_MS,                                                                         \
         .help = "How often it is told again until it is acknowledged or over."},                \
        {.key = "max_repeats",                                                                   \
         .forms = SETTING_INT,                                                                   \
         .min = 1,                                                                               \
         .max = 1000000,                                                                         \
         .help = "How many times at most."},                                                     \
        {.key = "cooldown",                                                                      \
         .forms = SETTING_DURATION,                                                              \
         .standard = "0s",                                                                       \
         .max = YEAR_MS,                                                                         \
         .help = "How long after its end it cannot fire again."},                                \
        {.key = "escalate",                                                                      \
         .forms = SETTING_GROUPS,                                                                \
         .inside = escalation_settings,                                                          \
         .help = "Actions that much later, unless somebody has acknowledged."},                  \
        {.key = "adjustable",                                                                    \
         .forms = SETTING_BOOL | SETTING_NUMBERS,                                                \
         .standard = "false",                                                                    \
         .help = "Whether people may set its limits: true, or ( least, most, step )."},          \
        {.key = "blind",                                                                         \
         .forms = SETTING_CHOICE,                                                                \
         .standard = "tell",                                                                     \
         .choices = "tell quiet",                                                                \
         .help = "Whether its notifiers are told when it cannot be judged."},                    \
        {.key = "on_change",                                                                     \
         .forms = SETTING_GROUPS,                                                                \
         .inside = action_settings,                                                              \
         .help = "Actions when it fires and when it clears."},                                   \
        {.key = "on_nodata",                                                                     \
         .forms = SETTING_GROUPS,                                                                \
         .inside = action_settings,                                                              \
         .help = "Actions when it cannot be judged for want of a sensor."},                      \
        {.key = "on_fire",                                                                       \
         .forms = SETTING_GROUPS,                                                                \
         .inside = action_settings,                                                              \
         .help = "Actions when it fires."},                                                      \
    {                                                                                            \
        .key = "on_clear", .forms = SETTING_GROUPS, .inside = action_settings,                   \
        .help = "Actions when it clears."                                                        \
    }

/* The keys of a condition, in a rule and in each of its levels. */
#define CONDITION_SETTINGS                                                                       \
    {.key = "above",                                                                             \
     .forms = SETTING_NUMBER | SETTING_TEXT,                                                     \
     .help = "Fires above this value or above another sensor's."},                               \
        {.key = "below",                                                                         \
         .forms = SETTING_NUMBER | SETTING_TEXT,                                                 \
         .help = "Fires below this value or below another sensor's."},                           \
        {.key = "outside", .forms = SETTING_PAIR, .help = "Fires outside of these two values."}, \
        {.key = "inside", .forms = SETTING_PAIR, .help = "Fires between these two values."},     \
        {.key = "equals",                                                                        \
         .forms = SETTING_NUMBER | SETTING_TEXT | SETTING_BOOL,                                  \
         .help = "Fires at this number or text, or at another sensor's value."},                 \
        {.key = "not_equals",                                                                    \
         .forms = SETTING_NUMBER | SETTING_TEXT | SETTING_BOOL,                                  \
         .help = "Fires at anything but this."},                                                 \
        {.key = "rises_by",                                                                      \
         .forms = SETTING_NUMBER,                                                                \
         .help = "Fires when it has risen by more than this, within the time of `within`."},     \
        {.key = "falls_by",                                                                      \
         .forms = SETTING_NUMBER,                                                                \
         .help = "Fires when it has fallen by more than this, within the time of `within`."},    \
        {.key = "within",                                                                        \
         .forms = SETTING_DURATION,                                                              \
         .max = YEAR_MS,                                                                         \
         .help = "The time of rises_by and falls_by."},                                          \
        {.key = "no_data_for",                                                                   \
         .forms = SETTING_DURATION,                                                              \
         .max = YEAR_MS,                                                                         \
         .help = "Fires when there was no good value for that long."},                           \
        {.key = "stuck_for",                                                                     \
         .forms = SETTING_DURATION,                                                              \
         .max = YEAR_MS,                                                                         \
         .help = "Fires when the value has not changed for that long."},                         \
        {.key = "when", .forms = SETTING_TEXT, .help = "The condition as an expression."},       \
        {.key = "clear_when",                                                                    \
         .forms = SETTING_TEXT,                                                                  \
         .help = "With when: the condition of its end; without, it is when not being true."},    \
        {.key = "min_samples",                                                                   \
         .forms = SETTING_INT,                                                                   \
         .min = 1,                                                                               \
         .max = 1000000,                                                                         \
         .help = "How many samples make a window known of which only half has been seen."},      \
        {.key = "clear_below",                                                                   \
         .forms = SETTING_NUMBER,                                                                \
         .help = "With above: clears below this value."},                                        \
    {                                                                                            \
        .key = "clear_above", .forms = SETTING_NUMBER,                                           \
        .help = "With below: clears above this value."                                           \
    }

/* What a level does not say for itself the rule says. */
static const struct setting level_settings[] = {
    CONDITION_SETTINGS,
    {.key = "severity",
     .forms = SETTING_CHOICE | SETTING_REQUIRED,
     .choices = "info warning critical",
     .help = "How grave it is; each level is graver than the one before."},
    {.key = "hysteresis",
     .forms = SETTING_NUMBER,
     .help = "How far back the value must go before this level is over."},
    {.key = "for",
     .forms = SETTING_DURATION,
     .max = YEAR_MS,
     .help = "How long the condition must hold before this level is reached."},
    {.key = "hits", .forms = SETTING_TEXT, .help = "As of the rule, for this level."},
    {.key = "keep_for",
     .forms = SETTING_DURATION,
     .max = YEAR_MS,
     .help = "How long it must be over before this level is left."},
    {.key = "message", .forms = SETTING_TEXT, .help = "What to tell when this level is reached."},
    {0},
};

const struct setting rules_settings[] = {
    {.key = "label", .forms = SETTING_TEXT, .help = "Name of the rule for people."},
    {.key = "sensor", .forms = SETTING_TEXT, .help = "The sensor that it judges."},
    {.key = "sensors",
     .forms = SETTING_TEXT,
     .help = "Sensors that it judges, with * and ?; each for itself."},
    {.key = "ha",
     .forms = SETTING_CHOICE,
     .standard = "count",
     .choices = "count each",
     .help = "What Home Assistant shows of a rule with `sensors`: how many of them fire, or also "
             "each at its device."},
    CONDITION_SETTINGS,
    {.key = "levels",
     .forms = SETTING_GROUPS,
     .inside = level_settings,
     .help = "Conditions of growing severity, in place of one."},
    COMMON_SETTINGS,
    {0},
};

const struct setting rules_limits_settings[] = {
    {.key = "low",
     .forms = SETTING_NUMBER | SETTING_TEXT,
     .help = "Alarm below this value or below another sensor's."},
    {.key = "high",
     .forms = SETTING_NUMBER | SETTING_TEXT,
     .help = "Alarm above this value or above another sensor's."},
    COMMON_SETTINGS,
    {0},
};
