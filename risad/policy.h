/*
 * The rules of a tenant: numbers with names, bounds and what holds where
 * nothing was set.  Pure.
 */
#ifndef POLICY_H
#define POLICY_H

#include <stddef.h>
#include <stdint.h>

enum policy_key {
	POLICY_LENGTH,		/* characters of a password at least */
	POLICY_KINDS,		/* of upper, lower, digit, other at least */
	POLICY_KEYS
};

struct policy {
	uint32_t	 po_value[POLICY_KEYS];
};

struct policy_rule {
	const char	*pr_name;	/* as risactl and the page call it */
	uint32_t	 pr_min, pr_max, pr_default;
};

extern const struct policy_rule	 policy_rules[POLICY_KEYS];

void	 policy_default(struct policy *);

/* POLICY_KEYS when all values are in bounds, or the first that is not. */
enum policy_key	 policy_check(const struct policy *);

/*
 * As it is stored and sent: for each rule, in the order of their keys, 32 bits
 * big endian.  Whoever wrote fewer of them knew fewer: the rest has its
 * default.  policy_read() returns 0, or -1 for bytes that are no policy of
 * ours; then all is as by default.
 */
#define POLICY_BYTES	((size_t)POLICY_KEYS * 4)
void	 policy_write(const struct policy *, uint8_t out[POLICY_BYTES]);
int	 policy_read(struct policy *, const void *, size_t);

#endif
