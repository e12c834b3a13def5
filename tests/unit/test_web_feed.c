/* Server-Sent Events, and TCP: what is read only, and for whom. */

#include "tests/unit/free_port.h"
#include "tests/unit/web_world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
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

/* -- the stream ----------------------------------------------------------------------------- */

struct stream_client {
    int fd;
    char text[1 << 18];
    size_t length;
};

/* Until `words` have come. */
static void hear(struct stream_client *client, const char *words)
{
    while (!strstr(client->text, words)) {
        ssize_t got = recv(client->fd, client->text + client->length,
                           sizeof(client->text) - client->length - 1, 0);
        if (got <= 0)
            fail_msg("no %s in: %s", words, client->text);
        client->length += (size_t)got;
        client->text[client->length] = '\0';
    }
}

static struct stream_client *subscribe(struct web_world *world, const char *query)
{
    struct stream_client *client = calloc(1, sizeof(*client));
    char question[200];
    client->fd = web_connect(world);
    snprintf(question, sizeof(question), "GET /api/v1/stream%s HTTP/1.1\r\nHost: x\r\n\r\n", query);
    web_send(client->fd, question, strlen(question));
    hear(client, ": thermogate\n\n");
    return client;
}

static void unsubscribe(struct stream_client *client)
{
    close(client->fd);
    free(client);
}

static void tell_event(struct web_world *world)
{
    struct event event = {.boot = 10,
                          .sequence = 7,
                          .at_ms = clock_boot_ms(),
                          .since_ms = CLOCK_NEVER,
                          .instance = HOT,
                          .sensor = FLOW_TEMP,
                          .severity = 2,
                          .note = "a \"note\""};
    web_sink.event(world->web, &event);
}

static void readings_rules_and_events_come_as_they_happen(void **state)
{
    struct web_world *world = *state;
    struct stream_client *client = subscribe(world, "");
    assert_non_null(strstr(client->text, "Content-Type: text/event-stream"));
    on_loop(world, web_say_readings);
    hear(client, "event: reading\ndata: {\"sensor\":\"boiler.flow_temp\",\"at_ms\":");
    hear(client, "\"value\":null,\"quality\":\"timeout\"}\n\n");
    on_loop(world, web_say_state);
    hear(client, "event: rule\ndata: {\"id\":\"hot@boiler.flow_temp\"");
    on_loop(world, tell_event);
    hear(client, "event: event\ndata: {\"id\":\"000000000000000a:7\",\"type\":\"fired\"");
    hear(client, "\"note\":\"a \\\"note\\\"\"}\n\n");
    unsubscribe(client);
}

static void a_filter_lets_only_its_sensors_through(void **state)
{
    struct web_world *world = *state;
    struct stream_client *client = subscribe(world, "?match=meter.*");
    on_loop(world, web_say_readings);
    on_loop(world, web_say_state);
    hear(client, "meter.power");
    assert_null(strstr(client->text, "boiler"));
    unsubscribe(client);
}

static void say_much(struct web_world *world)
{
    for (int i = 0; i < 300; i++)
        web_say_readings(world);
}

/* Takes the lengths out that stand between the pieces of an answer. */
static void join_chunks(char *text)
{
    char *from = strstr(text, "\r\n\r\n") + 4, *to = from, *data;
    size_t length;
    while ((length = strtoul(from, &data, 16)) > 0 && strlen(data) >= length + 2) {
        memmove(to, data + 2, length);
        to += length;
        from = data + 2 + length + 2;
    }
    *to = '\0';
}

static void more_than_a_buffer_in_one_turn_reaches_who_reads(void **state)
{
    struct web_world *world = *state;
    struct stream_client *client = subscribe(world, "");
    const char *at = client->text;
    size_t count = 0;
    on_loop(world, say_much);
    on_loop(world, tell_event);
    hear(client, "event: event");
    join_chunks(client->text);
    for (; (at = strstr(at, "\"meter.power\"")); at++)
        count++;
    assert_int_equal(count, 300);
    unsubscribe(client);
}

/* Nobody waits for a reader that does not read: everybody else goes on, he is cut off. */
static void who_does_not_read_is_cut_off_and_counted(void **state)
{
    struct web_world *world = *state;
    struct stream_client *deaf = subscribe(world, "");
    for (int i = 0; i < 100; i++)
        on_loop(world, say_much);
    web_expect(web_get(world, "/api/v1/status"), 200, "\"web_streams_cut\":1");
    web_expect(web_get(world, "/api/v1/status"), 200, "\"web_clients\":1");
    unsubscribe(deaf);
}

static void many_listen_and_leave_at_any_time(void **state)
{
    struct web_world *world = *state;
    struct stream_client *clients[100];
    for (size_t i = 0; i < 100; i++)
        clients[i] = subscribe(world, "");
    for (size_t i = 0; i < 100; i += 2)
        unsubscribe(clients[i]);
    on_loop(world, web_say_readings);
    for (size_t i = 1; i < 100; i += 2) {
        hear(clients[i], "meter.power");
        unsubscribe(clients[i]);
    }
    on_loop(world, web_say_readings);
    web_expect(web_get(world, "/api/v1/health"), 200, "true");
}

static void close_web(struct web_world *world)
{
    web_close(world->web);
}

static void a_stream_ends_when_the_web_closes(void **state)
{
    struct web_world *world = *state;
    struct stream_client *client = subscribe(world, "");
    struct web_said said;
    on_loop(world, close_web);
    said = web_listen(client->fd);
    free(said.text);
    unsubscribe(client);
}

/* -- a new inventory ------------------------------------------------------------------------ */

static void go_over(struct web_world *world)
{
    struct inventory *next = web_inventory(world->texts);
    web_sink.inventory(world->web, next);
    inventory_release(next);
}

static void values_stay_when_the_config_is_read_anew(void **state)
{
    on_loop(*state, go_over);
    web_expect(web_get(*state, "/api/v1/readings"), 200, "\"value\":86.2");
    web_expect(web_get(*state, "/api/v1/devices"), 200, "\"online\":true");
}

/* -- TCP ------------------------------------------------------------------------------------ */

static struct web_said ask_tcp(uint16_t port, const char *question)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct web_said said;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    web_send(fd, question, strlen(question));
    said = web_listen(fd);
    close(fd);
    return said;
}

static void over_tcp_everybody_may_only_read(void **state)
{
    char listen[40];
    uint16_t port = free_port();
    struct web_world *world;
    (void)state;
    snprintf(listen, sizeof(listen), "127.0.0.1:%u", port);
    world = web_world_open(listen, false);
    web_expect(ask_tcp(port, "GET /api/v1/status HTTP/1.1\r\nHost: localhost:8377\r\n"
                             "Connection: close\r\n\r\n"),
               200, "\"rights\":\"read\"");
    web_expect(ask_tcp(port, "POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\n"
                             "Connection: close\r\nContent-Length: 0\r\n\r\n"),
               403, "\"error\"");
    web_expect(ask_tcp(port, "GET /api/v1/status HTTP/1.1\r\nHost: evil.example\r\n"
                             "Connection: close\r\n\r\n"),
               403, "host");
    web_expect(ask_tcp(port, "GET /api/v1/status HTTP/1.1\r\nHost: localhost.evil.example\r\n"
                             "Connection: close\r\n\r\n"),
               403, "host");
    assert_int_equal(world->n_commands, 0);
    web_world_close(world);
}

int main(void)
{
#define WEB_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        WEB_TEST(readings_rules_and_events_come_as_they_happen),
        WEB_TEST(a_filter_lets_only_its_sensors_through),
        WEB_TEST(more_than_a_buffer_in_one_turn_reaches_who_reads),
        WEB_TEST(who_does_not_read_is_cut_off_and_counted),
        WEB_TEST(many_listen_and_leave_at_any_time),
        WEB_TEST(a_stream_ends_when_the_web_closes),
        WEB_TEST(values_stay_when_the_config_is_read_anew),
        cmocka_unit_test(over_tcp_everybody_may_only_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
