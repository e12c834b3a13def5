#include "adapters/modbus/scan.h"
#include "config/templates.h"
#include "gateway/app.h"
#include "gateway/base/clock.h"
#include "gateway/base/json.h"
#include "gateway/base/reading.h"
#include "gateway/base/text.h"
#include "gateway/cli/modbus.h"
#include "gateway/library.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERIAL_TIMEOUT_MS 200
#define TCP_TIMEOUT_MS    500
#define WAYS_MAX          32
#define ODD_UNIT          243 /* nobody has this one: who answers as it answers as every unit */

/* Where devices were found, and they. */
struct scan {
    const struct cli_options *options;
    struct modbus_line line;
    struct mb_guide *guide;
    struct conf_templates *templates;
    struct problems *problems;
    struct mb_way ways[WAYS_MAX]; /* to be tried, the most likely first */
    char connects[WAYS_MAX][300];
    size_t n_ways, way;
    struct mb_found found[256];
    size_t n_found;
    bool any_unit; /* it answers as every unit */
    bool held;     /* by a gateway, whose framing it has */
    bool absent;   /* there is no such line, or not for us: no framing mends that */
    char bus[64];  /* in its config, then */
    int64_t began_ms;
    uint64_t asked, all;
};

/* Ctrl-C ends the scan, not the program: what was found by then is told. */
static volatile sig_atomic_t interrupted;

static void interrupt(int signum)
{
    (void)signum;
    interrupted = 1;
}

/* -- progress ------------------------------------------------------------------------------- */

static const char *way_words(const struct mb_way *way, char to[340])
{
    char framing[24];

    if (strncmp(way->connect, "serial:", 7) == 0)
        snprintf(to, 340, "%s %s", way->connect, modbus_framing_words(way, framing));
    else
        snprintf(to, 340, "%s", way->connect);
    return to;
}

/* A line that is written over, on a terminal only. */
static void show_progress(const struct scan *scan, int unit)
{
    int64_t took_ms = clock_boot_ms() - scan->began_ms;
    int64_t left_ms =
        scan->asked > 0 ? took_ms * (int64_t)(scan->all - scan->asked) / (int64_t)scan->asked : 0;
    char way[340], left[40];

    if (!isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r\033[K%s: unit %d, %zu found, at most %s left",
            way_words(&scan->ways[scan->way], way), unit, scan->n_found,
            text_from_duration(left, sizeof(left), left_ms / 1000 * 1000));
}

static void end_progress(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

/* -- what to try ---------------------------------------------------------------------------- */

static void add_way(struct scan *scan, const char *scheme, const char *rest, int port,
                    struct mb_way way)
{
    char *connect = scan->connects[scan->n_ways];

    if (scan->n_ways == WAYS_MAX)
        return;
    if (port > 0)
        snprintf(connect, sizeof(scan->connects[0]), "%s://%s:%d", scheme, rest, port);
    else
        snprintf(connect, sizeof(scan->connects[0]), "%s%s", scheme, rest);
    way.connect = connect;
    scan->ways[scan->n_ways++] = way;
}

/* The framings that devices leave their factories with; then all others. */
static void add_lines(struct scan *scan, const char *path)
{
    static const int bauds[] = {9600, 19200, 38400, 115200, 2400, 4800, 57600};
    static const char parities[] = "NEO";

    for (size_t b = 0; b < sizeof(bauds) / sizeof(bauds[0]); b++) {
        for (size_t p = 0; parities[p]; p++) {
            struct mb_way way = {.baud = scan->line.baud ? scan->line.baud : bauds[b],
                                 .parity = scan->line.parity ? scan->line.parity : parities[p],
                                 .stop_bits = 1};

            if ((scan->line.baud && b > 0) || (scan->line.parity && p > 0))
                continue;
            add_way(scan, "serial:", path, 0, way);
        }
    }
}

/* A host without a scheme: the ports on which devices and converters listen, in both framings. */
static void add_host(struct scan *scan, const char *host)
{
    static const int ports[] = {502, 8899, 4196};

    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        add_way(scan, "tcp", host, ports[i], (struct mb_way){0});
        add_way(scan, "rtu+tcp", host, ports[i], (struct mb_way){0});
    }
}

static void plan(struct scan *scan)
{
    const char *connect = scan->line.connect;

    if (strncmp(connect, "serial:", 7) == 0)
        add_lines(scan, connect + 7);
    else if (connect[0] == '/')
        add_lines(scan, connect);
    else if (strstr(connect, "tcp:"))
        add_way(scan, "", connect, 0, (struct mb_way){0});
    else
        add_host(scan, connect);
    scan->all = scan->n_ways * (uint64_t)(scan->line.last_unit - scan->line.first_unit + 1);
    if (!scan->line.timeout_ms)
        scan->line.timeout_ms = scan->ways[0].baud ? SERIAL_TIMEOUT_MS : TCP_TIMEOUT_MS;
}

/* -- asking --------------------------------------------------------------------------------- */

static bool is_there(uint8_t quality)
{
    return quality == QUALITY_GOOD || quality > QUALITY_EXCEPTION;
}

/* A device on TCP that looks at no unit would be found 247 times. */
static bool answers_as_any(struct scan *scan, struct mb_port *port)
{
    return scan->line.first_unit < scan->line.last_unit &&
           is_there(mb_scan_unit(port, ODD_UNIT, scan->line.timeout_ms, NULL));
}

/* False when there is no going on this way. */
static bool scan_unit(struct scan *scan, struct mb_port *port, int unit, struct error *reterr)
{
    uint8_t quality;

    show_progress(scan, unit);
    quality = mb_scan_unit(port, (uint8_t)unit, scan->line.timeout_ms, reterr);
    scan->asked++;
    if (quality == QUALITY_DISCONNECTED)
        return false;
    if (!is_there(quality))
        return true;
    mb_scan_identify(port, (uint8_t)unit, scan->line.timeout_ms, scan->guide,
                     &scan->found[scan->n_found++]);
    scan->any_unit = scan->n_found == 1 && answers_as_any(scan, port);
    return !scan->any_unit;
}

/* All units one way; true when somebody was found. */
static bool scan_way(struct scan *scan, const struct mb_way *way, struct error *reterr)
{
    uint64_t before = scan->asked;
    struct mb_port *port;
    int r = modbus_open(scan->options, way, &port, reterr);

    scan->absent = r == -ENOENT || r == -EACCES;
    if (r == 0) {
        for (int unit = scan->line.first_unit; unit <= scan->line.last_unit && !interrupted;
             unit++) {
            if (!scan_unit(scan, port, unit, reterr))
                break;
        }
        scan->held = port->bus != NULL;
        text_copy(scan->bus, sizeof(scan->bus), scan->held ? port->bus : "found");
        mb_port_close(port);
    }
    scan->asked = before + (uint64_t)(scan->line.last_unit - scan->line.first_unit + 1);
    return scan->n_found > 0;
}

/* -- what was found ------------------------------------------------------------------------- */

static const char *parity_word(char parity)
{
    return parity == 'E' ? "even" : parity == 'O' ? "odd" : "none";
}

/* What is known of it, behind a #. */
static void print_comment(const struct mb_found *found)
{
    const struct mb_identity *identity = &found->identity;

    if (identity->vendor[0] || identity->product[0])
        printf("    # it says: %s %s %s\n", identity->vendor, identity->product,
               identity->revision);
    if (found->n_matches > 1) {
        printf("    # or template");
        for (size_t i = 1; i < found->n_matches; i++)
            printf("%s \"%s\"", i > 1 ? "," : "", found->matches[i]);
        printf(": their registers agree as far as a scan can see\n");
    }
    if (found->n_matches == 0)
        printf(
            "    # no template fits: see what it has with thermogate read, then list channels\n");
}

static void print_device(const struct scan *scan, const struct mb_found *found)
{
    print_comment(found);
    if (found->n_matches > 0)
        printf("    %s_%u: { bus = \"%s\"; unit = %u; template = \"%s\" }\n", found->matches[0],
               found->unit, scan->bus, found->unit, found->matches[0]);
    else
        printf("    device_%u: { bus = \"%s\"; unit = %u\n"
               "        channels: { first: { register = \"holding 0\" } } }\n",
               found->unit, scan->bus, found->unit);
}

static void print_bus(const struct mb_way *way)
{
    printf("buses: { found: { adapter = \"modbus\"; connect = \"%s\"", way->connect);
    if (way->baud)
        printf("; baud = %d; parity = \"%s\"", way->baud, parity_word(way->parity));
    printf(" } }\n");
}

/* Beside a gateway that holds the line its bus is there already, its framing known to it alone. */
static void print_config(const struct scan *scan, const struct mb_way *way)
{
    if (!scan->held)
        print_bus(way);
    printf("devices: {\n");
    if (scan->any_unit)
        printf("    # it answers as every unit\n");
    for (size_t i = 0; i < scan->n_found; i++)
        print_device(scan, &scan->found[i]);
    printf("}\n");
}

static void put_found(struct json *json, const struct mb_found *found)
{
    json_object(json, NULL);
    json_number(json, "unit", found->unit, 0);
    json_text(json, "vendor", found->identity.vendor);
    json_text(json, "product", found->identity.product);
    json_array(json, "templates");
    for (size_t i = 0; i < found->n_matches; i++)
        json_text(json, NULL, found->matches[i]);
    json_end(json);
    json_end(json);
}

static void print_json(const struct scan *scan, const struct mb_way *way)
{
    static char room[1 << 17];
    struct json json;

    json_start(&json, room, sizeof(room));
    json_object(&json, NULL);
    json_text(&json, "connect", way->connect);
    if (scan->held)
        json_text(&json, "bus", scan->bus);
    if (way->baud && !scan->held) {
        json_number(&json, "baud", way->baud, 0);
        json_text(&json, "parity", parity_word(way->parity));
    }
    json_array(&json, "devices");
    for (size_t i = 0; i < scan->n_found; i++)
        put_found(&json, &scan->found[i]);
    json_end(&json);
    json_end(&json);
    puts(json_length(&json) > 0 ? json.text : "{}");
}

/* -- door ----------------------------------------------------------------------------------- */

static void learn(void *owner, const char *name, const char *path)
{
    struct scan *scan = owner;
    const struct conf_template *template =
        conf_templates_get(scan->templates, name, (struct place){NULL, 0}, scan->problems);

    (void)path;
    if (template)
        (void)mb_guide_add(scan->guide, name, template->root, scan->problems);
}

/* Goes through all ways until one has led to somebody. */
static int run(struct scan *scan)
{
    struct error err = {0};
    char words[340];

    scan->began_ms = clock_boot_ms();
    signal(SIGINT, interrupt);
    for (; scan->way < scan->n_ways && !interrupted && !scan->held && !scan->absent; scan->way++) {
        const struct mb_way *way = &scan->ways[scan->way];

        if (!isatty(STDERR_FILENO))
            fprintf(stderr, "trying %s\n", way_words(way, words));
        if (!scan_way(scan, way, &err))
            continue;
        end_progress();
        if (scan->options->json)
            print_json(scan, way);
        else
            print_config(scan, way);
        return APP_OK;
    }
    end_progress();
    fprintf(stderr, "thermogate: nobody answers%s%s\n", err.text[0] ? ": " : "", err.text);
    return APP_FAILED;
}

struct cli_end cli_scan_modbus(const struct cli_options *options)
{
    struct scan *scan = calloc(1, sizeof(*scan));
    int code = APP_FAILED;

    if (scan) {
        scan->options = options;
        scan->guide = mb_guide_new();
        scan->templates = library_open(options->config);
        scan->problems = problems_new();
    }
    if (scan && scan->guide && scan->templates && scan->problems) {
        code = modbus_read_options(options, 1, 247, &scan->line);
        conf_templates_each(scan->templates, learn, scan);
        problems_print(scan->problems, stderr);
        if (code == APP_OK) {
            plan(scan);
            code = run(scan);
        }
    }
    if (scan) {
        problems_free(scan->problems);
        mb_guide_free(scan->guide);
        conf_templates_free(scan->templates);
    }
    free(scan);
    return (struct cli_end){.code = code};
}
