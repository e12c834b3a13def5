#include "gateway/refill.h"

#include "gateway/base/clock.h"
#include "gateway/base/loop.h"
#include "gateway/base/reading.h"
#include "gateway/store/store.h"
#include "rules/rules.h"

#include <stdlib.h>

#define PATIENCE_MS 3000
#define PAGE_ROWS   10000

struct refill {
    struct loop *loop;
    struct timer *timer;
    struct store *store;
    struct rules *rules;
    struct text_table *texts;
    uint32_t sensor;           /* the one that is asked for */
    int64_t now_ms, offset_ms; /* boot time; wall less boot time */
    size_t count;
    bool waits; /* the loop runs for it */
    bool over;  /* what comes now is too late */
};

static void take_rows(void *owner, const struct store_rows *rows);

static void end(void *owner)
{
    struct refill *refill = owner;

    refill->over = true;
    if (refill->waits)
        loop_stop(refill->loop);
}

static void ask(struct refill *refill, int64_t from_ms)
{
    struct store_range range = {
        .sensors = rules_sensor(refill->rules, refill->sensor)->id,
        .from_ms = from_ms,
        .to_ms = refill->now_ms + refill->offset_ms,
        .max_rows = PAGE_ROWS,
    };

    if (store_read(refill->store, &range, take_rows, refill) < 0)
        end(refill);
}

/* The next sensor from this one on that has windows. */
static void ask_next(struct refill *refill)
{
    for (; refill->sensor < rules_sensors(refill->rules); refill->sensor++) {
        int64_t past_ms = rules_past_ms(refill->rules, refill->sensor, refill->now_ms);

        if (past_ms > 0) {
            ask(refill, refill->now_ms + refill->offset_ms - past_ms);
            return;
        }
    }
    end(refill);
}

static void take_row(struct refill *refill, const struct store_row *row)
{
    struct reading reading = {.at_ms = row->at_ms - refill->offset_ms,
                              .sensor = refill->sensor,
                              .kind = row->kind,
                              .quality = row->quality};

    if (row->kind == VALUE_TEXT)
        reading.text = text_table_add(refill->texts, row->text);
    else if (row->kind == VALUE_NUMBER)
        reading.number = row->number;
    rules_refill(refill->rules, &reading);
    refill->count += row->quality == QUALITY_GOOD;
}

static void take_rows(void *owner, const struct store_rows *rows)
{
    struct refill *refill = owner;

    if (refill->over)
        return;
    for (size_t i = 0; i < rows->count; i++)
        take_row(refill, &rows->rows[i]);
    if (rows->status == 0 && rows->next_ms != CLOCK_NEVER) {
        ask(refill, rows->next_ms);
        return;
    }
    refill->sensor++;
    ask_next(refill);
}

struct refill *refill_windows(struct loop *loop, struct store *store, struct rules *rules,
                              struct text_table *texts)
{
    struct refill *refill = calloc(1, sizeof(*refill));

    if (!refill)
        return NULL;
    *refill = (struct refill){.loop = loop,
                              .timer = timer_new(loop, end, refill),
                              .store = store,
                              .rules = rules,
                              .texts = texts,
                              .now_ms = clock_boot_ms(),
                              .offset_ms = clock_wall_ms(0)};
    if (!refill->timer) {
        free(refill);
        return NULL;
    }
    timer_at(refill->timer, refill->now_ms + PATIENCE_MS);
    ask_next(refill);
    refill->waits = !refill->over;
    if (refill->waits)
        loop_run(loop);
    refill->waits = false;
    refill->over = true;
    if (store_last_sign_ms(store) != CLOCK_NEVER)
        rules_was_down(rules, store_last_sign_ms(store) - refill->offset_ms);
    timer_free(refill->timer);
    refill->timer = NULL;
    return refill;
}

size_t refill_count(const struct refill *refill)
{
    return refill ? refill->count : 0;
}

void refill_free(struct refill *refill)
{
    free(refill);
}
