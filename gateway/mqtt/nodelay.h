/* Nodelay: finds Paho's connection, and takes Nagle's pause off it.
 *
 * Paho 1.3 sets no TCP_NODELAY and shows nobody its socket. A group of small messages then waits
 * for the acknowledgement of the first one, which the broker's kernel may hold back for 40 ms. */
#pragma once

#include <stdint.h>

/* Sets TCP_NODELAY on every TCP connection of this process to a peer's port `port`. Returns one
 * that had not got it, which is the new one, to be waited on; -1 when there is none. Any thread. */
int nodelay_set(uint16_t port);
