/* Peer: who is at the other end of a connection, and what he may do. Private to the room. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

enum web_right { RIGHT_READ, RIGHT_ALL };

struct peer {
    bool local; /* a Unix socket: the kernel knows who it is */
    uid_t uid;  /* when local */
    enum web_right right;
};

/* The group whose members may do everything; (gid_t)-1 when this machine has none. Asks the user
 * data base: for the start. */
gid_t peer_group(void);

struct peer peer_of(int fd, gid_t group);

/* The name of its user, "uid 1001" for one without. */
#define PEER_NAME_SIZE 33
void peer_name(const struct peer *peer, char name[PEER_NAME_SIZE]);
