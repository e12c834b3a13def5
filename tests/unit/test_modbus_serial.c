
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/modbus/modbus.h"
#include "gateway/base/clock.h"
#include "gateway/base/enclosing.h"
#include "modbus_config.h"
#include "modbus_slave.h"

#include <modbus/modbus.h>
#include <stdio.h>

/* Two reads of the same length: what a late answer can be mixed up with. */
static const char *const channels[] = {"register=holding 5", "register=holding 105", NULL};

struct fixture {
    struct slave *slave;
    struct made *made;
    struct adapter_host host;
    void *bus;
    char folder[40], link[60], connect[80];
    struct sample newest[2][2];
    int notes;
    char note[300];
    int reports, ups, downs, exchanges[2];
    struct adapter_exchange exchange; /* the last */
    char why[300];
    const char *first; /* options of the first device */
};

static struct fixture *fixture_of(struct adapter_host *host)
{
    return enclosing(host, struct fixture, host);
}

static void on_report(struct adapter_host *host, uint32_t device, const struct sample *samples,
                      size_t count)
{
    struct fixture *f = fixture_of(host);

    for (size_t i = 0; i < count; i++) {
        const struct sample *sample = &samples[i];

        f->reports++;
        f->newest[device][sample->channel] = *sample;
        if (sample->quality == QUALITY_GOOD) /* never a value of another register or unit */
            assert_true(sample->number == (sample->channel ? 105 : 5) * 10 + (int)device + 1);
    }
}

static void on_note(struct adapter_host *host, const char *words)
{
    struct fixture *f = fixture_of(host);

    f->notes++;
    snprintf(f->note, sizeof(f->note), "%s", words);
}

static void on_exchanged(struct adapter_host *host, uint32_t device,
                         const struct adapter_exchange *exchange)
{
    struct fixture *f = fixture_of(host);

    f->exchanges[device]++;
    f->exchange = *exchange;
}

static void on_link(struct adapter_host *host, const char *link, const char *why)
{
    struct fixture *f = fixture_of(host);

    assert_string_equal(link, f->link);
    snprintf(f->why, sizeof(f->why), "%s", why ? why : "");
    if (why)
        f->downs++;
    else
        f->ups++;
}

/* The line has a name of its own, as /dev/serial/by-id gives, that can point to another pty later.
 */
static void plug_in(struct fixture *f)
{
    f->slave = slave_new();
    unlink(f->link);
    assert_int_equal(symlink(f->slave->path, f->link), 0);
}

static void open_bus(struct fixture *f, const char *bus)
{
    struct error err;

    f->made = made_bus(&modbus_serial_adapter, bus);
    made_device(f->made, &modbus_serial_adapter, f->connect, f->first, channels);
    made_device(f->made, &modbus_serial_adapter, f->connect, "unit=2", channels);
    modbus_serial_adapter.check(&f->made->config, f->made->problems);
    assert_int_equal(problems_errors(f->made->problems), 0);
    assert_int_equal(modbus_serial_adapter.open(&f->made->config, &f->host, &f->bus, &err), 0);
    assert_int_equal(modbus_serial_adapter.lanes(f->bus), 1);
    assert_int_equal(modbus_serial_adapter.lane_of(f->bus, 1), 0);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    strcpy(f->folder, "/tmp/modbus_serial_XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->link, sizeof(f->link), "%s/line", f->folder);
    snprintf(f->connect, sizeof(f->connect), "serial:%s", f->link);
    f->first = "unit=1";
    f->host = (struct adapter_host){.report = on_report,
                                    .link = on_link,
                                    .exchanged = on_exchanged,
                                    .note = on_note,
                                    .learnt = made_learnt,
                                    .recall = made_recall};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    modbus_serial_adapter.close(f->bus);
    if (f->slave)
        slave_stop(f->slave);
    made_free(f->made);
    unlink(f->link);
    rmdir(f->folder);
    free(f);
    return 0;
}

static uint8_t poll_device(struct fixture *f, uint32_t device)
{
    return modbus_serial_adapter.poll(f->bus, device, 0);
}

static void two_units_of_a_line_are_read(void **state)
{
    struct fixture *f = *state;

    plug_in(f);
    slave_start(f->slave);
    open_bus(f, "baud=19200; parity=even; timeout=2s");
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(poll_device(f, i), QUALITY_GOOD);
        assert_true(f->newest[i][0].number == 51 + i);
        assert_true(f->newest[i][1].number == 1051 + i);
    }
    assert_int_equal(f->ups, 1);
    assert_int_equal(f->downs, 0);
}

static void a_line_on_which_nobody_answers_is_told_once(void **state)
{
    struct fixture *f = *state;

    plug_in(f);
    atomic_store(&f->slave->silent, 100);
    slave_start(f->slave);
    open_bus(f, "baud=115200; timeout=10ms; retries=0");
    for (int i = 0; i < 20; i++)
        poll_device(f, 0);
    assert_int_equal(f->notes, 1);
    assert_non_null(strstr(f->note, "nobody has answered at 115200 8N1"));
    assert_non_null(strstr(f->note, f->link));
}

static void every_request_is_counted_with_its_times(void **state)
{
    struct fixture *f = *state;

    plug_in(f);
    slave_start(f->slave);
    open_bus(f, "baud=19200; parity=even; timeout=100ms; retries=1");
    assert_int_equal(poll_device(f, 0), QUALITY_GOOD);
    assert_int_equal(f->exchanges[0], 2);
    assert_int_equal(f->exchange.quality, QUALITY_GOOD);
    assert_in_range(f->exchange.answer_us, 0, 100000);
    assert_true(f->exchange.busy_us > 0);
    atomic_store(&f->slave->silent, 2);
    assert_int_equal(poll_device(f, 0), QUALITY_TIMEOUT);
    assert_int_equal(f->exchanges[0], 4);
    assert_int_equal(f->exchange.quality, QUALITY_TIMEOUT);
    assert_true(f->exchange.busy_us >= 100000);
    assert_int_equal(f->exchanges[1], 0);
}

/* Slaves that are late, one request or several, for as long as a few of ours: on_report() holds
 * every value against its register. */
static int poll_late_slave(struct fixture *f, int late_ms)
{
    int good = 0;

    plug_in(f);
    slave_start(f->slave);
    open_bus(f, "baud=115200; timeout=60ms; retries=1");
    atomic_store(&f->slave->late_ms, late_ms);
    for (int i = 0; i < 16; i++) {
        atomic_store(&f->slave->late, i % 6);
        good += poll_device(f, 0) == QUALITY_GOOD;
        good += poll_device(f, 1) == QUALITY_GOOD;
    }
    return good;
}

static void a_late_answer_is_never_taken_for_another(void **state)
{
    assert_true(poll_late_slave(*state, 150) > 0);
}

static void nor_is_one_that_several_requests_are_ahead_of(void **state)
{
    assert_true(poll_late_slave(*state, 400) > 0);
}

static void nor_is_one_of_a_slave_that_refuses_longer_reads(void **state)
{
    struct fixture *f = *state;
    int good = 0;

    plug_in(f);
    atomic_store(&f->slave->strict, true);
    slave_start(f->slave);
    open_bus(f, "baud=115200; timeout=60ms; retries=1");
    atomic_store(&f->slave->late_ms, 100);
    for (int i = 0; i < 16; i++) {
        atomic_store(&f->slave->late, i % 6);
        good += poll_device(f, 0) == QUALITY_GOOD;
    }
    assert_true(good > 0);
    assert_true(atomic_load(&f->slave->echoes) > 0);
}

/* After silence there is no way to know whose answer comes next: it is left alone until nothing can
 * be late any more. */
static void nor_is_one_of_a_slave_that_ignores_the_echo_too(void **state)
{
    struct fixture *f = *state;
    int64_t until_ms;

    plug_in(f);
    atomic_store(&f->slave->strict, true);
    atomic_store(&f->slave->ignores_echo, true);
    slave_start(f->slave);
    open_bus(f, "baud=115200; timeout=60ms; retries=1");
    atomic_store(&f->slave->late_ms, 300);
    atomic_store(&f->slave->late, 3);
    until_ms = clock_boot_ms() + 30000;
    while (poll_device(f, 0) != QUALITY_GOOD && clock_boot_ms() < until_ms)
        usleep(20000);
    assert_int_equal(poll_device(f, 0), QUALITY_GOOD);
}

static void a_dead_unit_leaves_the_other_alone(void **state)
{
    struct fixture *f = *state;

    plug_in(f);
    atomic_store(&f->slave->dead_unit, 1);
    slave_start(f->slave);
    f->first = "unit=1; timeout=50ms"; /* the other has time, however busy the machine is */
    open_bus(f, "baud=115200; timeout=20s; retries=1");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(poll_device(f, 0), QUALITY_TIMEOUT);
        assert_int_equal(poll_device(f, 1), QUALITY_GOOD);
    }
    assert_int_equal(f->ups, 1);
    assert_int_equal(f->downs, 0);
    assert_int_equal(atomic_load(&f->slave->requests), 3 + 6); /* dead: one try a poll */
}

static void a_silent_request_is_asked_again(void **state)
{
    struct fixture *f = *state;

    plug_in(f);
    slave_start(f->slave);
    open_bus(f, "baud=115200; timeout=1s; retries=1");
    assert_int_equal(poll_device(f, 0), QUALITY_GOOD);
    atomic_store(&f->slave->silent, 1);
    assert_int_equal(poll_device(f, 0), QUALITY_GOOD);
    assert_int_equal(atomic_load(&f->slave->requests), 2 + 3);
}

/* Register 9 is the last that a strict slave has: the longer read after silence ends behind it. */
static void a_slave_that_refuses_the_longer_read_is_asked_for_what_it_has(void **state)
{
    static const char *const last[] = {"register=holding 9; offset=-40", NULL};
    struct fixture *f = *state;
    struct error err;

    plug_in(f);
    atomic_store(&f->slave->strict, true);
    slave_start(f->slave);
    f->made = made_bus(&modbus_serial_adapter, "baud=115200; timeout=500ms");
    made_device(f->made, &modbus_serial_adapter, f->connect, "unit=1", last);
    assert_int_equal(modbus_serial_adapter.open(&f->made->config, &f->host, &f->bus, &err), 0);
    assert_int_equal(poll_device(f, 0), QUALITY_GOOD);
    atomic_store(&f->slave->silent, 1);
    assert_int_equal(poll_device(f, 0), QUALITY_GOOD);
    assert_int_equal(f->newest[0][0].quality, QUALITY_GOOD);
    assert_int_equal(atomic_load(&f->slave->refused), 1);
    assert_int_equal(poll_device(f, 0), QUALITY_GOOD);
    assert_int_equal(atomic_load(&f->slave->refused), 1);
}

static void a_missing_line_is_told_once_and_found_when_it_comes(void **state)
{
    struct fixture *f = *state;
    int64_t until_ms = clock_boot_ms() + 12000;

    open_bus(f, "baud=115200; timeout=500ms");
    for (int i = 0; i < 5; i++)
        assert_int_equal(poll_device(f, 0), QUALITY_DISCONNECTED);
    assert_int_equal(f->downs, 1);
    assert_non_null(strstr(f->why, "is the stick plugged in"));
    plug_in(f);
    slave_start(f->slave);
    while (poll_device(f, 0) != QUALITY_GOOD && clock_boot_ms() < until_ms)
        usleep(20000);
    assert_int_equal(poll_device(f, 0), QUALITY_GOOD);
    assert_int_equal(f->ups, 1);
}

static void a_line_that_was_pulled_is_found_again_by_its_path(void **state)
{
    struct fixture *f = *state;
    int64_t until_ms;

    plug_in(f);
    slave_start(f->slave);
    open_bus(f, "baud=115200; timeout=500ms");
    assert_int_equal(poll_device(f, 0), QUALITY_GOOD);
    slave_stop(f->slave);
    f->slave = NULL;
    assert_int_equal(poll_device(f, 0), QUALITY_DISCONNECTED);
    assert_int_equal(f->downs, 1);
    plug_in(f);
    slave_start(f->slave);
    until_ms = clock_boot_ms() + 12000;
    while (poll_device(f, 0) != QUALITY_GOOD && clock_boot_ms() < until_ms)
        usleep(20000);
    assert_int_equal(poll_device(f, 0), QUALITY_GOOD);
    assert_int_equal(f->ups, 2);
    assert_int_equal(f->downs, 1);
}

/* -- against libmodbus ---------------------------------------------------------------------- */

struct peer {
    pthread_t thread;
    modbus_t *modbus;
    modbus_mapping_t *map;
    atomic_bool stop;
};

static void *serve(void *owner)
{
    struct peer *peer = owner;
    uint8_t request[MODBUS_RTU_MAX_ADU_LENGTH];

    while (!atomic_load(&peer->stop)) {
        int n = modbus_receive(peer->modbus, request);

        if (n > 0)
            modbus_reply(peer->modbus, request, n, peer->map);
        else if (n < 0)
            usleep(2000);
    }
    return NULL;
}

/* Unit 2, at the other end of the pty. */
static void start_peer(struct fixture *f, struct peer *peer)
{
    plug_in(f);
    peer->modbus = modbus_new_rtu("/dev/null", 9600, 'N', 8, 1);
    peer->map = modbus_mapping_new(10, 10, 200, 200);
    modbus_set_slave(peer->modbus, 2);
    modbus_set_socket(peer->modbus, f->slave->master);
    modbus_set_indication_timeout(peer->modbus, 0, 50000);
    assert_int_equal(pthread_create(&peer->thread, NULL, serve, peer), 0);
}

static void stop_peer(struct fixture *f, struct peer *peer)
{
    atomic_store(&peer->stop, true);
    pthread_join(peer->thread, NULL);
    modbus_mapping_free(peer->map);
    modbus_free(peer->modbus);
    slave_start(f->slave); /* so that teardown finds it as ever */
}

static void libmodbus_as_the_slave_is_read(void **state)
{
    struct fixture *f = *state;
    struct peer peer = {0};

    open_bus(f, "baud=115200; timeout=20s");
    start_peer(f, &peer);
    peer.map->tab_registers[5] = 52;
    peer.map->tab_registers[105] = 1052;
    assert_int_equal(poll_device(f, 1), QUALITY_GOOD);
    assert_true(f->newest[1][0].number == 52);
    assert_true(f->newest[1][1].number == 1052);
    stop_peer(f, &peer);
}

static uint8_t write_channel(struct fixture *f, uint32_t channel, double number)
{
    struct write_request request = {.device = 0, .channel = channel, .number = number};

    return modbus_serial_adapter.write(f->bus, &request, 0);
}

static void libmodbus_as_the_slave_is_written(void **state)
{
    static const char *const writable[] = {
        "register=coil 3; writable=true",
        "register=holding 5; type=int16; scale=0.1; writable=true",
        "register=holding 10; type=float32; order=CDAB; writable=true",
        "register=holding 20.4; writable=true",
        "register=holding 199; type=uint32; writable=true",
        NULL,
    };
    struct fixture *f = *state;
    struct peer peer = {0};
    struct error err;

    f->made = made_bus(&modbus_serial_adapter, "baud=115200; timeout=20s");
    made_device(f->made, &modbus_serial_adapter, f->connect, "unit=2; mask_write=true", writable);
    assert_int_equal(problems_errors(f->made->problems), 0);
    assert_int_equal(modbus_serial_adapter.open(&f->made->config, &f->host, &f->bus, &err), 0);
    start_peer(f, &peer);
    peer.map->tab_registers[20] = 0x0101;
    assert_int_equal(write_channel(f, 0, 1), QUALITY_GOOD);
    assert_int_equal(write_channel(f, 1, -21.7), QUALITY_GOOD);
    assert_int_equal(write_channel(f, 2, 21.75), QUALITY_GOOD);
    assert_int_equal(write_channel(f, 3, 1), QUALITY_GOOD);
    assert_int_equal(write_channel(f, 4, 1), QUALITY_EXCEPTION + 2); /* ends behind its last */
    assert_int_equal(write_channel(f, 1, 3276.8), QUALITY_OUT_OF_RANGE);
    assert_int_equal(peer.map->tab_bits[3], 1);
    assert_int_equal((int16_t)peer.map->tab_registers[5], -217);
    assert_int_equal(peer.map->tab_registers[10], 0);
    assert_int_equal(peer.map->tab_registers[11], 0x41ae);
    assert_int_equal(peer.map->tab_registers[20], 0x0111);
    stop_peer(f, &peer);
}

static void a_write_is_asked_once_and_a_missing_line_is_told(void **state)
{
    static const char *const writable[] = {"register=holding 5; writable=true", NULL};
    struct fixture *f = *state;
    struct error err;

    f->made = made_bus(&modbus_serial_adapter, "baud=115200; timeout=100ms; retries=3");
    made_device(f->made, &modbus_serial_adapter, f->connect, "unit=1", writable);
    assert_int_equal(modbus_serial_adapter.open(&f->made->config, &f->host, &f->bus, &err), 0);
    assert_int_equal(write_channel(f, 0, 1), QUALITY_DISCONNECTED);
    modbus_serial_adapter.close(f->bus);
    assert_int_equal(modbus_serial_adapter.open(&f->made->config, &f->host, &f->bus, &err), 0);
    plug_in(f);
    atomic_store(&f->slave->silent, 1);
    slave_start(f->slave);
    assert_int_equal(write_channel(f, 0, 1), QUALITY_TIMEOUT);
    assert_int_equal(atomic_load(&f->slave->requests), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(two_units_of_a_line_are_read),
        TEST(a_line_on_which_nobody_answers_is_told_once),
        TEST(every_request_is_counted_with_its_times),
        TEST(a_late_answer_is_never_taken_for_another),
        TEST(nor_is_one_that_several_requests_are_ahead_of),
        TEST(nor_is_one_of_a_slave_that_refuses_longer_reads),
        TEST(nor_is_one_of_a_slave_that_ignores_the_echo_too),
        TEST(a_dead_unit_leaves_the_other_alone),
        TEST(a_silent_request_is_asked_again),
        TEST(a_slave_that_refuses_the_longer_read_is_asked_for_what_it_has),
        TEST(a_missing_line_is_told_once_and_found_when_it_comes),
        TEST(a_line_that_was_pulled_is_found_again_by_its_path),
        TEST(libmodbus_as_the_slave_is_read),
        TEST(libmodbus_as_the_slave_is_written),
        TEST(a_write_is_asked_once_and_a_missing_line_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
