#include "adapters/modbus/options.h"

#include "adapters/modbus/write.h"
#include "gateway/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Writes are of doubles, which tell whole numbers apart up to here. */
#define CODE_MAX (INT64_C(1) << 53)

const struct setting mb_bus_settings[] = {
    /* MB_SERIAL_ROWS */
    {"baud", SETTING_INT, "9600", 1200, 921600, NULL, NULL,
     "Bits per second: 1200 2400 4800 9600 19200 38400 57600 115200 230400 460800 921600."},
    {"parity", SETTING_CHOICE, "none", 0, 0, "none even odd", NULL, "Parity of each character."},
    {"stop_bits", SETTING_INT, "1", 1, 2, NULL, NULL, "Stop bits of each character."},
    {"echo", SETTING_BOOL, "false", 0, 0, NULL, NULL,
     "Whether the line gives back what is sent, as some two-wire adapters do; found out with the "
     "first "
     "read otherwise."},
    {"rs485", SETTING_CHOICE, "none", 0, 0, "none kernel kernel_low rts rts_low", NULL,
     "Who switches the line to sending: nobody (most USB adapters do it themselves), the kernel, "
     "or "
     "we with RTS; _low where RTS is low while sending."},
    {"rs485_before", SETTING_DURATION, "0s", 0, 100, NULL, NULL,
     "Rest between switching to sending and the first bit."},
    {"rs485_after", SETTING_DURATION, "0s", 0, 100, NULL, NULL,
     "Rest between the last bit and switching back."},
    /* and for all */
    {"timeout", SETTING_DURATION, "1s", 10, 60000, NULL, NULL,
     "How long a device may take to begin its answer."},
    {"retries", SETTING_INT, "1", 0, 10, NULL, NULL,
     "How often a request is asked again before the poll counts as failed."},
    {"parallel", SETTING_INT, "1", 1, MB_PARALLEL_MAX, NULL, NULL,
     "Requests of different devices that a Modbus TCP connection may carry at once; most "
     "converters "
     "want one."},
    {"pause_between_requests", SETTING_DURATION, "0s", 0, 10000, NULL, NULL,
     "Rest between an answer and the next request."},
    {"pause_between_units", SETTING_DURATION, "0s", 0, 10000, NULL, NULL,
     "Rest before a request to another unit than the last; some converters want 10ms."},
    {"pause_after_connect", SETTING_DURATION, "0s", 0, 60000, NULL, NULL,
     "Rest after the connection or line was opened, before the first request."},
    {"share", SETTING_TEXT, NULL, 0, 0, NULL, NULL,
     "Where other masters may use this line or connection over Modbus TCP, behind our polls: "
     "tcp://127.0.0.1:1502."},
    {"share_fresh", SETTING_DURATION, "1s", 0, 3600e3, NULL, NULL,
     "How old a value that we have read may be for them; beyond that the device is asked."},
    {"share_write", SETTING_BOOL, "false", 0, 0, NULL, NULL,
     "Whether they may also write, with functions 5, 6, 15 and 16, four registers at once."},
    {0},
};

const struct setting mb_device_settings[] = {
    {"unit", SETTING_INT, "1", 0, 255, NULL, NULL, "Its unit id (slave address)."},
    {"order", SETTING_CHOICE, "ABCD", 0, 0, "ABCD CDAB BADC DCBA", NULL,
     "In which order the bytes of wide values come; CDAB has the registers swapped."},
    {"timeout", SETTING_DURATION, NULL, 10, 60000, NULL, NULL,
     "How long it may take to begin its answer; else as its bus says."},
    {"max_registers", SETTING_INT, "125", 1, MB_REGISTERS_MAX, NULL, NULL,
     "Registers that it gives in one answer."},
    {"max_gap", SETTING_INT, "0", 0, MB_REGISTERS_MAX - 1, NULL, NULL,
     "Registers without a channel that are read along where that saves a request."},
    {"write_with", SETTING_CHOICE, "single", 0, 0, "single multiple read_write", NULL,
     "With which functions it is written: single 5 and 6 (16 for wide values), multiple 15 and 16, "
     "read_write 23 (and 5)."},
    {"on_connect", SETTING_TEXTS, NULL, 0, 0, NULL, NULL,
     "Registers that are written before it is read, at first and whenever it was away: "
     "[ \"holding 100 = 5\", \"coil 3 = 1\" ]."},
    {"mask_write", SETTING_BOOL, "false", 0, 0, NULL, NULL,
     "Whether it knows function 22 (mask write register), with which parts of a register are "
     "written."},
    {0},
};

const struct setting mb_channel_settings[] = {
    {"register", SETTING_TEXT | SETTING_REQUIRED, NULL, 0, 0, NULL, NULL,
     "Kind and 0-based address: \"holding 100\", \"input 0\", \"coil 3\", \"discrete 7\", a bit "
     "\"holding 100.3\"; or as manuals count, \"40101\"."},
    {"type", SETTING_CHOICE, NULL, 0, 0, MB_TYPE_WORDS " event", NULL,
     "What the registers hold; else uint16, and bit for coils, discrete inputs and single bits. "
     "With event each change to a code of `enum` is an event."},
    {"order", SETTING_CHOICE, NULL, 0, 0, "ABCD CDAB BADC DCBA", NULL,
     "Order of its bytes; else as its device says."},
    {"scale", SETTING_NUMBER, "1", 0, 0, NULL, NULL, "The value is raw * scale + offset."},
    {"offset", SETTING_NUMBER, "0", 0, 0, NULL, NULL, "Added after `scale`."},
    {"scale_register", SETTING_TEXT, NULL, 0, 0, NULL, NULL,
     "A register whose number, from -10 to 10, is a power of ten that `scale` is multiplied with, "
     "as SunSpec has it: \"holding 40084\"."},
    {"length", SETTING_INT, NULL, 1, MB_STRING_MAX, NULL, NULL, "Characters of a string."},
    {"enum", SETTING_TEXTS, NULL, 0, 0, NULL, NULL,
     "Texts for codes: [ \"0: off\", \"1: heating\" ]; another code is no value, and no event. "
     "With `writable` they are what may be written."},
    {"invalid", SETTING_NUMBERS | SETTING_NUMBER | SETTING_INT, NULL, 0, 0, NULL, NULL,
     "Raw values that mean that there is no sensor: 0x8000, or [ 0x7fff, 0xffff ]."},
    {0},
};

/* -- bus ------------------------------------------------------------------------------------ */

struct mb_bus_options mb_bus_options_read(const struct section *bus, bool serial)
{
    struct mb_bus_options options = {
        .timeout_ms = section_duration_ms(bus, "timeout"),
        .retries = (unsigned)section_int(bus, "retries"),
        .parallel = (unsigned)section_int(bus, "parallel"),
        .pause_requests_ms = section_duration_ms(bus, "pause_between_requests"),
        .pause_units_ms = section_duration_ms(bus, "pause_between_units"),
        .pause_connect_ms = section_duration_ms(bus, "pause_after_connect"),
        .shared = section_text(bus, "share") != NULL,
    };
    int parity;

    if (!serial)
        return options;
    parity = section_choice(bus, "parity");
    options.baud = (int)section_int(bus, "baud");
    options.stop_bits = (int)section_int(bus, "stop_bits");
    options.echo = section_bool(bus, "echo");
    options.parity = "NEO"[parity > 0 ? parity : 0];
    options.rs485 = (struct mb_rs485){
        .mode = (uint8_t)section_choice(bus, "rs485"),
        .before_ms = section_duration_ms(bus, "rs485_before"),
        .after_ms = section_duration_ms(bus, "rs485_after"),
    };
    return options;
}

/* -- channels ------------------------------------------------------------------------------- */

enum class { CLASS_BIT = 1, CLASS_BYTE = 2, CLASS_WHOLE = 4, CLASS_FLOAT = 8, CLASS_STRING = 16 };

/* Which option says something about which types. */
static const struct fit {
    const char *key;
    unsigned classes;
    const char *hint;
} fits[] = {
    {"scale", CLASS_BYTE | CLASS_WHOLE | CLASS_FLOAT, "leave it out: only numbers are scaled"},
    {"offset", CLASS_BYTE | CLASS_WHOLE | CLASS_FLOAT, "leave it out: only numbers are scaled"},
    {"order", CLASS_WHOLE | CLASS_FLOAT | CLASS_STRING, "leave it out: there is nothing to swap"},
    {"scale_register", CLASS_WHOLE | CLASS_FLOAT, "leave it out: only numbers are scaled"},
    {"invalid", CLASS_BYTE | CLASS_WHOLE | CLASS_FLOAT, "leave it out: only numbers have such"},
    {"length", CLASS_STRING, "leave it out: only strings have a length"},
    {"enum", CLASS_BIT | CLASS_BYTE | CLASS_WHOLE, "codes are whole numbers: choose such a type"},
};

static unsigned class_of(enum mb_type type)
{
    if (type == MB_BIT)
        return CLASS_BIT;
    if (type == MB_STRING)
        return CLASS_STRING;
    if (mb_type_is_float(type))
        return CLASS_FLOAT;
    return mb_type_bits(type) == 8 ? CLASS_BYTE : CLASS_WHOLE;
}

static bool is_bits(const struct mb_register *reg)
{
    return reg->function == MB_READ_COILS || reg->function == MB_READ_DISCRETES;
}

/* "event" stands behind the types of MB_TYPE_WORDS: it does not say what the register holds. */
static bool is_event(const struct section *options)
{
    return section_choice(options, "type") > MB_STRING;
}

/* The type that is written, or that goes without saying. */
static enum mb_type type_of(const struct section *options, const struct mb_register *reg)
{
    int written = section_choice(options, "type");

    if (written >= 0 && !is_event(options))
        return (enum mb_type)written;
    return is_bits(reg) || reg->bit >= 0 ? MB_BIT : MB_UINT16;
}

static bool check_type(const struct section *options, const struct mb_register *reg,
                       enum mb_type type, struct problems *problems)
{
    struct place place = section_place(options, "type");

    if (is_bits(reg) && type != MB_BIT)
        problem_error(problems, place, "leave `type` out, or name a holding or input register",
                      "a coil or discrete input is a bit, not %s", section_text(options, "type"));
    else if (reg->bit >= 0 && type != MB_BIT)
        problem_error(problems, place, "leave `type` out, or the bit behind the dot",
                      "one bit of a register is a bit, not %s", section_text(options, "type"));
    else if (!is_bits(reg) && reg->bit < 0 && type == MB_BIT)
        problem_error(problems, place, "say which: register = \"holding 100.3\" is bit 3",
                      "a register has 16 bits");
    else
        return true;
    return false;
}

static bool check_fits(const struct section *options, enum mb_type type, struct problems *problems)
{
    bool all = true;

    for (size_t i = 0; i < sizeof(fits) / sizeof(*fits); i++) {
        if (!section_has(options, fits[i].key) || (fits[i].classes & class_of(type)))
            continue;
        problem_error(problems, section_key_place(options, fits[i].key), fits[i].hint,
                      "`%s` does not fit the type of this channel", fits[i].key);
        all = false;
    }
    if (section_has(options, "enum") &&
        (section_has(options, "scale") || section_has(options, "offset") ||
         section_has(options, "scale_register"))) {
        problem_error(problems, section_key_place(options, "enum"), "leave out one of them",
                      "a channel has either texts for codes or a scale");
        all = false;
    }
    if (is_event(options) && !section_has(options, "enum")) {
        problem_error(problems, section_place(options, "type"),
                      "enum = [ \"1: pressed\" ]; a code that it does not name is no event",
                      "events need texts for the codes of the register");
        all = false;
    }
    if (type == MB_STRING && !section_has(options, "length")) {
        problem_error(problems, section_place(options, "type"), "length = 16",
                      "a string needs its length in characters");
        all = false;
    }
    return all;
}

/* "1: heating" */
static bool read_code(const char *text, struct mb_code *ret)
{
    const char *colon = text ? strchr(text, ':') : NULL;
    const char *start = colon ? colon + 1 + strspn(colon + 1, " ") : NULL;
    char number[24];
    size_t length = colon ? (size_t)(colon - text) : 0;

    while (length > 0 && text[length - 1] == ' ')
        length--;
    if (!colon || *start == '\0' || length >= sizeof(number))
        return false;
    memcpy(number, text, length);
    number[length] = '\0';
    return text_to_int(number, &ret->code) == 0 && text_copy(ret->text, sizeof(ret->text), start);
}

/* Puts a code into its place; false when it is there already. */
static bool insert_code(struct mb_code *codes, size_t n, const struct mb_code *code)
{
    size_t at = n;

    while (at > 0 && codes[at - 1].code > code->code)
        at--;
    if (at > 0 && codes[at - 1].code == code->code)
        return false;
    memmove(codes + at + 1, codes + at, (n - at) * sizeof(*codes));
    codes[at] = *code;
    return true;
}

static int read_codes(const struct section *options, struct mb_channel *channel,
                      struct problems *problems)
{
    size_t count = section_count(options, "enum");
    struct mb_code *codes;
    int result = 0;

    if (!section_has(options, "enum"))
        return 0;
    codes = calloc(count + 1, sizeof(*codes));
    if (!codes)
        return -ENOMEM;
    channel->format.codes = codes;
    for (size_t i = 0; i < count; i++) {
        struct mb_code code;

        if (!read_code(section_text_at(options, "enum", i), &code)) {
            problem_error(problems, section_place_at(options, "enum", i),
                          "write a code, a colon and at most 63 bytes of text: \"1: heating\"",
                          "this is no text for a code");
            result = -EINVAL;
        } else if (!insert_code(codes, channel->format.n_codes, &code)) {
            problem_error(problems, section_place_at(options, "enum", i), "leave out one of them",
                          "code %lld has two texts", (long long)code.code);
            result = -EINVAL;
        } else {
            channel->format.n_codes++;
        }
    }
    return result;
}

/* The bits of a raw value as a person wrote it: 0x8000 and -32768 are the same. Lists are doubles,
 * so what is beyond 2^53 comes rounded: the ends of 64 bits are put right here. */
static bool invalid_bits(double number, enum mb_type type, uint64_t *ret)
{
    unsigned bits = mb_type_bits(type);
    double top = bits == 64 ? 18446744073709551616.0 : (double)(UINT64_C(1) << bits);

    if (number != number || number < -top / 2 || number > top || (bits < 64 && number >= top))
        return false;
    if (number >= 9223372036854775808.0)
        *ret = number >= top ? UINT64_MAX : mb_type_is_signed(type) ? INT64_MAX : (uint64_t)number;
    else
        *ret = (uint64_t)(int64_t)number;
    if (bits < 64)
        *ret &= (UINT64_C(1) << bits) - 1;
    return bits == 64 || (double)(int64_t)number == number;
}

static bool read_invalid_at(const struct section *options, size_t i, enum mb_type type,
                            union mb_invalid *ret)
{
    double number = section_number_at(options, "invalid", i);

    if (mb_type_is_float(type))
        ret->number = number;
    else if (mb_type_bits(type) == 64 && section_form(options, "invalid") == SETTING_INT)
        ret->bits = (uint64_t)section_int(options, "invalid");
    else
        return invalid_bits(number, type, &ret->bits);
    return true;
}

static int read_invalid(const struct section *options, struct mb_channel *channel,
                        struct problems *problems)
{
    size_t count = section_has(options, "invalid") ? section_count(options, "invalid") : 0;
    union mb_invalid *invalid;

    if (count > MB_INVALID_MAX) {
        problem_error(problems, section_place(options, "invalid"), NULL,
                      "at most %d values can mean that there is no sensor", MB_INVALID_MAX);
        return -EINVAL;
    }
    invalid = count > 0 ? calloc(count, sizeof(*invalid)) : NULL;
    if (count > 0 && !invalid)
        return -ENOMEM;
    channel->format.invalid = invalid;
    for (size_t i = 0; i < count; i++) {
        if (!read_invalid_at(options, i, channel->format.type, &invalid[i])) {
            problem_error(problems, section_place_at(options, "invalid", i),
                          "it is compared with the raw value, before `scale`",
                          "no register of this type can hold this value");
            return -EINVAL;
        }
    }
    channel->format.n_invalid = (uint8_t)count;
    return 0;
}

/* Why a channel that is marked `writable` cannot be written; NULL when it can. */
static const char *why_not_writable(const struct section *device, const struct section *options,
                                    const struct mb_register *reg, enum mb_type type,
                                    const char **ret_hint)
{
    *ret_hint = "leave `writable` out";
    if (type == MB_STRING)
        return "strings are not written";
    if (section_has(options, "scale_register"))
        return "a value whose scale is in a register is not written";
    *ret_hint = "name a holding register or a coil, or leave `writable` out";
    if (reg->function == MB_READ_INPUTS)
        return "an input register can only be read";
    if (reg->function == MB_READ_DISCRETES)
        return "a discrete input can only be read";
    *ret_hint = "set mask_write = true for the device if its manual lists function 22; reading the "
                "register and writing it back could undo what the device changed meanwhile";
    if (reg->function == MB_READ_HOLDINGS && mb_type_bits(type) < 16 &&
        !section_bool(device, "mask_write"))
        return "a part of a register is written only by devices that know function 22";
    return NULL;
}

static int check_writable(const struct section *device, const struct section *options,
                          const struct mb_register *reg, enum mb_type type,
                          struct problems *problems)
{
    const char *hint, *why = why_not_writable(device, options, reg, type, &hint);

    if (!section_bool(options, "writable") || !why)
        return 0;
    problem_error(problems, section_place(options, "writable"), hint, "%s", why);
    return -EINVAL;
}

/* Why a code cannot be written; NULL when it can. */
static const char *why_no_option(const struct mb_channel *channel, const struct mb_code *code)
{
    struct mb_request request;

    if (code->code > CODE_MAX || code->code < -CODE_MAX ||
        mb_write_build(channel, (double)code->code, &request) != QUALITY_GOOD)
        return "its type cannot hold it";
    for (const struct mb_code *before = channel->format.codes; before < code; before++) {
        if (strcmp(before->text, code->text) == 0)
            return "another has the same text";
    }
    return NULL;
}

/* What is only read may have codes that never come, and one text for several. */
static int check_options(const struct section *options, const struct mb_channel *channel,
                         struct problems *problems)
{
    int result = 0;

    for (size_t i = 0; channel->writable && i < channel->format.n_codes; i++) {
        const char *why = why_no_option(channel, &channel->format.codes[i]);

        if (!why)
            continue;
        problem_error(problems, section_place(options, "enum"),
                      "change the code, or leave `writable` out", "code %lld is not written: %s",
                      (long long)channel->format.codes[i].code, why);
        result = -EINVAL;
    }
    return result;
}

static int read_scale(const struct section *options, struct mb_format *format,
                      struct problems *problems)
{
    double scale = section_number(options, "scale");

    if (scale == 0.0) {
        problem_error(problems, section_place(options, "scale"), "scale = 0.1 makes 217 to 21.7",
                      "a scale of 0 leaves nothing of the value");
        return -EINVAL;
    }
    format->scale = scale_make(scale, section_number(options, "offset"));
    return 0;
}

/* Widens the span to the register with the exponent. */
static int read_exponent(const struct section *options, struct mb_channel *channel,
                         struct problems *problems)
{
    const char *text = section_text(options, "scale_register");
    struct mb_span *span = &channel->span;
    unsigned first, end = span->address + (unsigned)span->count;
    struct mb_register reg;
    struct error err = {.text = "it is a register of the same kind, close to the value"};

    if (!text)
        return 0;
    if (mb_register_parse(text, &reg, &err) < 0 || reg.function != span->function || reg.bit >= 0 ||
        abs(reg.address - span->address) >= MB_REGISTERS_MAX) {
        problem_error(problems, section_place(options, "scale_register"),
                      "write scale_register = \"holding 40084\"", "%s", err.text);
        return -EINVAL;
    }
    first = reg.address < span->address ? reg.address : span->address;
    channel->format.has_exponent = true;
    channel->format.value_at = (uint8_t)(span->address - first);
    channel->format.exponent_at = (uint8_t)(reg.address - first);
    if (reg.address + 1u > end)
        end = reg.address + 1u;
    span->address = (uint16_t)first;
    span->count = (uint16_t)(end - first);
    return 0;
}

static int check_span(const struct section *device, const struct section *options,
                      const struct mb_span *span, struct problems *problems)
{
    int64_t most = section_int(device, "max_registers");
    bool bits = mb_reads_bits(span->function);

    if (span->address + (unsigned)span->count > 65536u) {
        problem_error(problems, section_place(options, "register"), NULL,
                      "its %u registers end behind the last one, 65535", span->count);
        return -EINVAL;
    }
    if (!bits && span->count > most) {
        problem_error(problems, section_place(options, "register"),
                      "make it shorter, or raise max_registers of the device",
                      "it needs %u registers, its device gives %lld in one answer", span->count,
                      (long long)most);
        return -EINVAL;
    }
    return 0;
}

static int fill_channel(const struct section *device, const struct section *options,
                        const struct mb_register *reg, struct mb_channel *channel,
                        struct problems *problems)
{
    enum mb_type type = type_of(options, reg);
    int order = section_choice(section_has(options, "order") ? options : device, "order");
    int lists, rest = 0;

    if (!check_type(options, reg, type, problems) || !check_fits(options, type, problems))
        return -EINVAL;
    channel->format = (struct mb_format){
        .type = (uint8_t)type,
        .order = (uint8_t)(order > 0 ? order : 0),
        .bit = (uint8_t)(reg->bit > 0 ? reg->bit : 0),
        .length = (uint16_t)section_int(options, "length"),
    };
    channel->span = (struct mb_span){.function = reg->function,
                                     .address = reg->address,
                                     .count = (uint16_t)mb_format_registers(&channel->format)};
    channel->writable = section_bool(options, "writable");
    channel->write_with = (uint8_t)section_choice(device, "write_with");
    lists = read_codes(options, channel, problems);
    if (lists == 0 && is_event(options) && !(channel->edge = calloc(1, sizeof(*channel->edge))))
        lists = -ENOMEM;
    if (lists == 0)
        lists = read_invalid(options, channel, problems);
    rest |= check_writable(device, options, reg, type, problems);
    rest |= read_scale(options, &channel->format, problems);
    rest |= read_exponent(options, channel, problems);
    rest |= check_span(device, options, &channel->span, problems);
    if (lists == 0 && rest == 0)
        rest |= check_options(options, channel, problems);
    return lists < 0 ? lists : rest < 0 ? -EINVAL : 0;
}

int mb_channel_read(const struct section *device, const struct channel_config *config,
                    struct mb_channel *ret, struct problems *problems)
{
    const char *text = section_text(config->options, "register");
    struct mb_register reg;
    struct error err;
    int code;

    *ret = (struct mb_channel){0};
    if (!text)
        return -EINVAL; /* missing: section_check() has said so */
    code = mb_register_parse(text, &reg, &err);
    if (code < 0) {
        problem_error(problems, section_place(config->options, "register"),
                      "write \"holding 100\", \"input 0\", \"coil 3\", \"discrete 7\", a bit as "
                      "\"holding 100.3\"; addresses count from 0",
                      "%s", err.text);
        return -EINVAL;
    }
    code = fill_channel(device, config->options, &reg, ret, problems);
    if (code < 0)
        mb_channel_clear(ret);
    return code;
}

void mb_channel_clear(struct mb_channel *channel)
{
    free((void *)(uintptr_t)channel->format.codes);
    free((void *)(uintptr_t)channel->format.invalid);
    free(channel->edge);
    *channel = (struct mb_channel){0};
}

/* -- what a channel is, for those who show it ----------------------------------------------- */

struct channel_traits mb_channel_traits(const struct section *channel)
{
    struct channel_traits traits = {CHANNEL_NUMBER, -1};
    const char *text = section_text(channel, "register");
    struct mb_register reg;
    enum mb_type type;

    if (!text || mb_register_parse(text, &reg, NULL) < 0)
        return traits;
    type = type_of(channel, &reg);
    if (is_event(channel))
        traits.kind = CHANNEL_EVENT;
    else if (type == MB_STRING || section_has(channel, "enum"))
        traits.kind = CHANNEL_TEXT;
    else if (type == MB_BIT)
        traits = (struct channel_traits){CHANNEL_BINARY, 0};
    if (traits.kind != CHANNEL_NUMBER || mb_type_is_float(type) ||
        section_has(channel, "scale_register"))
        return traits;
    traits.decimals =
        scale_decimals(section_number(channel, "scale"), section_number(channel, "offset"));
    return traits;
}

bool mb_channel_option(const struct section *channel, size_t i, struct channel_option *ret)
{
    struct mb_code code;

    if (i >= section_count(channel, "enum") ||
        !read_code(section_text_at(channel, "enum", i), &code))
        return false;
    ret->number = (double)code.code;
    text_copy(ret->text, sizeof(ret->text), code.text);
    return true;
}
