/* Log: one line on standard error for what a person may want to know. Any thread.
 *
 * Levels: error needs a person, warn was survived, info is life cycle, debug is free. Log changes,
 * not repetition. Outside text goes through text_quote() first. Under systemd (JOURNAL_STREAM is
 * set) each line carries sd-daemon(3)'s "<n>" prefix, on a terminal the level's name instead. */
#pragma once

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lines above `level` cost one comparison. Starts at LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);

/* Sends every line to `take` (NULL: back to standard error); for tests. */
void log_set_sink(void (*take)(void *owner, enum log_level level, const char *line), void *owner);

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)
