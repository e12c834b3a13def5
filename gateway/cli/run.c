#include "gateway/app.h"
#include "gateway/cli/command.h"

struct cli_end cli_run(const struct cli_options *options)
{
    struct app_options app = {.config_path = options->config, .for_ms = options->for_ms};
    struct cli_end end = {0};

    end.code = app_run(&app, &end.abandoned);
    return end;
}

struct cli_end cli_check(const struct cli_options *options)
{
    if (options->template)
        return (struct cli_end){.code = app_check_template(options->template, stdout)};
    return (struct cli_end){.code = app_check(options->config, stdout)};
}
