/* Judge: libconfig itself, which decides what is a config file and what is in it. */
#pragma once

#include "gateway/base/section.h"

/* Whether libconfig takes `source` and reads the same from it as stands in `root`; if not, the
 * difference is added to `problems`. For sources that parse_source() found whole: they have no
 * @include, which libconfig would follow, and no nesting that it could choke on. */
bool judge_agrees(const struct source *source, const struct section *root,
                  struct problems *problems);
