/* Commands: checked for their form here, for what they mean by the one table of commands. */
#include "gateway/base/clock.h"
#include "gateway/base/json_read.h"
#include "gateway/base/text.h"
#include "gateway/core/command.h"
#include "gateway/web/handlers.h"
#include "gateway/web/server.h"
#include "gateway/web/waiting.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* clang-format off */
#define BY_AND_NOTE                                                                                  \
    {"by", "string", .help = "Who wants it, where you ask for somebody else; your user name stands behind."}, \
    {"note", "string", .help = "Words to keep with it."}

const struct field plain_body[] = {BY_AND_NOTE, {0}};
const struct field for_body[] = {
    {"for", "string", .help = "A duration: 2h, which is what holds by default."}, BY_AND_NOTE, {0}};
const struct field limit_body[] = {
    {"name", "string", .help = "Of the limit: above, below, ...", .required = true},
    {"value", "number", .help = "What it becomes.", .required = true},
    BY_AND_NOTE,
    {0},
};
const struct field write_body[] = {
    {"sensor", "string", .help = "Its id.", .required = true},
    {"value", "value", .help = "A number, \"ON\", \"OFF\", true or false; one of its `options`.", .required = true},
    BY_AND_NOTE,
    {0},
};
const struct field standby_body[] = {
    {"device", "string", .help = "Its name.", .required = true},
    {"for", "string", .help = "A duration: 2h, which is what holds by default."},
    BY_AND_NOTE,
    {0},
};
const struct field resume_body[] = {
    {"device", "string", .help = "Its name.", .required = true}, BY_AND_NOTE, {0}};
const struct field ask_body[] = {
    {"connect", "string", .help = "Address of the line or device: serial:/dev/ttyUSB0, tcp://10.0.0.5.", .required = true},
    {"unit", "number", .help = "Whom: 0 to 255.", .required = true},
    {"function", "number", .help = "1 to 4 to read, 43 for who it is.", .required = true},
    {"address", "number", .help = "The first register; of 43 the first object.", .required = true},
    {"count", "number", .help = "How many registers or bits.", .required = true},
    {"timeout", "number", .help = "Milliseconds to wait; 1000 by default."},
    {0},
};
const struct field ask_answer[] = {
    {"bus", "string", .help = "Name of the bus with that line."},
    {"quality", "string", .help = "\"good\", or why there is no answer: \"timeout\", \"exception_2\", ..."},
    {"bytes", "string", .help = "What the answer holds, in hex."},
    {0},
};
const struct field command_answer[] = {
    {"result", "string", .help = "\"ok\" (200), \"differs\" (409), \"refused\" (409), \"superseded\" (409) or "
                         "\"timeout\" (504)."},
    {"target", "string", .help = "What it was done to."},
    {"value", "value?", .help = "Of a write: what was read back."},
    {"words", "string", .help = "What there is to say; \"\" for nothing."},
    {"error", "string?", .help = "The same when it did not succeed."},
    {0},
};
const struct field tested_answer[] = {
    {"ok", "boolean", .help = "Whether it was sent (200) or not (409)."},
    {"words", "string", .help = "What the server said, or what went wrong."},
    {"error", "string?", .help = "The same when it was not sent."},
    {0},
};
/* clang-format on */

/* -- the answer ----------------------------------------------------------------------------- */

static void write_reply(struct json *json, const void *what)
{
    const struct command_reply *reply = what;
    bool ok = reply->result == COMMAND_OK;
    const char *words = reply->words[0] ? reply->words : command_result_name(reply->result);

    json_object(json, NULL);
    json_text(json, "result", command_result_name(reply->result));
    json_text(json, "target", reply->target);
    if (reply->has_value)
        json_number(json, "value", reply->value, -1);
    else
        json_text(json, "value", reply->text);
    json_text(json, "words", reply->words);
    json_text(json, "error", ok ? NULL : words);
    json_end(json);
}

static void take_reply(void *owner, const struct command_reply *reply)
{
    static const unsigned statuses[] = {
        [COMMAND_OK] = MHD_HTTP_OK,
        [COMMAND_DIFFERS] = MHD_HTTP_CONFLICT,
        [COMMAND_REFUSED] = MHD_HTTP_CONFLICT,
        [COMMAND_TIMEOUT] = MHD_HTTP_GATEWAY_TIMEOUT,
        [COMMAND_SUPERSEDED] = MHD_HTTP_CONFLICT,
    };
    struct request *request = waiting_end(owner);

    if (request)
        request_answer_json(request, statuses[reply->result], 4096, write_reply, reply);
}

static void submit(struct request *request, struct command *command)
{
    struct waiting *waiting = request_wait(request);
    int r;

    if (!waiting)
        return;
    command->origin = COMMAND_VIA_API;
    command->rights = COMMAND_RIGHTS_ALL;
    command->expires_ms = clock_boot_ms() + WEB_ANSWER_MS;
    command->reply = take_reply;
    command->owner = waiting;
    r = command_submit(request->web->context.commands, command);
    if (r < 0)
        request_refused(request, waiting, r);
}

/* -- the body ------------------------------------------------------------------------------- */

static bool is_type(const struct json_value *value, const char *type)
{
    double number;
    bool boolean;

    if (strcmp(type, "string") == 0)
        return json_as_text(value) != NULL;
    if (strcmp(type, "number") == 0)
        return json_as_number(value, &number);
    return json_as_text(value) || json_as_number(value, &number) || json_as_bool(value, &boolean);
}

/* Holds the members against the route's table; false when they do not fit, which has been answered.
 */
static bool check_body(struct request *request, const struct json_value *body)
{
    char quoted[100];

    for (const struct json_value *item = json_first(body); item; item = json_next(item)) {
        const struct field *field = routes_field(request->route->body, json_key(item));

        if (field && is_type(item, field->type))
            continue;
        text_quote(quoted, sizeof(quoted), json_key(item));
        if (field)
            request_answer_error(request, MHD_HTTP_BAD_REQUEST, "%s: must be a %s", quoted,
                                 field->type);
        else
            request_answer_error(request, MHD_HTTP_BAD_REQUEST, "no such member: %s", quoted);
        return false;
    }
    for (const struct field *field = request->route->body; field->name; field++) {
        if (!field->required || json_get(body, field->name))
            continue;
        request_answer_error(request, MHD_HTTP_BAD_REQUEST, "%s: is missing", field->name);
        return false;
    }
    return true;
}

/* The body as a tree; no body is one without members. NULL when it is no good, which has been
 * answered. */
static struct json_value *read_body(struct request *request)
{
    struct json_value *body =
        request->body ? json_parse(request->body, request->length) : json_parse("{}", strlen("{}"));

    if (!json_is_object(body))
        request_answer_error(request, MHD_HTTP_BAD_REQUEST,
                             "the body must be a JSON object in UTF-8");
    else if (check_body(request, body))
        return body;
    json_free(body);
    return NULL;
}

/* A member that is a text, which must fit; absent is "". */
static bool get_text(struct request *request, const struct json_value *body, const char *key,
                     char *to, size_t size)
{
    const char *text = json_as_text(json_get(body, key));

    if (text_copy(to, size, text ? text : ""))
        return true;
    request_answer_error(request, MHD_HTTP_BAD_REQUEST, "%s: at most %zu bytes", key, size - 1);
    return false;
}

/* Who: the peer's user, which cannot lie, behind the name that he gives. */
static bool get_by(struct request *request, const struct json_value *body, char *by, size_t size)
{
    char name[PEER_NAME_SIZE], claimed[64];
    int length;

    peer_name(&request->client->peer, name);
    if (!get_text(request, body, "by", claimed, sizeof(claimed)))
        return false;
    if (claimed[0])
        length = snprintf(by, size, "%s (%s)", claimed, name);
    else
        length = snprintf(by, size, "%s", name);
    if (length < (int)size)
        return true;
    request_answer_error(request, MHD_HTTP_BAD_REQUEST, "by: too long");
    return false;
}

/* Reads the body, lets `fill` make the rest of the command of it, and gives it away. `fill` answers
 * what it does not like, and is false then; it may be NULL. */
static void act(struct request *request, enum command_kind kind,
                bool (*fill)(struct request *request, const struct json_value *body,
                             struct command *command))
{
    struct command command = {.kind = (uint8_t)kind};
    struct json_value *body = read_body(request);
    bool good = body && get_by(request, body, command.by, sizeof(command.by)) &&
                get_text(request, body, "note", command.note, sizeof(command.note)) &&
                (!fill || fill(request, body, &command));

    json_free(body);
    if (good)
        submit(request, &command);
}

/* -- rules ---------------------------------------------------------------------------------- */

static bool knows_rule(const struct inventory *inventory, const char *name)
{
    if (inventory_find_rule(inventory, name) != UINT32_MAX)
        return true;
    for (uint32_t i = 0; i < inventory->n_rules; i++) {
        if (strcmp(inventory->rules[i].rule, name) == 0)
            return true;
    }
    return false;
}

static bool fill_rule(struct request *request, const struct json_value *body,
                      struct command *command)
{
    char quoted[200];

    (void)body;
    if (knows_rule(request->web->live.inventory, request->word))
        return text_copy(command->target, sizeof(command->target), request->word);
    request_answer_error(request, MHD_HTTP_NOT_FOUND,
                         "no rule, and no instance of one, is called %s",
                         text_quote(quoted, sizeof(quoted), request->word));
    return false;
}

static bool get_duration(struct request *request, const struct json_value *body,
                         struct command *command)
{
    int64_t ms;

    if (!get_text(request, body, "for", command->argument, sizeof(command->argument)))
        return false;
    if (!command->argument[0] || (text_to_duration_ms(command->argument, &ms) == 0 && ms > 0))
        return true;
    request_answer_error(request, MHD_HTTP_BAD_REQUEST, "for: a duration like 2h");
    return false;
}

static bool fill_mute(struct request *request, const struct json_value *body,
                      struct command *command)
{
    return fill_rule(request, body, command) && get_duration(request, body, command);
}

static bool fill_limit(struct request *request, const struct json_value *body,
                       struct command *command)
{
    char name[24], number[40];
    double value = 0;

    if (!fill_rule(request, body, command) || !get_text(request, body, "name", name, sizeof(name)))
        return false;
    json_as_number(json_get(body, "value"), &value);
    text_from_number(number, sizeof(number), value, -1);
    if (text_is_slug(name)) {
        snprintf(command->argument, sizeof(command->argument), "%s=%s", name, number);
        return true;
    }
    request_answer_error(request, MHD_HTTP_BAD_REQUEST, "name: of a limit, like above");
    return false;
}

void act_ack(struct request *request)
{
    act(request, COMMAND_ACK, fill_rule);
}

void act_mute(struct request *request)
{
    act(request, COMMAND_MUTE, fill_mute);
}

void act_unmute(struct request *request)
{
    act(request, COMMAND_UNMUTE, fill_rule);
}

void act_enable(struct request *request)
{
    act(request, COMMAND_ENABLE, fill_rule);
}

void act_disable(struct request *request)
{
    act(request, COMMAND_DISABLE, fill_rule);
}

void act_reset(struct request *request)
{
    act(request, COMMAND_RESET, fill_rule);
}

void act_limit(struct request *request)
{
    act(request, COMMAND_LIMIT, fill_limit);
}

/* -- sensors, devices, the gateway ---------------------------------------------------------- */

static bool fill_write(struct request *request, const struct json_value *body,
                       struct command *command)
{
    const struct json_value *value = json_get(body, "value");
    char quoted[200];
    double number;
    bool on;

    if (!get_text(request, body, "sensor", command->target, sizeof(command->target)))
        return false;
    if (inventory_find_sensor(request->web->live.inventory, command->target) == UINT32_MAX) {
        request_answer_error(request, MHD_HTTP_NOT_FOUND, "no sensor has the id %s",
                             text_quote(quoted, sizeof(quoted), command->target));
        return false;
    }
    if (json_as_number(value, &number))
        return text_from_number(command->argument, sizeof(command->argument), number, -1) > 0;
    if (json_as_bool(value, &on))
        return text_copy(command->argument, sizeof(command->argument), on ? "ON" : "OFF");
    return get_text(request, body, "value", command->argument, sizeof(command->argument));
}

static bool fill_device(struct request *request, const struct json_value *body,
                        struct command *command)
{
    const struct inventory *inventory = request->web->live.inventory;
    char quoted[200];

    if (!get_text(request, body, "device", command->target, sizeof(command->target)))
        return false;
    for (uint32_t i = 0; i < inventory->n_devices; i++) {
        if (strcmp(inventory->devices[i].name, command->target) == 0)
            return true;
    }
    request_answer_error(request, MHD_HTTP_NOT_FOUND, "no device is called %s",
                         text_quote(quoted, sizeof(quoted), command->target));
    return false;
}

static bool fill_standby(struct request *request, const struct json_value *body,
                         struct command *command)
{
    return fill_device(request, body, command) && get_duration(request, body, command);
}

void act_write(struct request *request)
{
    act(request, COMMAND_WRITE, fill_write);
}

void act_standby(struct request *request)
{
    act(request, COMMAND_STANDBY, fill_standby);
}

void act_resume(struct request *request)
{
    act(request, COMMAND_RESUME, fill_device);
}

void act_reload(struct request *request)
{
    act(request, COMMAND_RELOAD, NULL);
}

void act_rescan(struct request *request)
{
    act(request, COMMAND_RESCAN, NULL);
}

/* -- notifiers ------------------------------------------------------------------------------ */

struct tested {
    bool ok;
    const char *words;
};

static void write_tested(struct json *json, const void *what)
{
    const struct tested *tested = what;

    json_object(json, NULL);
    json_bool(json, "ok", tested->ok);
    json_text(json, "words", tested->words);
    json_text(json, "error", tested->ok ? NULL : tested->words);
    json_end(json);
}

static void take_tested(void *owner, const char *name, bool ok, const char *words)
{
    struct request *request = waiting_end(owner);
    struct tested tested = {ok, words};

    (void)name;
    if (request)
        request_answer_json(request, ok ? MHD_HTTP_OK : MHD_HTTP_CONFLICT, 2048, write_tested,
                            &tested);
}

void act_test_notifier(struct request *request)
{
    const struct web_context *context = &request->web->context;
    struct waiting *waiting;
    char quoted[200];
    int r = -ENOENT;

    waiting = request_wait(request);
    if (!waiting)
        return;
    if (context->test_notifier)
        r = context->test_notifier(context->owner, request->word, take_tested, waiting);
    if (r == -ENOENT) {
        waiting_end(waiting);
        request_answer_error(request, MHD_HTTP_NOT_FOUND, "no notifier is called %s",
                             text_quote(quoted, sizeof(quoted), request->word));
    } else if (r < 0) {
        request_refused(request, waiting, r);
    }
}

/* -- lines ---------------------------------------------------------------------------------- */

#define ASK_TIMEOUT_MS     1000
#define ASK_TIMEOUT_MAX_MS 5000
#define ASK_BYTES_MAX      255

/* What was answered; the bus is known from the asking on and stands in the request until then. */
struct asked {
    const char *bus, *quality;
    char hex[2 * ASK_BYTES_MAX + 1];
};

static void write_asked(struct json *json, const void *what)
{
    const struct asked *asked = what;

    json_object(json, NULL);
    json_text(json, "bus", asked->bus);
    json_text(json, "quality", asked->quality);
    json_text(json, "bytes", asked->hex);
    json_end(json);
}

static void take_asked(void *owner, const char *quality, const uint8_t *bytes, size_t count)
{
    struct request *request = waiting_end(owner);
    struct asked asked = {.quality = quality};

    if (!request)
        return;
    asked.bus = request->word;
    for (size_t i = 0; i < count && i < ASK_BYTES_MAX; i++)
        snprintf(asked.hex + 2 * i, 3, "%02x", bytes[i]);
    request_answer_json(request, MHD_HTTP_OK, 2048, write_asked, &asked);
}

/* A whole number within its range; answered when it is not. */
static bool get_whole(struct request *request, const struct json_value *body, const char *key,
                      double low, double high, double *ret)
{
    if (!json_get(body, key))
        return true;
    if (json_as_number(json_get(body, key), ret) && *ret >= low && *ret <= high &&
        *ret == (double)(int64_t)*ret)
        return true;
    request_answer_error(request, MHD_HTTP_BAD_REQUEST, "%s: a whole number from %.0f to %.0f", key,
                         low, high);
    return false;
}

static bool fill_question(struct request *request, const struct json_value *body,
                          struct web_question *question)
{
    double unit = 0, function = 0, address = 0, count = 0, timeout_ms = ASK_TIMEOUT_MS;

    if (!get_whole(request, body, "unit", 0, 255, &unit) ||
        !get_whole(request, body, "function", 1, 43, &function) ||
        !get_whole(request, body, "address", 0, 65535, &address) ||
        !get_whole(request, body, "count", 0, function <= 2 ? 2000 : 125, &count) ||
        !get_whole(request, body, "timeout", 10, ASK_TIMEOUT_MAX_MS, &timeout_ms))
        return false;
    question->unit = (uint8_t)unit;
    question->function = (uint8_t)function;
    question->address = (uint16_t)address;
    question->count = (uint16_t)count;
    question->timeout_ms = (int64_t)timeout_ms;
    if (question->function == 43 || (question->function <= 4 && question->count > 0))
        return true;
    request_answer_error(request, MHD_HTTP_BAD_REQUEST, "only functions 1 to 4 and 43 are asked");
    return false;
}

static void submit_question(struct request *request, const struct web_question *question)
{
    const struct web_context *context = &request->web->context;
    struct waiting *waiting = request_wait(request);
    char quoted[200];
    const char *bus;
    int r = -ENOENT;

    if (!waiting)
        return;
    if (context->ask)
        r = context->ask(context->owner, question, take_asked, waiting, &bus);
    if (r == 0) {
        text_copy(request->word, sizeof(request->word), bus);
    } else if (r == -ENOENT || r == -ENOTSUP || r == -ENODEV) {
        waiting_end(waiting);
        request_answer_error(request, MHD_HTTP_NOT_FOUND, "no line of this gateway works at %s",
                             text_quote(quoted, sizeof(quoted), question->connect));
    } else {
        request_refused(request, waiting, r);
    }
}

void act_ask(struct request *request)
{
    struct json_value *body = read_body(request);
    char connect[256];
    struct web_question question = {.connect = connect};
    bool good = body && get_text(request, body, "connect", connect, sizeof(connect)) &&
                fill_question(request, body, &question);

    json_free(body);
    if (good)
        submit_question(request, &question);
}
