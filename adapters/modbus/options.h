/* Options of Modbus: the tables, their checks, and what they say as structs. Loop or reload thread.
 */
#pragma once

#include "adapters/adapter.h"
#include "adapters/edge.h"
#include "adapters/modbus/decode.h"
#include "adapters/modbus/plan.h"
#include "adapters/modbus/register.h"
#include "adapters/modbus/rs485.h"

/* The first rows are for serial lines; other schemes use the table from behind them. */
#define MB_SERIAL_ROWS 7
extern const struct setting mb_bus_settings[];
extern const struct setting mb_device_settings[];
extern const struct setting mb_channel_settings[];

#define MB_PARALLEL_MAX 16

/* What a bus says; its devices may have a timeout of their own. */
struct mb_bus_options {
    int64_t timeout_ms;
    int64_t pause_requests_ms, pause_units_ms, pause_connect_ms;
    unsigned retries;
    unsigned parallel; /* requests in flight on one connection */
    int baud, stop_bits;
    bool echo;
    bool shared; /* other masters use it through us */
    char parity; /* 'N', 'E', 'O' */
    struct mb_rs485 rs485;
};
struct mb_bus_options mb_bus_options_read(const struct section *bus, bool serial);

enum mb_write_with { MB_WRITE_SINGLE, MB_WRITE_MULTIPLE, MB_WRITE_READ };

/* A channel, ready to be planned and decoded. Owns what its format has: mb_channel_clear(). */
struct mb_channel {
    struct mb_span span;
    struct mb_format format;
    struct edge *edge; /* of a channel of events; else NULL */
    bool writable;
    uint8_t write_with; /* enum mb_write_with */
};
/* Reads a channel of `device`; all that is wrong goes to `problems`, then the result is -EINVAL (or
 * -ENOMEM) and *ret is empty. */
int mb_channel_read(const struct section *device, const struct channel_config *config,
                    struct mb_channel *ret, struct problems *problems);
void mb_channel_clear(struct mb_channel *channel);

/* For the table of the adapter: check() of each scheme, traits() and option(). */
void mb_check_tcp(const struct bus_config *config, struct problems *problems);
void mb_check_rtu_tcp(const struct bus_config *config, struct problems *problems);
void mb_check_serial(const struct bus_config *config, struct problems *problems);
bool mb_forecast_serial(const struct bus_config *config, struct adapter_forecast *ret);
struct channel_traits mb_channel_traits(const struct section *channel);
bool mb_channel_option(const struct section *channel, size_t i, struct channel_option *ret);
