#ifndef PZ_TEXT_H
#define PZ_TEXT_H
/*
 * Text as bytes: UTF-8, hexadecimal, base64, and the distance between two
 * names.
 *
 * Knows encodings; refuses to know protocols.
 */
#include "pz_buf.h"

/*
 * Counts the code points of strict UTF-8 (no overlong forms, surrogates or
 * values over U+10FFFF). Answers 1; or 0 with *count the offset of the first
 * byte that is wrong.
 */
int pz_utf8_count(struct pz_slice text, size_t *count);

/*
 * Takes the first code point off 'text', which is not empty; 'taken' receives
 * its bytes. Answers -1, and takes one byte, where there is no UTF-8.
 */
long pz_utf8_take(struct pz_slice *text, struct pz_slice *taken);

/* Appends one code point, which must be one, as UTF-8. */
PZ_MUST_USE enum pz_status pz_utf8_add(struct pz_buf *out, unsigned long point);

/* Appends 'text' with A-Z as a-z. */
PZ_MUST_USE enum pz_status pz_lower(struct pz_buf *out, struct pz_slice text);

/* RFC 4648: the usual alphabet with padding, or the one for URLs without. */
enum pz_base64 { PZ_BASE64, PZ_BASE64URL };
PZ_MUST_USE enum pz_status
pz_base64(struct pz_buf *out, struct pz_slice data, enum pz_base64 alphabet);
/* Either alphabet, padding or none; PZ_EINVAL where anything else stands in
   the text, even white space, or bits are set that encode nothing. */
PZ_MUST_USE enum pz_status
pz_unbase64(struct pz_buf *out, struct pz_slice text);

/* Writes 2 * len lower-case digits to 'out', without a NUL. */
void pz_hex(char *out, const unsigned char *data, size_t len);
/* The value of a hexadecimal digit, or -1. */
int pz_hex_digit(char c);

/* Reads all of 's' as decimal digits; 0 unless it is 1 to 9 of them. */
int pz_decimal(struct pz_slice s, unsigned long *out);

/* The decimal digits of 'n', at the end of 'room'. */
struct pz_slice pz_digits(char room[20], unsigned long long n);

/*
 * The name out of a NULL-ended list that a typing error most likely meant,
 * or NULL when none is near enough (a third of its letters, at most).
 */
const char *pz_nearest(struct pz_slice name, const char *const *names);

/* 1 when every byte is ASCII from 'first', which is printable, to '~'. */
int pz_is_printable(struct pz_slice s, char first);

/* The same without white space ('!' to '~'). */
static inline int pz_is_visible(struct pz_slice s)
{
    return pz_is_printable(s, '!');
}

/* 1 when the region can be a host label: letters, digits, inner hyphens. */
int pz_is_host_label(struct pz_slice s);

#endif
