#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "config/config.h"
#include "gateway/mqtt/mqtt.h"
#include "gateway/mqtt/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct setting root[] = {
    {.key = "mqtt", .forms = SETTING_GROUP, .inside = mqtt_settings},
    {0},
};

struct fixture {
    struct problems *problems;
    struct conf *conf;
    struct options *options;
    struct error error;
};

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    options_free(f->options);
    conf_free(f->conf);
    problems_free(f->problems);
    free(f);
    return 0;
}

/* The group of `text`, checked against the table. */
static const struct section *section_of(struct fixture *f, const char *text)
{
    char whole[2000];

    options_free(f->options);
    f->options = NULL;
    conf_free(f->conf);
    problems_free(f->problems);
    f->problems = problems_new();
    snprintf(whole, sizeof(whole), "mqtt: { %s }", text);
    conf_read_text("test.cfg", whole, strlen(whole), root, f->problems, &f->conf);
    return section_child(conf_root(f->conf), "mqtt");
}

static int read_from(struct fixture *f, const char *text)
{
    const struct section *section = section_of(f, text);

    assert_int_equal(problems_errors(f->problems), 0);
    return options_read(section, &(struct mqtt_gateway){"cellar", "cellar"}, &f->options,
                        &f->error);
}

static void an_empty_group_is_a_broker_on_this_machine(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_from(f, ""), 0);
    assert_string_equal(f->options->host, "localhost");
    assert_int_equal(f->options->port, 1883);
    assert_true(f->options->v5);
    assert_string_equal(f->options->base, "thermogate/cellar");
    assert_string_equal(f->options->prefix, "homeassistant");
    assert_string_equal(f->options->birth_topic, "homeassistant/status");
    assert_string_equal(f->options->birth_payload, "online");
    assert_int_equal(f->options->gather_ms, 5);
    assert_int_equal(f->options->keep_alive_s, 30);
    assert_int_equal(strlen(f->options->client_id), 23); /* the most that every broker takes */
    assert_null(f->options->username);
    assert_false(f->options->tls);
}

static void everything_can_be_set(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_from(f, "host = \"broker.lan\"; port = 1884; username = \"gw\"\n"
                                  "client_id = \"me\"; topic = \"plant/north\"; version = 5\n"
                                  "gather = \"20ms\"; keep_alive = \"1m\"\n"
                                  "discovery_prefix = \"ha\"; birth_topic = \"ha/born\"\n"
                                  "birth_payload = \"alive\""),
                     0);
    assert_string_equal(f->options->host, "broker.lan");
    assert_int_equal(f->options->port, 1884);
    assert_string_equal(f->options->username, "gw");
    assert_string_equal(f->options->client_id, "me");
    assert_string_equal(f->options->base, "plant/north");
    assert_int_equal(f->options->gather_ms, 20);
    assert_int_equal(f->options->keep_alive_s, 60);
    assert_string_equal(f->options->prefix, "ha");
    assert_string_equal(f->options->birth_topic, "ha/born");
    assert_string_equal(f->options->birth_payload, "alive");
}

static void an_old_broker_gets_the_old_version(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_from(f, "version = \"3.1.1\""), 0);
    assert_false(f->options->v5);
    section_of(f, "version = 4");
    assert_int_equal(problems_errors(f->problems), 1);
}

static void discovery_can_be_off(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_from(f, "discovery = \"none\""), 0);
    assert_null(f->options->prefix);
}

static void discovery_has_two_forms(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_from(f, "discovery = \"entity\""), 0);
    assert_string_equal(f->options->prefix, "homeassistant");
    assert_true(f->options->entities);
    assert_int_equal(read_from(f, ""), 0);
    assert_false(f->options->entities);
}

static void tls_has_its_own_port(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_from(f, "tls: { ca_file = \"/ca.pem\" }"), 0);
    assert_true(f->options->tls);
    assert_int_equal(f->options->port, 8883);
    assert_string_equal(f->options->ca_file, "/ca.pem");
    assert_int_equal(read_from(f, "port = 1; tls: { }"), 0);
    assert_int_equal(f->options->port, 1);
    assert_null(f->options->ca_file);
}

static void a_password_is_the_only_line_of_its_file(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *bytes, *password; /* NULL: refused */
    } files[] = {
        {"secret", "secret"},
        {"secret\n", "secret"},
        {"secret\r\n", "secret"},
        {"with blank ", "with blank "},
        {"", NULL},
        {"\n", NULL},
        {"two\nlines\n", NULL},
        {"\xff\xfe", NULL},
    };
    char path[] = "/tmp/thermogate-test-XXXXXX", text[200];
    int file = mkstemp(path);

    assert_true(file >= 0);
    snprintf(text, sizeof(text), "username = \"gw\"; password_file = \"%s\"", path);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        assert_int_equal(ftruncate(file, 0), 0);
        assert_true(pwrite(file, files[i].bytes, strlen(files[i].bytes), 0) >= 0);
        if (!files[i].password) {
            assert_true(read_from(f, text) < 0);
            assert_null(strstr(f->error.text, "two")); /* a secret is never shown */
            continue;
        }
        assert_int_equal(read_from(f, text), 0);
        assert_string_equal(f->options->password, files[i].password);
    }
    close(file);
    unlink(path);
    assert_true(read_from(f, text) < 0);
    assert_non_null(strstr(f->error.text, path));
    assert_true(read_from(f, "username = \"gw\"; password_file = \"/dev/zero\"") < 0);
    assert_true(read_from(f, "username = \"gw\"; password_file = \"/tmp\"") < 0);
}

static void what_the_table_cannot_say_is_found_by_the_check(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {
        "topic = \"a/#\"",
        "topic = \"\"",
        "discovery_prefix = \"/ha\"",
        "birth_topic = \"ha/+\"",
        "client_id = \"\"",
        "password_file = \"/x\"",
        "tls: { cert_file = \"/c\" }",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct section *section = section_of(f, bad[i]);

        assert_int_equal(problems_errors(f->problems), 0);
        assert_int_equal(mqtt_check(section, f->problems), 1);
        assert_int_equal(problems_errors(f->problems), 1);
        assert_true(options_read(section, &(struct mqtt_gateway){"cellar", "cellar"}, &f->options,
                                 &f->error) < 0);
    }
    assert_int_equal(mqtt_check(section_of(f, "topic = \"a/b\""), f->problems), 0);
}

static void a_name_that_is_no_topic_asks_for_one(void **state)
{
    struct fixture *f = *state;
    const struct section *section = section_of(f, "");

    assert_true(options_read(section, &(struct mqtt_gateway){"a/#", "a"}, &f->options, &f->error) <
                0);
    assert_non_null(strstr(f->error.text, "set \"topic\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_group_is_a_broker_on_this_machine, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(everything_can_be_set, setup, teardown),
        cmocka_unit_test_setup_teardown(an_old_broker_gets_the_old_version, setup, teardown),
        cmocka_unit_test_setup_teardown(discovery_can_be_off, setup, teardown),
        cmocka_unit_test_setup_teardown(discovery_has_two_forms, setup, teardown),
        cmocka_unit_test_setup_teardown(tls_has_its_own_port, setup, teardown),
        cmocka_unit_test_setup_teardown(a_password_is_the_only_line_of_its_file, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_table_cannot_say_is_found_by_the_check, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_name_that_is_no_topic_asks_for_one, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
