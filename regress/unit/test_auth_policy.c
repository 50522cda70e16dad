/* auth_policy.c: the rules that the check sheet promises, at their edges. */

#include "auth_policy.h"
#include "risad.h"
#include "unit.h"

static const struct auth_policy	 strict = { 12, 3 };

/* A text of n times the same character. */
static const char *
times(const char *c, size_t n)
{
	static char	 buf[MAX_PASSWORD + 64];
	size_t		 i, len = strlen(c);

	for (i = 0; i < n; i++)
		memcpy(buf + i * len, c, len);
	buf[n * len] = '\0';
	return (buf);
}

static void
test_length(void)
{
	const struct auth_policy	*ap = &auth_policy_default;

	CHECK_INT(auth_policy_check(ap, ""), FAULT_SHORT);
	CHECK_INT(auth_policy_check(ap, times("a", 7)), FAULT_SHORT);
	CHECK_INT(auth_policy_check(ap, times("a", 8)), FAULT_NONE);
	CHECK_INT(auth_policy_check(ap, times("a", 128)), FAULT_NONE);
	CHECK_INT(auth_policy_check(ap, times("a", 129)), FAULT_LONG);
	/* Characters count, not bytes. */
	CHECK_INT(auth_policy_check(ap, times("\xe3\x81\x82", 7)),
	    FAULT_SHORT);
	CHECK_INT(auth_policy_check(ap, times("\xe3\x81\x82", 8)), FAULT_NONE);
	CHECK_INT(auth_policy_check(ap, times("\xf0\x9f\x90\x88", 128)),
	    FAULT_NONE);
	CHECK_INT(auth_policy_check(ap, times("\xf0\x9f\x90\x88", 129)),
	    FAULT_LONG);
	CHECK_INT(auth_policy_check(&strict, "Abcdefgh123"), FAULT_SHORT);
	CHECK_INT(auth_policy_check(&strict, "Abcdefgh1234"), FAULT_NONE);
}

static void
test_kinds(void)
{
	CHECK_INT(auth_policy_check(&auth_policy_default, "12345678"),
	    FAULT_NONE);
	CHECK_INT(auth_policy_check(&auth_policy_default, "        "),
	    FAULT_NONE);
	CHECK_INT(auth_policy_check(&strict, "abcdefghijkl"), FAULT_KINDS);
	CHECK_INT(auth_policy_check(&strict, "abcdefghijkL"), FAULT_KINDS);
	CHECK_INT(auth_policy_check(&strict, "abcdefghij1L"), FAULT_NONE);
	CHECK_INT(auth_policy_check(&strict, "abcdefghij1-"), FAULT_NONE);
	CHECK_INT(auth_policy_check(&strict, "ABCDEFGHIJ1-"), FAULT_NONE);
	CHECK_INT(auth_policy_check(&strict, "abcdefghij1\xe3\x81\x82"),
	    FAULT_NONE);
	CHECK_INT(auth_policy_check(&strict, "@[`{/:@[`{/:"), FAULT_KINDS);
}

static void
test_text(void)
{
	const struct auth_policy	*ap = &auth_policy_default;

	CHECK_INT(auth_policy_check(ap, "abcdefg\xff"), FAULT_TEXT);
	CHECK_INT(auth_policy_check(ap, "abcdefgh\xe3\x81"), FAULT_TEXT);
	CHECK_INT(auth_policy_check(ap, "abcdefgh\n"), FAULT_TEXT);
	CHECK_INT(auth_policy_check(ap, "abcdefgh\x1f"), FAULT_TEXT);
	CHECK_INT(auth_policy_check(ap, "abcdefgh\x7f"), FAULT_TEXT);
	CHECK_INT(auth_policy_check(ap, "abcdefgh\xc2\x85"), FAULT_TEXT);
	CHECK_INT(auth_policy_check(ap, "abcdefgh\xc2\xa0"), FAULT_NONE);
}

int
main(void)
{
	test_length();
	test_kinds();
	test_text();
	return (unit_end());
}
