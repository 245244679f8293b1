/* See pz_resolve.h for what this file knows and refuses to know. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* getaddrinfo under C99 */
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif

#include "pz_resolve.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

enum { ADDRESS_MAX = 128 };

enum pz_status pz_resolve(struct pz_buf *out, const char **error,
                          const char *host, int is_address)
{
    struct addrinfo wish, *found = NULL;
    enum pz_status status = PZ_OK;
    int fault;

    memset(&wish, 0, sizeof wish);
    wish.ai_family = AF_UNSPEC;
    wish.ai_socktype = SOCK_STREAM; /* or each address comes three times */
    wish.ai_flags = is_address ? AI_NUMERICHOST : 0;
    fault = getaddrinfo(host, NULL, &wish, &found);
    for (struct addrinfo *a = found; fault == 0 && status == PZ_OK && a;
         a = a->ai_next) {
        char text[ADDRESS_MAX];

        fault = getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text,
                            NULL, 0, NI_NUMERICHOST);
        if (fault == 0)
            status = pz_buf_adds(out, pz_slice_of(text));
        if (fault == 0 && status == PZ_OK)
            status = pz_buf_addc(out, '\n');
    }
    if (found)
        freeaddrinfo(found);
    *error = fault == 0 ? NULL : gai_strerror(fault);
    return status;
}
