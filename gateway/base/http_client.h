/* HTTP client: requests to web servers on the loop, by libcurl. Loop thread only.
 *
 * Certificates and host names are always checked. Redirects are not followed: what is sent may hold
 * a secret, and goes where the config says. A proxy of the environment (https_proxy) is used. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct http_client;
struct http_call;

/* NULL when memory is out. */
struct http_client *http_client_new(struct loop *loop);

/* Cancels what is under way. Not from inside a callback of its own. NULL is legal. */
void http_client_free(struct http_client *client);

struct http_request {
    const char *method;         /* "POST" */
    const char *url;            /* http:// or https:// */
    const char *const *headers; /* "Name: value" */
    size_t n_headers;
    const void *body; /* NULL: none */
    size_t size;
    const char *username, *password; /* for Basic authentication; NULL: none */
    const char *ca_file; /* certificates that the server's must descend from; NULL: the system's */
    int64_t timeout_ms;  /* for all of it, name look-up and answer included */
    size_t answer_max;   /* bytes of the answer's body that are kept; reading ends there */
};

struct http_answer {
    int error;        /* 0: the server answered; else -Exxx, -ETIMEDOUT, -ECONNREFUSED, ... */
    int status;       /* 200, 404; 0 with an error */
    const char *why;  /* the error in words, safe for a log; "" without */
    const char *body; /* with a NUL behind it; foreign bytes */
    size_t size;
    bool cut;               /* there was more */
    int64_t retry_after_ms; /* when the server said so; else 0 */
};

/* Copies the request. `done` is called exactly once, on the loop, never from inside http_send(),
 * and not after http_cancel(); the answer is borrowed for the call. 0, -EINVAL for a header, method
 * or name that has control characters, -ENOMEM. */
int http_send(struct http_client *client, const struct http_request *request,
              void (*done)(void *owner, const struct http_answer *answer), void *owner,
              struct http_call **ret_call);

/* Ends and frees it. Not after `done` was called, which frees it too. NULL is legal. */
void http_cancel(struct http_call *call);
