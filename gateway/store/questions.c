#include "gateway/base/clock.h"
#include "gateway/base/enclosing.h"
#include "gateway/base/text.h"
#include "gateway/core/inventory.h"
#include "gateway/store/history_query.h"
#include "gateway/store/history_range.h"
#include "gateway/store/inside.h"
#include "gateway/store/state_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Nothing is that far in the future. */
#define YEAR_MS (INT64_C(366) * 86400000)

/* -- every question -------------------------------------------------------------------------- */

static struct question *question_of(struct task *task)
{
    return enclosing(task, struct question, task);
}

static void leave_list(struct question *question)
{
    if (question->next)
        question->next->place = question->place;
    *question->place = question->next;
    question->store->n_questions--;
}

static void done_question(struct task *task)
{
    struct question *question = question_of(task);

    /* An abandoned one has been answered already, when the store was closed. */
    if (question->place) {
        leave_list(question);
        question->answer(question, task->status);
    }
    question->release(question);
}

/* Takes ownership of `question`. */
static int ask(struct store *store, struct desk *desk, struct question *question,
               void (*work)(struct task *task))
{
    int r = store->closing || store->n_questions >= STORE_QUESTIONS_MAX ? -EBUSY : 0;

    question->task = (struct task){.work = work, .done = done_question};
    question->store = store;
    if (r == 0)
        r = desk_give(desk, &question->task);
    if (r < 0) {
        question->release(question);
        return r;
    }
    question->next = store->questions;
    question->place = &store->questions;
    if (question->next)
        question->next->place = &question->next;
    store->questions = question;
    store->n_questions++;
    return 0;
}

/* Those that hang on a disk stay where they are; who asked is told. */
void questions_cancel(struct store *store)
{
    while (store->questions) {
        struct question *question = store->questions;

        leave_list(question);
        question->place = NULL;
        question->answer(question, -ECANCELED);
    }
}

/* Opens a file for reading, again where it was replaced. */
static int open_to_read(struct database *file)
{
    database_check_moved(file);
    return database_open_reader(file);
}

/* -- the log --------------------------------------------------------------------------------- */

struct log_question {
    struct question head;
    struct log_page page;
    void (*answer)(void *owner, const struct store_log *log);
    void *owner;
};

static void work_log(struct task *task)
{
    struct log_question *question = enclosing(task, struct log_question, head.task);
    struct database *file = &question->head.store->read_state;

    task->status = open_to_read(file) < 0 ? log_page_without(&question->page)
                                          : log_page_read(&question->page, file);
}

static void answer_log(struct question *head, int status)
{
    struct log_question *question = enclosing(head, struct log_question, head);
    struct store_log log = {.status = status,
                            .entries = question->page.entries,
                            .count = question->page.count,
                            .more = question->page.more};

    if (status == -ECANCELED)
        log.count = 0;
    question->answer(question->owner, &log);
}

static void release_log(struct question *head)
{
    arena_free(&enclosing(head, struct log_question, head)->page.memory);
    free(head);
}

int store_log_read(struct store *store, const struct store_log_query *query,
                   void (*answer)(void *owner, const struct store_log *log), void *owner)
{
    struct log_question *question = calloc(1, sizeof(*question));
    int r;

    if (!question)
        return -ENOMEM;
    question->head.answer = answer_log;
    question->head.release = release_log;
    question->answer = answer;
    question->owner = owner;
    r = log_page_start(&question->page, query, &store->ledger, store->row_base,
                       stamp_offset(&store->state.stamp));
    if (r < 0) {
        release_log(&question->head);
        return r;
    }
    return ask(store, store->read_desk, &question->head, work_log);
}

/* -- the outbox ------------------------------------------------------------------------------ */

struct outbox_question {
    struct question head;
    struct outbox_page page;
    void (*answer)(void *owner, const struct store_outbox *outbox);
    void *owner;
};

/* On the desk that writes: what arrives while it is asked for then has an order. */
static void work_outbox(struct task *task)
{
    struct outbox_question *question = enclosing(task, struct outbox_question, head.task);
    struct state_db *state = &question->head.store->state;

    task->status =
        state->file.db ? outbox_page_read(&question->page, &state->file, state->row_base) : -EAGAIN;
}

static void answer_outbox(struct question *head, int status)
{
    struct outbox_question *question = enclosing(head, struct outbox_question, head);
    struct store_outbox outbox = {.status = status,
                                  .rows = question->page.rows,
                                  .count = status == 0 ? question->page.count : 0,
                                  .more = question->page.more};

    question->answer(question->owner, &outbox);
}

static void release_outbox(struct question *head)
{
    arena_free(&enclosing(head, struct outbox_question, head)->page.memory);
    free(head);
}

int store_outbox_read(struct store *store, const char *target, int64_t after, size_t max,
                      void (*answer)(void *owner, const struct store_outbox *outbox), void *owner)
{
    struct outbox_question *question = calloc(1, sizeof(*question));

    if (!question)
        return -ENOMEM;
    question->head.answer = answer_outbox;
    question->head.release = release_outbox;
    question->answer = answer;
    question->owner = owner;
    question->page.after = after;
    question->page.max = max == 0 || max > STATE_PAGE_MAX ? STATE_PAGE_MAX : max;
    question->page.target = arena_text(&question->page.memory, target);
    if (!question->page.target) {
        release_outbox(&question->head);
        return -ENOMEM;
    }
    return ask(store, store->state_desk, &question->head, work_outbox);
}

/* -- one sensor's history -------------------------------------------------------------------- */

struct history_question {
    struct question head;
    struct history_query query;
    void (*answer)(void *owner, const struct store_answer *answer);
    void *owner;
};

static void work_history(struct task *task)
{
    struct history_question *question = enclosing(task, struct history_question, head.task);
    struct store *store = question->head.store;

    if (open_to_read(&store->read_history) < 0)
        history_query_without(&question->query);
    else
        history_query_run(&question->query, &store->read_history, store->history.this_run);
    task->status = question->query.answer.status;
}

static void answer_history(struct question *head, int status)
{
    struct history_question *question = enclosing(head, struct history_question, head);
    struct store_answer answer = {.status = status, .unit = ""};

    if (status == 0 || status == -EAGAIN)
        answer = question->query.answer;
    question->answer(question->owner, &answer);
}

static void release_history(struct question *head)
{
    struct history_question *question = enclosing(head, struct history_question, head);

    arena_free(&question->query.memory);
    free(question->query.parts);
    free(question);
}

/* Ends that nothing can lie beyond, so that they can be reckoned with. */
static void clip_range(int64_t offset_ms, int64_t *from_ms, int64_t *to_ms)
{
    int64_t latest_ms = clock_boot_ms() + offset_ms + YEAR_MS;

    if (*from_ms < 0)
        *from_ms = 0;
    if (*to_ms > latest_ms)
        *to_ms = latest_ms;
}

static int start_history(struct store *store, struct history_query *own,
                         const struct store_query *query)
{
    const struct inventory *inventory = store->intake.inventory;
    struct intake_wish wish;

    own->offset_ms = stamp_offset(&store->history.stamp);
    own->now_ms = clock_boot_ms() + own->offset_ms;
    own->query = *query;
    own->query.sensor = arena_text(&own->memory, query->sensor);
    if (!own->query.sensor)
        return -ENOMEM;
    clip_range(own->offset_ms, &own->query.from_ms, &own->query.to_ms);
    wish.sensor = inventory ? inventory_find_sensor(inventory, query->sensor) : UINT32_MAX;
    if (wish.sensor == UINT32_MAX)
        return 0;
    own->texts = inventory->texts;
    own->unit = arena_text(&own->memory, inventory->sensors[wish.sensor].unit);
    wish.from_ms = own->query.from_ms - own->offset_ms;
    wish.to_ms = own->query.to_ms - own->offset_ms;
    wish.wanted = NULL;
    return own->unit ? intake_copy(&store->intake, &wish, &own->parts, &own->n_parts) : -ENOMEM;
}

int store_query(struct store *store, const struct store_query *query,
                void (*answer)(void *owner, const struct store_answer *answer), void *owner)
{
    struct history_question *question = calloc(1, sizeof(*question));
    int r;

    if (!question)
        return -ENOMEM;
    question->head.answer = answer_history;
    question->head.release = release_history;
    question->answer = answer;
    question->owner = owner;
    r = start_history(store, &question->query, query);
    if (r < 0) {
        release_history(&question->head);
        return r;
    }
    return ask(store, store->read_desk, &question->head, work_history);
}

/* -- readings of many ------------------------------------------------------------------------ */

struct range_question {
    struct question head;
    struct history_range range;
    void (*answer)(void *owner, const struct store_rows *rows);
    void *owner;
};

static void work_range(struct task *task)
{
    struct range_question *question = enclosing(task, struct range_question, head.task);
    struct store *store = question->head.store;

    if (open_to_read(&store->read_history) < 0)
        history_range_without(&question->range);
    else
        history_range_run(&question->range, &store->read_history, store->history.this_run);
    task->status = question->range.answer.status;
}

static void answer_range(struct question *head, int status)
{
    struct range_question *question = enclosing(head, struct range_question, head);
    struct store_rows rows = {.status = status, .next_ms = CLOCK_NEVER};

    if (status == 0 || status == -EAGAIN)
        rows = question->range.answer;
    question->answer(question->owner, &rows);
}

static void release_range(struct question *head)
{
    struct range_question *question = enclosing(head, struct range_question, head);

    arena_free(&question->range.memory);
    inventory_release(question->range.inventory);
    free(question->range.parts);
    free(question);
}

static int copy_memory(struct store *store, struct history_range *own)
{
    struct inventory *inventory = store->intake.inventory;
    struct intake_wish wish = {.from_ms = own->range.from_ms - own->offset_ms,
                               .to_ms = own->range.to_ms - own->offset_ms,
                               .sensor = UINT32_MAX};
    bool *wanted = calloc(inventory->n_sensors + 1, sizeof(*wanted));
    int r;

    if (!wanted)
        return -ENOMEM;
    for (uint32_t i = 0; i < inventory->n_sensors; i++)
        wanted[i] = !own->range.sensors || text_glob(own->range.sensors, inventory->sensors[i].id);
    wish.wanted = wanted;
    r = intake_copy(&store->intake, &wish, &own->parts, &own->n_parts);
    free(wanted);
    own->inventory = inventory_hold(inventory);
    return r;
}

static int start_range(struct store *store, struct history_range *own,
                       const struct store_range *range)
{
    own->offset_ms = stamp_offset(&store->history.stamp);
    own->range = *range;
    own->range.sensors = arena_text(&own->memory, range->sensors);
    if (range->sensors && !own->range.sensors)
        return -ENOMEM;
    clip_range(own->offset_ms, &own->range.from_ms, &own->range.to_ms);
    return store->intake.inventory && store->intake.blocks > 0 ? copy_memory(store, own) : 0;
}

int store_read(struct store *store, const struct store_range *range,
               void (*answer)(void *owner, const struct store_rows *rows), void *owner)
{
    struct range_question *question = calloc(1, sizeof(*question));
    int r;

    if (!question)
        return -ENOMEM;
    question->head.answer = answer_range;
    question->head.release = release_range;
    question->answer = answer;
    question->owner = owner;
    r = start_range(store, &question->range, range);
    if (r < 0) {
        release_range(&question->head);
        return r;
    }
    return ask(store, store->read_desk, &question->head, work_range);
}

/* -- import ---------------------------------------------------------------------------------- */

struct import_question {
    struct question head;
    struct store_import import;
    void (*answer)(void *owner, const struct store_import *import);
    void *owner;
    char csv[];
};

static void work_import(struct task *task)
{
    struct import_question *question = enclosing(task, struct import_question, head.task);

    task->status =
        history_db_import(&question->head.store->history, question->csv, &question->import);
    if (task->status < 0 && task->status != -ENOMEM)
        task->status = -EAGAIN;
}

static void answer_import(struct question *head, int status)
{
    struct import_question *question = enclosing(head, struct import_question, head);
    struct store_import import = {.status = status};

    if (status == 0) {
        import = question->import;
        question->head.store->tidy = true; /* it has to be rolled up */
        readings_pump(question->head.store);
    }
    question->answer(question->owner, &import);
}

static void release_import(struct question *head)
{
    free(head);
}

int store_import(struct store *store, const char *csv, size_t length,
                 void (*answer)(void *owner, const struct store_import *import), void *owner)
{
    struct import_question *question;

    if (length > STORE_IMPORT_MAX)
        return -E2BIG;
    if (memchr(csv, '\0', length))
        return -EINVAL; /* no text: the lines behind it would be lost without a word */
    question = calloc(1, sizeof(*question) + length + 1);
    if (!question)
        return -ENOMEM;
    question->head.answer = answer_import;
    question->head.release = release_import;
    question->answer = answer;
    question->owner = owner;
    memcpy(question->csv, csv, length);
    return ask(store, store->history_desk, &question->head, work_import);
}
