/* Client: one question over HTTP to the gateway's Unix socket, and its answer. Blocks. It believes
 * nothing: lengths, lines and numbers of headers have limits. */
#pragma once

#include "gateway/base/error.h"

#include <stddef.h>

#define CLIENT_BODY_MAX (64u << 20)

struct client_question {
    const char *socket; /* path */
    const char *method, *path;
    const char *type; /* of the body; NULL: there is none */
    const char *body;
    size_t length;
    /* Gets the body of a 200 piece by piece, however long it is; a result below 0 ends it. NULL:
     * it is collected, up to CLIENT_BODY_MAX. */
    int (*take)(void *owner, const char *bytes, size_t count);
    void *owner;
};

struct client_answer {
    int status;
    char *body; /* with a NUL behind; NULL when it was taken. Free it */
    size_t length;
};

/* 0, or -Exxx with `reterr`: nobody answers, or what comes is no HTTP, too long, or breaks off. */
int client_ask(const struct client_question *question, struct client_answer *ret_answer,
               struct error *reterr);
