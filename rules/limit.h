/* Limit: the numbers of a condition that people may adjust, each instance its own. For the files of
 * this room. */
#pragma once

#include "gateway/base/error.h"
#include "rules/rule.h"

/* LIMIT_ALONE when the rule has no limit called `key`. */
uint8_t limit_find(const struct rule *rule, const char *key);

double limit_value(const struct catalog *catalog, const struct instance *instance, uint8_t limit);
void limit_set(struct catalog *catalog, struct instance *instance, uint8_t limit, double value);

/* Whether a person may set `value`: range, step and fixed keys. 0, or -EINVAL, -ERANGE with the
 * reason.
 */
int limit_check(const struct limit *limit, double value, struct error *reterr);

/* Whether `value` leaves room to the limit on the other side. 0, or -ERANGE with the reason. */
int limit_check_other(const struct catalog *catalog, const struct instance *instance, uint8_t limit,
                      double value, struct error *reterr);
