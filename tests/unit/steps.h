/* How many steps a long random walk takes: sanitizers and emulators make each ten times as slow,
 * and look for something that shows in a twentieth of the way. That of threads makes it forty
 * times, and such a walk has one thread. */
#pragma once

#if defined(__SANITIZE_THREAD__)
#define SLOWED_DOWN     1
#define STEPS_OF(steps) ((steps) / 100)
#elif defined(__SANITIZE_ADDRESS__) || defined(THERMOGATE_EMULATED)
#define SLOWED_DOWN     1
#define STEPS_OF(steps) ((steps) / 20)
#else
#define SLOWED_DOWN     0
#define STEPS_OF(steps) (steps)
#endif
