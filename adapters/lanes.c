#include "adapters/lanes.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/queue.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <stdlib.h>

#define WORDS_MAX  64 /* notes beside ends that may wait for the loop */
#define WRITES_MAX 64 /* that wait on one lane */
#define ASKED_MAX  8  /* questions, likewise */

/* Devices that wait for their turn: a list through `next`, first come first served. */
struct lane {
    struct worker *worker;
    struct queue *writes;  /* struct worker_job: they go first */
    struct queue *asked;   /* struct worker_job: they go last */
    uint32_t first, last;  /* NO_DEVICE: nobody waits */
    struct worker_job job; /* while it is busy */
    int64_t since_ms;      /* when that began */
    bool busy;
    bool hangs; /* beyond the deadline: its job has been ended without it */
};

#define NO_DEVICE UINT32_MAX

/* A poll that no lane takes. */
struct refused {
    uint32_t device;
    uint8_t quality;
};

struct lanes {
    const struct adapter *adapter;
    const char *name; /* of the bus */
    void *opened;     /* the adapter's bus */
    const struct lanes_events *events;
    void *owner;
    struct lane *lanes;
    uint32_t n;
    uint32_t *next;      /* by device: who waits behind it */
    uint32_t *polled_on; /* by device: its lane while it is polled or written */
    struct queue *notes; /* struct worker_note */
    struct wake *wake;
    struct queue *refused; /* struct refused */
    struct timer *soon;    /* ends those */
    struct timer *deadline;
};

/* -- on workers ----------------------------------------------------------------------------- */

void lanes_report(struct lanes *lanes, uint32_t device, const struct sample *samples, size_t count)
{
    worker_report(lanes->lanes[lanes->polled_on[device]].worker, samples, count);
}

void lanes_count(struct lanes *lanes, uint32_t device, const struct adapter_exchange *exchange)
{
    worker_count(lanes->lanes[lanes->polled_on[device]].worker, exchange);
}

/* The end of a poll must find room whatever else is said: a line that comes and goes faster than
 * the loop looks loses words only. */
void lanes_say(struct lanes *lanes, const struct worker_note *note)
{
    if (queue_length(lanes->notes) < WORDS_MAX)
        queue_push(lanes->notes, note, 1);
}

/* -- turns ---------------------------------------------------------------------------------- */

/* The poll of whoever has waited longest; false when nobody waits. */
static bool take_first(struct lanes *lanes, uint32_t index, struct worker_job *ret_job)
{
    struct lane *lane = &lanes->lanes[index];
    uint32_t device = lane->first;

    if (device == NO_DEVICE)
        return false;
    lane->first = lanes->next[device];
    if (lane->first == NO_DEVICE)
        lane->last = NO_DEVICE;
    *ret_job = (struct worker_job){.request.device = device};
    return true;
}

/* That of the lane which is longest at work; none on a bus whose adapter sets no deadline. */
static void plan_deadline(struct lanes *lanes)
{
    int64_t deadline_ms = lanes->adapter->deadline_ms, next_ms = CLOCK_NEVER;

    for (uint32_t i = 0; deadline_ms > 0 && i < lanes->n; i++) {
        const struct lane *lane = &lanes->lanes[i];

        if (lane->busy && !lane->hangs && lane->since_ms + deadline_ms < next_ms)
            next_ms = lane->since_ms + deadline_ms;
    }
    timer_at(lanes->deadline, next_ms);
}

/* What is to be done next on a lane; false when there is nothing. */
static bool take_next(struct lanes *lanes, uint32_t index, struct worker_job *ret_job)
{
    struct lane *lane = &lanes->lanes[index];

    return queue_pop(lane->writes, ret_job, 1) > 0 || take_first(lanes, index, ret_job) ||
           queue_pop(lane->asked, ret_job, 1) > 0;
}

static void start_next(struct lanes *lanes, uint32_t index)
{
    struct lane *lane = &lanes->lanes[index];

    if (lane->busy || !take_next(lanes, index, &lane->job))
        return;
    lane->busy = true;
    lane->since_ms = clock_boot_ms();
    lanes->polled_on[lane->job.request.device] = index;
    plan_deadline(lanes);
    worker_start(lane->worker, &lane->job);
}

static void line_up(struct lanes *lanes, uint32_t index, uint32_t device)
{
    struct lane *lane = &lanes->lanes[index];

    lanes->next[device] = NO_DEVICE;
    if (lane->last == NO_DEVICE)
        lane->first = device;
    else
        lanes->next[lane->last] = device;
    lane->last = device;
    start_next(lanes, index);
}

/* -- ends ----------------------------------------------------------------------------------- */

static void end_job(struct lanes *lanes, const struct worker_job *job, uint8_t quality)
{
    struct adapter_answer none = {.quality = quality};

    if (job->ask)
        job->question.done(job->question.asker, &none);
    else if (job->write)
        lanes->events->wrote(lanes->owner, job->request.device, job->token, quality);
    else
        lanes->events->end(lanes->owner, job->request.device, quality);
}

static void end_question(struct lanes *lanes, const struct worker_note *note)
{
    struct lane *lane = &lanes->lanes[note->lane];
    struct adapter_question question = lane->job.question;
    struct adapter_answer answer = *worker_answer(lane->worker);

    start_next(lanes, note->lane);
    question.done(question.asker, &answer);
}

/* What a worker has found out beyond the deadline is too old to be told. The samples are the
 * worker's until it is given the next job; the line loses nothing by that, since the silence after
 * an answer is longer than the way of a reading. */
static void take_end(struct lanes *lanes, const struct worker_note *note)
{
    struct lane *lane = &lanes->lanes[note->lane];
    struct worker_job job = lane->job;
    const struct sample *samples;
    char away[32];
    size_t count;

    lane->busy = false;
    if (lane->hangs) {
        lane->hangs = false;
        log_info("bus %s: the line that hung is back after %s", lanes->name,
                 text_from_duration(away, sizeof(away), clock_boot_ms() - lane->since_ms));
        start_next(lanes, note->lane);
        return;
    }
    if (job.ask) {
        end_question(lanes, note);
        return;
    }
    lanes->events->tally(lanes->owner, job.request.device, worker_tally(lane->worker));
    samples = worker_samples(lane->worker, &count);
    if (count > 0 && note->quality == QUALITY_GOOD)
        lanes->events->samples(lanes->owner, job.request.device, samples, count);
    start_next(lanes, note->lane);
    end_job(lanes, &job, note->quality);
}

static void take_notes(void *owner)
{
    struct lanes *lanes = owner;
    struct worker_note note;

    while (queue_pop(lanes->notes, &note, 1) > 0) {
        if (note.kind == NOTE_END || note.kind == NOTE_WROTE || note.kind == NOTE_ASKED)
            take_end(lanes, &note);
        else
            lanes->events->words(lanes->owner, &note);
    }
}

static void knock(void *owner)
{
    struct lanes *lanes = owner;

    wake_send(lanes->wake);
}

static void give_up(struct lanes *lanes, uint32_t index)
{
    struct lane *lane = &lanes->lanes[index];
    struct worker_job job;

    lane->hangs = true;
    log_warn("bus %s: a line hangs since %lld s, with all that is on it; other lines go on",
             lanes->name, (long long)(lanes->adapter->deadline_ms / 1000));
    end_job(lanes, &lane->job, QUALITY_TIMEOUT);
    while (take_next(lanes, index, &job))
        end_job(lanes, &job, QUALITY_TIMEOUT);
}

static void look_at_deadlines(void *owner)
{
    struct lanes *lanes = owner;
    int64_t now_ms = clock_boot_ms();

    for (uint32_t i = 0; i < lanes->n; i++) {
        struct lane *lane = &lanes->lanes[i];

        if (lane->busy && !lane->hangs && now_ms >= lane->since_ms + lanes->adapter->deadline_ms)
            give_up(lanes, i);
    }
    plan_deadline(lanes);
}

static void end_refused(void *owner)
{
    struct lanes *lanes = owner;
    struct refused refused;

    for (size_t n = queue_length(lanes->refused); n > 0; n--) {
        queue_pop(lanes->refused, &refused, 1);
        lanes->events->end(lanes->owner, refused.device, refused.quality);
    }
}

static void refuse(struct lanes *lanes, uint32_t device, uint8_t quality)
{
    struct refused refused = {.device = device, .quality = quality};

    queue_push(lanes->refused, &refused, 1);
    timer_at(lanes->soon, clock_boot_ms());
}

/* -- door ----------------------------------------------------------------------------------- */

/* A thread that hangs still works with its device, wherever that is now. */
static bool is_held(const struct lanes *lanes, uint32_t device)
{
    for (uint32_t i = 0; i < lanes->n; i++) {
        if (lanes->lanes[i].hangs && lanes->lanes[i].job.request.device == device)
            return true;
    }
    return false;
}

void lanes_poll(struct lanes *lanes, uint32_t device)
{
    int32_t lane = lanes->adapter->lane_of(lanes->opened, device);

    if (lane < 0)
        refuse(lanes, device, QUALITY_NO_SENSOR);
    else if (lanes->lanes[lane].hangs || is_held(lanes, device))
        refuse(lanes, device, QUALITY_TIMEOUT);
    else
        line_up(lanes, (uint32_t)lane, device);
}

int lanes_write(struct lanes *lanes, const struct write_request *request, uint32_t token)
{
    struct worker_job job = {.request = *request, .token = token, .write = true};
    int32_t lane = lanes->adapter->lane_of(lanes->opened, request->device);

    if (lane < 0 || lanes->lanes[lane].hangs || is_held(lanes, request->device))
        return -ENODEV;
    if (queue_push(lanes->lanes[lane].writes, &job, 1) < 0)
        return -ENOBUFS;
    start_next(lanes, (uint32_t)lane);
    return 0;
}

int lanes_ask(struct lanes *lanes, uint32_t device, const struct adapter_question *question)
{
    struct worker_job job = {.request.device = device, .ask = true, .question = *question};
    int32_t lane = lanes->adapter->lane_of(lanes->opened, device);

    if (!lanes->adapter->ask)
        return -ENOTSUP;
    if (lane < 0 || lanes->lanes[lane].hangs || is_held(lanes, device))
        return -ENODEV;
    if (queue_push(lanes->lanes[lane].asked, &job, 1) < 0)
        return -ENOBUFS;
    start_next(lanes, (uint32_t)lane);
    return 0;
}

/* Each device may have a poll that ends, and another that is refused. */
struct lanes *lanes_new(struct loop *loop, const struct adapter *adapter, const char *name,
                        size_t n_devices, const struct lanes_events *events, void *owner)
{
    struct lanes *lanes = calloc(1, sizeof(*lanes));
    size_t n = n_devices + 1;

    if (!lanes)
        return NULL;
    lanes->adapter = adapter;
    lanes->name = name;
    lanes->events = events;
    lanes->owner = owner;
    lanes->next = calloc(n, sizeof(*lanes->next));
    lanes->polled_on = calloc(n, sizeof(*lanes->polled_on));
    lanes->notes =
        queue_new(sizeof(struct worker_note), WORDS_MAX + 2 * n, QUEUE_REFUSE, knock, lanes);
    lanes->refused = queue_new(sizeof(struct refused), n, QUEUE_REFUSE, NULL, NULL);
    lanes->wake = wake_new(loop, take_notes, lanes);
    lanes->soon = timer_new(loop, end_refused, lanes);
    lanes->deadline = timer_new(loop, look_at_deadlines, lanes);
    if (lanes->next && lanes->polled_on && lanes->notes && lanes->refused && lanes->wake &&
        lanes->soon && lanes->deadline)
        return lanes;
    lanes_free(lanes);
    return NULL;
}

int lanes_start(struct lanes *lanes, void *opened, size_t most_samples)
{
    uint32_t n = lanes->adapter->lanes(opened);

    lanes->opened = opened;
    lanes->lanes = calloc(n + 1, sizeof(*lanes->lanes));
    if (!lanes->lanes)
        return -ENOMEM;
    for (; lanes->n < n; lanes->n++) {
        struct lane *lane = &lanes->lanes[lanes->n];

        lane->first = lane->last = NO_DEVICE;
        lane->writes = queue_new(sizeof(struct worker_job), WRITES_MAX, QUEUE_REFUSE, NULL, NULL);
        lane->asked = queue_new(sizeof(struct worker_job), ASKED_MAX, QUEUE_REFUSE, NULL, NULL);
        if (lane->writes && lane->asked)
            lane->worker = worker_new(lanes->adapter, opened, lanes->n, most_samples, lanes->notes);
        if (!lane->worker) {
            queue_free(lane->writes);
            queue_free(lane->asked);
            return -EAGAIN;
        }
    }
    return 0;
}

int64_t lanes_stuck_ms(const struct lanes *lanes)
{
    int64_t now_ms = clock_boot_ms(), stuck_ms = 0;

    for (uint32_t i = 0; i < lanes->n; i++) {
        if (lanes->lanes[i].busy && now_ms - lanes->lanes[i].since_ms > stuck_ms)
            stuck_ms = now_ms - lanes->lanes[i].since_ms;
    }
    return stuck_ms;
}

bool lanes_stop(struct lanes *lanes, int64_t until_ms)
{
    bool all = true;

    for (uint32_t i = 0; lanes && i < lanes->n; i++) {
        if (worker_stop(lanes->lanes[i].worker, until_ms))
            lanes->lanes[i].worker = NULL;
        else
            all = false;
    }
    return all;
}

/* Of polls and writes nobody wants to hear any more; who asked waits. */
static void end_questions(struct lanes *lanes, struct lane *lane)
{
    struct worker_job job;

    if (lane->busy && lane->job.ask && !lane->hangs)
        end_job(lanes, &lane->job, QUALITY_DISCONNECTED);
    while (queue_pop(lane->asked, &job, 1) > 0)
        end_job(lanes, &job, QUALITY_DISCONNECTED);
}

void lanes_free(struct lanes *lanes)
{
    if (!lanes)
        return;
    for (uint32_t i = 0; i < lanes->n; i++) {
        end_questions(lanes, &lanes->lanes[i]);
        queue_free(lanes->lanes[i].writes);
        queue_free(lanes->lanes[i].asked);
    }
    wake_free(lanes->wake);
    timer_free(lanes->soon);
    timer_free(lanes->deadline);
    queue_free(lanes->notes);
    queue_free(lanes->refused);
    free(lanes->lanes);
    free(lanes->next);
    free(lanes->polled_on);
    free(lanes);
}
