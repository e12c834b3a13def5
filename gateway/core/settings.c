#include "gateway/core/inventory.h"

#include "rules/rules.h"

const struct setting gateway_settings[] = {
    {"name", SETTING_TEXT,
     .help = "Slug of this gateway, in topics and file names; by default the host name."},
    {"id", SETTING_TEXT,
     .help = "What unique ids in Home Assistant hang on: never change it. By default the name."},
    {"label", SETTING_TEXT, .help = "Name that people see; by default the name."},
    {"rules_memory", SETTING_SIZE, "32 MB", 1e6, 2e9,
     .help = "What all windows of the rules together may take; `check` tells what they do take."},
    {0},
};

const struct setting defaults_settings[] = {
    {"every", SETTING_DURATION, .standard = "10s", .min = 0, .max = 86400e3,
     .help = "Interval of polls where neither device nor bus has one."},
    {"notify", SETTING_TEXTS, .help = "Notifiers of rules that name none."},
    {0},
};

const struct setting bus_settings[] = {
    {"adapter", SETTING_TEXT | SETTING_REQUIRED,
     .help = "Kind of bus: modbus, onewire, sysfs or sim."},
    {"connect", SETTING_TEXT, .help = "Address of the bus; devices may have their own instead."},
    {"label", SETTING_TEXT, .help = "Name that people see."},
    {"every", SETTING_DURATION, .min = 0, .max = 86400e3,
     .help = "Interval of its devices' polls."},
    {"stale", SETTING_DURATION, .min = 1, .max = 30 * 86400e3,
     .help = "Age at which a value of this bus is no longer believed."},
    {0},
};

/* When values go to the broker: of a channel, or of all channels of a device. */
#define PUBLISH_SETTINGS                                                                         \
    {"publish", SETTING_CHOICE, .choices = "always change",                                      \
     .help = "Whether every value goes to the broker, or only one that has changed; by default " \
             "always. The history has them all."},                                               \
    {                                                                                            \
        "heartbeat", SETTING_DURATION,                                                           \
            .min = 1000, .max = 86400e3,                                                         \
            .help = "How often at least, when nothing changes; by default 5m."                   \
    }

#define WAS_SETTING                                                            \
    {                                                                          \
        "was", SETTING_TEXT,                                                   \
            .help = "Name that it had before it was renamed: its entities in " \
                    "Home Assistant and its history go on."                    \
    }

const struct setting device_settings[] = {
    {"bus", SETTING_TEXT | SETTING_REQUIRED, .help = "Name of the bus that it is on."},
    {"connect", SETTING_TEXT,
     .help = "Its address where the bus has none; devices with the same one share a connection."},
    {"every", SETTING_DURATION, .min = 0, .max = 86400e3,
     .help = "Interval of its polls; \"0s\" is as fast as it answers."},
    {"stale", SETTING_DURATION, .min = 1, .max = 30 * 86400e3,
     .help = "Age at which its values are no longer believed; by default 3 x every, at least 15s."},
    {"template", SETTING_TEXT,
     .help = "What is known of such devices: `thermogate templates list` shows the names."},
    {"only", SETTING_TEXTS, .help = "Of the template's channels these alone, as [ \"energy*\" ]."},
    {"also", SETTING_TEXTS, .help = "And these, that the template leaves out by default."},
    {"label", SETTING_TEXT, .help = "Name that people see."},
    {"area", SETTING_TEXT, .help = "Room or place, suggested to Home Assistant."},
    {"manufacturer", SETTING_TEXT, .help = "Shown in Home Assistant."},
    {"model", SETTING_TEXT, .help = "Shown in Home Assistant."},
    {"serial_number", SETTING_TEXT, .help = "Shown in Home Assistant."},
    WAS_SETTING,
    {"ha", SETTING_BOOL, .standard = "true", .help = "Whether Home Assistant is told of it."},
    PUBLISH_SETTINGS,
    {"channels", SETTING_NAMED | SETTING_OPEN, .help = "What is read from it."},
    {0},
};

/* How a sensor looks to people, and its alarms: of what is read and of what is derived. */
#define SENSOR_SETTINGS                                                                            \
    {"label", SETTING_TEXT, .help = "Name that people see."},                                      \
        {"unit", SETTING_TEXT, .help = "Unit of the values, as Home Assistant writes it."},        \
        {"class", SETTING_TEXT,                                                                    \
         .help = "Device class of Home Assistant, as temperature or power."},                      \
        {"state_class", SETTING_CHOICE, .choices = "measurement total total_increasing none",      \
         .help = "How statistics are made; by default measurement, or total_increasing of a "      \
                 "counter."},                                                                      \
        {"icon", SETTING_TEXT, .help = "Icon in Home Assistant, as mdi:pump."},                    \
        {"category", SETTING_CHOICE, .choices = "diagnostic none",                                 \
         .help = "diagnostic moves it to the details of its device, switched off at first."},      \
        {"precision", SETTING_INT, .min = 0, .max = 9,                                             \
         .help = "Decimal places; by default what the scale can show."},                           \
        {"ha", SETTING_BOOL, .standard = "true", .help = "Whether Home Assistant is told of it."}, \
        PUBLISH_SETTINGS, WAS_SETTING,                                                             \
        {"deadband", SETTING_NUMBER, .min = 0, .max = 1e12,                                        \
         .help = "The least change that is published; with it `publish` is \"change\"."},          \
    {                                                                                              \
        "limits", SETTING_GROUP,                                                                   \
            .inside = rules_limits_settings,                                                       \
            .help = "Alarm limits of this channel: the shortest way to a rule."                    \
    }

const struct setting channel_settings[] = {
    SENSOR_SETTINGS,
    {"valid", SETTING_PAIR, .help = "Range of possible values; others are implausible."},
    {"max_step", SETTING_NUMBER, .min = 0, .max = 1e12,
     .help = "Largest believable change between two polls; larger ones need three that agree."},
    {"counter", SETTING_BOOL, .standard = "false",
     .help = "Only grows; a smaller value is held back until three confirm it."},
    {"every", SETTING_DURATION, .min = 1, .max = 86400e3,
     .help = "Interval at which it is read, where that is longer than its device's."},
    {"stale", SETTING_DURATION, .min = 1, .max = 30 * 86400e3,
     .help = "Age at which its value is no longer believed."},
    {"max_rate", SETTING_NUMBER, .min = 1e-3, .max = 1e4,
     .help = "Readings a second that windows of rules have room for, without an interval; else 1."},
    {"writable", SETTING_BOOL, .standard = "false",
     .help = "Whether people and rules may write it: a number, ON or OFF, or one of its texts."},
    {"min", SETTING_NUMBER, .help = "Smallest value that may be written."},
    {"max", SETTING_NUMBER, .help = "Largest value that may be written."},
    {"step", SETTING_NUMBER, .min = 1e-9, .max = 1e12,
     .help = "Values that may be written are `min` and whole steps above."},
    {"safe", SETTING_NUMBER | SETTING_TEXT,
     .help = "Value that is written when the gateway stops; of an enumeration one of its texts."},
    {"max_on", SETTING_DURATION, .min = 1000, .max = 30 * 86400e3,
     .help = "How long it may be on (other than `safe`, or 0) before it is switched off."},
    {0},
};

static const struct setting derived_channel_settings[] = {
    {"value", SETTING_TEXT | SETTING_REQUIRED,
     .help = "The expression that it is, over other sensors; .channel is one of its own device."},
    SENSOR_SETTINGS,
    {0},
};

const struct setting derived_settings[] = {
    {"for_each", SETTING_TEXT,
     .help = "Devices, with * and ?, each of which gets the channels; else they are a device."},
    {"label", SETTING_TEXT, .help = "Name that people see."},
    {"area", SETTING_TEXT, .help = "Room or place, suggested to Home Assistant."},
    {"ha", SETTING_BOOL, .standard = "true", .help = "Whether Home Assistant is told of it."},
    WAS_SETTING,
    {"channels", SETTING_NAMED | SETTING_REQUIRED, .inside = derived_channel_settings,
     .help = "What is reckoned."},
    {0},
};
