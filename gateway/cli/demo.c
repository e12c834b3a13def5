#include "config/config.h"
#include "gateway/app.h"
#include "gateway/cli/command.h"
#include "gateway/cli/terminal.h"

#include <stdlib.h>
#include <string.h>

/* config/examples/demo.cfg, put in by the build: the demo needs no file. */
extern const char demo_config[];

struct cli_end cli_demo(const struct cli_options *options)
{
    struct terminal *terminal = terminal_new(stdout);
    struct conf_text text = {"demo.cfg", demo_config, strlen(demo_config)};
    struct app_options app = {
        .texts = &text,
        .n_texts = 1,
        .for_ms = options->for_ms,
        .sink = &terminal_sink,
        .sink_self = terminal,
        .quiet = true,
    };
    struct cli_end end = {.code = APP_FAILED};

    if (terminal)
        end.code = app_run(&app, &end.abandoned);
    if (!end.abandoned)
        terminal_free(terminal);
    return end;
}
