/* Devices whose address is a name: one that does not resolve yet, and one that leads elsewhere
 * later. The resolver of this program is a function here, which libuv's threads call as they would
 * the system's; the peers are lent lines (share.h), each with one value. */
#include "tests/unit/loop_guard.h"

#include "adapters/modbus/modbus.h"
#include "adapters/modbus/share.h"
#include "gateway/base/enclosing.h"
#include "modbus_config.h"

#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAME "meter.example"

/* -- the resolver --------------------------------------------------------------------------- */

static _Atomic(const char *) leads_to; /* NULL: nobody knows the name */

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found)
{
    int (*of_the_system)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

    *(void **)&of_the_system = dlsym(RTLD_NEXT, "getaddrinfo");
    if (node && strcmp(node, NAME) == 0)
        node = atomic_load(&leads_to);
    return node ? of_the_system(node, service, hints, found) : EAI_AGAIN;
}

/* -- the peers ------------------------------------------------------------------------------ */

struct peer {
    struct adapter_host host;
    struct mb_share *share;
    struct timer *soon;
    struct adapter_question question;
    uint8_t value;
};

static void answer(void *owner)
{
    struct peer *peer = owner;
    struct adapter_answer answer = {.quality = QUALITY_GOOD, .bytes = {0, peer->value}, .count = 2};

    peer->question.done(peer->question.asker, &answer);
}

static int take_question(struct adapter_host *host, uint32_t device,
                         const struct adapter_question *question)
{
    struct peer *peer = enclosing(host, struct peer, host);

    (void)device;
    peer->question = *question;
    timer_at(peer->soon, clock_boot_ms());
    return 0;
}

static void peer_open(struct peer *peer, struct loop *loop, const char *host, uint16_t port,
                      uint8_t value)
{
    struct address address = {.port = port};
    struct error err;

    text_copy(address.host, sizeof(address.host), host);
    *peer = (struct peer){.host = {.loop = loop, .ask = take_question, .note = made_note},
                          .value = value};
    peer->soon = timer_new(loop, answer, peer);
    assert_int_equal(
        mb_share_open(&peer->host, &address, &(struct mb_share_terms){0}, &peer->share, &err), 0);
}

static void peer_close(struct peer *peer)
{
    mb_share_close(peer->share);
    timer_free(peer->soon);
    *peer = (struct peer){0};
}

/* -- the world ------------------------------------------------------------------------------ */

struct world {
    struct guard guard;
    struct adapter_host host;
    struct timer *tick;
    struct made *made;
    void *bus;
    struct sample sample;
    uint8_t quality;
    bool ended;
    uint16_t port;
};

static void on_report(struct adapter_host *host, uint32_t device, const struct sample *samples,
                      size_t count)
{
    (void)device, (void)count;
    enclosing(host, struct world, host)->sample = samples[0];
}

static struct sample *on_scratch(struct adapter_host *host)
{
    return &enclosing(host, struct world, host)->sample;
}

static void on_end(struct adapter_host *host, uint64_t ticket, uint8_t quality)
{
    struct world *world = enclosing(host, struct world, host);

    (void)ticket;
    world->quality = quality;
    world->ended = true;
    loop_stop(world->guard.loop);
}

static void on_link(struct adapter_host *host, const char *link, const char *why)
{
    (void)host, (void)link, (void)why;
}

static void on_exchanged(struct adapter_host *host, uint32_t device,
                         const struct adapter_exchange *exchange)
{
    (void)host, (void)device, (void)exchange;
}

static void on_tick(void *owner)
{
    loop_stop(((struct world *)owner)->guard.loop);
}

/* One that no address of this machine has yet. */
static uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static int open_world(void **state)
{
    static const char *const channels[] = {"register=holding 0", NULL};
    struct world *world = calloc(1, sizeof(*world));
    char connect[40];
    struct error err;

    guard_open(&world->guard);
    world->tick = timer_new(world->guard.loop, on_tick, world);
    world->host = (struct adapter_host){.loop = world->guard.loop,
                                        .report = on_report,
                                        .scratch = on_scratch,
                                        .end = on_end,
                                        .link = on_link,
                                        .exchanged = on_exchanged,
                                        .learnt = made_learnt,
                                        .recall = made_recall};
    world->port = free_port();
    snprintf(connect, sizeof(connect), "tcp://" NAME ":%u", world->port);
    world->made = made_bus(&modbus_tcp_adapter, "timeout=5s");
    made_device(world->made, &modbus_tcp_adapter, connect, "unit=1", channels);
    assert_int_equal(modbus_tcp_adapter.open(&world->made->config, &world->host, &world->bus, &err),
                     0);
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;

    modbus_tcp_adapter.close(world->bus);
    timer_free(world->tick);
    guard_close(&world->guard);
    made_free(world->made);
    free(world);
    return 0;
}

static uint8_t poll_once(struct world *world)
{
    world->ended = false;
    modbus_tcp_adapter.begin(world->bus, 0, 0);
    while (!world->ended)
        guard_run(&world->guard);
    return world->quality;
}

/* Every 20 ms; the value that comes then. */
static double poll_until_good(struct world *world)
{
    while (poll_once(world) != QUALITY_GOOD) {
        timer_at(world->tick, clock_boot_ms() + 20);
        guard_run(&world->guard);
    }
    return world->sample.number;
}

/* -- tests ---------------------------------------------------------------------------------- */

static void a_name_that_resolves_late_is_reached_then(void **state)
{
    struct world *world = *state;
    struct peer peer;

    peer_open(&peer, world->guard.loop, "127.0.0.1", world->port, 1);
    atomic_store(&leads_to, NULL);
    assert_int_equal(poll_once(world), QUALITY_DISCONNECTED);
    atomic_store(&leads_to, "127.0.0.1");
    assert_true(poll_until_good(world) == 1);
    peer_close(&peer);
}

static void a_name_that_leads_elsewhere_later_is_followed(void **state)
{
    struct world *world = *state;
    struct peer first, second;

    peer_open(&first, world->guard.loop, "127.0.0.1", world->port, 1);
    peer_open(&second, world->guard.loop, "127.0.0.2", world->port, 2);
    atomic_store(&leads_to, "127.0.0.1");
    assert_true(poll_until_good(world) == 1);
    atomic_store(&leads_to, "127.0.0.2");
    assert_true(poll_until_good(world) == 1); /* as long as the connection lasts */
    peer_close(&first);
    assert_true(poll_until_good(world) == 2);
    peer_close(&second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_name_that_resolves_late_is_reached_then),
        TEST(a_name_that_leads_elsewhere_later_is_followed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
