#ifndef PZ_XML_H
#define PZ_XML_H
/*
 * The part of XML in which S3 and STS answer: elements and text. Attributes
 * and processing instructions are checked and skipped, a prefix is cut off a
 * name, a document type is refused: so nothing expands and nothing is
 * fetched. What is cut or not well-formed is no answer.
 *
 * Builds no tree and refuses to know what an element means.
 */
#include "pz_buf.h"

/* Deeper nesting, more elements and longer text are refused: no answer here has
   them, and each element costs whoever makes tables of them. */
enum { PZ_XML_DEPTH = 32, PZ_XML_ELEMENTS = 131072 };
#define PZ_XML_MAX ((size_t)8 << 20)

enum pz_xml_event { PZ_XML_OPEN, PZ_XML_CLOSE, PZ_XML_END };

/* The reader and, after each step, what it has found. */
struct pz_xml {
    struct pz_slice name; /* of the element that opens or closes */
    size_t depth;         /* elements open after the step */
    /* At PZ_XML_CLOSE: has it no element inside? Then what stands between
       its tags, as it came: see pz_xml_text. */
    int is_leaf;
    struct pz_slice raw;
    const char *error; /* a constant text without any of the answer's */

    struct pz_slice text;
    size_t at, elements;
    int seen_root, self_closed;
    struct {
        struct pz_slice tag; /* its name with the prefix */
        size_t start;
        int is_leaf;
    } open[PZ_XML_DEPTH];
};

/* 'text' is borrowed until the last step. */
void pz_xml_start(struct pz_xml *xml, struct pz_slice text);
/* One step. PZ_EINVAL with 'error' set where the text is refused, then and at
   each further step (PZ_ETOOBIG at the element that is one too many); only
   PZ_XML_END says that the text is whole. */
PZ_MUST_USE enum pz_status
pz_xml_next(struct pz_xml *xml, enum pz_xml_event *event);

/* Appends a leaf's text: references and CDATA undone, comments left out, line
   ends as LF, white space kept. */
PZ_MUST_USE enum pz_status
pz_xml_text(struct pz_buf *out, struct pz_slice raw);

/* A leaf that is wanted by its path: "ErrorResponse/Error/Code". */
struct pz_xml_pick {
    const char *path;
    int found;
    struct pz_slice raw;
};

/*
 * PZ_OK when 'text' is one whole document; 'root' is then its root's name.
 * Otherwise PZ_EINVAL, or PZ_ETOOBIG for too many elements, and nothing is
 * found. Of several leaves with the same path the first counts.
 */
PZ_MUST_USE enum pz_status
pz_xml_scan(struct pz_slice text, struct pz_slice *root,
            struct pz_xml_pick *picks, size_t count);

#endif
