/* The web as its clients see it: every route, what is refused, limits, many and slow clients. */

#include "tests/unit/web_world.h"

#include <poll.h>

static int open_world(void **state)
{
    *state = web_world_open("", false);
    return 0;
}

static int close_world(void **state)
{
    web_world_close(*state);
    return 0;
}

/* -- what can be asked ---------------------------------------------------------------------- */

static void the_status_has_names_numbers_and_counters(void **state)
{
    struct web_world *world = *state;
    web_expect(web_get(world, "/api/v1/status"), 200, "\"name\":\"cellar\"");
    web_expect(web_get(world, "/api/v1/status"), 200, "\"devices\":2,\"devices_online\":1");
    web_expect(web_get(world, "/api/v1/status"), 200, "\"sensors\":3,\"sensors_good\":2");
    web_expect(web_get(world, "/api/v1/status"), 200, "\"rules\":2,\"rules_firing\":1");
    web_expect(web_get(world, "/api/v1/status"), 200, "\"counters\":{\"polls\":12,");
    web_expect(web_get(world, "/api/v1/status"), 200, "\"rights\":\"all\"");
}

static void health_is_a_status_code_with_reasons(void **state)
{
    struct web_world *world = *state;
    web_expect(web_get(world, "/api/v1/health"), 200, "{\"ok\":true,\"counters\":{");
    world->problem = "the broker is away for 7 s";
    web_expect(web_get(world, "/api/v1/health"), 503, "\"the broker is away for 7 s\"");
}

static void buses_and_devices_say_who_answers(void **state)
{
    struct web_world *world = *state;
    web_expect(web_get(world, "/api/v1/buses"), 200,
               "{\"name\":\"b\",\"label\":\"Bus\",\"devices\":2,\"devices_online\":1,");
    web_expect(web_get(world, "/api/v1/devices"), 200, "\"label\":\"Heizkessel \\\"1\\\"\"");
    web_expect(web_get(world, "/api/v1/devices"), 200, "\"online\":true,\"why\":null");
    web_expect(web_get(world, "/api/v1/devices"), 200, "\"online\":false,\"why\":\"timeout\"");
}

static void buses_and_devices_say_how_their_requests_went(void **state)
{
    struct web_world *world = *state;
    web_expect(web_get(world, "/api/v1/buses"), 200,
               "\"traffic\":{\"requests\":1,\"busy_ratio\":0.25,\"answer_p50_seconds\":null}}");
    web_expect(web_get(world, "/api/v1/devices"), 200,
               "\"traffic\":{\"requests\":0,\"busy_ratio\":0.25,\"answer_p50_seconds\":null}}");
}

static void sensors_say_what_may_be_written(void **state)
{
    struct web_world *world = *state;
    web_expect(
        web_get(world, "/api/v1/sensors"), 200,
        "\"writable\":true,\"write_min\":-20,\"write_max\":90,\"write_step\":null,\"options\":[]");
    web_expect(web_get(world, "/api/v1/sensors?match=meter.*"), 200,
               "{\"sensors\":[{\"id\":\"meter.power\"");
}

static void a_bad_reading_is_null_with_its_reason(void **state)
{
    struct web_world *world = *state;
    web_expect(web_get(world, "/api/v1/readings"), 200, "\"value\":86.2,\"quality\":\"good\"");
    web_expect(web_get(world, "/api/v1/readings"), 200, "\"value\":\"auto \\\"x\\\"\"");
    web_expect(web_get(world, "/api/v1/readings?match=meter.*"), 200,
               "\"value\":null,\"quality\":\"timeout\"");
    web_expect(web_get(world, "/api/v1/readings?match=nothing*"), 200, "{\"readings\":[]}");
}

static void a_rule_explains_itself(void **state)
{
    struct web_world *world = *state;
    web_expect(web_get(world, "/api/v1/rules"), 200, "\"id\":\"hot@boiler.flow_temp\"");
    web_expect(web_get(world, "/api/v1/rules/hot%40boiler.flow_temp"), 200, "It is firing since ");
    web_expect(web_get(world, "/api/v1/rules/hot@boiler.flow_temp"), 200,
               "it watches for: above 85. boiler.flow_temp is 86.2 °C.");
    web_expect(web_get(world, "/api/v1/rules/hot@boiler.flow_temp"), 200,
               "\"limits\":[{\"name\":\"above\",\"value\":85,\"min\":60,\"max\":90,\"step\":0.5}]");
    web_expect(web_get(world, "/api/v1/rules/calm"), 200, "\"reading\":null");
    web_expect(web_get(world, "/api/v1/rules/cold"), 404, "\\\"cold\\\"");
}

static void metrics_have_no_line_for_a_value_that_was_not_read(void **state)
{
    struct web_world *world = *state;
    struct web_said said;
    said = web_get(world, "/metrics");
    assert_int_equal(said.status, 200);
    assert_non_null(strstr(said.body, "# TYPE thermogate_polls_total counter\n"
                                      "thermogate_polls_total 12\n"));
    assert_non_null(strstr(said.body, "# TYPE thermogate_bus_requests_total counter\n"
                                      "thermogate_bus_requests_total{bus=\"a \\\"b\\\"\"} 7\n"
                                      "thermogate_bus_requests_total{bus=\"c\"} 8\n"));
    assert_non_null(strstr(
        said.body, "thermogate_sensor_value{sensor=\"boiler.flow_temp\",unit=\"°C\"} 86.25\n"));
    assert_non_null(strstr(said.body, "thermogate_rule_firing{rule=\"hot@boiler.flow_temp\"} 1\n"));
    assert_non_null(strstr(said.body, "thermogate_device_online{device=\"meter\"} 0\n"));
    assert_non_null(strstr(said.body, "thermogate_loop_lateness_seconds{quantile=\"0.99\"} "));
    assert_null(strstr(said.body, "sensor=\"meter.power\""));
    free(said.text);
}

static void a_head_is_a_get_without_its_body(void **state)
{
    struct web_said said = web_ask(*state, "HEAD", "/api/v1/status", NULL, NULL);
    assert_int_equal(said.status, 200);
    assert_int_equal(said.length, 0);
    free(said.text);
}

static void without_a_store_the_past_is_not_there(void **state)
{
    web_expect(web_get(*state, "/api/v1/history?sensor=boiler.flow_temp"), 503, "no store");
    web_expect(web_get(*state, "/api/v1/events"), 503, "no store");
    web_expect(web_get(*state, "/api/v1/export"), 503, "no store");
    web_expect(web_ask(*state, "POST", "/api/v1/import", "text/csv", "x"), 503, "no store");
}

/* -- commands ------------------------------------------------------------------------------- */

static void expect_command(const struct web_world *world, enum command_kind kind,
                           const char *target, const char *argument)
{
    assert_int_equal(world->command.kind, kind);
    assert_int_equal(world->command.origin, COMMAND_VIA_API);
    assert_int_equal(world->command.rights, COMMAND_RIGHTS_ALL);
    assert_string_equal(world->command.target, target);
    assert_string_equal(world->command.argument, argument);
}

static void a_write_goes_through_and_its_answer_comes_back(void **state)
{
    struct web_world *world = *state;
    world->reply = (struct command_reply){.result = COMMAND_OK, .has_value = true, .value = 42.5};
    web_expect(web_post(world, "/api/v1/write", "{\"sensor\":\"boiler.flow_temp\",\"value\":42.5}"),
               200, "\"result\":\"ok\",\"target\":\"boiler.flow_temp\",\"value\":42.5");
    expect_command(world, COMMAND_WRITE, "boiler.flow_temp", "42.5");
    web_expect(web_post(world, "/api/v1/write", "{\"sensor\":\"boiler.flow_temp\",\"value\":true}"),
               200, "ok");
    expect_command(world, COMMAND_WRITE, "boiler.flow_temp", "ON");
    web_expect(
        web_post(world, "/api/v1/write", "{\"sensor\":\"boiler.flow_temp\",\"value\":\"OFF\"}"),
        200, "ok");
    expect_command(world, COMMAND_WRITE, "boiler.flow_temp", "OFF");
    world->reply = (struct command_reply){.result = COMMAND_OK, .text = "a b"};
    web_expect(web_post(world, "/api/v1/write", "{\"sensor\":\"boiler.mode\",\"value\":\"a b\"}"),
               200, "\"value\":\"a b\"");
}

static void by_is_the_peer_behind_the_name_that_it_gives(void **state)
{
    struct web_world *world = *state;
    char name[48];
    web_expect(web_post(world, "/api/v1/reload", ""), 200, "ok");
    snprintf(name, sizeof(name), "%.30s", world->command.by);
    assert_true(strlen(name) > 0);
    web_expect(web_post(world, "/api/v1/reload", "{\"by\":\"anna\",\"note\":\"why\"}"), 200, "ok");
    assert_memory_equal(world->command.by, "anna (", 6);
    assert_non_null(strstr(world->command.by, name));
    assert_string_equal(world->command.note, "why");
}

static void every_command_has_its_route(void **state)
{
    static const struct {
        const char *path, *body;
        enum command_kind kind;
        const char *target, *argument;
    } rows[] = {
        {"/api/v1/rules/hot/ack", "{}", COMMAND_ACK, "hot", ""},
        {"/api/v1/rules/hot@boiler.flow_temp/mute", "{\"for\":\"30m\"}", COMMAND_MUTE,
         "hot@boiler.flow_temp", "30m"},
        {"/api/v1/rules/hot/mute", "", COMMAND_MUTE, "hot", ""},
        {"/api/v1/rules/hot/unmute", "", COMMAND_UNMUTE, "hot", ""},
        {"/api/v1/rules/calm/enable", "", COMMAND_ENABLE, "calm", ""},
        {"/api/v1/rules/calm/disable", "", COMMAND_DISABLE, "calm", ""},
        {"/api/v1/rules/hot/reset", "{\"note\":\"seen\"}", COMMAND_RESET, "hot", ""},
        {"/api/v1/rules/hot/limit", "{\"name\":\"above\",\"value\":-14}", COMMAND_LIMIT, "hot",
         "above=-14"},
        {"/api/v1/standby", "{\"device\":\"boiler\",\"for\":\"1h\"}", COMMAND_STANDBY, "boiler",
         "1h"},
        {"/api/v1/resume", "{\"device\":\"boiler\"}", COMMAND_RESUME, "boiler", ""},
        {"/api/v1/reload", "", COMMAND_RELOAD, "", ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        web_expect(web_post(*state, rows[i].path, rows[i].body), 200, "\"result\":\"ok\"");
        expect_command(*state, rows[i].kind, rows[i].target, rows[i].argument);
    }
}

static void what_did_not_succeed_is_no_200(void **state)
{
    struct web_world *world = *state;
    world->reply = (struct command_reply){.result = COMMAND_REFUSED, .words = "out of range"};
    web_expect(web_post(world, "/api/v1/reload", ""), 409, "\"error\":\"out of range\"");
    world->reply = (struct command_reply){.result = COMMAND_DIFFERS};
    web_expect(web_post(world, "/api/v1/reload", ""), 409, "\"error\":\"differs\"");
    world->reply = (struct command_reply){.result = COMMAND_TIMEOUT};
    web_expect(web_post(world, "/api/v1/reload", ""), 504, "\"result\":\"timeout\"");
    world->submit = -ENOBUFS;
    web_expect(web_post(world, "/api/v1/reload", ""), 503, "\"error\"");
}

static void a_notifier_is_tried_and_its_server_quoted(void **state)
{
    web_expect(web_post(*state, "/api/v1/notifiers/phone/test", ""), 200,
               "{\"ok\":true,\"words\":\"delivered\",\"error\":null}");
    web_expect(web_post(*state, "/api/v1/notifiers/old/test", ""), 409,
               "\"error\":\"refused (403)\"");
    web_expect(web_post(*state, "/api/v1/notifiers/none/test", ""), 404, "called \\\"none\\\"");
    web_expect(web_post(*state, "/api/v1/notifiers/busy/test", ""), 503, "try again");
}

static void a_command_that_says_nothing_useful_is_refused_before_it_is_one(void **state)
{
    static const struct {
        const char *path, *body;
        int status;
    } rows[] = {
        {"/api/v1/write", "", 400},
        {"/api/v1/write", "[]", 400},
        {"/api/v1/write", "{", 400},
        {"/api/v1/write", "{\"sensor\":\"boiler.flow_temp\"}", 400},
        {"/api/v1/write", "{\"sensor\":\"boiler.flow_temp\",\"value\":null}", 400},
        {"/api/v1/write", "{\"sensor\":\"boiler.flow_temp\",\"value\":1e999}", 400},
        {"/api/v1/write", "{\"sensor\":7,\"value\":1}", 400},
        {"/api/v1/write", "{\"sensor\":\"boiler.flow_temp\",\"value\":1,\"extra\":1}", 400},
        {"/api/v1/write", "{\"sensor\":\"boiler.flow_temp\",\"value\":\"\xff\"}", 400},
        {"/api/v1/write", "{\"sensor\":\"boiler.nothing\",\"value\":1}", 404},
        {"/api/v1/rules/cold/ack", "", 404},
        {"/api/v1/rules/hot/mute", "{\"for\":\"soon\"}", 400},
        {"/api/v1/rules/hot/limit", "{\"name\":\"a=1,b\",\"value\":1}", 400},
        {"/api/v1/standby", "{\"device\":\"nobody\"}", 404},
    };
    struct web_world *world = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        web_expect(web_post(world, rows[i].path, rows[i].body), rows[i].status, "\"error\":");
    web_expect(web_ask(world, "POST", "/api/v1/reload", "text/plain", "{}"), 415, "\"error\":");
    assert_int_equal(world->n_commands, 0);
}

static void a_text_that_is_too_long_is_refused_not_cut(void **state)
{
    struct web_world *world = *state;
    char body[400];
    snprintf(body, sizeof(body), "{\"note\":\"%0200d\"}", 1);
    web_expect(web_post(world, "/api/v1/reload", body), 400, "note");
    snprintf(body, sizeof(body), "{\"by\":\"%060d\"}", 1);
    web_expect(web_post(world, "/api/v1/reload", body), 400, "by");
    assert_int_equal(world->n_commands, 0);
}

static void close_web(struct web_world *world)
{
    web_close(world->web);
}

static void a_question_that_is_open_when_it_closes_is_answered(void **state)
{
    struct web_world *world = *state;
    static const char question[] = "POST /api/v1/reload HTTP/1.1\r\nHost: x\r\n"
                                   "Connection: close\r\nContent-Length: 0\r\n\r\n";
    int fd = web_connect(world);
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    world->silent = true;
    web_send(fd, question, strlen(question));
    while (__atomic_load_n(&world->n_commands, __ATOMIC_SEQ_CST) == 0)
        assert_int_equal(poll(&wait, 1, 1), 0);
    on_loop(world, close_web);
    web_expect(web_listen(fd), 503, "stopping");
    close(fd);
    assert_int_equal(web_connect(world), -1);
}

/* -- what is refused ------------------------------------------------------------------------ */

static void what_is_not_there_is_404_and_the_wrong_method_405(void **state)
{
    struct web_said said;
    web_expect(web_get(*state, "/"), 404, "\"error\"");
    web_expect(web_get(*state, "/api/v1/statuss"), 404, "\"error\"");
    web_expect(web_get(*state, "/api/v1/rules/a/b/c"), 404, "\"error\"");
    web_expect(web_get(*state, "/api/v1/rules/"), 404, "\"error\"");
    web_expect(web_ask(*state, "DELETE", "/api/v1/status", NULL, NULL), 405, "there for GET");
    said = web_ask(*state, "OPTIONS", "/api/v1/write", NULL, NULL);
    assert_int_equal(said.status, 405);
    assert_non_null(strstr(said.text, "Allow: POST\r\n"));
    assert_null(strstr(said.text, "Access-Control"));
    free(said.text);
}

static void parameters_nobody_knows_are_refused(void **state)
{
    web_expect(web_get(*state, "/api/v1/status?x=1"), 400, "\\\"x\\\"");
    web_expect(web_get(*state, "/api/v1/readings?match"), 400, "match");
    web_expect(web_get(*state, "/api/v1/readings?match=%ff"), 400, "match");
    web_expect(web_get(*state, "/api/v1/history"), 400, "sensor: is missing");
}

static void expect_malformed(const struct web_world *world, const char *bytes, size_t count)
{
    struct web_said said = web_raw(world, bytes, count);
    if (said.status != 0 && said.status / 100 != 4 && said.status != 505)
        fail_msg("%.60s -> %s", bytes, said.text);
    free(said.text);
}

static void malformed_requests_are_survived(void **state)
{
    static const char *const rows[] = {
        "GET\r\n\r\n",
        "\x16\x03\x01\x02\x01\r\n\r\n",
        "GET /api/v1/status\r\n\r\n",
        "GET /api/v1/status HTTP/9.9\r\n\r\n",
        "GET /api/v1/status HTTP/1.1\r\n\r\n",
        "GET /api/v1/status HTTP/1.1\r\nHost x\r\n\r\n",
        "POST /api/v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        "POST /api/v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST /api/v1/reload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET /%00%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET /api/v1/rules/%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    };
    char line[70000];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect_malformed(*state, rows[i], strlen(rows[i]));
    for (size_t i = 0; i < 300; i++) { /* more than there are places */
        int fd = web_connect(*state);
        web_send(fd, "\r\n\r\nGET / HT", 12);
        close(fd);
    }
    memset(line, 'a', sizeof(line));
    memcpy(line, "GET /", 5);
    expect_malformed(*state, line, sizeof(line));
    memcpy(line, "GET / HTTP/1.1\r\nHost: x\r\nX: ", 29);
    expect_malformed(*state, line, sizeof(line));
    web_expect(web_get(*state, "/api/v1/health"), 200, "true");
}

static void a_body_that_is_too_large_is_413_said_or_not(void **state)
{
    struct web_world *world = *state;
    static const char head[] = "POST /api/v1/reload HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                               "Content-Type: application/json\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n";
    static char piece[100000];
    int fd = web_connect(world);
    size_t length;
    web_expect(web_ask(world, "POST", "/api/v1/status", NULL, NULL), 405, "GET");
    web_expect(web_raw(world,
                       "POST /api/v1/reload HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                       "Content-Length: 65537\r\n\r\n",
                       strlen("POST /api/v1/reload HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                              "Content-Length: 65537\r\n\r\n")),
               413, "65536");
    length = (size_t)snprintf(piece, sizeof(piece), "%s%x\r\n", head, 90000);
    memset(piece + length, ' ', 90000);
    length += 90000;
    memcpy(piece + length, "\r\n0\r\n\r\n", 7);
    web_send(fd, piece, length + 7);
    web_expect(web_listen(fd), 413, "65536");
    close(fd);
    assert_int_equal(world->n_commands, 0);
}

/* -- who may what --------------------------------------------------------------------------- */

/* In a child under another user; its exit code says what went wrong. */
static int ask_as_nobody(struct web_world *world)
{
    struct web_said read, write;
    if (setgid(65534) < 0 || setuid(65534) < 0)
        return 77;
    read = web_get(world, "/api/v1/status");
    if (read.status != 200 || !strstr(read.body, "\"rights\":\"read\""))
        return 1;
    write = web_post(world, "/api/v1/reload", "{}");
    if (write.status != 403 || !strstr(write.body, "\"error\""))
        return 2;
    return 0;
}

static void another_user_may_only_read(void **state)
{
    struct web_world *world = *state;
    int status;
    pid_t child;
    if (geteuid() != 0)
        skip();
    child = fork();
    if (child == 0)
        _exit(ask_as_nobody(world));
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(world->n_commands, 0);
}

/* -- many, and slow ------------------------------------------------------------------------- */

static void two_hundred_ask_at_once(void **state)
{
    static const char question[] = "GET /api/v1/readings HTTP/1.1\r\nHost: x\r\n"
                                   "Connection: close\r\n\r\n";
    int fds[200];
    for (size_t i = 0; i < 200; i++) {
        fds[i] = web_connect(*state);
        assert_true(fds[i] >= 0);
    }
    for (size_t i = 0; i < 200; i++)
        assert_true(web_send(fds[i], question, strlen(question)));
    for (size_t i = 0; i < 200; i++) {
        web_expect(web_listen(fds[i]), 200, "\"value\":86.2");
        close(fds[i]);
    }
}

static void one_more_than_two_hundred_is_told_so(void **state)
{
    int fds[200];
    for (size_t i = 0; i < 200; i++)
        fds[i] = web_connect(*state);
    web_expect(web_get(*state, "/api/v1/health"), 503, "too many clients");
    for (size_t i = 0; i < 200; i++)
        close(fds[i]);
}

static void a_slow_one_holds_up_nobody(void **state)
{
    static const char rest[] = "tus HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    int slow = web_connect(*state);
    web_send(slow, "GET /api/v1/sta", 15);
    for (size_t i = 0; i < 50; i++)
        web_expect(web_get(*state, "/api/v1/health"), 200, "true");
    web_send(slow, rest, strlen(rest));
    web_expect(web_listen(slow), 200, "cellar");
    close(slow);
}

static void turn_the_clock(struct web_world *world)
{
    (void)world;
    clock_use_fixed(clock_boot_ms() + 25000, 0);
}

static void answer_late(struct web_world *world)
{
    web_answer(world);
}

static void turn_it_back(struct web_world *world)
{
    (void)world;
    clock_use_system();
}

static void who_does_not_come_to_an_end_is_cut_off(void **state)
{
    struct web_world *world = *state;
    int fd = web_connect(world);
    struct web_said said;
    web_send(fd, "GET /api/v1/sta", 15);
    web_expect(web_get(world, "/api/v1/health"), 200, "true"); /* so it has been accepted */
    on_loop(world, turn_the_clock);
    said = web_listen(fd);
    on_loop(world, turn_it_back);
    assert_int_equal(said.status, 0);
    assert_int_equal(recv(fd, said.text, 1, 0), 0); /* an end, not our own patience */
    free(said.text);
    close(fd);
}

static void an_answer_that_does_not_come_is_not_waited_for(void **state)
{
    static const char question[] = "POST /api/v1/reload HTTP/1.1\r\nHost: x\r\n"
                                   "Connection: close\r\nContent-Length: 0\r\n\r\n";
    struct web_world *world = *state;
    int fd = web_connect(world);
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    world->silent = true;
    web_send(fd, question, strlen(question));
    while (__atomic_load_n(&world->n_commands, __ATOMIC_SEQ_CST) == 0)
        assert_int_equal(poll(&wait, 1, 1), 0);
    on_loop(world, turn_the_clock);
    web_expect(web_listen(fd), 504, "no answer within 15 s");
    on_loop(world, turn_it_back);
    close(fd);
    on_loop(world, answer_late); /* finds nobody */
    web_expect(web_get(world, "/api/v1/health"), 200, "true");
}

static void questions_follow_each_other_on_one_connection(void **state)
{
    static const char both[] =
        "GET /api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n"
        "GET /api/v1/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    struct web_said said = web_raw(*state, both, strlen(both));
    assert_int_equal(said.status, 200);
    assert_non_null(strstr(said.body, "{\"ok\":true"));
    assert_non_null(strstr(said.body, "HTTP/1.1 404"));
    free(said.text);
}

/* -- the sockets ---------------------------------------------------------------------------- */

static void a_socket_that_was_left_is_replaced(void **state)
{
    struct web_world *world = *state;
    /* What kill -9 leaves: a file to which nobody listens. */
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct web_options options = {.listen = ""};
    struct web_context context = {.loop = world->loop};
    struct web *second = NULL;
    char folder[100];
    snprintf(options.socket, sizeof(options.socket), "%s/new/left", world->folder);
    snprintf(folder, sizeof(folder), "%s/new", world->folder);
    mkdir(folder, 0755);
    memcpy(address.sun_path, options.socket, sizeof(options.socket));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
    on_loop(world, web_stop_loop);
    pthread_join(world->thread, NULL);
    assert_int_equal(web_open(&options, &context, &second, NULL), 0);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
    web_close(second);
    web_free(second);
    assert_int_equal(access(options.socket, F_OK), -1);
    /* And the folder is made where there is none. */
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(web_open(&options, &context, &second, NULL), 0);
    assert_int_equal(access(options.socket, F_OK), 0);
    web_free(second);
    pthread_create(&world->thread, NULL, web_thread, world);
}

static void a_socket_that_is_in_use_stays(void **state)
{
    struct web_world *world = *state;
    struct web_options options = {.listen = ""};
    struct web_context context = {.loop = world->loop};
    struct web *second = NULL;
    snprintf(options.socket, sizeof(options.socket), "%s/s", world->folder);
    on_loop(world, web_stop_loop);
    pthread_join(world->thread, NULL);
    assert_int_equal(web_open(&options, &context, &second, NULL), 0);
    web_close(second);
    web_free(second);
    pthread_create(&world->thread, NULL, web_thread, world);
    web_expect(web_get(world, "/api/v1/health"), 200, "true");
}

int main(void)
{
#define WEB_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        WEB_TEST(the_status_has_names_numbers_and_counters),
        WEB_TEST(health_is_a_status_code_with_reasons),
        WEB_TEST(buses_and_devices_say_who_answers),
        WEB_TEST(buses_and_devices_say_how_their_requests_went),
        WEB_TEST(sensors_say_what_may_be_written),
        WEB_TEST(a_bad_reading_is_null_with_its_reason),
        WEB_TEST(a_rule_explains_itself),
        WEB_TEST(metrics_have_no_line_for_a_value_that_was_not_read),
        WEB_TEST(a_head_is_a_get_without_its_body),
        WEB_TEST(without_a_store_the_past_is_not_there),
        WEB_TEST(a_write_goes_through_and_its_answer_comes_back),
        WEB_TEST(by_is_the_peer_behind_the_name_that_it_gives),
        WEB_TEST(every_command_has_its_route),
        WEB_TEST(what_did_not_succeed_is_no_200),
        WEB_TEST(a_notifier_is_tried_and_its_server_quoted),
        WEB_TEST(a_command_that_says_nothing_useful_is_refused_before_it_is_one),
        WEB_TEST(a_text_that_is_too_long_is_refused_not_cut),
        WEB_TEST(a_question_that_is_open_when_it_closes_is_answered),
        WEB_TEST(what_is_not_there_is_404_and_the_wrong_method_405),
        WEB_TEST(parameters_nobody_knows_are_refused),
        WEB_TEST(malformed_requests_are_survived),
        WEB_TEST(a_body_that_is_too_large_is_413_said_or_not),
        WEB_TEST(another_user_may_only_read),
        WEB_TEST(two_hundred_ask_at_once),
        WEB_TEST(one_more_than_two_hundred_is_told_so),
        WEB_TEST(a_slow_one_holds_up_nobody),
        WEB_TEST(who_does_not_come_to_an_end_is_cut_off),
        WEB_TEST(an_answer_that_does_not_come_is_not_waited_for),
        WEB_TEST(questions_follow_each_other_on_one_connection),
        WEB_TEST(a_socket_that_was_left_is_replaced),
        WEB_TEST(a_socket_that_is_in_use_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
