/* Rules for passwords. */

#include <sys/types.h>

#include <string.h>

#include "auth_policy.h"
#include "risad.h"
#include "utf8.h"

#define KIND_UPPER	0x01
#define KIND_LOWER	0x02
#define KIND_DIGIT	0x04
#define KIND_OTHER	0x08

static unsigned int	 policy_kind(unsigned char);
static uint32_t		 policy_kinds(const char *);
static int		 policy_control(const char *);

/* By number, since the answer of isupper(3) depends on the locale. */
static unsigned int
policy_kind(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return (KIND_UPPER);
	if (c >= 'a' && c <= 'z')
		return (KIND_LOWER);
	if (c >= '0' && c <= '9')
		return (KIND_DIGIT);
	return (KIND_OTHER);
}

static uint32_t
policy_kinds(const char *password)
{
	unsigned int	 seen = 0;
	uint32_t	 n = 0;

	for (; *password != '\0'; password++)
		seen |= policy_kind((unsigned char)*password);
	for (; seen != 0; seen >>= 1)
		n += seen & 1;
	return (n);
}

/* C0, DEL, and C1, which is 0xc2 0x80 to 0xc2 0x9f in UTF-8. */
static int
policy_control(const char *password)
{
	const unsigned char	*p = (const unsigned char *)password;

	for (; *p != '\0'; p++)
		if (*p < 0x20 || *p == 0x7f ||
		    (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f))
			return (1);
	return (0);
}

uint8_t
auth_policy_check(const struct policy *po, uint8_t role, const char *password)
{
	ssize_t	 chars;
	uint8_t	 faults = 0;

	if ((chars = utf8_length(password, strlen(password))) == -1 ||
	    policy_control(password))
		return (FAULT_TEXT);
	if ((size_t)chars < policy_length(po, role))
		faults |= FAULT_SHORT;
	if (chars > MAX_PASSWORD_CHARS)
		faults |= FAULT_LONG;
	if (policy_kinds(password) < po->po_value[POLICY_KINDS])
		faults |= FAULT_KINDS;
	return (faults);
}
