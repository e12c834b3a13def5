/* The export: pages of readings, each asked of the store when the one before has gone out, so that
 * a year of everything needs the memory of one page. The first page is there before the answer
 * begins: what is wrong can still be said with a status; later the connection is cut, and the
 * missing end of the answer says that it is not whole. */
#include "gateway/base/clock.h"
#include "gateway/base/text.h"
#include "gateway/store/store.h"
#include "gateway/web/handlers.h"
#include "gateway/web/server.h"
#include "gateway/web/waiting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_ROWS 1000
#define BLOCK     (16 * 1024)

/* clang-format off */
const struct field export_query[] = {
    {"match", "string", .help = "Only sensors whose id fits this glob: * and ?."},
    {"from", "string", .help = "Unix milliseconds, a duration ago (24h), or a date; all there is by default."},
    {"to", "string", .help = "Likewise; now by default."},
    {0},
};
/* clang-format on */

struct export
{
    struct web *web;
    struct MHD_Connection *connection;
    struct request *request; /* until the first page has come */
    struct waiting *waiting;
    char match[REQUEST_WORD_SIZE];
    bool has_match;
    int64_t next_ms, to_ms; /* wall; next_ms CLOCK_NEVER: that was all */
    struct page page;
    size_t sent; /* bytes of the page */
    bool suspended, failed;
};

static void take_page(void *owner, const struct store_rows *rows);

static void export_free(void *self)
{
    struct export *export = self;

    waiting_forget(export->waiting);
    page_free(&export->page);
    free(export);
}

static void give_up(void *owner);

/* 0 or -Exxx. */
static int ask(struct export *export)
{
    struct store_range range = {.sensors = export->has_match ? export->match : NULL,
                                .from_ms = export->next_ms,
                                .to_ms = export->to_ms,
                                .max_rows = PAGE_ROWS};
    int r;

    export->waiting = waiting_new(export->web, export, give_up);
    if (!export->waiting)
        return -ENOMEM;
    r = store_read(export->web->context.store, &range, take_page, export->waiting);
    if (r < 0) {
        waiting_end(export->waiting);
        export->waiting = NULL;
    }
    return r;
}

/* -- later pages, as libmicrohttpd asks for bytes ------------------------------------------- */

static void go_on(struct export *export)
{
    if (!export->suspended)
        return;
    export->suspended = false;
    server_resume(export->web->server, export->connection);
}

static ssize_t read_on(void *owner, uint64_t position, char *bytes, size_t max)
{
    struct export *export = owner;
    size_t left = export->page.length - export->sent;

    (void)position;
    if (left > 0) {
        left = left < max ? left : max;
        memcpy(bytes, export->page.text + export->sent, left);
        export->sent += left;
        return (ssize_t)left;
    }
    if (export->failed || export->web->closing)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (export->next_ms == CLOCK_NEVER)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (!export->waiting && ask(export) < 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    export->suspended = true;
    MHD_suspend_connection(export->connection);
    return 0;
}

/* -- the first page ------------------------------------------------------------------------- */

/* The request is answered, one way or the other: what was kept for it is the response's now. */
static void begin(struct export *export)
{
    struct request *request = export->request;
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_on, export, export_free);

    export->request = NULL;
    if (!response)
        export_free(export);
    else
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, request->route->media);
    request_answer(request, MHD_HTTP_OK, response);
}

static void refuse(struct export *export, unsigned status, const char *words)
{
    struct request *request = export->request;

    export_free(export);
    request_answer_error(request, status, "the store cannot answer: %s", words);
}

static void give_up(void *owner)
{
    struct export *export = owner;

    export->waiting = NULL;
    export->failed = true;
    if (export->request)
        refuse(export, MHD_HTTP_SERVICE_UNAVAILABLE, "it takes too long");
    else
        go_on(export);
}

static void fill(struct export *export, const struct store_rows *rows)
{
    char line[STORE_CSV_LINE_SIZE];

    export->page.length = export->sent = 0;
    if (export->request)
        page_put(&export->page, STORE_CSV_HEADER, strlen(STORE_CSV_HEADER));
    for (size_t i = 0; i < rows->count; i++)
        page_put(&export->page, line, store_csv_line(line, &rows->rows[i]));
    export->next_ms = rows->next_ms;
    export->failed = export->page.failed;
}

static void take_page(void *owner, const struct store_rows *rows)
{
    struct export *export = waiting_end(owner);
    int status = rows->status == -ENOENT ? 0 : rows->status;

    if (!export)
        return;
    export->waiting = NULL;
    if (status < 0 && export->request) {
        refuse(export, MHD_HTTP_SERVICE_UNAVAILABLE, strerror(-status));
        return;
    }
    if (status < 0)
        export->failed = true;
    else
        fill(export, rows);
    if (export->request)
        begin(export);
    else
        go_on(export);
}

static struct export *export_new(struct request *request)
{
    struct export *export = calloc(1, sizeof(*export));
    const char *match = request_query(request, "match");

    if (!export) {
        request_answer(request, 0, NULL);
        return NULL;
    }
    export->web = request->web;
    export->connection = request->connection;
    export->request = request;
    export->has_match = match != NULL;
    text_copy(export->match, sizeof(export->match), match ? match : "");
    export->to_ms = clock_wall_ms(clock_boot_ms());
    return export;
}

void export_csv(struct request *request)
{
    struct export *export = past_store(request) ? export_new(request) : NULL;
    int r;

    if (!export)
        return;
    if (!request_query_time(request, "from", &export->next_ms) ||
        !request_query_time(request, "to", &export->to_ms)) {
        export_free(export);
        return;
    }
    r = ask(export);
    if (r < 0)
        refuse(export, MHD_HTTP_SERVICE_UNAVAILABLE, strerror(-r));
}
