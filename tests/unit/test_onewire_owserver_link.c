#include "adapters/onewire/owserver_link.h"

#include "adapter_config.h"
#include "loop_guard.h"
#include "made_owserver.h"

#include "gateway/base/text.h"

/* What ended, in order: "a:good:21.5 b:no_sensor: ". */
struct world {
    struct guard guard;
    struct made_host host;
    struct ows server;
    struct ow_link *link;
    struct ow_ask a, b, c;
    char ended[500];
    size_t length;
    int stop_after;
};

static struct world world;

static void take_end(struct ow_ask *ask, const struct ow_end *end)
{
    text_append(world.ended, sizeof(world.ended), &world.length, "%s:%s:%s ", (char *)ask->owner,
                quality_name(end->quality), end->text);
    if (--world.stop_after == 0)
        loop_stop(world.guard.loop);
}

static struct ow_ask ask_for(const char *name, const char *path)
{
    return (struct ow_ask){
        .type = OW_READ, .path = path, .done = take_end, .owner = (void *)(uintptr_t)name};
}

static int setup(void **state)
{
    struct address address = {.host = "127.0.0.1"};

    (void)state;
    memset(&world, 0, sizeof(world));
    guard_open(&world.guard);
    host_init(&world.host);
    world.host.host.loop = world.guard.loop;
    ows_start(&world.server);
    ows_answer(&world.server, "/a", "21.5");
    ows_answer(&world.server, "/b", "22.5");
    ows_answer(&world.server, "/c", "23.5");
    address.port = world.server.port;
    world.link = ow_link_new(&world.host.host, &address);
    world.a = ask_for("a", "/a");
    world.b = ask_for("b", "/b");
    world.c = ask_for("c", "/c");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ow_link_free(world.link);
    ows_stop(&world.server);
    guard_close(&world.guard);
    return 0;
}

static void expect(int ends, const char *ended)
{
    world.ended[world.length = 0] = '\0';
    world.stop_after = ends;
    guard_run(&world.guard);
    assert_string_equal(world.ended, ended);
}

static void put(struct ow_ask *ask)
{
    ow_link_put(world.link, ask, false);
}

static void asks_are_answered_in_turn_on_one_connection(void **state)
{
    (void)state;
    put(&world.a);
    put(&world.b);
    expect(2, "a:good:21.5 b:good:22.5 ");
    put(&world.c);
    expect(1, "c:good:23.5 ");
    assert_int_equal(world.server.connections, 1);
    assert_int_equal(world.host.n_links, 1);
    assert_non_null(strstr(world.host.links[0], " up"));
}

static void the_first_goes_ahead_of_those_that_wait(void **state)
{
    (void)state;
    put(&world.a);
    put(&world.b);
    ow_link_put(world.link, &world.c, true);
    expect(3, "c:good:23.5 a:good:21.5 b:good:22.5 ");
}

static void an_error_code_has_its_quality(void **state)
{
    (void)state;
    ows_answer(&world.server, "/a", "!58");
    put(&world.a);
    expect(1, "a:crc: ");
}

static void a_server_at_work_is_waited_for(void **state)
{
    (void)state;
    ows_answer(&world.server, "/a", "+21.5");
    put(&world.a);
    expect(1, "a:good:21.5 ");
}

static void a_server_that_keeps_no_connection_is_connected_to_again(void **state)
{
    (void)state;
    ows_answer(&world.server, "/a", "-21.5");
    for (int i = 1; i <= 3; i++) {
        put(&world.a);
        expect(1, "a:good:21.5 ");
        assert_int_equal(world.server.connections, i);
    }
    assert_int_equal(world.host.n_links, 1);
}

static void a_connection_that_was_closed_while_idle_is_no_failure(void **state)
{
    (void)state;
    put(&world.a);
    expect(1, "a:good:21.5 ");
    ows_hang_up(&world.server);
    put(&world.b);
    expect(1, "b:good:22.5 ");
    assert_int_equal(world.server.connections, 2);
    assert_int_equal(world.host.n_links, 1);
}

static void a_server_that_hangs_up_unanswered_is_disconnected(void **state)
{
    (void)state;
    ows_answer(&world.server, "/a", "close");
    put(&world.a);
    put(&world.b);
    expect(2, "a:disconnected: b:disconnected: ");
    assert_non_null(strstr(world.host.links[1], "down: closed by the peer"));
}

static void what_is_asked_too_early_ends_later_not_inside(void **state)
{
    (void)state;
    ows_answer(&world.server, "/a", "close");
    put(&world.a);
    expect(1, "a:disconnected: ");
    world.ended[world.length = 0] = '\0';
    put(&world.b);
    assert_string_equal(world.ended, "");
    expect(1, "b:disconnected: ");
}

static void a_server_that_comes_back_is_found(void **state)
{
    (void)state;
    put(&world.a);
    expect(1, "a:good:21.5 ");
    ows_stop(&world.server);
    put(&world.a);
    expect(1, "a:disconnected: ");
    assert_non_null(strstr(world.host.links[1], "connection refused"));
    ows_start(&world.server);
    do {
        put(&world.b);
        world.ended[world.length = 0] = '\0';
        world.stop_after = 1;
        guard_run(&world.guard);
    } while (strcmp(world.ended, "b:disconnected: ") == 0);
    assert_string_equal(world.ended, "b:good:22.5 ");
    assert_int_equal(world.host.n_links, 3);
}

static void what_is_no_owserver_is_told(void **state)
{
    (void)state;
    ows_answer(&world.server, "/a", "rubbish");
    put(&world.a);
    expect(1, "a:protocol: ");
    assert_non_null(strstr(world.host.links[1], "is no answer of owserver"));
}

static void closing_forgets_what_was_asked(void **state)
{
    (void)state;
    ows_answer(&world.server, "/a", "silence");
    put(&world.a);
    put(&world.b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(asks_are_answered_in_turn_on_one_connection),
        TEST(the_first_goes_ahead_of_those_that_wait),
        TEST(an_error_code_has_its_quality),
        TEST(a_server_at_work_is_waited_for),
        TEST(a_server_that_keeps_no_connection_is_connected_to_again),
        TEST(a_connection_that_was_closed_while_idle_is_no_failure),
        TEST(a_server_that_hangs_up_unanswered_is_disconnected),
        TEST(what_is_asked_too_early_ends_later_not_inside),
        TEST(a_server_that_comes_back_is_found),
        TEST(what_is_no_owserver_is_told),
        TEST(closing_forgets_what_was_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
