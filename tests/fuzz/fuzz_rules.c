/* Any bytes as an expression. Beyond not crashing: what is refused says so in words, at a place in
 * the text; what is taken runs over random readings to something of the type it was taken for. */
#include "gateway/base/clock.h"
#include "rules/evaluate.h"
#include "rules/parser.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_SENSORS = 4, DOOR = 3 };

static const char *const ids[N_SENSORS] = {"room.temp", "room.humidity", "room.online",
                                           "door.event"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct site {
    struct names *names, *rules;
    struct text_table *texts;
    struct windows *windows;
    struct fact facts[N_SENSORS];
    struct rules_sensor sensors[N_SENSORS];
    struct arena arena;
};

static bool rule_is(const void *owner, uint32_t number, enum rule_what what)
{
    (void)owner;
    return number + what == 1;
}

static void open_site(struct site *site)
{
    static const char *const rules[] = {"a", "b"};
    site->names = names_new(ids, N_SENSORS);
    site->rules = names_new(rules, 2);
    site->texts = text_table_new();
    for (int i = 0; i < N_SENSORS; i++) {
        site->sensors[i] = (struct rules_sensor){.id = ids[i],
                                                 .text = i == DOOR,
                                                 .every_ms = i == DOOR ? 0 : 1000,
                                                 .stale_ms = i == DOOR ? CLOCK_NEVER : 15000};
        site->facts[i] = (struct fact){.stale_ms = site->sensors[i].stale_ms};
    }
    site->windows = windows_new(site->sensors, N_SENSORS, site->texts);
}

static void close_site(struct site *site)
{
    names_free(site->names);
    names_free(site->rules);
    text_table_free(site->texts);
    windows_free(site->windows);
    arena_free(&site->arena);
}

static void read_sensor(struct site *site, uint32_t sensor, int64_t at_ms, double number)
{
    struct fact *fact = &site->facts[sensor];
    fact->kind = sensor == DOOR ? VALUE_TEXT : VALUE_NUMBER;
    fact->at_ms = at_ms;
    fact->fresh_until_ms = fact->stale_ms == CLOCK_NEVER ? CLOCK_NEVER : at_ms + fact->stale_ms;
    if (sensor == DOOR) {
        fact->text = text_table_add(site->texts, number > 0 ? "open" : "closed");
        windows_push_text(site->windows, sensor, at_ms, fact->text);
    } else {
        fact->number = number;
        windows_push_number(site->windows, sensor, at_ms, number);
    }
}

static void check(bool is)
{
    if (!is)
        abort();
}

static void run(struct site *site, const struct code *code, const uint32_t *slots, uint64_t seed,
                enum cell_kind kind)
{
    struct facts facts = {
        .at = site->facts, .texts = site->texts, .windows = site->windows, .rule_is = rule_is};
    int64_t now_ms = 0;
    for (int i = 0; i < 100; i++) {
        struct outlook outlook;
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        now_ms += (int64_t)(seed >> 33) % (seed & 1 << 20 ? 100 : 20000);
        if (seed >> 60 != 0)
            read_sensor(site, (uint32_t)(seed >> 40) % N_SENSORS, now_ms,
                        (double)(int32_t)(seed >> 30) * (seed >> 62 == 1 ? 1e290 : 1));
        struct cell cell = evaluate(code, &facts, slots, now_ms, &outlook);
        check(cell.kind == CELL_UNKNOWN || cell.kind == kind);
        check(cell.kind != CELL_NUMBER || isfinite(cell.number));
        check(outlook.next_ms > now_ms);
    }
}

static void try_kind(const char *text, enum cell_kind kind, uint64_t seed)
{
    static struct coder coder;
    struct site site = {0};
    struct expression_fault fault;
    struct code code = {0};
    uint32_t slots[EXPRESSION_SLOTS_MAX];
    open_site(&site);
    struct scope scope = {.names = site.names,
                          .sensors = site.sensors,
                          .n_sensors = N_SENSORS,
                          .own = 0,
                          .key = "when",
                          .arena = &site.arena,
                          .rules = site.rules};
    scope_start(&scope);
    coder_start(&coder);
    int result = expression_parse(text, &scope, kind, &coder, &fault);
    check(result == 0 || result == -EINVAL);
    if (result)
        check(fault.offset <= strlen(text) && fault.words[0]);
    else
        check(coder_finish(&coder, kind, &site.arena, &code) == 0);
    for (int i = 0; i < scope.n_slots && result == 0; i++) {
        const struct slot *slot = &scope.slots[i];
        slots[i] = slot->sensor == RULES_NO_SENSOR ? 0 : slot->sensor;
        int64_t window =
            slot->windowed ? windows_want(site.windows, slots[i], &slot->span, slot->needs) : 0;
        if (window < 0 || windows_bytes(site.windows) > (size_t)4 << 20)
            result = -E2BIG; /* as the compiler refuses it */
        else if (slot->windowed)
            slots[i] = (uint32_t)window | SLOT_WINDOW;
    }
    if (result == 0 && windows_build(site.windows) == 0)
        run(&site, &code, slots, seed, kind);
    close_site(&site);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t seed = size;
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    for (size_t i = 0; i < size; i++)
        seed = seed * 31 + data[i];
    clock_use_fixed(0, 1763733600000);
    try_kind(text, CELL_BOOL, seed);
    try_kind(text, CELL_NUMBER, seed);
    free(text);
    return 0;
}
