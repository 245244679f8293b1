#ifndef LPZ_EXPORT_H
#define LPZ_EXPORT_H
/*
 * The class personalize.export: a CSV file of a dataset, or a pipe that one
 * comes from, in which the ids of a list are looked for.
 */
#include "lpz.h"

#define LPZ_EXPORTED "personalize.export"

/* Registers the class; pushes nothing. */
void lpz_export_class(lua_State *L);

/* core.export{ ids = settled ids, column = name of those that are taken, in any
   case (USER_ID), delimiter = "," | ";" | "|" | "\t", escape = '"' | "\\" }
   -> export
   Without ids nothing is looked for. */
int lpz_export_new(lua_State *L);

#endif
