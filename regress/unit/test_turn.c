/*
 * turn.c: the relay computes the same password, and nothing else is a secret.
 */

#include "risad.h"
#include "turn.h"
#include "unit.h"

/* The passwords by hmac and base64 of Python. */
static void
test_vectors(void)
{
	static const uint8_t	 salt[TURN_RANDOM] = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	};
	char			 user[TURN_USER], cred[TURN_CRED];
	char			 longest[MAX_TURN_SECRET + 1];

	CHECK_INT(turn_make("between-the-two-of-us", 1764460800, salt, user,
	    cred), 0);
	CHECK_STR(user, "1764460800:AAECAwQFBgcICQoL");
	CHECK_STR(cred, "pxOd9vYaP+gwzwA8IH+0OVP4TQ0=");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	CHECK_INT(turn_make(longest, 1764460800, salt, user, cred), 0);
	CHECK_STR(cred, "UKKERGWmhlNzSSa2k/vnh2TeOrQ=");
}

/* The largest of all numbers fits, and another one is another password. */
static void
test_bounds(void)
{
	uint8_t	 salt[TURN_RANDOM];
	char	 user[TURN_USER], cred[TURN_CRED], other[TURN_CRED];

	memset(salt, 0xff, sizeof(salt));
	CHECK_INT(turn_make("between-the-two-of-us", UINT64_MAX, salt, user,
	    cred), 0);
	CHECK_STR(user, "18446744073709551615:________________");
	CHECK_INT(strlen(cred), TURN_CRED - 1);
	CHECK(sizeof(user) <= MAX_TURN_USER + 1);
	salt[0] = 0;
	CHECK_INT(turn_make("between-the-two-of-us", UINT64_MAX, salt, user,
	    other), 0);
	CHECK(strcmp(cred, other) != 0);
}

static void
test_secrets(void)
{
	static const char *const	 bad[] = {
		"", "fifteen-letters", "with a blank in it",
		"a-tab-\t-is-none-either", "\xe3\x81\x82-not-ascii-but-long",
		"an-end-of-a-line\n", "delete-is-\x7f-no-letter"
	};
	char	 text[MAX_TURN_SECRET + 2];
	size_t	 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_INT(turn_secret_valid(bad[i], strlen(bad[i])), 0);
	memset(text, '~', sizeof(text));
	CHECK_INT(turn_secret_valid(text, MIN_TURN_SECRET), 1);
	CHECK_INT(turn_secret_valid(text, MAX_TURN_SECRET), 1);
	CHECK_INT(turn_secret_valid(text, MAX_TURN_SECRET + 1), 0);
	text[3] = '\0';
	CHECK_INT(turn_secret_valid(text, MIN_TURN_SECRET), 0);
}

int
main(void)
{
	test_vectors();
	test_bounds();
	test_secrets();
	return (unit_end());
}
