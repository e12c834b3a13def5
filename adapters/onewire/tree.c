#include "adapters/onewire/tree.h"

#include "adapters/attribute.h"
#include "adapters/onewire/decode.h"
#include "gateway/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MASTER_WORD "w1_bus_master"

struct master {
    char name[32]; /* never changes once it is counted */
    bool present;
    bool said_up;
};

struct onewire_tree {
    char root[ONEWIRE_ROOT_MAX + 1];
    pthread_mutex_t lock; /* of all below */
    struct master masters[ONEWIRE_MASTERS_MAX];
    uint32_t n_masters, n_present;
    int fault; /* 0; -ENODEV: a tree with nothing in it; else why it cannot be read */
    bool said_fault;
};

/* -- what is there -------------------------------------------------------------------------- */

static bool is_master(const char *name)
{
    size_t word = strlen(MASTER_WORD);
    size_t digits = strncmp(name, MASTER_WORD, word) == 0 ? strspn(name + word, "0123456789") : 0;

    return digits > 0 && name[word + digits] == '\0' &&
           word + digits < sizeof(((struct master *)0)->name);
}

static void note_master(struct onewire_tree *tree, const char *name)
{
    uint32_t i = 0;

    while (i < tree->n_masters && strcmp(tree->masters[i].name, name) != 0)
        i++;
    if (i == ONEWIRE_MASTERS_MAX)
        return;
    if (i == tree->n_masters) {
        text_copy(tree->masters[i].name, sizeof(tree->masters[i].name), name);
        tree->n_masters++;
    }
    tree->masters[i].present = true;
    tree->n_present++;
}

/* Notes every master; a tree without any is in order when it has sensors. Returns the fault. */
static int list(struct onewire_tree *tree, DIR *folder)
{
    struct onewire_address address;
    const struct dirent *entry;
    bool sensors = false;

    while ((entry = readdir(folder))) {
        if (is_master(entry->d_name))
            note_master(tree, entry->d_name);
        else if (onewire_address_parse(entry->d_name, &address, NULL) == 0)
            sensors = true;
    }
    return tree->n_present > 0 || sensors ? 0 : -ENODEV;
}

/* Reading a folder of /sys waits for no wire, so the lock may be held. */
static void look(struct onewire_tree *tree)
{
    DIR *folder;

    pthread_mutex_lock(&tree->lock);
    for (uint32_t i = 0; i < tree->n_masters; i++)
        tree->masters[i].present = false;
    tree->n_present = 0;
    folder = opendir(tree->root);
    tree->fault = folder ? list(tree, folder) : -errno;
    if (folder)
        closedir(folder);
    pthread_mutex_unlock(&tree->lock);
}

size_t onewire_tree_list(const struct onewire_tree *tree, struct onewire_address *list, size_t most)
{
    DIR *folder = opendir(tree->root);
    const struct dirent *entry;
    size_t n = 0;

    while (folder && n < most && (entry = readdir(folder)))
        n += onewire_address_parse(entry->d_name, &list[n], NULL) == 0;
    if (folder)
        closedir(folder);
    return n;
}

/* -- finding -------------------------------------------------------------------------------- */

static bool folder_of(struct onewire_place *place, const struct onewire_tree *tree,
                      const char *master, const char *address)
{
    snprintf(place->folder, sizeof(place->folder), "%s/%s%s%s", tree->root, master,
             *master ? "/" : "", address);
    return access(place->folder, F_OK) == 0;
}

/* Whether a line of the master's list is `address`. */
static bool lists(const struct onewire_tree *tree, const char *master, const char *address)
{
    char path[ONEWIRE_ROOT_MAX + 64], text[ATTRIBUTE_MAX + 1];
    size_t length = strlen(address);

    snprintf(path, sizeof(path), "%s/%s/w1_master_slaves", tree->root, master);
    if (attribute_read(path, text) < 0)
        return false;
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, address, length) == 0 && (line[length] == '\n' || !line[length]))
            return true;
    }
    return false;
}

/* The kernel's own trees have the sensor's folder inside its master's; the list is for others. */
static bool is_on(const struct onewire_tree *tree, int32_t master, const char *address,
                  struct onewire_place *ret)
{
    const char *name = tree->masters[master].name;

    ret->master = master;
    if (folder_of(ret, tree, name, address))
        return true;
    if (!lists(tree, name, address))
        return false;
    folder_of(ret, tree, "", address);
    return true;
}

static bool is_present(struct onewire_tree *tree, int32_t master)
{
    bool present;

    pthread_mutex_lock(&tree->lock);
    present = tree->masters[master].present;
    pthread_mutex_unlock(&tree->lock);
    return present;
}

static uint8_t why_not(struct onewire_tree *tree, int32_t known)
{
    bool down;

    pthread_mutex_lock(&tree->lock);
    down = tree->fault || (tree->n_masters > 0 && tree->n_present == 0) ||
           (known != ONEWIRE_NO_MASTER && !tree->masters[known].present);
    pthread_mutex_unlock(&tree->lock);
    return down ? QUALITY_DISCONNECTED : QUALITY_NO_SENSOR;
}

uint8_t onewire_tree_find(struct onewire_tree *tree, const char *address, int32_t known,
                          struct onewire_place *ret)
{
    if (known != ONEWIRE_NO_MASTER && is_present(tree, known) && is_on(tree, known, address, ret))
        return QUALITY_GOOD;
    look(tree);
    for (uint32_t i = onewire_tree_masters(tree); i-- > 0;) {
        if (is_present(tree, (int32_t)i) && is_on(tree, (int32_t)i, address, ret))
            return QUALITY_GOOD;
    }
    ret->master = ONEWIRE_NO_MASTER;
    return folder_of(ret, tree, "", address) ? QUALITY_GOOD : why_not(tree, known);
}

/* -- telling -------------------------------------------------------------------------------- */

static void describe_fault(int fault, char *text, size_t size)
{
    const char *hint = "1-Wire is not switched on? add dtoverlay=w1-gpio to config.txt";

    if (fault == -ENODEV)
        snprintf(text, size, "there is no master: %s", hint);
    else if (fault == -ENOENT)
        snprintf(text, size, "there is no such folder: %s", hint);
    else
        snprintf(text, size, "%s", strerror(-fault));
}

/* A tree that lost its last master is no second piece of news. */
static void tell_fault(struct onewire_tree *tree, struct adapter_host *host)
{
    char why[200];
    bool fault = tree->fault && (tree->fault != -ENODEV || tree->n_masters == 0);

    if (fault == tree->said_fault)
        return;
    describe_fault(tree->fault, why, sizeof(why));
    host->link(host, tree->root, fault ? why : NULL);
    tree->said_fault = fault;
}

void onewire_tree_tell(struct onewire_tree *tree, struct adapter_host *host)
{
    pthread_mutex_lock(&tree->lock);
    tell_fault(tree, host);
    for (uint32_t i = 0; i < tree->n_masters; i++) {
        struct master *master = &tree->masters[i];

        if (master->present == master->said_up)
            continue;
        host->link(host, master->name,
                   master->present
                       ? NULL
                       : "it is gone: its adapter was unplugged, or its driver removed");
        master->said_up = master->present;
    }
    pthread_mutex_unlock(&tree->lock);
}

/* -- door ----------------------------------------------------------------------------------- */

struct onewire_tree *onewire_tree_new(const char *root)
{
    struct onewire_tree *tree = calloc(1, sizeof(*tree));

    if (!tree)
        return NULL;
    text_copy(tree->root, sizeof(tree->root), root);
    pthread_mutex_init(&tree->lock, NULL);
    look(tree);
    return tree;
}

void onewire_tree_free(struct onewire_tree *tree)
{
    if (!tree)
        return;
    pthread_mutex_destroy(&tree->lock);
    free(tree);
}

uint32_t onewire_tree_masters(struct onewire_tree *tree)
{
    uint32_t n;

    pthread_mutex_lock(&tree->lock);
    n = tree->n_masters;
    pthread_mutex_unlock(&tree->lock);
    return n;
}

/* The name of a master never changes once it is counted, so that no lock is needed. */
char *onewire_tree_folder(const struct onewire_tree *tree, uint32_t master,
                          char folder[ONEWIRE_ROOT_MAX + 64])
{
    snprintf(folder, ONEWIRE_ROOT_MAX + 64, "%s/%s", tree->root, tree->masters[master].name);
    return folder;
}
