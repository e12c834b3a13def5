#include "config/templates.h"
#include "gateway/app.h"
#include "gateway/base/problem.h"
#include "gateway/cli/command.h"
#include "gateway/library.h"

#include <stdio.h>
#include <string.h>

struct shown {
    struct conf_templates *templates;
    struct problems *problems;
};

static bool open_library(const struct cli_options *options, struct shown *shown)
{
    shown->templates = library_open(options->config);
    shown->problems = problems_new();
    if (shown->templates && shown->problems)
        return true;
    fputs("thermogate: out of memory\n", stderr);
    return false;
}

static struct cli_end close_library(struct shown *shown)
{
    int code = APP_FAILED;

    if (shown->problems) {
        problems_print(shown->problems, stderr);
        code = problems_errors(shown->problems) > 0 ? APP_FAILED : APP_OK;
    }
    problems_free(shown->problems);
    conf_templates_free(shown->templates);
    return (struct cli_end){.code = code};
}

static void show_line(void *owner, const char *name, const char *path)
{
    struct shown *shown = owner;
    const struct conf_template *template =
        conf_templates_get(shown->templates, name, (struct place){NULL, 0}, shown->problems);

    (void)path;
    if (template)
        printf("%-24s %s\n", name, template->title);
}

struct cli_end cli_templates_list(const struct cli_options *options)
{
    struct shown shown;

    if (open_library(options, &shown))
        conf_templates_each(shown.templates, show_line, &shown);
    return close_library(&shown);
}

struct cli_end cli_templates_show(const struct cli_options *options)
{
    const struct conf_template *template = NULL;
    struct shown shown;

    if (open_library(options, &shown))
        template = conf_templates_get(shown.templates, options->operands[0],
                                      (struct place){NULL, 0}, shown.problems);
    if (template)
        printf("# %s\n%s", template->source->name, template->source->bytes);
    return close_library(&shown);
}
