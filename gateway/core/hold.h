/* Hold: what rules want written, until it is so. Private to the room; command.c does the writing.
 * Loop thread only.
 *
 * A one-time write is tried again, with growing pauses, as long as the state lasts for which it was
 * wanted. A held one is written anew when another value is read, and when its device is back. Of
 * each channel only the newest is wanted; a person's write ends it. */
#pragma once

#include "gateway/base/reading.h"
#include "gateway/core/command.h"

struct holds;
struct inventory;
struct instance_state;
struct rule_action;

/* `submit` takes a command as command_submit() does. NULL when memory is out. */
struct holds *holds_new(struct loop *loop, int (*submit)(void *owner, const struct command *),
                        void *owner);
void holds_free(struct holds *holds);

/* One-time writes go over to the new inventory (borrowed until the next call); what is held the
 * rules say again. */
void holds_use(struct holds *holds, const struct inventory *inventory);

/* An ACTION_WRITE of a rule. 0; -ENOENT when there is no such sensor; -ENOMEM. */
int holds_put(struct holds *holds, const struct rule_action *action);

/* Nobody wants `sensor` written any more; whether it was held. */
bool holds_drop(struct holds *holds, uint32_t sensor);

/* What may end a state, bring another value, or bring a device back. */
void holds_on_instance(struct holds *holds, const struct instance_state *state);
void holds_on_readings(struct holds *holds, const struct reading *readings, size_t count);
void holds_on_device(struct holds *holds, uint32_t device);
