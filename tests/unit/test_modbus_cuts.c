#include "adapters/modbus/cuts.h"

#include "adapters/modbus/modbus.h"
#include "modbus_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW_MS 5000000

/* One block: holding 10-15. */
static const char *const channels[] = {
    "register=holding 10",
    "register=holding 12; type=int32",
    "register=holding 14",
    "register=holding 15",
    NULL,
};

struct fixture {
    struct made *made;
    struct mb_device device;
    struct sample samples[8];
};

static void make_device(struct fixture *f, const char *learnt)
{
    struct mb_bus_options bus = {.timeout_ms = 1000, .retries = 2};

    mb_device_clear(&f->device);
    assert_int_equal(mb_device_init(&f->device, &bus, f->made->devices, NULL), 0);
    mb_cuts_recall(&f->device, learnt);
    mb_poll_start(&f->device, NOW_MS);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->made = made_bus(&modbus_tcp_adapter, "");
    made_device(f->made, &modbus_tcp_adapter, "tcp://127.0.0.1", "unit=9; max_gap=1", channels);
    make_device(f, NULL);
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

/* A poll of a device that refuses reads of more than `most` registers, and all of `missing`. */
static void poll_once(struct fixture *f, unsigned most, unsigned missing)
{
    static const uint8_t zeros[16];
    const struct mb_request *request;

    mb_poll_start(&f->device, NOW_MS);
    while ((request = mb_poll_request(&f->device))) {
        bool lacks = request->address <= missing && request->address + request->count > missing;
        uint8_t quality = request->count > most ? QUALITY_EXCEPTION + 3
                          : lacks               ? QUALITY_EXCEPTION + 2
                                                : QUALITY_GOOD;

        mb_poll_take(&f->device, quality, zeros, NOW_MS, f->samples);
    }
}

static void expect_blocks(const struct fixture *f, const char *expected)
{
    char text[100] = "";
    size_t length = 0;

    for (uint32_t i = 0; i < f->device.n_blocks; i++)
        text_append(text, sizeof(text), &length, "%s%u+%u", i > 0 ? " " : "",
                    f->device.blocks[i].request.address, f->device.blocks[i].request.count);
    assert_string_equal(text, expected);
}

static void what_a_poll_has_cut_is_told_once(void **state)
{
    struct fixture *f = *state;
    char words[ADAPTER_LEARNT_SIZE];

    assert_false(mb_cuts_learnt(&f->device, words, sizeof(words)));
    poll_once(f, 2, 0);
    assert_true(mb_cuts_learnt(&f->device, words, sizeof(words)));
    assert_string_equal(words, "3:12 3:14");
    poll_once(f, 2, 0);
    assert_false(mb_cuts_learnt(&f->device, words, sizeof(words)));
}

static void a_device_that_was_told_what_it_learnt_asks_like_one_that_learnt_it(void **state)
{
    struct fixture *f = *state;
    char words[ADAPTER_LEARNT_SIZE];

    poll_once(f, 125, 14);
    expect_blocks(f, "10+4 14+1 15+1");
    assert_true(mb_cuts_learnt(&f->device, words, sizeof(words)));
    make_device(f, words);
    expect_blocks(f, "10+4 14+1 15+1");
    poll_once(f, 125, 14);
    assert_false(mb_cuts_learnt(&f->device, words, sizeof(words)));
}

static void later_cuts_are_told_with_those_of_before(void **state)
{
    struct fixture *f = *state;
    char words[ADAPTER_LEARNT_SIZE];

    make_device(f, "3:14");
    poll_once(f, 3, 0);
    assert_true(mb_cuts_learnt(&f->device, words, sizeof(words)));
    assert_string_equal(words, "3:12 3:14");
}

static void a_device_that_refuses_everything_has_taught_nothing(void **state)
{
    struct fixture *f = *state;
    char words[ADAPTER_LEARNT_SIZE];

    poll_once(f, 0, 0);
    assert_false(mb_cuts_learnt(&f->device, words, sizeof(words)));
    poll_once(f, 125, 0);
    assert_false(mb_cuts_learnt(&f->device, words, sizeof(words)));
}

static void what_does_not_fit_the_channels_of_today_is_passed_over(void **state)
{
    struct fixture *f = *state;
    static const char *const words[] = {"",   "3:10",  "3:11", "4:14",  "3:99999999",
                                        "3:", "hello", ":",    "3:14x", NULL};

    for (size_t i = 0; words[i]; i++) {
        make_device(f, words[i]);
        expect_blocks(f, i == 8 ? "10+4 14+2" : "10+6");
    }
}

static void cuts_without_room_are_left_out_whole(void **state)
{
    struct fixture *f = *state;
    char words[16];

    poll_once(f, 2, 0);
    assert_true(mb_cuts_learnt(&f->device, words, sizeof(words)));
    assert_string_equal(words, "3:12 3:14");
    make_device(f, NULL);
    poll_once(f, 2, 0);
    assert_true(mb_cuts_learnt(&f->device, words, 12));
    assert_string_equal(words, "3:12");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_a_poll_has_cut_is_told_once),
        TEST(a_device_that_was_told_what_it_learnt_asks_like_one_that_learnt_it),
        TEST(later_cuts_are_told_with_those_of_before),
        TEST(a_device_that_refuses_everything_has_taught_nothing),
        TEST(what_does_not_fit_the_channels_of_today_is_passed_over),
        TEST(cuts_without_room_are_left_out_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
