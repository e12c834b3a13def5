/* A small site for the tests of gateway/mqtt: three devices, eight sensors, rules of every kind.
 *
 *   0 boiler  0 flow_temp 1 fault 2 mode       labels in German
 *   1 meter   3 energy 4 power 5 values 6 broken_unit   in Chinese
 *   2 hidden  7 temp                           not for Home Assistant */
#pragma once

#include "gateway/core/inventory.h"
#include "gateway/core/inventory_edit.h"

#include <stdlib.h>
#include <string.h>

enum { FLOW_TEMP, FAULT, MODE, ENERGY, POWER, VALUES, BROKEN_UNIT, HIDDEN_TEMP, N_SENSORS };
enum { BOILER, METER, HIDDEN, N_DEVICES };
enum { HIGH, OVERLOAD, SILENT_1, SILENT_2, SILENT_3, WHOLE, ON_HIDDEN, N_RULES };

/* clang-format off */
#define SITE_SENSOR(NUMBER, DEVICE, CHANNEL, LABEL, UNIT, CLASS, ICON, CATEGORY)                  \
    .device = NUMBER, .id = DEVICE "." CHANNEL, .channel = CHANNEL, .label = LABEL, .unit = UNIT, \
    .klass = CLASS, .state_class = "", .icon = ICON, .category = CATEGORY, .ha = true

static const struct inventory_sensor site_sensors[N_SENSORS] = {
    {SITE_SENSOR(BOILER, "boiler", "flow_temp", "Heizkessel Vorlauf", "°C", "temperature", "", ""),
     .decimals = 1, .stale_ms = 15000},
    {SITE_SENSOR(BOILER, "boiler", "fault", "Störung ⚠️", "", "problem", "", ""),
     .kind = SENSOR_BINARY, .decimals = -1},
    {SITE_SENSOR(BOILER, "boiler", "mode", "mode", "", "", "mdi:fire", "diagnostic"),
     .kind = SENSOR_TEXT, .decimals = -1},
    {SITE_SENSOR(METER, "meter", "energy", "电能", "kWh", "energy", "", ""),
     .decimals = 2, .counter = true},
    {SITE_SENSOR(METER, "meter", "power", "power", "W", "power", "", "config"), .decimals = 0},
    {SITE_SENSOR(METER, "meter", "values", "values", "", "", "", ""), .decimals = -1},
    {SITE_SENSOR(METER, "meter", "broken_unit", "broken_unit", "degC", "temperature", "", ""),
     .decimals = -1},
    {SITE_SENSOR(HIDDEN, "hidden", "temp", "temp", "", "", "", ""), .decimals = -1},
};
/* clang-format on */

static const struct inventory_device site_devices[N_DEVICES] = {
    {.name = "boiler",
     .label = "Heizkessel",
     .area = "Keller",
     .manufacturer = "Viessmann",
     .model = "V200",
     .serial_number = "4711",
     .first_sensor = FLOW_TEMP,
     .n_sensors = 3,
     .every_ms = 10000,
     .ha = true},
    {.name = "meter",
     .label = "电表 ⚡",
     .area = "",
     .manufacturer = "",
     .model = "",
     .serial_number = "",
     .first_sensor = ENERGY,
     .n_sensors = 4,
     .every_ms = 1000,
     .ha = true},
    {.name = "hidden",
     .label = "hidden",
     .area = "",
     .manufacturer = "",
     .model = "",
     .serial_number = "",
     .first_sensor = HIDDEN_TEMP,
     .n_sensors = 1,
     .every_ms = 1000},
};

static const struct inventory_rule site_rules[N_RULES] = {
    {"high@boiler.flow_temp", "high", "high@boiler.flow_temp", "", FLOW_TEMP, 1, .many = false},
    {"overload", "overload", "Überlast", "", POWER, 2, .many = false},
    {"silent@boiler.flow_temp", "silent", "silent@boiler.flow_temp", "", FLOW_TEMP, 1,
     .many = true},
    {"silent@meter.power", "silent", "silent@meter.power", "", POWER, 1, .many = true},
    {"silent@hidden.temp", "silent", "silent@hidden.temp", "", HIDDEN_TEMP, 1, .many = true},
    {"whole_house", "whole_house", "whole_house", "", UINT32_MAX, 0, .many = false},
    {"on_hidden", "on_hidden", "on_hidden", "", HIDDEN_TEMP, 0, .many = false},
};

/* One owner; the tables are static, `texts` may be NULL. */
static inline struct inventory *site_new(const struct text_table *texts)
{
    struct inventory *site = inventory_new();

    if (!site)
        abort();
    site->name = "cellar";
    site->id = "cellar";
    site->label = "Keller 🏠";
    site->texts = texts;
    site->devices = site_devices;
    site->sensors = site_sensors;
    site->rules = site_rules;
    site->n_devices = N_DEVICES;
    site->n_sensors = N_SENSORS;
    site->n_rules = N_RULES;
    if (inventory_finish(site) < 0)
        abort();
    return site;
}

/* From now on boiler.mode brings events. */
static inline void site_use_events(struct inventory *site)
{
    static const struct inventory_option kinds[] = {{"on", 0}, {"off", 1}};
    static struct inventory_sensor sensors[N_SENSORS];

    memcpy(sensors, site_sensors, sizeof(sensors));
    sensors[MODE].kind = SENSOR_EVENT;
    sensors[MODE].klass = "button";
    sensors[MODE].options = kinds;
    sensors[MODE].n_options = 2;
    site->sensors = sensors;
}
