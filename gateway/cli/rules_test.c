/* `rules test FILE ...`: rules tested as text. */
#include "gateway/app.h"
#include "gateway/cli/command.h"
#include "gateway/cli/script_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (4u << 20)

struct score {
    size_t tests, failed;
    bool broken; /* a file could not be read, or memory is out */
};

static struct source *read_source(const char *path)
{
    FILE *file = fopen(path, "re");
    char *bytes = file ? malloc(FILE_MAX + 1) : NULL;
    size_t length = bytes ? fread(bytes, 1, FILE_MAX + 1, file) : 0;
    struct source *source = NULL;

    if (!bytes || ferror(file))
        fprintf(stderr, "thermogate: %s: %s\n", path, strerror(errno));
    else if (length > FILE_MAX)
        fprintf(stderr, "thermogate: %s: it has more than %u MB\n", path, FILE_MAX >> 20);
    else if (memchr(bytes, '\0', length))
        fprintf(stderr, "thermogate: %s: this is no text\n", path);
    else
        source = source_new(path, bytes, length);
    free(bytes);
    if (file)
        fclose(file);
    return source;
}

static void run_tests(const struct script *script, struct problems *problems, struct score *score)
{
    for (size_t i = 0; i < script->n_tests; i++) {
        int r = script_run(script, &script->tests[i], problems);

        score->tests++;
        score->failed += r == -EINVAL;
        score->broken = score->broken || r == -ENOMEM;
    }
}

static void run_file(const char *path, struct score *score)
{
    struct source *source = read_source(path);
    struct problems *problems = problems_new();
    struct script script = {0};
    int r = source && problems ? script_read(source, problems, &script) : -EINVAL;

    if (r == 0)
        run_tests(&script, problems, score);
    else
        score->broken = true;
    if (problems)
        problems_print(problems, stdout);
    problems_free(problems);
    script_free(&script);
}

struct cli_end cli_rules_test(const struct cli_options *options)
{
    struct score score = {0};

    for (size_t i = 0; i < options->n_operands; i++)
        run_file(options->operands[i], &score);
    printf("%zu tests, %zu failed\n", score.tests, score.failed);
    return (struct cli_end){.code = score.failed > 0 || score.broken ? APP_FAILED : APP_OK};
}
