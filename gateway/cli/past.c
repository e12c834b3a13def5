#include "gateway/cli/past.h"

#include "gateway/app.h"
#include "gateway/base/text.h"
#include "gateway/cli/remote.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)1 << 30) /* bytes */

static int complain(const char *what, const char *words)
{
    char quoted[300];

    fprintf(stderr, "thermogate: %s%s%s\n", text_escape(quoted, sizeof(quoted), what),
            what[0] ? ": " : "", words);
    return APP_FAILED;
}

static int append(void *owner, const char *bytes, size_t count)
{
    struct past *past = owner;

    if (past->length + count + 1 > past->size) {
        size_t size = 2 * (past->length + count) + 65536;
        char *grown = size <= TEXT_MAX ? realloc(past->text, size) : NULL;

        if (!grown)
            return -ENOMEM;
        past->text = grown;
        past->size = size;
    }
    memcpy(past->text + past->length, bytes, count);
    past->length += count;
    past->text[past->length] = '\0';
    return 0;
}

int past_read(struct past *past, const char *path)
{
    FILE *file = fopen(path, "re");
    char piece[65536];
    int r = file ? 0 : -errno;
    size_t got;

    while (r == 0 && (got = fread(piece, 1, sizeof(piece), file)) > 0)
        r = append(past, piece, got);
    if (file) {
        r = r == 0 && ferror(file) ? -EIO : r;
        fclose(file);
    }
    return r == 0 ? APP_OK : complain(path, strerror(-r));
}

int past_ask(struct past *past, const struct cli_options *options, const char *match,
             const char *from, const char *to)
{
    char path[REMOTE_PATH_SIZE] = "/api/v1/export";
    size_t length = strlen(path);
    struct client_question question = {
        .method = "GET", .path = path, .take = append, .owner = past};
    struct client_answer answer;

    if (!remote_add_query(path, &length, "match", match) ||
        !remote_add_query(path, &length, "from", from) ||
        !remote_add_query(path, &length, "to", to))
        return complain("", "that is too long");
    return remote_ask_any(options, &question, &answer);
}

int past_record(struct past *past, const char *name, int64_t from_ms, int64_t to_ms,
                struct recording *ret_recording)
{
    struct error err = {0};
    char *text = past->text;
    int r;

    *past = (struct past){0};
    *ret_recording = (struct recording){0};
    if (!text)
        return APP_OK;
    r = recording_read(text, from_ms, to_ms, ret_recording, &err);
    return r == 0 ? APP_OK : complain(name, err.text);
}

void past_clear(struct past *past)
{
    free(past->text);
    *past = (struct past){0};
}
