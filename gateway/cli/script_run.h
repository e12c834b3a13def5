/* Script, run: one test of a script in virtual time. */
#pragma once

#include "gateway/cli/script.h"

/* Everything that is not as the test says goes to `problems`, in its place. 0: it is; -EINVAL: it
 * is not; -ENOMEM. Sets the time zone of the process. */
int script_run(const struct script *script, const struct script_test *test,
               struct problems *problems);
