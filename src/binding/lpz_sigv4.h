#ifndef LPZ_SIGV4_H
#define LPZ_SIGV4_H
/*
 * Every stage of a signature, for any service: what AWS's test suite asks
 * about. The signing of calls does not come this way (lpz_attempt).
 */
#include "lpz.h"

/* Registers what it owns through; pushes nothing. */
void lpz_sigv4_class(lua_State *L);

/*
 * core.sigv4({ method =, path =, query =, headers = { { name, value } },
 * payload = | payload_hash =, keep_path =, keep_dots = }, { access_key_id =,
 * secret_access_key = }, { region =, service =, timestamp = })
 * -> { payload_hash =, canonical_request =, signed_headers =,
 *      string_to_sign =, signature =, authorization = }
 */
int lpz_sigv4_sign(lua_State *L);

#endif
