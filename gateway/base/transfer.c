#include "gateway/base/transfer.h"

#include "gateway/base/text.h"

#include <errno.h>

/* One file per certificate, found by its name's hash: the bundle of all would be parsed for every
 * connection, which takes 20 ms on a PC, against 0.6 ms, and longer on a Pi; on the loop that
 * counts.
 */
#define CA_FOLDER "/etc/ssl/certs"

static bool trust(CURL *easy, const char *ca_file)
{
    return !curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) &&
           !curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) &&
           !curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file) &&
           !curl_easy_setopt(easy, CURLOPT_CAPATH, ca_file ? NULL : CA_FOLDER);
}

bool transfer_prepare(CURL *easy, const char *protocols, int64_t timeout_ms, const char *ca_file,
                      char *errors)
{
    errors[0] = '\0';
    /* Without QUICK_EXIT the end of a transfer waits for its name look-up, which may take half a
     * minute when the network is gone. */
    return trust(easy, ca_file) && !curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) &&
           !curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) &&
           !curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, protocols) &&
           !curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) &&
           !curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms) &&
           !curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, errors);
}

int transfer_error(CURLcode code)
{
    static const struct {
        CURLcode code;
        int error;
    } table[] = {
        {CURLE_OK, 0},
        {CURLE_URL_MALFORMAT, -EINVAL},
        {CURLE_UNSUPPORTED_PROTOCOL, -EINVAL},
        {CURLE_COULDNT_RESOLVE_HOST, -EHOSTUNREACH},
        {CURLE_COULDNT_CONNECT, -ECONNREFUSED},
        {CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT},
        {CURLE_OUT_OF_MEMORY, -ENOMEM},
        {CURLE_LOGIN_DENIED, -EACCES},
        {CURLE_REMOTE_ACCESS_DENIED, -EACCES},
        {CURLE_GOT_NOTHING, -EPIPE},
        {CURLE_USE_SSL_FAILED, -EPROTO},
        {CURLE_SSL_CONNECT_ERROR, -EPROTO},
        {CURLE_PEER_FAILED_VERIFICATION, -EKEYREJECTED},
        {CURLE_SSL_CACERT_BADFILE, -EKEYREJECTED},
        {CURLE_ABORTED_BY_CALLBACK, -ECANCELED},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].code == code)
            return table[i].error;
    return -EIO;
}

char *transfer_words(char *to, size_t size, CURLcode code, const char *errors)
{
    return text_escape(to, size, errors[0] ? errors : curl_easy_strerror(code));
}

bool transfer_is_line(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}
