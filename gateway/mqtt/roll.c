#include "gateway/mqtt/roll.h"

#include "gateway/base/text.h"
#include "gateway/core/inventory.h"
#include "gateway/mqtt/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int roll_start(struct roll *roll, const struct plan *plan)
{
    const struct inventory *inventory = plan->inventory;

    *roll =
        (struct roll){.entries = calloc((size_t)inventory->n_devices + 1, sizeof(*roll->entries))};
    if (!roll->entries)
        return -ENOMEM;
    roll->count = (size_t)inventory->n_devices + 1;
    for (uint32_t d = 0; d < inventory->n_devices; d++)
        text_copy(roll->entries[d].device, sizeof(roll->entries[d].device),
                  inventory_device_identity(&inventory->devices[d]));
    text_copy(roll->entries[inventory->n_devices].device, sizeof(roll->entries[0].device),
              ROLL_GATEWAY);
    return 0;
}

void roll_release(struct roll *roll)
{
    for (size_t i = 0; i < roll->count; i++)
        free(roll->entries[i].lines);
    free(roll->entries);
    *roll = (struct roll){0};
}

int roll_add(struct roll_entry *entry, const char *first, const char *second)
{
    size_t more = strlen(first) + strlen(second) + 2;
    char *longer = entry->lost ? NULL : realloc(entry->lines, entry->length + more + 1);

    if (!longer) {
        entry->lost = true;
        return -ENOMEM;
    }
    entry->lines = longer;
    entry->length += (size_t)snprintf(longer + entry->length, more + 1, "%s %s\n", first, second);
    return 0;
}

void roll_restore(struct roll *roll, const char *device, const char *lines, size_t length)
{
    struct roll_entry *longer = realloc(roll->entries, (roll->count + 1) * sizeof(*roll->entries));
    char *copy = longer ? strndup(lines, length) : NULL;

    if (longer)
        roll->entries = longer;
    if (!copy)
        return;
    longer[roll->count] = (struct roll_entry){.lines = copy, .length = strlen(copy)};
    text_copy(longer[roll->count++].device, sizeof(longer->device), device);
}

static int compare_device(const void *a, const void *b)
{
    return strcmp(((const struct roll_entry *)a)->device, ((const struct roll_entry *)b)->device);
}

void roll_sort(struct roll *roll)
{
    if (roll->count > 0)
        qsort(roll->entries, roll->count, sizeof(*roll->entries), compare_device);
}

struct roll_entry *roll_find(const struct roll *roll, const char *device)
{
    struct roll_entry key = {.lines = NULL};

    text_copy(key.device, sizeof(key.device), device);
    return roll->count > 0 ? bsearch(&key, roll->entries, roll->count, sizeof(key), compare_device)
                           : NULL;
}

/* Up to their newlines. */
static int compare_text(const char *a, const char *b)
{
    while (*a == *b && *a && *a != '\n') {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

bool roll_has(const struct roll_entry *entry, const char *line)
{
    for (const char *at = entry->lines; at && *at; at = strchr(at, '\n') + 1) {
        if (compare_text(at, line) == 0)
            return true;
    }
    return false;
}

/* -- of all devices --------------------------------------------------------------------------- */

static int compare_lines(const void *a, const void *b)
{
    return compare_text(*(const char *const *)a, *(const char *const *)b);
}

/* Two passes: without room it only counts. */
static size_t find_lines(const struct roll *roll, const char *word, const char **lines)
{
    size_t n = 0;

    for (size_t i = 0; i < roll->count; i++) {
        const char *at = roll->entries[i].lines;

        for (; at && *at; at = strchr(at, '\n') + 1) {
            if (!memmem(at, strcspn(at, "\n"), word, strlen(word)))
                continue;
            if (lines)
                lines[n] = at;
            n++;
        }
    }
    return n;
}

int roll_index_new(struct roll_index *index, const struct roll *roll, const char *word)
{
    size_t n = find_lines(roll, word, NULL);

    *index = (struct roll_index){.lines = calloc(n + 1, sizeof(*index->lines))};
    if (!index->lines)
        return -ENOMEM;
    index->count = find_lines(roll, word, index->lines);
    qsort(index->lines, n, sizeof(*index->lines), compare_lines);
    return 0;
}

void roll_index_release(struct roll_index *index)
{
    free(index->lines);
    *index = (struct roll_index){0};
}

bool roll_index_has(const struct roll_index *index, const char *line)
{
    return index->count > 0 &&
           bsearch(&line, index->lines, index->count, sizeof(*index->lines), compare_lines) != NULL;
}
