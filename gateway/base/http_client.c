#include "gateway/base/http_client.h"

#include "gateway/base/loop_uv.h"
#include "gateway/base/transfer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_KEPT 4L

/* libcurl says which sockets it wants watched and when it wants to be called again; both are done
 * with libuv's handles, which die late: each frees itself when it is closed. */
struct http_client {
    uv_loop_t *uv;
    uv_timer_t timer;
    CURLM *multi;
    struct http_call *calls;
    struct watch *watches;
    bool telling; /* inside somebody's `done` */
};

struct watch {
    uv_poll_t handle;
    struct http_client *client;
    curl_socket_t sock;
    struct watch *next, **link;
};

struct http_call {
    struct http_client *client;
    CURL *easy;
    struct curl_slist *headers;
    char *body; /* of the answer */
    size_t size, max;
    bool cut;
    void (*done)(void *owner, const struct http_answer *answer);
    void *owner;
    struct http_call *next, **link;
    char errors[CURL_ERROR_SIZE];
};

/* -- calls ---------------------------------------------------------------------------------- */

static void call_free(struct http_call *call)
{
    if (!call)
        return;
    if (call->link) {
        *call->link = call->next;
        if (call->next)
            call->next->link = call->link;
        curl_multi_remove_handle(call->client->multi, call->easy);
    }
    curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->headers);
    free(call->body);
    free(call);
}

void http_cancel(struct http_call *call)
{
    call_free(call);
}

static void tell(struct http_call *call, CURLcode code)
{
    struct http_client *client = call->client;
    struct http_answer answer = {.body = call->body, .size = call->size, .cut = call->cut};
    char words[300] = "";
    long status = 0;
    curl_off_t retry_after_s = 0;

    /* Reading ended because enough was read: that is no failure. */
    if (code == CURLE_WRITE_ERROR && call->cut)
        code = CURLE_OK;
    if (code == CURLE_OK) {
        curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    } else {
        transfer_words(words, sizeof(words), code, call->errors);
    }
    answer.error = transfer_error(code);
    answer.status = (int)status;
    answer.why = words;
    answer.retry_after_ms = retry_after_s < INT32_MAX ? (int64_t)retry_after_s * 1000 : INT32_MAX;
    call->body[call->size] = '\0';
    client->telling = true;
    call->done(call->owner, &answer);
    client->telling = false;
    call_free(call);
}

/* What has ended since libcurl was last called. A `done` may start and cancel calls. */
static void tell_ended(struct http_client *client)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(client->multi, &left))) {
        CURLcode code = message->data.result;
        char *call = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
        tell((struct http_call *)(void *)call, code);
    }
}

/* -- sockets and time ----------------------------------------------------------------------- */

static void on_ready(uv_poll_t *handle, int status, int events)
{
    struct watch *watch = handle->data;
    struct http_client *client = watch->client;
    int flags = status < 0 ? CURL_CSELECT_ERR : 0, running;

    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    curl_multi_socket_action(client->multi, watch->sock, flags, &running); /* may free the watch */
    tell_ended(client);
}

static void on_timer(uv_timer_t *handle)
{
    struct http_client *client = handle->data;
    int running;

    curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    tell_ended(client);
}

static void free_handle(uv_handle_t *handle)
{
    free(handle->data);
}

static void watch_close(struct watch *watch)
{
    *watch->link = watch->next;
    if (watch->next)
        watch->next->link = watch->link;
    uv_poll_stop(&watch->handle);
    uv_close((uv_handle_t *)&watch->handle, free_handle);
}

static struct watch *watch_open(struct http_client *client, curl_socket_t sock)
{
    struct watch *watch = calloc(1, sizeof(*watch));

    if (!watch)
        return NULL;
    if (uv_poll_init(client->uv, &watch->handle, sock) < 0) {
        free(watch);
        return NULL;
    }
    *watch = (struct watch){.handle = watch->handle, .client = client, .sock = sock};
    watch->handle.data = watch;
    watch->next = client->watches;
    watch->link = &client->watches;
    if (watch->next)
        watch->next->link = &watch->next;
    client->watches = watch;
    curl_multi_assign(client->multi, sock, watch);
    return watch;
}

/* Always 0: anything else would end every call; a socket that cannot be watched ends by its time.
 */
static int on_socket(CURL *easy, curl_socket_t sock, int what, void *owner, void *data)
{
    struct http_client *client = owner;
    struct watch *watch = data;
    int events = 0;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch) {
            curl_multi_assign(client->multi, sock, NULL);
            watch_close(watch);
        }
        return 0;
    }
    if (!watch && !(watch = watch_open(client, sock)))
        return 0;
    if (what & CURL_POLL_IN)
        events |= UV_READABLE;
    if (what & CURL_POLL_OUT)
        events |= UV_WRITABLE;
    uv_poll_start(&watch->handle, events, on_ready);
    return 0;
}

static int on_timeout_change(CURLM *multi, long timeout_ms, void *owner)
{
    struct http_client *client = owner;

    (void)multi;
    if (timeout_ms < 0) {
        uv_timer_stop(&client->timer);
        return 0;
    }
    uv_update_time(client->uv);
    uv_timer_start(&client->timer, on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

/* -- life ----------------------------------------------------------------------------------- */

static bool prepare_multi(struct http_client *client)
{
    return !curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket) &&
           !curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client) &&
           !curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timeout_change) &&
           !curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client) &&
           !curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
}

struct http_client *http_client_new(struct loop *loop)
{
    struct http_client *client = calloc(1, sizeof(*client));

    if (!client)
        return NULL;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        free(client);
        return NULL;
    }
    client->uv = loop_uv(loop);
    uv_timer_init(client->uv, &client->timer);
    client->timer.data = client;
    client->multi = curl_multi_init();
    if (!client->multi || !prepare_multi(client)) {
        http_client_free(client);
        return NULL;
    }
    return client;
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    assert(!client->telling);
    while (client->calls)
        call_free(client->calls);
    curl_multi_cleanup(client->multi);
    while (client->watches)
        watch_close(client->watches);
    curl_global_cleanup();
    uv_close((uv_handle_t *)&client->timer, free_handle);
}

/* -- requests ------------------------------------------------------------------------------- */

static size_t on_body(char *bytes, size_t one, size_t count, void *owner)
{
    struct http_call *call = owner;
    size_t room = call->max - call->size;

    (void)one; /* is 1 */
    if (count > room)
        call->cut = true;
    memcpy(call->body + call->size, bytes, count < room ? count : room);
    call->size += count < room ? count : room;
    return call->cut ? 0 : count;
}

static bool is_sound(const struct http_request *request)
{
    for (size_t i = 0; i < request->n_headers; i++)
        if (!transfer_is_line(request->headers[i]))
            return false;
    return transfer_is_line(request->method) && transfer_is_line(request->url) &&
           (!request->username || transfer_is_line(request->username)) &&
           (!request->password || transfer_is_line(request->password));
}

static bool add_header(struct http_call *call, const char *header)
{
    struct curl_slist *more = curl_slist_append(call->headers, header);

    if (more)
        call->headers = more;
    return more != NULL;
}

/* "Expect:" without a value: libcurl would otherwise wait a second for servers that do not know it.
 */
static bool set_headers(struct http_call *call, const struct http_request *request)
{
    if (!add_header(call, "Expect:"))
        return false;
    for (size_t i = 0; i < request->n_headers; i++)
        if (!add_header(call, request->headers[i]))
            return false;
    return !curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
}

static bool set_body(CURL *easy, const struct http_request *request)
{
    if (!request->body)
        return !curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    return !curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->size) &&
           !curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body);
}

static bool set_login(CURL *easy, const struct http_request *request)
{
    if (!request->username)
        return true;
    return !curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) &&
           !curl_easy_setopt(easy, CURLOPT_USERNAME, request->username) &&
           !curl_easy_setopt(easy, CURLOPT_PASSWORD, request->password ? request->password : "");
}

static bool prepare(struct http_call *call, const struct http_request *request)
{
    return transfer_prepare(call->easy, "http,https", request->timeout_ms, request->ca_file,
                            call->errors) &&
           set_headers(call, request) && set_body(call->easy, request) &&
           set_login(call->easy, request) &&
           !curl_easy_setopt(call->easy, CURLOPT_URL, request->url) &&
           !curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, request->method) &&
           !curl_easy_setopt(call->easy, CURLOPT_USERAGENT, "thermogate/" THERMOGATE_VERSION) &&
           !curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, on_body) &&
           !curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call) &&
           !curl_easy_setopt(call->easy, CURLOPT_PRIVATE, call);
}

static void link_call(struct http_client *client, struct http_call *call)
{
    call->next = client->calls;
    call->link = &client->calls;
    if (call->next)
        call->next->link = &call->next;
    client->calls = call;
}

int http_send(struct http_client *client, const struct http_request *request,
              void (*done)(void *owner, const struct http_answer *answer), void *owner,
              struct http_call **ret_call)
{
    struct http_call *call;

    if (!is_sound(request))
        return -EINVAL;
    call = calloc(1, sizeof(*call));
    if (!call)
        return -ENOMEM;
    call->client = client;
    call->max = request->answer_max;
    call->done = done;
    call->owner = owner;
    call->body = malloc(call->max + 1);
    call->easy = curl_easy_init();
    if (!call->body || !call->easy || !prepare(call, request) ||
        curl_multi_add_handle(client->multi, call->easy) != CURLM_OK) {
        call_free(call);
        return -ENOMEM;
    }
    link_call(client, call);
    *ret_call = call;
    return 0;
}
