/* Which passwords are good enough.  Pure. */
#ifndef AUTH_POLICY_H
#define AUTH_POLICY_H

#include "policy.h"

enum auth_fault {
	FAULT_NONE,
	FAULT_TEXT,		/* no UTF-8, or control characters */
	FAULT_SHORT,
	FAULT_LONG,		/* over MAX_PASSWORD_CHARS */
	FAULT_KINDS
};

/*
 * Check a password that somebody wants to have.  A character outside of ASCII
 * counts as a symbol, so that a password may be written in any script.
 */
enum auth_fault	 auth_policy_check(const struct policy *,
		    const char *password);

#endif
