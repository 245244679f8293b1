#ifndef PZ_TIME_H
#define PZ_TIME_H
/*
 * Dates as AWS writes them, to and from seconds since 1970 UTC.
 *
 * Knows the proleptic Gregorian calendar; refuses to know what time it is:
 * the clock is the caller's.
 */
#include "pz_buf.h"

enum { PZ_STAMP_LEN = 16 }; /* 20150830T123600Z; its first 8 are the date */

/* Fails (PZ_EINVAL) for NaN and for years outside 1970 to 9999. */
PZ_MUST_USE enum pz_status
pz_time_stamp(char out[PZ_STAMP_LEN + 1], double epoch);

/*
 * Reads 2015-08-30T12:36:00Z, with any fraction. "UTC" may stand in place of
 * Z, as the AWS CLI has written it, or an offset: +01:00 or +0100.
 */
PZ_MUST_USE enum pz_status
pz_time_parse_iso8601(double *epoch, struct pz_slice text);

/* Reads an HTTP date: Sun, 30 Aug 2015 12:36:00 GMT. */
PZ_MUST_USE enum pz_status
pz_time_parse_http(double *epoch, struct pz_slice text);

#endif
