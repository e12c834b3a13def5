#include "adapters/onewire/scan.h"

#include "adapters/onewire/bulk.h"
#include "adapters/onewire/file.h"
#include "adapters/onewire/options.h"
#include "adapters/onewire/owserver_link.h"
#include "adapters/onewire/tree.h"
#include "gateway/base/enclosing.h"
#include "gateway/base/loop.h"
#include "gateway/base/reading.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SENSORS_MAX 1024

/* -- the kernel's --------------------------------------------------------------------------- */

static void ignore_note(struct adapter_host *host, const char *words)
{
    (void)host, (void)words;
}

/* Looked at as a poll would: measured together where that is possible. */
static struct onewire_seen look_at(struct onewire_tree *tree, struct onewire_bulk *bulks,
                                   const struct onewire_address *address, char master[64])
{
    struct adapter_host host = {.note = ignore_note};
    struct onewire_seen seen = {
        .address = *address, .type = onewire_family_name(address->family), .where = master};
    struct onewire_place place;
    char folder[ONEWIRE_ROOT_MAX + 64];
    uint32_t round = 0;
    int error;

    master[0] = '\0';
    seen.value.quality = onewire_tree_find(tree, address->text, ONEWIRE_NO_MASTER, &place);
    if (seen.value.quality != QUALITY_GOOD)
        return seen;
    if (place.master != ONEWIRE_NO_MASTER) {
        onewire_tree_folder(tree, (uint32_t)place.master, folder);
        text_copy(master, 64, strrchr(folder, '/') + 1);
        (void)onewire_bulk_measure(&bulks[place.master], folder, &round, &host);
    }
    seen.power = onewire_power(place.folder);
    seen.bits = onewire_resolution(place.folder);
    seen.value = onewire_file_read(place.folder, address->family, &error);
    return seen;
}

static int scan_tree(const char *root, onewire_scan_found found, void *owner, struct error *reterr)
{
    static struct onewire_address list[SENSORS_MAX];
    struct onewire_bulk bulks[ONEWIRE_MASTERS_MAX];
    struct onewire_tree *tree = onewire_tree_new(root);
    char master[64];
    size_t n;

    if (!tree)
        return error_set(reterr, -ENOMEM, "out of memory");
    for (size_t i = 0; i < ONEWIRE_MASTERS_MAX; i++)
        onewire_bulk_init(&bulks[i]);
    n = onewire_tree_list(tree, list, SENSORS_MAX);
    for (size_t i = 0; i < n; i++) {
        struct onewire_seen seen = look_at(tree, bulks, &list[i], master);

        if (!found(owner, &seen))
            break;
    }
    if (n == 0 && onewire_tree_masters(tree) == 0)
        error_set(reterr, -ENODEV,
                  "%s has no 1-Wire master: add dtoverlay=w1-gpio to config.txt and start anew",
                  root);
    else if (n == 0)
        error_set(reterr, -ENODEV,
                  "the master sees no thermometer: is the resistor of 4.7 kOhm "
                  "between data and 3.3 V there?");
    for (size_t i = 0; i < ONEWIRE_MASTERS_MAX; i++)
        onewire_bulk_clear(&bulks[i]);
    onewire_tree_free(tree);
    return n > 0 ? (int)n : -ENODEV;
}

/* -- an owserver's -------------------------------------------------------------------------- */

enum step { STEP_LIST, STEP_CONVERT, STEP_TYPE, STEP_TEMPERATURE, STEP_POWER };

struct server {
    struct adapter_host host;
    struct loop *loop;
    struct ow_link *link;
    struct ow_ask ask;
    enum step step;
    char path[64], type[32];
    char *folders; /* "28.000028D70000,10.000010EF0100" */
    const char *next;
    char folder[ONEWIRE_ADDRESS_SIZE];
    struct onewire_seen seen;
    size_t n;
    onewire_scan_found found;
    void *owner;
    struct error *reterr;
    int result;
};

static void take_link(struct adapter_host *host, const char *link, const char *why)
{
    struct server *server = enclosing(host, struct server, host);

    if (why)
        server->result = error_set(server->reterr, -ECONNREFUSED, "%s: %s", link, why);
}

static void ask(struct server *server, enum step step, enum ow_type type, const char *path,
                const char *value)
{
    server->step = step;
    text_copy(server->path, sizeof(server->path), path);
    server->ask.type = type;
    server->ask.value = value;
    ow_link_put(server->link, &server->ask, false);
}

static void ask_property(struct server *server, enum step step, const char *property)
{
    char path[64];
    size_t length = 0;

    text_append(path, sizeof(path), &length, "/uncached/%s/%s", server->folder, property);
    ask(server, step, OW_READ, path, NULL);
}

/* The next sensor of the list; ends the loop behind the last. */
static void ask_next(struct server *server)
{
    while (*server->next) {
        size_t length = strcspn(server->next, ",");
        char folder[ONEWIRE_ADDRESS_SIZE] = "";

        if (length >= sizeof(folder) - 1)
            memcpy(folder, server->next + length - (sizeof(folder) - 1), sizeof(folder) - 1);
        server->next += length + (server->next[length] == ',');
        server->seen = (struct onewire_seen){
            .type = server->type, .where = "", .value.quality = QUALITY_NOT_READ};
        if (onewire_address_read(folder, &server->seen.address, NULL) < 0)
            continue;
        text_copy(server->folder, sizeof(server->folder), folder);
        ask_property(server, STEP_TYPE, "type");
        return;
    }
    loop_stop(server->loop);
}

static void tell(struct server *server)
{
    server->n++;
    if (server->found(server->owner, &server->seen))
        ask_next(server);
    else
        loop_stop(server->loop);
}

static struct onewire_value value_of(const struct server *server, const struct ow_end *end)
{
    double celsius;

    if (end->quality != QUALITY_GOOD)
        return (struct onewire_value){.quality = end->quality};
    if (text_to_number(end->text + strspn(end->text, " "), &celsius) < 0 ||
        !(celsius > -1000 && celsius < 10000))
        return (struct onewire_value){.quality = QUALITY_PROTOCOL};
    return onewire_judge(server->seen.address.family, (int32_t)(celsius * 1000));
}

static void take_list(struct server *server, const struct ow_end *end)
{
    char words[100];

    if (end->quality != QUALITY_GOOD) {
        if (end->result < 0)
            server->result = error_set(server->reterr, -EPROTO, "%s",
                                       ow_words(end->result, words, sizeof(words)));
        loop_stop(server->loop);
        return;
    }
    server->folders = strdup(end->text);
    server->next = server->folders ? server->folders : "";
    ask(server, STEP_CONVERT, OW_WRITE, "/simultaneous/temperature", "1");
}

static void take_answer(struct ow_ask *of, const struct ow_end *end)
{
    struct server *server = of->owner;
    bool good = end->quality == QUALITY_GOOD;

    switch (server->step) {
    case STEP_LIST:
        take_list(server, end);
        break;
    case STEP_CONVERT:
        ask_next(server);
        break;
    case STEP_TYPE:
        text_copy(server->type, sizeof(server->type), good ? end->text : "");
        if (onewire_family_name(server->seen.address.family))
            ask_property(server, STEP_TEMPERATURE, "temperature");
        else
            tell(server);
        break;
    case STEP_TEMPERATURE:
        server->seen.value = value_of(server, end);
        ask_property(server, STEP_POWER, "power");
        break;
    case STEP_POWER:
        if (good)
            server->seen.power = end->text[0] == '1' ? ONEWIRE_SUPPLIED : ONEWIRE_PARASITE;
        tell(server);
        break;
    }
}

static int scan_server(const struct address *address, onewire_scan_found found, void *owner,
                       struct error *reterr)
{
    struct server server = {
        .loop = loop_new(), .found = found, .owner = owner, .reterr = reterr, .next = ""};

    server.host = (struct adapter_host){.loop = server.loop, .link = take_link};
    server.ask = (struct ow_ask){.path = server.path, .done = take_answer, .owner = &server};
    if (server.loop)
        server.link = ow_link_new(&server.host, address);
    if (server.link) {
        ask(&server, STEP_LIST, OW_LIST, "/uncached", NULL);
        loop_run(server.loop);
    } else {
        server.result = error_set(reterr, -ENOMEM, "out of memory");
    }
    ow_link_free(server.link);
    loop_free(server.loop);
    free(server.folders);
    if (server.n == 0 && server.result == 0)
        server.result = error_set(reterr, -ENODEV, "this owserver has no sensor");
    return server.n > 0 ? (int)server.n : server.result;
}

/* -- door ----------------------------------------------------------------------------------- */

int onewire_scan(const char *connect, onewire_scan_found found, void *owner, struct error *reterr)
{
    struct address address;

    if (strncmp(connect, "sysfs:/", strlen("sysfs:/")) == 0)
        return scan_tree(connect_path(connect), found, owner, reterr);
    if (strncmp(connect, "owserver:", strlen("owserver:")) == 0 &&
        address_parse(connect, ONEWIRE_OWSERVER_PORT, &address) == 0)
        return scan_server(&address, found, owner, reterr);
    return error_set(reterr, -EINVAL, "\"%s\" is neither sysfs:/FOLDER nor owserver://HOST[:PORT]",
                     connect);
}
