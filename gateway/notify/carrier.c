#include "gateway/notify/carrier.h"

#include "gateway/base/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct carrier *carrier_at(size_t i)
{
    static const struct carrier *const all[] = {&ntfy_carrier, &webhook_carrier, &email_carrier};

    return i < sizeof(all) / sizeof(all[0]) ? all[i] : NULL;
}

const struct carrier *carrier_find(const char *type)
{
    const struct carrier *carrier;

    for (size_t i = 0; type && (carrier = carrier_at(i)); i++)
        if (strcmp(carrier->type, type) == 0)
            return carrier;
    return NULL;
}

void login_check(const struct section *section, struct problems *problems)
{
    if (section_has(section, "password_file") && !section_has(section, "username"))
        problem_error(problems, section_place(section, "password_file"),
                      "give the \"username\" that the password belongs to",
                      "\"password_file\" alone is no login");
    if (section_has(section, "token_file") && section_has(section, "username") &&
        strcmp(section_text(section, "type"), ntfy_carrier.type) == 0)
        problem_error(problems, section_place(section, "token_file"), "give one of them",
                      "\"token_file\" and \"username\" are two ways to log in");
}

static bool has_secret(const struct section *section)
{
    return section_has(section, "token_file") || section_has(section, "password_file");
}

static bool is_local(const char *url)
{
    return strncmp(url, "http://127.", 11) == 0 || strncmp(url, "http://localhost", 16) == 0 ||
           strncmp(url, "http://[::1]", 12) == 0;
}

void login_check_url(const struct section *section, struct problems *problems)
{
    const char *url = section_text(section, "url");
    bool plain = url && strncmp(url, "http://", 7) == 0;

    if (!url)
        return; /* that it is missing has been said */
    if (!plain && strncmp(url, "https://", 8) != 0)
        problem_error(problems, section_place(section, "url"), "it begins with https:// or http://",
                      "\"url\" is no address of a web server");
    else if (plain && has_secret(section) && !is_local(url))
        problem_warning(problems, section_place(section, "url"), "use https://",
                        "the password or token crosses the network for everyone to read");
}

static int read_secret(const struct section *section, const char *key, char **ret_secret,
                       struct error *reterr)
{
    int r;

    if (!section_has(section, key))
        return 0;
    r = secret_read(section_text(section, key), ret_secret, reterr);
    if (r < 0)
        error_prefix(reterr, "%s", key);
    return r;
}

static int copy(const struct section *section, const char *key, char **ret_text)
{
    const char *text = section_text(section, key);

    *ret_text = text ? strdup(text) : NULL;
    return text && !*ret_text ? -ENOMEM : 0;
}

int login_read(const struct section *section, struct login *login, struct error *reterr)
{
    int r;

    *login = (struct login){0};
    if (copy(section, "username", &login->username) < 0 ||
        copy(section, "ca_file", &login->ca_file) < 0)
        r = error_set(reterr, -ENOMEM, "out of memory");
    else if ((r = read_secret(section, "password_file", &login->password, reterr)) == 0)
        r = read_secret(section, "token_file", &login->token, reterr);
    if (r < 0)
        login_free(login);
    return r;
}

void login_free(struct login *login)
{
    free(login->username);
    secret_free(login->password);
    secret_free(login->token);
    free(login->ca_file);
    *login = (struct login){0};
}

const char *login_secret(const struct login *login)
{
    return login->token ? login->token : login->password;
}
