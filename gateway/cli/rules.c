#include "gateway/app.h"
#include "gateway/base/text.h"
#include "gateway/cli/remote.h"

#include <math.h>
#include <string.h>

static void print_rule(const struct json_value *rule)
{
    char state[24], severity[24], id[200], value[80], summary[300];
    size_t length;

    remote_text(rule, "state", state, sizeof(state));
    length = strlen(state);
    if (!remote_is_true(rule, "enabled"))
        text_copy(state, sizeof(state), "disabled");
    else if (remote_is_true(rule, "blind"))
        text_copy(state, sizeof(state), "blind");
    else if (remote_is_true(rule, "muted"))
        text_append(state, sizeof(state), &length, "*");
    printf("%-11s %-8s %-32s %-10s %s\n", state,
           remote_text(rule, "severity", severity, sizeof(severity)),
           remote_text(rule, "id", id, sizeof(id)),
           remote_text(rule, "value", value, sizeof(value)),
           remote_text(rule, "summary", summary, sizeof(summary)));
}

static bool is_any_muted(const struct json_value *rules)
{
    for (const struct json_value *rule = json_first(rules); rule; rule = json_next(rule)) {
        if (remote_is_true(rule, "muted"))
            return true;
    }
    return false;
}

struct cli_end cli_rules_list(const struct cli_options *options)
{
    struct json_value *json;
    int code = remote_ask(options, "/api/v1/rules", NULL, &json);
    const struct json_value *rules = json_get(json, "rules");

    if (json)
        printf("%-11s %-8s %-32s %-10s %s\n", "STATE", "SEVERITY", "RULE", "VALUE", "CONDITION");
    for (const struct json_value *rule = json_first(rules); rule; rule = json_next(rule))
        print_rule(rule);
    if (is_any_muted(rules))
        printf("\n* muted\n");
    json_free(json);
    return (struct cli_end){.code = code};
}

struct cli_end cli_rules_explain(const struct cli_options *options)
{
    char path[REMOTE_PATH_SIZE] = "/api/v1/rules/", what[200], value[200], words[700];
    size_t length = strlen(path);
    struct json_value *json = NULL;
    int code = APP_USAGE;

    if (remote_escape(path, &length, options->operands[0]))
        code = remote_ask(options, path, NULL, &json);
    if (json)
        printf("%s\n", remote_text(json, "explanation", words, sizeof(words)));
    for (const struct json_value *part = json_first(json_get(json, "parts")); part;
         part = json_next(part))
        printf("  %-40s %s\n", remote_text(part, "what", what, sizeof(what)),
               remote_text(part, "value", value, sizeof(value)));
    json_free(json);
    return (struct cli_end){.code = code};
}

/* The last word of the command is the last part of the route: "rules ack". */
struct cli_end cli_rules_act(const struct cli_options *options)
{
    const char *word = strchr(options->command, ' ') + 1;
    char path[REMOTE_PATH_SIZE];
    struct json_value *json_answer;
    size_t length = 0;
    int code;

    text_append(path, sizeof(path), &length, "/api/v1/rules/");
    if (!remote_escape(path, &length, options->operands[0]) ||
        !text_append(path, sizeof(path), &length, "/%s", word))
        return (struct cli_end){.code = APP_USAGE};
    code = remote_act(options, path, NULL, NULL, &json_answer);
    if (json_answer)
        printf("%s: %s\n", options->operands[0], word);
    json_free(json_answer);
    return (struct cli_end){.code = code};
}
