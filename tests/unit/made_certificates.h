/* Two certificates, for the tests of gateway/mqtt. */
#pragma once

/* Made by openssl; `openssl x509 -enddate` says Dec 31 18:33:11 2027 and Nov 2 18:33:11 2126. */
#define SHORT_MS INT64_C(1830277991000)
#define LONG_MS  INT64_C(4949317991000)

static const char until_2027[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBbjCCAROgAwIBAgIURvc56x07ks14WUJMifGXzQQotrQwCgYIKoZIzj0EAwIw\n"
    "DDEKMAgGA1UEAwwBdDAeFw0yNjExMjYxODMzMTFaFw0yNzEyMzExODMzMTFaMAwx\n"
    "CjAIBgNVBAMMAXQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQmTaaJYtDPYBeX\n"
    "hTn8dWMN/ifg2plY1968uTVQGOl4uFVGUzvacIt7U2OpuuUXtTpPomEu7RXObR8t\n"
    "AtOx9iU1o1MwUTAdBgNVHQ4EFgQU3V9lLXLDXLC0xW9BNTxkAIInEjQwHwYDVR0j\n"
    "BBgwFoAU3V9lLXLDXLC0xW9BNTxkAIInEjQwDwYDVR0TAQH/BAUwAwEB/zAKBggq\n"
    "hkjOPQQDAgNJADBGAiEAmSIS9Tg6RqtZVemadrswTa2JNdqcnKrRiYIS+oehUccC\n"
    "IQCwAQZrnVsGJqhvH4aAyUGsmRScLHnEPknXbnntAeRIXg==\n"
    "-----END CERTIFICATE-----\n";

static const char until_2126[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBbzCCARWgAwIBAgIUNuGaFsSfS9bPIem8vNfyYP3/DqAwCgYIKoZIzj0EAwIw\n"
    "DDEKMAgGA1UEAwwBdDAgFw0yNjExMjYxODMzMTFaGA8yMTI2MTEwMjE4MzMxMVow\n"
    "DDEKMAgGA1UEAwwBdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABKie1F8leYnT\n"
    "qilz8mmvFcjhnWe0eBM9fcDRjbFynuhmLdFws6fLhBp447M26pCD1dDXAvqQY4kt\n"
    "Cts3vkxQfUOjUzBRMB0GA1UdDgQWBBTTZFt2arqeIWA41DcO1/yM4x+dujAfBgNV\n"
    "HSMEGDAWgBTTZFt2arqeIWA41DcO1/yM4x+dujAPBgNVHRMBAf8EBTADAQH/MAoG\n"
    "CCqGSM49BAMCA0gAMEUCIQDqsKv7pDawGgMPfTzRuNMkMG6MKtLGnB3acg9QNxVG\n"
    "PAIgIJihIASVaFJKYr74tCorNc+d+5oOyBlgmQ9pB2UT6vQ=\n"
    "-----END CERTIFICATE-----\n";
