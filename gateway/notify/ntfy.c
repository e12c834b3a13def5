/* ntfy (https://docs.ntfy.sh/publish/): POST of the text to the topic's address; headers carry the
 * rest:
 *
 *   Title     RFC 2047 where it is not ASCII
 *   Priority  1 to 5: 3 is the default, 5 rings in spite of "do not disturb"
 *   Tags      words; names of emoji become pictures before the title
 *
 * The topic is the secret, so the address must not get into a log. Bodies above 4,096 bytes would
 * become attachments. */
#include "gateway/notify/carrier.h"

#include "gateway/core/sink.h"
#include "gateway/notify/mime.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ntfy {
    char *url;
    struct login login;
    int64_t timeout_ms;
};

static const struct setting settings[] = {
    {.key = "url",
     .forms = SETTING_TEXT | SETTING_REQUIRED | SETTING_SECRET,
     .help = "The address of the topic: https://ntfy.sh/ and a long name that nobody guesses."},
    LOGIN_TOKEN_SETTING,
    LOGIN_SETTINGS,
    {0},
};

static void check(const struct section *section, struct problems *problems)
{
    login_check_url(section, problems);
    login_check(section, problems);
}

static void ntfy_close(void *carrier)
{
    struct ntfy *ntfy = carrier;

    free(ntfy->url);
    login_free(&ntfy->login);
    free(ntfy);
}

static int ntfy_open(const struct section *section, void **ret_carrier, struct error *reterr)
{
    struct ntfy *ntfy = calloc(1, sizeof(*ntfy));
    int r;

    if (!ntfy || !(ntfy->url = strdup(section_text(section, "url")))) {
        free(ntfy);
        return error_set(reterr, -ENOMEM, "out of memory");
    }
    ntfy->timeout_ms = section_duration_ms(section, "timeout");
    r = login_read(section, &ntfy->login, reterr);
    if (r < 0) {
        ntfy_close(ntfy);
        return r;
    }
    *ret_carrier = ntfy;
    return 0;
}

static const char *picture(const struct delivery *delivery)
{
    static const char *const by_severity[] = {"information_source", "warning", "rotating_light"};

    if (delivery->kind == NOTIFY_CLEARED || delivery->kind == NOTIFY_SEEING)
        return "white_check_mark";
    if (delivery->kind == NOTIFY_BLIND)
        return "see_no_evil";
    return by_severity[delivery->severity < 3 ? delivery->severity : 2];
}

static int send_with(const struct ntfy *ntfy, const struct delivery *delivery, const char *title,
                     struct sender *sender)
{
    uint8_t urgency = words_urgency(delivery);
    char headers[4][5000];
    const char *list[4] = {headers[0], headers[1], headers[2], headers[3]};
    struct http_request request = {.method = "POST",
                                   .url = ntfy->url,
                                   .headers = list,
                                   .n_headers = ntfy->login.token ? 4 : 3,
                                   .body = delivery->text,
                                   .size = strlen(delivery->text),
                                   .username = ntfy->login.username,
                                   .password = ntfy->login.password,
                                   .ca_file = ntfy->login.ca_file,
                                   .timeout_ms = ntfy->timeout_ms};
    int r;

    snprintf(headers[0], sizeof(headers[0]), "Title: %s", title);
    snprintf(headers[1], sizeof(headers[1]), "Priority: %d", 3 + (urgency < 2 ? urgency : 2));
    snprintf(headers[2], sizeof(headers[2]), "Tags: %s,%s", picture(delivery),
             instance_severity_name(delivery->severity));
    snprintf(headers[3], sizeof(headers[3]), "Authorization: Bearer %s",
             ntfy->login.token ? ntfy->login.token : "");
    r = sender_http(sender, &request, login_secret(&ntfy->login));
    explicit_bzero(headers[3], sizeof(headers[3]));
    return r;
}

static int ntfy_send(void *carrier, const struct delivery *delivery, struct sender *sender)
{
    char *title = mime_header(delivery->title, " ");
    int r = title ? send_with(carrier, delivery, title, sender) : -ENOMEM;

    free(title);
    return r;
}

const struct carrier ntfy_carrier = {
    .type = "ntfy",
    .settings = settings,
    .check = check,
    .open = ntfy_open,
    .close = ntfy_close,
    .send = ntfy_send,
};
