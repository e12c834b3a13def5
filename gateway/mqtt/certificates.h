/* Certificates: says in time that the one that we show to the broker, or the one that we trust,
 * ends. One thread, but for `until_ms`. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

struct options;

struct certificates {
    int64_t look_at_ms;    /* boot time of the next look */
    atomic_llong until_ms; /* wall time; 0: there is none, or it is not known */
    int said;              /* the stage that was told */
};

/* Reads the files, which may have been renewed: at every connect and twice a day. */
void certificates_look(struct certificates *certificates, const struct options *options,
                       int64_t now_ms);

/* Whole days until then, negative when it is over. */
int64_t certificates_days(int64_t until_ms, int64_t wall_ms);
#define CERTIFICATES_SOON_DAYS 30
