/* Which passwords are good enough.  Pure. */
#ifndef AUTH_POLICY_H
#define AUTH_POLICY_H

#include <stdint.h>

/* Bounds of what a tenant may ask for. */
#define POLICY_MIN_CHARS	8
#define POLICY_MAX_KINDS	4

struct auth_policy {
	uint32_t	 ap_min;	/* characters, not bytes */
	uint32_t	 ap_kinds;	/* of upper, lower, digit, other */
};

enum auth_fault {
	FAULT_NONE,
	FAULT_TEXT,		/* no UTF-8, or control characters */
	FAULT_SHORT,
	FAULT_LONG,		/* over MAX_PASSWORD_CHARS */
	FAULT_KINDS
};

/* What holds where a tenant has set nothing. */
extern const struct auth_policy	 auth_policy_default;

/*
 * Check a password that somebody wants to have.  A character outside of ASCII
 * counts as a symbol, so that a password may be written in any script.
 */
enum auth_fault	 auth_policy_check(const struct auth_policy *,
		    const char *password);

#endif
