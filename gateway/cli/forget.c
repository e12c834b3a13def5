#include "config/config.h"
#include "gateway/app.h"
#include "gateway/base/problem.h"
#include "gateway/base/text.h"
#include "gateway/cli/command.h"
#include "gateway/cli/remote.h"
#include "gateway/core/site.h"
#include "gateway/mqtt/mqtt.h"

#include <stdio.h>
#include <string.h>

static int complain(const char *words)
{
    char safe[600];

    fprintf(stderr, "thermogate: %s\n", text_escape(safe, sizeof(safe), words));
    return APP_FAILED;
}

/* `root` may be wrong in places that have nothing to do with the broker. */
static int forget(struct section *root, struct problems *problems)
{
    const struct section *mqtt = section_child(root, "mqtt");
    struct mqtt_gateway gateway;
    struct site_names names;
    struct error err = {0};
    size_t count = 0;

    if (!mqtt)
        return complain("there is no `mqtt` in the config, so nothing was published");
    if (mqtt_check(mqtt, problems) > 0)
        return APP_CONFIG;
    site_names(root, &names);
    gateway = (struct mqtt_gateway){names.name, names.id};
    if (mqtt_forget(mqtt, &gateway, &count, &err) < 0)
        return complain(err.text);
    printf("%zu retained messages are gone from the broker\n", count);
    return APP_OK;
}

struct cli_end cli_forget(const struct cli_options *options)
{
    struct problems *problems;
    struct conf *conf = NULL;
    int code = APP_FAILED;

    if (remote_is_there(options))
        return (struct cli_end){
            .code = complain("a gateway runs here and would publish it all anew; stop it first: "
                             "systemctl stop thermogate")};
    problems = problems_new();
    if (problems)
        (void)conf_read(options->config, app_settings, problems, &conf);
    if (conf)
        code = forget(conf_root(conf), problems);
    if (problems && code != APP_OK)
        problems_print(problems, stderr);
    conf_free(conf);
    problems_free(problems);
    return (struct cli_end){.code = code};
}
