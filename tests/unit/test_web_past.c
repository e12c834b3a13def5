/* What comes from the store: history, events, export, import; and the description of the whole API,
 * held against the answers. */

#include "gateway/web/routes.h"
#include "tests/unit/web_world.h"

#include <poll.h>

static int open_world(void **state)
{
    *state = web_world_open("", true);
    return 0;
}

static int close_world(void **state)
{
    web_world_close(*state);
    return 0;
}

#define CSV                                                     \
    "time,sensor,value,unit,quality\n"                          \
    "2026-01-02T03:04:05.000Z,boiler.flow_temp,61.5,°C,good\n" \
    "2026-01-02T03:04:15.000Z,boiler.flow_temp,62.5,°C,good\n" \
    "2026-01-02T03:04:15.000Z,meter.power,7,W,good\n"

static void import_some(struct web_world *world)
{
    web_expect(web_ask(world, "POST", "/api/v1/import", "text/csv", CSV), 200,
               "{\"taken\":3,\"known\":0,\"wrong\":0,\"first_wrong\":null}");
}

static void what_was_imported_is_history(void **state)
{
    import_some(*state);
    web_expect(web_get(*state, "/api/v1/history?sensor=boiler.flow_temp&from=2026-01-02T03:04Z&to="
                               "2026-01-02T03:05Z"),
               200,
               "\"unit\":\"°C\",\"from_ms\":1767323040000,\"to_ms\":1767323100000,\"step_ms\":0,"
               "\"complete\":true,\"points\":[{\"at_ms\":1767323045000,\"value\":61.5,\"min\":61.5,"
               "\"max\":61.5,\"count\":1,\"quality\":\"good\"}");
    web_expect(web_get(*state, "/api/v1/history?sensor=no.such"), 404, "error");
}

static void a_span_that_is_none_is_refused(void **state)
{
    web_expect(web_get(*state, "/api/v1/history?sensor=a.b&from=tomorrow"), 400, "from");
    web_expect(web_get(*state, "/api/v1/history?sensor=a.b&from=2000&to=1000"), 400, "later");
    web_expect(web_get(*state, "/api/v1/history?sensor=a.b&points=0"), 400, "points");
    web_expect(web_get(*state, "/api/v1/history?sensor=a.b&points=20001"), 400, "points");
    web_expect(web_get(*state, "/api/v1/events?severity=bad"), 400, "severity");
    web_expect(web_get(*state, "/api/v1/events?max=x"), 400, "max");
}

static void lines_that_are_none_are_counted(void **state)
{
    web_expect(web_ask(*state, "POST", "/api/v1/import", "text/csv", "what is this\n"), 200,
               "\"taken\":0,\"known\":0,\"wrong\":1");
    web_expect(web_ask(*state, "POST", "/api/v1/import", "text/csv", ""), 400, "CSV");
}

static void an_import_of_more_than_four_megabytes_is_refused(void **state)
{
    char *body = malloc(4000100);
    memset(body, 'x', 4000099);
    body[4000099] = '\0';
    web_expect(web_ask(*state, "POST", "/api/v1/import", "text/csv", body), 413, "4000000");
    free(body);
}

static void an_export_is_what_was_imported(void **state)
{
    struct web_said said;
    import_some(*state);
    said = web_get(*state, "/api/v1/export?match=boiler.*");
    assert_int_equal(said.status, 200);
    assert_non_null(strstr(said.text, "Content-Type: text/csv"));
    assert_non_null(strstr(said.body, "time,sensor,value,unit,quality\n"
                                      "2026-01-02T03:04:05.000Z,boiler.flow_temp,61.5,°C,good\n"
                                      "2026-01-02T03:04:15.000Z,boiler.flow_temp,62.5,°C,good\n"));
    assert_null(strstr(said.body, "meter"));
    free(said.text);
}

static void an_export_of_many_pages_is_whole(void **state)
{
    enum { LINES = 5500 };
    char *csv = malloc(LINES * 60), *at;
    size_t length = 0, count = 0;
    struct web_said said;
    for (int i = 0; i < LINES; i++)
        length += (size_t)sprintf(csv + length, "%lld,meter.power,%d,W,good\n",
                                  1767323045000LL + i * 1000LL, i);
    web_expect(web_ask(*state, "POST", "/api/v1/import", "text/csv", csv), 200, "\"taken\":5500");
    free(csv);
    said = web_get(*state, "/api/v1/export?match=meter.*");
    for (at = said.body; (at = strstr(at, "Z,meter.power,")); at++)
        count++;
    /* Pieces of the answer are cut anywhere, with a length between them. */
    assert_in_range(count, LINES - 100, LINES);
    assert_non_null(strstr(said.body, "\r\n0\r\n\r\n"));
    free(said.text);
}

static void commit_event(struct web_world *world)
{
    struct store_event event = {.boot = 1,
                                .sequence = ++world->n_commands,
                                .at_ms = clock_boot_ms(),
                                .since_ms = CLOCK_NEVER,
                                .type = "fired",
                                .rule = "hot@boiler.flow_temp",
                                .sensor = "boiler.flow_temp",
                                .by = "anna",
                                .kind = VALUE_NUMBER,
                                .number = 86,
                                .limit = 85,
                                .severity = 2};
    struct store_record record = {.event = &event};
    if (store_commit(world->store, &record, NULL) < 0)
        abort();
}

static void wait_until_durable(struct web_world *world)
{
    int64_t until_ms = clock_boot_ms() + WEB_PATIENCE_S * 1000;
    bool waits = true;
    while (waits && clock_boot_ms() < until_ms) {
        struct web_said said = web_get(world, "/api/v1/events");
        waits = strstr(said.body, "\"durable\":false") != NULL;
        free(said.text);
    }
    assert_false(waits);
}

static void events_come_newest_first_and_in_pages(void **state)
{
    struct web_world *world = *state;
    struct web_said said;
    char next[100];
    for (int i = 0; i < 5; i++)
        on_loop(world, commit_event);
    wait_until_durable(world);
    said = web_get(world, "/api/v1/events?max=2&rule=hot&severity=critical");
    assert_int_equal(said.status, 200);
    assert_non_null(strstr(said.body, "\"id\":\"0000000000000001:5\""));
    if (!strstr(said.body, "\"more\":true"))
        fail_msg("%s", said.body);
    snprintf(next, sizeof(next), "/api/v1/events?before=%lld",
             atoll(strstr(strstr(said.body, "}"), "\"row\":") + 6));
    free(said.text);
    web_expect(web_get(world, next), 200, "{\"events\":[{\"row\":");
    web_expect(web_get(world, next), 200, "\"id\":\"0000000000000001:3\"");
    web_expect(web_get(world, next), 200, "\"more\":false");
    web_expect(web_get(world, "/api/v1/events?type=cleared"), 200, "\"events\":[]");
}

/* -- the description ------------------------------------------------------------------------ */

static struct json_value *get_json(struct web_world *world, const char *path, int status)
{
    struct web_said said = web_get(world, path);
    struct json_value *json = json_parse(said.body, said.length);
    if (said.status != status || !json)
        fail_msg("%s: %s", path, said.text);
    free(said.text);
    return json;
}

static const char *type_of(const struct json_value *value)
{
    double number;
    bool boolean;
    if (json_as_text(value))
        return "string";
    if (json_as_number(value, &number))
        return number == floor(number) ? "integer" : "number";
    if (json_as_bool(value, &boolean))
        return "boolean";
    return json_is_object(value) ? "object" : json_is_array(value) ? "array" : "null";
}

static bool allows(const struct json_value *schema, const struct json_value *value)
{
    const struct json_value *types = json_get(schema, "type");
    if (!types)
        return true;
    for (const struct json_value *t = json_first(types); t; t = json_next(t)) {
        if (strcmp(json_as_text(t), type_of(value)) == 0 ||
            (strcmp(json_as_text(t), "number") == 0 && strcmp(type_of(value), "integer") == 0))
            return true;
    }
    return false;
}

/* Every member of `value` is described, and is of a type that the description allows. */
static void hold_against(const struct json_value *schema, const struct json_value *value,
                         const char *where)
{
    const struct json_value *named = json_get(schema, "properties");
    if (!allows(schema, value))
        fail_msg("%s: a %s is not described", where, type_of(value));
    for (const struct json_value *item = json_first(value); item; item = json_next(item)) {
        const struct json_value *inside = json_is_array(value) ? json_get(schema, "items")
                                          : named              ? json_get(named, json_key(item))
                                                  : json_get(schema, "additionalProperties");
        if (!inside && json_get(schema, "type"))
            fail_msg("%s: %s is not described", where, json_key(item));
        if (inside && json_get(inside, "type"))
            hold_against(inside, item, json_is_array(value) ? where : json_key(item));
    }
}

static const struct json_value *schema_of(const struct json_value *api, const char *path,
                                          const char *method)
{
    const struct json_value *route = json_get(json_get(json_get(api, "paths"), path), method);
    const struct json_value *good = json_get(json_get(route, "responses"), "200");
    return json_get(json_get(json_get(good, "content"), "application/json"), "schema");
}

static void every_answer_is_as_described(void **state)
{
    static const struct {
        const char *path, *query, *asked;
    } rows[] = {
        {"/api/v1/status", "", NULL},
        {"/api/v1/health", "", NULL},
        {"/api/v1/buses", "", NULL},
        {"/api/v1/devices", "", NULL},
        {"/api/v1/sensors", "", NULL},
        {"/api/v1/readings", "", NULL},
        {"/api/v1/rules", "", NULL},
        {"/api/v1/rules/{instance}", "", "/api/v1/rules/calm"},
        {"/api/v1/events", "", NULL},
        {"/api/v1/openapi.json", "", NULL},
        {"/api/v1/history", "?sensor=boiler.flow_temp&from=1767323045000", NULL},
        {"/api/v1/rules/{instance}", "", "/api/v1/rules/hot@boiler.flow_temp"},
    };
    struct web_world *world = *state;
    struct json_value *api;
    import_some(world);
    on_loop(world, commit_event);
    api = get_json(world, "/api/v1/openapi.json", 200);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct json_value *schema = schema_of(api, rows[i].path, "get");
        struct json_value *answer;
        char path[200];
        snprintf(path, sizeof(path), "%s%s", rows[i].asked ? rows[i].asked : rows[i].path,
                 rows[i].query);
        assert_non_null(schema);
        answer = get_json(world, path, 200);
        hold_against(schema, answer, path);
        json_free(answer);
    }
    json_free(api);
}

static void answers_of_commands_and_imports_are_as_described(void **state)
{
    struct web_world *world = *state;
    struct json_value *api = get_json(world, "/api/v1/openapi.json", 200), *answer;
    struct web_said said = web_post(world, "/api/v1/reload", "{}");
    answer = json_parse(said.body, said.length);
    hold_against(schema_of(api, "/api/v1/reload", "post"), answer, "reload");
    json_free(answer);
    free(said.text);
    said = web_ask(world, "POST", "/api/v1/import", "text/csv", CSV);
    answer = json_parse(said.body, said.length);
    hold_against(schema_of(api, "/api/v1/import", "post"), answer, "import");
    json_free(answer);
    free(said.text);
    json_free(api);
}

/* Words for everything: a route, its parameters, the members of what goes in and comes out. */
static void every_route_and_every_field_is_described(void **state)
{
    struct json_value *api = get_json(*state, "/api/v1/openapi.json", 200);
    const struct json_value *paths = json_get(api, "paths");
    size_t count = 0;
    for (const struct route *route = routes; route->method; route++, count++) {
        const struct json_value *path = json_get(paths, route->path);
        const struct json_value *method =
            json_get(path, strcmp(route->method, "GET") == 0 ? "get" : "post");
        const struct json_value *parameter = json_first(json_get(method, "parameters"));
        assert_non_null(json_as_text(json_get(method, "summary")));
        if (strchr(route->path, '{'))
            parameter = json_next(parameter);
        for (const struct field *field = route->query; field && field->name; field++) {
            assert_string_equal(json_as_text(json_get(parameter, "name")), field->name);
            assert_true(strlen(json_as_text(json_get(parameter, "description"))) > 0);
            parameter = json_next(parameter);
        }
        assert_null(parameter);
        for (const struct field *field = route->answer; field && field->name; field++)
            assert_true(field->help && strlen(field->help) > 0);
        for (const struct field *field = route->body; field && field->name; field++)
            assert_true(field->help && strlen(field->help) > 0);
        /* What changes something is never for everybody. */
        assert_int_equal(route->right, strcmp(route->method, "GET") == 0 ? RIGHT_READ : RIGHT_ALL);
    }
    for (const struct json_value *path = json_first(paths); path; path = json_next(path))
        count--;
    assert_int_equal(count, 0);
    json_free(api);
}

int main(void)
{
#define WEB_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        WEB_TEST(what_was_imported_is_history),
        WEB_TEST(a_span_that_is_none_is_refused),
        WEB_TEST(lines_that_are_none_are_counted),
        WEB_TEST(an_import_of_more_than_four_megabytes_is_refused),
        WEB_TEST(an_export_is_what_was_imported),
        WEB_TEST(an_export_of_many_pages_is_whole),
        WEB_TEST(events_come_newest_first_and_in_pages),
        WEB_TEST(every_answer_is_as_described),
        WEB_TEST(answers_of_commands_and_imports_are_as_described),
        WEB_TEST(every_route_and_every_field_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
