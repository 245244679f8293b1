#ifndef PZ_HOME_H
#define PZ_HOME_H
/*
 * Where users are at home, as the system has it.
 *
 * Knows the system's list of users, which may be elsewhere (LDAP): a look may
 * take its time. Refuses to know variables.
 */
#include "../core/pz_buf.h"

/*
 * Appends the home folder of a user, or of this process's user where 'user' is
 * NULL. Nothing where there is none, or none with an absolute path. Fails for
 * memory only.
 */
PZ_MUST_USE enum pz_status pz_home(struct pz_buf *out, const char *user);

#endif
