/* Roll: what a site has, device by device, as a few lines of text: what is announced of it, or
 * which topics keep a message of it. Two of them are compared to find what is gone. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct plan;

#define ROLL_GATEWAY "gateway" /* among the devices: our own */

struct roll_entry {
    char device[64]; /* slug */
    char *lines;     /* each ends with a newline; NULL: there are none */
    size_t length;
    bool lost; /* memory was out: nobody knows them */
    bool seen; /* for who compares: it is still there */
};

struct roll {
    struct roll_entry *entries;
    size_t count;
};

/* An entry without lines for each device of the plan, and behind them for the gateway. 0 or
 * -ENOMEM (then it is empty). */
int roll_start(struct roll *roll, const struct plan *plan);
void roll_release(struct roll *roll);

/* "first second" as one more line. 0 or -ENOMEM. */
int roll_add(struct roll_entry *entry, const char *first, const char *second);

/* One more entry, as it was once. Copies; without memory there is none. */
void roll_restore(struct roll *roll, const char *device, const char *lines, size_t length);

/* By device, which roll_find() needs. */
void roll_sort(struct roll *roll);
struct roll_entry *roll_find(const struct roll *roll, const char *device);

/* Whether `line` is one of them; it ends with its newline. */
bool roll_has(const struct roll_entry *entry, const char *line);

/* The lines of all devices that have `word` in them, to look one up among thousands. They are
 * borrowed from the roll. */
struct roll_index {
    const char **lines;
    size_t count;
};
int roll_index_new(struct roll_index *index, const struct roll *roll, const char *word);
void roll_index_release(struct roll_index *index);
bool roll_index_has(const struct roll_index *index, const char *line);
