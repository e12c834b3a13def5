#include "gateway/notify/body.h"

#include "gateway/base/json.h"
#include "gateway/base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_GROWTH 6 /* \u0001 */

static const char *const names[BODY_FIELDS] = {
    "title", "text",  "severity", "kind",     "rule", "sensor", "value",
    "unit",  "since", "time",     "priority", "id",   "token",
};

/* A piece of a template: a placeholder, or text up to the next. */
struct piece {
    const char *text;
    size_t length; /* of the text */
    const char *next;
    int field; /* -1: it is text; BODY_FIELDS: a placeholder that is none */
};

static int find_field(const char *name, size_t length)
{
    for (int i = 0; i < BODY_FIELDS; i++)
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0)
            return i;
    return BODY_FIELDS;
}

static bool opens(const char *at)
{
    return at[0] == '{' && islower((unsigned char)at[1]);
}

static struct piece next_piece(const char *at)
{
    struct piece piece = {.text = at, .field = -1};

    if (at[0] == '{' && at[1] == '{') {
        piece.length = 1;
        piece.next = at + 2;
    } else if (opens(at)) {
        size_t length = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz_");

        piece.field = at[1 + length] == '}' ? find_field(at + 1, length) : BODY_FIELDS;
        piece.length = length + 1;
        piece.next = at + 1 + length + (at[1 + length] == '}');
    } else {
        piece.length = 1;
        while (at[piece.length] && at[piece.length] != '{')
            piece.length++;
        piece.next = at + piece.length;
    }
    return piece;
}

int body_check(const char *template, size_t *ret_offset, struct error *reterr)
{
    for (const char *at = template; *at;) {
        struct piece piece = next_piece(at);
        const char *end = at + piece.length;

        if (piece.field == BODY_FIELDS) {
            *ret_offset = (size_t)(at - template);
            if (*end != '}')
                return error_set(reterr, -EINVAL, "\"%.*s\" has no closing brace",
                                 (int)piece.length, at);
            return error_set(reterr, -EINVAL, "unknown placeholder \"%.*s}\"", (int)piece.length,
                             at);
        }
        at = piece.next;
    }
    return 0;
}

bool body_has(const char *template, enum body_field field)
{
    for (const char *at = template; *at;) {
        struct piece piece = next_piece(at);

        if (piece.field == (int)field)
            return true;
        at = piece.next;
    }
    return false;
}

/* -- filling -------------------------------------------------------------------------------- */

/* The writer of JSON escapes; its quotes are left out. */
static bool put_json(FILE *to, const char *value)
{
    size_t size = strlen(value) * JSON_GROWTH + 3, length;
    char *quoted = malloc(size);
    struct json json;

    if (!quoted)
        return false;
    json_start(&json, quoted, size);
    json_text(&json, NULL, value);
    length = json_length(&json);
    fwrite(quoted + 1, 1, length - 2, to);
    free(quoted);
    return true;
}

static void put_form(FILE *to, const char *value)
{
    for (; *value; value++) {
        if (isalnum((unsigned char)*value) || strchr("-._~", *value))
            fputc(*value, to);
        else
            fprintf(to, "%%%02X", (unsigned char)*value);
    }
}

static bool put_value(FILE *to, const char *value, enum body_escape escape)
{
    if (escape == BODY_JSON)
        return put_json(to, value);
    if (escape == BODY_FORM)
        put_form(to, value);
    else
        fputs(value, to);
    return true;
}

static enum body_escape escape_of(int field, enum body_escape escape)
{
    if (escape != BODY_URL)
        return escape;
    return field == BODY_TOKEN ? BODY_PLAIN : BODY_FORM;
}

char *body_fill(const char *template, enum body_escape escape,
                const char *const values[BODY_FIELDS])
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    bool ok = to != NULL;

    for (const char *at = template; ok && *at;) {
        struct piece piece = next_piece(at);

        if (piece.field < 0)
            fwrite(piece.text, 1, piece.length, to);
        else
            ok = put_value(to, values[piece.field], escape_of(piece.field, escape));
        at = piece.next;
    }
    if (to && (fclose(to) != 0 || !ok)) {
        free(text);
        return NULL;
    }
    return text;
}
