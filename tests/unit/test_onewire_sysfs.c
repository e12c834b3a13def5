#include "adapters/onewire/onewire.h"

#include "adapter_config.h"
#include "made_onewire.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define M1 "w1_bus_master1"
#define M2 "w1_bus_master2"
#define A  "28-0000000000aa"
#define B  "28-0000000000bb"
#define C  "28-0000000000cc"

static struct files files;
static struct made_host host;
static struct made *made;
static void *bus;

static int setup(void **state)
{
    (void)state;
    files_init(&files);
    host_init(&host);
    made = NULL;
    bus = NULL;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    onewire_sysfs_adapter.close(bus);
    if (made)
        made_free(made);
    files_remove(&files, "");
    return 0;
}

/* The devices a, b, c, ... with these addresses, in the test's own tree. */
static void open_bus(const char *const addresses[], size_t n)
{
    char connect[100], devices[1000] = "";
    size_t length = 0;
    struct error error;

    for (size_t i = 0; i < n; i++)
        text_append(devices, sizeof(devices), &length, "%c: { address = \"%s\" } ", (char)('a' + i),
                    addresses[i]);
    snprintf(connect, sizeof(connect), "sysfs:%s", files.root);
    made = made_bus(&onewire_sysfs_adapter, connect, devices);
    assert_int_equal(problems_errors(made->problems), 0);
    assert_int_equal(onewire_sysfs_adapter.open(&made->config, &host.host, &bus, &error), 0);
}

static void open_one(const char *address)
{
    open_bus(&address, 1);
}

static int32_t lane_of(uint32_t device)
{
    return onewire_sysfs_adapter.lane_of(bus, device);
}

static uint8_t poll_device(uint32_t device)
{
    return onewire_sysfs_adapter.poll(bus, device, (uint32_t)lane_of(device));
}

static void assert_value(uint32_t device, double number)
{
    assert_int_equal(poll_device(device), QUALITY_GOOD);
    assert_int_equal(host.samples[device][0].quality, QUALITY_GOOD);
    assert_int_equal(host.samples[device][0].kind, VALUE_NUMBER);
    assert_true(host.samples[device][0].number == number);
}

/* The device answered, with a reason in place of a value. */
static void assert_bad_value(uint32_t device, uint8_t quality)
{
    assert_int_equal(poll_device(device), QUALITY_GOOD);
    assert_string_equal(quality_name(host.samples[device][0].quality), quality_name(quality));
    assert_int_equal(host.samples[device][0].kind, VALUE_NONE);
}

/* The poll failed, and nothing was reported. */
static void assert_failed(uint32_t device, uint8_t quality)
{
    size_t before = host.n_reports[device];

    assert_string_equal(quality_name(poll_device(device)), quality_name(quality));
    assert_int_equal(host.n_reports[device], before);
}

static void put_slave(const char *text)
{
    files_put(&files, M1 "/" A "/w1_slave", text);
}

static void put_value(int milli_c)
{
    char text[200];

    put_slave(made_slave_text(milli_c, text));
}

/* -- values ------------------------------------------------------------------------------------ */

static void a_temperature_is_read(void **state)
{
    (void)state;
    made_sensor(&files, M1, A, 21562);
    open_one(A);
    assert_value(0, 21.562);
    put_value(-62);
    assert_value(0, -0.062);
    assert_int_equal(host.n_links, 1);
    assert_string_equal(host.links[0], M1 " up");
}

static void a_damaged_answer_is_a_failed_poll(void **state)
{
    const uint8_t ones[9] = {255, 255, 255, 255, 255, 255, 255, 255, 255};
    const uint8_t lie[9] = {0x72, 1, 75, 70, 127, 255, 14, 16, 0x58};
    char text[200];

    (void)state;
    made_sensor(&files, M1, A, 21000);
    open_one(A);
    assert_value(0, 21);
    put_slave(made_pad_text(ones, "NO", 21000, text));
    assert_failed(0, QUALITY_CRC);
    put_slave(made_pad_text(lie, "YES", 23125, text));
    assert_failed(0, QUALITY_CRC);
}

static void zeros_and_a_supply_that_breaks_down_are_low_power(void **state)
{
    const uint8_t zeros[9] = {0};
    char text[200];

    (void)state;
    made_sensor(&files, M1, A, 21000);
    open_one(A);
    put_slave(made_pad_text(zeros, "YES", 0, text));
    assert_bad_value(0, QUALITY_LOW_POWER);
    put_value(127937);
    assert_bad_value(0, QUALITY_LOW_POWER);
}

static void other_texts_are_a_failed_poll(void **state)
{
    static char huge[10000];
    static const char *const wrong[] = {"", "\n", "21000\n", "rubbish \x01\xff\n\n"};

    (void)state;
    made_sensor(&files, M1, A, 21000);
    open_one(A);
    for (size_t i = 0; i < 4; i++) {
        put_slave(wrong[i]);
        assert_failed(0, QUALITY_PROTOCOL);
    }
    memset(huge, 'x', sizeof(huge));
    files_put_bytes(&files, M1 "/" A "/w1_slave", huge, sizeof(huge));
    assert_failed(0, QUALITY_PROTOCOL);
    files_put_bytes(&files, M1 "/" A "/w1_slave", "\0\0\0\0", 4);
    assert_failed(0, QUALITY_PROTOCOL);
}

static void the_bare_temperature_is_read_where_there_is_nothing_better(void **state)
{
    (void)state;
    files_put(&files, M1 "/" A "/temperature", "21562\n");
    open_one(A);
    assert_value(0, 21.562);
    files_put(&files, M1 "/" A "/temperature", "warm\n");
    assert_failed(0, QUALITY_PROTOCOL);
    put_slave("");
    assert_failed(0, QUALITY_PROTOCOL);
}

/* -- 85 degrees -------------------------------------------------------------------------------- */

static void eighty_five_that_the_second_reading_confirms_is_a_value(void **state)
{
    (void)state;
    made_sensor(&files, M1, A, 85000);
    open_one(A);
    assert_value(0, 85);
}

struct change {
    char first[200]; /* what a reader gets that is there already */
    char then[200];  /* what the next one finds; "": no file */
};

/* A conversion after which the file is another: whoever has opened the FIFO still gets the first.
 */
static void *change_under_reader(void *arg)
{
    const struct change *change = arg;
    char path[FILES_PATH_MAX];
    int fd = open(files_path(&files, M1 "/" A "/w1_slave", path), O_WRONLY);

    if (*change->then)
        put_slave(change->then);
    else
        files_must(unlink(path) == 0);
    files_must(write(fd, change->first, strlen(change->first)) == (ssize_t)strlen(change->first));
    close(fd);
    return NULL;
}

static pthread_t start_change(struct change *change)
{
    pthread_t thread;
    char path[FILES_PATH_MAX];

    unlink(files_path(&files, M1 "/" A "/w1_slave", path));
    files_put_fifo(&files, M1 "/" A "/w1_slave");
    assert_int_equal(pthread_create(&thread, NULL, change_under_reader, change), 0);
    return thread;
}

static void eighty_five_near_the_value_before_needs_no_second_reading(void **state)
{
    struct change change = {.then = ""};
    pthread_t thread;

    (void)state;
    made_sensor(&files, M1, A, 80000);
    open_one(A);
    assert_value(0, 80);
    made_slave_text(85000, change.first);
    thread = start_change(&change);
    assert_value(0, 85);
    pthread_join(thread, NULL);
}

static void eighty_five_after_power_on_gives_way_to_the_second_reading(void **state)
{
    struct change change;
    pthread_t thread;

    (void)state;
    made_sensor(&files, M1, A, 21000);
    open_one(A);
    assert_value(0, 21);
    made_slave_text(85000, change.first);
    made_slave_text(21500, change.then);
    thread = start_change(&change);
    assert_value(0, 21.5);
    pthread_join(thread, NULL);
}

static void eighty_five_that_nothing_confirms_is_the_value_of_power_on(void **state)
{
    struct change change = {.then = ""};
    pthread_t thread;

    (void)state;
    made_sensor(&files, M1, A, 21000);
    open_one(A);
    assert_value(0, 21);
    made_slave_text(85000, change.first);
    thread = start_change(&change);
    assert_bad_value(0, QUALITY_POWER_ON);
    pthread_join(thread, NULL);
}

/* -- coming and going -------------------------------------------------------------------------- */

static void a_file_that_vanished_after_it_was_listed_is_no_sensor(void **state)
{
    (void)state;
    files_put(&files, M1 "/w1_master_slaves", A "\n");
    open_one(A);
    assert_failed(0, QUALITY_NO_SENSOR);
    files_put_folder(&files, M1 "/" A);
    assert_failed(0, QUALITY_NO_SENSOR);
    put_value(5000);
    assert_value(0, 5);
}

static void a_sensor_that_was_never_there_is_no_sensor(void **state)
{
    (void)state;
    made_sensor(&files, M1, A, 21000);
    open_one(B);
    assert_failed(0, QUALITY_NO_SENSOR);
    made_sensor(&files, M1, B, 5000);
    assert_value(0, 5);
}

static void a_missing_tree_is_disconnected_until_it_comes(void **state)
{
    (void)state;
    open_one(A);
    files_remove(&files, "");
    assert_failed(0, QUALITY_DISCONNECTED);
    assert_failed(0, QUALITY_DISCONNECTED);
    assert_int_equal(host.n_links, 1);
    assert_non_null(strstr(host.links[0], "1-Wire is not switched on? add dtoverlay=w1-gpio"));
    files_must(mkdir(files.root, 0777) == 0);
    made_sensor(&files, M1, A, 5000);
    assert_value(0, 5);
}

static void a_master_that_vanished_is_disconnected_and_said_once(void **state)
{
    (void)state;
    made_sensor(&files, M1, A, 21000);
    made_sensor(&files, M2, B, 22000);
    open_bus((const char *[]){A, B}, 2);
    assert_value(0, 21);
    assert_value(1, 22);
    files_remove(&files, M1);
    assert_failed(0, QUALITY_DISCONNECTED);
    assert_failed(0, QUALITY_DISCONNECTED);
    assert_value(1, 22);
    assert_int_equal(host.n_links, 3);
    assert_non_null(strstr(host.links[2], M1 " down: it is gone"));
}

static void a_sensor_that_may_not_be_read_says_why_once(void **state)
{
    (void)state;
    made_sensor(&files, M1, A, 21000);
    open_one(A);
    files_remove(&files, M1 "/" A "/w1_slave");
    files_put_link(&files, M1 "/" A "/w1_slave", "w1_slave"); /* which leads to itself */
    assert_failed(0, QUALITY_ERROR);
    assert_failed(0, QUALITY_ERROR);
    assert_int_equal(host.n_links, 2);
    assert_non_null(strstr(host.links[1], A " down: Too many levels of symbolic links"));
    files_remove(&files, M1 "/" A "/w1_slave");
    assert_failed(0, QUALITY_NO_SENSOR);
    put_value(21000);
    assert_value(0, 21);
    assert_int_equal(host.n_links, 3);
    assert_string_equal(host.links[2], A " up");
}

/* -- lanes ------------------------------------------------------------------------------------- */

static void each_master_has_a_lane_and_there_is_one_more(void **state)
{
    (void)state;
    made_sensor(&files, M1, A, 21000);
    made_sensor(&files, M2, B, 22000);
    open_bus((const char *[]){A, B, C}, 3);
    assert_int_equal(onewire_sysfs_adapter.lanes(bus), 3);
    assert_int_not_equal(lane_of(0), lane_of(1));
    assert_true(lane_of(0) < 2 && lane_of(1) < 2);
    assert_int_equal(lane_of(2), 2);
}

static void there_are_never_more_lanes_than_sensors(void **state)
{
    static const char *const addresses[] = {A, B}; /* of which one is on the later master */

    (void)state;
    made_sensor(&files, M1, A, 21000);
    made_sensor(&files, M2, B, 21000);
    for (size_t i = 0; i < 2; i++) {
        open_one(addresses[i]);
        assert_int_equal(onewire_sysfs_adapter.lanes(bus), 1);
        assert_int_equal(lane_of(0), 0);
        assert_value(0, 21);
        assert_int_equal(lane_of(0), 0);
        onewire_sysfs_adapter.close(bus);
        bus = NULL;
        made_free(made);
        made = NULL;
    }
}

static void a_tree_without_masters_is_one_lane(void **state)
{
    (void)state;
    files_put_folder(&files, A);
    open_bus((const char *[]){A, B}, 2);
    assert_int_equal(onewire_sysfs_adapter.lanes(bus), 1);
    assert_int_equal(lane_of(0), 0);
    assert_int_equal(lane_of(1), 0);
}

static void a_sensor_that_moves_is_read_at_once_and_then_on_its_new_lane(void **state)
{
    (void)state;
    made_sensor(&files, M1, A, 21000);
    made_sensor(&files, M2, B, 22000);
    open_bus((const char *[]){A, B}, 2);
    assert_value(0, 21);
    assert_value(1, 22);
    made_remove_sensor(&files, M1, A);
    assert_failed(0, QUALITY_NO_SENSOR);
    made_sensor(&files, M2, A, 5000);
    assert_value(0, 5);
    assert_int_equal(lane_of(0), lane_of(1));
}

static void a_sensor_on_a_master_that_came_late_is_read_on_the_last_lane(void **state)
{
    (void)state;
    made_sensor(&files, M1, A, 21000);
    open_bus((const char *[]){A, B}, 2);
    assert_failed(1, QUALITY_NO_SENSOR);
    made_sensor(&files, M2, B, 22000);
    assert_value(1, 22);
    assert_int_equal(lane_of(0), 0);
    assert_int_equal(lane_of(1), 1);
}

static void *poll_first(void *arg)
{
    (void)arg;
    return (void *)(intptr_t)poll_device(0);
}

static void a_conversion_on_one_master_lets_the_others_go_on(void **state)
{
    char path[FILES_PATH_MAX], text[200];
    pthread_t thread;
    void *quality;
    int fd;

    (void)state;
    made_sensor(&files, M1, A, 21000);
    made_sensor(&files, M2, B, 22000);
    files_remove(&files, M1 "/" A "/w1_slave");
    files_put_fifo(&files, M1 "/" A "/w1_slave");
    open_bus((const char *[]){A, B, C}, 3);
    assert_int_equal(pthread_create(&thread, NULL, poll_first, NULL), 0);
    fd = open(files_path(&files, M1 "/" A "/w1_slave", path), O_WRONLY); /* once it is read */
    for (int i = 0; i < 3; i++) {
        assert_value(1, 22);
        assert_failed(2, QUALITY_NO_SENSOR);
    }
    assert_int_equal(host.n_reports[0], 0);
    made_slave_text(21500, text);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    pthread_join(thread, &quality);
    close(fd);
    assert_int_equal((intptr_t)quality, QUALITY_GOOD);
    assert_true(host.samples[0][0].number == 21.5);
}

struct lane_run {
    uint32_t device;
    size_t polls;
};

static void *poll_many(void *arg)
{
    struct lane_run *run = arg;

    for (; run->polls < 300; run->polls++) {
        uint8_t quality = poll_device(run->device);

        files_must(quality == QUALITY_GOOD || quality == QUALITY_NO_SENSOR ||
                   quality == QUALITY_DISCONNECTED);
    }
    return NULL;
}

/* Lanes poll, a master comes and goes, the loop asks for lanes: for the sanitizers of threads. */
static void lanes_do_not_disturb_each_other_while_masters_come_and_go(void **state)
{
    struct lane_run runs[3] = {{0, 0}, {1, 0}, {2, 0}};
    pthread_t threads[3];

    (void)state;
    made_sensor(&files, M1, A, 21000);
    made_sensor(&files, M2, B, 22000);
    open_bus((const char *[]){A, B, C}, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, poll_many, &runs[i]), 0);
    for (int i = 0; i < 30; i++) {
        made_remove_sensor(&files, M2, B);
        files_remove(&files, M2);
        made_sensor(&files, M2, B, 22000);
        for (uint32_t device = 0; device < 3; device++)
            assert_in_range(lane_of(device), 0, 2);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_value(0, 21);
    assert_value(1, 22);
    assert_failed(2, QUALITY_NO_SENSOR);
}

/* -- measured at once -------------------------------------------------------------------------- */

static void sensors_of_one_master_are_measured_by_one_conversion(void **state)
{
    struct made_bulk kernel = {.count = 0};

    (void)state;
    made_sensor(&files, M1, A, 21000);
    made_sensor(&files, M1, B, 22000);
    files_put(&files, M1 "/w1_master_slaves", A "\n" B "\n");
    made_bulk_start(&kernel, &files, M1);
    open_bus((const char *[]){A, B}, 2);
    for (int round = 1; round <= 3; round++) {
        assert_value(0, 21);
        assert_value(1, 22);
        assert_int_equal(made_bulk_count(&kernel), round);
    }
    made_bulk_stop(&kernel);
}

static void a_resolution_of_the_config_is_set_when_the_sensor_turns_up(void **state)
{
    char connect[100], path[FILES_PATH_MAX], text[ATTRIBUTE_MAX + 1];
    struct error error;

    (void)state;
    snprintf(connect, sizeof(connect), "sysfs:%s", files.root);
    made = made_bus(&onewire_sysfs_adapter, connect, "a: { address = \"" A "\"; resolution = 10 }");
    assert_int_equal(onewire_sysfs_adapter.open(&made->config, &host.host, &bus, &error), 0);
    assert_failed(0, QUALITY_DISCONNECTED);
    made_sensor(&files, M1, A, 21000);
    files_put(&files, M1 "/" A "/resolution", "12\n");
    assert_value(0, 21);
    assert_true(attribute_read(files_path(&files, M1 "/" A "/resolution", path), text) > 0);
    assert_string_equal(text, "10\n");
}

static void a_bus_without_sensors_has_no_lane(void **state)
{
    (void)state;
    open_bus(NULL, 0);
    assert_int_equal(onewire_sysfs_adapter.lanes(bus), 0);
}

/* -- options ----------------------------------------------------------------------------------- */

static void assert_problem(const char *connect, const char *devices, const char *line)
{
    struct made *wrong = made_bus(&onewire_sysfs_adapter, connect, devices);

    assert_int_equal(problems_errors(wrong->problems), 1);
    assert_non_null(strstr(problems_line(wrong->problems, 0), line));
    made_free(wrong);
}

static void a_folder_that_is_none_is_told(void **state)
{
    (void)state;
    assert_problem("sysfs:w1", "a: { address = \"" A "\" }", "\"sysfs:w1\" is no path from /");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_temperature_is_read),
        TEST(a_damaged_answer_is_a_failed_poll),
        TEST(zeros_and_a_supply_that_breaks_down_are_low_power),
        TEST(other_texts_are_a_failed_poll),
        TEST(the_bare_temperature_is_read_where_there_is_nothing_better),
        TEST(eighty_five_that_the_second_reading_confirms_is_a_value),
        TEST(eighty_five_near_the_value_before_needs_no_second_reading),
        TEST(eighty_five_after_power_on_gives_way_to_the_second_reading),
        TEST(eighty_five_that_nothing_confirms_is_the_value_of_power_on),
        TEST(a_file_that_vanished_after_it_was_listed_is_no_sensor),
        TEST(a_sensor_that_was_never_there_is_no_sensor),
        TEST(a_missing_tree_is_disconnected_until_it_comes),
        TEST(a_master_that_vanished_is_disconnected_and_said_once),
        TEST(a_sensor_that_may_not_be_read_says_why_once),
        TEST(each_master_has_a_lane_and_there_is_one_more),
        TEST(there_are_never_more_lanes_than_sensors),
        TEST(a_tree_without_masters_is_one_lane),
        TEST(a_sensor_that_moves_is_read_at_once_and_then_on_its_new_lane),
        TEST(a_sensor_on_a_master_that_came_late_is_read_on_the_last_lane),
        TEST(a_conversion_on_one_master_lets_the_others_go_on),
        TEST(lanes_do_not_disturb_each_other_while_masters_come_and_go),
        TEST(sensors_of_one_master_are_measured_by_one_conversion),
        TEST(a_resolution_of_the_config_is_set_when_the_sensor_turns_up),
        TEST(a_bus_without_sensors_has_no_lane),
        TEST(a_folder_that_is_none_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
