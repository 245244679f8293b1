#ifndef PZ_HEAD_H
#define PZ_HEAD_H
/*
 * What a request may say and how long an answer may be: the rules of who signs
 * a request, who writes it and who reads its answer.
 *
 * Knows header lines; refuses to know connections and what the headers mean.
 */
#include "pz_buf.h"

#define PZ_ANSWER_BODY_MAX ((size_t)8 << 20)
/* Of an answer's heads, 1xx ones and trailers included. */
#define PZ_ANSWER_HEAD_MAX ((size_t)64 << 10)
#define PZ_ANSWER_LINES_MAX 256

/*
 * The next functions answer what is wrong with a request, as constant text
 * that goes on from "the request has ", or NULL.
 */
const char *pz_head_method_fault(struct pz_slice method);
/* Of the scheme and the bytes; which host it names is another matter. */
const char *pz_head_url_fault(struct pz_slice url);
/* Cuts the next "name: value\r\n" line off *rest, which is not empty. A length
   that it states must be 'body_len'. */
const char *
pz_head_take(struct pz_slice *rest, struct pz_slice *name,
             struct pz_slice *value, unsigned long long body_len);

/* Is the length of its body told? Always where there is one, and by these
   methods even where there is none (RFC 9110, 8.6). */
int pz_head_has_length(struct pz_slice method, int has_body);

/*
 * Steps through the head of an answer: cuts the next header line off *rest
 * (which starts as the whole head) and answers 1, or 0 at the end. Lines that
 * are no header are passed over.
 */
int pz_head_next(struct pz_slice *rest, struct pz_slice *name,
                 struct pz_slice *value);

/* Reads all of 's' as a length: digits and nothing else; 0 where it is none,
   or more than fits. */
int pz_head_length(struct pz_slice s, unsigned long long *out);

/* 1 where no byte is a control character, tabs aside. */
int pz_head_is_text(struct pz_slice s);
/* 1 where all of it is printable ASCII: fit for a header's value. */
int pz_head_is_value(struct pz_slice s);
/* Can it be a header's name (RFC 9110, 5.6.2)? */
int pz_head_is_token(struct pz_slice s);

#endif
