#include "gateway/store/csv_row.h"

#include "gateway/base/text.h"

#include <errno.h>
#include <string.h>

int csv_to_quality(const char *text, uint8_t *ret_quality)
{
    for (unsigned quality = *text ? 0 : QUALITY_MAX + 1; quality <= QUALITY_MAX; quality++) {
        if (strcmp(quality_name((uint8_t)quality), text) == 0) {
            *ret_quality = (uint8_t)quality;
            return 0;
        }
    }
    *ret_quality = QUALITY_GOOD;
    return *text ? -EINVAL : 0;
}

/* -- lines ----------------------------------------------------------------------------------- */

/* What a field may take of a line; longer ones are cut. */
#define FIELD_MAX 140

/* Quoted where it must be; line ends become blanks, a line is a line. */
static void put_field(char *line, size_t *length, const char *text)
{
    bool quoted = strpbrk(text, ",;\"\n\r# ") != NULL;
    size_t end = *length + FIELD_MAX;

    if (quoted)
        text_append(line, end, length, "\"");
    for (; *text && *length + 4 < end; text++)
        text_append(line, end, length, "%s%c", *text == '"' ? "\"" : "",
                    *text == '\n' || *text == '\r' ? ' ' : *text);
    if (quoted)
        text_append(line, end, length, "\"");
}

size_t store_csv_line(char line[STORE_CSV_LINE_SIZE], const struct store_row *row)
{
    char number[40] = "", time[TEXT_TIME_SIZE];
    size_t length = 0;

    if (row->kind == VALUE_NUMBER)
        text_from_number(number, sizeof(number), row->number, -1);
    text_append(line, STORE_CSV_LINE_SIZE, &length, "%s,", text_from_wall(time, row->at_ms));
    put_field(line, &length, row->sensor);
    text_append(line, STORE_CSV_LINE_SIZE, &length, ",");
    put_field(line, &length, row->kind == VALUE_TEXT ? row->text : number);
    text_append(line, STORE_CSV_LINE_SIZE, &length, ",");
    put_field(line, &length, row->unit);
    text_append(line, STORE_CSV_LINE_SIZE, &length, ",%s\n", quality_name(row->quality));
    return length;
}
