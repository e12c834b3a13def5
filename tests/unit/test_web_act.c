/* Commands and questions that go through the web to others. */

#include "tests/unit/web_world.h"

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

static void a_line_is_asked(void **state)
{
#define ASK(unit, function, count)                                                \
    "{\"connect\":\"serial:/dev/rs485\",\"unit\":" unit ",\"function\":" function \
    ",\"address\":1,\"count\":" count "}"
    web_expect(web_post(*state, "/api/v1/ask", ASK("5", "4", "1")), 200,
               "{\"bus\":\"rs485\",\"quality\":\"good\",\"bytes\":\"00d7\"}");
    web_expect(web_post(*state, "/api/v1/ask", ASK("50", "4", "1")), 200,
               "\"quality\":\"timeout\",\"bytes\":\"\"");
    web_expect(web_post(*state, "/api/v1/ask", ASK("5", "6", "1")), 400, "only functions 1 to 4");
    web_expect(web_post(*state, "/api/v1/ask", ASK("5", "4", "126")), 400,
               "count: a whole number from 0 to 125");
    web_expect(web_post(*state, "/api/v1/ask", ASK("256", "4", "1")), 400, "unit: a whole number");
    web_expect(web_post(*state, "/api/v1/ask",
                        "{\"connect\":\"x\",\"unit\":1,\"function\":3,\"address\":0,\"count\":1}"),
               404, "no line of this gateway works at");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_is_asked, open_world, close_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
