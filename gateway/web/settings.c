#include "gateway/base/text.h"
#include "gateway/web/listen.h"
#include "gateway/web/web.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct setting web_settings[] = {
    {"socket", SETTING_TEXT,
     .help = "Path of the Unix socket on which the command line finds the gateway; by default "
             "thermogate.sock in the folder that systemd gives it, else " WEB_SOCKET
             ". Under systemd a link there leads to another one."},
    {"listen", SETTING_TEXT,
     .help = "Address and port for HTTP over TCP, as \"127.0.0.1:8377\"; only of this machine, and "
             "only for reading. Nothing by default."},
    {0},
};

size_t web_check(const struct section *section, struct problems *problems)
{
    const char *listen = section_text(section, "listen"), *path = section_text(section, "socket");
    struct listen_address address;
    int r = listen ? listen_parse(listen, &address) : 0;
    size_t wrong = 0;

    if (r == -EPERM) {
        problem_error(
            problems, section_place(section, "listen"),
            "use \"127.0.0.1:8377\", and a proxy with a password where others must reach it",
            "web.listen: \"%s\" can be reached from outside this machine", listen);
        wrong++;
    } else if (r < 0) {
        problem_error(problems, section_place(section, "listen"), "write \"127.0.0.1:8377\"",
                      "web.listen: \"%s\" is no address with a port", listen);
        wrong++;
    }
    if (path && (path[0] != '/' || strlen(path) >= WEB_SOCKET_SIZE)) {
        problem_error(problems, section_place(section, "socket"),
                      "it begins with / and has at most 107 bytes",
                      "web.socket: \"%s\" cannot be the path of a socket", path);
        wrong++;
    }
    return wrong;
}

/* systemd lists several folders with colons between; the first one is ours. */
static void default_socket(char socket[WEB_SOCKET_SIZE])
{
    const char *folder = getenv("RUNTIME_DIRECTORY");
    int length = folder ? (int)strcspn(folder, ":") : 0;

    if (length == 0 || length + sizeof("/thermogate.sock") > WEB_SOCKET_SIZE)
        text_copy(socket, WEB_SOCKET_SIZE, WEB_SOCKET);
    else
        snprintf(socket, WEB_SOCKET_SIZE, "%.*s/thermogate.sock", length, folder);
}

struct web_options web_options(const struct section *section)
{
    const char *socket = section_text(section, "socket"), *listen = section_text(section, "listen");
    struct web_options options = {.listen = ""};

    default_socket(options.socket);
    if (socket && strcmp(socket, options.socket) != 0) {
        /* Without systemd that folder is not ours, and may be another gateway's. */
        if (getenv("RUNTIME_DIRECTORY"))
            text_copy(options.link, sizeof(options.link), options.socket);
        text_copy(options.socket, sizeof(options.socket), socket);
    }
    if (listen)
        text_copy(options.listen, sizeof(options.listen), listen);
    return options;
}
