/* Help for the tests that read files: a folder of their own below /tmp, and what stands in it. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_PATH_MAX 512

struct files {
    char root[64];
};

/* assert() is not there in every build. */
static inline void files_must(bool is)
{
    if (is)
        return;
    perror("made files");
    abort();
}

static inline void files_init(struct files *files)
{
    strcpy(files->root, "/tmp/thermogate-files-XXXXXX");
    files_must(mkdtemp(files->root));
}

static inline int files_remove_one(const char *path, const struct stat *status, int type,
                                   struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

/* Removes what is below the root, or the root too when `path` is "". */
static inline void files_remove(const struct files *files, const char *path)
{
    char whole[FILES_PATH_MAX];

    snprintf(whole, sizeof(whole), "%s%s%s", files->root, *path ? "/" : "", path);
    files_must(nftw(whole, files_remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

/* The whole of a path; makes the folders that lead to it. */
static inline char *files_path(const struct files *files, const char *path,
                               char whole[FILES_PATH_MAX])
{
    snprintf(whole, FILES_PATH_MAX, "%s/%s", files->root, path);
    for (char *slash = whole + strlen(files->root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        files_must(mkdir(whole, 0777) == 0 || errno == EEXIST);
        *slash = '/';
    }
    return whole;
}

static inline void files_put_bytes(const struct files *files, const char *path, const void *bytes,
                                   size_t length)
{
    char whole[FILES_PATH_MAX], fresh[FILES_PATH_MAX + 8];
    FILE *file;

    files_path(files, path, whole);
    snprintf(fresh, sizeof(fresh), "%s.new", whole);
    file = fopen(fresh, "w");
    files_must(file && fwrite(bytes, 1, length, file) == length);
    files_must(fclose(file) == 0 && rename(fresh, whole) == 0);
}

static inline void files_put(const struct files *files, const char *path, const char *text)
{
    files_put_bytes(files, path, text, strlen(text));
}

static inline void files_put_folder(const struct files *files, const char *path)
{
    char whole[FILES_PATH_MAX];

    files_must(mkdir(files_path(files, path, whole), 0777) == 0 || errno == EEXIST);
}

static inline void files_put_link(const struct files *files, const char *path, const char *target)
{
    char whole[FILES_PATH_MAX];

    files_must(symlink(target, files_path(files, path, whole)) == 0);
}

static inline void files_put_fifo(const struct files *files, const char *path)
{
    char whole[FILES_PATH_MAX];

    files_must(mkfifo(files_path(files, path, whole), 0666) == 0);
}
