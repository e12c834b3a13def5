/* Attribute: the small text files through which the kernel shows one value each. Blocks: for
 * workers only. Whatever the path names, no more than ATTRIBUTE_MAX bytes are read of it. */
#pragma once

#include <stddef.h>

#define ATTRIBUTE_MAX 4096 /* bytes: the kernel gives a page at most */

/* Reads a regular file (also one of /sys or /proc) into `text` and ends it with NUL. It never waits
 * for a writer: a FIFO, a device or a directory is -EINVAL. Returns the length, -EFBIG when there
 * is more than ATTRIBUTE_MAX, or what open(2) and read(2) say. */
int attribute_read(const char *path, char text[ATTRIBUTE_MAX + 1]);

/* Reads up to `lines` line ends and not a byte further, since asking the kernel for the end of a
 * file whose device has just gone can hang. Waits as long as the file does (a conversion takes 750
 * ms). Fewer lines are no error. Else as above. */
int attribute_read_lines(const char *path, unsigned lines, char text[ATTRIBUTE_MAX + 1]);

/* Writes `text` to a regular file that is there, in place of what it has. Waits as long as the file
 * does. 0, or what open(2) and write(2) say; -EINVAL when it is no regular file. */
int attribute_write(const char *path, const char *text);
