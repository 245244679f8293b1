#ifndef LPZ_CURL_REQUEST_H
#define LPZ_CURL_REQUEST_H
/*
 * From the request table of a transport to what pz_exchange takes.
 */
#include "../io/pz_exchange.h"
#include "lpz.h"

/* Does not move: the exchange points to its source. */
struct lpz_curl_request {
    struct pz_exchange exchange; /* its callbacks are the caller's to set */
    struct pz_body_source source;
    int progress; /* where the function is on the stack; 0: there is none */
};

/*
 * Reads the table that is argument 2. Answers the name of the member that is
 * wrong, or NULL. Everything is borrowed from values that stay on the stack,
 * and from 'scratch', which Lua owns: reading raises.
 */
const char *lpz_read_request(lua_State *L, struct lpz_curl_request *request,
                             struct pz_buf *scratch);

#endif
