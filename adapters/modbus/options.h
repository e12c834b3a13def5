/* Options of Modbus: the tables, their checks, and what they say as structs. Loop or reload thread.
 */
#pragma once

#include "adapters/adapter.h"
#include "adapters/modbus/decode.h"
#include "adapters/modbus/plan.h"

/* The first rows are for serial lines; other schemes use the table from behind them. */
#define MB_SERIAL_ROWS 4
extern const struct setting mb_bus_settings[];
extern const struct setting mb_device_settings[];
extern const struct setting mb_channel_settings[];

/* What a bus says; its devices may have a timeout of their own. */
struct mb_bus_options {
    int64_t timeout_ms;
    int64_t pause_requests_ms, pause_units_ms, pause_connect_ms;
    unsigned retries;
    int baud, stop_bits;
    bool echo;
    char parity; /* 'N', 'E', 'O' */
};
struct mb_bus_options mb_bus_options_read(const struct section *bus, bool serial);

/* "holding 100", "input 0", "coil 3", "discrete 7", "holding 100.3", "40101", "400101.3". */
struct mb_register {
    uint8_t function; /* enum mb_function */
    uint16_t address;
    int8_t bit; /* -1: none */
};
/* 0, or -EINVAL / -ERANGE with words for the person who wrote it. */
int mb_register_parse(const char *text, struct mb_register *ret, struct error *reterr);

/* A channel, ready to be planned and decoded. Owns its codes: mb_channel_clear(). */
struct mb_channel {
    struct mb_span span;
    struct mb_format format;
    struct mb_code *codes;
    bool writable;
};
/* Reads a channel of `device`; all that is wrong goes to `problems`, then the result is -EINVAL (or
 * -ENOMEM) and *ret is empty. */
int mb_channel_read(const struct section *device, const struct channel_config *config,
                    struct mb_channel *ret, struct problems *problems);
void mb_channel_clear(struct mb_channel *channel);

/* For the table of the adapter: check() of each scheme, and traits(). */
void mb_check_tcp(const struct bus_config *config, struct problems *problems);
void mb_check_rtu_tcp(const struct bus_config *config, struct problems *problems);
void mb_check_serial(const struct bus_config *config, struct problems *problems);
struct channel_traits mb_channel_traits(const struct section *channel);
