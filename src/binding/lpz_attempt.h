#ifndef LPZ_ATTEMPT_H
#define LPZ_ATTEMPT_H
/*
 * Two classes: a service (what all calls of a client to one service share,
 * its signing key included) and an attempt (one call on its way).
 */
#include "lpz.h"

/* Registers both classes; pushes nothing. */
void lpz_attempt_classes(lua_State *L);

/* core.service{ endpoint =, region =, signing_name =, target_prefix =,
   user_agent = } -> service | nil, message */
int lpz_service_new(lua_State *L);

/* core.attempt(service, operation, input, random, max_attempts, validate)
   -> attempt | nil, faults; 'random' is 16 bytes. */
int lpz_attempt_new(lua_State *L);

/* core.credentials_fault(credentials) -> nil when they can be signed with,
   else a text that says why not */
int lpz_credentials_fault(lua_State *L);

/* core.read_output(operation, table) -> message | nil */
int lpz_output_read(lua_State *L);

#endif
