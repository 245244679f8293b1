#ifndef PZ_TLS_HELLO_H
#define PZ_TLS_HELLO_H
/*
 * The first words of TLS, spoken by hand: what a peer answers to them tells
 * why a handshake failed, where nobody else does (nginx has one word for it).
 *
 * Knows a ClientHello and what may come back at once (RFC 8446); refuses to
 * know keys: nothing can be said after it.
 */
#include "pz_buf.h"

#define PZ_TLS_RANDOM ((size_t)32)

/* Appends a ClientHello for TLS 1.2 and 1.3. PZ_EINVAL for a host that is no
   name, or without PZ_TLS_RANDOM random bytes. */
PZ_MUST_USE enum pz_status
pz_tls_hello(struct pz_buf *out, struct pz_slice host,
             struct pz_slice random);

/* Bytes of an answer that are enough to tell. */
#define PZ_TLS_ANSWER ((size_t)7)

enum pz_tls_answer {
    PZ_TLS_ANSWER_TLS = 0, /* it speaks TLS, as far as can be told */
    PZ_TLS_ANSWER_NONE,    /* it left without a word */
    PZ_TLS_ANSWER_PLAIN,   /* it speaks something else */
    PZ_TLS_ANSWER_OLD,     /* it does not speak TLS 1.2 or later */
    PZ_TLS_ANSWER_REFUSED  /* it refuses the handshake */
};

/* What the beginning of an answer says, as far as it came. */
enum pz_tls_answer pz_tls_answer(struct pz_slice bytes);

#endif
