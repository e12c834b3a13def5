#include "gateway/notify/notifier.h"

#include "gateway/base/clock.h"
#include "gateway/base/loop.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So often a waiting notifier looks at the clock on the wall: it may have been put right. */
#define LOOK_MS 60000

struct notifier {
    struct notifier_plan plan;
    struct postbox *postbox;
    struct timer *timer;
    struct sender sender;
    const struct notify_calls *calls;
    void *owner;
    struct {
        struct sender sender;
        int64_t started_ms;
        void (*done)(void *owner, const char *name, bool ok, const char *words); /* NULL: none */
        void *owner;
    } test;
};

const struct setting notifier_settings[] = {
    {.key = "type",
     .forms = SETTING_CHOICE | SETTING_REQUIRED,
     .choices = "ntfy webhook email",
     .help = "How people are told."},
    {.key = "min_severity",
     .forms = SETTING_CHOICE,
     .standard = "info",
     .choices = "info warning critical",
     .help = "What is less severe is not told."},
    {.key = "quiet",
     .forms = SETTING_TEXT,
     .help = "Hours of the day, \"22:00-07:00\", in which messages wait; then they come as one."},
    {.key = "quiet_below",
     .forms = SETTING_CHOICE,
     .standard = "critical",
     .choices = "info warning critical",
     .help = "What is at least so severe does not wait."},
    {.key = "per_hour",
     .forms = SETTING_INT,
     .standard = "20",
     .min = 1,
     .max = PACE_PER_HOUR_MAX,
     .help = "Texts in an hour; beyond it messages are gathered into one."},
    {0},
};

const struct setting *notify_type_settings(size_t i, const char **ret_type)
{
    const struct carrier *carrier = carrier_at(i);

    *ret_type = carrier ? carrier->type : NULL;
    return carrier ? carrier->settings : NULL;
}

/* -- options -------------------------------------------------------------------------------- */

void notifier_check(struct section *section, struct problems *problems)
{
    const struct carrier *carrier = carrier_find(section_text(section, "type"));
    const struct setting *tables[] = {notifier_settings, carrier ? carrier->settings : NULL};
    const char *quiet_text = section_text(section, "quiet");
    struct quiet quiet;

    if (!carrier) {
        problem_error(problems, section_place(section, "type"),
                      "\"ntfy\", \"webhook\" or \"email\"",
                      section_has(section, "type") ? "there is no such \"type\" of notifier"
                                                   : "\"type\" is missing");
        return;
    }
    if (section_check(section, tables, 2, problems) > 0)
        return;
    if (quiet_text && quiet_parse(quiet_text, &quiet) < 0)
        problem_error(problems, section_place(section, "quiet"),
                      "two times of the day: \"22:00-07:00\"", "\"quiet\" cannot be read");
    carrier->check(section, problems);
}

int notifier_plan_read(const struct section *section, struct notifier_plan *plan,
                       struct error *reterr)
{
    const char *quiet = section_text(section, "quiet");
    int r;

    *plan = (struct notifier_plan){.carrier = carrier_find(section_text(section, "type"))};
    text_copy(plan->name, sizeof(plan->name), section_name(section));
    plan->options.min_severity = (uint8_t)section_choice(section, "min_severity");
    plan->options.quiet_below = (uint8_t)section_choice(section, "quiet_below");
    plan->options.per_hour = (uint16_t)section_int(section, "per_hour");
    if (quiet)
        quiet_parse(quiet, &plan->options.quiet);
    r = plan->carrier->open(section, &plan->state, reterr);
    if (r < 0)
        error_prefix(reterr, "notifier \"%s\"", plan->name);
    return r;
}

void notifier_plan_end(struct notifier_plan *plan)
{
    if (plan->state)
        plan->carrier->close(plan->state);
    plan->state = NULL;
}

/* -- what the postbox says ------------------------------------------------------------------ */

static void on_delivered(void *owner, const struct notify_message *message)
{
    struct notifier *notifier = owner;

    notifier->calls->delivered(notifier->owner, notifier->plan.name, message);
}

static void on_dropped(void *owner, const struct notify_message *message, const char *why)
{
    struct notifier *notifier = owner;

    notifier->calls->dropped(notifier->owner, notifier->plan.name, message, why);
}

static void on_failing(void *owner, int64_t since_ms, const char *why)
{
    struct notifier *notifier = owner;

    notifier->calls->failing(notifier->owner, notifier->plan.name, since_ms, why);
}

static void on_working(void *owner)
{
    struct notifier *notifier = owner;

    notifier->calls->working(notifier->owner, notifier->plan.name);
}

static const struct postbox_calls postbox_calls = {on_delivered, on_dropped, on_failing,
                                                   on_working};

/* -- the way of a text ---------------------------------------------------------------------- */

static struct postbox_time time_now(void)
{
    int64_t now_ms = clock_boot_ms();

    return (struct postbox_time){
        .now_ms = now_ms, .wall_ms = clock_wall_is_good() ? clock_wall_ms(now_ms) : CLOCK_NEVER};
}

static void send_batch(struct notifier *notifier, const struct notify_message *const *messages,
                       size_t count, struct postbox_time time)
{
    struct delivery delivery;
    int r;

    words_compose(messages, count, time.wall_ms, &delivery);
    r = notifier->plan.carrier->send(notifier->plan.state, &delivery, &notifier->sender);
    if (r < 0) {
        char why[80];

        snprintf(why, sizeof(why), "it cannot be sent: %s", strerror(-r));
        postbox_failed(notifier->postbox, time, why, r == -EINVAL, 0);
        timer_at(notifier->timer, time.now_ms);
    }
}

static void turn(void *owner)
{
    struct notifier *notifier = owner;
    struct postbox_time time = time_now();
    const struct notify_message *const *messages = NULL;
    size_t count;
    int64_t next_ms = postbox_look(notifier->postbox, time, &messages, &count);

    if (next_ms != CLOCK_NEVER && next_ms > time.now_ms + LOOK_MS)
        next_ms = time.now_ms + LOOK_MS;
    timer_at(notifier->timer, next_ms);
    if (count > 0)
        send_batch(notifier, messages, count, time);
}

static void on_sent(void *owner, const struct outcome *outcome)
{
    struct notifier *notifier = owner;
    struct postbox_time time = time_now();

    if (outcome->result == OUTCOME_DELIVERED)
        postbox_delivered(notifier->postbox, time);
    else
        postbox_failed(notifier->postbox, time, outcome->words, outcome->result == OUTCOME_REFUSED,
                       outcome->retry_after_ms);
    timer_at(notifier->timer, time.now_ms);
}

int notifier_send(struct notifier *notifier, const struct notify_message *message)
{
    int r = postbox_put(notifier->postbox, message);

    if (r == 0)
        timer_at(notifier->timer, clock_boot_ms());
    return r;
}

/* -- tests ---------------------------------------------------------------------------------- */

static void on_tested(void *owner, const struct outcome *outcome)
{
    struct notifier *notifier = owner;
    void (*done)(void *, const char *, bool, const char *) = notifier->test.done;
    bool ok = outcome->result == OUTCOME_DELIVERED;
    char words[SENDER_WORDS_SIZE + 80], took[32];

    notifier->test.done = NULL;
    text_from_duration(took, sizeof(took), clock_boot_ms() - notifier->test.started_ms);
    snprintf(words, sizeof(words), "%s after %s: %s", ok ? "delivered" : "not delivered", took,
             outcome->words);
    if (ok) {
        postbox_works(notifier->postbox);
        timer_at(notifier->timer, clock_boot_ms());
    }
    done(notifier->test.owner, notifier->plan.name, ok, words);
}

int notifier_test(struct notifier *notifier,
                  void (*done)(void *owner, const char *name, bool ok, const char *words),
                  void *owner)
{
    struct postbox_time time = time_now();
    struct notify_message message = {.kind = NOTIFY_TEST,
                                     .title = "Thermogate: test",
                                     .text = "This is a test. Alarms will come like this.",
                                     .row = (uint64_t)time.now_ms,
                                     .since_ms = CLOCK_NEVER,
                                     .at_ms = time.wall_ms};
    const struct notify_message *messages = &message;
    struct delivery delivery;
    int r;

    if (notifier->test.done)
        return -EBUSY;
    words_compose(&messages, 1, time.wall_ms, &delivery);
    r = notifier->plan.carrier->send(notifier->plan.state, &delivery, &notifier->test.sender);
    if (r < 0)
        return r;
    notifier->test.started_ms = time.now_ms;
    notifier->test.done = done;
    notifier->test.owner = owner;
    return 0;
}

/* -- life ----------------------------------------------------------------------------------- */

struct notifier *notifier_new(struct loop *loop, struct http_client *http, struct mail_client *mail,
                              const struct notifier_plan *plan, const struct notify_calls *calls,
                              void *owner)
{
    struct notifier *notifier = calloc(1, sizeof(*notifier));

    if (!notifier)
        return NULL;
    notifier->postbox = postbox_new(&plan->options, &postbox_calls, notifier);
    notifier->timer = timer_new(loop, turn, notifier);
    if (!notifier->postbox || !notifier->timer) {
        notifier_free(notifier);
        return NULL;
    }
    notifier->plan = *plan;
    notifier->calls = calls;
    notifier->owner = owner;
    sender_init(&notifier->sender, http, mail, on_sent, notifier);
    sender_init(&notifier->test.sender, http, mail, on_tested, notifier);
    return notifier;
}

void notifier_free(struct notifier *notifier)
{
    if (!notifier)
        return;
    sender_cancel(&notifier->sender);
    sender_cancel(&notifier->test.sender);
    notifier_plan_end(&notifier->plan);
    timer_free(notifier->timer);
    postbox_free(notifier->postbox);
    free(notifier);
}

/* What is on its way goes on: it holds nothing of the old plan. */
void notifier_use(struct notifier *notifier, const struct notifier_plan *plan)
{
    notifier_plan_end(&notifier->plan);
    notifier->plan = *plan;
    postbox_use(notifier->postbox, &plan->options);
    timer_at(notifier->timer, clock_boot_ms());
}

const char *notifier_name(const struct notifier *notifier)
{
    return notifier->plan.name;
}

bool notifier_wants(const struct notifier *notifier, uint8_t severity)
{
    return severity >= notifier->plan.options.min_severity;
}

void notifier_drop_all(struct notifier *notifier, const char *why)
{
    postbox_drop_all(notifier->postbox, why);
}

void notifier_status(const struct notifier *notifier, struct notify_status *ret_status)
{
    struct postbox_counts counts = postbox_counts(notifier->postbox);

    *ret_status = (struct notify_status){.name = notifier->plan.name,
                                         .type = notifier->plan.carrier->type,
                                         .waiting = counts.waiting,
                                         .delivered = counts.delivered,
                                         .dropped = counts.dropped,
                                         .failing_since_ms = counts.failing_ms,
                                         .why = counts.why};
}
