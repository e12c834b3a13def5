/* Pipeline: the way of a reading, from the samples of a poll to sinks and actions. There is no
 * other way for data. Loop thread only.
 *
 *   pipeline_accept(samples of one poll)
 *     1 plausible_judge   what cannot be true gets a bad quality
 *     2 rules_take        values and windows of the rules; derived sensors are appended
 *     3 registry_update   newest value and quality of every sensor
 *     4 sinks             the readings, copied: broker, terminal
 *     5 rules_judge       -> transitions (states and events, to the sinks) and actions
 *
 * Sinks get the readings before the rules judge them, so that whoever is told of an alarm has
 * already been told of the value behind it. */
#pragma once

#include "adapters/adapters.h"
#include "gateway/core/sink.h"
#include "rules/rules.h"

#include <stddef.h>
#include <stdint.h>

struct loop;
struct site;
struct pipeline;

#define PIPELINE_SINKS_MAX 8

/* NULL when memory is out. */
struct pipeline *pipeline_new(struct loop *loop);
void pipeline_free(struct pipeline *pipeline);

/* The texts of readings, and what rules report to: for site_new(), with the pipeline as owner. */
struct text_table *pipeline_texts(struct pipeline *pipeline);
extern const struct rules_output pipeline_rules_output;

/* Sinks are added before pipeline_use(); `calls` is borrowed for the pipeline's life. 0 or -ENOSPC.
 */
int pipeline_add_sink(struct pipeline *pipeline, const struct sink_calls *calls, void *sink);

/* What pipeline_use() needs for `site` in the place of `before` (NULL: it is the first): memory,
 * and who is called what now. For a large site that takes longer than a poll may wait, so it may be
 * made on any thread. NULL when memory is out. */
struct pipeline_workings;
struct pipeline_workings *pipeline_prepare(const struct site *site, const struct site *before);
void pipeline_workings_free(struct pipeline_workings *workings); /* NULL is legal */

/* Works with `site` from now on (borrowed) and tells the sinks. What it worked with before is left
 * in `workings`, for the caller to free; NULL: they are made and freed here. Called again with
 * another one it takes over the newest values and the lives of all instances that still are; the
 * old site can be freed afterwards. 0, or -ENOMEM: then nothing has changed. */
int pipeline_use(struct pipeline *pipeline, struct site *site, struct pipeline_workings *workings);

/* The newest reading of a sensor of the inventory, good or bad; QUALITY_NOT_READ before the first.
 * Borrowed until the next reading. */
const struct reading *pipeline_newest(const struct pipeline *pipeline, uint32_t sensor);

/* The samples of one poll of device `device` of the inventory: adapters_events.poll. */
void pipeline_accept(void *pipeline, uint32_t device, const struct sample *samples, size_t count);

/* A device came or went: adapters_events.device. */
void pipeline_device(void *pipeline, uint32_t device, uint8_t why, int64_t at_ms);

/* It goes, and perhaps its bus with it: adapters_events.doubt. */
void pipeline_doubt(void *pipeline, uint32_t device);

/* Around pipeline_use() and what is restored: sinks are not told how instances stand until all is
 * as it was. Else an alarm would be told as over, and then as on again, at each start. */
void pipeline_hold(struct pipeline *pipeline);
void pipeline_release(struct pipeline *pipeline);

/* Takes up what an instance was before the restart; after pipeline_use(), before the first poll. */
void pipeline_restore(struct pipeline *pipeline, const char *id, const char *text);

/* Has every instance saved as it stands now, timers included: for a stop. */
void pipeline_save_all(struct pipeline *pipeline);

/* An order of a person to the rules, as rules_order(). */
int pipeline_order(struct pipeline *pipeline, const struct rules_order *order,
                   struct error *reterr);

/* The end of a command, for everyone to know: becomes an event. */
struct pipeline_command_event {
    const char *target, *kind, *argument, *by, *via, *note, *result; /* texts, "" when none */
    bool has_value;
    double value;     /* that was read back */
    const char *text; /* likewise; NULL: it was a number, or nothing */
};
void pipeline_tell_command(struct pipeline *pipeline, const struct pipeline_command_event *command);

/* What happens to the gateway itself, for everyone to know: an event, and with `notify` a message
 * to every notifier but `except`. */
struct pipeline_news {
    uint8_t type, severity; /* enum event_type; enum rule_severity */
    int64_t since_ms;       /* boot time; CLOCK_NEVER */
    const char *rule;       /* id of the instance that it is about; NULL: none */
    const char *words;
    const char *brief;  /* the same for the event, which takes less; NULL: as many as fit */
    const char *result; /* NULL: none */
    bool notify;
    const char *except; /* NULL: none */
};
void pipeline_tell(struct pipeline *pipeline, const struct pipeline_news *news);

/* A person has written to `sensor`: see rules_yield(). */
void pipeline_yield(struct pipeline *pipeline, uint32_t sensor);

/* A thing that rules want written: set before pipeline_use(). `sensor` and value as of the action.
 */
void pipeline_on_write(struct pipeline *pipeline,
                       void (*write)(void *owner, const struct rule_action *action), void *owner);

/* What the gateway knows of itself: "gateway.broker" and so on, which rules read as any other
 * sensor. `disk_free` is a percentage, the others are 0 or 1. That devices and buses are online
 * the pipeline sees by itself. */
enum own_sensor { OWN_BROKER, OWN_CLOCK, OWN_DISK_FREE, OWN_UNDERVOLTAGE, OWN_SENSORS };
void pipeline_own(struct pipeline *pipeline, enum own_sensor which, double number);
void pipeline_bus_load(struct pipeline *pipeline, uint32_t bus, double percent);

/* The wall clock has become known good. */
void pipeline_on_clock(struct pipeline *pipeline);

struct pipeline_counts {
    uint64_t polls, readings, bad; /* accepted; of them without a value */
    uint64_t events;
};
struct pipeline_counts pipeline_counts(const struct pipeline *pipeline);

struct report;
/* The same as rows. */
void pipeline_report(const struct pipeline *pipeline, struct report *report);
