#include "adapters/modbus/signature.h"

#include "adapters/modbus/options.h"
#include "gateway/base/section.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct setting condition_settings[] = {
    {"equals", SETTING_NUMBER | SETTING_INT | SETTING_TEXT,
     .help = "The value, or a glob that a text matches."},
    {"between", SETTING_PAIR, .help = "The least and the greatest value."},
    {0},
};

struct condition {
    struct mb_channel channel;
    char *text; /* a glob; NULL: a number between these */
    double low, high;
};

struct mb_signature {
    struct condition *conditions;
    size_t n;
};

/* -- reading -------------------------------------------------------------------------------- */

void mb_signature_free(struct mb_signature *signature)
{
    if (!signature)
        return;
    for (size_t i = 0; i < signature->n; i++) {
        mb_channel_clear(&signature->conditions[i].channel);
        free(signature->conditions[i].text);
    }
    free(signature->conditions);
    free(signature);
}

size_t mb_signature_size(const struct mb_signature *signature)
{
    return signature->n;
}

static int read_wanted(const struct section *section, struct condition *condition,
                       struct problems *problems)
{
    const char *text = section_text(section, "equals");

    if (section_has(section, "equals") == section_has(section, "between")) {
        problem_error(problems, section_place(section, NULL),
                      "write equals = 42, equals = \"SDM*\" or between = ( 45, 65 )",
                      "a condition says either what is equal or what it lies between");
        return -EINVAL;
    }
    if (section_has(section, "between")) {
        condition->low = section_number_at(section, "between", 0);
        condition->high = section_number_at(section, "between", 1);
    } else if (text) {
        condition->text = strdup(text);
        return condition->text ? 0 : -ENOMEM;
    } else {
        condition->low = condition->high = section_number(section, "equals");
    }
    return 0;
}

static int read_condition(const struct section *device, struct section *section,
                          struct condition *condition, struct problems *problems)
{
    static const struct setting *const tables[] = {mb_channel_settings, condition_settings};
    const struct channel_config config = {.name = "signature", .options = section};
    int result;

    if (section_check(section, tables, 2, problems) > 0)
        return -EINVAL;
    result = mb_channel_read(device, &config, &condition->channel, problems);
    return result < 0 ? result : read_wanted(section, condition, problems);
}

/* What `order` and limits a device of this template has. */
static struct section *make_device(const struct section *template, struct problems *problems)
{
    static const struct setting *const tables[] = {mb_device_settings};
    struct section *device = section_new("", section_place(template, NULL));
    int result = device ? 0 : -ENOMEM;

    for (size_t i = 0; result == 0 && mb_device_settings[i].key; i++)
        result = section_inherit_key(device, template, mb_device_settings[i].key);
    if (result == 0 && section_check(device, tables, 1, problems) == 0)
        return device;
    section_free(device);
    return NULL;
}

int mb_signature_read(const struct section *template, struct problems *problems,
                      struct mb_signature **ret)
{
    size_t n = section_has(template, "signature") ? section_count(template, "signature") : 0;
    struct mb_signature *signature = calloc(1, sizeof(*signature));
    struct section *device = make_device(template, problems);
    int result = signature && device ? 0 : -EINVAL;

    *ret = NULL;
    if (signature)
        signature->conditions = calloc(n + 1, sizeof(*signature->conditions));
    if (!signature || !signature->conditions)
        result = -ENOMEM;
    for (size_t i = 0; i < n && result == 0; i++) {
        struct section *section = section_group_at(template, "signature", i);

        result = section ? read_condition(device, section, &signature->conditions[signature->n++],
                                          problems)
                         : -EINVAL;
    }
    section_free(device);
    if (result == 0 && n > 0)
        *ret = signature;
    else
        mb_signature_free(signature);
    return result;
}

/* -- asking --------------------------------------------------------------------------------- */

static bool is_same(const struct mb_request *a, const struct mb_request *b)
{
    return a->function == b->function && a->address == b->address && a->count == b->count;
}

/* Asks, unless it was asked before. NULL when too much was. */
static const struct mb_asked_once *ask_once(struct mb_port *port, uint8_t unit,
                                            const struct mb_request *request, int64_t timeout_ms,
                                            struct mb_asked_before *before)
{
    struct mb_asked_once *once;
    const uint8_t *data;

    for (size_t i = 0; i < before->n; i++) {
        if (is_same(&before->list[i].request, request))
            return &before->list[i];
    }
    if (before->n == MB_ASKED_MAX)
        return NULL;
    once = &before->list[before->n++];
    once->request = *request;
    once->quality = port->ask(port, unit, request, timeout_ms, &data, NULL);
    if (once->quality == QUALITY_GOOD)
        memcpy(once->data, data, mb_answer_bytes(request));
    return once;
}

static bool is_wanted(const struct condition *condition, const struct sample *sample)
{
    if (sample->quality != QUALITY_GOOD)
        return false;
    if (sample->kind == VALUE_TEXT)
        return condition->text && text_glob(condition->text, sample->text);
    return !condition->text && sample->number >= condition->low &&
           sample->number <= condition->high;
}

static bool holds(const struct condition *condition, const struct mb_asked_once *once)
{
    const struct mb_channel *channel = &condition->channel;
    struct sample sample;

    if (!once || once->quality != QUALITY_GOOD)
        return false;
    sample = mb_reads_bits(channel->span.function)
                 ? mb_decode_bit(&channel->format, once->data[0] & 1, 0, 0)
                 : mb_decode(&channel->format, once->data, 0, 0);
    return is_wanted(condition, &sample);
}

bool mb_signature_holds(const struct mb_signature *signature, struct mb_port *port, uint8_t unit,
                        int64_t timeout_ms, struct mb_asked_before *before)
{
    for (size_t i = 0; i < signature->n; i++) {
        const struct mb_span *span = &signature->conditions[i].channel.span;
        struct mb_request request = {
            .function = span->function, .address = span->address, .count = span->count};

        if (!holds(&signature->conditions[i], ask_once(port, unit, &request, timeout_ms, before)))
            return false;
    }
    return signature->n > 0;
}
