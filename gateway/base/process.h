/* Process: programs run on the loop, within limits and without a shell. Loop thread only.
 *
 * A program gets its arguments as they are, the environment that the caller chose and nothing else,
 * /dev/null to read, and a process group of its own. When its time is over the group gets SIGTERM,
 * and SIGKILL two seconds later; when the program ends, what it left running in its group is killed
 * too. At most PROCESSES_AT_ONCE run, the others wait. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct processes;

#define PROCESSES_AT_ONCE  4
#define PROCESSES_WAIT_MAX 64
#define PROCESS_OUTPUT_MAX 4096

/* NULL when memory is out. */
struct processes *processes_new(struct loop *loop);

/* Kills what runs; nothing is told any more. Not from inside a callback of its own. NULL is legal.
 */
void processes_free(struct processes *processes);

struct process_options {
    const char *const *argv;        /* NULL at the end; argv[0] is a path, or looked for in PATH */
    const char *const *environment; /* "NAME=value", NULL at the end */
    int64_t timeout_ms;
};

struct process_end {
    int error;       /* 0; else -Exxx: it could not be started */
    int exit_status; /* when it ended by itself */
    int signal;      /* that ended it; 0: none */
    bool timed_out;  /* the time was over; then it was ended */
    const char
        *output; /* standard output and error as they came, with a NUL behind; foreign bytes */
    size_t size;
    bool cut; /* there was more */
    int64_t took_ms;
};

/* Copies. `done` is called exactly once, on the loop, never from inside process_run(); the end is
 * borrowed for the call. 0, -ENOBUFS when too many wait already, -ENOMEM. */
int process_run(struct processes *processes, const struct process_options *options,
                void (*done)(void *owner, const struct process_end *end), void *owner);
