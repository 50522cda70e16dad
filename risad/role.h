/*
 * Roles: the three that every tenant has, and the rights that a role gives.
 * Those of a tenant's own are numbers from ROLE_CUSTOM on; what they are
 * called and what they may is storage's to know.  Pure.
 */
#ifndef ROLE_H
#define ROLE_H

#include <stdint.h>

#include "risad.h"

/* How rights are called by pages and by risactl; bit i is RIGHT_* 1 << i. */
extern const char *const	 right_names[RIGHTS];

/* The name of one bit, or "?". */
const char	*right_name(uint8_t right);
/* Can it be a role's number at all? */
int		 role_valid(uint8_t role);
/* "member", "admin", "guest", or NULL for a tenant's own. */
const char	*role_word(uint8_t role);
/* The other way; -1 when it is none of these words. */
int		 role_number(const char *);
/* What one of the three may as long as nobody has said otherwise. */
uint8_t		 role_default(uint8_t role);
/* The rights that can be set of a role at all. */
uint8_t		 role_settable(uint8_t role);

#endif
