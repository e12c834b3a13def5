/* Notifier: one named way to tell people: its options, what waits for it, and the text that is on
 * its way. Loop thread only. */
#pragma once

#include "gateway/notify/carrier.h"
#include "gateway/notify/notify.h"
#include "gateway/notify/postbox.h"

struct loop;

/* Options that all types have. */
extern const struct setting notifier_settings[];

/* One group of `notifiers`. */
void notifier_check(struct section *section, struct problems *problems);

/* What a notifier is made of, read from its checked section. */
struct notifier_plan {
    char name[64];
    const struct carrier *carrier;
    void *state; /* of the carrier */
    struct postbox_options options;
};

/* 0, or -Exxx with `reterr`. The end of a plan that no notifier took. */
int notifier_plan_read(const struct section *section, struct notifier_plan *plan,
                       struct error *reterr);
void notifier_plan_end(struct notifier_plan *plan);

struct notifier;

/* Takes the plan. NULL when memory is out: then it does not. */
struct notifier *notifier_new(struct loop *loop, struct http_client *http, struct mail_client *mail,
                              const struct notifier_plan *plan, const struct notify_calls *calls,
                              void *owner);
void notifier_free(struct notifier *notifier);

/* Takes another plan of the same name; what waits stays. */
void notifier_use(struct notifier *notifier, const struct notifier_plan *plan);

const char *notifier_name(const struct notifier *notifier);
bool notifier_wants(const struct notifier *notifier, uint8_t severity);
int notifier_send(struct notifier *notifier, const struct notify_message *message);
int notifier_test(struct notifier *notifier,
                  void (*done)(void *owner, const char *name, bool ok, const char *words),
                  void *owner);
void notifier_drop_all(struct notifier *notifier, const char *why);
void notifier_status(const struct notifier *notifier, struct notify_status *ret_status);
