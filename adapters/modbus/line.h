/* Line: one serial line as the Modbus master. Blocks; one worker thread.
 *
 * libmodbus opens and sets the line and sends; answers are read here, because what comes has to be
 * looked through for the one that belongs to the request (libmodbus takes the first frame of the
 * right length), and because the silence between frames is counted from the last byte:
 *
 *   | request |  turnaround  | answer | silence | next request |
 *
 * silence: 3.5 characters, above 19200 baud 1.75 ms (Modbus over Serial Line 1.02,
 * section 2.5.1.1). Slaves know the start of a frame by it; those that mean it ignore requests that
 * come earlier.
 *
 * On lines that echo, our own request comes first and is taken off. */
#pragma once

#include "adapters/modbus/options.h"
#include "adapters/modbus/pdu.h"
#include "gateway/base/error.h"

#include <stdint.h>

struct mb_line;

/* Opens nothing yet. NULL when memory is out. */
struct mb_line *mb_line_new(const char *path, const struct mb_bus_options *options);
void mb_line_free(struct mb_line *line); /* NULL is legal */

/* Opens, locks and sets the line. 0, or -Exxx with `reterr` for the person who can help: -ENOENT no
 * such file, -EACCES no permission, -EBUSY held by somebody else, -ENOTTY no serial line. */
int mb_line_open(struct mb_line *line, struct error *reterr);
void mb_line_close(struct mb_line *line);
bool mb_line_is_open(const struct mb_line *line);

/* Lets `ms` pass between the last answer and the next request. */
void mb_line_pause(struct mb_line *line, int64_t ms);

/* Asks and waits for the answer, at most `timeout_ms` for its beginning. QUALITY_GOOD with
 * *ret_data (until the next call), an exception, or QUALITY_TIMEOUT (nothing came), QUALITY_CRC
 * (damaged), QUALITY_PROTOCOL (only frames of others came), QUALITY_DISCONNECTED (the line is gone:
 * `reterr`; it has been closed). */
uint8_t mb_line_ask(struct mb_line *line, uint8_t unit, const struct mb_request *request,
                    int64_t timeout_ms, const uint8_t **ret_data, struct error *reterr);

/* What the answers so far say of the line, in words for a person and only once; NULL mostly.
 * Borrowed until the next call. */
const char *mb_line_diagnose(struct mb_line *line);

/* Frames for others that came since the last call. */
uint32_t mb_line_take_foreign(struct mb_line *line);

/* How long the last answer took, from the end of its request on. */
int64_t mb_line_answer_us(const struct mb_line *line);
