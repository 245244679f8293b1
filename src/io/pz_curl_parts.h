#ifndef PZ_CURL_PARTS_H
#define PZ_CURL_PARTS_H
/*
 * What the files of pz_curl share, and nobody else sees: pz_curl (the request
 * and the call), pz_curl_session (libcurl's handle and what it calls back),
 * pz_curl_run (the exchange under way), pz_curl_fault (what an outcome means).
 */
#include <curl/curl.h>

#include "pz_curl.h"

/* ---- pz_curl.c --------------------------------------------------------- */

/* Of the request's body. */
unsigned long long pz_curl_length(const struct pz_exchange *request);
/* Does it wait for the peer's 100 before the body goes out? */
int pz_curl_expects(const struct pz_exchange *request);

/* ---- pz_curl_session.c ------------------------------------------------- */

/* How libcurl is set up for the method. */
enum { SHAPE_NONE, SHAPE_PLAIN, SHAPE_HEAD, SHAPE_BODY };
/* And for the proxy. */
enum { PROXY_UNSET, PROXY_ENVIRONMENT, PROXY_GIVEN, PROXY_NEVER };

/* A session of this process, with no stale connection in it. */
CURLcode pz_curl_ready(struct pz_curl *c);
/* Takes back what depends on requests; connections stay. */
CURLcode pz_curl_reset(struct pz_curl *c);
/* Ends the session. */
void pz_curl_drop(struct pz_curl *c);
/* In a forked child: takes it off the parent's connections. */
void pz_curl_unplug(struct pz_curl *c);
/* libcurl's version number, as far as a session was ever made. */
unsigned int pz_curl_runtime(void);
/* Monotonic seconds. */
double pz_curl_moment(void);

/* ---- pz_curl_run.c ----------------------------------------------------- */

/* Makes the exchange, and notes whether anything was sent. */
CURLcode pz_curl_run(struct pz_curl *c);
/* Frees libcurl's handles. */
void pz_curl_free(struct pz_curl *c);

/* ---- pz_curl_fault.c --------------------------------------------------- */

/* The fault of an exchange that was made, or PZ_FAULT_NONE; noted in 'c'. */
enum pz_fault pz_curl_judge(struct pz_curl *c, CURLcode code);
/* A fault of the peer's: before, then host and port, then after. */
enum pz_fault
pz_blame(struct pz_curl *c, enum pz_fault fault, int retryable,
         const char *before, const char *after);
/* The request itself is at fault: no host is to blame. */
enum pz_fault
pz_refuse(struct pz_curl *c, const char *before, const char *what);

#endif
