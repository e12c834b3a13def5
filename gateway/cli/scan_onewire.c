/* `scan onewire`: the sensors that are there, each as soon as it was read, and a config for them.
 */
#include "adapters/onewire/scan.h"
#include "gateway/app.h"
#include "gateway/base/json.h"
#include "gateway/base/reading.h"
#include "gateway/base/text.h"
#include "gateway/cli/command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_MAX ((size_t)1 << 18) /* of config or JSON: 1,024 sensors */

struct scan {
    const char *connect;
    bool json;
    size_t n;
    struct json list;
    char *block; /* the devices of the config, or the memory of `list` */
    size_t length;
};

/* Ctrl-C ends the scan, not the program: what was found by then is told. */
static volatile sig_atomic_t interrupted;

static void interrupt(int signum)
{
    (void)signum;
    interrupted = 1;
}

static const char *power_word(enum onewire_power power)
{
    static const char *const words[] = {[ONEWIRE_POWER_UNKNOWN] = "",
                                        [ONEWIRE_PARASITE] = "parasite",
                                        [ONEWIRE_SUPPLIED] = "supplied"};

    return words[power];
}

/* "21.562 °C", or why there is none. */
static const char *value_words(const struct onewire_seen *seen, char *to, size_t size)
{
    char number[32];

    if (seen->value.quality == QUALITY_GOOD) {
        text_from_number(number, sizeof(number), seen->value.milli_c / 1000.0, -1);
        snprintf(to, size, "%s °C", number);
    } else {
        text_copy(to, size,
                  seen->value.quality == QUALITY_NOT_READ ? "" : quality_name(seen->value.quality));
    }
    return to;
}

static void print_row(const struct onewire_seen *seen)
{
    char value[48], bits[16] = "", type[64];

    if (seen->bits > 0)
        snprintf(bits, sizeof(bits), "%d bits", seen->bits);
    value_words(seen, value, sizeof(value));
    /* The degree sign has two bytes and takes one column. */
    printf("%-16s  %-12s %-16s %-*s %-9s %s\n", seen->address.text,
           text_escape(type, sizeof(type), seen->type), seen->where, strstr(value, "°") ? 13 : 12,
           value, power_word(seen->power), bits);
    fflush(stdout);
}

/* Other families need somebody who knows which of their properties are wanted. */
static void add_device(struct scan *scan, const struct onewire_seen *seen)
{
    char name[ONEWIRE_ADDRESS_SIZE];

    text_copy(name, sizeof(name), seen->address.text);
    name[2] = '_';
    if (onewire_family_name(seen->address.family))
        text_append(scan->block, BLOCK_MAX, &scan->length,
                    "    w1_%s: { bus = \"w1\"; address = \"%s\" }\n", name, seen->address.text);
}

static void add_json(struct scan *scan, const struct onewire_seen *seen)
{
    json_object(&scan->list, NULL);
    json_text(&scan->list, "address", seen->address.text);
    json_text(&scan->list, "type", seen->type);
    json_text(&scan->list, "master", seen->where);
    if (seen->value.quality == QUALITY_GOOD)
        json_number(&scan->list, "temp", seen->value.milli_c / 1000.0, -1);
    else
        json_null(&scan->list, "temp");
    json_text(&scan->list, "quality", quality_name(seen->value.quality));
    json_text(&scan->list, "power", power_word(seen->power));
    if (seen->bits > 0)
        json_int(&scan->list, "resolution", seen->bits);
    json_end(&scan->list);
}

static bool take(void *owner, const struct onewire_seen *seen)
{
    struct scan *scan = owner;

    scan->n++;
    if (scan->json) {
        add_json(scan, seen);
    } else {
        print_row(seen);
        add_device(scan, seen);
    }
    return !interrupted;
}

static void print_config(const struct scan *scan)
{
    printf("\nbuses: { w1: { adapter = \"onewire\"");
    if (strcmp(scan->connect, ONEWIRE_SCAN_DEFAULT) != 0)
        printf("; connect = \"%s\"", scan->connect);
    printf(" } }\ndevices: {\n%s}\n", scan->block);
}

static int run(struct scan *scan)
{
    struct error err = {0};
    int r;

    signal(SIGINT, interrupt);
    if (scan->json) {
        json_start(&scan->list, scan->block, BLOCK_MAX);
        json_array(&scan->list, NULL);
    }
    r = onewire_scan(scan->connect, take, scan, &err);
    if (r < 0) {
        fprintf(stderr, "thermogate: %s\n", err.text);
        return r == -EINVAL ? APP_USAGE : APP_FAILED;
    }
    if (!scan->json)
        print_config(scan);
    else
        puts(json_length(&scan->list) > 0 ? scan->list.text : "[]");
    return APP_OK;
}

struct cli_end cli_scan_onewire(const struct cli_options *options)
{
    struct scan scan = {.connect = ONEWIRE_SCAN_DEFAULT, .json = options->json};
    int code = APP_FAILED;

    if (options->n_operands > 0)
        scan.connect = options->operands[0];
    scan.block = calloc(1, BLOCK_MAX);
    if (scan.block)
        code = run(&scan);
    free(scan.block);
    return (struct cli_end){.code = code};
}
