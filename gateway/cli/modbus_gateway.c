#include "gateway/base/enclosing.h"
#include "gateway/base/json.h"
#include "gateway/base/json_read.h"
#include "gateway/base/reading.h"
#include "gateway/base/text.h"
#include "gateway/cli/client.h"
#include "gateway/cli/modbus.h"
#include "gateway/web/web.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gateway_port {
    struct mb_port port;
    const char *socket;
    const struct mb_way *way;
    struct mb_port *own; /* the way, gone by oneself since the gateway has no such line */
    char bus[TEXT_SLUG_MAX + 1];
    uint8_t data[256];
};

/* -- the question --------------------------------------------------------------------------- */

static void put_question(struct json *json, const struct gateway_port *self, uint8_t unit,
                         const struct mb_request *request, int64_t timeout_ms)
{
    bool who = request->function == MB_IDENTIFY;

    json_object(json, NULL);
    json_text(json, "connect", self->way->connect);
    json_number(json, "unit", unit, 0);
    json_number(json, "function", request->function, 0);
    json_number(json, "address", who ? request->data[1] : request->address, 0);
    json_number(json, "count", request->count, 0);
    json_number(json, "timeout", (double)timeout_ms, 0);
    json_end(json);
}

/* -- the answer ----------------------------------------------------------------------------- */

static uint8_t quality_of(const char *name)
{
    for (unsigned quality = 0; name && quality <= QUALITY_MAX; quality++) {
        if (strcmp(quality_name((uint8_t)quality), name) == 0)
            return (uint8_t)quality;
    }
    return QUALITY_ERROR;
}

static size_t read_hex(const char *hex, uint8_t *to, size_t size)
{
    size_t n = 0;
    unsigned byte;

    while (hex && n < size && sscanf(hex + 2 * n, "%2x", &byte) == 1)
        to[n++] = (uint8_t)byte;
    return n;
}

/* What came must be as long as what was asked for. */
static uint8_t take_answer(struct gateway_port *self, const struct mb_request *request,
                           const struct json_value *json)
{
    uint8_t quality = quality_of(json_as_text(json_get(json, "quality")));
    size_t n = read_hex(json_as_text(json_get(json, "bytes")), self->data, sizeof(self->data));
    const char *bus = json_as_text(json_get(json, "bus"));

    text_copy(self->bus, sizeof(self->bus), bus ? bus : "");
    if (quality == QUALITY_GOOD && mb_is_read(request->function) && n != mb_answer_bytes(request))
        return QUALITY_PROTOCOL;
    return quality;
}

static uint8_t read_answer(struct gateway_port *self, const struct mb_request *request,
                           const struct client_answer *answer, struct error *reterr)
{
    struct json_value *json = json_parse(answer->body, answer->length);
    const char *words = json_as_text(json_get(json, "error"));
    uint8_t quality = QUALITY_DISCONNECTED;

    if (answer->status == 200)
        quality = take_answer(self, request, json);
    else
        error_set(reterr, -EBUSY, "the line is held, and the gateway says: %s",
                  words ? words : "nothing");
    json_free(json);
    return quality;
}

/* A connection can be had beside a gateway that knows nothing of it; a line that is held cannot. */
static bool may_go_oneself(const struct gateway_port *self)
{
    return self->bus[0] == '\0' && mb_way_is_network(self->way);
}

static uint8_t go_oneself(struct gateway_port *self, uint8_t unit, const struct mb_request *request,
                          int64_t timeout_ms, const uint8_t **ret_data, struct error *reterr)
{
    if (mb_port_open(self->way, &self->own, reterr) < 0)
        return QUALITY_DISCONNECTED;
    self->port.bus = NULL;
    return self->own->ask(self->own, unit, request, timeout_ms, ret_data, reterr);
}

static uint8_t gateway_ask(struct mb_port *port, uint8_t unit, const struct mb_request *request,
                           int64_t timeout_ms, const uint8_t **ret_data, struct error *reterr)
{
    struct gateway_port *self = enclosing(port, struct gateway_port, port);
    struct client_question question = {.socket = self->socket,
                                       .method = "POST",
                                       .path = "/api/v1/ask",
                                       .type = "application/json"};
    struct client_answer answer;
    struct json json;
    char body[600];
    uint8_t quality;
    int r;

    if (self->own)
        return self->own->ask(self->own, unit, request, timeout_ms, ret_data, reterr);
    json_start(&json, body, sizeof(body));
    put_question(&json, self, unit, request, timeout_ms);
    question.body = body;
    question.length = json_length(&json);
    r = client_ask(&question, &answer, reterr);
    quality = r == 0 ? read_answer(self, request, &answer, reterr) : QUALITY_DISCONNECTED;
    *ret_data = self->data;
    if ((r < 0 || answer.status == 404) && may_go_oneself(self))
        quality = go_oneself(self, unit, request, timeout_ms, ret_data, reterr);
    if (r == 0)
        free(answer.body);
    return quality;
}

/* -- door ----------------------------------------------------------------------------------- */

static void gateway_close(struct mb_port *port)
{
    mb_port_close(((struct gateway_port *)port)->own);
    free(port);
}

int modbus_port_of_gateway(const struct cli_options *options, const struct mb_way *way,
                           struct mb_port **ret_port, struct error *reterr)
{
    struct gateway_port *self = calloc(1, sizeof(*self));

    if (!self)
        return error_set(reterr, -ENOMEM, "out of memory");
    *self = (struct gateway_port){
        .port = {.ask = gateway_ask, .close = gateway_close},
        .socket = options->socket ? options->socket : WEB_SOCKET,
        .way = way,
    };
    self->port.bus = self->bus;
    *ret_port = &self->port;
    return 0;
}
