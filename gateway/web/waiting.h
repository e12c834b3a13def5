/* Waiting: answers that others owe - the store, commands. Each comes exactly once, maybe long after
 * the one who asked has gone; this is where it finds out. Private to the room. */
#pragma once

#include "gateway/web/inside.h"

struct waiting;

/* For `owner`, which is told by `give_up` when WEB_ANSWER_MS have passed or the web closes, and
 * then is its owner no more. Give the result to the one who will answer. NULL when memory is out.
 */
struct waiting *waiting_new(struct web *web, void *owner, void (*give_up)(void *owner));

/* The owner has gone. NULL is legal. */
void waiting_forget(struct waiting *waiting);

/* The answer has come, or will not come: frees it and returns the owner, NULL when there is none.
 */
void *waiting_end(struct waiting *waiting);

/* Gives up what should have come by `now_ms`; CLOCK_NEVER: everything. */
void waiting_sweep(struct web *web, int64_t now_ms);

/* Frees all that never came. */
void waiting_free_all(struct web *web);
