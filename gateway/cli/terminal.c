#include "gateway/cli/terminal.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/text.h"
#include "gateway/core/inventory.h"
#include "rules/rules.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DRAW_EVERY_MS 250
#define LINE_EVERY_MS 2000
#define EVENTS_SHOWN  6
#define EVENT_SIZE    200

#define BOLD  "\033[1m"
#define DIM   "\033[2m"
#define RED   "\033[31m"
#define GREEN "\033[32m"
#define PLAIN "\033[0m"

struct terminal {
    FILE *to;
    bool live; /* draws, instead of printing lines */
    struct inventory *inventory;
    struct reading *readings;      /* by sensor */
    struct instance_state *states; /* by instance */
    int64_t *shown_ms;             /* by device: when its last line was printed */
    char events[EVENTS_SHOWN][EVENT_SIZE];
    size_t n_events;
    int64_t drawn_ms;
};

static void take_log(void *owner, enum log_level level, const char *line);

struct terminal *terminal_new(FILE *to)
{
    struct terminal *terminal = calloc(1, sizeof(*terminal));

    if (!terminal)
        return NULL;
    terminal->to = to;
    terminal->live = isatty(fileno(to)) == 1;
    if (terminal->live) {
        fputs("\033[?25l\033[2J", to); /* hides the cursor, clears the screen */
        log_set_sink(take_log, terminal);
    }
    return terminal;
}

static void forget_inventory(struct terminal *terminal)
{
    inventory_release(terminal->inventory);
    free(terminal->readings);
    free(terminal->states);
    free(terminal->shown_ms);
}

void terminal_free(struct terminal *terminal)
{
    if (!terminal)
        return;
    if (terminal->live) {
        log_set_sink(NULL, NULL);
        fputs("\033[?25h", terminal->to);
    }
    fflush(terminal->to);
    forget_inventory(terminal);
    free(terminal);
}

/* -- words ---------------------------------------------------------------------------------- */

static char *time_of_day(int64_t at_ms, char text[16])
{
    time_t seconds = (time_t)(clock_wall_ms(at_ms) / 1000);
    struct tm tm;

    localtime_r(&seconds, &tm);
    strftime(text, 16, "%H:%M:%S", &tm);
    return text;
}

/* "61.2 °C", or why there is none. */
static char *value_text(const struct terminal *terminal, const struct reading *reading,
                        char text[96])
{
    const struct inventory_sensor *sensor = &terminal->inventory->sensors[reading->sensor];
    char number[40];

    if (reading->kind == VALUE_NUMBER) {
        text_from_number(number, sizeof(number), reading->number, sensor->decimals);
        snprintf(text, 96, "%s%s%s", number, sensor->unit[0] ? " " : "", sensor->unit);
    } else if (reading->kind == VALUE_TEXT) {
        text_quote(text, 96, text_table_get(terminal->inventory->texts, reading->text));
    } else {
        snprintf(text, 96, "- (%s)", quality_name(reading->quality));
    }
    return text;
}

static const char *event_word(uint8_t type)
{
    return type == EVENT_FIRED ? "ALARM" : type == EVENT_CLEARED ? "clear" : event_type_name(type);
}

/* What an event that is no rule's says: of the gateway itself. */
static void note_text(const struct event *event, char text[EVENT_SIZE])
{
    char time[16], note[sizeof(event->note)];

    snprintf(text, EVENT_SIZE, "%s  %s %s", time_of_day(event->at_ms, time),
             event_type_name(event->type), text_escape(note, sizeof(note), event->note));
}

static void alarm_text(const struct terminal *terminal, const struct event *event,
                       char text[EVENT_SIZE])
{
    const struct inventory_rule *rule = &terminal->inventory->rules[event->instance];
    char time[16], value[96] = "", lasted[32], note[sizeof(event->note)];
    size_t length = 0;

    if (event->kind == VALUE_NUMBER && event->sensor != UINT32_MAX) {
        struct reading reading = {
            .sensor = event->sensor, .kind = VALUE_NUMBER, .number = event->number};

        value_text(terminal, &reading, value);
    }
    text_append(text, EVENT_SIZE, &length, "%s  %-7s %s: %s", time_of_day(event->at_ms, time),
                event_word(event->type), rule->label, value);
    if (event->type == EVENT_FIRED)
        text_append(text, EVENT_SIZE, &length, " (%s, %s)", rule_severity_name(event->severity),
                    rule->summary);
    else if (event->type == EVENT_CLEARED && event->since_ms != CLOCK_NEVER)
        text_append(text, EVENT_SIZE, &length, " after %s",
                    text_from_duration(lasted, sizeof(lasted), event->at_ms - event->since_ms));
    if (event->note[0])
        text_append(text, EVENT_SIZE, &length, " (%s)",
                    text_escape(note, sizeof(note), event->note));
}

/* -- drawing -------------------------------------------------------------------------------- */

static void draw_device(const struct terminal *terminal, const struct inventory_device *device)
{
    char value[96];

    fprintf(terminal->to, BOLD "  %s" PLAIN "\033[K\n", device->label);
    for (uint32_t i = 0; i < device->n_sensors; i++) {
        const struct reading *reading = &terminal->readings[device->first_sensor + i];

        fprintf(terminal->to, "    %-24s %s%s" PLAIN "\033[K\n",
                terminal->inventory->sensors[device->first_sensor + i].label,
                reading->quality == QUALITY_GOOD ? "" : DIM, value_text(terminal, reading, value));
    }
}

static void draw_rule(const struct terminal *terminal, uint32_t instance)
{
    const struct instance_state *state = &terminal->states[instance];
    const struct inventory_rule *rule = &terminal->inventory->rules[instance];
    const char *color = state->state == RULE_FIRING ? RED : state->state == RULE_OK ? GREEN : BOLD;

    fprintf(terminal->to, "    %-24s %s%-10s" PLAIN " " DIM "%s" PLAIN "\033[K\n", rule->id, color,
            rule_state_name(state->state), rule->summary);
}

static void draw(struct terminal *terminal)
{
    char time[16];

    fprintf(terminal->to,
            "\033[H" BOLD "Thermogate" PLAIN "  %s   " DIM "Ctrl-C ends it" PLAIN
            "\033[K\n\033[K\n",
            time_of_day(clock_boot_ms(), time));
    for (uint32_t i = 0; i < terminal->inventory->n_devices; i++)
        draw_device(terminal, &terminal->inventory->devices[i]);
    fprintf(terminal->to, "\033[K\n" BOLD "  Rules" PLAIN "\033[K\n");
    for (uint32_t i = 0; i < terminal->inventory->n_rules; i++)
        draw_rule(terminal, i);
    fputs("\033[K\n" BOLD "  Events" PLAIN "\033[K\n", terminal->to);
    for (size_t i = terminal->n_events > EVENTS_SHOWN ? terminal->n_events - EVENTS_SHOWN : 0;
         i < terminal->n_events; i++)
        fprintf(terminal->to, "    %s\033[K\n", terminal->events[i % EVENTS_SHOWN]);
    fputs("\033[J", terminal->to);
    fflush(terminal->to);
}

static void draw_soon(struct terminal *terminal)
{
    int64_t now_ms = clock_boot_ms();

    if (now_ms - terminal->drawn_ms < DRAW_EVERY_MS)
        return;
    terminal->drawn_ms = now_ms;
    draw(terminal);
}

/* -- lines ---------------------------------------------------------------------------------- */

static void print_device(struct terminal *terminal, uint32_t index)
{
    const struct inventory_device *device = &terminal->inventory->devices[index];
    int64_t now_ms = clock_boot_ms();
    char time[16], value[96];

    if (now_ms - terminal->shown_ms[index] < LINE_EVERY_MS)
        return;
    terminal->shown_ms[index] = now_ms;
    fprintf(terminal->to, "%s  %-7s", time_of_day(now_ms, time), device->name);
    for (uint32_t i = 0; i < device->n_sensors; i++)
        fprintf(terminal->to, " %s %s%s",
                terminal->inventory->sensors[device->first_sensor + i].channel,
                value_text(terminal, &terminal->readings[device->first_sensor + i], value),
                i + 1 < device->n_sensors ? "," : "\n");
    fflush(terminal->to);
}

/* -- the sink ------------------------------------------------------------------------------- */

static void take_inventory(void *sink, struct inventory *inventory)
{
    struct terminal *terminal = sink;

    forget_inventory(terminal);
    terminal->inventory = inventory_hold(inventory);
    terminal->readings = calloc(inventory->n_sensors + 1, sizeof(*terminal->readings));
    terminal->states = calloc(inventory->n_rules + 1, sizeof(*terminal->states));
    terminal->shown_ms = calloc(inventory->n_devices + 1, sizeof(*terminal->shown_ms));
    if (!terminal->readings || !terminal->states || !terminal->shown_ms)
        abort(); /* a screenful of memory is missing: nothing else would work either */
    for (uint32_t i = 0; i < inventory->n_sensors; i++)
        terminal->readings[i] = (struct reading){.sensor = i, .quality = QUALITY_NOT_READ};
    for (uint32_t i = 0; i < inventory->n_devices; i++)
        terminal->shown_ms[i] = -LINE_EVERY_MS;
}

static void take_readings(void *sink, uint32_t device, const struct reading *readings, size_t count)
{
    struct terminal *terminal = sink;

    for (size_t i = 0; i < count; i++)
        terminal->readings[readings[i].sensor] = readings[i];
    if (terminal->live)
        draw_soon(terminal);
    else
        print_device(terminal, device);
}

static void take_instance(void *sink, const struct instance_state *state)
{
    struct terminal *terminal = sink;

    terminal->states[state->instance] = *state;
}

static void take_event(void *sink, const struct event *event)
{
    struct terminal *terminal = sink;
    char *text = terminal->events[terminal->n_events++ % EVENTS_SHOWN];

    if (event->instance < terminal->inventory->n_rules)
        alarm_text(terminal, event, text);
    else
        note_text(event, text);
    if (!terminal->live) {
        fprintf(terminal->to, "%s\n", text);
        fflush(terminal->to);
    }
}

/* Lines of the log would tear the drawing: they go where the events are. */
static void take_log(void *owner, enum log_level level, const char *line)
{
    struct terminal *terminal = owner;
    char time[16];

    (void)level;
    snprintf(terminal->events[terminal->n_events++ % EVENTS_SHOWN], EVENT_SIZE, "%s  %.180s",
             time_of_day(clock_boot_ms(), time), line);
}

const struct sink_calls terminal_sink = {
    .name = "terminal",
    .inventory = take_inventory,
    .readings = take_readings,
    .instance = take_instance,
    .event = take_event,
};
