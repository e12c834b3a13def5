#include "gateway/outage_words.h"

#include "gateway/base/clock.h"
#include "gateway/base/text.h"
#include "gateway/core/inventory.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TAIL_SIZE 24 /* for "Nothing else changed.", or how many more there are */

/* -- what was read -------------------------------------------------------------------------- */

void outage_was(struct outage_sensor *sensor, const struct reading *reading)
{
    bool first = sensor->kind != VALUE_NUMBER;

    if (reading->quality != QUALITY_GOOD)
        return;
    sensor->kind = reading->kind;
    if (reading->kind == VALUE_TEXT) {
        sensor->text = reading->text;
        return;
    }
    sensor->before = reading->number;
    sensor->low = first || reading->number < sensor->low ? reading->number : sensor->low;
    sensor->high = first || reading->number > sensor->high ? reading->number : sensor->high;
}

void outage_is(struct outage_sensor *sensor, const struct reading *reading)
{
    if (reading->quality != QUALITY_GOOD)
        return;
    if (sensor->count++ == 0) {
        sensor->kind_now = reading->kind;
        sensor->after = sensor->newest = reading->number;
    }
    if (reading->kind == VALUE_TEXT) {
        sensor->text_now = reading->text;
        return;
    }
    sensor->rises += reading->number > sensor->newest;
    sensor->falls += reading->number < sensor->newest;
    sensor->newest = reading->number;
}

/* -- what has changed ----------------------------------------------------------------------- */

/* A sensor that has changed, or a device that is not back. */
struct item {
    double weight; /* how much more than noticeable */
    uint32_t index;
    bool missing; /* `index` is a device */
};

static double noticeable(const struct outage_sensor *sensor, const struct inventory_sensor *about)
{
    double place = about->decimals >= 0 ? pow(10, -about->decimals)
                                        : 0.001 * fmax(fabs(sensor->before), fabs(sensor->after));
    double moved = 2 * (sensor->high - sensor->low);

    if (about->kind == SENSOR_BINARY)
        return 0.5;
    return fmax(10 * place, moved);
}

/* More than 1 is a change. */
static double weigh(const struct outage_sensor *sensor, const struct inventory_sensor *about)
{
    if (about->counter || sensor->kind == VALUE_NONE || sensor->kind != sensor->kind_now)
        return 0;
    if (sensor->kind == VALUE_TEXT)
        return sensor->text != sensor->text_now ? 2 : 0;
    if (sensor->after == sensor->before)
        return 0;
    return fabs(sensor->after - sensor->before) / noticeable(sensor, about);
}

static bool is_missing(const struct outage_report *report, const struct inventory_device *device)
{
    bool was = false;

    for (uint32_t i = 0; i < device->n_sensors; i++) {
        const struct outage_sensor *sensor = &report->sensors[device->first_sensor + i];

        if (sensor->count > 0)
            return false;
        was = was || sensor->kind != VALUE_NONE;
    }
    return was;
}

static size_t find_of_device(const struct outage_report *report, uint32_t index, struct item *items)
{
    const struct inventory_device *device = &report->inventory->devices[index];
    size_t n = 0;

    if (device->bus == INVENTORY_NO_BUS)
        return 0;
    if (is_missing(report, device)) {
        items[0] = (struct item){.weight = (double)INFINITY, .index = index, .missing = true};
        return 1;
    }
    for (uint32_t i = device->first_sensor; i < device->first_sensor + device->n_sensors; i++) {
        double weight = weigh(&report->sensors[i], &report->inventory->sensors[i]);

        if (weight > 1)
            items[n++] = (struct item){.weight = weight, .index = i};
    }
    return n;
}

static int compare_items(const void *a, const void *b)
{
    const struct item *left = a, *right = b;

    if (left->weight != right->weight)
        return left->weight > right->weight ? -1 : 1;
    return left->index < right->index ? -1 : left->index > right->index;
}

/* -- words ---------------------------------------------------------------------------------- */

static const char *format_time(char text[CLOCK_TEXT_SIZE], int64_t boot_ms)
{
    clock_text_short(boot_ms, text);
    return text + strspn(text, " ");
}

/* A channel that is alone is what its device is. */
static void name_sensor(const struct inventory *inventory, const struct inventory_sensor *sensor,
                        char *text, size_t size, size_t *length)
{
    const struct inventory_device *device = &inventory->devices[sensor->device];

    text_append(text, size, length, "%s", device->label);
    if (device->n_sensors > 1)
        text_append(text, size, length, " %s", sensor->label);
}

static const char *direction(const struct outage_sensor *sensor)
{
    unsigned moves = sensor->rises + sensor->falls;

    if (sensor->count < OUTAGE_READINGS)
        return ""; /* nobody knows yet */
    if (sensor->rises >= 2 && 5 * sensor->rises >= 4 * moves)
        return ", now rising";
    if (sensor->falls >= 2 && 5 * sensor->falls >= 4 * moves)
        return ", now falling";
    return ", now steady";
}

static void describe_number(const struct outage_sensor *sensor,
                            const struct inventory_sensor *about, char *text, size_t size)
{
    char before[32], after[32];
    size_t length = 0;

    text_from_number(before, sizeof(before), sensor->before, about->decimals);
    text_from_number(after, sizeof(after), sensor->after, about->decimals);
    text_append(text, size, &length, "%s to %s%s%s%s", before, after, about->unit[0] ? " " : "",
                about->unit, about->kind == SENSOR_BINARY ? "" : direction(sensor));
}

/* " Freezer -18.2 to -11.4 °C, now falling." */
static void describe(const struct outage_report *report, const struct item *item, char *text,
                     size_t size)
{
    const struct inventory *inventory = report->inventory;
    const struct outage_sensor *sensor = &report->sensors[item->index];
    char change[160] = "does not answer";
    size_t length = 0;

    text_append(text, size, &length, " ");
    if (item->missing) {
        text_append(text, size, &length, "%s", inventory->devices[item->index].label);
    } else {
        name_sensor(inventory, &inventory->sensors[item->index], text, size, &length);
        if (sensor->kind == VALUE_NUMBER)
            describe_number(sensor, &inventory->sensors[item->index], change, sizeof(change));
        else
            snprintf(change, sizeof(change), "\"%s\" to \"%s\"",
                     text_table_get(inventory->texts, sensor->text),
                     text_table_get(inventory->texts, sensor->text_now));
    }
    text_append(text, size, &length, " %s.", change);
}

static void put_head(const struct outage_report *report, char *text, size_t size, size_t *length)
{
    char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];
    bool known = report->from_ms <= report->to_ms; /* else a clock was wrong */

    text_append(text, size, length, "Power was out %s%s %s.",
                known ? format_time(from, report->from_ms) : "", known ? " to" : "until",
                format_time(to, report->to_ms));
}

static void put_tail(size_t left, bool named, char *text, size_t size, size_t *length)
{
    if (left == 0)
        text_append(text, size, length, " Nothing%s changed.", named ? " else" : "");
    else
        text_append(text, size, length, " %zu %s changed.", left,
                    named       ? "more"
                    : left == 1 ? "value"
                                : "values");
}

static void compose(const struct outage_report *report, const struct item *items, size_t n,
                    char *text, size_t size)
{
    size_t length = 0, i;
    char one[300];

    put_head(report, text, size, &length);
    for (i = 0; i < n; i++) {
        describe(report, &items[i], one, sizeof(one));
        if (length + strlen(one) + TAIL_SIZE > size)
            break;
        text_append(text, size, &length, "%s", one);
    }
    put_tail(n - i, i > 0, text, size, &length);
}

int outage_words(const struct outage_report *report, char *text, size_t size)
{
    const struct inventory *inventory = report->inventory;
    size_t room = (size_t)inventory->n_sensors + inventory->n_devices, n = 0;
    struct item *items = calloc(room + 1, sizeof(*items));

    text[0] = '\0';
    if (!items)
        return -ENOMEM;
    for (uint32_t i = 0; i < inventory->n_devices; i++)
        n += find_of_device(report, i, &items[n]);
    qsort(items, n, sizeof(*items), compare_items);
    compose(report, items, n, text, size);
    free(items);
    return 0;
}
