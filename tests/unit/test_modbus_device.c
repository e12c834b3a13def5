
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/modbus/device.h"
#include "adapters/modbus/modbus.h"
#include "modbus_config.h"

/* Three blocks: coils 0-8, holdings 10-12, holding 20. */
static const char *const channels[] = {
    "register=holding 11; type=int32",
    "register=coil 8",
    "register=holding 10; scale=0.1",
    "register=holding 20",
    "register=coil 0",
    NULL,
};

#define NOW_MS 5000000

struct fixture {
    struct made *made;
    struct mb_device device;
    struct sample samples[8];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct mb_bus_options bus = {.timeout_ms = 1000, .retries = 2};

    f->made = made_bus(&modbus_tcp_adapter, "");
    made_device(f->made, &modbus_tcp_adapter, "tcp://127.0.0.1", "unit=9; max_gap=1", channels);
    assert_int_equal(mb_device_init(&f->device, &bus, f->made->devices, NULL), 0);
    mb_poll_start(&f->device, NOW_MS);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    mb_device_clear(&f->device);
    made_free(f->made);
    free(f);
    return 0;
}

static size_t take(struct fixture *f, uint8_t quality, const uint8_t *data)
{
    return mb_poll_take(&f->device, quality, data, 42, f->samples);
}

static const uint8_t coils[] = {0x01, 0x01}, holdings[] = {0, 217, 0, 1, 0, 2}, last[] = {0, 7};

static void a_device_takes_timeout_and_unit_from_its_section_or_bus(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(f->device.unit, 9);
    assert_int_equal(f->device.timeout_ms, 1000);
    assert_int_equal(f->device.n_blocks, 3);
}

static void a_poll_asks_every_block_once_and_samples_go_to_their_channels(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(mb_poll_request(&f->device)->function, MB_READ_COILS);
    assert_int_equal(mb_poll_request(&f->device)->count, 9);
    assert_int_equal(take(f, QUALITY_GOOD, coils), 2);
    assert_int_equal(f->samples[0].channel, 4);
    assert_true(f->samples[0].number == 1);
    assert_int_equal(f->samples[1].channel, 1);
    assert_true(f->samples[1].number == 1);
    assert_int_equal(mb_poll_request(&f->device)->address, 10);
    assert_int_equal(take(f, QUALITY_GOOD, holdings), 2);
    assert_int_equal(f->samples[0].channel, 2);
    assert_true(f->samples[0].number == 21.7);
    assert_int_equal(f->samples[1].channel, 0);
    assert_true(f->samples[1].number == 65538);
    assert_int_equal(take(f, QUALITY_GOOD, last), 1);
    assert_null(mb_poll_request(&f->device));
    assert_int_equal(mb_poll_quality(&f->device), QUALITY_GOOD);
}

static void an_exception_makes_only_its_block_bad(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(take(f, QUALITY_EXCEPTION + 4, NULL), 2);
    assert_int_equal(f->samples[0].quality, QUALITY_EXCEPTION + 4);
    assert_int_equal(f->samples[0].kind, VALUE_NONE);
    assert_int_equal(take(f, QUALITY_GOOD, holdings), 2);
    assert_int_equal(f->samples[0].quality, QUALITY_GOOD);
    take(f, QUALITY_GOOD, last);
    assert_int_equal(mb_poll_quality(&f->device), QUALITY_GOOD);
}

static void a_device_that_never_answered_is_given_up_at_once(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(take(f, QUALITY_TIMEOUT, NULL), 0);
    assert_null(mb_poll_request(&f->device));
    assert_int_equal(mb_poll_quality(&f->device), QUALITY_TIMEOUT);
}

/* How often the present request may be sent in all. */
static unsigned tries(const struct fixture *f, uint8_t quality)
{
    unsigned n = 1;

    while (mb_poll_again(&f->device, quality, n))
        n++;
    return n;
}

static void silence_is_asked_again_once_the_device_has_answered(void **state)
{
    struct fixture *f = *state;

    f->device.away = true;
    assert_int_equal(tries(f, QUALITY_TIMEOUT), 1);
    take(f, QUALITY_GOOD, coils);
    assert_int_equal(tries(f, QUALITY_TIMEOUT), 3);
    assert_int_equal(tries(f, QUALITY_CRC), 3);
    assert_int_equal(tries(f, QUALITY_EXCEPTION + 2), 1);
    assert_int_equal(tries(f, QUALITY_DISCONNECTED), 1);
}

static void a_busy_device_is_asked_three_times(void **state)
{
    struct fixture *f = *state;

    assert_true(mb_poll_is_busy(QUALITY_EXCEPTION + 6));
    assert_false(mb_poll_is_busy(QUALITY_EXCEPTION + 5));
    assert_int_equal(tries(f, QUALITY_EXCEPTION + 6), 3);
}

static void after_a_failed_poll_another_block_is_tried_once(void **state)
{
    struct fixture *f = *state;

    take(f, QUALITY_TIMEOUT, NULL);
    mb_poll_quality(&f->device);
    mb_poll_start(&f->device, NOW_MS);
    assert_int_equal(tries(f, QUALITY_TIMEOUT), 1);
    assert_int_equal(mb_poll_request(&f->device)->address, 10);
    take(f, QUALITY_GOOD, holdings);
    take(f, QUALITY_GOOD, last);
    take(f, QUALITY_GOOD, coils);
    assert_null(mb_poll_request(&f->device));
    assert_int_equal(mb_poll_quality(&f->device), QUALITY_GOOD);
    mb_poll_start(&f->device, NOW_MS);
    assert_int_equal(tries(f, QUALITY_TIMEOUT), 3);
}

static void one_silent_block_does_not_cost_the_others(void **state)
{
    struct fixture *f = *state;

    take(f, QUALITY_GOOD, coils);
    assert_int_equal(take(f, QUALITY_TIMEOUT, NULL), 2);
    assert_int_equal(f->samples[0].quality, QUALITY_TIMEOUT);
    assert_int_equal(take(f, QUALITY_GOOD, last), 1);
    assert_int_equal(mb_poll_quality(&f->device), QUALITY_GOOD);
}

static void two_silent_blocks_end_the_poll(void **state)
{
    struct fixture *f = *state;

    f->device.first_block = 2;
    take(f, QUALITY_GOOD, last);
    take(f, QUALITY_TIMEOUT, NULL);
    assert_int_equal(take(f, QUALITY_CRC, NULL), 2);
    assert_int_equal(f->samples[0].quality, QUALITY_CRC);
    assert_null(mb_poll_request(&f->device));
}

static void a_lost_connection_makes_the_rest_bad(void **state)
{
    struct fixture *f = *state;

    take(f, QUALITY_GOOD, coils);
    assert_int_equal(take(f, QUALITY_DISCONNECTED, NULL), 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(f->samples[i].quality, QUALITY_DISCONNECTED);
    assert_null(mb_poll_request(&f->device));
    assert_int_equal(mb_poll_quality(&f->device), QUALITY_GOOD);
}

static void a_converter_that_misses_its_slave_is_no_answer(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(take(f, QUALITY_EXCEPTION + 11, NULL), 0);
    assert_int_equal(mb_poll_quality(&f->device), QUALITY_EXCEPTION + 11);
}

static void a_refused_block_is_split_until_only_what_is_refused_is_bad(void **state)
{
    struct fixture *f = *state;
    const uint8_t coil[] = {1};

    assert_int_equal(take(f, QUALITY_EXCEPTION + 2, NULL), 0);
    assert_int_equal(mb_poll_request(&f->device)->address, 0);
    assert_int_equal(mb_poll_request(&f->device)->count, 1);
    assert_int_equal(take(f, QUALITY_GOOD, coil), 1);
    assert_int_equal(f->samples[0].channel, 4);
    assert_int_equal(mb_poll_request(&f->device)->address, 8);
    assert_int_equal(take(f, QUALITY_EXCEPTION + 2, NULL), 1);
    assert_int_equal(f->samples[0].channel, 1);
    assert_int_equal(f->samples[0].quality, QUALITY_EXCEPTION + 2);
    assert_int_equal(take(f, QUALITY_GOOD, holdings), 2);
    assert_int_equal(take(f, QUALITY_GOOD, last), 1);
    assert_null(mb_poll_request(&f->device));
    assert_int_equal(mb_poll_quality(&f->device), QUALITY_GOOD);
    mb_poll_start(&f->device, NOW_MS);
    assert_int_equal(f->device.n_blocks, 4);
    assert_int_equal(mb_poll_request(&f->device)->count, 1);
}

/* Whatever the block a poll begins with: each channel is reported once. */
static void a_split_in_the_middle_of_a_poll_loses_and_repeats_nothing(void **state)
{
    const uint8_t zeros[16] = {0};

    for (uint32_t first = 0; first < 3; first++) {
        struct fixture *f;
        unsigned seen = 0, n = 0;

        if (first > 0) {
            teardown(state);
            setup(state);
        }
        f = *state;
        f->device.first_block = first;
        for (int i = 0; mb_poll_request(&f->device); i++) {
            bool refuse = mb_poll_request(&f->device)->count > 2;
            size_t count = take(f, refuse ? QUALITY_EXCEPTION + 3 : QUALITY_GOOD, zeros);

            assert_true(i < 10);
            for (size_t k = 0; k < count; k++) {
                seen |= 1u << f->samples[k].channel;
                n++;
            }
        }
        assert_int_equal(seen, 0x1f);
        assert_int_equal(n, 5);
    }
}

/* -- intervals of single channels ----------------------------------------------------------- */

static const char *const paced[] = {"register=holding 0", "register=holding 1; every=60s", NULL};

static void make_paced(struct fixture *f)
{
    struct mb_bus_options bus = {.timeout_ms = 1000};

    mb_device_clear(&f->device);
    made_free(f->made);
    f->made = made_bus(&modbus_tcp_adapter, "");
    made_device(f->made, &modbus_tcp_adapter, "tcp://127.0.0.1", "", paced);
    assert_int_equal(mb_device_init(&f->device, &bus, f->made->devices, NULL), 0);
}

/* The addresses of one poll at this time, which is answered. */
static const char *poll_at(struct fixture *f, int64_t at_ms)
{
    static char said[40];
    const struct mb_request *request;
    size_t length = 0;

    said[0] = '\0';
    mb_poll_start(&f->device, at_ms);
    while ((request = mb_poll_request(&f->device))) {
        text_append(said, sizeof(said), &length, "%u ", request->address);
        take(f, QUALITY_GOOD, last);
    }
    assert_int_equal(mb_poll_quality(&f->device), QUALITY_GOOD);
    return said;
}

static void a_channel_may_be_read_less_often_than_its_device(void **state)
{
    struct fixture *f = *state;
    int slow = 0;

    make_paced(f);
    for (int second = 0; second < 600; second++)
        slow += strcmp(poll_at(f, NOW_MS + second * 1000), "0 1 ") == 0;
    assert_int_equal(slow, 10);
}

static void what_was_written_is_read_with_the_next_poll(void **state)
{
    struct fixture *f = *state;

    make_paced(f);
    assert_string_equal(poll_at(f, NOW_MS), "0 1 ");
    assert_string_equal(poll_at(f, NOW_MS + 1000), "0 ");
    mb_poll_want(&f->device, 1);
    assert_string_equal(poll_at(f, NOW_MS + 2000), "0 1 ");
    assert_string_equal(poll_at(f, NOW_MS + 3000), "0 ");
}

static void after_silence_everything_is_read(void **state)
{
    struct fixture *f = *state;

    make_paced(f);
    assert_string_equal(poll_at(f, NOW_MS), "0 1 ");
    mb_poll_start(&f->device, NOW_MS + 1000);
    take(f, QUALITY_TIMEOUT, NULL);
    mb_poll_quality(&f->device);
    assert_int_equal(strlen(poll_at(f, NOW_MS + 2000)), 4);
}

static void make_events(struct fixture *f)
{
    static const char *const some[] = {"register=holding 0; type=event; enum=1: ring | 2: knock",
                                       "register=coil 3; type=event; enum=0: shut | 1: open", NULL};
    struct mb_bus_options bus = {.timeout_ms = 1000};

    mb_device_clear(&f->device);
    made_free(f->made);
    f->made = made_bus(&modbus_tcp_adapter, "");
    made_device(f->made, &modbus_tcp_adapter, "tcp://127.0.0.1", "unit=9", some);
    assert_int_equal(mb_device_init(&f->device, &bus, f->made->devices, NULL), 0);
}

/* A poll that finds this; its events, or why there is none. */
static void expect_events(struct fixture *f, uint8_t code, uint8_t coil, const char *events)
{
    const uint8_t coil_data[] = {coil}, code_data[] = {0, code};
    char said[100] = "";

    mb_poll_start(&f->device, NOW_MS);
    for (int block = 0; block < 2; block++) {
        bool bits = mb_reads_bits(mb_poll_request(&f->device)->function);

        assert_int_equal(take(f, QUALITY_GOOD, bits ? coil_data : code_data), 1);
        strcat(said, f->samples[0].kind == VALUE_TEXT ? f->samples[0].text
                                                      : quality_name(f->samples[0].quality));
        strcat(said, " ");
    }
    mb_poll_quality(&f->device);
    assert_string_equal(said, events);
}

static void each_change_to_a_code_with_a_text_is_an_event(void **state)
{
    struct fixture *f = *state;

    make_events(f);
    expect_events(f, 1, 1, "quiet quiet ");
    expect_events(f, 1, 1, "quiet quiet ");
    expect_events(f, 2, 0, "shut knock ");
    expect_events(f, 0, 0, "quiet quiet ");
    expect_events(f, 2, 1, "open knock ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_device_takes_timeout_and_unit_from_its_section_or_bus),
        TEST(a_poll_asks_every_block_once_and_samples_go_to_their_channels),
        TEST(an_exception_makes_only_its_block_bad),
        TEST(a_device_that_never_answered_is_given_up_at_once),
        TEST(silence_is_asked_again_once_the_device_has_answered),
        TEST(a_busy_device_is_asked_three_times),
        TEST(after_a_failed_poll_another_block_is_tried_once),
        TEST(one_silent_block_does_not_cost_the_others),
        TEST(two_silent_blocks_end_the_poll),
        TEST(a_lost_connection_makes_the_rest_bad),
        TEST(a_refused_block_is_split_until_only_what_is_refused_is_bad),
        TEST(a_split_in_the_middle_of_a_poll_loses_and_repeats_nothing),
        TEST(a_converter_that_misses_its_slave_is_no_answer),
        TEST(a_channel_may_be_read_less_often_than_its_device),
        TEST(what_was_written_is_read_with_the_next_poll),
        TEST(after_silence_everything_is_read),
        TEST(each_change_to_a_code_with_a_text_is_an_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
