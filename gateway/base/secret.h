/* Secret: passwords and tokens, which stand in files of their own and never in the config or a log.
 * Any thread; reads a small file. */
#pragma once

#include "gateway/base/error.h"

#define SECRET_MAX 4096

/* The one line of a file, without its end. A name without a `/` is a credential of systemd
 * (LoadCredential=), looked for in $CREDENTIALS_DIRECTORY. 0, -ENOMEM, or -Exxx with `reterr`: no
 * such file, no right to read it, not one line of text. Release with secret_free(). */
int secret_read(const char *name, char **ret_secret, struct error *reterr);

/* Wipes it. NULL is legal. */
void secret_free(char *secret);

/* Puts "***" in place of every `secret` in `text`, for words that come from outside. A NULL or
 * empty secret is none. */
void secret_hide(char *text, const char *secret);
