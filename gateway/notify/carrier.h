/* Carrier: a kind of notifier - ntfy, webhook, email. Each is one table of options and a few
 * functions; what waits, when, and how often is not its business. */
#pragma once

#include "gateway/base/error.h"
#include "gateway/base/problem.h"
#include "gateway/base/setting.h"
#include "gateway/notify/sender.h"
#include "gateway/notify/words.h"

struct carrier {
    const char *type;
    const struct setting *settings; /* beside those that all have */
    /* What the table cannot say. */
    void (*check)(const struct section *section, struct problems *problems);
    /* Of a checked section, which it does not keep; secrets are read. 0, or -Exxx with `reterr`. */
    int (*open)(const struct section *section, void **ret_carrier, struct error *reterr);
    void (*close)(void *carrier);
    /* Starts it. 0, or -Exxx when it cannot even be tried. */
    int (*send)(void *carrier, const struct delivery *delivery, struct sender *sender);
};

extern const struct carrier ntfy_carrier, webhook_carrier, email_carrier;

/* The i-th, NULL at the end. */
const struct carrier *carrier_at(size_t i);

/* NULL when there is no such type. */
const struct carrier *carrier_find(const char *type);

/* -- what several have ---------------------------------------------------------------------- */

/* Whom we are to the server, and how we know it. NULL: none. */
struct login {
    char *username, *password, *token, *ca_file;
};

/* 0, or -Exxx with `reterr`. */
int login_read(const struct section *section, struct login *login, struct error *reterr);
void login_free(struct login *login);

/* Keys that need each other, and a url that is none. */
void login_check(const struct section *section, struct problems *problems);
void login_check_url(const struct section *section, struct problems *problems);

/* What is secret of it; NULL: nothing. */
const char *login_secret(const struct login *login);

#define LOGIN_TOKEN_SETTING                                                        \
    {                                                                              \
        .key = "token_file", .forms = SETTING_TEXT,                                \
        .help = "A file whose only line is the token, or a credential of systemd." \
    }
#define LOGIN_SETTINGS                                                                        \
    {.key = "username", .forms = SETTING_TEXT, .help = "The name to log in with."},           \
        {.key = "password_file",                                                              \
         .forms = SETTING_TEXT,                                                               \
         .help = "A file whose only line is the password, or a credential of systemd."},      \
        {.key = "ca_file",                                                                    \
         .forms = SETTING_TEXT,                                                               \
         .help = "Certificates that the server's must descend from; without it those of the " \
                 "system."},                                                                  \
    {                                                                                         \
        .key = "timeout", .forms = SETTING_DURATION, .standard = "30s", .min = 1000,          \
        .max = 300000, .help = "How long one try may take."                                   \
    }
