#include "gateway/mqtt/todo.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void todo_release(struct todo *todo)
{
    free(todo->ring);
    free(todo->waits);
    memset(todo, 0, sizeof(*todo));
}

int todo_resize(struct todo *todo, uint32_t n)
{
    todo_release(todo);
    todo->ring = calloc((size_t)n + 1, sizeof(*todo->ring));
    todo->waits = calloc((size_t)n + 1, sizeof(*todo->waits));
    if (!todo->ring || !todo->waits) {
        todo_release(todo);
        return -ENOMEM;
    }
    todo->capacity = n;
    return 0;
}

void todo_add(struct todo *todo, uint32_t thing)
{
    if (thing >= todo->capacity || todo->waits[thing])
        return;
    todo->ring[(todo->head + todo->length++) % todo->capacity] = thing;
    todo->waits[thing] = true;
}

void todo_add_all(struct todo *todo)
{
    for (uint32_t thing = 0; thing < todo->capacity; thing++)
        todo_add(todo, thing);
}

void todo_clear(struct todo *todo)
{
    while (todo->length > 0)
        todo_done(todo);
}

bool todo_next(const struct todo *todo, uint32_t *ret_thing)
{
    if (todo->length == 0)
        return false;
    *ret_thing = todo->ring[todo->head];
    return true;
}

void todo_done(struct todo *todo)
{
    todo->waits[todo->ring[todo->head]] = false;
    todo->head = (todo->head + 1) % todo->capacity;
    todo->length--;
}
