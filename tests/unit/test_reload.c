#include "gateway/reload.h"

#include "config/config.h"
#include "gateway/base/loop.h"
#include "gateway/base/reading.h"
#include "gateway/core/found.h"
#include "gateway/core/inventory.h"
#include "gateway/core/pipeline.h"
#include "gateway/core/site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct fixture {
    struct loop *loop;
    struct pipeline *pipeline;
    struct reloaded reloaded;
    unsigned ended;
};

static int setup(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.loop = loop_new()};
    fixture.pipeline = pipeline_new(fixture.loop);
    *state = &fixture;
    return fixture.pipeline ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    pipeline_workings_free(f->reloaded.workings);
    site_free(f->reloaded.site);
    conf_free(f->reloaded.conf);
    pipeline_free(f->pipeline);
    loop_free(f->loop);
    return 0;
}

static void take(void *owner, struct reloaded *reloaded)
{
    struct fixture *f = owner;

    pipeline_workings_free(f->reloaded.workings);
    f->reloaded = *reloaded;
    f->ended++;
    loop_stop(f->loop);
}

/* Builds `conf` again, or reads `text` where that is NULL. */
static void build(struct fixture *f, const char *text, struct conf *conf, const struct found *found)
{
    struct conf_text config = {"t.cfg", text, text ? strlen(text) : 0};
    struct app_options options = {.texts = &config, .n_texts = 1};
    struct site_context context = {.output = &pipeline_rules_output,
                                   .owner = f->pipeline,
                                   .found = found,
                                   .texts = pipeline_texts(f->pipeline)};

    f->ended = 0;
    assert_int_equal(reload_start(f->loop, &options, conf, &context, take, f), 0);
    assert_int_equal(f->ended, 0); /* never from inside */
    loop_run(f->loop);
    assert_int_equal(f->ended, 1);
}

static void reload(struct fixture *f, const char *text)
{
    build(f, text, NULL, NULL);
}

static void a_good_config_becomes_a_site(void **state)
{
    struct fixture *f = *state;
    reload(f, "buses: { sim: { adapter = \"sim\" } }\n"
              "devices: { a: { bus = \"sim\"; channels: { t: { } } } }");
    assert_int_equal(f->reloaded.result, 0);
    assert_int_equal(f->reloaded.site->inventory->n_sensors, 1);
    assert_non_null(f->reloaded.workings);
}

static void who_wants_each_message_at_once_has_polls_in_smaller_groups(void **state)
{
    static const char text[] =
        "%s buses: { plant: { adapter = \"modbus\" } } devices: { a: { bus = \"plant\"; "
        "connect = \"tcp://127.0.0.1\"; channels: { t: { register = \"input 0\" } } } }";
    struct fixture *f = *state;
    char config[400];

    snprintf(config, sizeof(config), text, "mqtt: { host = \"127.0.0.1\" }");
    reload(f, config);
    assert_int_equal(f->reloaded.site->buses[0].grid_ms, 20);
    conf_free(f->reloaded.conf);
    site_free(f->reloaded.site);
    snprintf(config, sizeof(config), text, "mqtt: { host = \"127.0.0.1\"; gather = \"0s\" }");
    reload(f, config);
    assert_int_equal(f->reloaded.site->buses[0].grid_ms, 5);
}

static void a_config_that_was_read_is_built_again_with_what_was_found(void **state)
{
    struct fixture *f = *state;
    struct adapter_found device = {
        .name = "w1_28_0316a2794aff", .key = "address", .value = "28-0316a2794aff", .what = ""};
    struct found *found = found_new();

    reload(f, "buses: { w1: { adapter = \"onewire\"; discover = true } }");
    assert_int_equal(f->reloaded.result, 0);
    assert_false(f->reloaded.again);
    assert_int_equal(f->reloaded.site->inventory->n_devices, 0);
    site_free(f->reloaded.site);
    found_add(found, "w1", &device);
    build(f, NULL, f->reloaded.conf, found);
    found_free(found);
    assert_int_equal(f->reloaded.result, 0);
    assert_true(f->reloaded.again);
    assert_int_equal(f->reloaded.site->inventory->n_devices, 1);
}

static void a_bad_one_is_said_and_has_no_site(void **state)
{
    struct fixture *f = *state;
    int err = dup(STDERR_FILENO);
    assert_non_null(freopen("/dev/null", "w", stderr));
    reload(f, "devices: { a: { bus = \"nowhere\" } }");
    dup2(err, STDERR_FILENO);
    close(err);
    assert_int_equal(f->reloaded.result, -EINVAL);
    assert_null(f->reloaded.site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_good_config_becomes_a_site, setup, teardown),
        cmocka_unit_test_setup_teardown(who_wants_each_message_at_once_has_polls_in_smaller_groups,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_config_that_was_read_is_built_again_with_what_was_found,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_bad_one_is_said_and_has_no_site, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
