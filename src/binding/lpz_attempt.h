#ifndef LPZ_ATTEMPT_H
#define LPZ_ATTEMPT_H
/*
 * The class personalize.attempt: one call on its way through its attempts.
 */
#include "../core/pz_attempt.h"
#include "lpz.h"

#define LPZ_ATTEMPT "personalize.attempt"

struct lpz_service;
struct pz_operation;

/* Its texts follow the struct in the same block, the body first: so there is
   nothing to free. */
struct lpz_attempt {
    struct pz_attempt core;
    struct lpz_service *service;      /* kept alive by the anchor */
    const struct pz_operation *model; /* NULL: none of the model's */
    size_t body_len;                  /* 0 where the body is a source */
};

/* Copies a text to *at, which moves on behind it. */
struct pz_slice lpz_pack(char **at, struct pz_slice text);

/* Registers the class; pushes nothing. */
void lpz_attempt_class(lua_State *L);

/* core.attempt(service, operation, input, random, max_attempts, validate)
   -> attempt | nil, faults; 'random' is 16 bytes. */
int lpz_attempt_new(lua_State *L);

/*
 * core.request(service, { method =, path =, query =, headers = { { name,
 * value } }, body =, length =, payload_hash =, unsigned =, keep_path =,
 * protocol = "json" | "xml" | "text" }, random, max_attempts)
 * -> attempt | nil, message
 *
 * A request that is none of the model's: names in lower case; path and query
 * encoded, the path below the endpoint's. A body that is a source is told by
 * its length and hash.
 */
int lpz_request_new(lua_State *L);

/* core.credentials_fault(credentials) -> nil when they can be signed with,
   else a text that says why not */
int lpz_credentials_fault(lua_State *L);

/* core.read_output(operation, table) -> message | nil */
int lpz_output_read(lua_State *L);

#endif
