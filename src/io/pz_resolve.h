#ifndef PZ_RESOLVE_H
#define PZ_RESOLVE_H
/*
 * The addresses of a host name, as the system has them.
 *
 * Knows the system's resolver, which may take its time; refuses to know what
 * the addresses are good for.
 */
#include "../core/pz_buf.h"

/*
 * Appends every address of 'host' in its canonical form, each with a line
 * end. Where 'is_address' is set, 'host' must be an address itself, in any
 * spelling that the system takes ("127.1"), and nobody is asked. *error is
 * NULL, or the system's text for why there is none. Fails for memory only.
 */
PZ_MUST_USE enum pz_status pz_resolve(struct pz_buf *out, const char **error,
                                      const char *host, int is_address);

#endif
