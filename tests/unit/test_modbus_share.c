/* A line that is lent, on a loop with one other master; the line itself is a function here. */
#include "adapters/modbus/share.h"

#include "gateway/base/stream.h"
#include "tests/unit/loop_guard.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OWED_MAX 64

struct world {
    struct guard guard;
    struct adapter_host host;
    struct mb_share *share;
    struct stream *master;
    struct timer *line;
    struct adapter_question question;       /* the last that was asked */
    struct adapter_question owed[OWED_MAX]; /* all that were not answered yet */
    size_t n_owed;
    struct adapter_answer answer; /* that the line gives */
    int asked, refuse;
    size_t n_in, wanted;
    bool down;
    uint8_t in[400];
    struct mb_share_terms terms;
    struct address address;
};

/* The host leads to its world: there is one at a time. */
static struct world *the_world;

static int take_question(struct adapter_host *host, uint32_t device,
                         const struct adapter_question *question)
{
    struct world *world = the_world;

    assert_ptr_equal(host, &world->host);
    assert_int_equal(device, 0);
    if (world->refuse)
        return world->refuse;
    world->asked++;
    assert_true(world->n_owed < OWED_MAX);
    world->question = world->owed[world->n_owed++] = *question;
    timer_at(world->line, clock_boot_ms());
    return 0;
}

/* Whoever is answered may ask the next one at once: its turn comes later. */
static void answer_questions(void *owner)
{
    struct world *world = owner;

    for (size_t left = world->n_owed; left > 0; left--) {
        struct adapter_question question = world->owed[0];

        memmove(world->owed, world->owed + 1, --world->n_owed * sizeof(question));
        question.done(question.asker, &world->answer);
    }
}

static void on_up(void *owner)
{
    loop_stop(((struct world *)owner)->guard.loop);
}

static void on_data(void *owner, const uint8_t *bytes, size_t count, int64_t at_ms)
{
    struct world *world = owner;

    (void)at_ms;
    assert_true(world->n_in + count <= sizeof(world->in));
    memcpy(world->in + world->n_in, bytes, count);
    world->n_in += count;
    if (world->n_in >= world->wanted)
        loop_stop(world->guard.loop);
}

static void on_down(void *owner, int status, const char *why)
{
    struct world *world = owner;

    (void)status;
    (void)why;
    world->down = true;
    loop_stop(world->guard.loop);
}

static uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

/* Until it is up, or refused. */
static void connect_master(struct world *world)
{
    static const struct stream_events events = {on_up, on_data, on_down};

    world->master =
        stream_open(world->guard.loop, "127.0.0.1", world->address.port, 5000, &events, world);
    guard_run(&world->guard);
}

static int open_world(void **state)
{
    struct world *world = the_world = calloc(1, sizeof(*world));
    struct error err;

    guard_open(&world->guard);
    world->host = (struct adapter_host){.loop = world->guard.loop, .ask = take_question};
    world->line = timer_new(world->guard.loop, answer_questions, world);
    world->answer = (struct adapter_answer){.quality = QUALITY_GOOD, .bytes = {0, 215}, .count = 2};
    world->terms = (struct mb_share_terms){.fresh_ms = 700};
    world->address = (struct address){.host = "127.0.0.1", .port = free_port()};
    assert_int_equal(
        mb_share_open(&world->host, &world->address, &world->terms, &world->share, &err), 0);
    connect_master(world);
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;

    stream_close(world->master);
    mb_share_close(world->share);
    answer_questions(world);
    timer_free(world->line);
    guard_close(&world->guard);
    free(world);
    return 0;
}

/* Sends these bytes and waits for so many in return. */
static void exchange(struct world *world, const void *bytes, size_t count, size_t wanted)
{
    world->n_in = 0;
    world->wanted = wanted;
    assert_int_equal(stream_write(world->master, bytes, count), 0);
    guard_run(&world->guard);
}

static const uint8_t read_one[] = {0xab, 0xcd, 0, 0, 0, 6, 5, 4, 0, 1, 0, 1};

static void another_master_reads_through_us(void **state)
{
    static const uint8_t answer[] = {0xab, 0xcd, 0, 0, 0, 5, 5, 4, 2, 0, 215};
    struct world *world = *state;

    exchange(world, read_one, sizeof(read_one), sizeof(answer));
    assert_memory_equal(world->in, answer, sizeof(answer));
    assert_int_equal(world->question.unit, 5);
    assert_int_equal(world->question.function, 4);
    assert_int_equal(world->question.address, 1);
    assert_int_equal(world->question.count, 1);
    assert_int_equal(world->question.fresh_ms, 700);
}

static void two_questions_at_once_are_answered_one_after_the_other(void **state)
{
    struct world *world = *state;
    uint8_t both[2 * sizeof(read_one)];

    memcpy(both, read_one, sizeof(read_one));
    memcpy(both + sizeof(read_one), read_one, sizeof(read_one));
    both[sizeof(read_one)] = 0xee;
    exchange(world, both, sizeof(both), 22);
    assert_int_equal(world->asked, 2);
    assert_int_equal(world->in[0], 0xab);
    assert_int_equal(world->in[11], 0xee);
}

static void expect_exception(struct world *world, const uint8_t *request, size_t length,
                             uint8_t code)
{
    exchange(world, request, length, 9);
    assert_int_equal(world->in[7], request[7] | 0x80);
    assert_int_equal(world->in[8], code);
}

static void nobody_writes_through_us(void **state)
{
    static const uint8_t write[] = {0, 1, 0, 0, 0, 6, 5, 6, 0, 1, 0, 1};
    struct world *world = *state;

    expect_exception(world, write, sizeof(write), 1);
    assert_int_equal(world->asked, 0);
}

/* On a line that is lent for that, too. */
static void open_for_writing(struct world *world)
{
    struct error err;

    stream_close(world->master);
    mb_share_close(world->share);
    world->terms.writes = true;
    world->address.port = free_port();
    assert_int_equal(
        mb_share_open(&world->host, &world->address, &world->terms, &world->share, &err), 0);
    connect_master(world);
}

static void who_may_write_does_so_through_us(void **state)
{
    static const uint8_t one[] = {0, 1, 0, 0, 0, 6, 5, 6, 0, 1, 0x12, 0x34};
    static const uint8_t two[] = {0, 2, 0, 0, 0, 11, 5, 16, 0, 1, 0, 2, 4, 1, 2, 3, 4};
    static const uint8_t two_done[] = {0, 2, 0, 0, 0, 6, 5, 16, 0, 1, 0, 2};
    struct world *world = *state;

    open_for_writing(world);
    world->answer = (struct adapter_answer){.quality = QUALITY_GOOD};
    exchange(world, one, sizeof(one), sizeof(one));
    assert_memory_equal(world->in, one, sizeof(one));
    assert_memory_equal(world->question.data, "\x12\x34", 2);
    exchange(world, two, sizeof(two), sizeof(two_done));
    assert_memory_equal(world->in, two_done, sizeof(two_done));
    assert_int_equal(world->question.function, 16);
    assert_int_equal(world->question.count, 2);
    assert_memory_equal(world->question.data, "\1\2\3\4", 4);
}

static void too_much_at_once_is_refused(void **state)
{
    static const uint8_t many[] = {0, 1, 0, 0, 0, 6, 5, 4, 0, 1, 0, 126};
    static const uint8_t odd[] = {0, 1, 0, 0, 0, 5, 5, 4, 0, 1, 0};

    expect_exception(*state, many, sizeof(many), 3);
    expect_exception(*state, odd, sizeof(odd), 3);
}

static void what_the_line_says_instead_is_passed_on(void **state)
{
    struct world *world = *state;

    world->answer.quality = QUALITY_EXCEPTION + 2;
    expect_exception(world, read_one, sizeof(read_one), 2);
    world->answer.quality = QUALITY_TIMEOUT;
    expect_exception(world, read_one, sizeof(read_one), 11);
    world->answer.quality = QUALITY_DISCONNECTED;
    expect_exception(world, read_one, sizeof(read_one), 10);
    world->refuse = -ENOBUFS;
    expect_exception(world, read_one, sizeof(read_one), 6);
}

static void what_is_no_modbus_is_cut_off(void **state)
{
    struct world *world = *state;

    exchange(world, "GET / HTTP/1.1\r\n", 16, 400);
    assert_true(world->down);
}

static void who_asks_without_waiting_is_cut_off(void **state)
{
    struct world *world = *state;

    timer_free(world->line);
    world->line = timer_new(world->guard.loop, on_up, world); /* never answers */
    world->wanted = 400;
    for (int i = 0; i < 60; i++)
        assert_int_equal(stream_write(world->master, read_one, sizeof(read_one)), 0);
    while (!world->down)
        guard_run(&world->guard);
    world->answer.quality = QUALITY_TIMEOUT;
    answer_questions(world); /* it has gone, and its memory with this */
}

static void an_answer_after_the_end_finds_nobody(void **state)
{
    struct world *world = *state;

    timer_free(world->line);
    world->line = timer_new(world->guard.loop, on_up, world);
    assert_int_equal(stream_write(world->master, read_one, sizeof(read_one)), 0);
    guard_run(&world->guard);
    mb_share_close(world->share);
    world->share = NULL;
    answer_questions(world);
}

/* Every bit of a question turned over, and every end cut off by a master who leaves at once:
 * whoever comes next is served. */
static void mutated_questions_are_survived(void **state)
{
    struct world *world = *state;

    for (size_t bit = 0; bit < 8 * sizeof(read_one); bit++) {
        uint8_t mutated[2 * sizeof(read_one)];

        memcpy(mutated, read_one, sizeof(read_one));
        memcpy(mutated + sizeof(read_one), read_one, sizeof(read_one));
        mutated[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(
            stream_write(world->master, mutated, sizeof(mutated) - bit % sizeof(read_one)), 0);
        stream_close(world->master);
        world->down = false;
        connect_master(world);
    }
    exchange(world, read_one, sizeof(read_one), 11);
    assert_int_equal(world->in[10], 215);
}

static void a_port_that_is_taken_is_tried_again(void **state)
{
    struct world *world = *state;
    struct mb_share *second;
    struct error err;

    assert_int_equal(mb_share_open(&world->host, &world->address, &world->terms, &second, &err), 0);
    mb_share_close(world->share);
    world->share = second;
    while (!world->down) /* the first one's end */
        guard_run(&world->guard);
    world->down = true;
    while (world->down) { /* until the second one is there */
        stream_close(world->master);
        world->down = false;
        connect_master(world);
    }
}

static void an_address_of_somebody_else_is_said(void **state)
{
    struct address address = {.host = "192.0.2.1", .port = 1502};
    struct world *world = *state;
    struct mb_share *share;
    struct error err;

    assert_true(mb_share_open(&world->host, &address, &world->terms, &share, &err) < 0);
    assert_non_null(strstr(err.text, "cannot be shared at 192.0.2.1, port 1502"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(another_master_reads_through_us),
        TEST(two_questions_at_once_are_answered_one_after_the_other),
        TEST(nobody_writes_through_us),
        TEST(who_may_write_does_so_through_us),
        TEST(too_much_at_once_is_refused),
        TEST(what_the_line_says_instead_is_passed_on),
        TEST(what_is_no_modbus_is_cut_off),
        TEST(who_asks_without_waiting_is_cut_off),
        TEST(an_answer_after_the_end_finds_nobody),
        TEST(mutated_questions_are_survived),
        TEST(a_port_that_is_taken_is_tried_again),
        TEST(an_address_of_somebody_else_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
