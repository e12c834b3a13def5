#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/templates.h"
#include "gateway/base/problem.h"
#include "gateway/library.h"
#include "tests/unit/made_files.h"

static const struct conf_template *get(const char *config_path, const char *name)
{
    struct problems *problems = problems_new();
    struct conf_templates *templates = library_open(config_path);
    const struct conf_template *template =
        conf_templates_get(templates, name, (struct place){NULL, 0}, problems);

    conf_templates_free(templates);
    problems_free(problems);
    return template; /* only whether there was one */
}

static void templates_beside_the_config_are_found(void **state)
{
    struct files files;
    char path[FILES_PATH_MAX];

    (void)state;
    files_init(&files);
    files_put(&files, "templates/mine.cfg", "title = \"x\"; source = \"y\"; channels: {}\n");
    assert_non_null(get(files_path(&files, "thermogate.cfg", path), "mine"));
    assert_null(get(files_path(&files, "thermogate.cfg", path), "yours"));
    assert_null(get(files_path(&files, "below/thermogate.cfg", path), "mine"));
    files_remove(&files, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates_beside_the_config_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
