#ifndef LPZ_ENDPOINT_H
#define LPZ_ENDPOINT_H
/*
 * Regions, partitions and the URLs of services as functions of
 * personalize.core.
 */
#include "lpz.h"

/* endpoint, is_endpoint, is_region, is_s3_key, partition, pseudo_region,
   s3_path; NULL-ended. */
extern const luaL_Reg lpz_endpoint_functions[];

#endif
