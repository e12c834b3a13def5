/* The OpenAPI description, made of the table of routes: nothing can be there that is not described.
 */
#include "gateway/web/handlers.h"

#include <stdio.h>
#include <string.h>

/* clang-format off */
const struct field openapi_answer[] = {
    {"openapi", "string", .help = "Version of the form of this description."},
    {"info", "object", .help = "Name and version of the program.", (const struct field[]){
        {"title", "string", .help = "Its name."}, {"version", "string", .help = "Its version."}, {0}}},
    {"paths", "object", .help = "What can be asked.", (const struct field[]){
        {"*", "object", .help = "A path.", (const struct field[]){
            {"*", "object", .help = "A method of it.", (const struct field[]){{"*", "any", .help = "As in OpenAPI."}, {0}}},
            {0}}},
        {0}}},
    {0},
};
/* clang-format on */

static void write_fields(struct json *json, const struct field *fields);

/* "number?" is ["number", "null"]; a value is a number, or a text; "any" is not said further. */
static void write_type(struct json *json, const char *type)
{
    size_t length = strcspn(type, "?");
    char word[16];

    if (strcmp(type, "any") == 0)
        return;
    json_array(json, "type");
    if (strncmp(type, "value", length) == 0) {
        json_text(json, NULL, "number");
        json_text(json, NULL, "string");
    } else {
        snprintf(word, sizeof(word), "%.*s", (int)length, type);
        json_text(json, NULL, word);
    }
    if (type[length])
        json_text(json, NULL, "null");
    json_end(json);
}

static void write_field(struct json *json, const struct field *field)
{
    write_type(json, field->type);
    json_text(json, "description", field->help);
    if (strncmp(field->type, "array", strlen("array")) != 0) {
        if (field->inside)
            write_fields(json, field->inside);
        return;
    }
    json_object(json, "items");
    write_type(json, field->inside ? "object" : "string");
    if (field->inside)
        write_fields(json, field->inside);
    json_end(json);
}

/* The members of an object; any name of "*". */
static void write_fields(struct json *json, const struct field *fields)
{
    bool any = strcmp(fields->name, "*") == 0;

    if (!any)
        json_object(json, "properties");
    for (; fields->name; fields++) {
        json_object(json, any ? "additionalProperties" : fields->name);
        write_field(json, fields);
        json_end(json);
    }
    if (!any)
        json_end(json);
}

static void write_required(struct json *json, const struct field *fields)
{
    json_array(json, "required");
    for (; fields->name; fields++) {
        if (fields->required)
            json_text(json, NULL, fields->name);
    }
    json_end(json);
}

/* -- a route -------------------------------------------------------------------------------- */

static void write_parameter(struct json *json, const char *name, const char *in,
                            const struct field *field)
{
    json_object(json, NULL);
    json_text(json, "name", name);
    json_text(json, "in", in);
    json_bool(json, "required", !field || field->required);
    if (field)
        json_text(json, "description", field->help);
    json_object(json, "schema");
    write_type(json, field ? field->type : "string");
    json_end(json);
    json_end(json);
}

static void write_parameters(struct json *json, const struct route *route)
{
    const char *brace = strchr(route->path, '{');
    char name[32];

    json_array(json, "parameters");
    if (brace) {
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(brace + 1, "}"), brace + 1);
        write_parameter(json, name, "path", NULL);
    }
    for (const struct field *field = route->query; field && field->name; field++)
        write_parameter(json, field->name, "query", field);
    json_end(json);
}

static void write_schema(struct json *json, const struct field *fields)
{
    json_object(json, "schema");
    write_type(json, "object");
    write_fields(json, fields);
    write_required(json, fields);
    json_end(json);
}

static void write_taken(struct json *json, const struct route *route)
{
    json_object(json, "requestBody");
    json_object(json, "content");
    json_object(json, route->body ? "application/json" : "text/csv");
    if (route->body)
        write_schema(json, route->body);
    json_end(json);
    json_end(json);
    json_end(json);
}

static void write_response(struct json *json, const char *status, const char *words,
                           const char *media, const struct field *fields)
{
    json_object(json, status);
    json_text(json, "description", words);
    json_object(json, "content");
    json_object(json, media);
    if (fields)
        write_schema(json, fields);
    json_end(json);
    json_end(json);
    json_end(json);
}

static void write_route(struct json *json, const struct route *route)
{
    static const struct field error_fields[] = {{"error", "string", .help = "What is wrong."}, {0}};

    json_object(json, strcmp(route->method, "GET") == 0 ? "get" : "post");
    json_text(json, "summary", route->summary);
    json_text(json, "description",
              route->right == RIGHT_ALL ? "For root, the gateway's user and the group thermogate."
                                        : "For everybody.");
    write_parameters(json, route);
    if (route->body_max > 0)
        write_taken(json, route);
    json_object(json, "responses");
    write_response(json, "200", "Done.", route->media ? route->media : "application/json",
                   route->answer);
    write_response(json, "default", "Anything else.", "application/json", error_fields);
    json_end(json);
    json_end(json);
}

/* -- all of them ---------------------------------------------------------------------------- */

static void write_all(struct json *json, const void *what)
{
    (void)what;
    json_object(json, NULL);
    json_text(json, "openapi", "3.1.0");
    json_object(json, "info");
    json_text(json, "title", "Thermogate");
    json_text(json, "version", THERMOGATE_VERSION);
    json_end(json);
    json_object(json, "paths");
    for (const struct route *route = routes; route->method; route++) {
        json_object(json, route->path); /* no path has two methods */
        write_route(json, route);
        json_end(json);
    }
    json_end(json);
    json_end(json);
}

void describe(struct request *request)
{
    request_answer_json(request, MHD_HTTP_OK, 64 * 1024, write_all, NULL);
}
