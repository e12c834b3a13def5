/* The rules of the contract's own example: they load, and each goes through its life. */
#include "tests/unit/rules_order_world.h"

#include <math.h>

static const char example[] =
    "rules: {\n"
    "  bus_down: { sensor = \"rs485.online\"; equals = 0; for = \"1m\"; notify = \"admin\" }\n"
    "  freezer_warm: { sensor = \"freezer.temp\"; above = -15.0; clear_below = -17.0; for = "
    "\"10m\"; keep_for = \"2m\"\n"
    "    severity = \"critical\"; notify = \"phone\"; message = \"Freezer at {value} {unit}\"\n"
    "    repeat = \"30m\"; ack = true; adjustable = ( -16, -5, 0.5 )\n"
    "    on_fire = ( { publish = \"home/siren\"; payload = \"ON\" } )\n"
    "    on_clear = ( { publish = \"home/siren\"; payload = \"OFF\" } ) }\n"
    "  room_comfort: { sensor = \"livingroom.temp\"; outside = ( 18, 26 ); hysteresis = 0.5; hits "
    "= "
    "\"3 of 5\"; notify = \"phone\" }\n"
    "  boiler_levels: { sensor = \"boiler.flow_temp\"; hysteresis = 2.0; notify = \"phone\"\n"
    "    levels = ( { severity = \"warning\"; above = 75.0 }, { severity = \"critical\"; above = "
    "85.0; for = \"30s\" } ) }\n"
    "  silent: { sensors = \"*.temp\"; no_data_for = \"5m\"; group = \"connectivity\"; "
    "inhibited_by = "
    "\"bus_down\"; notify = \"admin\" }\n"
    "  rising_fast: { sensor = \"freezer.temp\"; when = \"rate(10m) > 0.5/m and value > -18\"; "
    "if_unknown = \"keep\"; notify = \"phone\" }\n"
    "  pump_anomaly: { sensor = \"pump.vibration\"; when = \"abs(zscore(1h)) > 4 or stuck(30m)\"; "
    "min_samples = 30; cooldown = \"1h\"\n"
    "    notify = \"admin\"; on_fire = ( { log = \"pump looks wrong: {value}\" } ) }\n"
    "  frost_guard: { active = \"Oct-Apr 18:00-08:00\"\n"
    "    when = \"avg(outside.temp, 15m) < 3 and forecast(outside.temp, 2h, 6h) < 0 and "
    "boiler.running == 0\"\n"
    "    clear_when = \"avg(outside.temp, 15m) > 5\"\n"
    "    while_firing = ( { write = \"boiler.enable\"; value = 1 } ); while_ok = ( { write = "
    "\"boiler.enable\"; value = 0 } ) }\n"
    "  sag: { sensors = \"meter_*.voltage\"; when = \"value < 200 and .current > 1\"; for = "
    "\"20s\"; "
    "notify = \"admin\" }\n"
    "  spo2_low: { sensors = \"patient_*.spo2\"; when = \"avg(30s) < 90\"; for = \"20s\"; severity "
    "= "
    "\"critical\"; latch = true; notify = \"bedside\"\n"
    "    escalate = ( { after = \"2m\"; notify = \"nurse\" }, { after = \"5m\"; notify = "
    "\"doctor\" } "
    ") }\n"
    "  door_busy: { when = \"count(door.event, \\\"open\\\", 1h) > 20\"; on_fire = ( { log = "
    "\"busy "
    "door\" } ) }\n"
    "}\n";

enum {
    BUS,
    FREEZER,
    LIVING,
    FLOW,
    RUNNING,
    ENABLE,
    VIBRATION,
    OUTSIDE,
    VOLTAGE,
    CURRENT,
    SPO2,
    DOOR_EVENT,
    N_EXAMPLE
};

#define POLLED(every) .every_ms = (every), .stale_ms = 3 * (every)
static const struct rules_sensor sensors[N_EXAMPLE] = {
    [BUS] = {"rs485.online", "Bus", "", .decimals = 0, POLLED(10000)},
    [FREEZER] = {"freezer.temp", "Freezer", "°C", .decimals = 1, POLLED(10000)},
    [LIVING] = {"livingroom.temp", "Living room", "°C", .decimals = 1, POLLED(10000)},
    [FLOW] = {"boiler.flow_temp", "Boiler flow_temp", "°C", .decimals = 1, POLLED(10000)},
    [RUNNING] = {"boiler.running", "Boiler running", "", .decimals = 0, POLLED(10000)},
    [ENABLE] = {"boiler.enable", "Boiler enable", "", .decimals = 0, POLLED(10000),
                .writable = true},
    [VIBRATION] = {"pump.vibration", "Pump", "mm/s", .decimals = 1, POLLED(10000)},
    [OUTSIDE] = {"outside.temp", "Outside", "°C", .decimals = 1, POLLED(60000)},
    [VOLTAGE] = {"meter_1.voltage", "Meter 1 voltage", "V", .decimals = 0, POLLED(1000)},
    [CURRENT] = {"meter_1.current", "Meter 1 current", "A", .decimals = 1, POLLED(1000)},
    [SPO2] = {"patient_1.spo2", "Bed 1 SpO2", "%", .decimals = 0, POLLED(1000)},
    [DOOR_EVENT] = {"door.event", "Door", "", .text = true, .event = true},
};

/* 2026-11-02, a Monday, at midnight UTC. */
#define MONDAY_MS INT64_C(1793577600000)
#define MINUTE_MS INT64_C(60000)

static int open_world(void **state)
{
    static const struct rules_output output = {world_transition, world_event, world_action};
    struct world *world = calloc(1, sizeof *world);
    setenv("TZ", "UTC", 1);
    tzset();
    clock_use_fixed(0, MONDAY_MS);
    world->problems = problems_new();
    world->texts = text_table_new();
    assert_int_equal(conf_read_text("t.cfg", example, strlen(example), world_root(),
                                    world->problems, &world->conf),
                     0);
    struct rules_config config = {.rules = world_child(world, "rules"),
                                  .sensors = sensors,
                                  .n_sensors = N_EXAMPLE,
                                  .texts = world->texts};
    int result = rules_new(&config, &output, world, world->problems, &world->rules);
    if (problems_line(world->problems, 0))
        fail_msg("%s", problems_line(world->problems, 0));
    assert_int_equal(result, 0);
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    world_close(*state);
    free(*state);
    return 0;
}

/* The lines that speak of one rule. */
static void expect_of(struct world *world, const char *words)
{
    world->log[world->length] = '\0';
    if (!strstr(world->log, words))
        fail_msg("\"%s\" is not in:\n%s", words, world->log);
    world->length = 0;
    world->log[0] = '\0';
}

/* The same value again and again, a minute or more without a hole in it. */
static void keep(struct world *world, uint32_t sensor, double number, int64_t from_ms,
                 int64_t to_ms)
{
    int64_t every_ms = sensors[sensor].every_ms;
    for (int64_t at_ms = from_ms; at_ms <= to_ms; at_ms += every_ms)
        world_poll(world, at_ms, sensor, number);
}

static void a_warm_freezer_is_told_until_it_is_cold_for_two_minutes(void **state)
{
    struct world *w = *state;
    keep(w, FREEZER, -12, 0, 10 * MINUTE_MS);
    expect_of(w, "600000 freezer_warm pending>firing -15 | Freezer at -12.0 °C\n"
                 "notify phone: Freezer at -12.0 °C\npublish home/siren ON 1 0\n");
    keep(w, FREEZER, -12, 10 * MINUTE_MS, 40 * MINUTE_MS);
    expect_of(w, "notify phone: Freezer at -12.0 °C\n");
    keep(w, FREEZER, -16, 41 * MINUTE_MS, 42 * MINUTE_MS);
    keep(w, FREEZER, -17.5, 43 * MINUTE_MS, 45 * MINUTE_MS);
    expect_of(w, "freezer_warm recovering>ok -15");
}

static void a_room_is_uncomfortable_when_three_of_five_say_so(void **state)
{
    struct world *w = *state;
    world_poll(w, 0, LIVING, 27);
    world_poll(w, 10000, LIVING, 20);
    world_poll(w, 20000, LIVING, 27);
    world_poll(w, 30000, LIVING, 20);
    world_poll(w, 40000, LIVING, 17);
    expect_of(w, "40000 room_comfort ok>firing 18");
    world_poll(w, 50000, LIVING, 18.2);
    world_poll(w, 60000, LIVING, 18.5);
    expect_of(w, "60000 room_comfort firing>ok");
}

static void a_boiler_has_two_levels_with_good_texts(void **state)
{
    struct world *w = *state;
    keep(w, FLOW, 86.1, 0, 30000);
    expect_of(w, "notify phone: Boiler flow_temp 86.1 °C, above 85 °C since 00:00\n");
    world_poll(w, 60000, FLOW, 82.4);
    expect_of(w, "boiler_levels level | Boiler flow_temp 82.4 °C, above 75 °C since 00:00\n");
    world_poll(w, 12 * MINUTE_MS, FLOW, 73);
    expect_of(w, "notify phone: Boiler flow_temp back to 73.0 °C after 12m\n");
}

static void silence_of_a_dead_bus_is_not_told(void **state)
{
    struct world *w = *state;
    keep(w, BUS, 0, 0, 2 * MINUTE_MS);
    expect_of(w, "bus_down pending>firing 0");
    keep(w, BUS, 0, 2 * MINUTE_MS, 6 * MINUTE_MS);
    expect_of(w, "300000 silent@freezer.temp ok>firing");
    keep(w, BUS, 1, 6 * MINUTE_MS, 7 * MINUTE_MS);
    expect_of(w, "notify admin: connectivity: 3 messages\n");
}

static void saturation_is_told_to_one_after_the_other_until_somebody_has_seen_it(void **state)
{
    struct world *w = *state;
    keep(w, SPO2, 85, 0, 50000);
    expect_of(w, "35000 spo2_low@patient_1.spo2 pending>firing");
    keep(w, SPO2, 85, 51000, 170000);
    expect_of(w, "notify nurse: ");
    keep(w, SPO2, 98, 171000, 350000); /* a latch is no better for that */
    expect_of(w, "notify doctor: ");
    world_do(w, 351000, ORDER_ACK, "spo2_low@patient_1.spo2");
    expect_of(w, "351000 spo2_low@patient_1.spo2 firing>ok");
}

static void frost_keeps_the_boiler_on_at_night(void **state)
{
    struct world *w = *state;
    for (int64_t at_ms = 0; at_ms <= 130 * MINUTE_MS; at_ms += MINUTE_MS) {
        world_poll(w, at_ms, RUNNING, 0);
        world_poll(w, at_ms, OUTSIDE, 4 - (double)at_ms / (60.0 * MINUTE_MS));
    }
    expect_of(w, "frost_guard ok>firing -");
    for (int64_t at_ms = 131 * MINUTE_MS; at_ms <= 8 * 60 * MINUTE_MS; at_ms += MINUTE_MS) {
        world_poll(w, at_ms, RUNNING, 0);
        world_poll(w, at_ms, OUTSIDE, 1);
    }
    expect_of(w, "28800000 frost_guard firing>ok");
}

static void a_sag_counts_only_under_load(void **state)
{
    struct world *w = *state;
    keep(w, CURRENT, 0.5, 0, 1000);
    keep(w, VOLTAGE, 190, 1000, 3000);
    assert_null(strstr(w->log, "sag"));
    for (int64_t at_ms = 4000; at_ms <= 25000; at_ms += 1000) {
        world_poll(w, at_ms, CURRENT, 2);
        world_poll(w, at_ms, VOLTAGE, 190);
    }
    expect_of(w, "24000 sag@meter_1.voltage pending>firing");
}

static void a_door_that_opens_too_often_is_logged(void **state)
{
    struct world *w = *state;
    rules_on_time(w->rules, 0);
    for (int i = 0; i < 22; i++)
        world_poll_text(w, 60 * MINUTE_MS + i * 1000, DOOR_EVENT, "open");
    expect_of(w, "log busy door\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_warm_freezer_is_told_until_it_is_cold_for_two_minutes),
        TEST(a_room_is_uncomfortable_when_three_of_five_say_so),
        TEST(a_boiler_has_two_levels_with_good_texts),
        TEST(silence_of_a_dead_bus_is_not_told),
        TEST(saturation_is_told_to_one_after_the_other_until_somebody_has_seen_it),
        TEST(frost_keeps_the_boiler_on_at_night),
        TEST(a_sag_counts_only_under_load),
        TEST(a_door_that_opens_too_often_is_logged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
