#include "gateway/notify/notify.h"

#include "gateway/base/clock.h"
#include "gateway/base/process.h"
#include "gateway/base/report.h"
#include "gateway/notify/hook.h"
#include "gateway/notify/notifier.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOOK_WORDS_SIZE 500

struct notify {
    struct loop *loop;
    struct http_client *http;
    struct mail_client *mail;
    struct processes *processes;
    struct notifier **notifiers;
    size_t n_notifiers;
    struct hook *hooks;
    size_t n_hooks;
    struct run *runs;
    const struct notify_calls *calls;
    void *owner;
};

/* All of the config, read before anything of it is used. */
struct plans {
    struct notifier_plan *notifiers;
    size_t n_notifiers;
    struct hook *hooks;
    size_t n_hooks;
};

/* A hook that runs; it may be gone from the config when it ends. */
struct run {
    struct notify *notify;
    struct run *next;
    char name[64];
};

/* -- config --------------------------------------------------------------------------------- */

static size_t count_keys(const struct section *section)
{
    size_t count = 0;

    while (section && section_key(section, count))
        count++;
    return count;
}

size_t notify_check(struct section *notifiers, const struct section *hooks,
                    struct problems *problems)
{
    size_t before = problems_errors(problems);

    for (size_t i = 0; i < count_keys(notifiers); i++) {
        struct section *section = section_child(notifiers, section_key(notifiers, i));

        if (section)
            notifier_check(section, problems);
    }
    for (size_t i = 0; i < count_keys(hooks); i++) {
        const struct section *section = section_child(hooks, section_key(hooks, i));

        if (section)
            hook_check(section, problems);
    }
    return problems_errors(problems) - before;
}

static void plans_end(struct plans *plans)
{
    for (size_t i = 0; i < plans->n_notifiers; i++)
        notifier_plan_end(&plans->notifiers[i]);
    for (size_t i = 0; i < plans->n_hooks; i++)
        hook_end(&plans->hooks[i]);
    free(plans->notifiers);
    free(plans->hooks);
}

static int read_notifiers(struct plans *plans, const struct section *notifiers,
                          struct error *reterr)
{
    size_t count = count_keys(notifiers);

    plans->notifiers = calloc(count + 1, sizeof(*plans->notifiers));
    if (!plans->notifiers)
        return error_set(reterr, -ENOMEM, "notify: out of memory");
    for (size_t i = 0; i < count; i++) {
        int r = notifier_plan_read(section_child(notifiers, section_key(notifiers, i)),
                                   &plans->notifiers[i], reterr);

        if (r < 0)
            return r;
        plans->n_notifiers++;
    }
    return 0;
}

static int read_hooks(struct plans *plans, const struct section *hooks, struct error *reterr)
{
    size_t count = count_keys(hooks);

    plans->hooks = calloc(count + 1, sizeof(*plans->hooks));
    for (size_t i = 0; plans->hooks && i < count; i++) {
        if (hook_read(section_child(hooks, section_key(hooks, i)), &plans->hooks[i]) < 0)
            return error_set(reterr, -ENOMEM, "notify: out of memory");
        plans->n_hooks++;
    }
    return plans->hooks ? 0 : error_set(reterr, -ENOMEM, "notify: out of memory");
}

static int plans_read(struct plans *plans, const struct section *notifiers,
                      const struct section *hooks, struct error *reterr)
{
    int r = read_notifiers(plans, notifiers, reterr);

    if (r == 0)
        r = read_hooks(plans, hooks, reterr);
    if (r < 0)
        plans_end(plans);
    return r;
}

/* -- taking plans --------------------------------------------------------------------------- */

static struct notifier *find(const struct notify *notify, const char *name)
{
    for (size_t i = 0; i < notify->n_notifiers; i++)
        if (strcmp(notifier_name(notify->notifiers[i]), name) == 0)
            return notify->notifiers[i];
    return NULL;
}

static bool is_planned(const struct plans *plans, const char *name)
{
    for (size_t i = 0; i < plans->n_notifiers; i++)
        if (strcmp(plans->notifiers[i].name, name) == 0)
            return true;
    return false;
}

/* The new ones of `plans` into `more`; all or none. */
static int make_new(struct notify *notify, struct plans *plans, struct notifier **more)
{
    for (size_t i = 0; i < plans->n_notifiers; i++) {
        if (find(notify, plans->notifiers[i].name))
            continue;
        more[i] = notifier_new(notify->loop, notify->http, notify->mail, &plans->notifiers[i],
                               notify->calls, notify->owner);
        if (!more[i])
            return -ENOMEM;
        plans->notifiers[i].state = NULL; /* it has it now */
    }
    return 0;
}

static void use_hooks(struct notify *notify, struct plans *plans)
{
    for (size_t i = 0; i < notify->n_hooks; i++)
        hook_end(&notify->hooks[i]);
    free(notify->hooks);
    notify->hooks = plans->hooks;
    notify->n_hooks = plans->n_hooks;
    plans->hooks = NULL;
    plans->n_hooks = 0;
}

/* From here on nothing can fail. */
static void use_notifiers(struct notify *notify, struct plans *plans, struct notifier **more)
{
    struct notifier **old = notify->notifiers;
    size_t n_old = notify->n_notifiers;

    for (size_t i = 0; i < plans->n_notifiers; i++) {
        if (more[i])
            continue;
        more[i] = find(notify, plans->notifiers[i].name);
        notifier_use(more[i], &plans->notifiers[i]);
        plans->notifiers[i].state = NULL;
    }
    notify->notifiers = more;
    notify->n_notifiers = plans->n_notifiers;
    for (size_t i = 0; i < n_old; i++) {
        if (is_planned(plans, notifier_name(old[i])))
            continue;
        notifier_drop_all(old[i], "there is no such notifier any more");
        notifier_free(old[i]);
    }
    free(old);
}

int notify_reload(struct notify *notify, const struct section *notifiers,
                  const struct section *hooks, struct error *reterr)
{
    struct plans plans = {0};
    struct notifier **more;
    int r = plans_read(&plans, notifiers, hooks, reterr);

    if (r < 0)
        return r;
    more = calloc(plans.n_notifiers + 1, sizeof(struct notifier *));
    if (!more || make_new(notify, &plans, more) < 0) {
        for (size_t i = 0; more && i < plans.n_notifiers; i++)
            notifier_free(more[i]);
        free(more);
        plans_end(&plans);
        return error_set(reterr, -ENOMEM, "notify: out of memory");
    }
    use_notifiers(notify, &plans, more);
    use_hooks(notify, &plans);
    plans_end(&plans);
    return 0;
}

/* -- hooks that run -------------------------------------------------------------------------- */

static void run_end(struct run *run)
{
    struct run **link = &run->notify->runs;

    while (*link != run)
        link = &(*link)->next;
    *link = run->next;
    free(run);
}

static struct run *run_new(struct notify *notify, const struct hook *hook)
{
    struct run *run = calloc(1, sizeof(*run));

    if (!run)
        return NULL;
    run->notify = notify;
    memcpy(run->name, hook->name, sizeof(run->name));
    run->next = notify->runs;
    notify->runs = run;
    return run;
}

/* -- life ----------------------------------------------------------------------------------- */

int notify_start(struct loop *loop, const struct section *notifiers, const struct section *hooks,
                 const struct notify_calls *calls, void *owner, struct notify **ret_notify,
                 struct error *reterr)
{
    struct notify *notify = calloc(1, sizeof(*notify));
    int r;

    if (!notify)
        return error_set(reterr, -ENOMEM, "notify: out of memory");
    *notify = (struct notify){.loop = loop,
                              .calls = calls,
                              .owner = owner,
                              .http = http_client_new(loop),
                              .mail = mail_client_new(loop),
                              .processes = processes_new(loop)};
    if (notify->http && notify->mail && notify->processes)
        r = notify_reload(notify, notifiers, hooks, reterr);
    else
        r = error_set(reterr, -ENOMEM, "notify: out of memory");
    if (r < 0) {
        notify_stop(notify);
        return r;
    }
    *ret_notify = notify;
    return 0;
}

void notify_stop(struct notify *notify)
{
    if (!notify)
        return;
    for (size_t i = 0; i < notify->n_notifiers; i++)
        notifier_free(notify->notifiers[i]);
    for (size_t i = 0; i < notify->n_hooks; i++)
        hook_end(&notify->hooks[i]);
    free(notify->notifiers);
    free(notify->hooks);
    processes_free(notify->processes);
    while (notify->runs)
        run_end(notify->runs);
    mail_client_free(notify->mail);
    http_client_free(notify->http);
    free(notify);
}

/* -- use ------------------------------------------------------------------------------------ */

bool notify_wants(const struct notify *notify, const char *name, uint8_t severity)
{
    const struct notifier *notifier = find(notify, name);

    return notifier && notifier_wants(notifier, severity);
}

int notify_send(struct notify *notify, const char *name, const struct notify_message *message)
{
    struct notifier *notifier = find(notify, name);

    return notifier ? notifier_send(notifier, message) : -ENOENT;
}

int notify_test(struct notify *notify, const char *name,
                void (*done)(void *owner, const char *name, bool ok, const char *words),
                void *owner)
{
    struct notifier *notifier = find(notify, name);

    return notifier ? notifier_test(notifier, done, owner) : -ENOENT;
}

bool notify_status(const struct notify *notify, size_t i, struct notify_status *ret_status)
{
    if (i >= notify->n_notifiers)
        return false;
    notifier_status(notify->notifiers[i], ret_status);
    return true;
}

static void on_hook_end(void *owner, const struct process_end *end)
{
    struct run *run = owner;
    char words[HOOK_WORDS_SIZE] = "";
    bool ok = hook_describe(end, words, sizeof(words));

    run->notify->calls->hook_ended(run->notify->owner, run->name, ok, words);
    run_end(run);
}

static int run_hook(struct notify *notify, const struct hook *hook,
                    const struct notify_message *event)
{
    struct run *run = run_new(notify, hook);
    char **environment = hook_environment(event);
    struct process_options options = {.argv = (const char *const *)hook->argv,
                                      .environment = (const char *const *)environment,
                                      .timeout_ms = hook->timeout_ms};
    int r = -ENOMEM;

    if (run && environment)
        r = process_run(notify->processes, &options, on_hook_end, run);
    hook_environment_free(environment);
    if (run && r < 0)
        run_end(run);
    return r;
}

int notify_run_hook(struct notify *notify, const char *name, const struct notify_message *event)
{
    for (size_t i = 0; i < notify->n_hooks; i++)
        if (strcmp(notify->hooks[i].name, name) == 0)
            return run_hook(notify, &notify->hooks[i], event);
    return -ENOENT;
}

/* The rows of one name follow each other. */
static void report_all(const struct notify *notify, struct report *report, size_t which)
{
    static const struct {
        const char *name, *help;
        bool total;
    } rows[] = {{"notify_waiting", "Messages that wait.", false},
                {"notify_delivered", "Messages that have arrived.", true},
                {"notify_dropped", "Messages that were given up.", true}};
    struct notify_status status;

    for (size_t i = 0; notify_status(notify, i, &status); i++) {
        double values[] = {(double)status.waiting, (double)status.delivered,
                           (double)status.dropped};

        report_count_of(report, "notifier", status.name, rows[which].name, values[which],
                        rows[which].total, rows[which].help);
    }
}

void notify_report(const struct notify *notify, struct report *report)
{
    struct notify_status status;

    for (size_t which = 0; which < 3; which++)
        report_all(notify, report, which);
    for (size_t i = 0; notify_status(notify, i, &status); i++) {
        if (status.failing_since_ms != CLOCK_NEVER)
            report_problem(report, "notifier \"%s\" fails: %s", status.name, status.why);
    }
}
