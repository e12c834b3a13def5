/* How many steps a long random walk takes: sanitizers make each ten times as slow, and look for
 * something that shows in a twentieth of the way. */
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STEPS_OF(steps) ((steps) / 20)
#else
#define STEPS_OF(steps) (steps)
#endif
