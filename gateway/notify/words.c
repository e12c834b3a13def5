#include "gateway/notify/words.h"

#include "gateway/base/clock.h"
#include "gateway/base/text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

const char *notify_kind_name(uint8_t kind)
{
    static const char *const names[] = {"fired",  "cleared", "changed", "repeated", "blind",
                                        "seeing", "gateway", "test",    "group"};

    return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "gateway";
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* -- times ---------------------------------------------------------------------------------- */

static struct tm local_time(int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm = {0};

    localtime_r(&seconds, &tm);
    return tm;
}

char *words_clock(int64_t wall_ms, int64_t now_wall_ms, char text[WORDS_CLOCK_SIZE])
{
    struct tm tm, now;
    size_t length = 0;
    bool today;

    text[0] = '\0';
    if (wall_ms == CLOCK_NEVER)
        return text;
    tm = local_time(wall_ms);
    now = now_wall_ms == CLOCK_NEVER ? tm : local_time(now_wall_ms);
    today = tm.tm_year == now.tm_year && tm.tm_yday == now.tm_yday;
    if (!today)
        length = (size_t)snprintf(text, WORDS_CLOCK_SIZE, "%d ", tm.tm_mday);
    strftime(text + length, WORDS_CLOCK_SIZE - length, today ? "%H:%M" : "%b %H:%M", &tm);
    return text;
}

char *words_utc(int64_t wall_ms, char text[WORDS_UTC_SIZE])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm = {0};

    text[0] = '\0';
    if (wall_ms != CLOCK_NEVER && gmtime_r(&seconds, &tm))
        strftime(text, WORDS_UTC_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return text;
}

/* -- texts ---------------------------------------------------------------------------------- */

/* Appends foreign text at *length; `line`: newlines become spaces. false when it did not fit; then
 * it ends between two characters. */
static bool put(char *to, size_t size, size_t *length, const char *from, bool line)
{
    size_t left = strlen(from), count;
    uint32_t code;

    for (; left > 0; from += count, left -= count) {
        const char *piece = from;
        size_t bytes = count = text_utf8(from, left, &code);

        if (count == 0) {
            piece = REPLACEMENT;
            bytes = 3;
            count = 1;
        } else if (code == '\n' && !line) {
            bytes = 1;
        } else if (text_is_unsafe(code)) {
            piece = " ";
            bytes = 1;
        }
        if (*length + bytes >= size)
            return false;
        memcpy(to + *length, piece, bytes);
        *length += bytes;
        to[*length] = '\0';
    }
    return true;
}

static bool is_late(const struct notify_message *message, int64_t now_wall_ms)
{
    return now_wall_ms != CLOCK_NEVER && message->at_ms != CLOCK_NEVER &&
           now_wall_ms - message->at_ms > WORDS_LATE_MS;
}

static void compose_one(const struct notify_message *message, struct delivery *delivery)
{
    char at[WORDS_CLOCK_SIZE], now[WORDS_CLOCK_SIZE];
    size_t length = 0;

    put(delivery->text, WORDS_TEXT_SIZE - 80, &length, or_empty(message->text), false);
    if (is_late(message, delivery->now_ms))
        text_append(delivery->text, WORDS_TEXT_SIZE, &length, "%s(%s, delivered %s)",
                    length ? " " : "", words_clock(message->at_ms, delivery->now_ms, at),
                    words_clock(delivery->now_ms, delivery->now_ms, now));
}

/* A line each; room stays for "and 12 more" and the time of delivery. */
static void compose_lines(const struct notify_message *const *messages, size_t count,
                          struct delivery *delivery)
{
    char clock[WORDS_CLOCK_SIZE];
    size_t length = 0, i;

    for (i = 0; i < count; i++) {
        size_t before = length;

        words_clock(messages[i]->at_ms, delivery->now_ms, clock);
        if (!text_append(delivery->text, WORDS_TEXT_SIZE - 80, &length, "%s%s%s", i > 0 ? "\n" : "",
                         clock, clock[0] ? " " : "") ||
            !put(delivery->text, WORDS_TEXT_SIZE - 80, &length, or_empty(messages[i]->text),
                 false)) {
            delivery->text[length = before] = '\0';
            break;
        }
    }
    if (i < count)
        text_append(delivery->text, WORDS_TEXT_SIZE, &length, "\nand %zu more", count - i);
    if (is_late(messages[0], delivery->now_ms))
        text_append(delivery->text, WORDS_TEXT_SIZE, &length, "\ndelivered %s",
                    words_clock(delivery->now_ms, delivery->now_ms, clock));
}

static bool is_of_one_rule(const struct notify_message *const *messages, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!or_empty(messages[i]->rule)[0] ||
            strcmp(messages[i]->rule, or_empty(messages[0]->rule)) != 0)
            return false;
    return true;
}

static void compose_title(const struct notify_message *last, struct delivery *delivery)
{
    const char *title = or_empty(last->title);
    size_t length = 0;

    if (!title[0])
        title = or_empty(last->rule)[0] ? last->rule : "Thermogate";
    put(delivery->title, WORDS_TITLE_SIZE, &length, title, true);
}

void words_compose(const struct notify_message *const *messages, size_t count, int64_t now_wall_ms,
                   struct delivery *ret_delivery)
{
    const struct notify_message *last = messages[count - 1];
    struct delivery *delivery = ret_delivery;
    bool one = count == 1 || is_of_one_rule(messages, count);

    *delivery = (struct delivery){.kind = one ? last->kind : NOTIFY_GROUP,
                                  .rule = one ? or_empty(last->rule) : "",
                                  .sensor = one ? or_empty(last->sensor) : "",
                                  .value = one ? or_empty(last->value) : "",
                                  .unit = one ? or_empty(last->unit) : "",
                                  .since_ms = one ? last->since_ms : CLOCK_NEVER,
                                  .at_ms = last->at_ms,
                                  .now_ms = now_wall_ms};
    for (size_t i = 0; i < count; i++)
        if (messages[i]->severity > delivery->severity)
            delivery->severity = messages[i]->severity;
    snprintf(delivery->id, sizeof(delivery->id), "%" PRIx64 "-%" PRIx64 "-%zu", messages[0]->row,
             (uint64_t)messages[0]->at_ms, count);
    if (one)
        compose_title(last, delivery);
    else
        snprintf(delivery->title, WORDS_TITLE_SIZE, "%zu messages", count);
    if (count == 1)
        compose_one(last, delivery);
    else
        compose_lines(messages, count, delivery);
}

uint8_t words_urgency(const struct delivery *delivery)
{
    return delivery->kind == NOTIFY_CLEARED || delivery->kind == NOTIFY_SEEING ? 0
                                                                               : delivery->severity;
}
