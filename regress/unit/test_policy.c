/* policy.c: bounds, names, and bytes of those who knew fewer rules or more. */

#include "policy.h"
#include "risad.h"
#include "unit.h"

static void
test_bounds(void)
{
	struct policy	 po;
	size_t		 i;

	policy_default(&po);
	CHECK_INT(policy_check(&po), POLICY_KEYS);
	/* What the check sheet promises of a tenant that has set nothing. */
	CHECK_INT(po.po_value[POLICY_LENGTH], 8);
	CHECK_INT(po.po_value[POLICY_KINDS], 1);
	for (i = 0; i < POLICY_KEYS; i++) {
		policy_default(&po);
		po.po_value[i] = policy_rules[i].pr_min;
		CHECK_INT(policy_check(&po), POLICY_KEYS);
		po.po_value[i] = policy_rules[i].pr_max;
		CHECK_INT(policy_check(&po), POLICY_KEYS);
		po.po_value[i] = policy_rules[i].pr_max + 1;
		CHECK_INT(policy_check(&po), i);
		if (policy_rules[i].pr_min > 0) {
			po.po_value[i] = policy_rules[i].pr_min - 1;
			CHECK_INT(policy_check(&po), i);
		}
	}
}

static void
test_names(void)
{
	size_t	 i, j;

	for (i = 0; i < POLICY_KEYS; i++)
		for (j = 0; j < i; j++)
			CHECK(strcmp(policy_rules[i].pr_name,
			    policy_rules[j].pr_name) != 0);
}

static void
test_bytes(void)
{
	struct policy	 po, back;
	uint8_t		 buf[POLICY_BYTES + 4];

	memset(buf, 0, sizeof(buf));
	CHECK(POLICY_BYTES <= MAX_POLICY);
	policy_default(&po);
	po.po_value[POLICY_LENGTH] = 12;
	po.po_value[POLICY_KINDS] = 4;
	policy_write(&po, buf);
	CHECK_INT(buf[3], 12);
	CHECK_INT(policy_read(&back, buf, POLICY_BYTES), 0);
	CHECK(memcmp(&po, &back, sizeof(po)) == 0);

	CHECK_INT(policy_read(&back, NULL, 0), 0);
	CHECK_INT(back.po_value[POLICY_LENGTH], 8);
	CHECK_INT(policy_read(&back, buf, 4), 0);
	CHECK_INT(back.po_value[POLICY_LENGTH], 12);
	CHECK_INT(back.po_value[POLICY_KINDS], 1);

	CHECK_INT(policy_read(&back, buf, 3), -1);
	CHECK_INT(policy_read(&back, buf, POLICY_BYTES + 1), -1);
	CHECK_INT(policy_read(&back, buf, POLICY_BYTES + 4), -1);
	buf[3] = 7;
	CHECK_INT(policy_read(&back, buf, POLICY_BYTES), -1);
	CHECK_INT(back.po_value[POLICY_LENGTH], 8);
	CHECK_INT(back.po_value[POLICY_KINDS], 1);
}

int
main(void)
{
	test_bounds();
	test_names();
	test_bytes();
	return (unit_end());
}
