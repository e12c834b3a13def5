#include "gateway/outage_words.h"

#include "tests/unit/site_world.h"

#include "gateway/base/clock.h"

#include <stdlib.h>

#define MINUTE_MS INT64_C(60000)

static const char config[] =
    "buses: { sim: { adapter = \"sim\" } }\n"
    "devices: {\n"
    "  freezer: { bus = \"sim\"; label = \"Freezer\"; channels: { t: { precision = 1; unit = "
    "\"°C\" } } }\n"
    "  cellar:  { bus = \"sim\"; channels: { temp: { precision = 1; unit = \"°C\" }\n"
    "                                    energy: { unit = \"kWh\"; counter = true } } }\n"
    "  house:   { bus = \"sim\"; channels: { load: { unit = \"W\" } door: { class = \"door\" } } } "
    "}\n"
    "derived: { twice: { channels: { t: { value = \"freezer.t * 2\" } } } }\n";

enum { FREEZER, CELLAR, ENERGY, LOAD, DOOR, TWICE, SENSORS };

struct world {
    struct site_world site;
    struct outage_sensor sensors[SENSORS];
    char text[900];
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    setenv("TZ", "UTC0", 1);
    tzset();
    /* Up since 05:20 of a day, an hour ago. */
    clock_use_fixed(60 * MINUTE_MS, INT64_C(1767571200000) + 320 * MINUTE_MS);
    site_world_good(&world->site, config);
    assert_int_equal(world->site.site->inventory->n_sensors, SENSORS);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    site_world_close(&world->site);
    free(world);
    clock_use_system();
    return 0;
}

static void before(struct world *world, uint32_t sensor, double number)
{
    struct reading reading = {.kind = VALUE_NUMBER, .number = number};

    outage_was(&world->sensors[sensor], &reading);
}

static void since(struct world *world, uint32_t sensor, double number)
{
    struct reading reading = {.kind = VALUE_NUMBER, .number = number};

    outage_is(&world->sensors[sensor], &reading);
}

/* As it was before, and since, with nothing in between. */
static void leave(struct world *world, uint32_t first, uint32_t end, double number)
{
    for (uint32_t i = first; i < end; i++) {
        before(world, i, number);
        since(world, i, number);
    }
}

static const char *words_from(struct world *world, int64_t from_ms, size_t size)
{
    struct outage_report report = {
        .from_ms = from_ms, .inventory = world->site.site->inventory, .sensors = world->sensors};

    assert_int_equal(outage_words(&report, world->text, size), 0);
    return world->text;
}

static const char *words(struct world *world)
{
    return words_from(world, -189 * MINUTE_MS, sizeof(world->text));
}

static void only_what_has_changed_is_named(void **state)
{
    struct world *world = *state;

    leave(world, CELLAR, SENSORS, 20);
    before(world, FREEZER, -18.3);
    before(world, FREEZER, -18.2);
    for (int i = 0; i < OUTAGE_READINGS; i++)
        since(world, FREEZER, -11.4 - i / 10.0);
    assert_string_equal(words(world),
                        "Power was out 02:11 to 05:20. Freezer -18.2 to -11.4 °C, now "
                        "falling. Nothing else changed.");
}

static void the_words_of_the_contract_fit_into_an_event(void **state)
{
    struct world *world = *state;

    only_what_has_changed_is_named(state);
    assert_string_equal(words_from(world, -189 * MINUTE_MS, 96),
                        "Power was out 02:11 to 05:20. Freezer -18.2 to -11.4 °C, now falling. "
                        "Nothing else changed.");
}

static void what_has_no_room_is_counted(void **state)
{
    struct world *world = *state;

    only_what_has_changed_is_named(state);
    world->sensors[CELLAR].after = 9;
    assert_string_equal(
        words_from(world, -189 * MINUTE_MS, 96),
        "Power was out 02:11 to 05:20. cellar temp 20.0 to 9.0 °C. 1 more changed.");
    assert_string_equal(words_from(world, -189 * MINUTE_MS, 60),
                        "Power was out 02:11 to 05:20. 2 values changed.");
}

static void without_a_change_it_says_so(void **state)
{
    struct world *world = *state;

    leave(world, FREEZER, SENSORS, 20);
    assert_string_equal(words(world), "Power was out 02:11 to 05:20. Nothing changed.");
}

static void what_moves_by_itself_and_what_only_grows_is_no_change(void **state)
{
    struct world *world = *state;

    leave(world, FREEZER, ENERGY, 20);
    before(world, ENERGY, 100);
    since(world, ENERGY, 2000);
    before(world, LOAD, 500);
    before(world, LOAD, 2500);
    since(world, LOAD, 200);
    before(world, CELLAR, 20);
    since(world, CELLAR, 20.9);
    before(world, TWICE, 1);
    since(world, TWICE, 99);
    assert_string_equal(words(world), "Power was out 02:11 to 05:20. Nothing changed.");
}

static void the_most_changed_comes_first_and_a_device_that_is_away_before_all(void **state)
{
    struct world *world = *state;

    before(world, FREEZER, -18);
    before(world, CELLAR, 20);
    since(world, CELLAR, 15);
    before(world, LOAD, 100);
    since(world, LOAD, 900);
    assert_string_equal(words(world),
                        "Power was out 02:11 to 05:20. Freezer does not answer. house load 100 to "
                        "900 W. cellar temp 20.0 to 15.0 °C. Nothing else changed.");
}

static void where_it_goes_takes_some_readings_of_one_direction(void **state)
{
    static const struct {
        double steps[OUTAGE_READINGS];
        const char *words;
    } cases[] = {
        {{10, 10.1, 10.1, 10.2, 10.3}, "20.0 to 10.0 °C, now rising."},
        {{10, 9.9, 9.9, 9.8, 9.8}, "20.0 to 10.0 °C, now falling."},
        {{10, 10.1, 10, 10.1, 10}, "20.0 to 10.0 °C, now steady."},
        {{10, 10, 10, 10, 10}, "20.0 to 10.0 °C, now steady."},
    };
    struct world *world = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(world->sensors, 0, sizeof(world->sensors));
        before(world, FREEZER, 20);
        for (int k = 0; k < OUTAGE_READINGS; k++)
            since(world, FREEZER, cases[i].steps[k]);
        assert_non_null(strstr(words(world), cases[i].words));
        world->sensors[FREEZER].count--;
        assert_non_null(strstr(words(world), "20.0 to 10.0 °C. "));
    }
}

static void a_text_changes_when_it_is_another(void **state)
{
    struct world *world = *state;
    struct reading text = {.kind = VALUE_TEXT};

    text.text = text_table_add(world->site.texts, "heating");
    outage_was(&world->sensors[LOAD], &text);
    text.text = text_table_add(world->site.texts, "off");
    outage_is(&world->sensors[LOAD], &text);
    assert_string_equal(words(world), "Power was out 02:11 to 05:20. house load \"heating\" to "
                                      "\"off\". Nothing else changed.");
}

static void bad_readings_say_nothing(void **state)
{
    struct world *world = *state;
    struct reading bad = {.quality = QUALITY_TIMEOUT};

    leave(world, FREEZER, FREEZER + 1, 20);
    outage_was(&world->sensors[FREEZER], &bad);
    outage_is(&world->sensors[FREEZER], &bad);
    assert_string_equal(words(world), "Power was out 02:11 to 05:20. Nothing changed.");
    assert_int_equal(world->sensors[FREEZER].count, 1);
}

static void a_cut_of_another_day_has_its_date_and_one_of_tomorrow_none(void **state)
{
    struct world *world = *state;

    assert_string_equal(words_from(world, -2000 * MINUTE_MS, sizeof(world->text)),
                        "Power was out 3 Jan 20:00 to 05:20. Nothing changed.");
    assert_string_equal(words_from(world, MINUTE_MS, sizeof(world->text)),
                        "Power was out until 05:20. Nothing changed.");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_what_has_changed_is_named),
        TEST(the_words_of_the_contract_fit_into_an_event),
        TEST(what_has_no_room_is_counted),
        TEST(without_a_change_it_says_so),
        TEST(what_moves_by_itself_and_what_only_grows_is_no_change),
        TEST(the_most_changed_comes_first_and_a_device_that_is_away_before_all),
        TEST(where_it_goes_takes_some_readings_of_one_direction),
        TEST(a_text_changes_when_it_is_another),
        TEST(bad_readings_say_nothing),
        TEST(a_cut_of_another_day_has_its_date_and_one_of_tomorrow_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
