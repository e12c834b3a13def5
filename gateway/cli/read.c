#include "adapters/modbus/register.h"
#include "adapters/modbus/show.h"
#include "gateway/app.h"
#include "gateway/base/json.h"
#include "gateway/base/reading.h"
#include "gateway/base/text.h"
#include "gateway/cli/modbus.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_TIMEOUT_MS 1000
#define DEFAULT_COUNT      10
#define MATRIX_MAX         4 /* registers for which every type is shown in every order */

/* One reading of a range. */
struct range {
    struct mb_request request;
    int unit;
    const char *kind;    /* "holding" */
    const uint8_t *data; /* as it came */
};

static const char *kind_of(uint8_t function)
{
    static const char *const kinds[] = {"coil", "discrete", "holding", "input"};

    return kinds[function - MB_READ_COILS];
}

static unsigned word_at(const struct range *range, unsigned i)
{
    return (unsigned)range->data[2 * i] << 8 | range->data[2 * i + 1];
}

static bool bit_at(const struct range *range, unsigned i)
{
    return range->data[i / 8] >> i % 8 & 1;
}

/* -- for people ----------------------------------------------------------------------------- */

static void print_bits(const struct range *range)
{
    for (unsigned i = 0; i < range->request.count; i++)
        printf("%s %-6u %d\n", range->kind, range->request.address + i, bit_at(range, i));
}

/* The types that are read most, a line a register. */
static const struct shown_column {
    const char *type;
    size_t order;
} columns[] = {{"uint16", 0}, {"int16", 0}, {"uint32", 0},  {"uint32", 1},
               {"int32", 0},  {"int32", 1}, {"float32", 0}, {"float32", 1}};
#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

static size_t find_type(const char *type)
{
    size_t i = 0;

    while (strcmp(mb_show_at(i)->type, type) != 0)
        i++;
    return i;
}

/* A number in a column of 13: large and small ones would push the others aside. */
static const char *narrow(const char *text, char to[24])
{
    if (strlen(text) <= 12)
        return text;
    snprintf(to, 24, "%.5g", strtod(text, NULL));
    return to;
}

static void print_heading(void)
{
    printf("%-16s %-6s %-2s", "", "hex", "");
    for (size_t c = 0; c < N_COLUMNS; c++)
        printf(" %12s", columns[c].type);
    printf("\n%-16s %-6s %-2s", "", "", "");
    for (size_t c = 0; c < N_COLUMNS; c++)
        printf(" %12s", mb_show_at(find_type(columns[c].type))->registers > 1
                            ? mb_show_orders[columns[c].order]
                            : "");
    putchar('\n');
}

static void print_register(const struct range *range, unsigned i)
{
    unsigned word = word_at(range, i), rest = range->request.count - i;
    char name[24], text[MB_SHOW_SIZE], small[24];
    char high = (char)(word >> 8), low = (char)word;

    snprintf(name, sizeof(name), "%s %u", range->kind, range->request.address + i);
    printf("%-16s 0x%04x %c%c", name, word, isprint((unsigned char)high) ? high : '.',
           isprint((unsigned char)low) ? low : '.');
    for (size_t c = 0; c < N_COLUMNS; c++) {
        size_t type = find_type(columns[c].type);

        printf(" %12s",
               mb_show_at(type)->registers > rest
                   ? ""
                   : narrow(mb_show(type, columns[c].order, range->data + 2 * i, text), small));
    }
    putchar('\n');
}

/* Every type in every order, of a value that begins at the first register. */
static void print_matrix(const struct range *range)
{
    char text[MB_SHOW_SIZE];

    printf("\nas one value from %s %u on:\n%-12s", range->kind, range->request.address, "");
    for (size_t order = 0; order < MB_SHOW_ORDERS; order++)
        printf(" %24s", mb_show_orders[order]);
    putchar('\n');
    for (size_t i = 0; mb_show_at(i); i++) {
        if (mb_show_at(i)->registers > range->request.count)
            continue;
        printf("%-12s", mb_show_at(i)->type);
        for (size_t order = 0; order < MB_SHOW_ORDERS; order++)
            printf(" %24s", mb_show_differs(i, order) ? mb_show(i, order, range->data, text) : "");
        putchar('\n');
    }
}

static void print_registers(const struct range *range)
{
    print_heading();
    for (unsigned i = 0; i < range->request.count; i++)
        print_register(range, i);
    if (range->request.count <= MATRIX_MAX)
        print_matrix(range);
    else
        printf("\nread up to %d registers to see every type in every order\n", MATRIX_MAX);
}

/* -- for programs --------------------------------------------------------------------------- */

/* "float32": { "ABCD": 230.5, ... } of a value that begins at register `i`. */
static void put_values(struct json *json, const struct range *range, unsigned i)
{
    char text[MB_SHOW_SIZE];

    for (size_t t = 0; mb_show_at(t); t++) {
        if (mb_show_at(t)->registers > range->request.count - i)
            continue;
        json_object(json, mb_show_at(t)->type);
        for (size_t order = 0; order < MB_SHOW_ORDERS; order++) {
            const char *value = mb_show(t, order, range->data + 2 * i, text);

            if (mb_show_differs(t, order) && strcmp(value, "-") != 0)
                json_number(json, mb_show_orders[order], strtod(value, NULL), -1);
        }
        json_end(json);
    }
}

static void print_json(const struct range *range)
{
    static char room[1 << 18];
    bool bits = range->request.function <= MB_READ_DISCRETES;
    struct json json;

    json_start(&json, room, sizeof(room));
    json_array(&json, NULL);
    for (unsigned i = 0; i < range->request.count; i++) {
        json_object(&json, NULL);
        json_text(&json, "kind", range->kind);
        json_number(&json, "address", range->request.address + i, 0);
        json_number(&json, "raw", bits ? bit_at(range, i) : word_at(range, i), 0);
        if (!bits)
            put_values(&json, range, i);
        json_end(&json);
    }
    json_end(&json);
    puts(json_length(&json) > 0 ? json.text : "[]");
}

/* -- door ----------------------------------------------------------------------------------- */

static int refuse(const char *words)
{
    fprintf(stderr, "thermogate: %s\n", words);
    return APP_USAGE;
}

static int read_range(const struct cli_options *options, struct range *range)
{
    int64_t count = DEFAULT_COUNT, most;
    struct mb_register reg;
    struct error err;

    if (mb_register_parse(options->operands[1], &reg, &err) < 0)
        return refuse(err.text);
    most = reg.function <= MB_READ_DISCRETES ? MB_BITS_MAX : MB_REGISTERS_MAX;
    if (options->n_operands > 2 &&
        (text_to_int(options->operands[2], &count) < 0 || count < 1 || count > most))
        return refuse("a count goes from 1 to 125 registers or 2000 bits");
    if (reg.address + count > 65536)
        return refuse("that is more than there are: the last one is 65535");
    range->request = (struct mb_request){
        .function = reg.function, .address = reg.address, .count = (uint16_t)count};
    range->kind = kind_of(reg.function);
    return APP_OK;
}

static int ask(const struct cli_options *options, const struct modbus_line *line,
               struct range *range)
{
    struct mb_way way = {.connect = line->connect,
                         .baud = line->baud ? line->baud : 9600,
                         .parity = line->parity ? line->parity : 'N',
                         .stop_bits = 1};
    struct mb_port *port;
    struct error err = {0};
    uint8_t quality = QUALITY_DISCONNECTED;

    if (modbus_open(options, &way, &port, &err) == 0) {
        quality =
            port->ask(port, (uint8_t)range->unit, &range->request,
                      line->timeout_ms ? line->timeout_ms : DEFAULT_TIMEOUT_MS, &range->data, &err);
        if (quality == QUALITY_GOOD && options->json)
            print_json(range);
        else if (quality == QUALITY_GOOD && range->request.function <= MB_READ_DISCRETES)
            print_bits(range);
        else if (quality == QUALITY_GOOD)
            print_registers(range);
        mb_port_close(port);
    }
    if (quality != QUALITY_GOOD)
        fprintf(stderr, "thermogate: unit %d, %s %u: %s\n", range->unit, range->kind,
                range->request.address,
                quality == QUALITY_DISCONNECTED ? err.text : quality_name(quality));
    return quality == QUALITY_GOOD ? APP_OK : APP_FAILED;
}

struct cli_end cli_read(const struct cli_options *options)
{
    struct modbus_line line;
    struct range range = {0};
    int code = modbus_read_options(options, 1, 1, &line);

    if (code == APP_OK)
        code = read_range(options, &range);
    range.unit = line.first_unit;
    if (code == APP_OK)
        code = ask(options, &line, &range);
    return (struct cli_end){.code = code};
}
