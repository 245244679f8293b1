#ifndef LPZ_SERVICE_H
#define LPZ_SERVICE_H
/*
 * The class personalize.service: what all calls of a client to one service
 * share. Attempts point into it and keep it alive through their anchor.
 */
#include "../core/pz_attempt.h"
#include "lpz.h"

#define LPZ_SERVICE "personalize.service"

/*
 * A finalizer may run whenever Lua allocates, and use or close the very
 * service that is at work. So nothing in 'core' is relied on across a call of
 * Lua's, and 'input' only by whoever took it.
 */
struct lpz_service {
    struct pz_service core;
    struct pz_buf input; /* where an attempt's input is written */
    int input_taken;     /* for good, should an error have been raised then */
};

/* Registers the class; pushes nothing. */
void lpz_service_class(lua_State *L);

/* The argument, or an error when it is none or closed. */
struct lpz_service *lpz_checkservice(lua_State *L, int index);

/* core.service{ endpoint =, region =, signing_name =, target_prefix =,
   user_agent =, adaptive =, keep_clock = (no skew correction),
   retry_tokens =, max_backoff =, transient_base = (seconds; where they
   differ from the standard) } -> service | nil, message */
int lpz_service_new(lua_State *L);

#endif
