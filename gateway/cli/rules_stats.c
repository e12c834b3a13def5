/* `rules stats`: which rules are noisy, out of the log of events of a gateway that runs. */
#include "gateway/app.h"
#include "gateway/base/text.h"
#include "gateway/cli/remote.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SPAN_STANDARD "30d"
#define RULES_MAX     10000

/* What the log has of one instance. */
struct noise {
    char id[160];
    unsigned fired, cleared, acked;
    double on_ms, unacked_ms; /* of all that were cleared; until all that were acknowledged */
};

struct noises {
    struct noise *list;
    size_t count;
};

static struct noise *noise_of(struct noises *noises, const char *id)
{
    for (size_t i = 0; i < noises->count; i++) {
        if (strcmp(noises->list[i].id, id) == 0)
            return &noises->list[i];
    }
    if (noises->count == RULES_MAX)
        return NULL;
    text_copy(noises->list[noises->count].id, sizeof(noises->list->id), id);
    return &noises->list[noises->count++];
}

static void take_event(struct noises *noises, const struct json_value *event)
{
    char type[32], rule[160];
    double ms = remote_number(event, "at_ms") - remote_number(event, "since_ms");
    struct noise *noise;

    remote_text(event, "type", type, sizeof(type));
    if (json_is_null(json_get(event, "rule")) ||
        !(noise = noise_of(noises, remote_text(event, "rule", rule, sizeof(rule)))))
        return;
    if (strcmp(type, "fired") == 0) {
        noise->fired++;
    } else if (strcmp(type, "cleared") == 0 && isfinite(ms)) {
        noise->cleared++;
        noise->on_ms += ms;
    } else if (strcmp(type, "acked") == 0 && isfinite(ms)) {
        noise->acked++;
        noise->unacked_ms += ms;
    }
}

/* A page of the log, and the row before which the next one begins; NAN: from the newest on, and at
 * the end. An app_exit. */
static int take_page(const struct cli_options *options, struct noises *noises, double *before)
{
    char path[REMOTE_PATH_SIZE] = "/api/v1/events?max=1000", row[40];
    size_t length = strlen(path);
    struct json_value *json = NULL;
    int code;

    text_from_number(row, sizeof(row), *before, 0);
    if (!remote_add_query(path, &length, "from", options->from ? options->from : SPAN_STANDARD) ||
        !remote_add_query(path, &length, "to", options->to) ||
        (!isnan(*before) && !remote_add_query(path, &length, "before", row)))
        return APP_USAGE;
    code = remote_ask(options, path, NULL, &json);
    *before = (double)NAN;
    for (const struct json_value *event = json_first(json_get(json, "events")); event;
         event = json_next(event)) {
        take_event(noises, event);
        *before = remote_number(event, "row");
    }
    if (!remote_is_true(json, "more"))
        *before = (double)NAN;
    json_free(json);
    return code;
}

static int compare(const void *a, const void *b)
{
    const struct noise *x = a, *y = b;

    if (x->fired != y->fired)
        return x->fired > y->fired ? -1 : 1;
    return strcmp(x->id, y->id);
}

/* The mean of `count` times; "-" of none. */
static const char *mean(char *to, size_t size, double ms, unsigned count)
{
    if (count == 0)
        text_copy(to, size, "-");
    else
        text_from_duration(to, size, (int64_t)(ms / count / 1000) * 1000);
    return to;
}

static void print_noises(const struct noises *noises)
{
    char on[40], unacked[40];

    printf("%-8s %-12s %-12s %s\n", "ALARMS", "ON FOR", "ACKED AFTER", "RULE");
    for (size_t i = 0; i < noises->count; i++) {
        const struct noise *noise = &noises->list[i];

        if (noise->fired > 0)
            printf("%-8u %-12s %-12s %s\n", noise->fired,
                   mean(on, sizeof(on), noise->on_ms, noise->cleared),
                   mean(unacked, sizeof(unacked), noise->unacked_ms, noise->acked), noise->id);
    }
}

struct cli_end cli_rules_stats(const struct cli_options *options)
{
    struct noises noises = {.list = calloc(RULES_MAX, sizeof(*noises.list))};
    double before = (double)NAN;
    int code = noises.list ? APP_OK : APP_FAILED;

    if (code == APP_OK)
        code = take_page(options, &noises, &before);
    while (code == APP_OK && !isnan(before))
        code = take_page(options, &noises, &before);
    if (code == APP_OK) {
        qsort(noises.list, noises.count, sizeof(*noises.list), compare);
        print_noises(&noises);
    }
    free(noises.list);
    return (struct cli_end){.code = code};
}
