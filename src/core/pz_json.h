#ifndef PZ_JSON_H
#define PZ_JSON_H
/*
 * JSON (RFC 8259): strings are written, whole texts are checked, and string
 * members of the outermost object are picked out of them.
 *
 * Builds no tree and refuses to know what members mean; turning a document
 * into tables is lua-cjson's work.
 */
#include "pz_buf.h"

/* Deeper nesting than this is refused, and more elements and members: nothing
   here needs it, and each costs whoever makes tables of them. */
enum { PZ_JSON_DEPTH = 512, PZ_JSON_VALUES = 131072 };

/* Appends 'text', which must be UTF-8, in quotes with what must be escaped
   escaped. */
PZ_MUST_USE enum pz_status
pz_json_string(struct pz_buf *out, struct pz_slice text);

/* A member of the outermost object, wanted by name. */
struct pz_json_member {
    const char *name;
    int found;           /* it was there, as a string */
    struct pz_slice raw; /* between its quotes, escapes as they came */
};

enum pz_json_kind { PZ_JSON_OBJECT, PZ_JSON_ARRAY, PZ_JSON_SCALAR };

/*
 * PZ_OK when 'text' is one whole JSON value in valid UTF-8, with nothing but
 * white space around it; PZ_ETOOBIG where it has more than PZ_JSON_VALUES;
 * PZ_EINVAL otherwise. In neither of these a member is found.
 * Members are picked at the top level only; of a repeated one the first
 * counts.
 */
PZ_MUST_USE enum pz_status
pz_json_scan(struct pz_slice text, enum pz_json_kind *kind,
             struct pz_json_member *members, size_t count);

/* Appends a picked string with its escapes undone. */
PZ_MUST_USE enum pz_status
pz_json_unescape(struct pz_buf *out, struct pz_slice raw);

#endif
