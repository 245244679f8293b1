#ifndef LPZ_ATTEMPT_H
#define LPZ_ATTEMPT_H
/*
 * The class personalize.attempt: one call on its way through its attempts.
 */
#include "lpz.h"

/* Registers the class; pushes nothing. */
void lpz_attempt_class(lua_State *L);

/* core.attempt(service, operation, input, random, max_attempts, validate)
   -> attempt | nil, faults; 'random' is 16 bytes. */
int lpz_attempt_new(lua_State *L);

/*
 * core.request(service, { method =, path =, query =, headers = { { name,
 * value } }, body =, payload_hash =, unsigned =, keep_path =, protocol =
 * "json" | "xml" | "text" }, random, max_attempts) -> attempt | nil, message
 *
 * A request that is none of the model's: names in lower case; path and query
 * encoded, the path below the endpoint's.
 */
int lpz_request_new(lua_State *L);

/* core.credentials_fault(credentials) -> nil when they can be signed with,
   else a text that says why not */
int lpz_credentials_fault(lua_State *L);

/* core.read_output(operation, table) -> message | nil */
int lpz_output_read(lua_State *L);

#endif
