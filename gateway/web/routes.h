/* Routes: all that can be asked, as one table. Private to the room. */
#pragma once

#include "gateway/web/peer.h"
#include "gateway/web/request.h"

/* A parameter, or a member of a JSON object: what the description says of it. */
struct field {
    const char *name; /* NULL ends a table; "*": any other name */
    const char *type; /* string number integer boolean object array value; a '?' behind: or null. A
                         value is a number, or a text */
    const char *help;
    const struct field *inside; /* of an object; of the objects in an array (NULL: of texts) */
    bool required;              /* of a parameter or a member of the body */
};

struct route {
    const char *method; /* NULL ends the table */
    const char *path;   /* {word} stands for one part of it */
    enum web_right right;
    void (*handle)(struct request *request);
    const char *summary;
    const struct field *query, *body, *answer; /* NULL: none; the answer's: it is no JSON */
    const char *media;                         /* of the answer; NULL: JSON */
    size_t body_max;                           /* bytes; 0: takes none */
    bool endless;                              /* its answer may take as long as it likes */
};

extern const struct route routes[];

/* 0 with the route and the word in its path; -ENOENT for no such path; -EPERM when it is there for
 * other methods, whose names are put to `ret_allowed`. HEAD is a GET. */
int routes_find(const char *method, const char *path, const struct route **ret_route,
                char word[REQUEST_WORD_SIZE], char ret_allowed[64]);

/* The row of `fields` (may be NULL) for this name; NULL when there is none. */
const struct field *routes_field(const struct field *fields, const char *name);
