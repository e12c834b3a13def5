#include "gateway/base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* One log a process, as there is one standard error: the only state here that is not on an object.
 */
static struct {
    pthread_mutex_t lock;
    atomic_int level;
    void (*take)(void *owner, enum log_level level, const char *line);
    void *owner;
} logging = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_LEVEL_INFO};

static const struct {
    const char *name, *journal; /* journal: sd-daemon(3) priority prefix */
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error: ", "<3>"},
    [LOG_LEVEL_WARN] = {"warning: ", "<4>"},
    [LOG_LEVEL_INFO] = {"", "<6>"},
    [LOG_LEVEL_DEBUG] = {"debug: ", "<7>"},
};

void log_set_level(enum log_level level)
{
    atomic_store(&logging.level, (int)level);
}

void log_set_sink(void (*take)(void *owner, enum log_level level, const char *line), void *owner)
{
    pthread_mutex_lock(&logging.lock);
    logging.take = take;
    logging.owner = owner;
    pthread_mutex_unlock(&logging.lock);
}

/* One write for the whole line, so that lines of several threads and processes never mix. */
static void write_line(enum log_level level, const char *text)
{
    char line[1100];
    const char *prefix = getenv("JOURNAL_STREAM") ? levels[level].journal : levels[level].name;
    int length = snprintf(line, sizeof(line), "%s%s\n", prefix, text);

    if (length >= (int)sizeof(line))
        length = (int)sizeof(line) - 1;
    if (write(STDERR_FILENO, line, (size_t)length) < 0)
        return; /* nobody is left to be told */
}

void log_write(enum log_level level, const char *format, ...)
{
    char text[1024];
    va_list args;

    if ((int)level > atomic_load(&logging.level))
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    pthread_mutex_lock(&logging.lock);
    if (logging.take)
        logging.take(logging.owner, level, text);
    else
        write_line(level, text);
    pthread_mutex_unlock(&logging.lock);
}
