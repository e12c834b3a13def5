#include "adapters/onewire/onewire.h"

#include "adapter_config.h"
#include "loop_guard.h"
#include "made_owserver.h"

#define A       "/uncached/28.0000000000AA/temperature"
#define B       "/uncached/28.0000000000BB/temperature"
#define CONVERT "w/simultaneous/temperature=1"
#define DEVICES                                                                      \
    "a: { address = \"28-0000000000aa\" } b: { address = \"28-0000000000bb\" } "     \
    "c: { address = \"29.0000000000CC\"; channels: { out: { property = \"PIO.0\" } " \
    "level: { property = \"volt.A\"; scale = 10; offset = 1 } "                      \
    "chip: { property = \"type\"; type = \"text\" } } }"

static struct guard guard;
static struct made_host host;
static struct ows server;
static struct made *made;
static void *bus;
static uint8_t ended[MADE_DEVICES + 1]; /* by ticket */
static int stop_after;

static void take_end(struct adapter_host *of, uint64_t ticket, uint8_t quality)
{
    (void)of;
    ended[ticket] = quality;
    if (--stop_after == 0)
        loop_stop(guard.loop);
}

static int setup(void **state)
{
    struct error error;

    (void)state;
    memset(&server, 0, sizeof(server));
    guard_open(&guard);
    host_init(&host);
    host.host.loop = guard.loop;
    host.host.end = take_end;
    ows_start(&server);
    ows_answer(&server, "/simultaneous/temperature", "");
    ows_answer(&server, A, "     21.5625");
    ows_answer(&server, B, "        22.5");
    ows_answer(&server, "/uncached/29.0000000000CC/PIO.0", "1");
    ows_answer(&server, "/uncached/29.0000000000CC/volt.A", "         3.4");
    ows_answer(&server, "/uncached/29.0000000000CC/type", "DS2408");
    ows_answer(&server, "/29.0000000000CC/PIO.0", "");
    made = made_bus(&onewire_owserver_adapter, server.connect, DEVICES);
    assert_int_equal(problems_errors(made->problems), 0);
    return onewire_owserver_adapter.open(&made->config, &host.host, &bus, &error);
}

static int teardown(void **state)
{
    (void)state;
    onewire_owserver_adapter.close(bus);
    ows_stop(&server);
    made_free(made);
    guard_close(&guard);
    return 0;
}

static void poll_devices(const char *names)
{
    stop_after = (int)strlen(names);
    for (; *names; names++)
        onewire_owserver_adapter.begin(bus, (uint32_t)(*names - 'a'), (uint64_t)(*names - 'a'));
    guard_run(&guard);
}

static void assert_value(uint32_t device, uint32_t channel, double number)
{
    assert_string_equal(quality_name(ended[device]), "good");
    assert_string_equal(quality_name(host.samples[device][channel].quality), "good");
    assert_true(host.samples[device][channel].number == number);
}

static void assert_bad(uint32_t device, uint32_t channel, uint8_t quality)
{
    assert_string_equal(quality_name(ended[device]), "good");
    assert_string_equal(quality_name(host.samples[device][channel].quality), quality_name(quality));
}

static void properties_become_numbers_bits_and_texts(void **state)
{
    (void)state;
    poll_devices("abc");
    assert_value(0, 0, 21.5625);
    assert_value(1, 0, 22.5);
    assert_value(2, 0, 1);
    assert_value(2, 1, 35);
    assert_string_equal(host.samples[2][2].text, "DS2408");
}

static void thermometers_are_measured_by_one_conversion_each_round(void **state)
{
    (void)state;
    for (int round = 1; round <= 3; round++) {
        poll_devices("abc");
        assert_int_equal(ows_count(&server, CONVERT), round);
    }
    assert_int_equal(ows_count(&server, "r" A), 3);
    poll_devices("c");
    assert_int_equal(ows_count(&server, CONVERT), 3);
}

static void one_that_is_polled_alone_has_a_conversion_too(void **state)
{
    (void)state;
    poll_devices("a");
    poll_devices("a");
    assert_int_equal(ows_count(&server, CONVERT), 2);
    poll_devices("b");
    assert_int_equal(ows_count(&server, CONVERT), 2);
}

static void a_server_that_converts_for_nobody_is_told_once_and_read_all_the_same(void **state)
{
    (void)state;
    ows_answer(&server, "/simultaneous/temperature", "!66");
    poll_devices("ab");
    poll_devices("ab");
    assert_value(0, 0, 21.5625);
    assert_int_equal(ows_count(&server, CONVERT), 1);
    assert_int_equal(host.n_links, 2); /* the other is the connection */
    assert_string_equal(host.links[1], "note: thermometers are measured one after the other: "
                                       "owserver may not write");
}

static void a_property_that_cannot_be_read_takes_no_other_with_it(void **state)
{
    (void)state;
    ows_answer(&server, "/uncached/29.0000000000CC/PIO.0", "!58");
    ows_answer(&server, "/uncached/29.0000000000CC/volt.A", "much");
    poll_devices("c");
    assert_bad(2, 0, QUALITY_CRC);
    assert_bad(2, 1, QUALITY_PROTOCOL);
    assert_bad(2, 2, QUALITY_GOOD);
}

static void a_sensor_that_is_gone_is_no_sensor(void **state)
{
    (void)state;
    ows_answer(&server, A, "!1");
    poll_devices("ab");
    assert_string_equal(quality_name(ended[0]), "no_sensor");
    assert_value(1, 0, 22.5);
}

static void an_error_without_a_reason_is_told_in_words_once(void **state)
{
    (void)state;
    ows_answer(&server, A, "!1234");
    poll_devices("a");
    poll_devices("a");
    assert_string_equal(quality_name(ended[0]), "error");
    assert_int_equal(host.n_links, 2);
    assert_string_equal(host.links[1], "note: " A ": owserver says error 1234");
}

static void eighty_five_is_believed_when_the_next_conversion_says_it_too(void **state)
{
    (void)state;
    poll_devices("a");
    ows_answer(&server, A, "          85");
    poll_devices("a");
    assert_bad(0, 0, QUALITY_POWER_ON);
    poll_devices("a");
    assert_value(0, 0, 85);
    poll_devices("a");
    assert_value(0, 0, 85);
}

static void eighty_five_of_a_power_on_is_no_value(void **state)
{
    (void)state;
    poll_devices("a");
    ows_answer(&server, A, "          85");
    poll_devices("a");
    assert_bad(0, 0, QUALITY_POWER_ON);
    ows_answer(&server, A, "        21.5");
    poll_devices("a");
    assert_value(0, 0, 21.5);
}

static void low_power_and_nonsense_have_their_reasons(void **state)
{
    (void)state;
    ows_answer(&server, A, "    127.9375");
    poll_devices("a");
    assert_bad(0, 0, QUALITY_LOW_POWER);
    ows_answer(&server, A, "1e300");
    poll_devices("a");
    assert_bad(0, 0, QUALITY_OUT_OF_RANGE);
}

static void a_server_that_is_away_is_disconnected(void **state)
{
    (void)state;
    ows_stop(&server);
    poll_devices("abc");
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(quality_name(ended[i]), "disconnected");
}

static uint8_t write_number(uint32_t device, uint32_t channel, double number)
{
    struct write_request request = {.device = device, .channel = channel, .number = number};

    stop_after = 1;
    onewire_owserver_adapter.begin_write(bus, &request, MADE_DEVICES);
    guard_run(&guard);
    return ended[MADE_DEVICES];
}

static void a_value_is_written_as_the_property_has_it(void **state)
{
    (void)state;
    ows_answer(&server, "/29.0000000000CC/volt.A", "");
    assert_int_equal(write_number(2, 0, 1), QUALITY_GOOD);
    assert_int_equal(write_number(2, 1, 35), QUALITY_GOOD);
    assert_int_equal(ows_count(&server, "w/29.0000000000CC/PIO.0=1 "), 1);
    assert_int_equal(ows_count(&server, "w/29.0000000000CC/volt.A=3.4 "), 1);
}

static void a_write_that_is_refused_says_so(void **state)
{
    (void)state;
    ows_answer(&server, "/29.0000000000CC/PIO.0", "!95");
    assert_int_equal(write_number(2, 0, 1), QUALITY_ERROR);
}

static void what_is_under_way_when_the_bus_closes_is_freed(void **state)
{
    struct write_request request = {.device = 2, .number = 1};

    (void)state;
    for (uint32_t device = 0; device < 3; device++)
        onewire_owserver_adapter.begin(bus, device, device);
    onewire_owserver_adapter.begin_write(bus, &request, MADE_DEVICES);
    onewire_owserver_adapter.begin_write(bus, &request, MADE_DEVICES);
}

static void stop_loop(void)
{
    loop_stop(guard.loop);
}

static void thermometers_that_nobody_wrote_appear(void **state)
{
    struct error error;

    (void)state;
    onewire_owserver_adapter.close(bus);
    made_free(made);
    made = made_bus_with(&onewire_owserver_adapter, server.connect, "discover = true;",
                         "a: { address = \"28-0000000000aa\" }");
    ows_answer(&server, "/uncached",
               "/uncached/28.0000000000AA,/uncached/1D.0000000000DD,/uncached/10.0000000000EE,/x");
    host.on_found = stop_loop;
    assert_int_equal(onewire_owserver_adapter.open(&made->config, &host.host, &bus, &error), 0);
    guard_run(&guard);
    assert_string_equal(host.found, "w1_10_0000000000ee address=10-0000000000ee ");
}

static void who_asks_for_it_has_new_ones_looked_for_at_once(void **state)
{
    struct error error;

    (void)state;
    onewire_owserver_adapter.look(bus); /* it does not discover: nothing happens */
    onewire_owserver_adapter.close(bus);
    made_free(made);
    made = made_bus_with(&onewire_owserver_adapter, server.connect, "discover = true;",
                         "a: { address = \"28-0000000000aa\" }");
    ows_answer(&server, "/uncached", "/uncached/10.0000000000EE");
    host.on_found = stop_loop;
    assert_int_equal(onewire_owserver_adapter.open(&made->config, &host.host, &bus, &error), 0);
    onewire_owserver_adapter.look(bus);
    onewire_owserver_adapter.look(bus); /* it is about to know */
    guard_run(&guard);
    onewire_owserver_adapter.look(bus); /* and not only in ten seconds */
    guard_run(&guard);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(properties_become_numbers_bits_and_texts),
        TEST(thermometers_are_measured_by_one_conversion_each_round),
        TEST(one_that_is_polled_alone_has_a_conversion_too),
        TEST(a_server_that_converts_for_nobody_is_told_once_and_read_all_the_same),
        TEST(a_property_that_cannot_be_read_takes_no_other_with_it),
        TEST(a_sensor_that_is_gone_is_no_sensor),
        TEST(an_error_without_a_reason_is_told_in_words_once),
        TEST(eighty_five_is_believed_when_the_next_conversion_says_it_too),
        TEST(eighty_five_of_a_power_on_is_no_value),
        TEST(low_power_and_nonsense_have_their_reasons),
        TEST(a_server_that_is_away_is_disconnected),
        TEST(a_value_is_written_as_the_property_has_it),
        TEST(a_write_that_is_refused_says_so),
        TEST(thermometers_that_nobody_wrote_appear),
        TEST(who_asks_for_it_has_new_ones_looked_for_at_once),
        TEST(what_is_under_way_when_the_bus_closes_is_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
