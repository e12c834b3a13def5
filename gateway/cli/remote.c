#include "gateway/cli/remote.h"

#include "gateway/app.h"
#include "gateway/base/text.h"
#include "gateway/web/web.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int complain(const char *text)
{
    char safe[600];

    fprintf(stderr, "thermogate: %s\n", text_escape(safe, sizeof(safe), text));
    return APP_FAILED;
}

/* What the gateway said instead of doing it. */
static int complain_of(const struct client_answer *answer)
{
    struct json_value *json = json_parse(answer->body, answer->length);
    const char *words = json_as_text(json_get(json, "error"));
    char status[60];

    snprintf(status, sizeof(status), "the gateway answers with status %d", answer->status);
    complain(words ? words : status);
    json_free(json);
    return APP_FAILED;
}

int remote_ask_any(const struct cli_options *options, const struct client_question *question,
                   struct client_answer *ret_answer)
{
    struct client_question asked = *question;
    struct error err;

    asked.socket = options->socket ? options->socket : WEB_SOCKET;
    if (client_ask(&asked, ret_answer, &err) < 0)
        return complain(err.text);
    if (ret_answer->status == 200)
        return APP_OK;
    if (options->json)
        printf("%s\n", ret_answer->body);
    else
        complain_of(ret_answer);
    free(ret_answer->body);
    return APP_FAILED;
}

bool remote_is_there(const struct cli_options *options)
{
    struct client_question question = {.socket = options->socket ? options->socket : WEB_SOCKET,
                                       .method = "GET",
                                       .path = "/api/v1/status"};
    struct client_answer answer;
    struct error err;

    if (client_ask(&question, &answer, &err) < 0)
        return false;
    free(answer.body);
    return true;
}

int remote_ask(const struct cli_options *options, const char *path, const char *body,
               struct json_value **ret_json)
{
    struct client_question question = {.method = body ? "POST" : "GET",
                                       .path = path,
                                       .type = body ? "application/json" : NULL,
                                       .body = body,
                                       .length = body ? strlen(body) : 0};
    struct client_answer answer;
    int code = remote_ask_any(options, &question, &answer);

    *ret_json = NULL;
    if (code != APP_OK)
        return code;
    if (options->json) {
        printf("%s\n", answer.body);
    } else {
        *ret_json = json_parse(answer.body, answer.length);
        if (!*ret_json)
            code = complain("the gateway's answer is no JSON");
    }
    free(answer.body);
    return code;
}

int remote_act(const struct cli_options *options, const char *path, const char *key,
               const char *value, struct json_value **ret_json)
{
    char body[1000], lasts[40];
    struct json json;

    *ret_json = NULL;
    json_start(&json, body, sizeof(body));
    json_object(&json, NULL);
    if (key)
        json_text(&json, key, value);
    if (options->note)
        json_text(&json, "note", options->note);
    snprintf(lasts, sizeof(lasts), "%lldms", (long long)options->for_ms);
    if (options->for_ms > 0)
        json_text(&json, "for", lasts);
    json_end(&json);
    if (json_length(&json) > 0)
        return remote_ask(options, path, body, ret_json);
    complain("that is too long");
    return APP_USAGE;
}

bool remote_escape(char path[REMOTE_PATH_SIZE], size_t *length, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = isascii(c) && (isalnum(c) || strchr("-._~@:", c));

        if (!text_append(path, REMOTE_PATH_SIZE, length, plain ? "%c" : "%%%02X", c))
            return false;
    }
    return true;
}

bool remote_add_query(char path[REMOTE_PATH_SIZE], size_t *length, const char *name,
                      const char *value)
{
    return !value || (text_append(path, REMOTE_PATH_SIZE, length,
                                  "%c%s=", strchr(path, '?') ? '&' : '?', name) &&
                      remote_escape(path, length, value));
}

const char *remote_text(const struct json_value *object, const char *key, char *to, size_t size)
{
    const struct json_value *value = json_get(object, key);
    const char *text = json_as_text(value);
    double number;

    if (text)
        return text_escape(to, size, text);
    if (json_as_number(value, &number))
        text_from_number(to, size, number, -1);
    else
        text_copy(to, size, "-");
    return to;
}

double remote_number(const struct json_value *object, const char *key)
{
    double number;

    return json_as_number(json_get(object, key), &number) ? number : NAN;
}

bool remote_is_true(const struct json_value *object, const char *key)
{
    bool is;

    return json_as_bool(json_get(object, key), &is) && is;
}

const char *remote_time(double wall_ms, char to[32])
{
    time_t seconds = isfinite(wall_ms) && fabs(wall_ms) < 1e15 ? (time_t)(wall_ms / 1000) : 0;
    struct tm tm;

    localtime_r(&seconds, &tm);
    strftime(to, 32, "%Y-%m-%d %H:%M:%S", &tm);
    return to;
}
