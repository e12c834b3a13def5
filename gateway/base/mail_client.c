#include "gateway/base/mail_client.h"

#include "gateway/base/loop.h"
#include "gateway/base/transfer.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS_MAX 320

struct mail_client {
    struct loop *loop;
    struct mail_call *first, **end; /* the first is under way when `working` */
    bool working, telling;
    bool closed; /* freed as soon as the thread is back */
};

/* The thread has the one that is under way to itself, but for `cancelled`. */
struct mail_call {
    struct mail_client *client;
    struct mail_call *next;
    atomic_bool cancelled;
    CURL *easy;
    struct curl_slist *to;
    char *text;
    size_t size, sent;
    void (*done)(void *owner, const struct mail_answer *answer);
    void *owner;
    CURLcode code;
    char errors[CURL_ERROR_SIZE];
};

static void call_free(struct mail_call *call)
{
    if (!call)
        return;
    curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->to);
    free(call->text);
    free(call);
}

/* -- on the thread -------------------------------------------------------------------------- */

static size_t on_read(char *to, size_t one, size_t room, void *owner)
{
    struct mail_call *call = owner;
    size_t left = call->size - call->sent;
    size_t count = left < one * room ? left : one * room;

    memcpy(to, call->text + call->sent, count);
    call->sent += count;
    return count;
}

/* Called once a second at least, also while it waits. */
static int on_progress(void *owner, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up)
{
    struct mail_call *call = owner;

    (void)down_total, (void)down, (void)up_total, (void)up;
    return atomic_load(&call->cancelled) ? 1 : 0;
}

static void work(void *owner)
{
    struct mail_call *call = owner;

    call->code = curl_easy_perform(call->easy);
}

/* -- on the loop ---------------------------------------------------------------------------- */

static void start_next(struct mail_client *client);

static void tell(struct mail_call *call)
{
    struct mail_answer answer = {.error = transfer_error(call->code)};
    char words[300] = "";
    long status = 0;

    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    answer.status = (int)status;
    answer.why = words;
    if (answer.error < 0)
        transfer_words(words, sizeof(words), call->code, call->errors);
    call->client->telling = true;
    call->done(call->owner, &answer);
    call->client->telling = false;
}

static struct mail_call *take_first(struct mail_client *client)
{
    struct mail_call *call = client->first;

    client->first = call->next;
    if (!client->first)
        client->end = &client->first;
    return call;
}

static void client_end(struct mail_client *client)
{
    while (client->first)
        call_free(take_first(client));
    curl_global_cleanup();
    free(client);
}

static void worked(void *owner)
{
    struct mail_call *call = owner;
    struct mail_client *client = call->client;

    client->working = false;
    take_first(client);
    if (!atomic_load(&call->cancelled))
        tell(call);
    call_free(call);
    if (client->closed)
        client_end(client);
    else
        start_next(client);
}

/* Without memory for a thread's work it stays where it is, and the next mail tries again. */
static void start_next(struct mail_client *client)
{
    while (!client->working && client->first && atomic_load(&client->first->cancelled))
        call_free(take_first(client));
    if (!client->working && client->first)
        client->working = loop_work(client->loop, work, worked, client->first) == 0;
}

struct mail_client *mail_client_new(struct loop *loop)
{
    struct mail_client *client = calloc(1, sizeof(*client));

    if (!client)
        return NULL;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        free(client);
        return NULL;
    }
    client->loop = loop;
    client->end = &client->first;
    return client;
}

void mail_client_free(struct mail_client *client)
{
    if (!client)
        return;
    assert(!client->telling);
    for (struct mail_call *call = client->first; call; call = call->next)
        atomic_store(&call->cancelled, true);
    client->closed = true;
    if (!client->working)
        client_end(client);
}

/* -- a mail --------------------------------------------------------------------------------- */

/* Into <...>: what ends that or the line could smuggle in a command. */
static bool is_address(const char *text)
{
    return text[0] && strlen(text) <= ADDRESS_MAX && transfer_is_line(text) &&
           !strpbrk(text, "<> ");
}

static bool is_sound(const struct mail *mail)
{
    for (size_t i = 0; i < mail->n_to; i++)
        if (!is_address(mail->to[i]))
            return false;
    return mail->n_to > 0 && is_address(mail->from) &&
           (!mail->username || transfer_is_line(mail->username)) &&
           (!mail->password || transfer_is_line(mail->password));
}

static bool set_addresses(struct mail_call *call, const struct mail *mail)
{
    char address[ADDRESS_MAX + 3];

    for (size_t i = 0; i < mail->n_to; i++) {
        struct curl_slist *more;

        snprintf(address, sizeof(address), "<%s>", mail->to[i]);
        more = curl_slist_append(call->to, address);
        if (!more)
            return false;
        call->to = more;
    }
    snprintf(address, sizeof(address), "<%s>", mail->from);
    return !curl_easy_setopt(call->easy, CURLOPT_MAIL_FROM, address) &&
           !curl_easy_setopt(call->easy, CURLOPT_MAIL_RCPT, call->to);
}

static bool set_server(CURL *easy, const struct mail *mail)
{
    char url[400];
    bool is_v6 = strchr(mail->host, ':') && mail->host[0] != '[';

    snprintf(url, sizeof(url), "%s://%s%s%s:%u", mail->tls == MAIL_TLS_ALWAYS ? "smtps" : "smtp",
             is_v6 ? "[" : "", mail->host, is_v6 ? "]" : "", (unsigned)mail->port);
    return !curl_easy_setopt(easy, CURLOPT_URL, url) &&
           !curl_easy_setopt(
               easy, CURLOPT_USE_SSL,
               (long)(mail->tls == MAIL_TLS_NONE ? CURLUSESSL_NONE : CURLUSESSL_ALL)) &&
           (!mail->username ||
            (!curl_easy_setopt(easy, CURLOPT_USERNAME, mail->username) &&
             !curl_easy_setopt(easy, CURLOPT_PASSWORD, mail->password ? mail->password : "")));
}

/* The goodbye is said, and waited for, when the connection is given up: that has to be on the
 * thread, and not later when the handle is freed; and it must not take for ever. */
static bool set_goodbye(CURL *easy, int64_t timeout_ms)
{
    return !curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L) &&
           !curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)(timeout_ms / 1000 + 1));
}

static bool prepare(struct mail_call *call, const struct mail *mail)
{
    CURL *easy = call->easy;

    return transfer_prepare(easy, "smtp,smtps", mail->timeout_ms, mail->ca_file, call->errors) &&
           set_goodbye(easy, mail->timeout_ms) && set_server(easy, mail) &&
           set_addresses(call, mail) && !curl_easy_setopt(easy, CURLOPT_PROXY, "") &&
           !curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L) &&
           !curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read) &&
           !curl_easy_setopt(easy, CURLOPT_READDATA, call) &&
           !curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L) &&
           !curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress) &&
           !curl_easy_setopt(easy, CURLOPT_XFERINFODATA, call);
}

int mail_send(struct mail_client *client, const struct mail *mail,
              void (*done)(void *owner, const struct mail_answer *answer), void *owner,
              struct mail_call **ret_call)
{
    struct mail_call *call;

    if (!is_sound(mail))
        return -EINVAL;
    call = calloc(1, sizeof(*call));
    if (!call)
        return -ENOMEM;
    call->client = client;
    call->done = done;
    call->owner = owner;
    call->size = mail->size;
    call->text = malloc(mail->size + 1);
    call->easy = curl_easy_init();
    if (!call->text || !call->easy || !prepare(call, mail)) {
        call_free(call);
        return -ENOMEM;
    }
    memcpy(call->text, mail->text, mail->size);
    *client->end = call;
    client->end = &call->next;
    start_next(client);
    *ret_call = call;
    return 0;
}

/* The rest is start_next()'s and worked()'s: the thread may be at it. */
void mail_cancel(struct mail_call *call)
{
    if (call)
        atomic_store(&call->cancelled, true);
}
