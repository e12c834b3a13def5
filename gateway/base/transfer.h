/* Transfer: what every request through libcurl has in common, for http_client.c and mail_client.c
 * only. */
#pragma once

#include <curl/curl.h>

#include <stdbool.h>
#include <stdint.h>

/* Sets what is safe and bounded: certificates and names are checked, against `ca_file` or (NULL)
 * the system's; no signals, no redirects, no look-up that is waited for after its time; the whole
 * takes at most `timeout_ms`. libcurl writes words about a failure to `errors`, CURL_ERROR_SIZE
 * bytes. false when memory is out. */
bool transfer_prepare(CURL *easy, const char *protocols, int64_t timeout_ms, const char *ca_file,
                      char *errors);

/* The -Exxx that comes nearest; 0 for CURLE_OK. */
int transfer_error(CURLcode code);

/* Words for a person, safe for a log: libcurl's own about this failure, else those about its kind.
 * Returns `to`. */
char *transfer_words(char *to, size_t size, CURLcode code, const char *errors);

/* Whether a text can stand in a line of a protocol: no control characters. */
bool transfer_is_line(const char *text);
