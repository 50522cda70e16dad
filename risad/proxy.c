#include <string.h>

#include "proxy.h"

#define SIGNATURE	12
#define VERSION		0x20
#define CMD_LOCAL	(VERSION | 0x00)
#define CMD_PROXY	(VERSION | 0x01)
#define FAM_UNSPEC	0x00
#define FAM_TCP4	0x11
#define FAM_TCP6	0x21
#define LEN_TCP4	12	/* two addresses, two ports */
#define LEN_TCP6	36
#define TLV_HEAD	3	/* type, length */

/* No text and no TLS record begins with it. */
static const uint8_t	 signature[SIGNATURE] = {
	'\r', '\n', '\r', '\n', '\0', '\r', '\n', 'Q', 'U', 'I', 'T', '\n'
};

size_t
proxy_length(const uint8_t *p, size_t len)
{
	size_t	 body;

	if (memcmp(p, signature, len < SIGNATURE ? len : SIGNATURE) != 0)
		return (0);
	if (len > SIGNATURE && p[SIGNATURE] != CMD_LOCAL &&
	    p[SIGNATURE] != CMD_PROXY)
		return (0);
	if (len < PROXY_HEAD)
		return (PROXY_HEAD);
	body = (size_t)p[14] << 8 | p[15];
	return (body > PROXY_BODY ? 0 : PROXY_HEAD + body);
}

/* What else the proxy says: not for us, but it must be whole. */
static int
tlvs_whole(const uint8_t *p, size_t len)
{
	size_t	 n;

	while (len > 0) {
		if (len < TLV_HEAD)
			return (0);
		n = TLV_HEAD + ((size_t)p[1] << 8 | p[2]);
		if (n > len)
			return (0);
		p += n;
		len -= n;
	}
	return (1);
}

enum proxy_result
proxy_parse(const uint8_t *p, size_t len, uint8_t addr[NETWORK_ADDR])
{
	static const uint8_t	 mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t		*body = p + PROXY_HEAD;
	size_t			 want = proxy_length(p, len), need;

	if (want == 0)
		return (PROXY_BAD);
	if (len < PROXY_HEAD || len < want)
		return (PROXY_MORE);
	/* Of its own, to see whether we live: the rest means nothing then. */
	if (p[SIGNATURE] == CMD_LOCAL)
		return (PROXY_LOCAL);
	switch (p[13]) {
	case FAM_UNSPEC:
		return (PROXY_LOCAL);
	case FAM_TCP4:
		need = LEN_TCP4;
		break;
	case FAM_TCP6:
		need = LEN_TCP6;
		break;
	default:
		return (PROXY_BAD);
	}
	want -= PROXY_HEAD;
	if (want < need || !tlvs_whole(body + need, want - need))
		return (PROXY_BAD);
	if (p[13] == FAM_TCP4) {
		memcpy(addr, mapped, sizeof(mapped));
		memcpy(addr + sizeof(mapped), body, 4);
	} else
		memcpy(addr, body, NETWORK_ADDR);
	return (PROXY_ADDR);
}
