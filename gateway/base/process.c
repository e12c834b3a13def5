#include "gateway/base/process.h"

#include "gateway/base/clock.h"
#include "gateway/base/loop_uv.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GRACE_MS 2000

struct processes {
    uv_loop_t *uv;
    struct process *first; /* running, then waiting, in the order in which they came */
    size_t running, waiting;
    bool telling;
};

struct process {
    struct processes *processes;
    struct process *next;
    uv_process_t handle;
    uv_pipe_t pipe;
    uv_timer_t timer;
    int open_handles;
    bool started, asked_to_end;
    char **argv, **environment;
    int64_t timeout_ms, started_ms;
    void (*done)(void *owner, const struct process_end *end);
    void *owner;
    struct process_end end;
    char output[PROCESS_OUTPUT_MAX + 1];
};

static void start_waiting(struct processes *processes);

/* -- memory --------------------------------------------------------------------------------- */

static void list_free(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

static char **list_copy(const char *const *list)
{
    size_t count = 0;
    char **copy;

    while (list[count])
        count++;
    copy = calloc(count + 1, sizeof(*copy));
    for (size_t i = 0; copy && i < count; i++) {
        if (!(copy[i] = strdup(list[i]))) {
            list_free(copy);
            return NULL;
        }
    }
    return copy;
}

static void process_free(struct process *process)
{
    list_free(process->argv);
    list_free(process->environment);
    free(process);
}

static void on_closed(uv_handle_t *handle)
{
    struct process *process = handle->data;

    if (--process->open_handles == 0)
        process_free(process);
}

static void close_handles(struct process *process)
{
    if (process->open_handles == 0) {
        process_free(process);
        return;
    }
    uv_close((uv_handle_t *)&process->handle, on_closed);
    uv_close((uv_handle_t *)&process->pipe, on_closed);
    uv_close((uv_handle_t *)&process->timer, on_closed);
}

/* -- the end -------------------------------------------------------------------------------- */

static void unlink_process(struct process *process)
{
    struct process **at = &process->processes->first;

    while (*at != process)
        at = &(*at)->next;
    *at = process->next;
}

static void finish(struct process *process)
{
    struct processes *processes = process->processes;

    unlink_process(process);
    processes->running--;
    process->end.output = process->output;
    process->end.took_ms = clock_boot_ms() - process->started_ms;
    processes->telling = true;
    process->done(process->owner, &process->end);
    processes->telling = false;
    close_handles(process);
    start_waiting(processes);
}

static void keep(struct process *process, const char *bytes, size_t count)
{
    size_t room = PROCESS_OUTPUT_MAX - process->end.size;

    if (count > room)
        process->end.cut = true;
    memcpy(process->output + process->end.size, bytes, count < room ? count : room);
    process->end.size += count < room ? count : room;
}

/* What was written before the end and not yet read. Not until the pipe closes: a descendant that
 * left the group may hold it open for ever. */
static void read_rest(struct process *process)
{
    char bytes[4096];
    uv_os_fd_t file;
    ssize_t count;

    if (uv_fileno((uv_handle_t *)&process->pipe, &file) < 0)
        return;
    for (int i = 0; i < 16 && (count = read(file, bytes, sizeof(bytes))) > 0; i++)
        keep(process, bytes, (size_t)count);
}

static void on_exit_of(uv_process_t *handle, int64_t status, int signum)
{
    struct process *process = handle->data;

    kill(-handle->pid, SIGKILL);
    uv_read_stop((uv_stream_t *)&process->pipe);
    read_rest(process);
    process->end.exit_status = (int)status;
    process->end.signal = signum;
    finish(process);
}

static void on_timer(uv_timer_t *timer)
{
    struct process *process = timer->data;

    if (process->end.error < 0) {
        finish(process);
        return;
    }
    process->end.timed_out = true;
    kill(-process->handle.pid, process->asked_to_end ? SIGKILL : SIGTERM);
    process->asked_to_end = true;
    uv_timer_start(timer, on_timer, GRACE_MS, 0);
}

/* -- the start ------------------------------------------------------------------------------ */

/* One buffer for all: what does not fit is dropped, so the program is never held up. */
static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    static char bytes[4096];

    (void)handle, (void)suggested;
    *buf = uv_buf_init(bytes, sizeof(bytes));
}

static void on_output(uv_stream_t *pipe, ssize_t count, const uv_buf_t *buf)
{
    if (count > 0)
        keep(pipe->data, buf->base, (size_t)count);
    else if (count < 0)
        uv_read_stop(pipe);
}

/* 0 or -Exxx. Output and error share a pipe, so that their order is kept. */
static int spawn(struct process *process)
{
    int ends[2], r;
    uv_stdio_container_t files[3] = {{.flags = UV_IGNORE}};
    uv_process_options_t options = {
        .exit_cb = on_exit_of,
        .file = process->argv[0],
        .args = process->argv,
        .env = process->environment,
        .cwd = "/",
        .flags = UV_PROCESS_DETACHED, /* setsid(): a group of its own */
        .stdio_count = 3,
        .stdio = files,
    };

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    files[1] = files[2] = (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = ends[1]};
    r = uv_spawn(process->processes->uv, &process->handle, &options);
    close(ends[1]);
    if (r < 0) {
        close(ends[0]);
        return r;
    }
    r = uv_pipe_open(&process->pipe, ends[0]);
    if (r < 0)
        close(ends[0]);
    else
        r = uv_read_start((uv_stream_t *)&process->pipe, on_room, on_output);
    if (r < 0)
        kill(-process->handle.pid, SIGKILL);
    return r;
}

static void start(struct process *process)
{
    struct processes *processes = process->processes;

    process->started = true;
    process->started_ms = clock_boot_ms();
    uv_timer_init(processes->uv, &process->timer);
    uv_pipe_init(processes->uv, &process->pipe, 0);
    process->open_handles = 3;
    process->timer.data = process->pipe.data = process->handle.data = process;
    process->end.error = spawn(process);
    process->handle.data = process; /* uv_spawn() initialises the handle */
    uv_update_time(processes->uv);
    uv_timer_start(&process->timer, on_timer,
                   process->end.error < 0 ? 0 : (uint64_t)process->timeout_ms, 0);
}

static void start_waiting(struct processes *processes)
{
    for (struct process *process = processes->first;
         process && processes->running < PROCESSES_AT_ONCE; process = process->next) {
        if (process->started)
            continue;
        processes->waiting--;
        processes->running++;
        start(process);
    }
}

int process_run(struct processes *processes, const struct process_options *options,
                void (*done)(void *owner, const struct process_end *end), void *owner)
{
    struct process *process, **end = &processes->first;

    if (processes->waiting == PROCESSES_WAIT_MAX)
        return -ENOBUFS;
    process = calloc(1, sizeof(*process));
    if (!process)
        return -ENOMEM;
    process->processes = processes;
    process->timeout_ms = options->timeout_ms;
    process->done = done;
    process->owner = owner;
    process->argv = list_copy(options->argv);
    process->environment = list_copy(options->environment);
    if (!process->argv || !process->environment) {
        process_free(process);
        return -ENOMEM;
    }
    while (*end)
        end = &(*end)->next;
    *end = process;
    processes->waiting++;
    start_waiting(processes);
    return 0;
}

struct processes *processes_new(struct loop *loop)
{
    struct processes *processes = calloc(1, sizeof(*processes));

    if (processes)
        processes->uv = loop_uv(loop);
    return processes;
}

void processes_free(struct processes *processes)
{
    struct process *next;

    if (!processes)
        return;
    assert(!processes->telling);
    for (struct process *process = processes->first; process; process = next) {
        next = process->next;
        if (process->started && process->end.error == 0)
            kill(-process->handle.pid, SIGKILL);
        close_handles(process);
    }
    free(processes);
}
