#include "gateway/notify/mime.h"

#include "gateway/base/clock.h"
#include "gateway/base/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WORD_BYTES 45 /* of text in an encoded word, which may have 75 characters */
#define LINE_BYTES 57 /* that make a line of 76 */

static void put_base64(FILE *to, const unsigned char *bytes, size_t count)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < count; i += 3) {
        unsigned group = (unsigned)bytes[i] << 16;

        group |= i + 1 < count ? (unsigned)bytes[i + 1] << 8 : 0;
        group |= i + 2 < count ? bytes[i + 2] : 0;
        fputc(digits[group >> 18], to);
        fputc(digits[group >> 12 & 63], to);
        fputc(i + 1 < count ? digits[group >> 6 & 63] : '=', to);
        fputc(i + 2 < count ? digits[group & 63] : '=', to);
    }
}

static bool is_plain(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f)
            return false;
    return true;
}

/* As many whole characters as fit into one word. */
static size_t word_length(const char *text, size_t left)
{
    size_t length = 0, count;
    uint32_t code;

    while (length < left) {
        count = text_utf8(text + length, left - length, &code);
        if (count == 0)
            count = 1;
        if (length + count > WORD_BYTES)
            break;
        length += count;
    }
    return length;
}

static void put_words(FILE *to, const char *text, const char *between)
{
    size_t left = strlen(text), count;

    for (; left > 0; text += count, left -= count) {
        count = word_length(text, left);
        fputs("=?UTF-8?B?", to);
        put_base64(to, (const unsigned char *)text, count);
        fprintf(to, "?=%s", count < left ? between : "");
    }
}

/* In an encoded word a newline would be no danger for the protocol, but ugly. */
static char *without_controls(const char *text)
{
    char *copy = strdup(text);

    for (char *at = copy; at && *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = ' ';
    return copy;
}

char *mime_header(const char *text, const char *between)
{
    char *copy = without_controls(text), *result = NULL;
    size_t size;
    FILE *to;

    if (!copy || is_plain(copy))
        return copy;
    to = open_memstream(&result, &size);
    if (to)
        put_words(to, copy, between);
    free(copy);
    if (to && fclose(to) != 0) {
        free(result);
        return NULL;
    }
    return result;
}

static void put_date(FILE *to, int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm = {0};
    char text[64];

    localtime_r(&seconds, &tm);
    strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S %z", &tm);
    fprintf(to, "Date: %s\r\n", text);
}

static void put_headers(FILE *to, const struct mime_mail *mail, const char *subject)
{
    const char *domain = strrchr(mail->from, '@');

    if (mail->wall_ms != CLOCK_NEVER)
        put_date(to, mail->wall_ms);
    fprintf(to, "From: %s\r\nTo: ", mail->from);
    for (size_t i = 0; i < mail->n_to; i++)
        fprintf(to, "%s%s", i > 0 ? ",\r\n " : "", mail->to[i]);
    fprintf(to,
            "\r\nSubject: %s\r\nMessage-ID: <%s.thermogate%s>\r\nAuto-Submitted: auto-generated\r\n"
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: base64\r\n\r\n",
            subject, mail->id, domain ? domain : "@localhost");
}

/* Base64 of the text with CR LF at the end of its lines. */
static void put_body(FILE *to, const char *text)
{
    unsigned char line[LINE_BYTES + 1];
    size_t count = 0;

    while (*text || count > 0) {
        if (*text == '\n')
            line[count++] = '\r';
        if (*text)
            line[count++] = (unsigned char)*text++;
        if (count >= LINE_BYTES || !*text) {
            size_t now = count < LINE_BYTES ? count : LINE_BYTES;

            put_base64(to, line, now);
            fputs("\r\n", to);
            count -= now;
            line[0] = line[now];
        }
    }
}

char *mime_compose(const struct mime_mail *mail)
{
    char *subject = mime_header(mail->subject, "\r\n "), *result = NULL;
    size_t size;
    FILE *to = subject ? open_memstream(&result, &size) : NULL;

    if (to) {
        put_headers(to, mail, subject);
        put_body(to, mail->text);
    }
    free(subject);
    if (to && fclose(to) != 0) {
        free(result);
        return NULL;
    }
    return result;
}
