/* Site: all that a config describes, checked and built, ready to be run: the inventory, the buses
 * for the adapters, the rules. Made whole from sections or not at all; opens nothing. May be made
 * on any thread, so that a reload costs the loop nothing. */
#pragma once

#include "gateway/base/arena.h"
#include "gateway/base/problem.h"
#include "gateway/base/setting.h"
#include "gateway/base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct adapters_bus;
struct found;
struct inventory;
struct rules;
struct rules_output;
struct section;
struct text_table;

/* What the gateway of this config is called, in topics and in unique ids; by default as the host.
 * Also of a config that is wrong elsewhere. */
struct site_names {
    char name[TEXT_SLUG_MAX + 1], id[TEXT_SLUG_MAX + 1];
};
void site_names(const struct section *root, struct site_names *ret_names);

struct site {
    struct inventory *inventory;
    struct adapters_bus *buses;
    size_t n_buses;
    struct rules *rules;
    struct arena channels; /* what adapters are told of them when they are opened */
    bool discovers;        /* one of its buses looks for devices: keep what `root` was made of */
};

/* What rules report to, and the texts of readings; outlives the site. */
struct site_context {
    const struct rules_output *output;
    void *owner;
    const struct text_table *texts;
    const struct found *found;    /* devices that adapters have found; may be NULL */
    const struct site *before;    /* in whose place it will be; may be NULL */
    int64_t grid_ms;              /* of polls: see struct adapters_bus */
    const struct section *probes; /* as of struct rules_config: for tests of rules; may be NULL */
    /* Changes what the site is made of, for rehearsals; -EINVAL with `problems`. May be NULL. */
    int (*change)(void *owner, struct section *root, struct problems *problems);
};

/* Builds what stands under `gateway`, `defaults`, `buses`, `devices` and `rules` of `root`, which
 * was checked against tables that leave buses and devices open. Only the adapters still read
 * `root`, and only until adapters_open() is through; what was
 * found meanwhile makes another site of the same `root`. All that is wrong goes to `problems`. 0,
 * -EINVAL when there were errors, -ENOMEM. */
int site_new(struct section *root, const struct site_context *context, struct problems *problems,
             struct site **ret_site);
void site_free(struct site *site);

/* The adapters of its buses are open: what only they wanted to know is no longer needed. */
void site_opened(struct site *site);
