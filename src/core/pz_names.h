#ifndef PZ_NAMES_H
#define PZ_NAMES_H
/*
 * The names of all operations of Amazon Personalize, and of the two services
 * beside it that are taken for it (botocore's models of August 2026).
 * Refuses to know what any of them takes: pz_model does, of some.
 */
#include "pz_buf.h"

/* Of Amazon Personalize, in the order of their bytes, NULL-ended. */
const char *const *pz_names(void);

/* The service with an operation of this name, as its endpoints are called
   ("personalize", "personalize-events", "personalize-runtime"), or NULL. */
const char *pz_name_service(struct pz_slice name);

/* The operation of Amazon Personalize that was most likely meant, or NULL. */
const char *pz_name_nearest(struct pz_slice name);

#endif
