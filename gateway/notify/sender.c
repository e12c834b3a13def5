#include "gateway/notify/sender.h"

#include "gateway/base/secret.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX 1000 /* bytes of an answer that are looked at */

void sender_init(struct sender *sender, struct http_client *http, struct mail_client *mail,
                 void (*done)(void *owner, const struct outcome *outcome), void *owner)
{
    *sender = (struct sender){.http = http, .mail = mail, .done = done, .owner = owner};
}

static void finish(struct sender *sender, struct outcome *outcome)
{
    secret_hide(outcome->words, sender->secret);
    secret_free(sender->secret);
    sender->secret = NULL;
    sender->http_call = NULL;
    sender->mail_call = NULL;
    sender->done(sender->owner, outcome);
}

/* What the server says about a text, as opposed to saying that it has trouble, or does not know us.
 */
static bool is_about_text(int status)
{
    return status == 400 || status == 413 || status == 414 || status == 415 || status == 422;
}

static void describe_http(const struct http_answer *answer, char *body, char *to, size_t size)
{
    char quoted[160];

    if (answer->error < 0)
        text_copy(to, size, answer->why);
    else if (answer->status / 100 == 3)
        snprintf(to, size, "HTTP %d: it redirects; give the address that it redirects to",
                 answer->status);
    else if (answer->status / 100 == 2 || !body[0])
        snprintf(to, size, "HTTP %d", answer->status);
    else
        snprintf(to, size, "HTTP %d: %s", answer->status, text_quote(quoted, sizeof(quoted), body));
}

static void on_http(void *owner, const struct http_answer *answer)
{
    struct sender *sender = owner;
    struct outcome outcome = {.retry_after_ms = answer->retry_after_ms};
    char body[ANSWER_MAX + 1];

    text_copy(body, sizeof(body), answer->body);
    secret_hide(body, sender->secret); /* before it is cut and quoted */
    describe_http(answer, body, outcome.words, sizeof(outcome.words));
    if (answer->status / 100 == 2)
        outcome.result = OUTCOME_DELIVERED;
    else
        outcome.result = is_about_text(answer->status) ? OUTCOME_REFUSED : OUTCOME_LATER;
    finish(sender, &outcome);
}

/* 53x is about logging in. */
static void on_mail(void *owner, const struct mail_answer *answer)
{
    struct sender *sender = owner;
    struct outcome outcome = {.result = OUTCOME_DELIVERED};

    if (answer->error == 0) {
        snprintf(outcome.words, sizeof(outcome.words), "the mail server has taken it (%d)",
                 answer->status);
    } else {
        bool is_refused = answer->status / 100 == 5 && answer->status / 10 != 53;

        outcome.result = is_refused ? OUTCOME_REFUSED : OUTCOME_LATER;
        snprintf(outcome.words, sizeof(outcome.words), "%s", answer->why);
    }
    finish(sender, &outcome);
}

static int keep_secret(struct sender *sender, const char *secret)
{
    sender->secret = secret ? strdup(secret) : NULL;
    return secret && !sender->secret ? -ENOMEM : 0;
}

static int started(struct sender *sender, int r)
{
    if (r < 0) {
        secret_free(sender->secret);
        sender->secret = NULL;
    }
    return r;
}

int sender_http(struct sender *sender, struct http_request *request, const char *secret)
{
    int r = keep_secret(sender, secret);

    request->answer_max = ANSWER_MAX;
    if (r == 0)
        r = http_send(sender->http, request, on_http, sender, &sender->http_call);
    return started(sender, r);
}

int sender_mail(struct sender *sender, const struct mail *mail, const char *secret)
{
    int r = keep_secret(sender, secret);

    if (r == 0)
        r = mail_send(sender->mail, mail, on_mail, sender, &sender->mail_call);
    return started(sender, r);
}

void sender_cancel(struct sender *sender)
{
    http_cancel(sender->http_call);
    mail_cancel(sender->mail_call);
    secret_free(sender->secret);
    sender->http_call = NULL;
    sender->mail_call = NULL;
    sender->secret = NULL;
}
