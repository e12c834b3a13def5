#include "gateway/cli/terminal.h"

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/core/inventory_edit.h"
#include "rules/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEADLINE_MS 20000

enum { TEMP, MODE, POWER };

static const struct inventory_sensor sensors[] = {
    [TEMP] = {.channel = "temp", .label = "Vorlauf", .unit = "°C", .decimals = 1},
    [MODE] = {.channel = "mode", .label = "mode", .unit = "", .kind = SENSOR_TEXT},
    [POWER] = {.channel = "power", .label = "power", .unit = "W", .device = 1},
};
static const struct inventory_device devices[] = {
    {.name = "boiler", .label = "Heizkessel", .first_sensor = TEMP, .n_sensors = 2},
    {.name = "meter", .label = "Meter", .first_sensor = POWER, .n_sensors = 1},
};
static const struct inventory_rule rules[] = {
    {.id = "hot", .label = "Too hot", .summary = "boiler.temp above 85"},
};

/* A terminal that writes into a file, at a clock that stands still: a pipe, or a screen. */
struct world {
    struct inventory *inventory;
    struct text_table *texts;
    struct terminal *terminal;
    FILE *to;
    int screen; /* the other side of a pseudo terminal; -1: none */
    char got[8000];
};

static struct world *make_world(FILE *to, int screen)
{
    struct world *world = calloc(1, sizeof(*world));
    setenv("TZ", "UTC0", 1);
    tzset();
    clock_use_fixed(1000000, INT64_C(1795266125000) - 1000000); /* 2026-11-21 13:02:05 */
    world->to = to;
    world->screen = screen;
    world->texts = text_table_new();
    world->inventory = inventory_new();
    world->inventory->texts = world->texts;
    world->inventory->sensors = sensors;
    world->inventory->devices = devices;
    world->inventory->rules = rules;
    world->inventory->n_sensors = 3;
    world->inventory->n_devices = 2;
    world->inventory->n_rules = 1;
    world->terminal = terminal_new(to);
    terminal_sink.inventory(world->terminal, world->inventory);
    return world;
}

static int open_file(void **state)
{
    *state = make_world(tmpfile(), -1);
    return 0;
}

static int open_screen(void **state)
{
    int screen = posix_openpt(O_RDWR | O_NOCTTY), terminal;
    if (screen < 0 || grantpt(screen) < 0 || unlockpt(screen) < 0)
        return -1;
    terminal = open(ptsname(screen), O_RDWR | O_NOCTTY);
    *state = make_world(fdopen(terminal, "w"), screen);
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    terminal_free(world->terminal);
    inventory_release(world->inventory);
    text_table_free(world->texts);
    fclose(world->to);
    if (world->screen >= 0)
        close(world->screen);
    clock_use_system();
    free(world);
    return 0;
}

/* All that was written so far. */
static const char *written(struct world *world)
{
    size_t length;
    rewind(world->to);
    length = fread(world->got, 1, sizeof(world->got) - 1, world->to);
    world->got[length] = '\0';
    return world->got;
}

/* What has come onto the screen since the last call, up to the end of a drawing. */
static const char *shown(struct world *world)
{
    struct pollfd wait = {.fd = world->screen, .events = POLLIN};
    size_t length = 0;
    fflush(world->to);
    world->got[0] = '\0';
    while (!strstr(world->got, "\033[J")) {
        ssize_t got;
        assert_int_equal(poll(&wait, 1, DEADLINE_MS), 1);
        got = read(world->screen, world->got + length, sizeof(world->got) - 1 - length);
        assert_true(got > 0);
        length += (size_t)got;
        world->got[length] = '\0';
    }
    return world->got;
}

static void pass(int64_t ms)
{
    clock_use_fixed(clock_boot_ms() + ms, INT64_C(1795266125000) - 1000000);
}

static void read_boiler(struct world *world, double temp)
{
    struct reading readings[] = {
        {.sensor = TEMP, .kind = VALUE_NUMBER, .number = temp},
        {.sensor = MODE, .kind = VALUE_TEXT, .text = text_table_add(world->texts, "auto")},
    };
    terminal_sink.readings(world->terminal, 0, readings, 2);
}

static struct event event_of(uint8_t type)
{
    return (struct event){.at_ms = clock_boot_ms(),
                          .since_ms = clock_boot_ms() - 90000,
                          .type = type,
                          .severity = SEVERITY_CRITICAL,
                          .kind = VALUE_NUMBER,
                          .number = 86.25,
                          .limit = 85};
}

/* -- into a file --------------------------------------------------------------------------------
 */

static void a_device_is_one_line_with_units_and_texts(void **state)
{
    struct world *world = *state;
    read_boiler(world, 61.25);
    assert_string_equal(written(world), "13:02:05  boiler  temp 61.2 °C, mode \"auto\"\n");
}

static void what_was_not_read_says_so(void **state)
{
    struct world *world = *state;
    struct reading bad = {.sensor = TEMP, .quality = QUALITY_TIMEOUT};
    terminal_sink.readings(world->terminal, 0, &bad, 1);
    assert_string_equal(written(world), "13:02:05  boiler  temp - (timeout), mode - (not_read)\n");
}

static void a_device_has_a_line_every_two_seconds_at_most(void **state)
{
    struct world *world = *state;
    struct reading power = {.sensor = POWER, .kind = VALUE_NUMBER, .number = 7};
    read_boiler(world, 1);
    pass(1999);
    read_boiler(world, 2);
    terminal_sink.readings(world->terminal, 1, &power, 1);
    pass(1);
    read_boiler(world, 3);
    assert_string_equal(written(world), "13:02:05  boiler  temp 1.0 °C, mode \"auto\"\n"
                                        "13:02:06  meter   power 7 W\n"
                                        "13:02:07  boiler  temp 3.0 °C, mode \"auto\"\n");
}

static void an_alarm_is_a_line_at_once(void **state)
{
    struct world *world = *state;
    struct event event = event_of(EVENT_FIRED);
    terminal_sink.event(world->terminal, &event);
    assert_string_equal(written(world), "13:02:05  ALARM   Too hot: 86.2 °C "
                                        "(critical, boiler.temp above 85)\n");
}

static void the_end_of_an_alarm_says_how_long_it_was(void **state)
{
    struct world *world = *state;
    struct event event = event_of(EVENT_CLEARED);
    terminal_sink.event(world->terminal, &event);
    assert_string_equal(written(world), "13:02:05  clear   Too hot: 86.2 °C after 1m 30s\n");
}

static void an_event_of_the_gateway_has_no_rule(void **state)
{
    struct world *world = *state;
    struct event event = {.at_ms = clock_boot_ms(),
                          .since_ms = CLOCK_NEVER,
                          .instance = UINT32_MAX,
                          .sensor = UINT32_MAX,
                          .type = EVENT_GATEWAY,
                          .limit = (double)NAN,
                          .note = "broker is back"};
    terminal_sink.event(world->terminal, &event);
    assert_string_equal(written(world), "13:02:05  gateway broker is back\n");
}

static void an_alarm_of_no_single_sensor_has_no_value(void **state)
{
    struct world *world = *state;
    struct event event = event_of(EVENT_FIRED);
    event.sensor = UINT32_MAX;
    terminal_sink.event(world->terminal, &event);
    assert_non_null(strstr(written(world), "ALARM   Too hot"));
}

static void texts_from_outside_cannot_steer_the_terminal(void **state)
{
    struct world *world = *state;
    struct reading reading = {
        .sensor = MODE, .kind = VALUE_TEXT, .text = text_table_add(world->texts, "\033[2Jgone\n")};
    terminal_sink.readings(world->terminal, 0, &reading, 1);
    assert_null(strchr(written(world), '\033'));
}

static void a_new_inventory_forgets_the_old_values(void **state)
{
    struct world *world = *state;
    struct reading bad = {.sensor = MODE, .quality = QUALITY_CRC};
    read_boiler(world, 61.25);
    terminal_sink.inventory(world->terminal, world->inventory);
    terminal_sink.readings(world->terminal, 0, &bad, 1);
    assert_non_null(strstr(written(world), "temp - (not_read), mode - (crc)\n"));
}

static void into_a_file_the_log_goes_its_own_way(void **state)
{
    struct world *world = *state;
    assert_string_equal(written(world), "");
    terminal_free(NULL);
}

/* -- on a screen --------------------------------------------------------------------------------
 */

static void a_screen_shows_devices_rules_and_events(void **state)
{
    struct world *world = *state;
    struct event event = event_of(EVENT_FIRED);
    struct instance_state instance = {.state = RULE_FIRING};
    const char *screen;
    terminal_sink.event(world->terminal, &event);
    terminal_sink.instance(world->terminal, &instance);
    log_warn("device meter is down: timeout");
    pass(1000);
    read_boiler(world, 61.25);
    screen = shown(world);
    assert_non_null(strstr(screen, "Heizkessel"));
    assert_non_null(strstr(screen, "61.2 °C"));
    assert_non_null(strstr(screen, "- (not_read)"));
    assert_non_null(strstr(screen, "firing"));
    assert_non_null(strstr(screen, "ALARM   Too hot: 86.2 °C"));
    assert_non_null(strstr(screen, "device meter is down: timeout"));
}

static void a_screen_is_drawn_a_few_times_a_second(void **state)
{
    struct world *world = *state;
    pass(1000);
    read_boiler(world, 1);
    assert_non_null(strstr(shown(world), "1.0 °C"));
    pass(10);
    read_boiler(world, 2);
    pass(1000);
    read_boiler(world, 3);
    shown(world);
    assert_null(strstr(world->got, "2.0 °C"));
    assert_non_null(strstr(world->got, "3.0 °C"));
}

static void a_screen_keeps_the_last_events_only(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 20; i++)
        log_info("line %02d", i);
    pass(1000);
    read_boiler(world, 1);
    shown(world);
    assert_null(strstr(world->got, "line 10"));
    assert_true(strstr(world->got, "line 18") < strstr(world->got, "line 19"));
    assert_non_null(strstr(world->got, "line 18"));
}

#define FILE_TEST(name)   cmocka_unit_test_setup_teardown(name, open_file, close_world)
#define SCREEN_TEST(name) cmocka_unit_test_setup_teardown(name, open_screen, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(a_device_is_one_line_with_units_and_texts),
        FILE_TEST(what_was_not_read_says_so),
        FILE_TEST(a_device_has_a_line_every_two_seconds_at_most),
        FILE_TEST(an_alarm_is_a_line_at_once),
        FILE_TEST(the_end_of_an_alarm_says_how_long_it_was),
        FILE_TEST(an_event_of_the_gateway_has_no_rule),
        FILE_TEST(an_alarm_of_no_single_sensor_has_no_value),
        FILE_TEST(texts_from_outside_cannot_steer_the_terminal),
        FILE_TEST(a_new_inventory_forgets_the_old_values),
        FILE_TEST(into_a_file_the_log_goes_its_own_way),
        SCREEN_TEST(a_screen_shows_devices_rules_and_events),
        SCREEN_TEST(a_screen_is_drawn_a_few_times_a_second),
        SCREEN_TEST(a_screen_keeps_the_last_events_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
