#ifndef LPZ_INPUT_H
#define LPZ_INPUT_H
/*
 * From a Lua table to JSON, checked on the way; and from a decoded answer to
 * the table a caller gets.
 */
#include "lpz.h"
#include "../core/pz_model.h"

/*
 * Appends the value at 'index' as JSON: along 'shape', or freely where that
 * is NULL. 'validate' asks for lengths and patterns too; types, UTF-8 and
 * required members are always checked. No metamethod runs and no value is
 * ever quoted in a fault.
 *
 * Pushes nil when all is well, else the list of faults
 * { { path =, code =, message = }, ... }. Raises when memory is short; what
 * was appended by then is of no use.
 */
void lpz_write_input(lua_State *L, int index, struct pz_buf *out,
                     const struct pz_shape *shape, int validate);

/*
 * Makes the decoded answer at 'index' what the model says: nulls removed,
 * integers integers, dates numbers. Freely where 'shape' is NULL. Pushes nil
 * when all is well, else a text that says which member is not what it should
 * be.
 */
void lpz_read_output(lua_State *L, int index, const struct pz_shape *shape);

#endif
