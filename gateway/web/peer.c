#include "gateway/web/peer.h"

#include "gateway/base/text.h"

#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define GROUP "thermogate"
/* A peer in more groups than that is taken for one in none of them: he may read. */
#define GROUPS_MAX 1024

gid_t peer_group(void)
{
    const struct group *group = getgrnam(GROUP);

    return group ? group->gr_gid : (gid_t)-1;
}

/* The groups that the peer had when it connected, from the kernel: no look-up that could block. */
static bool is_member(int fd, gid_t group, gid_t primary)
{
    gid_t groups[GROUPS_MAX];
    socklen_t length = sizeof(groups);

    if (group == (gid_t)-1)
        return false;
    if (primary == group)
        return true;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length) < 0)
        return false;
    for (size_t i = 0; i < length / sizeof(gid_t); i++) {
        if (groups[i] == group)
            return true;
    }
    return false;
}

struct peer peer_of(int fd, gid_t group)
{
    struct peer peer = {.right = RIGHT_READ};
    int domain = 0;
    socklen_t length = sizeof(domain);
    struct ucred who;

    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) < 0 || domain != AF_UNIX)
        return peer;
    length = sizeof(who);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) < 0)
        return peer;
    peer.local = true;
    peer.uid = who.uid;
    if (who.uid == 0 || who.uid == geteuid() || is_member(fd, group, who.gid))
        peer.right = RIGHT_ALL;
    return peer;
}

void peer_name(const struct peer *peer, char name[PEER_NAME_SIZE])
{
    char memory[4096];
    struct passwd entry, *found = NULL;

    if (!peer->local)
        text_copy(name, PEER_NAME_SIZE, "tcp");
    else if (getpwuid_r(peer->uid, &entry, memory, sizeof(memory), &found) == 0 && found)
        text_copy(name, PEER_NAME_SIZE, found->pw_name);
    else
        snprintf(name, PEER_NAME_SIZE, "uid %ju", (uintmax_t)peer->uid);
}
