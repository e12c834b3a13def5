#include "gateway/mqtt/receiver.h"

#include "gateway/base/clock.h"
#include "gateway/base/json.h"
#include "gateway/base/json_read.h"
#include "gateway/base/log.h"
#include "gateway/base/text.h"
#include "gateway/core/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SET_END     "/set"
#define RULE_BEGIN  "rule/"
#define GATEWAY     "gateway"
#define OLD_MS      30000 /* by the time that the sender has written */
#define WAIT_MS     10000 /* what comes now is done soon or not at all */
#define ANSWER_SIZE 1024
#define PENDING_MAX 512

/* A command that was given and has not been answered. */
struct pending {
    struct receiver *receiver;
    struct pending *next, **place;
    char topic[TOPICS_SIZE]; /* of the answer */
};

struct receiver {
    struct receiver_context context;
    struct pending *pending;
    size_t n_pending;
    bool said_retained;
};

struct receiver *receiver_new(const struct receiver_context *context)
{
    struct receiver *receiver = calloc(1, sizeof(*receiver));

    if (receiver)
        receiver->context = *context;
    return receiver;
}

static void end_pending(struct pending *pending)
{
    *pending->place = pending->next;
    if (pending->next)
        pending->next->place = pending->place;
    pending->receiver->n_pending--;
    free(pending);
}

void receiver_free(struct receiver *receiver)
{
    while (receiver && receiver->pending)
        end_pending(receiver->pending);
    free(receiver);
}

/* -- answers -------------------------------------------------------------------------------- */

static void write_answer(const struct command_reply *reply, char text[ANSWER_SIZE])
{
    struct json json;
    char time[CLOCK_TEXT_SIZE];

    json_start(&json, text, ANSWER_SIZE);
    json_object(&json, NULL);
    json_text(&json, "result", command_result_name(reply->result));
    json_text(&json, "command", command_kind_name(reply->kind));
    if (reply->has_value)
        json_number(&json, "value", reply->value, -1);
    if (reply->text)
        json_text(&json, "value", reply->text);
    if (reply->words[0])
        json_text(&json, "words", reply->words);
    if (reply->id[0])
        json_text(&json, "id", reply->id);
    json_text(&json, "ts", clock_text(clock_boot_ms(), time)[0] ? time : NULL);
    if (json_length(&json) == 0)
        text[0] = '\0';
}

static void take_reply(void *owner, const struct command_reply *reply)
{
    struct pending *pending = owner;
    struct receiver *receiver = pending->receiver;
    char text[ANSWER_SIZE];

    write_answer(reply, text);
    receiver->context.answer(receiver->context.owner, pending->topic, text);
    end_pending(pending);
}

static struct pending *add_pending(struct receiver *receiver, const char *topic)
{
    struct pending *pending =
        receiver->n_pending < PENDING_MAX ? calloc(1, sizeof(*pending)) : NULL;
    size_t length = strlen(topic) - strlen(SET_END);

    if (!pending)
        return NULL;
    snprintf(pending->topic, sizeof(pending->topic), "%.*s/result", (int)length, topic);
    pending->receiver = receiver;
    pending->next = receiver->pending;
    pending->place = &receiver->pending;
    if (pending->next)
        pending->next->place = &pending->next;
    receiver->pending = pending;
    receiver->n_pending++;
    return pending;
}

/* -- what a message says -------------------------------------------------------------------- */

/* Where commands may be given, and which. */
enum place { PLACE_CHANNEL, PLACE_DEVICE, PLACE_RULE, PLACE_GATEWAY };

static const uint32_t kinds_of[] = {
    [PLACE_CHANNEL] = 1u << COMMAND_WRITE,
    [PLACE_DEVICE] = 1u << COMMAND_STANDBY | 1u << COMMAND_RESUME,
    [PLACE_RULE] = 1u << COMMAND_ACK | 1u << COMMAND_MUTE | 1u << COMMAND_UNMUTE |
                   1u << COMMAND_ENABLE | 1u << COMMAND_DISABLE | 1u << COMMAND_LIMIT |
                   1u << COMMAND_RESET,
    [PLACE_GATEWAY] = 1u << COMMAND_RELOAD | 1u << COMMAND_RESCAN,
};

/* What stands between the base and `/set`; false when it is none of our topics. */
static bool read_topic(const char *base, const char *topic, enum place *ret_place,
                       struct command *command)
{
    size_t begin = strlen(base) + 1, end = strlen(topic);
    char *slash;

    if (end < begin + strlen(SET_END) || strncmp(topic, base, begin - 1) != 0 ||
        topic[begin - 1] != '/' || strcmp(topic + end - strlen(SET_END), SET_END) != 0)
        return false;
    end -= strlen(SET_END);
    if (end - begin == 0 || end - begin >= sizeof(command->target))
        return false;
    memcpy(command->target, topic + begin, end - begin);
    command->target[end - begin] = '\0';
    slash = strchr(command->target, '/');
    if (strncmp(command->target, RULE_BEGIN, strlen(RULE_BEGIN)) == 0) {
        *ret_place = PLACE_RULE;
        memmove(command->target, slash + 1, strlen(slash));
        return true;
    }
    *ret_place = slash                                   ? PLACE_CHANNEL
                 : strcmp(command->target, GATEWAY) == 0 ? PLACE_GATEWAY
                                                         : PLACE_DEVICE;
    if (slash)
        *slash = '.'; /* the id of the sensor */
    return true;
}

/* "mute 1h": the word and what stands behind it. */
static void read_words(struct command *command, enum place place, const char *text)
{
    size_t length = strcspn(text, " \t");
    enum command_kind kind = COMMAND_KINDS;
    char word[32];

    snprintf(word, sizeof(word), "%.*s", (int)(length < sizeof(word) ? length : 0), text);
    command->kind = COMMAND_KINDS; /* which core refuses */
    if (command_kind_parse(word, &kind) && (kinds_of[place] & (1u << kind)))
        command->kind = (uint8_t)kind;
    text_copy(command->argument, sizeof(command->argument),
              text + length + strspn(text + length, " \t"));
}

static void read_text(struct command *command, enum place place, const char *text)
{
    char trimmed[ARRIVAL_PAYLOAD_SIZE];
    size_t length;

    text_copy(trimmed, sizeof(trimmed), text + strspn(text, " \t\r\n"));
    for (length = strlen(trimmed); length > 0 && strchr(" \t\r\n", trimmed[length - 1]);)
        trimmed[--length] = '\0';
    if (place != PLACE_CHANNEL) {
        read_words(command, place, trimmed);
        return;
    }
    command->kind = COMMAND_WRITE;
    text_copy(command->argument, sizeof(command->argument), trimmed);
}

static void read_value(struct command *command, enum place place, const struct json_value *json)
{
    const struct json_value *value = json_get(json, place == PLACE_CHANNEL ? "value" : "command");
    const char *text = json_as_text(value);
    char number[40];
    bool boolean;
    double real;

    if (json_as_bool(value, &boolean))
        text = boolean ? "ON" : "OFF";
    if (json_as_number(value, &real) && text_from_number(number, sizeof(number), real, -1) > 0)
        text = number;
    read_text(command, place, text ? text : "");
}

static void copy_member(char *to, size_t size, const struct json_value *json, const char *key)
{
    const char *text = json_as_text(json_get(json, key));

    text_copy(to, size, text ? text : "");
}

/* Until when a command may be done that says when it was given. While our own clock is not known
 * good there is nothing to compare it with. */
static int64_t expiry_of(const struct json_value *ts, int64_t now_ms)
{
    const char *text = json_as_text(ts);
    int64_t expires_ms = now_ms + WAIT_MS, given_ms = 0;
    double number;

    if (!ts || !clock_wall_is_good())
        return expires_ms;
    if (json_as_number(ts, &number) && number > 0 && number < 1e15)
        given_ms = (int64_t)number;
    else if (text && text_to_wall(text, &given_ms) < 0)
        given_ms = 0; /* no time at all is an old one */
    given_ms += OLD_MS - clock_wall_ms(0);
    return given_ms < expires_ms ? given_ms : expires_ms;
}

static void read_payload(struct command *command, enum place place, const char *payload)
{
    struct json_value *json = payload[0] == '{' ? json_parse(payload, strlen(payload)) : NULL;

    command->expires_ms = clock_boot_ms() + WAIT_MS;
    if (!json_is_object(json)) {
        read_text(command, place, payload);
    } else {
        read_value(command, place, json);
        copy_member(command->by, sizeof(command->by), json, "by");
        copy_member(command->note, sizeof(command->note), json, "note");
        copy_member(command->id, sizeof(command->id), json, "id");
        command->expires_ms = expiry_of(json_get(json, "ts"), clock_boot_ms());
    }
    json_free(json);
}

/* -- taking it ------------------------------------------------------------------------------ */

static void say_retained(struct receiver *receiver, const char *topic)
{
    char quoted[200];

    if (!receiver->said_retained)
        log_warn("mqtt: a retained command on %s is ignored, and so are others: publish commands "
                 "without retain",
                 text_quote(quoted, sizeof(quoted), topic));
    receiver->said_retained = true;
}

void receiver_take(struct receiver *receiver, const struct arrival *arrival)
{
    struct command command = {.origin = COMMAND_VIA_MQTT, .rights = receiver->context.rights};
    struct command_reply refusal = {.result = COMMAND_REFUSED};
    enum place place;

    if (!arrival->payload[0] ||
        !read_topic(receiver->context.base, arrival->topic, &place, &command))
        return;
    if (arrival->retained) {
        say_retained(receiver, arrival->topic);
        return;
    }
    if (text_is_utf8(arrival->payload, strlen(arrival->payload)))
        read_payload(&command, place, arrival->payload);
    else
        command.kind = COMMAND_KINDS;
    command.reply = take_reply;
    command.owner = add_pending(receiver, arrival->topic);
    if (!command.owner || command_submit(receiver->context.commands, &command) == 0)
        return; /* without an answer when hundreds wait for theirs: then it is not done either */
    text_copy(refusal.words, sizeof(refusal.words), "too many commands wait");
    refusal.kind = command.kind;
    take_reply(command.owner, &refusal);
}
