#include "gateway/cli/rehearse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/config.h"
#include "gateway/base/clock.h"
#include "gateway/core/inventory.h"

#include <errno.h>
#include <string.h>

static const char site[] =
    "buses: { lab: { adapter = \"sim\"; connect = \"sim:\" } }\n"
    "devices: { room: { bus = \"lab\"; channels: { temp: { } } } }\n"
    "rules: { warm: { sensor = \"room.temp\"; above = 25.0; for = \"1m\" } }\n";

static struct {
    int64_t at_ms, clock_ms; /* of the last transition, and what the clock said then */
    uint8_t to;
} seen;

static void see_transition(void *owner, const struct rule_transition *transition)
{
    (void)owner;
    seen.at_ms = transition->at_ms;
    seen.clock_ms = clock_boot_ms();
    seen.to = transition->to;
}

static void see_event(void *owner, const struct rule_event *event)
{
    (void)owner;
    (void)event;
}

static void see_action(void *owner, const struct rule_action *action)
{
    (void)owner;
    (void)action;
}

static struct rehearsal *open_site(const char *text, int64_t wall_ms, int wanted)
{
    static const struct rules_output output = {see_transition, see_event, see_action};
    static struct conf_text texts[1];
    texts[0] = (struct conf_text){"t.cfg", text, strlen(text)};
    struct rehearsal_config config = {
        .texts = texts, .n_texts = 1, .wall_ms = wall_ms, .output = &output};
    struct problems *problems = problems_new();
    struct rehearsal *rehearsal = NULL;
    memset(&seen, 0, sizeof seen);
    assert_int_equal(rehearsal_open(&config, problems, &rehearsal), wanted);
    assert_int_equal(problems_errors(problems) > 0, wanted == -EINVAL);
    problems_free(problems);
    return rehearsal;
}

static void read_temp(struct rehearsal *rehearsal, int64_t at_ms, double number)
{
    struct reading reading = {
        .at_ms = at_ms,
        .sensor = inventory_find_sensor(rehearsal_inventory(rehearsal), "room.temp"),
        .kind = VALUE_NUMBER,
        .number = number};
    rehearsal_poll(rehearsal, &reading, 1, at_ms);
}

static void what_is_due_happens_at_its_own_instant(void **state)
{
    struct rehearsal *rehearsal = open_site(site, 0, 0);
    (void)state;
    read_temp(rehearsal, 0, 26);
    for (int64_t at_ms = 25000; at_ms <= 75000; at_ms += 25000)
        read_temp(rehearsal, at_ms, 26);
    assert_int_equal(seen.to, RULE_FIRING);
    assert_int_equal(seen.at_ms, 60000);
    assert_int_equal(seen.clock_ms, 60000);
    rehearsal_close(rehearsal);
}

static void a_wrong_config_opens_nothing(void **state)
{
    (void)state;
    assert_null(open_site("rules: { a: { } }", 0, -EINVAL));
}

static void a_clock_that_is_not_known_becomes_known(void **state)
{
    struct rehearsal *rehearsal = open_site(site, CLOCK_NEVER, 0);
    (void)state;
    assert_false(clock_wall_is_good());
    rehearsal_set_clock(rehearsal, 1000000, 5000);
    assert_true(clock_wall_is_good());
    assert_int_equal(clock_wall_ms(6000), 1001000);
    rehearsal_close(rehearsal);
}

static void a_restart_counts_no_time_without_power(void **state)
{
    struct rehearsal *rehearsal = open_site(site, 0, 0);
    (void)state;
    read_temp(rehearsal, 0, 26);
    read_temp(rehearsal, 20000, 26);
    assert_int_equal(rehearsal_restart(rehearsal, 40000, 3600000), 0);
    read_temp(rehearsal, 3640000, 26);
    rehearsal_time(rehearsal, 3659999);
    assert_int_equal(seen.to, RULE_PENDING);
    rehearsal_time(rehearsal, 3660000);
    assert_int_equal(seen.to, RULE_FIRING);
    assert_int_equal(seen.at_ms, 3660000);
    rehearsal_close(rehearsal);
}

static void after_it_the_clock_is_the_systems_again(void **state)
{
    (void)state;
    rehearsal_close(open_site(site, 0, 0));
    assert_true(clock_boot_ms() > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_due_happens_at_its_own_instant),
        cmocka_unit_test(a_wrong_config_opens_nothing),
        cmocka_unit_test(a_clock_that_is_not_known_becomes_known),
        cmocka_unit_test(a_restart_counts_no_time_without_power),
        cmocka_unit_test(after_it_the_clock_is_the_systems_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
