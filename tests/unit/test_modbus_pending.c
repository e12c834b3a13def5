
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/modbus/pending.h"
#include "gateway/base/reading.h"

static const struct mb_request one = {.function = MB_READ_HOLDINGS, .address = 5, .count = 1};
static const struct mb_request other = {.function = MB_READ_HOLDINGS, .address = 105, .count = 1};
static const struct mb_request coil = {.function = MB_READ_COILS, .address = 0, .count = 3};
static const struct mb_request command = {.function = MB_WRITE_REGISTER, .address = 7};

struct fixture {
    struct mb_pending pending;
    struct mb_request sent;
};

static enum mb_ask next(struct fixture *f, const struct mb_request *wanted, int64_t now_ms)
{
    return mb_pending_next(&f->pending, wanted, 125, now_ms, &f->sent);
}

static void what_was_answered_is_asked_as_it_is(void **state)
{
    struct fixture f = {0};

    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(next(&f, &one, i), MB_ASK);
        assert_int_equal(f.sent.count, 1);
        assert_int_equal(mb_pending_end(&f.pending, QUALITY_GOOD), QUALITY_GOOD);
    }
}

static void after_silence_every_request_has_a_length_of_its_own(void **state)
{
    struct fixture f = {0};

    (void)state;
    for (int i = 0; i < 7; i++) {
        assert_int_equal(next(&f, i % 2 ? &other : &one, i), MB_ASK);
        assert_int_equal(f.sent.count, 1 + i);
        assert_int_equal(mb_pending_end(&f.pending, QUALITY_TIMEOUT), QUALITY_TIMEOUT);
    }
    assert_int_equal(next(&f, &one, 7), MB_ECHO);
    assert_int_equal(f.sent.function, MB_DIAGNOSE);
}

static void bits_grow_by_bytes(void **state)
{
    struct fixture f = {0};

    (void)state;
    next(&f, &coil, 0);
    mb_pending_end(&f.pending, QUALITY_CRC);
    assert_int_equal(next(&f, &coil, 1), MB_ASK);
    assert_int_equal(f.sent.count, 11);
}

static void another_function_is_not_mistaken(void **state)
{
    struct fixture f = {0};

    (void)state;
    next(&f, &one, 0);
    mb_pending_end(&f.pending, QUALITY_TIMEOUT);
    assert_int_equal(next(&f, &coil, 1), MB_ASK);
    assert_int_equal(f.sent.count, 3);
}

static void a_request_does_not_grow_beyond_what_there_can_be(void **state)
{
    const struct mb_request last = {.function = MB_READ_INPUTS, .address = 65535, .count = 1};
    const struct mb_request full = {.function = MB_READ_INPUTS, .address = 0, .count = 125};
    struct fixture f = {0};

    (void)state;
    next(&f, &last, 0);
    mb_pending_end(&f.pending, QUALITY_TIMEOUT);
    assert_int_equal(next(&f, &last, 1), MB_ECHO);
    f = (struct fixture){0};
    next(&f, &full, 0);
    mb_pending_end(&f.pending, QUALITY_TIMEOUT);
    assert_int_equal(next(&f, &full, 1), MB_ECHO);
}

static void a_slave_that_refuses_more_is_asked_behind_an_echo(void **state)
{
    struct fixture f = {0};

    (void)state;
    next(&f, &one, 0);
    mb_pending_end(&f.pending, QUALITY_TIMEOUT);
    next(&f, &one, 1);
    assert_int_equal(mb_pending_end(&f.pending, QUALITY_EXCEPTION + 2), MB_AGAIN);
    /* only the longer one can still be answered: the one that is wanted looks different */
    assert_int_equal(next(&f, &one, 2), MB_ASK);
    assert_int_equal(f.sent.count, 1);
    mb_pending_end(&f.pending, QUALITY_TIMEOUT);
    assert_int_equal(next(&f, &one, 3), MB_ECHO);
    assert_int_equal(mb_pending_end(&f.pending, QUALITY_GOOD), MB_AGAIN);
    assert_int_equal(next(&f, &one, 4), MB_ASK);
    assert_int_equal(f.sent.count, 1);
}

static void echoes_have_numbers_of_their_own(void **state)
{
    struct fixture f = {.pending.strict = true};
    uint8_t before;

    (void)state;
    next(&f, &one, 0);
    mb_pending_end(&f.pending, QUALITY_TIMEOUT);
    assert_int_equal(next(&f, &one, 1), MB_ECHO);
    before = f.sent.data[1];
    mb_pending_end(&f.pending, QUALITY_TIMEOUT);
    assert_int_equal(next(&f, &one, 2), MB_ECHO);
    assert_int_not_equal(f.sent.data[1], before);
}

/* Of two echoes the first may be the one that is refused so late: what was asked between them is
 * still to come. */
static void a_refused_echo_speaks_for_what_went_before_it(void **state)
{
    struct fixture f = {.pending.strict = true};

    (void)state;
    next(&f, &one, 0);
    mb_pending_end(&f.pending, QUALITY_TIMEOUT);
    next(&f, &one, 1); /* echo 1 */
    mb_pending_end(&f.pending, QUALITY_TIMEOUT);
    assert_int_equal(next(&f, &one, 2), MB_ECHO); /* echo 2 */
    assert_int_equal(mb_pending_end(&f.pending, QUALITY_EXCEPTION + 1), MB_AGAIN);
    assert_int_equal(next(&f, &one, 3), MB_ASK);
    mb_pending_end(&f.pending, QUALITY_TIMEOUT);
    assert_int_equal(next(&f, &one, 4), MB_ECHO); /* echo 3, refused for echo 2 */
    assert_int_equal(mb_pending_end(&f.pending, QUALITY_EXCEPTION + 1), MB_AGAIN);
    assert_int_equal(next(&f, &one, 5), MB_ECHO);
    assert_int_equal(mb_pending_end(&f.pending, QUALITY_EXCEPTION + 1), MB_AGAIN);
    assert_int_equal(next(&f, &one, 6), MB_ASK);
}

static void an_exception_that_may_be_older_is_not_believed(void **state)
{
    struct fixture f = {0};

    (void)state;
    next(&f, &one, 0);
    mb_pending_end(&f.pending, QUALITY_TIMEOUT);
    assert_int_equal(next(&f, &(struct mb_request){.function = MB_READ_HOLDINGS, .count = 9}, 1),
                     MB_ASK);
    assert_int_equal(mb_pending_end(&f.pending, QUALITY_EXCEPTION + 4), QUALITY_TIMEOUT);
    assert_int_equal(next(&f, &coil, 2), MB_ASK);
    assert_int_equal(mb_pending_end(&f.pending, QUALITY_EXCEPTION + 4), QUALITY_EXCEPTION + 4);
}

static void a_write_waits_for_one_that_was_not_answered(void **state)
{
    struct fixture f = {0};

    (void)state;
    assert_int_equal(next(&f, &command, 0), MB_ASK);
    mb_pending_end(&f.pending, QUALITY_TIMEOUT);
    assert_int_equal(next(&f, &command, 1), MB_ECHO);
    mb_pending_end(&f.pending, QUALITY_GOOD);
    assert_int_equal(next(&f, &command, 2), MB_ASK);
}

static void what_is_old_is_forgotten(void **state)
{
    struct fixture f = {.pending.strict = true};

    (void)state;
    next(&f, &one, 1000);
    mb_pending_end(&f.pending, QUALITY_TIMEOUT);
    assert_int_equal(next(&f, &one, 1000 + MB_LATE_MS - 1), MB_ECHO);
    mb_pending_end(&f.pending, QUALITY_TIMEOUT);
    assert_int_equal(next(&f, &one, 1000 + MB_LATE_MS), MB_ASK);
}

static void a_slave_that_is_far_behind_is_left_alone(void **state)
{
    struct fixture f = {.pending.strict = true};

    (void)state;
    for (int i = 0; i < MB_PENDING_MAX; i++) {
        assert_int_equal(next(&f, &one, 0), i == 0 ? MB_ASK : MB_ECHO);
        mb_pending_end(&f.pending, QUALITY_TIMEOUT);
    }
    assert_int_equal(next(&f, &one, 1), MB_HOLD);
    assert_int_equal(next(&f, &one, MB_LATE_MS), MB_ASK);
}

/* A slave that loses, delays and refuses at random: whatever it does, an answer that fits is the
 * answer to what was asked last. */
static void no_schedule_of_a_slow_slave_is_mistaken(void **state)
{
    uint32_t random = 1;

    (void)state;
    for (int run = 0; run < 2000; run++) {
        struct fixture f = {0};
        struct {
            struct mb_request request;
            bool refused;
        } queue[200];
        size_t first = 0, last = 0;

        for (int64_t now_ms = 0; now_ms < 60; now_ms++) {
            const struct mb_request *wanted = now_ms % 3 ? &one : &other;
            uint8_t quality = QUALITY_TIMEOUT;

            random = random * 1664525 + 1013904223;
            if (mb_pending_next(&f.pending, wanted, 125, now_ms, &f.sent) == MB_HOLD)
                continue;
            if (random >> 28) { /* else it is lost */
                queue[last].request = f.sent;
                queue[last++].refused = f.sent.function == MB_DIAGNOSE || f.sent.count > 2;
            }
            /* the slave works off none to three of what it was asked; ours takes the first that
             * fits */
            for (uint32_t n = random >> 20 & 3; n > 0 && first < last; n--, first++) {
                const struct mb_request *done = &queue[first].request;

                if (quality != QUALITY_TIMEOUT || done->function != f.sent.function)
                    continue;
                if (queue[first].refused) {
                    quality = QUALITY_EXCEPTION + 2;
                } else if (mb_answer_length(done) == mb_answer_length(&f.sent)) {
                    assert_int_equal(done->address, f.sent.address);
                    assert_int_equal(first, last - 1);
                    quality = QUALITY_GOOD;
                }
            }
            mb_pending_end(&f.pending, quality);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_answered_is_asked_as_it_is),
        cmocka_unit_test(after_silence_every_request_has_a_length_of_its_own),
        cmocka_unit_test(bits_grow_by_bytes),
        cmocka_unit_test(another_function_is_not_mistaken),
        cmocka_unit_test(a_request_does_not_grow_beyond_what_there_can_be),
        cmocka_unit_test(a_slave_that_refuses_more_is_asked_behind_an_echo),
        cmocka_unit_test(echoes_have_numbers_of_their_own),
        cmocka_unit_test(a_refused_echo_speaks_for_what_went_before_it),
        cmocka_unit_test(an_exception_that_may_be_older_is_not_believed),
        cmocka_unit_test(a_write_waits_for_one_that_was_not_answered),
        cmocka_unit_test(what_is_old_is_forgotten),
        cmocka_unit_test(a_slave_that_is_far_behind_is_left_alone),
        cmocka_unit_test(no_schedule_of_a_slow_slave_is_mistaken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
