#include "gateway/cli/player.h"

#include "gateway/base/text.h"

#include <string.h>

#define POLL_MAX 512 /* readings of one device at one time */

static bool make_reading(struct player *player, const struct recorded *row, struct reading *reading)
{
    const struct rules *rules = rehearsal_rules(player->rehearsal);
    uint32_t sensor = rules_find_sensor(rules, row->sensor);

    *reading = (struct reading){
        .at_ms = row->at_ms - player->first_ms, .sensor = sensor, .quality = row->quality};
    if (sensor == RULES_NO_SENSOR) {
        player->unknown++;
        return false;
    }
    if (row->quality != QUALITY_GOOD)
        return !rules_is_derived(rules, sensor);
    if (rules_sensor(rules, sensor)->text) {
        reading->kind = VALUE_TEXT;
        reading->text = rehearsal_add_text(player->rehearsal, row->value);
        return true;
    }
    reading->kind = VALUE_NUMBER;
    return text_to_number(row->value, &reading->number) == 0 && !rules_is_derived(rules, sensor);
}

static bool is_same_poll(const struct recorded *a, const struct recorded *b)
{
    size_t length = strcspn(a->sensor, ".");

    return a->at_ms == b->at_ms && strncmp(a->sensor, b->sensor, length + 1) == 0;
}

/* What a device gave at one time was one poll. Returns how many rows that are. */
static size_t play_poll(struct player *player, const struct recorded *rows, size_t most)
{
    struct reading readings[POLL_MAX];
    size_t n = 0, done = 0;

    while (done < most && n < POLL_MAX && is_same_poll(&rows[0], &rows[done]))
        n += make_reading(player, &rows[done++], &readings[n]);
    if (n > 0) {
        player->last_ms = readings[0].at_ms;
        rehearsal_poll(player->rehearsal, readings, n, player->last_ms);
    }
    return done;
}

void player_play(struct player *player, const struct recording *recording)
{
    if (!player->started && recording->count > 0) {
        player->started = true;
        player->first_ms = recording->rows[0].at_ms;
        rehearsal_set_clock(player->rehearsal, player->first_ms, 0);
    }
    for (size_t i = 0; i < recording->count;)
        i += play_poll(player, &recording->rows[i], recording->count - i);
    player->readings += recording->count;
}
