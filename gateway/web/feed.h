/* Feed: live values as Server-Sent Events. Private to the room.
 *
 * Each subscriber has a buffer of FEED_BUFFER bytes; behind it is what the kernel takes. When
 * both are full he is cut off and counted: he can come again, and nobody else waits for him. */
#pragma once

#include "gateway/web/inside.h"

#define FEED_BUFFER 4096

/* To all who want it. Never from inside a handler. */
void feed_reading(struct web *web, const struct reading *reading);
void feed_rule(struct web *web, const struct instance_state *state);
void feed_event(struct web *web, const struct event *event);

/* A line that says nothing, now and then, so that proxies stay and the dead are found. */
void feed_keep_alive(struct web *web, int64_t now_ms);

/* Ends all of them. */
void feed_end_all(struct web *web);
