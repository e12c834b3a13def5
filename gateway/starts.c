#include "gateway/starts.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT_MAX 1000

struct starts {
    char path[PATH_MAX];
    unsigned crashes;
    struct timer *timer;
};

/* What is no count counts as none: a start must not fail on it. */
static unsigned read_count(const char *path)
{
    FILE *file = fopen(path, "re");
    unsigned count = 0;

    if (!file)
        return 0;
    if (fscanf(file, "%4u", &count) != 1 || count > COUNT_MAX)
        count = 0;
    fclose(file);
    return count;
}

static void write_count(const char *path, unsigned count)
{
    FILE *file = fopen(path, "we");
    int r = file ? 0 : -errno;

    if (file) {
        fprintf(file, "%u\n", count);
        if (fclose(file) != 0)
            r = -errno;
    }
    if (r < 0)
        log_warn("%s: %s: crashes are not counted", path, strerror(-r));
}

static void forget(void *owner)
{
    struct starts *starts = owner;

    unlink(starts->path);
}

struct starts *starts_begin(struct loop *loop, const char *folder, int64_t long_ms)
{
    struct starts *starts = folder ? calloc(1, sizeof(*starts)) : NULL;

    if (!starts)
        return NULL;
    starts->timer = timer_new(loop, forget, starts);
    if (!starts->timer) {
        free(starts);
        return NULL;
    }
    /* systemd lists several folders with colons between; the first one is ours. */
    snprintf(starts->path, sizeof(starts->path), "%.*s/starts", (int)strcspn(folder, ":"), folder);
    starts->crashes = read_count(starts->path);
    write_count(starts->path, starts->crashes + 1);
    timer_at(starts->timer, clock_boot_ms() + long_ms);
    return starts;
}

bool starts_keep_crashing(const struct starts *starts)
{
    return starts && starts->crashes >= STARTS_CRASHES;
}

void starts_end(struct starts *starts)
{
    if (!starts)
        return;
    forget(starts);
    timer_free(starts->timer);
    free(starts);
}
