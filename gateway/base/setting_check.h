/* What setting.c (values), setting_check.c (checks), setting_hint.c (words) and section.c share;
 * theirs only. */
#pragma once

#include "gateway/base/section_tree.h"

#define SETTING_NUMERIC (SETTING_INT | SETTING_NUMBER)

/* The setting of `table` (may be NULL) called `key`; NULL when there is none. */
const struct setting *setting_find(const struct setting *table, const char *key);

/* The setting called `key`; the first table that knows it wins. NULL when none does. */
const struct setting *tables_find(const struct setting *const *tables, size_t count,
                                  const char *key);

/* An int or a number as a double; NAN for anything else. */
double value_as_number(const struct value *value);

/* Which of the words of `choices` (may be NULL) `text` is; -1: none. */
int choice_index(const char *choices, const char *text);

/* `"none", "ack" or "all"` */
void choices_list(char *to, size_t size, const char *choices);

/* What to do about an unknown key, a word that is no choice, a value of the wrong form; the last is
 * "" when there is nothing to say beyond what is expected. */
void hint_for_key(char *hint, size_t size, const char *key, const struct setting *const *tables,
                  size_t count);
void hint_for_choice(char *hint, size_t size, const char *text, const char *choices);
void hint_for_form(char *hint, size_t size, const struct setting *setting,
                   const struct value *value);

/* "a text", "a list": what stands there, in the words of setting_expected(). */
const char *describe_found(const struct value *value);
