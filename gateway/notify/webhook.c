/* Webhook: any request that a web server understands. `url`, `headers` and `body` are templates; in
 * the address and in forms values are escaped per cent, in JSON as its texts are, in headers
 * control characters become spaces. config/examples/notifiers.cfg has those of known services. */
#include "gateway/notify/carrier.h"

#include "gateway/core/sink.h"
#include "gateway/notify/body.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADERS_MAX 16

struct webhook {
    char *method, *url, *body; /* body NULL: none */
    char *headers[HEADERS_MAX];
    size_t n_headers;
    int escape; /* enum body_escape */
    int priorities[3];
    struct login login;
    int64_t timeout_ms;
};

/* A request with everything filled in. */
struct filled {
    char *url, *body, *headers[HEADERS_MAX + 1];
};

static const char standard_body[] =
    "{\"title\":\"{title}\",\"text\":\"{text}\",\"severity\":\"{severity}\",\"kind\":\"{kind}\","
    "\"rule\":\"{rule}\",\"sensor\":\"{sensor}\",\"value\":\"{value}\",\"unit\":\"{unit}\","
    "\"since\":\"{since}\",\"time\":\"{time}\",\"id\":\"{id}\"}";

static const struct setting settings[] = {
    {.key = "url",
     .forms = SETTING_TEXT | SETTING_REQUIRED | SETTING_SECRET,
     .help = "Where to; a template: {token} is the line of token_file."},
    {.key = "method",
     .forms = SETTING_CHOICE,
     .standard = "POST",
     .choices = "POST PUT PATCH GET",
     .help = "How; GET has no body."},
    {.key = "headers",
     .forms = SETTING_TEXTS,
     .help = "Lines \"Name: value\", templates as well; up to 16."},
    {.key = "body",
     .forms = SETTING_TEXT,
     .help = "A template with {title} {text} {severity} {kind} {rule} {sensor} {value} {unit} "
             "{since} {time} {priority} {id} {token}; by default JSON with most of them."},
    {.key = "escape",
     .forms = SETTING_CHOICE,
     .standard = "json",
     .choices = "json form none",
     .help = "What the body is, and so how values in it are made harmless."},
    {.key = "priorities",
     .forms = SETTING_NUMBERS,
     .min = -100,
     .max = 100,
     .help = "What {priority} is for info, warning and critical; by default ( 3, 4, 5 )."},
    LOGIN_TOKEN_SETTING,
    LOGIN_SETTINGS,
    {0},
};

/* -- checks --------------------------------------------------------------------------------- */

static void check_template(const struct section *section, const char *key,
                           struct problems *problems)
{
    const char *text = section_text(section, key);
    struct error error;
    size_t offset;

    if (text && body_check(text, &offset, &error) < 0)
        problem_error(
            problems, section_text_place(section, key, offset),
            "title text severity kind rule sensor value unit since time priority id token",
            "\"%s\": %s", key, error.text);
}

static void check_headers(const struct section *section, struct problems *problems)
{
    size_t count = section_count(section, "headers"), offset;
    struct error error;

    if (count > HEADERS_MAX)
        problem_error(problems, section_place(section, "headers"), NULL,
                      "\"headers\" has %zu lines, at most %d are possible", count, HEADERS_MAX);
    for (size_t i = 0; i < count; i++) {
        const char *text = section_text_at(section, "headers", i);

        if (!text)
            continue; /* not a text: that has been said */
        if (!strchr(text, ':'))
            problem_error(problems, section_place_at(section, "headers", i),
                          "write it as \"Name: value\"", "this is no header");
        else if (body_check(text, &offset, &error) < 0)
            problem_error(problems, section_place_at(section, "headers", i), NULL,
                          "\"headers\": %s", error.text);
    }
}

static bool uses_token(const struct section *section)
{
    const char *url = section_text(section, "url"), *body = section_text(section, "body");
    bool uses = (url && body_has(url, BODY_TOKEN)) || (body && body_has(body, BODY_TOKEN));

    for (size_t i = 0; i < section_count(section, "headers"); i++) {
        const char *text = section_text_at(section, "headers", i);

        uses = uses || (text && body_has(text, BODY_TOKEN));
    }
    return uses;
}

static void check(const struct section *section, struct problems *problems)
{
    login_check_url(section, problems);
    login_check(section, problems);
    check_template(section, "url", problems);
    check_template(section, "body", problems);
    check_headers(section, problems);
    if (section_has(section, "priorities") && section_count(section, "priorities") != 3)
        problem_error(problems, section_place(section, "priorities"),
                      "one for info, one for warning, one for critical",
                      "\"priorities\" must have three numbers");
    if (uses_token(section) != section_has(section, "token_file"))
        problem_error(problems, section_place(section, "token_file"),
                      "the line of \"token_file\" goes where {token} stands",
                      "\"token_file\" and {token} go together");
}

/* -- life ----------------------------------------------------------------------------------- */

static void webhook_close(void *carrier)
{
    struct webhook *webhook = carrier;

    for (size_t i = 0; i < webhook->n_headers; i++)
        free(webhook->headers[i]);
    free(webhook->method);
    free(webhook->url);
    free(webhook->body);
    login_free(&webhook->login);
    free(webhook);
}

static bool add_header(struct webhook *webhook, const char *text)
{
    webhook->headers[webhook->n_headers] = strdup(text);
    return webhook->headers[webhook->n_headers++] != NULL;
}

static bool has_content_type(const struct webhook *webhook)
{
    for (size_t i = 0; i < webhook->n_headers; i++)
        if (strncasecmp(webhook->headers[i], "content-type:", 13) == 0)
            return true;
    return false;
}

static bool read_headers(struct webhook *webhook, const struct section *section)
{
    static const char *const types[] = {"Content-Type: application/json",
                                        "Content-Type: application/x-www-form-urlencoded",
                                        "Content-Type: text/plain; charset=utf-8"};

    for (size_t i = 0; i < section_count(section, "headers") && i < HEADERS_MAX; i++)
        if (!add_header(webhook, section_text_at(section, "headers", i)))
            return false;
    if (!webhook->body || webhook->n_headers == HEADERS_MAX || has_content_type(webhook))
        return true;
    return add_header(webhook, types[webhook->escape]);
}

static bool read_texts(struct webhook *webhook, const struct section *section)
{
    static const char *const methods[] = {"POST", "PUT", "PATCH", "GET"};
    int method = section_choice(section, "method");
    const char *body = section_has(section, "body") ? section_text(section, "body") : standard_body;

    webhook->escape = section_choice(section, "escape");
    webhook->method = strdup(methods[method]);
    webhook->url = strdup(section_text(section, "url"));
    if (strcmp(methods[method], "GET") != 0 && !(webhook->body = strdup(body)))
        return false;
    return webhook->method && webhook->url && read_headers(webhook, section);
}

static int webhook_open(const struct section *section, void **ret_carrier, struct error *reterr)
{
    struct webhook *webhook = calloc(1, sizeof(*webhook));
    int r = 0;

    if (!webhook || !read_texts(webhook, section))
        r = error_set(reterr, -ENOMEM, "out of memory");
    else
        r = login_read(section, &webhook->login, reterr);
    if (r < 0) {
        if (webhook)
            webhook_close(webhook);
        return r;
    }
    webhook->timeout_ms = section_duration_ms(section, "timeout");
    for (int i = 0; i < 3; i++)
        webhook->priorities[i] = section_has(section, "priorities")
                                     ? (int)section_number_at(section, "priorities", (size_t)i)
                                     : 3 + i;
    *ret_carrier = webhook;
    return 0;
}

/* -- sending -------------------------------------------------------------------------------- */

/* A value could otherwise end the line and add one of its own. */
static void tame_header(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = ' ';
}

static bool fill(const struct webhook *webhook, const char *const values[BODY_FIELDS],
                 struct filled *filled)
{
    filled->url = body_fill(webhook->url, BODY_URL, values);
    if (webhook->body)
        filled->body = body_fill(webhook->body, (enum body_escape)webhook->escape, values);
    for (size_t i = 0; i < webhook->n_headers; i++) {
        filled->headers[i] = body_fill(webhook->headers[i], BODY_PLAIN, values);
        if (!filled->headers[i])
            return false;
        tame_header(filled->headers[i]);
    }
    return filled->url && (filled->body || !webhook->body);
}

/* A token may be in any of it. */
static void filled_free(struct filled *filled)
{
    char *texts[HEADERS_MAX + 3] = {filled->url, filled->body};

    memcpy(texts + 2, filled->headers, sizeof(filled->headers));
    for (size_t i = 0; i < HEADERS_MAX + 3; i++) {
        if (texts[i])
            explicit_bzero(texts[i], strlen(texts[i]));
        free(texts[i]);
    }
}

static int send_filled(const struct webhook *webhook, const struct filled *filled,
                       struct sender *sender)
{
    struct http_request request = {.method = webhook->method,
                                   .url = filled->url,
                                   .headers = (const char *const *)filled->headers,
                                   .n_headers = webhook->n_headers,
                                   .body = filled->body,
                                   .size = filled->body ? strlen(filled->body) : 0,
                                   .username = webhook->login.username,
                                   .password = webhook->login.password,
                                   .ca_file = webhook->login.ca_file,
                                   .timeout_ms = webhook->timeout_ms};

    return sender_http(sender, &request, login_secret(&webhook->login));
}

static int webhook_send(void *carrier, const struct delivery *delivery, struct sender *sender)
{
    const struct webhook *webhook = carrier;
    uint8_t urgency = words_urgency(delivery);
    char since[WORDS_CLOCK_SIZE], at[WORDS_CLOCK_SIZE], priority[16];
    const char *values[BODY_FIELDS] = {
        [BODY_TITLE] = delivery->title,
        [BODY_TEXT] = delivery->text,
        [BODY_SEVERITY] = instance_severity_name(delivery->severity),
        [BODY_KIND] = notify_kind_name(delivery->kind),
        [BODY_RULE] = delivery->rule,
        [BODY_SENSOR] = delivery->sensor,
        [BODY_VALUE] = delivery->value,
        [BODY_UNIT] = delivery->unit,
        [BODY_SINCE] = words_clock(delivery->since_ms, delivery->now_ms, since),
        [BODY_TIME] = words_clock(delivery->at_ms, delivery->now_ms, at),
        [BODY_PRIORITY] = priority,
        [BODY_ID] = delivery->id,
        [BODY_TOKEN] = webhook->login.token ? webhook->login.token : "",
    };
    struct filled filled = {0};
    int r = -ENOMEM;

    snprintf(priority, sizeof(priority), "%d", webhook->priorities[urgency < 2 ? urgency : 2]);
    if (fill(webhook, values, &filled))
        r = send_filled(webhook, &filled, sender);
    filled_free(&filled);
    return r;
}

const struct carrier webhook_carrier = {
    .type = "webhook",
    .settings = settings,
    .check = check,
    .open = webhook_open,
    .close = webhook_close,
    .send = webhook_send,
};
