#include "gateway/store/texts.h"

/* Numbers in the order in which the texts come first, by a map from their number in the table. */
struct numbering {
    uint16_t which[TEXT_TABLE_MAX + 1]; /* + 1; 0: not met */
    uint32_t met[TEXT_TABLE_MAX + 1];
    size_t count;
};

static void number_texts(struct numbering *numbering, const uint32_t *texts, size_t count)
{
    numbering->count = 0;
    memset(numbering->which, 0, sizeof(numbering->which));
    for (size_t i = 0; i < count; i++) {
        if (numbering->which[texts[i]])
            continue;
        numbering->met[numbering->count++] = texts[i];
        numbering->which[texts[i]] = (uint16_t)numbering->count;
    }
}

void texts_encode(struct bytes *to, const uint32_t *texts, size_t count,
                  const struct text_table *table)
{
    struct numbering numbering;

    number_texts(&numbering, texts, count);
    bytes_put_unsigned(to, numbering.count);
    for (size_t i = 0; i < numbering.count; i++) {
        const char *text = text_table_get(table, numbering.met[i]);
        size_t length = strlen(text);

        bytes_put_unsigned(to, length);
        bytes_put(to, text, length);
    }
    for (size_t i = 0; i < count; i++)
        bytes_put_unsigned(to, numbering.which[texts[i]] - 1u);
}

static uint32_t get_text(struct bytes_reader *from, struct text_table *table)
{
    char text[SAMPLE_TEXT_SIZE];
    size_t length = bytes_get_count(from);
    const uint8_t *bytes = bytes_get(from, length);

    if (!bytes || length >= sizeof(text)) {
        from->failed = true;
        return 0;
    }
    memcpy(text, bytes, length);
    text[length] = '\0';
    return text_table_add(table, text);
}

bool texts_decode(struct bytes_reader *from, uint32_t *texts, size_t count,
                  struct text_table *table)
{
    uint32_t met[TEXTS_MAX];
    size_t different = bytes_get_count(from);

    if (different > TEXTS_MAX)
        from->failed = true;
    for (size_t i = 0; i < different && !from->failed; i++)
        met[i] = get_text(from, table);
    for (size_t i = 0; i < count && !from->failed; i++) {
        uint64_t which = bytes_get_unsigned(from);

        if (which < different)
            texts[i] = met[which];
        else
            from->failed = true;
    }
    return !from->failed;
}
