#include <sys/types.h>

#include <endian.h>
#include <string.h>

#include "policy.h"
#include "risad.h"

const struct policy_rule policy_rules[POLICY_KEYS] = {
	[POLICY_LENGTH] = { "password-length", 8, MAX_PASSWORD_CHARS, 8 },
	[POLICY_KINDS] = { "password-kinds", 1, 4, 1 },
};

void
policy_default(struct policy *po)
{
	size_t	 i;

	for (i = 0; i < POLICY_KEYS; i++)
		po->po_value[i] = policy_rules[i].pr_default;
}

enum policy_key
policy_check(const struct policy *po)
{
	size_t	 i;

	for (i = 0; i < POLICY_KEYS; i++)
		if (po->po_value[i] < policy_rules[i].pr_min ||
		    po->po_value[i] > policy_rules[i].pr_max)
			break;
	return ((enum policy_key)i);
}

void
policy_write(const struct policy *po, uint8_t out[POLICY_BYTES])
{
	uint32_t	 n;
	size_t		 i;

	for (i = 0; i < POLICY_KEYS; i++) {
		n = htobe32(po->po_value[i]);
		memcpy(out + i * sizeof(n), &n, sizeof(n));
	}
}

int
policy_read(struct policy *po, const void *data, size_t len)
{
	const uint8_t	*p = data;
	uint32_t	 n;
	size_t		 i;

	policy_default(po);
	if (len > POLICY_BYTES || len % sizeof(n) != 0)
		return (-1);
	for (i = 0; i < len / sizeof(n); i++) {
		memcpy(&n, p + i * sizeof(n), sizeof(n));
		po->po_value[i] = be32toh(n);
	}
	if (policy_check(po) == POLICY_KEYS)
		return (0);
	policy_default(po);
	return (-1);
}
