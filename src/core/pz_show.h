#ifndef PZ_SHOW_H
#define PZ_SHOW_H
/*
 * Text from outside, made fit for people: a terminal, a log, an error.
 *
 * What a terminal obeys (control characters), what turns or hides text
 * (marks of direction, invisible characters) and what is not UTF-8 is
 * written as an escape that can be seen: \n, \x1b, \u{202e}. Knows
 * characters; refuses to know who reads them.
 */
#include "pz_buf.h"

/*
 * Is the code point one that a reader does not see as a character? These
 * are control characters (C0, DEL, C1), line and paragraph separators, marks
 * and overrides of direction, what Unicode calls default ignorable (zero
 * width, fillers, variation selectors, tags), and noncharacters.
 */
int pz_is_hidden(long point);

/* Appends a value (a name, a path, a status): each character is kept or
   escaped, so that even a space at the end is told. */
PZ_MUST_USE enum pz_status
pz_show_value(struct pz_buf *out, struct pz_slice text);

/* Appends a sentence: white space, line ends and control characters become one
   space, none is left at the ends; what is not UTF-8 is '?'; the rest is as
   above. It is cut to 'most' bytes at a whole character. */
PZ_MUST_USE enum pz_status
pz_show_prose(struct pz_buf *out, struct pz_slice text, size_t most);

/* Appends a JSON string with its quotes, whose reader gets the text back:
   hidden characters as \uXXXX, bytes that are not UTF-8 as \ufffd. */
PZ_MUST_USE enum pz_status
pz_show_json(struct pz_buf *out, struct pz_slice text);

#endif
