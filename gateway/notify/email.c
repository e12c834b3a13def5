/* E-mail: one message to all addresses, through the mail server of a provider or of the house. What
 * it looks like is mime.h's. */
#include "gateway/notify/carrier.h"

#include "gateway/notify/mime.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TO_MAX 20

struct email {
    char *host, *from, *to[TO_MAX];
    size_t n_to;
    uint16_t port;
    uint8_t tls; /* enum mail_tls */
    struct login login;
    int64_t timeout_ms;
};

/* In the order of the choices of `tls`. */
static const struct {
    uint8_t tls;
    uint16_t port;
} ways[] = {{MAIL_TLS_START, 587}, {MAIL_TLS_ALWAYS, 465}, {MAIL_TLS_NONE, 25}};

static const struct setting settings[] = {
    {.key = "server",
     .forms = SETTING_TEXT | SETTING_REQUIRED,
     .help = "The mail server, \"mail.example.org\" or with a port \"mail.example.org:2525\"."},
    {.key = "tls",
     .forms = SETTING_CHOICE,
     .standard = "starttls",
     .choices = "starttls tls none",
     .help = "How it is encrypted: after a greeting in the clear (port 587), from the first byte "
             "(port 465), not at all (port 25)."},
    {.key = "from", .forms = SETTING_TEXT | SETTING_REQUIRED, .help = "The sender's address."},
    {.key = "to",
     .forms = SETTING_TEXTS | SETTING_REQUIRED,
     .help = "The address, or a list of up to 20."},
    LOGIN_SETTINGS,
    {0},
};

/* "host", "host:25", "[::1]:25". false when it is none of them; *ret_port 0: none is given. */
static bool split_server(const char *server, size_t *ret_length, uint16_t *ret_port)
{
    const char *host_end = server[0] == '[' ? strchr(server, ']') : NULL;
    const char *colon = strchr(host_end ? host_end : server, ':');
    char *end;
    unsigned long port = 0;

    if (colon) {
        port = strtoul(colon + 1, &end, 10);
        if (end == colon + 1 || *end || port == 0 || port > 65535)
            return false;
    }
    *ret_length = colon ? (size_t)(colon - server) : strlen(server);
    *ret_port = (uint16_t)port;
    return *ret_length > 0 && *ret_length < 256 && !strpbrk(server, "/@ ?#") &&
           (server[0] != '[' || host_end);
}

static bool is_address(const char *text)
{
    const char *at = strrchr(text, '@');

    for (const char *c = text; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f || *c == '<' || *c == '>' || *c == ',')
            return false;
    return at && at > text && at[1] && strlen(text) < 255;
}

static void check_addresses(const struct section *section, const char *key,
                            struct problems *problems)
{
    for (size_t i = 0; i < section_count(section, key); i++) {
        const char *text = section_text_at(section, key, i);

        if (text && !is_address(text))
            problem_error(problems, section_place_at(section, key, i),
                          "the address alone: someone@example.org", "\"%s\" has no mail address",
                          key);
    }
}

static void check(const struct section *section, struct problems *problems)
{
    const char *server = section_text(section, "server");
    size_t length;
    uint16_t port;

    if (server && !split_server(server, &length, &port))
        problem_error(problems, section_place(section, "server"),
                      "a name or an address, and a port after a colon where it is another one",
                      "\"server\" is no mail server");
    check_addresses(section, "from", problems);
    check_addresses(section, "to", problems);
    if (section_count(section, "to") > TO_MAX)
        problem_error(problems, section_place(section, "to"), NULL,
                      "\"to\" has %zu addresses, at most %d are possible",
                      section_count(section, "to"), TO_MAX);
    login_check(section, problems);
    if (section_has(section, "password_file") && section_choice(section, "tls") == 2)
        problem_error(problems, section_place(section, "tls"), "\"starttls\" or \"tls\"",
                      "without encryption everyone on the way reads the password");
}

static void email_close(void *carrier)
{
    struct email *email = carrier;

    for (size_t i = 0; i < email->n_to; i++)
        free(email->to[i]);
    free(email->host);
    free(email->from);
    login_free(&email->login);
    free(email);
}

static bool read_texts(struct email *email, const struct section *section)
{
    const char *server = section_text(section, "server");
    size_t length;

    if (!split_server(server, &length, &email->port))
        return false;
    email->host = strndup(server, length);
    email->from = strdup(section_text(section, "from"));
    for (size_t i = 0; i < section_count(section, "to") && i < TO_MAX; i++)
        if (!(email->to[email->n_to++] = strdup(section_text_at(section, "to", i))))
            return false;
    return email->host && email->from;
}

static int email_open(const struct section *section, void **ret_carrier, struct error *reterr)
{
    struct email *email = calloc(1, sizeof(*email));
    int way = section_choice(section, "tls"), r;

    if (!email || !read_texts(email, section))
        r = error_set(reterr, -ENOMEM, "out of memory");
    else
        r = login_read(section, &email->login, reterr);
    if (r < 0) {
        if (email)
            email_close(email);
        return r;
    }
    email->tls = ways[way].tls;
    if (email->port == 0)
        email->port = ways[way].port;
    email->timeout_ms = section_duration_ms(section, "timeout");
    *ret_carrier = email;
    return 0;
}

static int email_send(void *carrier, const struct delivery *delivery, struct sender *sender)
{
    const struct email *email = carrier;
    const char *const *to = (const char *const *)email->to;
    struct mime_mail message = {.from = email->from,
                                .to = to,
                                .n_to = email->n_to,
                                .subject = delivery->title,
                                .text = delivery->text,
                                .id = delivery->id,
                                .wall_ms = delivery->now_ms};
    char *text = mime_compose(&message);
    struct mail mail = {.host = email->host,
                        .port = email->port,
                        .tls = email->tls,
                        .ca_file = email->login.ca_file,
                        .username = email->login.username,
                        .password = email->login.password,
                        .from = email->from,
                        .to = to,
                        .n_to = email->n_to,
                        .text = text,
                        .size = text ? strlen(text) : 0,
                        .timeout_ms = email->timeout_ms};
    int r = text ? sender_mail(sender, &mail, login_secret(&email->login)) : -ENOMEM;

    free(text);
    return r;
}

const struct carrier email_carrier = {
    .type = "email",
    .settings = settings,
    .check = check,
    .open = email_open,
    .close = email_close,
    .send = email_send,
};
