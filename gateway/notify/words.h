/* Words: the text that reaches a person, made of one message or of several. Pure. */
#pragma once

#include "gateway/notify/notify.h"

#include <stddef.h>
#include <stdint.h>

#define WORDS_TITLE_SIZE 256
#define WORDS_TEXT_SIZE  3600 /* ntfy takes 4,096 bytes, Telegram 4,096 characters */
#define WORDS_LATE_MS    60000
#define WORDS_CLOCK_SIZE 24
#define WORDS_UTC_SIZE   24

/* A text on its way. Borrows from the messages that it was made of. */
struct delivery {
    char title[WORDS_TITLE_SIZE];             /* one line */
    char text[WORDS_TEXT_SIZE];               /* lines end with \n */
    char id[48];                              /* the same when the same messages are tried again */
    uint8_t kind, severity;                   /* of several: NOTIFY_GROUP, the highest */
    const char *rule, *sensor, *value, *unit; /* "" when there is no single one */
    int64_t since_ms, at_ms;
    int64_t now_ms; /* wall; CLOCK_NEVER: not known */
};

/* Of `count` (at least 1) messages, oldest first. Each has its own time when there are several or
 * when it is late; what there is no room for is counted. Invalid UTF-8 and control characters do
 * not come through. */
void words_compose(const struct notify_message *const *messages, size_t count, int64_t now_wall_ms,
                   struct delivery *ret_delivery);

/* What its urgency is, enum rule_severity: good news are never urgent. */
uint8_t words_urgency(const struct delivery *delivery);

/* "14:02", on another day than `now_wall_ms` "20 Nov 14:02"; "" for CLOCK_NEVER. Returns `text`. */
char *words_clock(int64_t wall_ms, int64_t now_wall_ms, char text[WORDS_CLOCK_SIZE]);

/* "2026-11-21T13:02:05Z"; "" for CLOCK_NEVER. Returns `text`. */
char *words_utc(int64_t wall_ms, char text[WORDS_UTC_SIZE]);
