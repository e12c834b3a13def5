#include "gateway/reload.h"

#include "config/config.h"
#include "gateway/base/loop.h"
#include "gateway/base/reading.h"
#include "gateway/core/inventory.h"
#include "gateway/core/pipeline.h"
#include "gateway/core/site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
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

    f->reloaded = *reloaded;
    f->ended++;
    loop_stop(f->loop);
}

static void reload(struct fixture *f, const char *text)
{
    struct conf_text config = {"t.cfg", text, strlen(text)};
    struct app_options options = {.texts = &config, .n_texts = 1};
    struct site_context context = {.output = &pipeline_rules_output,
                                   .owner = f->pipeline,
                                   .texts = pipeline_texts(f->pipeline)};

    assert_int_equal(reload_start(f->loop, &options, NULL, &context, take, f), 0);
    assert_int_equal(f->ended, 0); /* never from inside */
    loop_run(f->loop);
    assert_int_equal(f->ended, 1);
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
        cmocka_unit_test_setup_teardown(a_bad_one_is_said_and_has_no_site, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
