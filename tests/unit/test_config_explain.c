#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/config_text.h"

/* One slip a row: what was written, the one problem in its place, and what it advises. */
static const struct {
    const char *text, *problem, *hint;
} slips[] = {
    /* texts */
    {"host = \"localhost; port = 1883\non = true\nname = \"x\"\n",
     "1:8: error: this text has no closing quote", "add the \" where the text ends"},
    {"host = \"localhost", "1:8: error: this text has no closing quote", "add the \""},
    {"a = \"two\nlines\"\nb = [ 1 2 ]", "3:9: error: a comma is missing between two elements", ""},
    {"host = localhost", "1:8: error: a text must stand in quotes", "write \"localhost\""},
    {"connect = tcp://10.0.0.1:502", "1:11: error: a text must stand in quotes",
     "write \"tcp://10.0.0.1:502\""},
    {"connect = /dev/ttyUSB0", "1:11: error: a text must stand in quotes",
     "write \"/dev/ttyUSB0\""},
    {"every = 10s", "1:9: error: a text must stand in quotes", "write \"10s\""},
    {"host = 192.168.1.5;", "1:8: error: a text must stand in quotes", "write \"192.168.1.5\""},
    {"l = ( 10s )", "1:7: error: a text must stand in quotes", "write \"10s\""},
    {"address = 28-0316a2794aff", "1:11: error: a text must stand in quotes",
     "write \"28-0316a2794aff\""},
    {"on = yes", "1:6: error: a text must stand in quotes", "write true, or \"yes\""},
    {"on = off", "1:6: error: a text must stand in quotes", "write false, or \"off\""},
    {"host = 'x'", "1:8: error: texts stand in \" quotes only", "write \"...\""},
    {"host = \xe2\x80\x9cx\xe2\x80\x9d", "1:8: error: texts stand in \" quotes only", ""},

    /* names */
    {"flow.temp = 1", "1:5: error: a name has only letters, digits and _, no \".\"",
     "write \"flow_temp\""},
    {"k\xc3\xbc"
     "che: { }",
     "1:2: error: a name has only letters, digits and _, no \"\xc3\xbc\"", "write \"kueche\""},
    {"28-0316: { }", "1:1: error: \"28-0316\" cannot be a name", "write x_28_0316"},
    {"\"host\": \"x\"", "1:1: error: the name of a setting stands without quotes", "write host"},
    {"true = 1", "1:1: error: \"true\" cannot be a name", ""},
    {"= 5", "1:1: error: there is no name before this \"=\"", ""},
    {"{ a = 1 }", "1:1: error: this group has no name", "the file as a whole needs no brackets"},
    {"a: { { b = 1 } }", "1:6: error: this group has no name", "write name: { ... }"},
    {"\"x\"", "1:1: error: here a setting should begin with its name", "write name = value"},

    /* "=" and values */
    {"host \"x\"", "1:6: error: \"=\" is missing after \"host\"", "write host = \"x\""},
    {"host localhost", "1:6: error: \"=\" is missing after \"host\"", "write host = \"localhost\""},
    {"mqtt { }", "1:6: error: \"=\" is missing after \"mqtt\"", "write mqtt: {"},
    {"host\nport = 1", "1:1: error: \"=\" is missing after \"host\"", ""},
    {"host == \"x\"", "1:7: error: this \"=\" is one too many", "remove it"},
    {"host = ;", "1:6: error: there is no value after this \"=\"", "write a value"},
    {"host =\nport = 1", "1:6: error: there is no value after this \"=\"", "write a value"},
    {"a: { b = }", "1:8: error: there is no value after this \"=\"", "write a value"},
    {"a =", "1:3: error: there is no value after this \"=\"", ""},

    /* lists */
    {"l = ( 1 2 )", "1:9: error: a comma is missing between two elements", "put a comma before it"},
    {"l = ( , 1 )", "1:7: error: there is no value before this comma", ""},
    {"l = [ { } ]", "1:7: error: [ ] cannot hold groups or lists", "use ( )"},
    {"l = ( a = 1 )", "1:7: error: settings in a list need { } around them",
     "( { name = value } )"},
    {"l = ( 1 = 1 )", "1:9: error: settings in a list need { } around them",
     "( { name = value } )"},
    {"l = ( 1; 2 )", "1:8: error: after an element a comma or \")\" should stand", ""},

    /* brackets */
    {"a: { b = 1", "1:4: error: this \"{\" is never closed", "add the missing \"}\""},
    {"l = ( 1, 2", "1:5: error: this \"(\" is never closed", "add the missing \")\""},
    {"l = [ 1, 2", "1:5: error: this \"[\" is never closed", "add the missing \"]\""},
    {"a: { } }", "1:8: error: this \"}\" closes nothing", "remove it"},
    {"l = ( 1, 2 ]", "1:12: error: this \"]\" does not close the \"(\" before it",
     "first close the \"(\" of line 1, column 5 with \")\""},
    {"a: {\n  l = ( 1, 2 }\n", "2:14: error: this \"}\" does not close the \"(\" before it",
     "line 2"},
    {"devices: {\n  boiler: { bus = \"a\"\n  hall: { bus = \"b\" }\n}\nmqtt: { }\n",
     "2:11: error: this \"{\" is never closed", "add the missing \"}\""},

    /* other */
    {"@include \"other.cfg\"", "1:1: error: @include is not taken", "put that file into conf.d"},
    {"a = 1\n/* b = 2\n", "2:1: error: this comment is never closed", "add \"*/\""},
};

static void every_usual_slip_is_found_in_its_place_and_explained(void **state)
{
    char line[200];

    (void)state;
    for (size_t i = 0; i < sizeof slips / sizeof slips[0]; i++) {
        struct parsed parsed = parse_text(slips[i].text);

        snprintf(line, sizeof line, "t.cfg:%s", slips[i].problem);
        if (strncmp(parsed.said, line, strlen(line)) != 0 ||
            strstr(parsed.said, slips[i].hint) == NULL)
            fail_msg("for %s\nexpected %s\n    %s\nbut got %s", slips[i].text, line, slips[i].hint,
                     parsed.said);
        assert_int_equal(problems_errors(parsed.problems), 1);
        assert_int_equal(parsed.result, PARSE_BROKEN);
        parsed_free(&parsed);
    }
}

/* Whatever is cut off or put in somewhere, there is an explanation and no crash. */
static void any_cut_of_a_good_file_is_explained(void **state)
{
    static const char text[] =
        "mqtt: { host = \"x\\\"y\"; port = 1883 } # c\nl = ( 1, [ \"a\", \"b\" ], { c = 0x1F } );"
        "/* d */ rules: { a: { on = true; for = \"1\" \"m\" } }";
    static const char marks[] = "{}()[]=;,\"'.@-*x1\n";
    char copy[sizeof text + 1];
    size_t refused = 0;

    (void)state;
    for (size_t at = 0; at < sizeof text; at++) {
        for (size_t mark = 0; mark <= sizeof marks - 1; mark++) {
            struct parsed parsed;

            snprintf(copy, sizeof copy, "%.*s", (int)at, text);
            if (mark < sizeof marks - 1)
                snprintf(copy + at, sizeof copy - at, "%c%s", marks[mark], text + at);
            parsed = parse_text(copy);
            assert_int_equal(parsed.result != PARSE_WHOLE, problems_errors(parsed.problems) > 0);
            refused += parsed.result != PARSE_WHOLE;
            parsed_free(&parsed);
        }
    }
    assert_true(refused > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_usual_slip_is_found_in_its_place_and_explained),
        cmocka_unit_test(any_cut_of_a_good_file_is_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
