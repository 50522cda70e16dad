#include <sys/types.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <endian.h>
#include <string.h>

#include "auth_device.h"
#include "util.h"

#define VERSION		1
#define MAC_LEN		32
#define BODY_LEN	(1 + 4 + 8 + DEVICE_ID)
#define TOKEN_BYTES	(BODY_LEN + MAC_LEN)
#define DAY		86400

static int	 device_mac(uint8_t[MAC_LEN], const uint8_t *, uint32_t,
		    const uint8_t *);

/* The tenant is not in the token: that of the Host is meant. */
static int
device_mac(uint8_t mac[MAC_LEN], const uint8_t *key, uint32_t tenant,
    const uint8_t *body)
{
	uint8_t		 text[4 + BODY_LEN];
	unsigned int	 len;

	tenant = htobe32(tenant);
	memcpy(text, &tenant, sizeof(tenant));
	memcpy(text + sizeof(tenant), body, BODY_LEN);
	if (HMAC(EVP_sha256(), key, DEVICE_KEY, text, sizeof(text), mac,
	    &len) == NULL || len != MAC_LEN)
		return (-1);
	return (0);
}

int
device_write(char dst[MAX_DEVICE + 1], const uint8_t key[DEVICE_KEY],
    uint32_t tenant, const struct device *de)
{
	uint8_t		 token[TOKEN_BYTES], *p = token;
	uint32_t	 user = htobe32(de->de_user);
	uint64_t	 issued = htobe64(de->de_issued);

	*p++ = VERSION;
	memcpy(p, &user, sizeof(user));
	p += sizeof(user);
	memcpy(p, &issued, sizeof(issued));
	p += sizeof(issued);
	memcpy(p, de->de_id, DEVICE_ID);
	p += DEVICE_ID;
	if (device_mac(p, key, tenant, token) == -1)
		return (-1);
	b64url_encode(dst, MAX_DEVICE + 1, token, sizeof(token));
	return (0);
}

int
device_read(struct device *de, const uint8_t key[DEVICE_KEY],
    uint32_t tenant, const char *text, uint64_t now)
{
	uint8_t		 token[TOKEN_BYTES], mac[MAC_LEN];
	const uint8_t	*p = token + 1;

	if (b64url_decode(token, sizeof(token), text) == -1 ||
	    device_mac(mac, key, tenant, token) == -1 ||
	    CRYPTO_memcmp(mac, token + BODY_LEN, MAC_LEN) != 0 ||
	    token[0] != VERSION)
		return (-1);
	memcpy(&de->de_user, p, sizeof(de->de_user));
	p += sizeof(de->de_user);
	memcpy(&de->de_issued, p, sizeof(de->de_issued));
	p += sizeof(de->de_issued);
	memcpy(de->de_id, p, DEVICE_ID);
	de->de_user = be32toh(de->de_user);
	de->de_issued = be64toh(de->de_issued);
	/* A clock that was set back makes none too new. */
	if (now > de->de_issued &&
	    now - de->de_issued > (uint64_t)DEVICE_DAYS * DAY)
		return (-1);
	return (0);
}
