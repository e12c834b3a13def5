#include "adapters/edge.h"

#include "gateway/base/text.h"

#include <string.h>

struct sample edge_take(struct edge *edge, const struct sample *read)
{
    const char *text = read->kind == VALUE_TEXT ? read->text : "";
    bool known = edge->known;

    if (read->kind == VALUE_NONE && read->quality != QUALITY_UNMAPPED)
        return *read;
    edge->known = true;
    if (strcmp(text, edge->text) == 0)
        return sample_bad(read->channel, read->at_ms, QUALITY_QUIET);
    text_copy(edge->text, sizeof(edge->text), text);
    return known && text[0] ? *read : sample_bad(read->channel, read->at_ms, QUALITY_QUIET);
}
