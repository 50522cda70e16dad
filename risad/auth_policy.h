/* Which passwords are good enough.  Pure. */
#ifndef AUTH_POLICY_H
#define AUTH_POLICY_H

#include "policy.h"

/*
 * Check a password that somebody of this role wants to have; the FAULT_ bits
 * of what it lacks, but for FAULT_WEAK, which takes more than looking at it.  A
 * character outside of ASCII counts as a symbol, so that a password may be
 * written in any script.
 */
uint8_t	 auth_policy_check(const struct policy *, uint8_t role,
	    const char *password);

#endif
