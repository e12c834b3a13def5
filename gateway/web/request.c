#include "gateway/web/request.h"

#include "gateway/base/clock.h"
#include "gateway/base/text.h"
#include "gateway/base/when.h"
#include "gateway/web/routes.h"
#include "gateway/web/server.h"
#include "gateway/web/waiting.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ANSWER_MS 60000 /* to take an answer, and to ask again on the same connection */

/* -- answers -------------------------------------------------------------------------------- */

void request_answer(struct request *request, unsigned status, struct MHD_Response *response)
{
    request->response = response;
    request->status = status;
    request->failed = !response;
    request->waiting = NULL;
    if (request->suspended) {
        request->suspended = false;
        server_resume(request->web->server, request->connection);
    }
}

/* `text` is given away. */
static void answer_text(struct request *request, unsigned status, const char *media, char *text,
                        size_t length)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, text, MHD_RESPMEM_MUST_FREE);

    if (!response)
        free(text);
    else
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, media);
    request_answer(request, status, response);
}

void request_answer_json(struct request *request, unsigned status, size_t guess,
                         void (*write)(struct json *json, const void *what), const void *what)
{
    struct json json;
    char *text = NULL;
    size_t length = 0, size = guess;

    for (; length == 0 && size <= PAGE_MAX; size *= 2) {
        free(text);
        text = malloc(size);
        if (!text)
            break;
        json_start(&json, text, size);
        write(&json, what);
        length = json_length(&json);
    }
    if (length > 0) {
        answer_text(request, status, "application/json", text, length);
        return;
    }
    free(text);
    request_answer(request, 0, NULL);
}

static void write_error(struct json *json, const void *what)
{
    json_object(json, NULL);
    json_text(json, "error", what);
    json_end(json);
}

void request_answer_error(struct request *request, unsigned status, const char *format, ...)
{
    char text[400];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    request_answer_json(request, status, 1024, write_error, text);
}

void request_answer_page(struct request *request, const char *media, struct page *page)
{
    if (page->failed) {
        page_free(page);
        request_answer(request, 0, NULL);
        return;
    }
    answer_text(request, MHD_HTTP_OK, media, page->text, page->length);
    *page = (struct page){0};
}

/* -- answers that come later ---------------------------------------------------------------- */

static void give_up(void *owner)
{
    struct request *request = owner;

    if (request->web->closing)
        request_answer_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, "the gateway is stopping");
    else
        request_answer_error(request, MHD_HTTP_GATEWAY_TIMEOUT, "no answer within %d s",
                             WEB_ANSWER_MS / 1000);
}

struct waiting *request_wait(struct request *request)
{
    request->waiting = waiting_new(request->web, request, give_up);
    if (!request->waiting)
        request_answer(request, 0, NULL);
    return request->waiting;
}

void request_refused(struct request *request, struct waiting *waiting, int code)
{
    waiting_end(waiting);
    if (code == -EBUSY || code == -ENOBUFS)
        request_answer_error(request, MHD_HTTP_SERVICE_UNAVAILABLE,
                             "too much is waiting to be done; try again");
    else if (code == -E2BIG)
        request_answer_error(request, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large");
    else if (code == -EINVAL)
        request_answer_error(request, MHD_HTTP_BAD_REQUEST, "the body is not what this takes");
    else
        request_answer(request, 0, NULL);
}

/* -- parameters ----------------------------------------------------------------------------- */

const char *request_query(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

bool request_query_int(struct request *request, const char *name, int64_t min, int64_t max,
                       int64_t *ret)
{
    const char *text = request_query(request, name);
    int64_t value;

    if (!text)
        return true;
    if (text_to_int(text, &value) < 0 || value < min || value > max) {
        request_answer_error(request, MHD_HTTP_BAD_REQUEST, "%s: a whole number from %lld to %lld",
                             name, (long long)min, (long long)max);
        return false;
    }
    *ret = value;
    return true;
}

bool request_query_time(struct request *request, const char *name, int64_t *ret_ms)
{
    const char *text = request_query(request, name);

    if (!text || when_parse(text, clock_wall_ms(clock_boot_ms()), ret_ms) == 0)
        return true;
    request_answer_error(request, MHD_HTTP_BAD_REQUEST,
                         "%s: Unix milliseconds, a duration ago (24h), or 2026-11-21T13:02", name);
    return false;
}

/* What nobody asked for is a mistake that would go unseen. */
static enum MHD_Result judge_parameter(void *owner, enum MHD_ValueKind kind, const char *name,
                                       const char *value)
{
    struct request *request = owner;
    char quoted[100];

    (void)kind;
    if (!routes_field(request->route->query, name))
        request_answer_error(request, MHD_HTTP_BAD_REQUEST, "no such parameter: %s",
                             text_quote(quoted, sizeof(quoted), name));
    else if (!value || !text_is_utf8(value, strlen(value)))
        request_answer_error(request, MHD_HTTP_BAD_REQUEST, "%s: a value in UTF-8 is missing",
                             name);
    return request->response ? MHD_NO : MHD_YES;
}

static void judge_parameters(struct request *request)
{
    MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, judge_parameter, request);
    for (const struct field *field = request->route->query;
         field && field->name && !request->response; field++) {
        if (field->required && !request_query(request, field->name))
            request_answer_error(request, MHD_HTTP_BAD_REQUEST, "%s: is missing", field->name);
    }
}

/* -- what may be asked ---------------------------------------------------------------------- */

/* A page from elsewhere can make a browser ask us under its own name; then the name is a foreign
 * one. */
static bool is_our_host(const char *host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};

    for (size_t i = 0; host && i < sizeof(names) / sizeof(names[0]); i++) {
        size_t length = strlen(names[i]);

        if (strncasecmp(host, names[i], length) == 0 &&
            (host[length] == '\0' || host[length] == ':'))
            return true;
    }
    return false;
}

static const char *header(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

static void judge_body(struct request *request)
{
    const char *length = header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    const char *type = header(request, MHD_HTTP_HEADER_CONTENT_TYPE);
    int64_t bytes = 0;

    if (length && (text_to_int(length, &bytes) < 0 || bytes < 0))
        request_answer_error(request, MHD_HTTP_BAD_REQUEST, "a length that is none");
    else if ((uint64_t)bytes > request->route->body_max)
        request_answer_error(request, MHD_HTTP_CONTENT_TOO_LARGE,
                             "at most %zu bytes are taken here", request->route->body_max);
    else if (bytes > 0 && request->route->body &&
             (!type || strncasecmp(type, "application/json", strlen("application/json")) != 0))
        request_answer_error(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                             "the body must be application/json");
}

static void answer_method(struct request *request, const char *allowed)
{
    request_answer_error(request, MHD_HTTP_METHOD_NOT_ALLOWED, "this is there for %s", allowed);
    if (request->response)
        MHD_add_response_header(request->response, MHD_HTTP_HEADER_ALLOW, allowed);
}

/* All that can be said before the body has come; what is wrong is answered. */
static void judge(struct request *request, const char *method, const char *url)
{
    char allowed[64];
    int r = routes_find(method, url, &request->route, request->word, allowed);

    if (!request->client->peer.local && !is_our_host(header(request, MHD_HTTP_HEADER_HOST)))
        request_answer_error(request, MHD_HTTP_FORBIDDEN, "this is not the host that you ask for");
    else if (r == -ENOENT)
        request_answer_error(request, MHD_HTTP_NOT_FOUND, "nothing is there");
    else if (r < 0)
        answer_method(request, allowed);
    else if (request->client->peer.right < request->route->right)
        request_answer_error(request, MHD_HTTP_FORBIDDEN,
                             "only root and the group thermogate may do this, on the Unix socket");
    else
        judge_body(request);
    if (!request->response && !request->failed)
        judge_parameters(request);
}

/* -- the way of a request ------------------------------------------------------------------- */

/* libmicrohttpd asks for each piece; what is too long is read to its end and forgotten, because
 * only then it may be answered. */
static void take_body(struct request *request, const char *bytes, size_t count)
{
    char *body;

    if (request->too_long || count > request->route->body_max - request->length) {
        request->too_long = true;
        return;
    }
    body = realloc(request->body, request->length + count + 1);
    if (!body) {
        request->failed = true;
        return;
    }
    memcpy(body + request->length, bytes, count);
    request->body = body;
    request->length += count;
    body[request->length] = '\0';
}

static void ask(struct request *request)
{
    request->asked = true;
    request->client->deadline_ms = CLOCK_NEVER;
    if (request->too_long)
        request_answer_error(request, MHD_HTTP_CONTENT_TOO_LARGE,
                             "at most %zu bytes are taken here", request->route->body_max);
    else if (request->web->closing)
        request_answer_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, "the gateway is stopping");
    else if (!request->web->live.inventory)
        request_answer_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, "the gateway is starting");
    else
        request->route->handle(request);
}

static enum MHD_Result send_answer(struct request *request)
{
    struct MHD_Response *response = request->response;
    enum MHD_Result queued;

    if (request->failed)
        return MHD_NO;
    if (!request->route || !request->route->endless)
        request->client->deadline_ms = clock_boot_ms() + ANSWER_MS;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    queued = MHD_queue_response(request->connection, request->status, response);
    MHD_destroy_response(response);
    request->response = NULL;
    return queued;
}

static struct request *request_new(struct web *web, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct request *request = info->socket_context ? calloc(1, sizeof(*request)) : NULL;

    if (request) {
        request->web = web;
        request->connection = connection;
        request->client = info->socket_context;
    }
    return request;
}

enum MHD_Result request_handle(void *web, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *bytes,
                               size_t *count, void **context)
{
    struct request *request = *context;

    (void)version;
    if (!request) {
        request = *context = request_new(web, connection);
        if (!request)
            return MHD_NO;
        judge(request, method, url);
        return request->response || request->failed ? send_answer(request) : MHD_YES;
    }
    if (*count > 0) {
        take_body(request, bytes, *count);
        *count = 0;
        return request->failed ? MHD_NO : MHD_YES;
    }
    if (!request->asked)
        ask(request);
    if (request->response || request->failed)
        return send_answer(request);
    request->suspended = true;
    MHD_suspend_connection(connection);
    return MHD_YES;
}

void request_completed(void *web, struct MHD_Connection *connection, void **context,
                       enum MHD_RequestTerminationCode why)
{
    struct request *request = *context;

    (void)web;
    (void)connection;
    (void)why;
    if (!request)
        return;
    waiting_forget(request->waiting);
    request->client->deadline_ms = clock_boot_ms() + ANSWER_MS;
    if (request->response)
        MHD_destroy_response(request->response);
    free(request->body);
    free(request->kept);
    free(request);
    *context = NULL;
}
