#include "gateway/app.h"
#include "gateway/base/text.h"
#include "gateway/cli/remote.h"

static int ask(const struct cli_options *options, const char *path, struct json *json,
               struct json_value **ret_answer)
{
    *ret_answer = NULL;
    if (json_length(json) > 0)
        return remote_ask(options, path, json->text, ret_answer);
    fputs("thermogate: that is too long\n", stderr);
    return APP_USAGE;
}

struct cli_end cli_write(const struct cli_options *options)
{
    char body[1000], value[80];
    struct json_value *answer;
    struct json json;
    double number;
    int code;

    json_start(&json, body, sizeof(body));
    json_object(&json, NULL);
    json_text(&json, "sensor", options->operands[0]);
    if (text_to_number(options->operands[1], &number) == 0)
        json_number(&json, "value", number, -1);
    else
        json_text(&json, "value", options->operands[1]);
    if (options->note)
        json_text(&json, "note", options->note);
    json_end(&json);
    code = ask(options, "/api/v1/write", &json, &answer);
    if (answer)
        printf("%s is %s now\n", options->operands[0],
               remote_text(answer, "value", value, sizeof(value)));
    json_free(answer);
    return (struct cli_end){.code = code};
}
