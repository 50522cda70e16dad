#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdio.h>
#include <string.h>

#include "risad.h"
#include "turn.h"
#include "util.h"

#define SHA1_LEN	20

int
turn_secret_valid(const char *secret, size_t len)
{
	size_t	 i;

	if (len < MIN_TURN_SECRET || len > MAX_TURN_SECRET)
		return (0);
	for (i = 0; i < len; i++)
		if (secret[i] <= ' ' || secret[i] > '~')
			return (0);
	return (1);
}

int
turn_make(const char *secret, uint64_t until,
    const uint8_t random[TURN_RANDOM], char user[TURN_USER],
    char cred[TURN_CRED])
{
	uint8_t		 mac[SHA1_LEN];
	char		 text[TURN_RANDOM / 3 * 4 + 2];
	unsigned int	 len = sizeof(mac);

	b64url_encode(text, sizeof(text), random, TURN_RANDOM);
	(void)snprintf(user, TURN_USER, "%llu:%s", (unsigned long long)until,
	    text);
	if (HMAC(EVP_sha1(), secret, (int)strlen(secret),
	    (const uint8_t *)user, strlen(user), mac, &len) == NULL ||
	    len != sizeof(mac))
		return (-1);
	(void)EVP_EncodeBlock((uint8_t *)cred, mac, sizeof(mac));
	explicit_bzero(mac, sizeof(mac));
	return (0);
}
