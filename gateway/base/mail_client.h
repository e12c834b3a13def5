/* Mail client: hands messages to a mail server (SMTP), by libcurl. Loop thread only.
 *
 * libcurl waits for the answer to its goodbye, so a mail is sent on a thread of loop_work(), one at
 * a time; the others wait. A certificate and its name are always checked, and a STARTTLS that the
 * server does not offer is an error, never a mail in the clear. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct loop;
struct mail_client;
struct mail_call;

/* NULL when memory is out. */
struct mail_client *mail_client_new(struct loop *loop);

/* Cancels what is under way; the thread ends within about a second, which loop_free() waits for.
 * Not from inside a callback of its own. NULL is legal. */
void mail_client_free(struct mail_client *client);

enum mail_tls { MAIL_TLS_NONE, MAIL_TLS_START, MAIL_TLS_ALWAYS };

struct mail {
    const char *host;
    uint16_t port;
    uint8_t tls;                     /* enum mail_tls */
    const char *ca_file;             /* NULL: the system's certificates */
    const char *username, *password; /* NULL: no login */
    const char *from;                /* address alone */
    const char *const *to;           /* likewise */
    size_t n_to;
    const char *text; /* headers, an empty line, the body; lines end with CR LF */
    size_t size;
    int64_t timeout_ms; /* once it is its turn; the goodbye may take as long again */
};

struct mail_answer {
    int error;       /* 0: the server has taken it; else -Exxx */
    int status;      /* the server's last reply, 550; 0: there was none */
    const char *why; /* the error in words, safe for a log; "" without */
};

/* Copies. `done` is called exactly once, on the loop, never from inside mail_send(), and not after
 * mail_cancel(). 0, -EINVAL for an address, name or password with control characters, -ENOMEM. */
int mail_send(struct mail_client *client, const struct mail *mail,
              void (*done)(void *owner, const struct mail_answer *answer), void *owner,
              struct mail_call **ret_call);

/* It will not be told; whether the server has got it is not known. Not after `done`. NULL is legal.
 */
void mail_cancel(struct mail_call *call);
