#include "gateway/mqtt/hass_class.h"

#include <stddef.h>
#include <string.h>

#define ENERGY   "J|kJ|MJ|GJ|mWh|Wh|kWh|MWh|GWh|TWh|cal|kcal|Mcal|Gcal"
#define RATE     "m³/h|ft³/min|L/min|gal/min|mL/s"
#define SPEED    "ft/s|in/d|in/h|in/s|km/h|kn|m/s|mph|mm/d|mm/h|mm/s"
#define PRESSURE "Pa|hPa|kPa|bar|cbar|mbar|mmHg|inHg|psi"
#define VOLUME   "L|mL|gal|fl. oz.|m³|ft³|CCF"

/* Units stand between bars; "" among them is "no unit". */
static const struct {
    const char *name, *units;
    bool total;
} classes[] = {
    {"apparent_power", "VA", false},
    {"aqi", "", false},
    {"area", "m²|cm²|km²|mm²|in²|ft²|yd²|mi²|ac|ha", false},
    {"atmospheric_pressure", PRESSURE, false},
    {"battery", "%", false},
    {"blood_glucose_concentration", "mg/dL|mmol/L", false},
    {"carbon_dioxide", "ppm", false},
    {"carbon_monoxide", "ppm", false},
    {"conductivity", "S/cm|mS/cm|µS/cm", false},
    {"current", "A|mA", false},
    {"distance", "km|m|cm|mm|mi|nmi|yd|in|ft", false},
    {"duration", "d|h|min|s|ms", false},
    {"energy", ENERGY, true},
    {"energy_storage", ENERGY, false},
    {"frequency", "Hz|kHz|MHz|GHz", false},
    {"gas", "m³|ft³|CCF", true},
    {"humidity", "%", false},
    {"illuminance", "lx", false},
    {"irradiance", "W/m²|BTU/(h⋅ft²)", false},
    {"moisture", "%", false},
    {"nitrogen_dioxide", "µg/m³", false},
    {"nitrogen_monoxide", "µg/m³", false},
    {"nitrous_oxide", "µg/m³", false},
    {"ozone", "µg/m³", false},
    {"ph", "", false},
    {"pm1", "µg/m³", false},
    {"pm10", "µg/m³", false},
    {"pm25", "µg/m³", false},
    {"power", "mW|W|kW|MW|GW|TW", false},
    {"power_factor", "|%", false},
    {"precipitation", "mm|cm|in", false},
    {"precipitation_intensity", "in/d|in/h|mm/d|mm/h", false},
    {"pressure", PRESSURE, false},
    {"reactive_power", "var", false},
    {"signal_strength", "dB|dBm", false},
    {"sound_pressure", "dB|dBA", false},
    {"speed", SPEED, false},
    {"sulphur_dioxide", "µg/m³", false},
    {"temperature", "°C|°F|K", false},
    {"volatile_organic_compounds", "µg/m³", false},
    {"volatile_organic_compounds_parts", "ppm|ppb", false},
    {"voltage", "V|mV|µV", false},
    {"volume", VOLUME, true},
    {"volume_flow_rate", RATE, false},
    {"volume_storage", VOLUME, false},
    {"water", "L|gal|m³|ft³|CCF", true},
    {"weight", "kg|g|mg|µg|oz|lb|st", false},
    {"wind_speed", "Beaufort|" SPEED, false},
};

static const char *const binary_classes[] = {
    "battery",
    "battery_charging",
    "carbon_monoxide",
    "cold",
    "connectivity",
    "door",
    "garage_door",
    "gas",
    "heat",
    "light",
    "lock",
    "moisture",
    "motion",
    "moving",
    "occupancy",
    "opening",
    "plug",
    "power",
    "presence",
    "problem",
    "running",
    "safety",
    "smoke",
    "sound",
    "tamper",
    "update",
    "vibration",
    "window",
};

static const char *const event_classes[] = {"button", "doorbell", "motion"};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static bool is_listed(const char *units, const char *unit)
{
    size_t length = strlen(unit);

    for (;;) {
        size_t count = strcspn(units, "|");

        if (count == length && memcmp(units, unit, count) == 0)
            return true;
        if (!units[count])
            return false;
        units += count + 1;
    }
}

bool hass_class_fits(const char *klass, const char *unit)
{
    for (size_t i = 0; i < COUNT(classes); i++) {
        if (strcmp(classes[i].name, klass) == 0)
            return is_listed(classes[i].units, unit);
    }
    return false;
}

bool hass_class_is_total(const char *klass)
{
    for (size_t i = 0; i < COUNT(classes); i++) {
        if (strcmp(classes[i].name, klass) == 0)
            return classes[i].total;
    }
    return false;
}

static bool is_among(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

bool hass_class_is_binary(const char *klass)
{
    return is_among(binary_classes, COUNT(binary_classes), klass);
}

bool hass_class_is_event(const char *klass)
{
    return is_among(event_classes, COUNT(event_classes), klass);
}
