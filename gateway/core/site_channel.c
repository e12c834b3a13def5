#include "gateway/core/site_channel.h"

#include "adapters/adapters.h"

#include <string.h>

/* A number, or of an enumeration one of its texts. */
static bool is_value(const struct adapter *adapter, const struct section *channel, const char *key)
{
    const char *text = section_text(channel, key);
    struct channel_option option;
    size_t n = 0;

    for (; adapter->option && adapter->option(channel, n, &option); n++) {
        if (text && strcmp(option.text, text) == 0)
            return true;
    }
    return n == 0 && !text;
}

static void check_writing(const struct adapter *adapter, const struct section *channel,
                          struct problems *problems)
{
    /* all but the first are for numbers alone */
    static const char *const keys[] = {"safe", "min", "max", "step", "max_on"};
    bool writable = section_bool(channel, "writable");
    struct channel_option first;
    bool is_choice = adapter->option && adapter->option(channel, 0, &first);

    if (writable && !adapter->write && !adapter->begin_write)
        problem_error(problems, section_place(channel, "writable"), "leave `writable` out",
                      "nothing can be written to a device of %s", adapter->word);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (!writable && section_has(channel, keys[i]))
            problem_error(problems, section_key_place(channel, keys[i]), "add writable = true",
                          "`%s` is for channels that may be written", keys[i]);
        else if (is_choice && i > 0 && section_has(channel, keys[i]))
            problem_error(problems, section_key_place(channel, keys[i]), "leave it out",
                          "`%s` is for numbers and switches, this is an enumeration", keys[i]);
    }
    if (section_has(channel, "safe") && !is_value(adapter, channel, "safe"))
        problem_error(problems, section_place(channel, "safe"),
                      is_choice ? "write one of the texts of the channel" : "write a number",
                      "this cannot be the value of the channel");
    if (section_has(channel, "min") && section_has(channel, "max") &&
        section_number(channel, "min") >= section_number(channel, "max"))
        problem_error(problems, section_place(channel, "max"), "exchange them",
                      "max is not above min");
    if (section_has(channel, "max_on") && !section_has(channel, "safe") &&
        (section_number(channel, "min") > 0 || section_number(channel, "max") < 0))
        problem_error(problems, section_key_place(channel, "max_on"), "say what off is: safe = ...",
                      "0 may not be written, so `max_on` cannot switch it off");
}

/* What happens has no size, is told each time, and cannot be written. */
static void check_event(const struct section *channel, struct problems *problems)
{
    static const char *const keys[] = {
        "unit",    "precision", "state_class", "valid",     "max_step",
        "counter", "publish",   "deadband",    "heartbeat", "writable",
        "safe",    "min",       "max",         "step",      "max_on",
    };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (section_has(channel, keys[i]))
            problem_error(problems, section_key_place(channel, keys[i]), "leave it out",
                          "`%s` is for values, this channel has events", keys[i]);
    }
}

void site_channel_check(const struct adapter *adapter, const struct section *channel,
                        struct problems *problems)
{
    if (adapter->traits && adapter->traits(channel).kind == CHANNEL_EVENT)
        check_event(channel, problems);
    else
        check_writing(adapter, channel, problems);
}
