#ifndef PZ_MODEL_H
#define PZ_MODEL_H
/*
 * Operations as static tables: shapes, limits, patterns, error names
 * (botocore's service-2.json of Amazon Personalize, API version 2018-05-22,
 * August 2026). Those on data deletion jobs and tags are complete. Of those
 * that only read what else there is, the inputs are complete, and the outputs
 * have the members that somebody here looks at.
 *
 * Whoever adds an operation adds it here and nowhere else. Refuses to know
 * how values arrive (Lua tables) or leave (JSON), and the names of operations
 * that it does not describe: pz_names has those.
 */
#include "pz_buf.h"

enum pz_kind {
    PZ_STRING,
    PZ_INTEGER,
    PZ_BOOLEAN,
    PZ_TIMESTAMP, /* seconds since 1970, with a fraction */
    PZ_LIST,
    PZ_STRUCTURE
};

struct pz_member;

struct pz_shape {
    const char *name;
    enum pz_kind kind;
    long min, max;       /* code points, elements or value; max 0: no limit */
    const char *pattern; /* as AWS writes it; NULL: none */
    /* What 'pattern' says; see below. A text of an input that has neither limit
       nor pattern is one that the service gave. */
    int (*matches)(struct pz_slice text);
    const struct pz_shape *element;       /* of a list */
    const struct pz_member *members;      /* of a structure */
    size_t member_count;
    int is_tags; /* a list of Tag, which may be given as { key = value } */
};

struct pz_member {
    const char *name;
    const struct pz_shape *shape;
    int required; /* in an answer: without it the answer is no answer */
};

struct pz_operation {
    const char *name;
    const struct pz_shape *input, *output;
    const char *const *errors; /* NULL-ended, without those of every service */
};

/*
 * The matchers refuse only what the service would: of tags, whose pattern
 * uses Unicode classes, only the ASCII characters are judged; where '.'
 * excludes line ends, only CR and LF are refused.
 */

const struct pz_operation *pz_operations(size_t *count);
/* NULL when it is not described here. */
const struct pz_operation *pz_operation_find(struct pz_slice name);
/* NULL when there is none. */
const struct pz_member *pz_member_find(const struct pz_shape *structure,
                                       struct pz_slice name);
/* The member's name that was most likely meant, or NULL. */
const char *pz_member_nearest(const struct pz_shape *structure,
                              struct pz_slice name);

#endif
