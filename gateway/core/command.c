#include "gateway/core/command.h"

#include "adapters/adapters.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/queue.h"
#include "gateway/base/report.h"
#include "gateway/base/text.h"
#include "gateway/core/hold.h"
#include "gateway/core/inventory.h"
#include "gateway/core/max_on.h"
#include "gateway/core/own.h"
#include "gateway/core/pipeline.h"
#include "gateway/core/write.h"
#include "rules/rules.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define IDS_MAX     256 /* that are remembered, to know what is given again */
#define MUTE_MAX_MS ((int64_t)366 * 86400000)

struct commands {
    struct pipeline *pipeline;
    struct queue *queue; /* struct command */
    struct wake *wake;
    struct adapters *adapters; /* NULL: they are closed, or not open yet */
    struct writes *writes;
    struct holds *holds;
    struct max_on *max_on;
    struct inventory *inventory;
    void (*reload)(void *owner);
    void *owner;
    const char *held;          /* why nothing is written; NULL: it is */
    struct command reloads[8]; /* that wait for the same reload */
    size_t n_reloads;
    uint64_t ended[COMMAND_RESULTS];
    char ids[IDS_MAX][COMMAND_ID_SIZE]; /* the newest */
    size_t next_id;
};

/* -- words ---------------------------------------------------------------------------------- */

static const char *const results[] = {
    [COMMAND_OK] = "ok",
    [COMMAND_DIFFERS] = "differs",
    [COMMAND_REFUSED] = "refused",
    [COMMAND_TIMEOUT] = "timeout",
    [COMMAND_SUPERSEDED] = "superseded",
};

static const char *const origins[] = {
    [COMMAND_VIA_RULE] = "rule",     [COMMAND_VIA_MQTT] = "mqtt",     [COMMAND_VIA_API] = "api",
    [COMMAND_VIA_SIGNAL] = "signal", [COMMAND_VIA_MAX_ON] = "max_on",
};

const char *command_result_name(uint8_t result)
{
    return result < sizeof(results) / sizeof(results[0]) ? results[result] : "refused";
}

const char *command_origin_name(uint8_t origin)
{
    return origin < sizeof(origins) / sizeof(origins[0]) ? origins[origin] : "";
}

/* -- ends ----------------------------------------------------------------------------------- */

/* Every command ends here, once: the answer to who asked, and the event for everyone. */
static void end(void *owner, const struct command *command, const struct command_reply *reply)
{
    struct commands *commands = owner;
    struct command_reply whole = *reply;
    struct pipeline_command_event event = {
        .target = command->target,
        .kind = command_kind_name(command->kind),
        .argument = command->argument,
        .by = command->by,
        .via = command_origin_name(command->origin),
        .note = command->note[0] ? command->note : reply->words,
        .result = command_result_name(reply->result),
        .has_value = reply->has_value,
        .value = reply->value,
        .text = reply->text,
    };

    commands->ended[reply->result]++;
    if (!command->again || reply->result == COMMAND_OK)
        pipeline_tell_command(commands->pipeline, &event);
    text_copy(whole.id, sizeof(whole.id), command->id);
    if (command->reply)
        command->reply(command->owner, &whole);
}

static void finish(struct commands *commands, const struct command *command, uint8_t result,
                   const char *words)
{
    struct command_reply reply = {.token = command->token, .kind = command->kind, .result = result};

    text_copy(reply.target, sizeof(reply.target), command->target);
    text_copy(reply.words, sizeof(reply.words), words);
    end(commands, command, &reply);
}

static void refuse(struct commands *commands, const struct command *command, const char *words)
{
    finish(commands, command, COMMAND_REFUSED, words);
}

/* -- writes --------------------------------------------------------------------------------- */

static bool parse_number(const char *text, double *ret_value)
{
    if (strcasecmp(text, "on") == 0 || strcasecmp(text, "true") == 0) {
        *ret_value = 1;
        return true;
    }
    if (strcasecmp(text, "off") == 0 || strcasecmp(text, "false") == 0) {
        *ret_value = 0;
        return true;
    }
    return text_to_number(text, ret_value) == 0;
}

static bool parse_option(const struct inventory_sensor *sensor, const char *text, double *ret_value)
{
    for (uint32_t i = 0; i < sensor->n_options; i++) {
        if (strcmp(sensor->options[i].text, text) == 0) {
            *ret_value = sensor->options[i].number;
            return true;
        }
    }
    return false;
}

/* false with `words`, which name what may be written. */
static bool parse_value(const struct inventory_sensor *sensor, const char *text, double *ret_value,
                        char *words, size_t size)
{
    size_t length = 0;

    if (sensor->n_options == 0) {
        text_copy(words, size, "this is no value: write a number, ON or OFF");
        return parse_number(text, ret_value);
    }
    text_append(words, size, &length, "this is none of its values: write ");
    for (uint32_t i = 0; i < sensor->n_options; i++)
        text_append(words, size, &length, "%s%s", i == 0 ? "" : ", ", sensor->options[i].text);
    return parse_option(sensor, text, ret_value);
}

static bool is_on_step(const struct inventory_write *write, double value)
{
    double base = isfinite(write->min) ? write->min : 0, steps;

    if (!(write->step > 0))
        return true;
    steps = (value - base) / write->step;
    return fabs(steps - round(steps)) < 1e-6;
}

/* What speaks against writing `value`; false when nothing does. */
static bool is_wrong(const struct inventory_sensor *sensor, double value, char *words, size_t size)
{
    const struct inventory_write *write = sensor->write;

    if (!write)
        snprintf(words, size, "%s is not writable: set `writable = true` in the config",
                 sensor->id);
    else if (sensor->kind == SENSOR_BINARY && value != 0 && value != 1)
        snprintf(words, size, "%s is switched: write ON or OFF", sensor->id);
    else if (value < write->min || value > write->max)
        snprintf(words, size, "%g is outside %g to %g", value, write->min, write->max);
    else if (!is_on_step(write, value))
        snprintf(words, size, "%g is no whole step of %g", value, write->step);
    else
        return false;
    return true;
}

/* A person's write wins over what a rule holds, until the rule changes its state. */
static void yield(struct commands *commands, uint32_t sensor)
{
    if (holds_drop(commands->holds, sensor))
        pipeline_yield(commands->pipeline, sensor);
}

static void do_write(struct commands *commands, const struct command *command)
{
    uint32_t sensor = inventory_find_sensor(commands->inventory, command->target);
    const struct inventory_sensor *about;
    char words[200];
    double value;

    if (sensor == UINT32_MAX) {
        refuse(commands, command, "there is no such sensor");
        return;
    }
    about = &commands->inventory->sensors[sensor];
    if (!parse_value(about, command->argument, &value, words, sizeof(words)))
        refuse(commands, command, words);
    else if (commands->held)
        refuse(commands, command, commands->held);
    else if (is_wrong(about, value, words, sizeof(words)))
        refuse(commands, command, words);
    else {
        if (command->origin != COMMAND_VIA_RULE)
            yield(commands, sensor);
        writes_put(commands->writes, command, sensor, value);
    }
}

/* -- rules ---------------------------------------------------------------------------------- */

static bool parse_until(const char *text, int64_t *ret_until_ms)
{
    int64_t duration_ms;

    *ret_until_ms = CLOCK_NEVER;
    if (text[0] == '\0')
        return true;
    if (text_to_duration_ms(text, &duration_ms) < 0 || duration_ms <= 0 ||
        duration_ms > MUTE_MAX_MS)
        return false;
    *ret_until_ms = clock_boot_ms() + duration_ms;
    return true;
}

static int give_order(struct commands *commands, const struct command *command,
                      const struct rules_order *order, struct error *reterr)
{
    struct rules_order whole = *order;

    whole.by = command->by;
    whole.via = command_origin_name(command->origin);
    whole.note = command->note[0] ? command->note : NULL;
    return pipeline_order(commands->pipeline, &whole, reterr);
}

static void do_order(struct commands *commands, const struct command *command)
{
    static const enum rules_order_kind kinds[] = {
        [COMMAND_ACK] = ORDER_ACK,         [COMMAND_MUTE] = ORDER_MUTE,
        [COMMAND_UNMUTE] = ORDER_UNMUTE,   [COMMAND_ENABLE] = ORDER_ENABLE,
        [COMMAND_DISABLE] = ORDER_DISABLE, [COMMAND_RESET] = ORDER_RESET,
    };
    struct rules_order order = {.kind = (uint8_t)kinds[command->kind], .target = command->target};
    struct error err = {0};
    int r;

    if (command->kind == COMMAND_MUTE && !parse_until(command->argument, &order.until_ms)) {
        refuse(commands, command, "this is no time to mute for: write 30m, 2h or 1d");
        return;
    }
    r = give_order(commands, command, &order, &err);
    finish(commands, command, r > 0 ? COMMAND_OK : COMMAND_REFUSED, r > 0 ? "" : err.text);
}

/* "above=-14" */
static void do_limit(struct commands *commands, const struct command *command)
{
    struct rules_order order = {.kind = ORDER_LIMIT, .target = command->target};
    const char *equals = strchr(command->argument, '=');
    struct error err = {0};
    char key[32] = "";
    int r;

    if (equals && (size_t)(equals - command->argument) < sizeof(key))
        memcpy(key, command->argument, (size_t)(equals - command->argument));
    if (!key[0] || text_to_number(equals + 1, &order.value) < 0) {
        refuse(commands, command, "write the limit and its value: above=-14");
        return;
    }
    order.key = key;
    r = give_order(commands, command, &order, &err);
    finish(commands, command, r > 0 ? COMMAND_OK : COMMAND_REFUSED, r > 0 ? "" : err.text);
}

static uint32_t find_device(const struct inventory *inventory, const char *name)
{
    for (uint32_t i = 0; i < inventory->n_devices; i++) {
        if (strcmp(inventory->devices[i].name, name) == 0)
            return i;
    }
    return UINT32_MAX;
}

/* Mutes, or no longer, every instance that reads a sensor of the device. */
static void do_standby(struct commands *commands, const struct command *command)
{
    const struct inventory *inventory = commands->inventory;
    uint32_t device = find_device(inventory, command->target), online;
    struct rules_order order = {.kind =
                                    command->kind == COMMAND_STANDBY ? ORDER_MUTE : ORDER_UNMUTE};
    struct error err = {0};

    if (device == UINT32_MAX) {
        refuse(commands, command, "there is no such device");
        return;
    }
    if (!parse_until(command->argument, &order.until_ms)) {
        refuse(commands, command, "this is no time to rest for: write 30m, 2h or 1d");
        return;
    }
    order.first_sensor = inventory->devices[device].first_sensor;
    order.n_sensors = inventory->devices[device].n_sensors;
    online = own_device_online(inventory, device);
    order.online = &online;
    (void)give_order(commands, command, &order, &err); /* muted already is no mistake */
    finish(commands, command, COMMAND_OK, "");
}

/* -- reload --------------------------------------------------------------------------------- */

static void do_reload(struct commands *commands, const struct command *command)
{
    if (commands->n_reloads == sizeof(commands->reloads) / sizeof(commands->reloads[0])) {
        refuse(commands, command, "too many ask for a reload at once");
        return;
    }
    commands->reloads[commands->n_reloads++] = *command;
    if (commands->n_reloads == 1)
        commands->reload(commands->owner);
}

void commands_reloaded(struct commands *commands, bool done, const char *words)
{
    struct command reloads[sizeof(commands->reloads) / sizeof(commands->reloads[0])];
    size_t n = commands->n_reloads;

    memcpy(reloads, commands->reloads, n * sizeof(reloads[0]));
    commands->n_reloads = 0;
    for (size_t i = 0; i < n; i++)
        finish(commands, &reloads[i], done ? COMMAND_OK : COMMAND_REFUSED, words);
}

static void do_rescan(struct commands *commands, const struct command *command)
{
    if (!commands->adapters) {
        refuse(commands, command, "the gateway is stopping");
        return;
    }
    adapters_look(commands->adapters);
    finish(commands, command, COMMAND_OK, "");
}

/* -- the table ------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    enum command_rights needs;
    void (*call)(struct commands *commands, const struct command *command);
} table[COMMAND_KINDS] = {
    [COMMAND_WRITE] = {"write", COMMAND_RIGHTS_ALL, do_write},
    [COMMAND_ACK] = {"ack", COMMAND_RIGHTS_ACK, do_order},
    [COMMAND_MUTE] = {"mute", COMMAND_RIGHTS_ACK, do_order},
    [COMMAND_UNMUTE] = {"unmute", COMMAND_RIGHTS_ACK, do_order},
    [COMMAND_ENABLE] = {"enable", COMMAND_RIGHTS_ALL, do_order},
    [COMMAND_DISABLE] = {"disable", COMMAND_RIGHTS_ALL, do_order},
    [COMMAND_LIMIT] = {"limit", COMMAND_RIGHTS_ALL, do_limit},
    [COMMAND_STANDBY] = {"standby", COMMAND_RIGHTS_ALL, do_standby},
    [COMMAND_RESUME] = {"resume", COMMAND_RIGHTS_ALL, do_standby},
    [COMMAND_RELOAD] = {"reload", COMMAND_RIGHTS_ALL, do_reload},
    [COMMAND_RESET] = {"reset", COMMAND_RIGHTS_ALL, do_order},
    [COMMAND_RESCAN] = {"rescan", COMMAND_RIGHTS_ALL, do_rescan},
};

const char *command_kind_name(uint8_t kind)
{
    return kind < COMMAND_KINDS ? table[kind].name : "";
}

bool command_kind_parse(const char *word, enum command_kind *ret_kind)
{
    for (uint8_t kind = 0; kind < COMMAND_KINDS; kind++) {
        if (strcmp(table[kind].name, word) == 0) {
            *ret_kind = (enum command_kind)kind;
            return true;
        }
    }
    return false;
}

/* Whether a command of this id was given before; remembers it. */
static bool is_repeated(struct commands *commands, const char *id)
{
    if (!id[0])
        return false;
    for (size_t i = 0; i < IDS_MAX; i++) {
        if (strcmp(commands->ids[i], id) == 0)
            return true;
    }
    text_copy(commands->ids[commands->next_id++ % IDS_MAX], COMMAND_ID_SIZE, id);
    return false;
}

static void carry_out(struct commands *commands, const struct command *command)
{
    if (command->kind >= COMMAND_KINDS)
        refuse(commands, command, "there is no such command");
    else if (command->rights < table[command->kind].needs)
        refuse(commands, command, "this is not allowed here");
    else if (command->expires_ms != CLOCK_NEVER && clock_boot_ms() > command->expires_ms)
        refuse(commands, command, "it came too late");
    else if (is_repeated(commands, command->id))
        refuse(commands, command, "it was given already");
    else
        table[command->kind].call(commands, command);
}

static void take_all(void *owner)
{
    struct commands *commands = owner;
    struct command command;

    while (queue_pop(commands->queue, &command, 1) > 0)
        carry_out(commands, &command);
}

static void knock(void *owner)
{
    struct commands *commands = owner;

    wake_send(commands->wake);
}

/* -- door ----------------------------------------------------------------------------------- */

int command_submit(struct commands *commands, const struct command *command)
{
    return queue_push(commands->queue, command, 1);
}

static int submit_for_rule(void *owner, const struct command *command)
{
    return command_submit(owner, command);
}

int commands_write_for_rule(struct commands *commands, const struct rule_action *action)
{
    return holds_put(commands->holds, action);
}

/* The way of every command, so that it is an event, and ends what a rule holds. */
static void switch_off(void *owner, uint32_t sensor, double value)
{
    struct commands *commands = owner;
    struct command command = {.kind = COMMAND_WRITE,
                              .origin = COMMAND_VIA_MAX_ON,
                              .rights = COMMAND_RIGHTS_ALL,
                              .expires_ms = CLOCK_NEVER,
                              .note = "it was on for too long"};

    text_copy(command.target, sizeof(command.target), commands->inventory->sensors[sensor].id);
    text_from_number(command.argument, sizeof(command.argument), value, -1);
    (void)command_submit(commands, &command); /* refused only when too many wait: then again soon */
}

struct commands *commands_new(struct loop *loop, struct pipeline *pipeline,
                              void (*reload)(void *owner), void *owner)
{
    struct commands *commands = calloc(1, sizeof(*commands));

    if (!commands)
        return NULL;
    commands->pipeline = pipeline;
    commands->reload = reload;
    commands->owner = owner;
    commands->queue =
        queue_new(sizeof(struct command), COMMANDS_MAX, QUEUE_REFUSE, knock, commands);
    commands->wake = wake_new(loop, take_all, commands);
    commands->writes = writes_new(loop, end, commands);
    commands->holds = holds_new(loop, submit_for_rule, commands);
    commands->max_on = max_on_new(loop, switch_off, commands);
    if (!commands->queue || !commands->wake || !commands->writes || !commands->holds ||
        !commands->max_on) {
        commands_free(commands);
        return NULL;
    }
    return commands;
}

void commands_free(struct commands *commands)
{
    if (!commands)
        return;
    writes_free(commands->writes);
    holds_free(commands->holds);
    max_on_free(commands->max_on);
    wake_free(commands->wake);
    queue_free(commands->queue);
    inventory_release(commands->inventory);
    free(commands);
}

void commands_use(struct commands *commands, struct adapters *adapters)
{
    commands->adapters = adapters;
    writes_connect(commands->writes, adapters);
}

void commands_wrote(struct commands *commands, uint32_t token, uint8_t quality)
{
    writes_confirm(commands->writes, token, quality);
}

void commands_hold(struct commands *commands, const char *words)
{
    commands->held = words;
}

bool commands_write_safe(struct commands *commands)
{
    bool any = false;

    for (uint32_t i = 0; commands->inventory && i < commands->inventory->n_sensors; i++) {
        const struct inventory_sensor *sensor = &commands->inventory->sensors[i];
        struct command command = {.kind = COMMAND_WRITE, .expires_ms = CLOCK_NEVER};

        if (!sensor->write || isnan(sensor->write->safe))
            continue;
        text_copy(command.target, sizeof(command.target), sensor->id);
        text_copy(command.note, sizeof(command.note), "safe value");
        writes_put(commands->writes, &command, i, sensor->write->safe);
        any = true;
    }
    return any;
}

bool commands_idle(const struct commands *commands)
{
    return writes_idle(commands->writes);
}

static void take_inventory(void *sink, struct inventory *inventory)
{
    struct commands *commands = sink;

    writes_use(commands->writes, inventory);
    holds_use(commands->holds, inventory);
    if (max_on_use(commands->max_on, inventory) < 0)
        log_error("out of memory: outputs with max_on are not watched");
    inventory_release(commands->inventory);
    commands->inventory = inventory_hold(inventory);
}

static void take_readings(void *sink, uint32_t device, const struct reading *readings, size_t count)
{
    struct commands *commands = sink;

    (void)device;
    writes_read_back(commands->writes, readings, count);
    holds_on_readings(commands->holds, readings, count);
    max_on_readings(commands->max_on, readings, count);
}

static void take_instance(void *sink, const struct instance_state *state)
{
    struct commands *commands = sink;

    holds_on_instance(commands->holds, state);
}

static void take_device(void *sink, uint32_t device, uint8_t why, int64_t at_ms)
{
    struct commands *commands = sink;

    (void)at_ms;
    if (why == QUALITY_GOOD)
        holds_on_device(commands->holds, device);
}

const struct sink_calls commands_sink = {
    .name = "commands",
    .inventory = take_inventory,
    .readings = take_readings,
    .device = take_device,
    .instance = take_instance,
};

void commands_report(const struct commands *commands, struct report *report)
{
    for (uint8_t i = 0; i < COMMAND_RESULTS; i++)
        report_count_of(report, "result", results[i], "commands", (double)commands->ended[i], true,
                        "Commands that ended so.");
}
