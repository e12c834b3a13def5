/* Section, the building side: how config/, templates and tables of devices make the tree that
 * setting.h checks and reads. One thread at a time.
 *
 * A section owns its values and everything inside; sources must outlive it. Keys keep the order in
 * which they were added. */
#pragma once

#include "gateway/base/setting.h"

struct value;

/* `name` is copied. NULL when memory is out; so are the results below. */
struct section *section_new(const char *name, struct place place);
void section_free(struct section *section);

/* What stands under `key` is not needed any more: its memory goes, and it reads as if nobody had
 * written it. */
void section_forget(struct section *section, const char *key);

/* A new member; the caller sets it with one of the value_*() calls. NULL also when the key is there
 * already: section_key_place() then tells where. */
struct value *section_add(struct section *section, const char *key, struct place key_place);

void value_bool(struct value *value, struct place place, bool is);
void value_int(struct value *value, struct place place, int64_t number);
void value_number(struct value *value, struct place place, double number);

/* `offsets` (may be NULL) has, for each byte of the text and its end, the offset in the source:
 * needed where a text has escapes or is joined of several strings. Copied. 0 or -ENOMEM. */
int value_text(struct value *value, struct place place, const char *text, const uint32_t *offsets);

/* Makes it a group and returns that, for section_add(). */
struct section *value_group(struct value *value, struct place place);

/* For what the program adds by itself, as if it stood at `place`: a text, unless there is something
 * of that key, 0 or -ENOMEM; the group of that key, made where there is nothing. NULL when memory
 * is out, or when it is something else: that is said by the check of `section`. */
int section_add_text(struct section *section, const char *key, const char *text,
                     struct place place);
struct section *section_make_group(struct section *section, const char *key, struct place place);

/* Makes it a list; elements are added with value_append() and set like any other. */
void value_list(struct value *value, struct place place);
struct value *value_append(struct value *list);

/* Joins `from` into `to`, group by group, as files of conf.d do: a scalar or list that both have is
 * an error that names both places. So is a named thing that both have, where `table` (may be NULL)
 * says SETTING_NAMED: two devices of one name are a slip, not one device. `from` is emptied. */
void section_join(struct section *to, struct section *from, const struct setting *table,
                  struct problems *problems);

/* Puts a copy of every member of `from` that `to` has not got into `to`, group by group: how a
 * device takes what its template says. 0 or -ENOMEM. */
int section_inherit(struct section *to, const struct section *from);

/* The same of one member; nothing when `from` has none of that name. */
int section_inherit_key(struct section *to, const struct section *from, const char *key);
