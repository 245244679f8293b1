#ifndef PZ_INI_H
#define PZ_INI_H
/*
 * The files that AWS's tools share, ~/.aws/config and ~/.aws/credentials:
 * one text, read section by section and property by property. The grammar is
 * that of AWS's SDKs: a '#' after a space ends a value, a section given twice
 * is one section. Where the SDKs have no rule it is the AWS CLI's: names in
 * quotes, letters beyond ASCII, files that are indented, and lines that are
 * all comment wherever they begin.
 *
 * A line goes on with the property before it if it begins further in than that
 * one did.
 *
 * Knows the grammar; refuses to know what a key means, where the files lie
 * and how two of them are merged.
 */
#include "pz_buf.h"

/* No longer text is read: such a file is not one of these. */
#define PZ_INI_MAX ((size_t)4 << 20)

enum pz_ini_file { PZ_INI_CONFIG, PZ_INI_CREDENTIALS };

enum pz_ini_section {
    /* Of no kind that counts here, wrongly named, or a [default] beside a
       [profile default]. Its properties are checked, but not told. */
    PZ_INI_IGNORED,
    PZ_INI_PROFILE,
    PZ_INI_SSO_SESSION,
    PZ_INI_SERVICES
};

enum pz_ini_event { PZ_INI_SECTION_EVENT, PZ_INI_PROPERTY_EVENT, PZ_INI_END };

/* The reader and, after each step, what it has found. */
struct pz_ini {
    /* The section it is in. A section may come more than once. */
    enum pz_ini_section section;
    struct pz_slice name; /* without prefix and quotes; of an ignored one all
                             that is between the brackets */
    /* At PZ_INI_PROPERTY_EVENT, borrowed from the buffer of the step: the key
       in lower case; the value's lines trimmed and joined by LF. Where
       sub-properties follow, it begins with LF. */
    struct pz_slice key, value;
    /* Where that begins, or where the error is; counted from 1. */
    unsigned long line;
    const char *error; /* a constant text without any of the file's */

    struct pz_slice text;
    size_t at;
    unsigned long lines; /* taken so far */
    enum pz_ini_file file;
    int in_section, in_property, has_default;
    size_t indent; /* of the property that it is in */
    char unquoted[258]; /* a name that had quotes */
};

/* 'text' is borrowed until the last step. */
void pz_ini_start(struct pz_ini *ini, struct pz_slice text,
                  enum pz_ini_file file);
/*
 * One step. PZ_EINVAL with 'error' and 'line' set where the text is malformed,
 * then and at each further step. 'room' is overwritten with key and value,
 * which may be secret; the mark is the caller's to set.
 */
PZ_MUST_USE enum pz_status
pz_ini_next(struct pz_ini *ini, enum pz_ini_event *event, struct pz_buf *room);

/*
 * Takes the next sub-property off 'value', which afterwards is the rest; the
 * slices are borrowed from it. *found is 0 at its end. PZ_EINVAL where a line
 * is none, which no value out of a reader has, or the value has words of its
 * own before the first LF.
 */
PZ_MUST_USE enum pz_status
pz_ini_sub(struct pz_slice *value, int *found, struct pz_slice *sub_name,
           struct pz_slice *sub_value);

#endif
