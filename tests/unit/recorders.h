/* Real servers for tests of what is sent: those of tests/tools, on a free port each, with a folder
 * for what they write down and for a certificate of "localhost" made for the occasion. */
#pragma once

#include "tests/unit/free_port.h"
#include "tests/unit/made_files.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

struct recorder {
    struct files files;
    char record[FILES_PATH_MAX], cert[FILES_PATH_MAX], key[FILES_PATH_MAX];
    pid_t pid;
    int port;
};

/* No proxy of the environment may come between. */
static inline void recorders_environment(void)
{
    setenv("no_proxy", "*", 1);
    unsetenv("CREDENTIALS_DIRECTORY");
}

static inline void recorder_make_certificate(struct recorder *recorder)
{
    char command[4 * FILES_PATH_MAX];

    snprintf(command, sizeof(command),
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
             "-keyout %s -out %s -subj /CN=localhost -addext subjectAltName=DNS:localhost "
             ">/dev/null 2>&1",
             recorder->key, recorder->cert);
    files_must(system(command) == 0);
}

/* `tool` of tests/tools; `mode` is "" or its second argument; `tls`: with a certificate. */
static inline void recorder_start(struct recorder *recorder, const char *tool, const char *mode,
                                  bool tls)
{
    char path[FILES_PATH_MAX], line[20] = "";
    const char *argv[7] = {PYTHON, path, recorder->record};
    int ends[2], n = 3;
    FILE *port;

    files_init(&recorder->files);
    files_path(&recorder->files, "record", recorder->record);
    files_path(&recorder->files, "cert.pem", recorder->cert);
    files_path(&recorder->files, "key.pem", recorder->key);
    files_put(&recorder->files, "record", "");
    if (tls)
        recorder_make_certificate(recorder);
    snprintf(path, sizeof(path), "%s/%s", TOOLS_FOLDER, tool);
    if (*mode)
        argv[n++] = mode;
    if (tls) {
        argv[n++] = recorder->cert;
        argv[n++] = recorder->key;
    }
    files_must(pipe2(ends, O_CLOEXEC) == 0);
    recorder->pid = fork();
    if (recorder->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], STDOUT_FILENO);
        execv(PYTHON, (char **)argv);
        _exit(127);
    }
    close(ends[1]);
    port = fdopen(ends[0], "r");
    files_must(port && fgets(line, sizeof(line), port) && strchr(line, '\n'));
    fclose(port);
    recorder->port = atoi(line);
    files_must(recorder->port > 0);
}

static inline void recorder_stop(struct recorder *recorder)
{
    kill(recorder->pid, SIGKILL);
    waitpid(recorder->pid, NULL, 0);
    files_remove(&recorder->files, "");
}

/* All lines so far; free() it. */
static inline char *recorder_read(const struct recorder *recorder)
{
    FILE *file = fopen(recorder->record, "r");
    char *text = calloc(1, 1 << 20);

    files_must(file && text);
    files_must(fread(text, 1, (1 << 20) - 1, file) < (1 << 20) - 1);
    fclose(file);
    return text;
}

static inline size_t recorder_count(const struct recorder *recorder)
{
    char *text = recorder_read(recorder);
    size_t count = 0;

    for (const char *at = text; (at = strchr(at, '\n')); at++)
        count++;
    free(text);
    return count;
}

static inline bool recorder_has(const struct recorder *recorder, const char *words)
{
    char *text = recorder_read(recorder);
    bool has = strstr(text, words) != NULL;

    free(text);
    return has;
}
