#include "gateway/reload.h"

#include "gateway/base/loop.h"
#include "gateway/core/site.h"
#include "gateway/load.h"

#include <errno.h>
#include <stdlib.h>

struct reload {
    const struct app_options *options;
    struct site_context context;
    struct reloaded reloaded;
    void (*done)(void *owner, struct reloaded *reloaded);
    void *owner;
};

static void work(void *owner)
{
    struct reload *reload = owner;

    reload->reloaded.result = load(reload->options, &reload->context, &reload->reloaded.conf,
                                   &reload->reloaded.site, stderr);
}

static void end(void *owner)
{
    struct reload *reload = owner;

    reload->done(reload->owner, &reload->reloaded);
    free(reload);
}

int reload_start(struct loop *loop, const struct app_options *options,
                 const struct site_context *context,
                 void (*done)(void *owner, struct reloaded *reloaded), void *owner)
{
    struct reload *reload = calloc(1, sizeof(*reload));
    int r;

    if (!reload)
        return -ENOMEM;
    *reload =
        (struct reload){.options = options, .context = *context, .done = done, .owner = owner};
    r = loop_work(loop, work, end, reload);
    if (r < 0)
        free(reload);
    return r;
}
