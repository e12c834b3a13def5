/* What is done by name: devices, notifiers, the gateway itself. */
#include "gateway/app.h"
#include "gateway/base/text.h"
#include "gateway/cli/remote.h"

struct cli_end cli_reload(const struct cli_options *options)
{
    struct json_value *answer;
    int code = remote_act(options, "/api/v1/reload", NULL, NULL, &answer);

    if (answer) {
        const char *words = json_as_text(json_get(answer, "words"));

        printf("the config was read anew%s%s\n", words && words[0] ? "; " : "", words ? words : "");
    }
    json_free(answer);
    return (struct cli_end){.code = code};
}

struct cli_end cli_rescan(const struct cli_options *options)
{
    struct json_value *answer;
    int code = remote_act(options, "/api/v1/rescan", NULL, NULL, &answer);

    if (answer)
        puts("what is away is asked again, and new devices are looked for");
    json_free(answer);
    return (struct cli_end){.code = code};
}

struct cli_end cli_standby(const struct cli_options *options)
{
    struct json_value *answer;
    int code = remote_act(options, "/api/v1/standby", "device", options->operands[0], &answer);

    if (answer)
        printf("%s rests: what judges it tells nobody; it is read on\n", options->operands[0]);
    json_free(answer);
    return (struct cli_end){.code = code};
}

struct cli_end cli_resume(const struct cli_options *options)
{
    struct json_value *answer;
    int code = remote_act(options, "/api/v1/resume", "device", options->operands[0], &answer);

    if (answer)
        printf("%s rests no longer\n", options->operands[0]);
    json_free(answer);
    return (struct cli_end){.code = code};
}

struct cli_end cli_notify_test(const struct cli_options *options)
{
    char path[REMOTE_PATH_SIZE], words[300];
    struct json_value *answer;
    size_t length = 0;
    int code;

    text_append(path, sizeof(path), &length, "/api/v1/notifiers/");
    if (!remote_escape(path, &length, options->operands[0]) ||
        !text_append(path, sizeof(path), &length, "/test"))
        return (struct cli_end){.code = APP_USAGE};
    code = remote_ask(options, path, "{}", &answer);
    if (answer)
        printf("%s: %s\n", options->operands[0],
               remote_text(answer, "words", words, sizeof(words)));
    json_free(answer);
    return (struct cli_end){.code = code};
}
