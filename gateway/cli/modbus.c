#include "gateway/cli/modbus.h"

#include "gateway/app.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int refuse(const char *what, const char *word)
{
    char quoted[200];

    fprintf(stderr, "thermogate: %s: %s\n", text_quote(quoted, sizeof(quoted), word), what);
    return APP_USAGE;
}

/* "7" or "1-30" */
static bool read_units(const char *text, int *first, int *last)
{
    const char *dash = strchr(text, '-');
    char begin[8] = "";
    int64_t from, to;

    if (dash && (size_t)(dash - text) < sizeof(begin))
        memcpy(begin, text, (size_t)(dash - text));
    if (text_to_int(dash ? begin : text, &from) < 0 ||
        text_to_int(dash ? dash + 1 : text, &to) < 0 || from < 0 || to > 255 || from > to)
        return false;
    *first = (int)from;
    *last = (int)to;
    return true;
}

static bool read_baud(const char *text, int *baud)
{
    int64_t number;

    if (text_to_int(text, &number) < 0 || number < 1200 || number > 921600)
        return false;
    *baud = (int)number;
    return true;
}

static bool read_parity(const char *text, char *parity)
{
    static const char *const words[] = {"none", "even", "odd"};

    for (size_t i = 0; i < 3; i++) {
        if (strcmp(words[i], text) == 0)
            *parity = "NEO"[i];
    }
    return *parity != '\0';
}

int modbus_read_options(const struct cli_options *options, int first_unit, int last_unit,
                        struct modbus_line *ret)
{
    *ret = (struct modbus_line){
        .connect = options->operands[0], .first_unit = first_unit, .last_unit = last_unit};
    if (options->unit && !read_units(options->unit, &ret->first_unit, &ret->last_unit))
        return refuse("units go from 0 to 255: --unit 7, or --unit 1-30 for a scan", options->unit);
    if (options->baud && !read_baud(options->baud, &ret->baud))
        return refuse("that is no baud rate: --baud 9600", options->baud);
    if (options->parity && !read_parity(options->parity, &ret->parity))
        return refuse("write --parity none, even or odd", options->parity);
    if (options->timeout &&
        (text_to_duration_ms(options->timeout, &ret->timeout_ms) < 0 || ret->timeout_ms < 10))
        return refuse("no duration like 300ms", options->timeout);
    return APP_OK;
}

/* A line that is held is held by the gateway, as a rule: then it asks for us. */
int modbus_open(const struct cli_options *options, const struct mb_way *way,
                struct mb_port **ret_port, struct error *reterr)
{
    int r = mb_way_is_network(way) ? -EBUSY : mb_port_open(way, ret_port, reterr);

    return r == -EBUSY ? modbus_port_of_gateway(options, way, ret_port, reterr) : r;
}

const char *modbus_framing_words(const struct mb_way *way, char to[24])
{
    snprintf(to, 24, "%d 8%c%d", way->baud, way->parity, way->stop_bits);
    return to;
}
