/* Learnt: what adapters have learnt of devices and would have to find out anew - for the next
 * reload as long as the gateway runs, and for the next start in the store. Loop thread only. */
#pragma once

struct learnt;
struct store;

/* NULL when memory is out. learnt_free(NULL) is legal. */
struct learnt *learnt_new(void);
void learnt_free(struct learnt *learnt);

/* Takes in what the store holds, and keeps there what comes from now on. To be called before
 * store_state_release(). */
void learnt_use_store(struct learnt *learnt, struct store *store);

/* Copies what is known of the device of that name, in place of what was. */
void learnt_put(struct learnt *learnt, const char *device, const char *words);

/* Borrowed until the next learnt_put(); NULL: nothing is known. */
const char *learnt_find(const struct learnt *learnt, const char *device);
