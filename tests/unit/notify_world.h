/* For the tests of notify/: a room that is started from a text of config, and what it says. Needs
 * cmocka. */
#pragma once

#include "config/config.h"
#include "gateway/base/clock.h"
#include "gateway/notify/notify.h"
#include "tests/unit/loop_guard.h"
#include "tests/unit/recorders.h"

#include <string.h>

static const struct setting world_settings[] = {
    {.key = "notifiers", .forms = SETTING_NAMED | SETTING_OPEN, .help = "."},
    {.key = "hooks", .forms = SETTING_NAMED, .inside = notify_hook_settings, .help = "."},
    {0},
};

struct world {
    struct guard guard;
    struct recorder server;
    struct conf *conf;
    struct problems *problems;
    struct notify *notify;
    struct error error;
    char *text; /* of the config */
    int delivered, dropped, failing, working, hooks, tests;
    uint64_t rows[64];
    bool ok;
    char words[600];
};

static inline void world_note(struct world *world, const char *words)
{
    snprintf(world->words, sizeof(world->words), "%s", words);
    loop_stop(world->guard.loop);
}

static inline void world_on_delivered(void *owner, const char *notifier,
                                      const struct notify_message *message)
{
    struct world *world = owner;

    (void)notifier;
    world->rows[world->delivered++ % 64] = message->row;
    loop_stop(world->guard.loop);
}

static inline void world_on_dropped(void *owner, const char *notifier,
                                    const struct notify_message *message, const char *why)
{
    struct world *world = owner;

    (void)notifier, (void)message;
    world->dropped++;
    world_note(world, why);
}

static inline void world_on_failing(void *owner, const char *name, int64_t since_ms,
                                    const char *why)
{
    struct world *world = owner;

    (void)name, (void)since_ms;
    world->failing++;
    world_note(world, why);
}

static inline void world_on_working(void *owner, const char *name)
{
    struct world *world = owner;

    (void)name;
    world->working++;
}

static inline void world_on_hook(void *owner, const char *hook, bool ok, const char *words)
{
    struct world *world = owner;

    (void)hook;
    world->hooks++;
    world->ok = ok;
    world_note(world, words);
}

static inline void world_on_test(void *owner, const char *name, bool ok, const char *words)
{
    struct world *world = owner;

    (void)name;
    world->tests++;
    world->ok = ok;
    world_note(world, words);
}

static const struct notify_calls world_calls = {world_on_delivered, world_on_dropped,
                                                world_on_failing, world_on_working, world_on_hook};

/* `from` replaced by `to` wherever it stands. */
static inline void world_replace(struct world *world, const char *from, const char *to)
{
    char *at, *text;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    const char *rest = world->text;

    while ((at = strstr(rest, from))) {
        fprintf(file, "%.*s%s", (int)(at - rest), rest, to);
        rest = at + strlen(from);
    }
    fputs(rest, file);
    fclose(file);
    free(world->text);
    world->text = text;
}

/* Reads and checks the text, in which WEB is the server's address, PORT its port, DIR its folder.
 * Returns the number of errors. */
static inline size_t world_read(struct world *world, const char *text)
{
    char web[64], port[16];
    const struct section *root;

    snprintf(web, sizeof(web), "http://127.0.0.1:%d", world->server.port);
    snprintf(port, sizeof(port), "%d", world->server.port);
    world->text = strdup(text);
    world_replace(world, "WEB", web);
    world_replace(world, "PORT", port);
    world_replace(world, "DIR", world->server.files.root);
    conf_free(world->conf);
    problems_free(world->problems);
    world->conf = NULL;
    world->problems = problems_new();
    conf_read_text("t.cfg", world->text, strlen(world->text), world_settings, world->problems,
                   &world->conf);
    free(world->text);
    world->text = NULL;
    assert_non_null(world->conf);
    root = conf_root(world->conf);
    notify_check(section_child(root, "notifiers"), section_child(root, "hooks"), world->problems);
    return problems_errors(world->problems);
}

static inline bool world_says(struct world *world, const char *words)
{
    const char *line;

    for (size_t i = 0; (line = problems_line(world->problems, i)); i++)
        if (strstr(line, words))
            return true;
    return false;
}

static inline int world_start(struct world *world, const char *text)
{
    const struct section *root;

    if (world_read(world, text) > 0) {
        problems_print(world->problems, stderr);
        fail_msg("the config has errors");
    }
    root = conf_root(world->conf);
    return notify_start(world->guard.loop, section_child(root, "notifiers"),
                        section_child(root, "hooks"), &world_calls, world, &world->notify,
                        &world->error);
}

static inline int world_reload(struct world *world, const char *text)
{
    const struct section *root;

    assert_int_equal(world_read(world, text), 0);
    root = conf_root(world->conf);
    return notify_reload(world->notify, section_child(root, "notifiers"),
                         section_child(root, "hooks"), &world->error);
}

static inline void world_send(struct world *world, const char *name, struct notify_message message)
{
    if (!message.at_ms)
        message.at_ms = clock_wall_ms(clock_boot_ms());
    if (!message.since_ms)
        message.since_ms = CLOCK_NEVER;
    assert_int_equal(notify_send(world->notify, name, &message), 0);
}

static inline void world_run_until(struct world *world, const int *counter, int value)
{
    while (*counter < value)
        guard_run(&world->guard);
}

static inline void guard_end_turn(void *owner)
{
    loop_stop(owner);
}

/* Lets the loop run for so long, or until somebody stops it. */
static inline void guard_turn(struct guard *guard, int64_t ms)
{
    struct timer *timer = timer_new(guard->loop, guard_end_turn, guard->loop);

    timer_at(timer, clock_boot_ms() + ms);
    guard_run(guard);
    timer_free(timer);
}

static inline void world_test(struct world *world, const char *name)
{
    int before = world->tests;

    assert_int_equal(notify_test(world->notify, name, world_on_test, world), 0);
    assert_int_equal(world->tests, before); /* never from inside */
    world_run_until(world, &world->tests, before + 1);
}

static inline struct world *world_open(const char *tool, const char *mode, bool tls)
{
    struct world *world = calloc(1, sizeof(*world));

    recorders_environment();
    recorder_start(&world->server, tool, mode, tls);
    guard_open(&world->guard);
    return world;
}

static inline void world_close(struct world *world)
{
    notify_stop(world->notify);
    guard_close(&world->guard);
    conf_free(world->conf);
    problems_free(world->problems);
    recorder_stop(&world->server);
    free(world);
}
