#ifndef PZ_REDACT_H
#define PZ_REDACT_H
/*
 * Takes what is secret out of a text that may quote it, however it is
 * spelled there: with percent escapes, HTML entities or backslash escapes
 * (also inside of each other), in base64 or hexadecimal, in other case, or
 * broken by white space.
 *
 * Knows spellings; refuses to know where a text comes from and goes to.
 */
#include "pz_buf.h"

struct pz_secret {
    struct pz_slice text;
    /* A tag or the like. It is taken out where all of it stands; short ones
       only as a word of their own, since a tag "e" would leave nothing to
       read. Of a true secret any eight characters in a row are too many. */
    int is_private;
};

/* Appends 'text' with "[redacted]" in the place of each secret, and of the
   value of each Signature. 'is_cut' says that the text was cut, so that a
   secret's beginning may stand at its end. */
PZ_MUST_USE enum pz_status
pz_redact(struct pz_buf *out, struct pz_slice text,
          const struct pz_secret *secrets, size_t count, int is_cut);

#endif
