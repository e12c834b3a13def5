#include "gateway/app.h"
#include "gateway/base/text.h"
#include "gateway/cli/remote.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_SIZE (2u << 20) /* of an import; the gateway takes 4 MB at a time */

static struct cli_end refuse(const char *words)
{
    fprintf(stderr, "thermogate: %s\n", words);
    return (struct cli_end){.code = APP_USAGE};
}

static bool make_path(char path[REMOTE_PATH_SIZE], const char *route, const char *name,
                      const struct cli_options *options)
{
    size_t length = 0;

    path[0] = '\0';
    return text_append(path, REMOTE_PATH_SIZE, &length, "%s", route) &&
           remote_add_query(path, &length, name, options->operands[0]) &&
           remote_add_query(path, &length, "from", options->from) &&
           remote_add_query(path, &length, "to", options->to);
}

/* -- show ----------------------------------------------------------------------------------- */

static void print_point(const struct json_value *point, bool steps, const char *unit)
{
    char at[32], value[200], min[40], max[40], quality[40];

    remote_time(remote_number(point, "at_ms"), at);
    remote_text(point, "value", value, sizeof(value));
    if (json_is_null(json_get(point, "value")))
        printf("%s  -  %s\n", at, remote_text(point, "quality", quality, sizeof(quality)));
    else if (steps && isfinite(remote_number(point, "min")))
        printf("%s  %s%s  (%s to %s, %.0f readings)\n", at, value, unit,
               remote_text(point, "min", min, sizeof(min)),
               remote_text(point, "max", max, sizeof(max)), remote_number(point, "count"));
    else
        printf("%s  %s%s\n", at, value, unit);
}

struct cli_end cli_history_show(const struct cli_options *options)
{
    char path[REMOTE_PATH_SIZE], unit[40] = " ";
    struct json_value *json;
    int code;

    if (!make_path(path, "/api/v1/history", "sensor", options))
        return refuse("that is too long");
    code = remote_ask(options, path, NULL, &json);
    remote_text(json, "unit", unit + 1, sizeof(unit) - 1);
    for (const struct json_value *point = json_first(json_get(json, "points")); point;
         point = json_next(point))
        print_point(point, remote_number(json, "step_ms") > 0, unit[1] ? unit : "");
    if (json && !remote_is_true(json, "complete"))
        fputs("thermogate: the disk cannot be read, this is what was in memory\n", stderr);
    json_free(json);
    return (struct cli_end){.code = code};
}

/* -- export --------------------------------------------------------------------------------- */

static int print_piece(void *owner, const char *bytes, size_t count)
{
    (void)owner;
    return fwrite(bytes, 1, count, stdout) == count ? 0 : -EIO;
}

struct cli_end cli_history_export(const struct cli_options *options)
{
    char path[REMOTE_PATH_SIZE];
    struct client_question question = {.method = "GET", .path = path, .take = print_piece};
    struct client_answer answer;

    if (!make_path(path, "/api/v1/export", "match", options))
        return refuse("that is too long");
    return (struct cli_end){.code = remote_ask_any(options, &question, &answer)};
}

/* -- import --------------------------------------------------------------------------------- */

struct import {
    const struct cli_options *options;
    double taken, known, wrong;
    size_t lines; /* of the pieces before */
    bool told;    /* of the first line that is none */
};

static void count_answer(struct import *import, const struct json_value *json)
{
    char words[300];
    double wrong = remote_number(json, "wrong");

    import->taken += remote_number(json, "taken");
    import->known += remote_number(json, "known");
    import->wrong += wrong;
    if (!(wrong > 0) || import->told)
        return;
    import->told = true;
    remote_text(json, "first_wrong", words, sizeof(words));
    fprintf(stderr, "thermogate: %s%s", words, import->lines ? "" : "\n");
    if (import->lines)
        fprintf(stderr, " (counted from line %zu)\n", import->lines + 1);
}

/* Whole lines. */
static int send_piece(struct import *import, const char *bytes, size_t count)
{
    struct client_question question = {.method = "POST",
                                       .path = "/api/v1/import",
                                       .type = "text/csv",
                                       .body = bytes,
                                       .length = count};
    struct client_answer answer;
    int code = remote_ask_any(import->options, &question, &answer);
    struct json_value *json;

    if (code != APP_OK)
        return code;
    json = json_parse(answer.body, answer.length);
    count_answer(import, json);
    json_free(json);
    free(answer.body);
    for (size_t i = 0; i < count; i++)
        import->lines += bytes[i] == '\n';
    return APP_OK;
}

/* Reads on behind what was left of the last line; sends what is whole. */
static int send_file(struct import *import, FILE *file, char *memory)
{
    size_t left = 0, got, whole;
    int code = APP_OK;

    do {
        got = fread(memory + left, 1, PIECE_SIZE - left, file);
        left += got;
        for (whole = left; whole > 0 && memory[whole - 1] != '\n';)
            whole--;
        if (whole == 0 || left < PIECE_SIZE)
            whole = left; /* the end, or a line that no gateway will take */
        if (whole > 0)
            code = send_piece(import, memory, whole);
        left -= whole;
        memmove(memory, memory + whole, left);
    } while (got > 0 && code == APP_OK);
    return ferror(file) ? APP_FAILED : code;
}

static void print_import(const struct import *import)
{
    if (import->options->json)
        printf("{\"taken\":%.0f,\"known\":%.0f,\"wrong\":%.0f}\n", import->taken, import->known,
               import->wrong);
    else
        printf("%.0f lines stored, %.0f were there already, %.0f are none\n", import->taken,
               import->known, import->wrong);
}

struct cli_end cli_history_import(const struct cli_options *options)
{
    struct import import = {.options = options};
    FILE *file = fopen(options->operands[0], "re");
    char *memory = malloc(PIECE_SIZE), name[300];
    int code = APP_FAILED;

    if (!file || !memory)
        fprintf(stderr, "thermogate: %s: %s\n",
                text_escape(name, sizeof(name), options->operands[0]), strerror(errno));
    else
        code = send_file(&import, file, memory);
    if (code == APP_OK)
        print_import(&import);
    if (file)
        fclose(file);
    free(memory);
    return (struct cli_end){.code = code};
}
