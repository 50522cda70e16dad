/* proxy.c: headers that are right, and every way in which one can be wrong. */

#include "proxy.h"
#include "unit.h"

static const char	 sig[] = "\r\n\r\n\0\r\nQUIT\n";

/* A header of a command, a family and a body, which may lie about itself. */
static size_t
make(uint8_t *buf, int command, int family, const void *body, size_t len,
    size_t said)
{
	memcpy(buf, sig, 12);
	buf[12] = (uint8_t)command;
	buf[13] = (uint8_t)family;
	buf[14] = (uint8_t)(said >> 8);
	buf[15] = (uint8_t)said;
	if (len > 0)
		memcpy(buf + PROXY_HEAD, body, len);
	return (PROXY_HEAD + len);
}

static const uint8_t	 tcp4[] = { 192, 0, 2, 1, 198, 51, 100, 1, 0xd4, 0x31,
			    1, 0xbb };
static const uint8_t	 tcp6[36] = { 0x20, 1, 0x0d, 0xb8, [15] = 1,
			    [16] = 0x20, 1, 0x0d, 0xb8, [31] = 2, 0xd4, 0x31,
			    1, 0xbb };

static void
address(const uint8_t *buf, size_t len, const char *want)
{
	uint8_t	 addr[NETWORK_ADDR];
	char	 text[NETWORK_TEXT];

	CHECK_INT(proxy_parse(buf, len, addr), PROXY_ADDR);
	network_addr_text(text, sizeof(text), addr);
	CHECK_STR(text, want);
}

static void
test_good(void)
{
	static const uint8_t	 mapped[36] = { [10] = 0xff, 0xff, 192, 0, 2,
				    7 };
	uint8_t			 buf[PROXY_MAX + 16], body[PROXY_BODY];
	uint8_t			 addr[NETWORK_ADDR];
	size_t			 len;

	len = make(buf, 0x21, 0x11, tcp4, sizeof(tcp4), sizeof(tcp4));
	CHECK_INT(proxy_length(buf, len), len);
	address(buf, len, "192.0.2.1");
	len = make(buf, 0x21, 0x21, tcp6, sizeof(tcp6), sizeof(tcp6));
	address(buf, len, "2001:db8::1");
	len = make(buf, 0x21, 0x21, mapped, sizeof(mapped), sizeof(mapped));
	address(buf, len, "192.0.2.7");
	/* What follows belongs to TLS. */
	len = make(buf, 0x21, 0x11, tcp4, sizeof(tcp4), sizeof(tcp4));
	buf[len] = 0x16;
	CHECK_INT(proxy_length(buf, len + 1), len);
	address(buf, len + 1, "192.0.2.1");

	len = make(buf, 0x20, 0, NULL, 0, 0);
	CHECK_INT(proxy_parse(buf, len, addr), PROXY_LOCAL);
	len = make(buf, 0x20, 0x11, tcp4, sizeof(tcp4), sizeof(tcp4));
	CHECK_INT(proxy_parse(buf, len, addr), PROXY_LOCAL);
	len = make(buf, 0x20, 0xff, tcp4, 5, 5);
	CHECK_INT(proxy_parse(buf, len, addr), PROXY_LOCAL);
	len = make(buf, 0x21, 0, NULL, 0, 0);
	CHECK_INT(proxy_parse(buf, len, addr), PROXY_LOCAL);
	len = make(buf, 0x21, 0, tcp6, sizeof(tcp6), sizeof(tcp6));
	CHECK_INT(proxy_parse(buf, len, addr), PROXY_LOCAL);

	/* TLVs: none, an empty one, two, and as long as they may be. */
	memset(body, 0, sizeof(body));
	memcpy(body, tcp4, sizeof(tcp4));
	body[12] = 4;
	len = make(buf, 0x21, 0x11, body, 15, 15);
	address(buf, len, "192.0.2.1");
	body[14] = 2;
	body[17] = 5;
	len = make(buf, 0x21, 0x11, body, 20, 20);
	address(buf, len, "192.0.2.1");
	body[13] = (uint8_t)((PROXY_BODY - 15) >> 8);
	body[14] = (uint8_t)(PROXY_BODY - 15);
	len = make(buf, 0x21, 0x11, body, PROXY_BODY, PROXY_BODY);
	CHECK_INT(len, PROXY_MAX);
	address(buf, len, "192.0.2.1");
}

/* Cut anywhere it waits; changed anywhere in its head it is none. */
static void
test_cut(void)
{
	uint8_t	 buf[PROXY_MAX], addr[NETWORK_ADDR];
	size_t	 i, len;

	len = make(buf, 0x21, 0x21, tcp6, sizeof(tcp6), sizeof(tcp6));
	for (i = 0; i < len; i++) {
		CHECK_INT(proxy_length(buf, i), i < PROXY_HEAD ? PROXY_HEAD :
		    len);
		CHECK_INT(proxy_parse(buf, i, addr), PROXY_MORE);
	}
	for (i = 0; i < 12; i++) {
		buf[i] ^= 1;
		CHECK_INT(proxy_length(buf, i + 1), 0);
		CHECK_INT(proxy_parse(buf, i + 1, addr), PROXY_BAD);
		CHECK_INT(proxy_parse(buf, len, addr), PROXY_BAD);
		buf[i] ^= 1;
	}
}

static void
test_bad(void)
{
	static const char	 v1[] =
	    "PROXY TCP4 192.0.2.1 198.51.100.1 54321 443\r\n";
	static const uint8_t	 hello[] = { 0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc };
	static const int	 families[] = { 0x01, 0x10, 0x12, 0x13, 0x20,
				    0x22, 0x31, 0x32, 0x41, 0xff };
	uint8_t			 buf[PROXY_MAX + 1], body[64];
	uint8_t			 addr[NETWORK_ADDR];
	size_t			 i, len;

	CHECK_INT(proxy_parse((const uint8_t *)v1, strlen(v1), addr),
	    PROXY_BAD);
	CHECK_INT(proxy_parse((const uint8_t *)v1, 1, addr), PROXY_BAD);
	CHECK_INT(proxy_parse(hello, sizeof(hello), addr), PROXY_BAD);
	CHECK_INT(proxy_parse(hello, 1, addr), PROXY_BAD);
	/* Version and command: two of all. */
	for (i = 0; i < 256; i++) {
		(void)make(buf, (int)i, 0, NULL, 0, 0);
		CHECK_INT(proxy_parse(buf, 13, addr), i == 0x20 || i == 0x21 ?
		    PROXY_MORE : PROXY_BAD);
	}
	for (i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		len = make(buf, 0x21, families[i], tcp6, sizeof(tcp6),
		    sizeof(tcp6));
		CHECK_INT(proxy_parse(buf, len, addr), PROXY_BAD);
	}
	/* Too short for the addresses, too long to wait for. */
	for (i = 0; i < sizeof(tcp4); i++) {
		len = make(buf, 0x21, 0x11, tcp4, i, i);
		CHECK_INT(proxy_parse(buf, len, addr), PROXY_BAD);
	}
	for (i = 0; i < sizeof(tcp6); i++) {
		len = make(buf, 0x21, 0x21, tcp6, i, i);
		CHECK_INT(proxy_parse(buf, len, addr), PROXY_BAD);
	}
	len = make(buf, 0x21, 0x11, NULL, 0, PROXY_BODY + 1);
	CHECK_INT(proxy_length(buf, len), 0);
	CHECK_INT(proxy_parse(buf, len, addr), PROXY_BAD);
	len = make(buf, 0x20, 0, NULL, 0, 0xffff);
	CHECK_INT(proxy_parse(buf, len, addr), PROXY_BAD);

	/* TLVs that are cut, or say more than there is. */
	memset(body, 0, sizeof(body));
	memcpy(body, tcp4, sizeof(tcp4));
	for (i = 13; i < 15; i++) {
		len = make(buf, 0x21, 0x11, body, i, i);
		CHECK_INT(proxy_parse(buf, len, addr), PROXY_BAD);
	}
	body[14] = 1;
	len = make(buf, 0x21, 0x11, body, 15, 15);
	CHECK_INT(proxy_parse(buf, len, addr), PROXY_BAD);
	body[13] = 0xff;
	body[14] = 0xff;
	len = make(buf, 0x21, 0x11, body, 40, 40);
	CHECK_INT(proxy_parse(buf, len, addr), PROXY_BAD);
}

int
main(void)
{
	test_good();
	test_cut();
	test_bad();
	return (unit_end());
}
