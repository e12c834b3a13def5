#include "gateway/mqtt/validity.h"

#include "gateway/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A PEM file has blocks of base64 between two lines; inside a certificate is DER (X.690), a tree of
 * tag, length, content (RFC 5280, 4.1):
 *
 *   SEQUENCE certificate
 *     SEQUENCE what is signed
 *       [0] version (may be missing), INTEGER serial, SEQUENCE algorithm, SEQUENCE issuer
 *       SEQUENCE validity
 *         time from, time until: UTCTime 991231235959Z or GeneralizedTime 20991231235959Z */

#define BEGIN    "-----BEGIN CERTIFICATE-----"
#define END      "-----END CERTIFICATE-----"
#define FILE_MAX (1024 * 1024)

#define TAG_INTEGER     0x02
#define TAG_UTC_TIME    0x17
#define TAG_TIME        0x18
#define TAG_SEQUENCE    0x30
#define TAG_VERSION     0xa0
#define LENGTH_LONG     0x80 /* then the low bits count the bytes of the length */
#define UTC_TIME_LENGTH 13   /* YYMMDDhhmmssZ */

/* -- base64 --------------------------------------------------------------------------------- */

static int value_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* Whatever is no digit is left out. `to` needs 3 bytes for each 4 of `text`. */
static size_t decode(const char *text, const char *end, uint8_t *to)
{
    uint32_t bits = 0;
    size_t length = 0;
    int count = 0;

    for (; text < end && *text != '='; text++) {
        if (value_of(*text) < 0)
            continue;
        bits = bits << 6 | (uint32_t)value_of(*text);
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        to[length++] = (uint8_t)(bits >> count);
    }
    return length;
}

/* -- DER ------------------------------------------------------------------------------------ */

struct der {
    const uint8_t *at, *end;
};

/* Takes the next element off `der`; its content is in *ret. */
static bool take(struct der *der, uint8_t *ret_tag, struct der *ret)
{
    size_t length;

    if (der->end - der->at < 2)
        return false;
    *ret_tag = der->at[0];
    length = der->at[1];
    der->at += 2;
    if (length & LENGTH_LONG) {
        size_t bytes = length & ~(size_t)LENGTH_LONG;

        if (bytes > 3 || (size_t)(der->end - der->at) < bytes)
            return false;
        for (length = 0; bytes > 0; bytes--)
            length = length << 8 | *der->at++;
    }
    if ((size_t)(der->end - der->at) < length)
        return false;
    *ret = (struct der){der->at, der->at + length};
    der->at += length;
    return true;
}

static bool enter(struct der *der, uint8_t tag, struct der *ret)
{
    uint8_t found;

    return take(der, &found, ret) && found == tag;
}

static bool read_time(uint8_t tag, const struct der *der, int64_t *ret_ms)
{
    int length = (int)(der->end - der->at);
    const char *at = (const char *)der->at;
    char text[40];
    int century = 20;

    if (tag == TAG_UTC_TIME && length == UTC_TIME_LENGTH) {
        century = at[0] >= '5' ? 19 : 20; /* RFC 5280, 4.1.2.5.1 */
    } else if (tag == TAG_TIME && length == UTC_TIME_LENGTH + 2) {
        century = (at[0] - '0') * 10 + at[1] - '0';
        at += 2;
    } else {
        return false;
    }
    snprintf(text, sizeof(text), "%02d%.2s-%.2s-%.2sT%.2s:%.2s:%.2s%.1s", century, at, at + 2,
             at + 4, at + 6, at + 8, at + 10, at + 12);
    return text_to_wall(text, ret_ms) == 0;
}

static bool read_certificate(const uint8_t *bytes, size_t length, int64_t *ret_until_ms)
{
    struct der file = {bytes, bytes + length}, certificate, inside, part, validity;
    uint8_t tag;

    return enter(&file, TAG_SEQUENCE, &certificate) && enter(&certificate, TAG_SEQUENCE, &inside) &&
           take(&inside, &tag, &part) && (tag != TAG_VERSION || take(&inside, &tag, &part)) &&
           tag == TAG_INTEGER && enter(&inside, TAG_SEQUENCE, &part) &&
           enter(&inside, TAG_SEQUENCE, &part) && enter(&inside, TAG_SEQUENCE, &validity) &&
           take(&validity, &tag, &part) && take(&validity, &tag, &part) &&
           read_time(tag, &part, ret_until_ms);
}

/* -- the file ------------------------------------------------------------------------------- */

int validity_of(const char *pem, int64_t *ret_until_ms)
{
    int64_t earliest_ms = INT64_MAX, until_ms;
    uint8_t *bytes = malloc(strlen(pem) + 1);
    const char *at = pem, *end;
    bool good = bytes != NULL;
    int count = 0;

    while (good && (at = strstr(at, BEGIN)) && (end = strstr(at, END))) {
        at += strlen(BEGIN);
        good = read_certificate(bytes, decode(at, end, bytes), &until_ms);
        if (good && until_ms < earliest_ms)
            earliest_ms = until_ms;
        at = end;
        count++;
    }
    free(bytes);
    if (!good || count == 0)
        return -EINVAL;
    *ret_until_ms = earliest_ms;
    return count;
}

int validity_read(const char *path, int64_t *ret_until_ms)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *text = malloc(FILE_MAX + 1);
    ssize_t length = file >= 0 && text ? read(file, text, FILE_MAX + 1) : -1;
    int r = length < 0 ? -errno : length > FILE_MAX ? -EFBIG : 0;

    if (r == 0) {
        text[length] = '\0';
        r = validity_of(text, ret_until_ms);
    }
    free(text);
    if (file >= 0)
        close(file);
    return r;
}
