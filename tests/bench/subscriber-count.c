#include "tests/bench/subscriber-count.h"

#include "tests/bench/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 2000000 /* of 1 us; what is later counts in the last */
#define VALUES  (WIRE_REGISTERS + 1)
#define NUMBERS 65536 /* of polls, before they begin anew */

struct device {
    bool seen;
    uint16_t number;       /* register 0 of the newest */
    uint16_t base;         /* the same when the window began */
    uint8_t *had;          /* a bit for each number that came, live or late */
    int64_t late_us;       /* time of answer of the newest that was replayed */
    int64_t at_us;         /* its time of answer */
    int64_t longest_us;    /* between two answers, in the window */
    uint64_t polls;        /* in the window */
    int64_t first_us;      /* the first of them */
    double values[VALUES]; /* of plain messages, which come one by one */
};

struct count {
    struct device *devices;
    uint32_t n_devices, n_seen;
    int64_t every_us, start_us;
    uint64_t messages, polls, readings, nulls, events, rules, other;
    uint64_t replayed;   /* polls that came late and not live */
    uint64_t disorder;   /* of all late ones: older than one before */
    int64_t replayed_us; /* when the newest of them came */
    uint64_t missed;     /* should have been asked, and was not */
    uint64_t damaged;    /* the check register says otherwise */
    uint64_t late;       /* number of latencies */
    uint32_t *buckets;
    int64_t latest_us;
    char health[65536]; /* the gateway's own account, newest; "" until it came */
};

struct count *count_new(uint32_t devices, int64_t every_us)
{
    struct count *count = calloc(1, sizeof *count);
    if (!count)
        return NULL;
    count->n_devices = devices;
    count->every_us = every_us;
    count->devices = calloc(devices, sizeof *count->devices);
    count->buckets = calloc(BUCKETS, sizeof *count->buckets);
    if (!count->devices || !count->buckets) {
        count_free(count);
        return NULL;
    }
    for (uint32_t i = 0; i < devices; i++) {
        count->devices[i].had = calloc(NUMBERS / 8, 1);
        if (!count->devices[i].had) {
            count_free(count);
            return NULL;
        }
    }
    return count;
}

void count_free(struct count *count)
{
    if (!count)
        return;
    for (uint32_t i = 0; count->devices && i < count->n_devices; i++)
        free(count->devices[i].had);
    free(count->devices);
    free(count->buckets);
    free(count);
}

uint32_t count_devices(const struct count *count)
{
    return count->n_seen;
}

static void note_latency(struct count *count, int64_t us)
{
    us = us < 0 ? 0 : us;
    count->buckets[us < BUCKETS ? us : BUCKETS - 1]++;
    count->late++;
    if (us > count->latest_us)
        count->latest_us = us;
}

static void note_gap(struct count *count, struct device *device, int64_t gap_us)
{
    if (gap_us > device->longest_us)
        device->longest_us = gap_us;
    if (count->every_us > 0 && gap_us > count->every_us * 3 / 2)
        count->missed += (uint64_t)((gap_us + count->every_us / 2) / count->every_us - 1);
}

/* All values of one poll; false when they contradict each other. */
static bool is_true(const double *values, uint32_t device)
{
    double sum = 0;
    for (int i = 0; i < 6; i++)
        sum += values[i];
    return (uint32_t)values[1] == (device & 0xffff) && ((uint32_t)sum & 0xffff) == values[6] &&
           values[7] == 7777;
}

static int64_t answered_us(const double *values)
{
    return ((int64_t)values[2] << 32) | ((int64_t)values[3] << 16) | (int64_t)values[4];
}

/* Notes that a poll came; false when it had before. */
static bool note_number(struct device *device, uint16_t number)
{
    uint8_t bit = (uint8_t)(1u << (number % 8));
    bool is_new = !(device->had[number / 8] & bit);
    device->had[number / 8] |= bit;
    return is_new;
}

/* Answered, and never came here. */
static uint64_t count_lost(const struct device *device)
{
    uint64_t lost = 0;
    for (uint16_t number = device->base; number != device->number; number++)
        lost += !(device->had[number / 8] & (1u << (number % 8)));
    return lost;
}

static void take_poll(struct count *count, uint32_t index, const double *values, int64_t now_us)
{
    struct device *device = &count->devices[index];
    uint16_t number = (uint16_t)values[0];
    int64_t at_us = answered_us(values);
    if (!is_true(values, index)) {
        count->damaged++;
        return;
    }
    if (device->seen && at_us <= device->at_us)
        return; /* retained, or sent anew after a reconnect */
    if (device->seen) {
        note_gap(count, device, at_us - device->at_us);
    } else {
        device->seen = true;
        device->base = number;
        count->n_seen++;
    }
    note_number(device, number);
    device->number = number;
    device->at_us = at_us;
    if (device->polls++ == 0)
        device->first_us = at_us;
    count->polls++;
    note_latency(count, (now_us & 0xffffffffffff) - at_us);
}

/* `"c3":17` somewhere in the object: fills values[3]. Returns how many were numbers. */
static int read_values(struct count *count, const char *payload, size_t length,
                       double values[VALUES])
{
    char text[2048];
    int found = 0;
    if (length >= sizeof text)
        return 0;
    memcpy(text, payload, length);
    text[length] = '\0';
    for (char *at = strstr(text, "\"c"); at; at = strstr(at + 2, "\"c")) {
        char *end;
        long which = strtol(at + 2, &end, 10);
        if (end == at + 2 || strncmp(end, "\":", 2) != 0 || which < 0 || which >= VALUES)
            continue;
        at = end;
        double value = strtod(at + 2, &end);
        if (end == at + 2) {
            count->nulls++;
            continue;
        }
        values[which] = value;
        found++;
    }
    return found;
}

static void take_state(struct count *count, uint32_t index, const char *payload, size_t length,
                       int64_t now_us)
{
    double values[VALUES] = {0};
    int found = read_values(count, payload, length, values);
    count->readings += (uint64_t)found;
    if (found >= 10)
        take_poll(count, index, values, now_us);
}

/* An array of states; each begins with its time. */
static void take_replay(struct count *count, uint32_t index, const char *payload, size_t length,
                        int64_t now_us)
{
    static const char begin[] = "{\"ts\":";
    struct device *device = &count->devices[index];
    const char *end = payload + length, *at = memmem(payload, length, begin, sizeof begin - 1);
    while (at) {
        const char *next = memmem(at + 1, (size_t)(end - at - 1), begin, sizeof begin - 1);
        double values[VALUES] = {0};
        int found = read_values(count, at, (size_t)((next ? next : end) - at), values);
        int64_t at_us = answered_us(values);
        at = next;
        if (found < 10)
            continue;
        count->damaged += !is_true(values, index);
        count->disorder += at_us <= device->late_us;
        device->late_us = at_us;
        count->replayed += note_number(device, (uint16_t)values[0]);
        count->replayed_us = now_us;
    }
}

static void take_health(struct count *count, const char *payload, size_t length)
{
    if (length == 0 || length >= sizeof count->health || payload[0] != '{')
        return;
    memcpy(count->health, payload, length);
    count->health[length] = '\0';
}

static void take_plain(struct count *count, uint32_t index, long which, const char *payload,
                       size_t length, int64_t now_us)
{
    char text[32] = "", *end;
    if (which < 0 || which >= VALUES || length >= sizeof text)
        return;
    memcpy(text, payload, length);
    double value = strtod(text, &end);
    if (end == text) {
        count->nulls++;
        return;
    }
    double *values = count->devices[index].values;
    values[which] = value;
    count->readings++;
    if (which == 9)
        take_poll(count, index, values, now_us);
}

void count_message(struct count *count, const char *topic, size_t topic_length, const char *payload,
                   size_t payload_length, int64_t now_us)
{
    char text[256], *end;
    size_t skip = sizeof COUNT_BASE - 1;
    if (topic_length <= skip || topic_length - skip >= sizeof text)
        return;
    memcpy(text, topic + skip, topic_length - skip);
    text[topic_length - skip] = '\0';
    count->messages++;
    long index = text[0] == 'd' ? strtol(text + 1, &end, 10) : -1;
    if (strcmp(text, "event") == 0)
        count->events++;
    else if (strncmp(text, "rule/", 5) == 0)
        count->rules++;
    else if (strcmp(text, "health") == 0)
        take_health(count, payload, payload_length);
    else if (index < 0 || index >= count->n_devices)
        count->other++;
    else if (strcmp(end, "/state") == 0)
        take_state(count, (uint32_t)index, payload, payload_length, now_us);
    else if (strcmp(end, "/replay") == 0)
        take_replay(count, (uint32_t)index, payload, payload_length, now_us);
    else if (strncmp(end, "/c", 2) == 0)
        take_plain(count, (uint32_t)index, strtol(end + 2, NULL, 10), payload, payload_length,
                   now_us);
    else
        count->other++;
}

void count_start(struct count *count, int64_t now_us)
{
    struct count kept = *count;
    memset(count, 0, sizeof *count);
    count->devices = kept.devices;
    count->buckets = kept.buckets;
    count->n_devices = kept.n_devices;
    count->n_seen = kept.n_seen;
    count->every_us = kept.every_us;
    count->start_us = now_us;
    memcpy(count->health, kept.health, sizeof count->health);
    memset(count->buckets, 0, BUCKETS * sizeof *count->buckets);
    for (uint32_t i = 0; i < count->n_devices; i++) {
        count->devices[i].polls = 0;
        count->devices[i].base = count->devices[i].number;
        count->devices[i].longest_us = 0;
    }
}

/* Mean interval of a device's polls in the window. */
static double interval_ms(const struct device *device)
{
    if (device->polls < 2)
        return 0;
    return (double)(device->at_us - device->first_us) / 1000 / (double)(device->polls - 1);
}

static double percentile_ms(const struct count *count, double share)
{
    uint64_t rank = (uint64_t)((double)count->late * share), sum = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        sum += count->buckets[i];
        if (sum > rank)
            return (double)i / 1000;
    }
    return 0;
}

void count_report(struct count *count, int64_t now_us)
{
    double seconds = (double)(now_us - count->start_us) / 1e6;
    uint64_t fewest = UINT64_MAX, most = 0, silent = 0, lost = 0;
    int64_t longest_us = 0;
    double slowest_ms = 0;
    for (uint32_t i = 0; i < count->n_devices; i++) {
        struct device *device = &count->devices[i];
        if (!device->seen) {
            silent++;
            continue;
        }
        note_gap(count, device, (now_us & 0xffffffffffff) - device->at_us);
        lost += count_lost(device);
        fewest = device->polls < fewest ? device->polls : fewest;
        most = device->polls > most ? device->polls : most;
        slowest_ms = interval_ms(device) > slowest_ms ? interval_ms(device) : slowest_ms;
        longest_us = device->longest_us > longest_us ? device->longest_us : longest_us;
    }
    printf("{\"seconds\":%.3f,\"devices\":%" PRIu32 ",\"silent\":%" PRIu64 ",\"messages\":%" PRIu64
           ",\"polls\":%" PRIu64 ",\"readings\":%" PRIu64 ",\"nulls\":%" PRIu64
           ",\"events\":%" PRIu64 ",\"rules\":%" PRIu64 ",\"other\":%" PRIu64
           ",\"lost_polls\":%" PRIu64 ",\"missed_polls\":%" PRIu64 ",\"damaged\":%" PRIu64
           ",\"replayed_polls\":%" PRIu64 ",\"disorder\":%" PRIu64 ",\"replayed_ago_s\":%.3f"
           ",\"fewest\":%" PRIu64 ",\"most\":%" PRIu64
           ",\"slowest_ms\":%.3f,\"longest_gap_ms\":%.3f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_"
           "ms\":%.3f,\"health\":%s}\n",
           seconds, count->n_seen, silent, count->messages, count->polls, count->readings,
           count->nulls, count->events, count->rules, count->other, lost, count->missed,
           count->damaged, count->replayed, count->disorder,
           count->replayed > 0 ? (double)(now_us - count->replayed_us) / 1e6 : 0,
           fewest == UINT64_MAX ? 0 : fewest, most, slowest_ms, (double)longest_us / 1000,
           percentile_ms(count, 0.5), percentile_ms(count, 0.99), (double)count->latest_us / 1000,
           count->health[0] ? count->health : "null");
}
