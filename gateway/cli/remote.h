/* Remote: what the subcommands share that ask a gateway that runs. Private to the room. */
#pragma once

#include "gateway/base/json.h"
#include "gateway/base/json_read.h"
#include "gateway/cli/client.h"
#include "gateway/cli/command.h"

#include <stdio.h>

#define REMOTE_PATH_SIZE 1024

/* Asks, and says what went wrong. `body` is JSON; NULL asks with GET, else it is a POST.
 * `*ret_json` is the answer; NULL when there is nothing more to show: it failed, or --json has
 * shown it. APP_OK or another app_exit. */
int remote_ask(const struct cli_options *options, const char *path, const char *body,
               struct json_value **ret_json);

/* Has something done: POSTs what the options say (--for, --note), and `key` with `value` where
 * there is one. As remote_ask(). */
int remote_act(const struct cli_options *options, const char *path, const char *key,
               const char *value, struct json_value **ret_json);

/* As remote_ask(), for any question; an answer that is no 200 is shown and is a failure. */
int remote_ask_any(const struct cli_options *options, const struct client_question *question,
                   struct client_answer *ret_answer);

/* Whether a gateway answers; says nothing. */
bool remote_is_there(const struct cli_options *options);

/* Appends a text to a path, with what has a meaning in one escaped; false when it does not fit. */
bool remote_escape(char path[REMOTE_PATH_SIZE], size_t *length, const char *text);

/* Appends "?name=value" or "&name=value"; nothing for NULL. */
bool remote_add_query(char path[REMOTE_PATH_SIZE], size_t *length, const char *name,
                      const char *value);

/* A member of an object for people: texts made safe for a terminal, numbers short, "-" for null. */
const char *remote_text(const struct json_value *object, const char *key, char *to, size_t size);
double remote_number(const struct json_value *object, const char *key); /* NAN when there is none */
bool remote_is_true(const struct json_value *object, const char *key);

/* "2026-11-21 14:02:05", local. */
const char *remote_time(double wall_ms, char to[32]);
