#include "config/config.h"
#include "gateway/app.h"
#include "gateway/base/problem.h"
#include "gateway/base/text.h"
#include "gateway/cli/command.h"
#include "gateway/cli/remote.h"
#include "gateway/cli/snapshot.h"
#include "gateway/store/store.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A backup is a tar that gzip has packed: config/ is the folder of the config file, state/ has the
 * databases of the store. It is put together and taken apart by tar(1) in a folder beside. */

static const char *const databases[] = {"state.db", "history.db"};
#define N_DATABASES (sizeof(databases) / sizeof(databases[0]))

static int complain(const char *path, const char *why)
{
    char safe[PATH_MAX];

    fprintf(stderr, "thermogate: %s: %s\n", text_escape(safe, sizeof(safe), path), why);
    return APP_FAILED;
}

/* -- what both need ------------------------------------------------------------------------- */

/* A path that does not fit would name another file: it is refused, and said so. */
static int make_path(char to[PATH_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int make_path(char to[PATH_MAX], const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(to, PATH_MAX, format, args);
    va_end(args);
    return length < PATH_MAX ? APP_OK : complain(to, strerror(ENAMETOOLONG));
}

static int config_folder(const char *config, char to[PATH_MAX])
{
    const char *slash = strrchr(config, '/');

    return make_path(to, "%.*s", slash ? (int)(slash - config) : 1, slash ? config : ".");
}

/* Where the store of this config is; one that cannot be read has it where services have it. */
static int store_folder(const char *config, char to[PATH_MAX])
{
    struct problems *problems = problems_new();
    struct conf *conf = NULL;
    int code;

    if (problems)
        (void)conf_read(config, app_settings, problems, &conf);
    code = make_path(to, "%s",
                     conf ? store_options(section_child(conf_root(conf), "store")).path
                          : "/var/lib/thermogate");
    conf_free(conf);
    problems_free(problems);
    return code;
}

static int run(const char *const argv[])
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return APP_OK;
    return complain(argv[0], child < 0 ? strerror(errno) : "it failed");
}

/* A folder for this process alone, gone again at the end. */
static int make_stage(const char *stage)
{
    char state[PATH_MAX];
    int code = make_path(state, "%s/state", stage);

    if (code != APP_OK)
        return code;
    if (mkdir(stage, 0700) < 0)
        return complain(stage, strerror(errno));
    if (mkdir(state, 0700) < 0)
        return complain(state, strerror(errno));
    return APP_OK;
}

static void remove_stage(const char *stage)
{
    (void)run((const char *const[]){"rm", "-rf", "--", stage, NULL});
}

/* -- backup --------------------------------------------------------------------------------- */

static int copy_databases(const char *from, const char *stage)
{
    char to[PATH_MAX];
    int code = make_path(to, "%s/state", stage);

    for (size_t i = 0; i < N_DATABASES && code == APP_OK; i++) {
        int r = snapshot_take(from, to, databases[i]);

        if (r < 0)
            code = complain(databases[i],
                            r == -EBUSY ? "it is written all the time; try again" : strerror(-r));
    }
    return code;
}

/* Members begin with config/ and state/, whatever the folders are called here. Without wildcards
 * the patterns are names that no file has. */
static int pack(const char *stage, const char *config, bool secrets, const char *to)
{
    const char *without = secrets ? "--no-wildcards" : "--wildcards";

    return run((const char *const[]){"tar", "--create", "--gzip", "--file", to, without,
                                     "--exclude=*.password", "--exclude=*.token", "--exclude=*.key",
                                     "--transform=s,^\\.,config,", "--directory", config, ".",
                                     "--directory", stage, "state", NULL});
}

struct cli_end cli_backup(const struct cli_options *options)
{
    const char *file = options->operands[0];
    char config[PATH_MAX], state[PATH_MAX], stage[PATH_MAX], whole[PATH_MAX];
    int code = make_path(stage, "%s.part", file);

    if (code == APP_OK)
        code = make_path(whole, "%s/whole", stage);
    if (code == APP_OK)
        code = config_folder(options->config, config);
    if (code == APP_OK)
        code = store_folder(options->config, state);
    umask(077); /* history is nobody's business, secrets even less */
    if (code == APP_OK)
        code = make_stage(stage);
    if (code != APP_OK)
        return (struct cli_end){.code = code};
    code = copy_databases(state, stage);
    if (code == APP_OK)
        code = pack(stage, config, options->secrets, whole);
    if (code == APP_OK && rename(whole, file) < 0)
        code = complain(file, strerror(errno));
    if (code == APP_OK)
        printf("config, state and history are in %s; secrets are %s\n", file,
               options->secrets ? "too: keep it safe" : "not (--secrets)");
    remove_stage(stage);
    return (struct cli_end){.code = code};
}

/* -- restore -------------------------------------------------------------------------------- */

/* Nothing else of the file gets out, and tar(1) itself refuses names that lead elsewhere. */
static int unpack(const char *file, const char *stage)
{
    return run((const char *const[]){"tar", "--extract", "--gzip", "--file", file, "--directory",
                                     stage, "config", "state", NULL});
}

/* One file of the backup, if it is in it; the one that is there goes aside. */
static int put_file(const char *stage, const char *state, const char *name)
{
    char from[PATH_MAX], to[PATH_MAX], aside[PATH_MAX];
    int code = make_path(from, "%s/state/%s", stage, name);

    if (code == APP_OK)
        code = make_path(to, "%s/%s", state, name);
    if (code == APP_OK)
        code = make_path(aside, "%s/before-restore.%s", state, name);
    if (code != APP_OK)
        return code;
    if (rename(to, aside) < 0 && errno != ENOENT)
        return complain(to, strerror(errno));
    return access(from, F_OK) < 0 ? APP_OK : run((const char *const[]){"cp", "-a", from, to, NULL});
}

/* With their logs, also those that are not in the backup: a log must not meet another's file. */
static int put_databases(const char *stage, const char *state)
{
    static const char *const names[] = {"state.db",   "state.db-wal",   "state.db-shm",
                                        "history.db", "history.db-wal", "history.db-shm"};
    int code = APP_OK;

    if (mkdir(state, 0750) < 0 && errno != EEXIST)
        return complain(state, strerror(errno));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && code == APP_OK; i++)
        code = put_file(stage, state, names[i]);
    return code;
}

static int put_config(const char *stage, const char *config)
{
    char from[PATH_MAX];
    int code = make_path(from, "%s/config/.", stage);

    return code == APP_OK ? run((const char *const[]){"cp", "-a", from, config, NULL}) : code;
}

/* The config of the backup has to be good here: it says where the rest belongs. */
static int restore(const char *stage, const struct cli_options *options)
{
    char config[PATH_MAX], state[PATH_MAX], path[PATH_MAX];
    const char *slash = strrchr(options->config, '/');
    int code = make_path(path, "%s/config/%s", stage, slash ? slash + 1 : options->config);

    if (code == APP_OK)
        code = app_check(path, stderr);
    if (code == APP_OK)
        code = store_folder(path, state);
    if (code == APP_OK)
        code = config_folder(options->config, config);
    if (code == APP_OK)
        code = put_databases(stage, state);
    if (code == APP_OK)
        code = put_config(stage, config);
    if (code == APP_OK)
        printf("config is in %s, state and history are in %s; what was there before is in "
               "before-restore.*\nnow start it: systemctl start thermogate\n",
               config, state);
    return code;
}

struct cli_end cli_restore(const struct cli_options *options)
{
    const char *file = options->operands[0];
    char stage[PATH_MAX];
    int code;

    if (remote_is_there(options))
        return (struct cli_end){
            .code = complain("a gateway runs here", "stop it first: systemctl stop thermogate")};
    code = make_path(stage, "%s.restored", file);
    if (code == APP_OK)
        code = make_stage(stage);
    if (code != APP_OK)
        return (struct cli_end){.code = code};
    code = unpack(file, stage);
    if (code == APP_OK)
        code = restore(stage, options);
    remove_stage(stage);
    return (struct cli_end){.code = code};
}
