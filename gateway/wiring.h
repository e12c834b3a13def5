/* Wiring: what the rooms tell each other - they do not know each other, so all of it goes through
 * here. Every `owner` is the struct app. Loop thread only. */
#pragma once

#include "adapters/adapters.h"
#include "gateway/notify/notify.h"
#include "gateway/pulse.h"
#include "gateway/store/store.h"

struct report;
struct rule_action;

extern const struct adapters_events wiring_adapters;
extern const struct store_calls wiring_store;
extern const struct notify_calls wiring_notify;
extern const struct pulse_part wiring_parts[]; /* that have threads of their own */

/* For pipeline_on_write(): a rule wants something written, which goes the way of every command. */
void wiring_write(void *owner, const struct rule_action *action);

/* For mqtt_on_delivered(). */
void wiring_delivered(void *owner, int64_t row);

/* For store_state_each(): an instance as it was saved. */
void wiring_restore(void *owner, const struct store_state *state);

/* For the web: as notify_test(). */
int wiring_test_notifier(void *owner, const char *name,
                         void (*done)(void *asker, const char *name, bool ok, const char *words),
                         void *asker);

/* For the web: as adapters_ask(). */
struct web_question;
int wiring_ask(void *owner, const struct web_question *question,
               void (*done)(void *asker, const char *quality, const uint8_t *bytes, size_t count),
               void *asker, const char **ret_bus);

/* For the web: what an instance of a rule waits for, part by part. */
const struct reading *wiring_newest(void *owner, uint32_t sensor);
void wiring_explain(void *owner, uint32_t instance,
                    void (*part)(void *to, const char *what, const char *value), void *to);

/* For the web: how the requests on a bus, or to a device, went. */
void wiring_bus_traffic(void *owner, const char *bus,
                        void (*count)(void *to, const char *name, double value), void *to);
void wiring_device_traffic(void *owner, uint32_t device,
                           void (*count)(void *to, const char *name, double value), void *to);

/* What all rooms know of themselves. */
void wiring_report(void *owner, struct report *report);
