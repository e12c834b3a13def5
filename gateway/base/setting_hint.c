#include "gateway/base/setting_check.h"
#include "gateway/base/text.h"

#include <string.h>

/* -- suggestions -- */

/* Nearest word so far; one that differs in more than a third of its letters is no suggestion. */
struct nearest {
    const char *to;
    char word[TEXT_SLUG_MAX + 1];
    size_t distance;
};

static void consider(struct nearest *nearest, const char *word)
{
    size_t length = strlen(nearest->to), distance;

    if (strlen(word) < length)
        length = strlen(word);
    distance = text_distance(nearest->to, word);
    if (distance > (length + 1) / 3 || (nearest->word[0] != '\0' && distance >= nearest->distance))
        return;
    text_copy(nearest->word, sizeof nearest->word, word);
    nearest->distance = distance;
}

void hint_for_key(char *hint, size_t size, const char *key, const struct setting *const *tables,
                  size_t count)
{
    struct nearest nearest = {.to = key};
    size_t length = 0;

    for (size_t i = 0; i < count; i++) {
        for (const struct setting *s = tables[i]; s != NULL && s->key != NULL; s++) {
            consider(&nearest, s->key);
            text_append(hint, size, &length, "%s%s", length == 0 ? "known here: " : ", ", s->key);
        }
    }
    if (nearest.word[0] != '\0')
        snprintf(hint, size, "did you mean \"%s\"?", nearest.word);
}

/* The length of the next of `choices`, which begins at *ret_word; 0 at the end. */
static size_t next_choice(const char **choices, const char **ret_word)
{
    size_t length;

    *ret_word = *choices + strspn(*choices, " ");
    length = strcspn(*ret_word, " ");
    *choices = *ret_word + length;
    return length;
}

static bool next_word(const char **choices, char word[TEXT_SLUG_MAX + 1])
{
    const char *at;
    size_t length = next_choice(choices, &at);

    snprintf(word, TEXT_SLUG_MAX + 1, "%.*s", (int)length, at);
    return length > 0;
}

int choice_index(const char *choices, const char *text)
{
    const char *word;
    size_t length;

    for (int i = 0; choices != NULL && (length = next_choice(&choices, &word)) > 0; i++) {
        if (strncmp(word, text, length) == 0 && text[length] == '\0')
            return i;
    }
    return -1;
}

void choices_list(char *to, size_t size, const char *choices)
{
    char word[TEXT_SLUG_MAX + 1], next[TEXT_SLUG_MAX + 1];
    size_t length = 0;
    bool more = next_word(&choices, word);

    to[0] = '\0';
    while (more) {
        more = next_word(&choices, next);
        text_append(to, size, &length, "%s\"%s\"", length == 0 ? "" : (more ? ", " : " or "), word);
        text_copy(word, sizeof word, next);
    }
}

void hint_for_choice(char *hint, size_t size, const char *text, const char *choices)
{
    struct nearest nearest = {.to = text};
    const char *rest = choices;
    char word[TEXT_SLUG_MAX + 1], all[300];

    while (next_word(&rest, word))
        consider(&nearest, word);
    choices_list(all, sizeof all, choices);
    if (nearest.word[0] != '\0')
        snprintf(hint, size, "did you mean \"%s\"?", nearest.word);
    else
        snprintf(hint, size, "write %s", all);
}

/* -- what is expected -- */

static const struct {
    unsigned form;
    const char *words;
} form_words[] = {
    {SETTING_BOOL, "true or false"},
    {SETTING_INT, "a whole number"},
    {SETTING_NUMBER, "a number"},
    {SETTING_DURATION, "a duration like \"10s\""},
    {SETTING_SIZE, "a size like \"2 GB\""},
    {SETTING_CHOICE, "" /* the choices themselves */},
    {SETTING_TEXT, "a text in quotes"},
    {SETTING_PAIR, "two numbers like ( 18, 26.5 )"},
    {SETTING_NUMBERS, "a list of numbers like ( 1, 2.5 )"},
    {SETTING_TEXTS, "a text or a list of texts like [ \"one\", \"two\" ]"},
    {SETTING_GROUP, "a group { ... }"},
    {SETTING_NAMED, "named groups { name: { ... } }"},
    {SETTING_GROUPS, "a list of groups ( { ... }, { ... } )"},
};

void setting_expected(char *to, size_t size, const struct setting *setting)
{
    char choices[300];
    size_t length = 0;

    to[0] = '\0';
    choices_list(choices, sizeof choices, setting->choices != NULL ? setting->choices : "");
    for (size_t i = 0; i < sizeof form_words / sizeof form_words[0]; i++) {
        const char *words = form_words[i].form == SETTING_CHOICE ? choices : form_words[i].words;

        /* A list of texts says already that one text will do, a number that a whole one will. */
        if (!(setting->forms & form_words[i].form) ||
            (form_words[i].form == SETTING_TEXT && setting->forms & SETTING_TEXTS) ||
            (form_words[i].form == SETTING_INT && setting->forms & SETTING_NUMBER))
            continue;
        text_append(to, size, &length, "%s%s", length == 0 ? "" : ", or ", words);
    }
}

const char *describe_found(const struct value *value)
{
    switch (value->is) {
    case SETTING_BOOL:
        return "true or false";
    case SETTING_INT:
        return "a number";
    case SETTING_NUMBER:
        return "a number with a point";
    case SETTING_TEXT:
        return "a text";
    case SETTING_GROUP:
        return "a group";
    default:
        return "a list";
    }
}

/* The number as it was written, near enough to be written again. */
static const char *show_number(const struct value *value, char text[32])
{
    if (value->is == SETTING_INT)
        snprintf(text, 32, "%lld", (long long)value->whole);
    else
        text_from_number(text, 32, value->number, -1);
    return text;
}

static bool is_word(const char *text, const char *words)
{
    return choice_index(words, text) >= 0;
}

/* What to write instead, where the slip is a usual one. */
void hint_for_form(char *hint, size_t size, const struct setting *setting,
                   const struct value *value)
{
    char number[32];
    double parsed;

    hint[0] = '\0';
    if (value->is == SETTING_INT || value->is == SETTING_NUMBER) {
        show_number(value, number);
        if (setting->forms & SETTING_DURATION)
            snprintf(hint, size, "write \"%ss\" for seconds; ms, m, h and d are the other units",
                     number);
        else if (setting->forms & SETTING_SIZE)
            snprintf(hint, size, "write \"%s MB\"; B, kB and GB are other units", number);
        else if (setting->forms & (SETTING_TEXT | SETTING_TEXTS))
            snprintf(hint, size, "write it in quotes: \"%s\"", number);
        else if (setting->forms & SETTING_BOOL)
            snprintf(hint, size, "write %s", strcmp(number, "0") == 0 ? "false" : "true");
    } else if (value->is == SETTING_TEXT && setting->forms & SETTING_NUMERIC &&
               text_to_number(value_bytes(value), &parsed) == 0) {
        snprintf(hint, size, "write it without the quotes: %s", value_bytes(value));
    } else if (value->is == SETTING_TEXT && setting->forms & SETTING_BOOL) {
        if (is_word(value_bytes(value), "true yes on 1"))
            snprintf(hint, size, "write true, without quotes");
        else if (is_word(value_bytes(value), "false no off 0"))
            snprintf(hint, size, "write false, without quotes");
    } else if (value->is == SETTING_BOOL && setting->forms & SETTING_CHOICE) {
        snprintf(hint, size, "write it in quotes");
    }
}

void setting_bound(char *to, size_t size, unsigned form, double bound)
{
    static const struct {
        double factor;
        const char *unit;
    } units[] = {{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}, {1, "B"}};
    char number[32];
    size_t i = 0;

    if (form == SETTING_DURATION)
        text_from_duration(to, size, (int64_t)bound);
    else if (form == SETTING_NUMBER)
        text_from_number(to, size, bound, -1);
    if (form != SETTING_SIZE)
        return;
    while (i < 3 && bound < units[i].factor)
        i++;
    text_from_number(number, sizeof number, bound / units[i].factor, -1);
    snprintf(to, size, "%s %s", number, units[i].unit);
}
