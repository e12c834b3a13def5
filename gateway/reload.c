#include "gateway/reload.h"

#include "config/config.h"
#include "gateway/base/loop.h"
#include "gateway/core/found.h"
#include "gateway/core/pipeline.h"
#include "gateway/core/site.h"
#include "gateway/load.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

struct reload {
    const struct app_options *options;
    struct site_context context;
    struct found *found; /* a copy, since adapters go on finding */
    struct reloaded reloaded;
    void (*done)(void *owner, struct reloaded *reloaded);
    void *owner;
};

static void work(void *owner)
{
    struct reload *reload = owner;

    struct reloaded *reloaded = &reload->reloaded;

    if (reloaded->again)
        reloaded->result = load_again(reloaded->conf, &reload->context, &reloaded->site, stderr);
    else
        reloaded->result =
            load(reload->options, &reload->context, &reloaded->conf, &reloaded->site, stderr);
    if (reloaded->result < 0)
        return;
    reloaded->workings = pipeline_prepare(reloaded->site, reload->context.before);
    if (!reloaded->workings)
        reloaded->result = -ENOMEM;
}

static void end(void *owner)
{
    struct reload *reload = owner;

    reload->done(reload->owner, &reload->reloaded);
    found_free(reload->found);
    free(reload);
}

int reload_start(struct loop *loop, const struct app_options *options, struct conf *conf,
                 const struct site_context *context,
                 void (*done)(void *owner, struct reloaded *reloaded), void *owner)
{
    struct reload *reload = calloc(1, sizeof(*reload));
    int r;

    if (!reload)
        return -ENOMEM;
    *reload =
        (struct reload){.options = options, .context = *context, .done = done, .owner = owner};
    reload->reloaded = (struct reloaded){.again = conf != NULL, .conf = conf};
    if (context->found)
        reload->context.found = reload->found = found_copy(context->found);
    r = context->found && !reload->found ? -ENOMEM : loop_work(loop, work, end, reload);
    if (r < 0) {
        found_free(reload->found);
        free(reload);
    }
    return r;
}

/* -- what is left over ---------------------------------------------------------------------- */

static void free_all(const struct reload_rest *rest)
{
    conf_free(rest->conf);
    conf_free(rest->older);
    site_free(rest->site);
    pipeline_workings_free(rest->workings);
}

static void free_rest(void *owner)
{
    free_all(owner);
    malloc_trim(0);
}

void reload_dispose(struct loop *loop, const struct reload_rest *rest)
{
    struct reload_rest *copy = malloc(sizeof(*copy));

    if (copy) {
        *copy = *rest;
        if (loop_work(loop, free_rest, free, copy) == 0)
            return;
        free(copy);
    }
    free_all(rest);
}
