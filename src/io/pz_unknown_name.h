#ifndef PZ_UNKNOWN_NAME_H
#define PZ_UNKNOWN_NAME_H
/*
 * Does a host name not exist, or does the resolver not answer? libcurl has
 * one word for both, but only the second is worth another try.
 */
#include "../core/pz_buf.h"

/* 1 when the system's resolver says within 'seconds' that there is no such
   name. A thread asks, since it may take longer; it is left to itself then. */
int pz_unknown_name(struct pz_slice host, double seconds);

#endif
