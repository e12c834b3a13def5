/* Ledger: records that are not on disk yet, in order. Private to the room; loop thread only, but
 * for the entries of a group, which a desk reads while it is under way.
 *
 * The loop fills it at the end; a group of the oldest is taken to be written together and leaves
 * it, or stays, when that is done. A record is told once: durable or not. */
#pragma once

#include "gateway/store/store.h"

/* One record, copied: everything lies behind it in one piece. */
struct entry {
    struct entry *next;
    struct store_record record; /* its pointers point into this entry */
    struct store_event event;
    int64_t row;      /* of the event and then of each message: they are numbered in one series */
    int64_t taken_ms; /* boot time */
    size_t size;
    bool told, resolved;
};

/* NULL when memory is out. */
struct entry *entry_new(const struct store_record *record, int64_t row, int64_t now_ms);

/* The number of the first message, and how many numbers a record takes. */
int64_t entry_messages_row(const struct entry *entry);
size_t store_record_rows(const struct store_record *record);
/* Bytes that a copy takes. */
size_t store_record_size(const struct store_record *record);

struct ledger {
    struct entry *first, **end; /* `end` is where the next one is hung */
    size_t count, group;        /* how many; of them under way, at the beginning */
    void (*tell)(void *owner, uint64_t token, bool durable);
    void *owner;
    uint64_t merged; /* records that there was no room for */
    bool telling;
};

void ledger_start(struct ledger *ledger, void (*tell)(void *owner, uint64_t token, bool durable),
                  void *owner);
void ledger_clear(struct ledger *ledger);

/* Takes ownership. Where there are too many, the oldest that are resolved go; of what goes, the
 * saved values stay, and the next event of the rule says how many. */
void ledger_add(struct ledger *ledger, struct entry *entry);

/* The oldest, as many as suit one transaction; 0 when a group is under way or nothing waits. */
size_t ledger_take_group(struct ledger *ledger);

/* The group is on disk, or stays to be tried again. Tells those that were not told. */
void ledger_end_group(struct ledger *ledger, bool durable);

/* Tells all that were taken up to boot time `until_ms` that they are not durable. */
void ledger_give_up(struct ledger *ledger, int64_t until_ms);

/* When the oldest that was not told was taken; CLOCK_NEVER: all are told. */
int64_t ledger_untold_ms(const struct ledger *ledger);

/* A message that has arrived before it was on disk need not get there: true when it is dropped
 * here, false when it is not in the ledger or under way. */
bool ledger_drop_message(struct ledger *ledger, int64_t row);
