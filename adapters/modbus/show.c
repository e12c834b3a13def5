#include "adapters/modbus/show.h"

#include "adapters/modbus/decode.h"
#include "gateway/base/text.h"

const char *const mb_show_orders[MB_SHOW_ORDERS] = {"ABCD", "CDAB", "BADC", "DCBA"};

static const struct row {
    struct mb_shown shown; /* first: a row is what is shown of it */
    enum mb_type type;
} rows[] = {
    {{"uint16", 1}, MB_UINT16},         {{"int16", 1}, MB_INT16},
    {{"uint8_high", 1}, MB_UINT8_HIGH}, {{"uint8_low", 1}, MB_UINT8_LOW},
    {{"int8_high", 1}, MB_INT8_HIGH},   {{"int8_low", 1}, MB_INT8_LOW},
    {{"float16", 1}, MB_FLOAT16},       {{"bcd16", 1}, MB_BCD16},
    {{"uint32", 2}, MB_UINT32},         {{"int32", 2}, MB_INT32},
    {{"float32", 2}, MB_FLOAT32},       {{"bcd32", 2}, MB_BCD32},
    {{"uint64", 4}, MB_UINT64},         {{"int64", 4}, MB_INT64},
    {{"float64", 4}, MB_FLOAT64},
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

const struct mb_shown *mb_show_at(size_t i)
{
    return i < N_ROWS ? &rows[i].shown : NULL;
}

/* One register has its bytes in two orders, half of one in one. */
int mb_show_differs(size_t i, size_t order)
{
    if (rows[i].shown.registers > 1)
        return 1;
    return order == MB_ABCD || (order == MB_BADC && mb_type_bits(rows[i].type) == 16);
}

const char *mb_show(size_t i, size_t order, const uint8_t *bytes, char to[MB_SHOW_SIZE])
{
    struct mb_format format = {
        .type = (uint8_t)rows[i].type, .order = (uint8_t)order, .scale = scale_make(1, 0)};
    struct sample sample = mb_decode(&format, bytes, 0, 0);

    if (sample.quality != QUALITY_GOOD)
        text_copy(to, MB_SHOW_SIZE, "-");
    else
        text_from_number(to, MB_SHOW_SIZE, sample.number, -1);
    return to;
}
