/* auth_policy.c: the rules that the check sheet promises, at their edges. */

#include "auth_policy.h"
#include "risad.h"
#include "unit.h"

static const struct policy	 strict = { .po_value = {
	[POLICY_LENGTH] = 12, [POLICY_KINDS] = 3
} };
static struct policy		 lax;	/* as by default */

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

static uint8_t
check(const struct policy *po, const char *password)
{
	return (auth_policy_check(po, ROLE_MEMBER, password));
}

static void
test_length(void)
{
	CHECK_INT(check(&lax, ""), FAULT_SHORT | FAULT_KINDS);
	CHECK_INT(check(&lax, times("a", 7)), FAULT_SHORT);
	CHECK_INT(check(&lax, times("a", 8)), 0);
	CHECK_INT(check(&lax, times("a", 128)), 0);
	CHECK_INT(check(&lax, times("a", 129)), FAULT_LONG);
	/* Characters count, not bytes. */
	CHECK_INT(check(&lax, times("\xe3\x81\x82", 7)),
	    FAULT_SHORT);
	CHECK_INT(check(&lax, times("\xe3\x81\x82", 8)),
	    0);
	CHECK_INT(check(&lax, times("\xf0\x9f\x90\x88", 128)),
	    0);
	CHECK_INT(check(&lax, times("\xf0\x9f\x90\x88", 129)),
	    FAULT_LONG);
	CHECK_INT(check(&strict, "Abcdefgh123"), FAULT_SHORT);
	CHECK_INT(check(&strict, "Abcdefgh1234"), 0);
}

static void
test_kinds(void)
{
	CHECK_INT(check(&lax, "12345678"),
	    0);
	CHECK_INT(check(&lax, "        "),
	    0);
	CHECK_INT(check(&strict, "abcdefghijkl"), FAULT_KINDS);
	CHECK_INT(check(&strict, "abcdefghijkL"), FAULT_KINDS);
	CHECK_INT(check(&strict, "abcdefghij1L"), 0);
	CHECK_INT(check(&strict, "abcdefghij1-"), 0);
	CHECK_INT(check(&strict, "ABCDEFGHIJ1-"), 0);
	CHECK_INT(check(&strict, "abcdefghij1\xe3\x81\x82"),
	    0);
	CHECK_INT(check(&strict, "@[`{/:@[`{/:"), FAULT_KINDS);
}

static void
test_text(void)
{
	CHECK_INT(check(&lax, "abcdefg\xff"), FAULT_TEXT);
	CHECK_INT(check(&lax, "abcdefgh\xe3\x81"), FAULT_TEXT);
	CHECK_INT(check(&lax, "abcdefgh\n"), FAULT_TEXT);
	CHECK_INT(check(&lax, "abcdefgh\x1f"), FAULT_TEXT);
	CHECK_INT(check(&lax, "abcdefgh\x7f"), FAULT_TEXT);
	CHECK_INT(check(&lax, "abcdefgh\xc2\x85"), FAULT_TEXT);
	CHECK_INT(check(&lax, "abcdefgh\xc2\xa0"), 0);
}

int
main(void)
{
	policy_default(&lax);
	test_length();
	test_kinds();
	test_text();
	return (unit_end());
}
