/* Todo: which of n things must still be published, each once, oldest first. One thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct todo {
    uint32_t *ring;
    bool *waits; /* by thing */
    uint32_t head, length, capacity;
};

/* Makes room for things 0 to n - 1 and forgets what waited. 0 or -ENOMEM (then it has no room). */
int todo_resize(struct todo *todo, uint32_t n);
void todo_release(struct todo *todo);

/* Nothing happens when it waits already, or is none. */
void todo_add(struct todo *todo, uint32_t thing);
void todo_add_all(struct todo *todo);
void todo_clear(struct todo *todo);

/* The next one, which stays until todo_done(); false when nothing waits. */
bool todo_next(const struct todo *todo, uint32_t *ret_thing);
void todo_done(struct todo *todo);
