/* Sender: one text on its way to a server, and what came of it in words. Loop thread only. */
#pragma once

#include "gateway/base/http_client.h"
#include "gateway/base/mail_client.h"

#include <stdbool.h>
#include <stdint.h>

#define SENDER_WORDS_SIZE 400

enum outcome_result {
    OUTCOME_DELIVERED,
    OUTCOME_LATER,   /* the server is not well, or cannot be reached */
    OUTCOME_REFUSED, /* it does not want this text */
};

struct outcome {
    uint8_t result; /* enum outcome_result */
    int64_t retry_after_ms;
    char words[SENDER_WORDS_SIZE]; /* "HTTP 200"; safe for a log, without secrets */
};

struct sender {
    struct http_client *http;
    struct mail_client *mail;
    void (*done)(void *owner, const struct outcome *outcome);
    void *owner;
    /* of what is under way */
    struct http_call *http_call;
    struct mail_call *mail_call;
    char *secret;
};

void sender_init(struct sender *sender, struct http_client *http, struct mail_client *mail,
                 void (*done)(void *owner, const struct outcome *outcome), void *owner);

/* One at a time. `done` comes later, unless the result is negative: -ENOMEM, or -EINVAL for a text
 * that cannot be sent. `secret` (may be NULL) is kept out of the words. */
int sender_http(struct sender *sender, struct http_request *request, const char *secret);
int sender_mail(struct sender *sender, const struct mail *mail, const char *secret);

/* Nothing is told any more. */
void sender_cancel(struct sender *sender);
