/* A judge of discovery messages, made of what Home Assistant 2025.1 was seen to refuse. It knows
 * nothing of gateway/mqtt/hass.c: keys, units and forms are written down here once more on purpose.
 */
#pragma once

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASS_IDS_MAX 4096

/* What was wrong first; "" when nothing. Ids are collected over several messages. */
struct hass_check {
    char fault[300];
    char *ids[HASS_IDS_MAX]; /* "<platform> <unique_id>" */
    int n_ids;
};

static inline void hass_fault(struct hass_check *check, const char *what, const char *where)
{
    if (!check->fault[0])
        snprintf(check->fault, sizeof(check->fault), "%s: %s", what, where ? where : "");
}

static inline int hass_is_among(const char *word, const char *words)
{
    char padded[100];

    snprintf(padded, sizeof(padded), " %s ", word);
    return strchr(word, ' ') == NULL && strstr(words, padded) != NULL;
}

static inline void hass_check_keys(struct hass_check *check, const cJSON *object, const char *known,
                                   const char *where)
{
    const cJSON *item, *other;

    cJSON_ArrayForEach(item, object)
    {
        if (!hass_is_among(item->string, known))
            hass_fault(check, where, item->string);
        for (other = item->next; other; other = other->next) {
            if (strcmp(other->string, item->string) == 0)
                hass_fault(check, "twice", item->string);
        }
    }
}

static inline const char *hass_text(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    return cJSON_IsString(item) ? item->valuestring : NULL;
}

/* Entities: the long key where there is no short one. */
static inline const char *hass_component_keys(const char *platform)
{
    if (strcmp(platform, "sensor") == 0)
        return " p uniq_id name stat_t val_tpl dev_cla unit_of_meas stat_cla sug_dsp_prc exp_aft "
               "ic "
               "ent_cat en qos avty avty_mode json_attr_t ops frc_upd ";
    if (strcmp(platform, "binary_sensor") == 0)
        return " p uniq_id name stat_t val_tpl dev_cla pl_on pl_off exp_aft ic ent_cat en qos avty "
               "avty_mode json_attr_t off_dly frc_upd ";
    if (strcmp(platform, "number") == 0)
        return " p uniq_id name stat_t val_tpl dev_cla unit_of_meas cmd_t cmd_tpl min max step "
               "mode "
               "ic ent_cat en qos avty avty_mode ";
    if (strcmp(platform, "switch") == 0)
        return " p uniq_id name stat_t val_tpl dev_cla cmd_t pl_on pl_off stat_on stat_off ic "
               "ent_cat en qos avty avty_mode ";
    if (strcmp(platform, "select") == 0)
        return " p uniq_id name stat_t val_tpl cmd_t cmd_tpl ops ic ent_cat en qos avty avty_mode ";
    if (strcmp(platform, "button") == 0)
        return " p uniq_id name dev_cla cmd_t pl_prs ic ent_cat en qos avty avty_mode ";
    if (strcmp(platform, "event") == 0)
        return " p uniq_id name stat_t val_tpl dev_cla evt_typ ic ent_cat en qos avty avty_mode "
               "json_attr_t ";
    return NULL;
}

static inline void hass_check_availability(struct hass_check *check, const cJSON *list)
{
    const cJSON *item;

    if (!list)
        return;
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) == 0)
        hass_fault(check, "availability", "is no list");
    cJSON_ArrayForEach(item, list)
    {
        hass_check_keys(check, item, " t topic pl_avail pl_not_avail val_tpl ", "availability");
        if (!hass_text(item, "t"))
            hass_fault(check, "availability", "has no topic");
    }
}

static inline int hass_unit_is_right(const char *klass, const char *unit)
{
    static const struct {
        const char *klass, *units;
    } table[] = {
        {"temperature", " °C °F K "},
        {"humidity", " % "},
        {"power", " W kW MW GW TW mW "},
        {"energy", " Wh kWh MWh GWh TWh J kJ MJ GJ cal kcal Mcal Gcal mWh "},
        {"voltage", " V mV µV "},
        {"current", " A mA "},
        {"pressure", " Pa hPa kPa bar cbar mbar mmHg inHg psi "},
        {"frequency", " Hz kHz MHz GHz "},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strcmp(table[i].klass, klass) == 0)
            return unit && hass_is_among(unit, table[i].units);
    }
    return 1;
}

static inline void hass_check_sensor(struct hass_check *check, const cJSON *component)
{
    const char *klass = hass_text(component, "dev_cla"),
               *unit = hass_text(component, "unit_of_meas");
    const char *state_class = hass_text(component, "stat_cla");
    const cJSON *options = cJSON_GetObjectItemCaseSensitive(component, "ops");

    if (klass && !hass_unit_is_right(klass, unit))
        hass_fault(check, "unit does not fit class", klass);
    if ((options != NULL) != (klass && strcmp(klass, "enum") == 0) ||
        (options && (unit || state_class || cJSON_GetArraySize(options) == 0)))
        hass_fault(check, "options without the class enum, or with a unit", klass);
    if (state_class && !hass_is_among(state_class, " measurement total total_increasing "))
        hass_fault(check, "state class", state_class);
    if (klass && strcmp(klass, "temperature") == 0 && state_class &&
        strcmp(state_class, "measurement") != 0)
        hass_fault(check, "temperature has state class", state_class);
    if (klass && hass_is_among(klass, " energy gas water volume ") && state_class &&
        strcmp(state_class, "measurement") == 0)
        hass_fault(check, "a total has state class measurement", klass);
}

static inline void hass_check_number(struct hass_check *check, const cJSON *component)
{
    const cJSON *min = cJSON_GetObjectItemCaseSensitive(component, "min"),
                *max = cJSON_GetObjectItemCaseSensitive(component, "max"),
                *step = cJSON_GetObjectItemCaseSensitive(component, "step");
    const char *klass = hass_text(component, "dev_cla");

    if (min && max && !(max->valuedouble > min->valuedouble))
        hass_fault(check, "number", "max is not above min");
    if (step && step->valuedouble < 0.001)
        hass_fault(check, "number", "step is too small");
    if (klass && !hass_unit_is_right(klass, hass_text(component, "unit_of_meas")))
        hass_fault(check, "unit does not fit class", klass);
}

/* Platforms by which commands are given: they may be in the category `config`, and have a topic. */
static inline int hass_is_control(const char *platform)
{
    return hass_is_among(platform, " number switch select button ");
}

static inline void hass_check_binary(struct hass_check *check, const cJSON *component)
{
    const char *klass = hass_text(component, "dev_cla");

    if (klass &&
        !hass_is_among(klass, " heat cold problem connectivity battery running moving door "))
        hass_fault(check, "binary class", klass);
}

static inline void hass_check_event(struct hass_check *check, const cJSON *component)
{
    const cJSON *types = cJSON_GetObjectItemCaseSensitive(component, "evt_typ");

    if (!cJSON_IsArray(types) || cJSON_GetArraySize(types) == 0)
        hass_fault(check, "event", "has no event_types");
    if (!hass_text(component, "stat_t"))
        hass_fault(check, "event", "has no state_topic of its own");
}

static inline void hass_check_select(struct hass_check *check, const cJSON *component)
{
    const cJSON *options = cJSON_GetObjectItemCaseSensitive(component, "ops");

    if (!cJSON_IsArray(options) || cJSON_GetArraySize(options) == 0)
        hass_fault(check, "select", "has no options");
}

static inline void hass_remember(struct hass_check *check, const char *platform, const char *id)
{
    char text[700];

    snprintf(text, sizeof(text), "%s %s", platform, id);
    for (int i = 0; i < check->n_ids; i++) {
        if (strcmp(check->ids[i], text) == 0)
            hass_fault(check, "unique_id is there twice", id);
    }
    if (check->n_ids < HASS_IDS_MAX)
        check->ids[check->n_ids++] = strdup(text);
}

static inline void hass_check_name(struct hass_check *check, const cJSON *component,
                                   const char *device)
{
    const char *name = hass_text(component, "name");

    if (name && (!name[0] || strncmp(name, device, strlen(device)) == 0))
        hass_fault(check, "name repeats the device's", name);
}

/* An entity of a known platform; alone it has all that else stands once for a whole device. */
static inline void hass_check_entity(struct hass_check *check, const cJSON *component,
                                     const char *platform, const char *device, int has_state_topic)
{
    const char *id = hass_text(component, "uniq_id"), *category = hass_text(component, "ent_cat");

    if (!id || !id[0])
        hass_fault(check, "no unique_id", component->string);
    else
        hass_remember(check, platform, id);
    if (hass_is_control(platform) && !hass_text(component, "cmd_t"))
        hass_fault(check, "no command topic", component->string);
    if (!has_state_topic && !hass_is_control(platform) && !hass_text(component, "stat_t"))
        hass_fault(check, "no state topic", component->string);
    if (category && strcmp(category, "diagnostic") != 0 &&
        !(hass_is_control(platform) && strcmp(category, "config") == 0))
        hass_fault(check, "category", category);
    hass_check_name(check, component, device);
    hass_check_availability(check, cJSON_GetObjectItemCaseSensitive(component, "avty"));
    if (strcmp(platform, "sensor") == 0)
        hass_check_sensor(check, component);
    else if (strcmp(platform, "binary_sensor") == 0)
        hass_check_binary(check, component);
    else if (strcmp(platform, "number") == 0)
        hass_check_number(check, component);
    else if (strcmp(platform, "select") == 0)
        hass_check_select(check, component);
    else if (strcmp(platform, "event") == 0)
        hass_check_event(check, component);
}

static inline void hass_check_component(struct hass_check *check, const cJSON *component,
                                        const char *device, int has_state_topic)
{
    const char *platform = hass_text(component, "p");

    if (!platform || !hass_component_keys(platform)) {
        hass_fault(check, "platform", component->string);
        return;
    }
    if (cJSON_GetArraySize(component) == 1)
        return; /* it is removed */
    hass_check_keys(check, component, hass_component_keys(platform), platform);
    hass_check_entity(check, component, platform, device, has_state_topic);
}

static inline void hass_check_texts(struct hass_check *check, const cJSON *item)
{
    /* "None" as a text would be a name or unit; null is null. */
    for (; item; item = item->next) {
        if (cJSON_IsString(item) &&
            hass_is_among(item->valuestring, " None nan NaN inf null (null) "))
            hass_fault(check, "odd text", item->string);
        hass_check_texts(check, item->child);
    }
}

static inline void hass_check_device(struct hass_check *check, const cJSON *device)
{
    const cJSON *ids = cJSON_GetObjectItemCaseSensitive(device, "identifiers");

    hass_check_keys(
        check, device,
        " identifiers connections name manufacturer model model_id hw_version sw_version "
        "serial_number via_device suggested_area configuration_url ",
        "device");
    if (!cJSON_IsArray(ids) || cJSON_GetArraySize(ids) == 0)
        hass_fault(check, "device", "has no identifiers");
    if (!hass_text(device, "name") || !hass_text(device, "name")[0])
        hass_fault(check, "device", "has no name");
}

static inline void hass_check_origin(struct hass_check *check, const cJSON *origin)
{
    hass_check_keys(check, origin, " name sw_version support_url ", "origin");
    if (!hass_text(origin, "name"))
        hass_fault(check, "origin", "has no name");
}

/* The same of the message of a single entity, whose platform stands in its topic. */
static inline cJSON *hass_judge_entity(struct hass_check *check, const char *platform,
                                       const char *message)
{
    cJSON *json = cJSON_Parse(message);
    const cJSON *device = cJSON_GetObjectItemCaseSensitive(json, "device");
    char known[400];

    if (!json || !cJSON_IsObject(device) || !hass_component_keys(platform)) {
        hass_fault(check, "not an object with a device, of a known platform", platform);
        return json;
    }
    snprintf(known, sizeof(known), "%s device origin availability availability_mode ",
             hass_component_keys(platform));
    hass_check_keys(check, json, known, platform);
    if (cJSON_GetObjectItemCaseSensitive(json, "avty") &&
        cJSON_GetObjectItemCaseSensitive(json, "availability"))
        hass_fault(check, "availability", "is there twice");
    hass_check_device(check, device);
    hass_check_origin(check, cJSON_GetObjectItemCaseSensitive(json, "origin"));
    hass_check_availability(check, cJSON_GetObjectItemCaseSensitive(json, "availability"));
    hass_check_texts(check, json);
    hass_check_entity(check, json, platform, hass_text(device, "name"), 0);
    return json;
}

/* Judges one message; the parsed message, to be deleted by the caller, NULL when it is no JSON. */
static inline cJSON *hass_judge(struct hass_check *check, const char *message)
{
    cJSON *json = cJSON_Parse(message);
    const cJSON *device = cJSON_GetObjectItemCaseSensitive(json, "device");
    const cJSON *origin = cJSON_GetObjectItemCaseSensitive(json, "origin");
    const cJSON *components = cJSON_GetObjectItemCaseSensitive(json, "components"), *component;

    if (!json || !cJSON_IsObject(device) || !cJSON_IsObject(origin) ||
        !cJSON_IsObject(components)) {
        hass_fault(check, "not an object with device, origin and components", "");
        return json;
    }
    hass_check_keys(
        check, json,
        " device origin components availability availability_mode availability_topic "
        "payload_available payload_not_available state_topic command_topic qos encoding ",
        "top");
    hass_check_origin(check, origin);
    hass_check_device(check, device);
    hass_check_availability(check, cJSON_GetObjectItemCaseSensitive(json, "availability"));
    hass_check_texts(check, json);
    cJSON_ArrayForEach(component, components)
    {
        hass_check_component(check, component, hass_text(device, "name"),
                             hass_text(json, "state_topic") != NULL);
    }
    return json;
}

static inline void hass_check_free(struct hass_check *check)
{
    for (int i = 0; i < check->n_ids; i++)
        free(check->ids[i]);
    memset(check, 0, sizeof(*check));
}
