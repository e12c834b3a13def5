/* What is made of a message, and what is answered; commands end in the test. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/text.h"
#include "gateway/core/command.h"
#include "gateway/mqtt/receiver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW_MS    INT64_C(5000)
#define OFFSET_MS INT64_C(1795266120000) /* 2026-11-21T13:02:00Z at boot */

static struct command last;
static size_t submitted;
static int submit_result;

int __wrap_command_submit(struct commands *commands, const struct command *command);
int __wrap_command_submit(struct commands *commands, const struct command *command)
{
    (void)commands;
    last = *command;
    submitted++;
    return submit_result;
}

struct fixture {
    struct receiver *receiver;
    char topic[200], payload[600];
    size_t answers;
};

static void take_answer(void *owner, const char *topic, const char *payload)
{
    struct fixture *f = owner;

    snprintf(f->topic, sizeof(f->topic), "%s", topic);
    snprintf(f->payload, sizeof(f->payload), "%s", payload);
    f->answers++;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct receiver_context context = {
        .base = "t/cellar", .rights = COMMAND_RIGHTS_ALL, .answer = take_answer, .owner = f};

    setenv("TZ", "UTC", 1);
    log_set_level(LOG_LEVEL_ERROR);
    clock_use_fixed(NOW_MS, OFFSET_MS);
    submitted = 0;
    submit_result = 0;
    f->receiver = receiver_new(&context);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    receiver_free(f->receiver);
    free(f);
    clock_use_system();
    return 0;
}

static void say(struct fixture *f, const char *topic, const char *payload)
{
    struct arrival arrival = {0};

    text_copy(arrival.topic, sizeof(arrival.topic), topic);
    text_copy(arrival.payload, sizeof(arrival.payload), payload);
    receiver_take(f->receiver, &arrival);
}

static void each_place_has_its_commands(void **state)
{
    static const struct {
        const char *topic, *payload;
        int kind;
        const char *target, *argument;
    } cases[] = {
        {"boiler/enable/set", "ON", COMMAND_WRITE, "boiler.enable", "ON"},
        {"boiler/level/set", " 42.25\n", COMMAND_WRITE, "boiler.level", "42.25"},
        {"boiler/level/set", "{\"value\": -3.5}", COMMAND_WRITE, "boiler.level", "-3.5"},
        {"boiler/enable/set", "{\"value\": true}", COMMAND_WRITE, "boiler.enable", "ON"},
        {"boiler/mode/set", "{\"value\": \"Sommer\"}", COMMAND_WRITE, "boiler.mode", "Sommer"},
        {"boiler/set", "standby 2h", COMMAND_STANDBY, "boiler", "2h"},
        {"boiler/set", "resume", COMMAND_RESUME, "boiler", ""},
        {"rule/high@boiler.flow/set", "ack", COMMAND_ACK, "high@boiler.flow", ""},
        {"rule/frost/set", "mute  1h 30m", COMMAND_MUTE, "frost", "1h 30m"},
        {"rule/frost/set", "limit above=-14", COMMAND_LIMIT, "frost", "above=-14"},
        {"rule/frost/set", "{\"command\":\"disable\"}", COMMAND_DISABLE, "frost", ""},
        {"rule/frost/set", "reset", COMMAND_RESET, "frost", ""},
        {"gateway/set", "reload", COMMAND_RELOAD, "gateway", ""},
        {"gateway/set", "rescan", COMMAND_RESCAN, "gateway", ""},
        /* what belongs elsewhere, or is nothing, is for core to refuse */
        {"rule/frost/set", "write 3", COMMAND_KINDS, "frost", "3"},
        {"gateway/set", "standby", COMMAND_KINDS, "gateway", ""},
        {"boiler/set", "{\"command\":7}", COMMAND_KINDS, "boiler", ""},
        {"boiler/set", "{broken", COMMAND_KINDS, "boiler", ""},
        {"boiler/level/set", "{\"valu\":7}", COMMAND_WRITE, "boiler.level", ""},
    };
    char topic[100];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(topic, sizeof(topic), "t/cellar/%s", cases[i].topic);
        say(*state, topic, cases[i].payload);
        assert_int_equal(submitted, i + 1);
        assert_int_equal(last.kind, cases[i].kind);
        assert_string_equal(last.target, cases[i].target);
        assert_string_equal(last.argument, cases[i].argument);
        assert_int_equal(last.origin, COMMAND_VIA_MQTT);
        assert_int_equal(last.rights, COMMAND_RIGHTS_ALL);
    }
}

static void what_is_none_of_ours_is_left_alone(void **state)
{
    say(*state, "t/cellar/set", "reload");
    say(*state, "t/cellar//set", "reload");
    say(*state, "t/cellarman/boiler/set", "resume");
    say(*state, "t/cellar/boiler/level/get", "1");
    say(*state, "t", "1");
    say(*state, "", "1");
    say(*state, "t/cellar/boiler/level/set", ""); /* somebody clears a retained one */
    assert_int_equal(submitted, 0);
}

static void a_retained_command_is_never_done(void **state)
{
    struct fixture *f = *state;
    struct arrival arrival = {
        .topic = "t/cellar/boiler/level/set", .payload = "42", .retained = true};

    receiver_take(f->receiver, &arrival);
    assert_int_equal(submitted, 0);
    assert_int_equal(f->answers, 0);
}

static void who_and_why_and_which_go_along(void **state)
{
    say(*state, "t/cellar/rule/frost/set",
        "{\"command\":\"ack\",\"by\":\"Ana\",\"note\":\"door was open\",\"id\":\"7f\"}");
    assert_string_equal(last.by, "Ana");
    assert_string_equal(last.note, "door was open");
    assert_string_equal(last.id, "7f");
}

static void an_old_command_has_expired(void **state)
{
    struct fixture *f = *state;

    say(f, "t/cellar/gateway/set", "{\"command\":\"reload\",\"ts\":\"2026-11-21T13:01:00Z\"}");
    assert_true(last.expires_ms < NOW_MS);
    say(f, "t/cellar/gateway/set", "{\"command\":\"reload\",\"ts\":1795266124000}");
    assert_true(last.expires_ms > NOW_MS);
    say(f, "t/cellar/gateway/set", "{\"command\":\"reload\",\"ts\":\"2036-11-21T13:01:00Z\"}");
    assert_true(last.expires_ms > NOW_MS && last.expires_ms < NOW_MS + 60000);
    say(f, "t/cellar/gateway/set", "{\"command\":\"reload\",\"ts\":\"yesterday\"}");
    assert_true(last.expires_ms < NOW_MS);
}

static void the_answer_goes_back_to_where_the_command_came_from(void **state)
{
    struct fixture *f = *state;
    struct command_reply reply = {.kind = COMMAND_WRITE,
                                  .result = COMMAND_DIFFERS,
                                  .has_value = true,
                                  .value = 41.5,
                                  .words = "it was read back as 41.5",
                                  .id = "7f"};

    say(f, "t/cellar/boiler/level/set", "42");
    last.reply(last.owner, &reply);
    assert_string_equal(f->topic, "t/cellar/boiler/level/result");
    assert_string_equal(f->payload, "{\"result\":\"differs\",\"command\":\"write\",\"value\":41.5,"
                                    "\"words\":\"it was read back as 41.5\",\"id\":\"7f\","
                                    "\"ts\":\"2026-11-21T13:02:05.000+00:00\"}");
}

static void the_answer_of_an_enumeration_is_its_text(void **state)
{
    struct fixture *f = *state;
    struct command_reply reply = {.kind = COMMAND_WRITE, .text = "hot water"};

    say(f, "t/cellar/boiler/mode/set", " hot water\n");
    assert_string_equal(last.argument, "hot water");
    last.reply(last.owner, &reply);
    assert_non_null(strstr(f->payload, "\"value\":\"hot water\""));
}

static void what_finds_no_room_is_refused(void **state)
{
    struct fixture *f = *state;

    submit_result = -ENOBUFS;
    say(f, "t/cellar/rule/frost/set", "ack");
    assert_string_equal(f->topic, "t/cellar/rule/frost/result");
    assert_non_null(strstr(f->payload, "\"refused\""));
}

static void hostile_bytes_are_no_command(void **state)
{
    char payload[ARRIVAL_PAYLOAD_SIZE];

    memset(payload, '9', sizeof(payload));
    payload[sizeof(payload) - 1] = '\0';
    say(*state, "t/cellar/boiler/level/set", payload);
    assert_int_equal(last.kind, COMMAND_WRITE);
    say(*state, "t/cellar/boiler/level/set", "\xff\xfe");
    assert_int_equal(last.kind, COMMAND_KINDS);
    for (int i = 0; i < 2000; i++) /* nobody answers */
        say(*state, "t/cellar/rule/frost/set", "ack");
    assert_in_range(submitted, 500, 520);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_place_has_its_commands),
        TEST(what_is_none_of_ours_is_left_alone),
        TEST(a_retained_command_is_never_done),
        TEST(who_and_why_and_which_go_along),
        TEST(an_old_command_has_expired),
        TEST(the_answer_goes_back_to_where_the_command_came_from),
        TEST(the_answer_of_an_enumeration_is_its_text),
        TEST(what_finds_no_room_is_refused),
        TEST(hostile_bytes_are_no_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
