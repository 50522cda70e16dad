/* network.c: addresses, networks and lists of both families. */

#include <stdlib.h>

#include "network.h"
#include "unit.h"

/* Does the network have the address?  -1: one of them is none. */
static int
has(const char *network, const char *addr)
{
	struct network	 nw;
	uint8_t		 bytes[NETWORK_ADDR];

	if (network_parse(&nw, network) != NETWORK_OK ||
	    network_addr(bytes, addr) == -1)
		return (-1);
	return (network_has(&nw, bytes));
}

static void
test_addresses(void)
{
	static const struct { const char *in, *out; } good[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "::FFFF:c000:0201", "192.0.2.1" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "2001:DB8:0:0::1", "2001:db8::1" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "fe80::1%eth0", "fe80::1" },
		{ "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
		    "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff" },
	};
	static const char *const bad[] = {
		"", " ", "localhost", "192.0.2", "192.0.2.256", "192.0.2.1 ",
		" 192.0.2.1", "192.0.2.1/32", "192.0.2.01", "0x7f.1", "1",
		":::", "2001:db8", "[::1]", "%eth0", "::1::2",
		"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff:0",
		"00000000000000000000000000000000000000000000000000000::1",
	};
	uint8_t	 addr[NETWORK_ADDR];
	char	 text[NETWORK_TEXT];
	size_t	 i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		CHECK_INT(network_addr(addr, good[i].in), 0);
		network_addr_text(text, sizeof(text), addr);
		CHECK_STR(text, good[i].out);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_INT(network_addr(addr, bad[i]), -1);
	network_addr_text(text, 4, addr);
	CHECK_STR(text, "");
}

static void
test_networks(void)
{
	static const struct { const char *in, *out; } good[] = {
		{ "192.0.2.0/24", "192.0.2.0/24" },
		{ "192.0.2.1", "192.0.2.1" },
		{ "192.0.2.1/32", "192.0.2.1" },
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "128.0.0.0/1", "128.0.0.0/1" },
		{ "::ffff:192.0.2.0/120", "192.0.2.0/24" },
		{ "::ffff:0:0/96", "0.0.0.0/0" },
		{ "2001:db8::/32", "2001:db8::/32" },
		{ "2001:db8::1", "2001:db8::1" },
		{ "2001:db8::1/128", "2001:db8::1" },
		{ "::/0", "::/0" },
		{ "::/80", "::/80" },
		{ "8000::/1", "8000::/1" },
	};
	static const struct {
		const char		*in;
		enum network_fault	 why;
	}		 bad[] = {
		{ "", NETWORK_SYNTAX }, { "/8", NETWORK_SYNTAX },
		{ "10.0.0.0/", NETWORK_SYNTAX },
		{ "10.0.0.0/33", NETWORK_SYNTAX },
		{ "10.0.0.0/08", NETWORK_SYNTAX },
		{ "10.0.0.0/-8", NETWORK_SYNTAX },
		{ "10.0.0.0/8/8", NETWORK_SYNTAX },
		{ "10.0.0.0/8 ", NETWORK_SYNTAX },
		{ "10.0.0.0/255.0.0.0", NETWORK_SYNTAX },
		{ "10.0.0.0/99999999999", NETWORK_SYNTAX },
		{ "10.0.0/8", NETWORK_SYNTAX }, { "all", NETWORK_SYNTAX },
		{ "2001:db8::/129", NETWORK_SYNTAX },
		{ "fe80::1%eth0/64", NETWORK_SYNTAX },
		{ "192.0.2.1/24", NETWORK_BITS },
		{ "192.0.2.128/24", NETWORK_BITS },
		{ "0.0.0.1/0", NETWORK_BITS },
		{ "2001:db8::1/64", NETWORK_BITS },
		{ "::1/0", NETWORK_BITS },
		{ "::ffff:0:0/90", NETWORK_BITS },
	};
	struct network	 nw;
	char		 text[NETWORK_TEXT];
	size_t		 i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		CHECK_INT(network_parse(&nw, good[i].in), NETWORK_OK);
		network_text(text, sizeof(text), &nw);
		CHECK_STR(text, good[i].out);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_INT(network_parse(&nw, bad[i].in), bad[i].why);
}

static void
test_has(void)
{
	CHECK_INT(has("192.0.2.0/24", "192.0.2.0"), 1);
	CHECK_INT(has("192.0.2.0/24", "192.0.2.255"), 1);
	CHECK_INT(has("192.0.2.0/24", "::ffff:192.0.2.9"), 1);
	CHECK_INT(has("192.0.2.0/24", "192.0.3.0"), 0);
	CHECK_INT(has("192.0.2.0/24", "192.0.1.255"), 0);
	CHECK_INT(has("192.0.2.128/25", "192.0.2.127"), 0);
	CHECK_INT(has("192.0.2.128/25", "192.0.2.128"), 1);
	CHECK_INT(has("192.0.2.7", "192.0.2.7"), 1);
	CHECK_INT(has("192.0.2.7", "192.0.2.6"), 0);
	CHECK_INT(has("192.0.2.6/31", "192.0.2.7"), 1);
	CHECK_INT(has("192.0.2.6/31", "192.0.2.8"), 0);
	CHECK_INT(has("2001:db8::/33", "2001:db8:7fff::1"), 1);
	CHECK_INT(has("2001:db8::/33", "2001:db8:8000::1"), 0);
	CHECK_INT(has("2001:db8::1", "2001:db8::1"), 1);
	CHECK_INT(has("2001:db8::1", "2001:db8::2"), 0);
	/* All of one family has nothing of the other. */
	CHECK_INT(has("0.0.0.0/0", "192.0.2.1"), 1);
	CHECK_INT(has("0.0.0.0/0", "2001:db8::1"), 0);
	CHECK_INT(has("0.0.0.0/0", "::1"), 0);
	CHECK_INT(has("::/0", "2001:db8::1"), 1);
	CHECK_INT(has("::/0", "192.0.2.1"), 0);
	CHECK_INT(has("::/80", "192.0.2.1"), 0);
	CHECK_INT(has("::/80", "::1"), 1);
}

static void
test_lists(void)
{
	struct networks	 ns, same;
	uint8_t		 v4[NETWORK_ADDR], v6[NETWORK_ADDR];
	char		 bad[NETWORK_TEXT], text[NETWORKS_MAX * 16 + 64];
	char		*back;
	int		 i;

	(void)network_addr(v4, "192.0.2.9");
	(void)network_addr(v6, "2001:db8::9");
	CHECK_INT(networks_parse(&ns, "", NULL, 0), NETWORK_OK);
	CHECK_INT(ns.ns_count, 0);
	CHECK_INT(networks_has(&ns, v4), 0);
	CHECK_INT(networks_allow(&ns, v4), 1);
	CHECK_INT(networks_parse(&ns, "  ,\n ", NULL, 0), NETWORK_OK);
	CHECK_INT(ns.ns_count, 0);

	CHECK_INT(networks_parse(&ns, " 198.51.100.0/24,192.0.2.9\n"
	    "::ffff:203.0.113.0/120 ", NULL, 0), NETWORK_OK);
	CHECK_INT(ns.ns_count, 3);
	CHECK_INT(networks_allow(&ns, v4), 1);
	CHECK_INT(networks_allow(&ns, v6), 0);
	back = networks_text(&ns);
	CHECK_STR(back, "198.51.100.0/24 192.0.2.9 203.0.113.0/24");
	CHECK_INT(networks_parse(&same, back, NULL, 0), NETWORK_OK);
	CHECK(memcmp(&ns, &same, sizeof(ns)) == 0);
	free(back);

	CHECK_INT(networks_parse(&ns, "10.0.0.0/8 192.0.2.1/24 x", bad,
	    sizeof(bad)), NETWORK_BITS);
	CHECK_STR(bad, "192.0.2.1/24");
	CHECK_INT(ns.ns_count, 0);
	CHECK_INT(networks_parse(&ns, "10.0.0.0/8 nowhere", bad, 4),
	    NETWORK_SYNTAX);
	CHECK_STR(bad, "now");
	memset(text, 'a', 200);
	text[200] = '\0';
	CHECK_INT(networks_parse(&ns, text, bad, sizeof(bad)), NETWORK_SYNTAX);
	CHECK_INT(strlen(bad), sizeof(bad) - 1);
	/* 49 bytes of it, but no character is cut. */
	text[0] = '\0';
	for (i = 0; i < 20; i++)
		(void)strlcat(text, "\xe7\xa4\xbe", sizeof(text));
	CHECK_INT(networks_parse(&ns, text, bad, sizeof(bad)), NETWORK_SYNTAX);
	CHECK_INT(strlen(bad), 48);
	CHECK(memcmp(bad, text, 48) == 0);
	CHECK_INT(networks_parse(&ns, "\xe7\xa4\xbe\xe5\x86\x85", bad, 6),
	    NETWORK_SYNTAX);
	CHECK_STR(bad, "\xe7\xa4\xbe");

	text[0] = '\0';
	for (i = 0; i < NETWORKS_MAX; i++)
		(void)snprintf(text + strlen(text), 16, "10.0.0.%d ", i);
	CHECK_INT(networks_parse(&ns, text, NULL, 0), NETWORK_OK);
	CHECK_INT(ns.ns_count, NETWORKS_MAX);
	CHECK_INT(networks_allow(&ns, v4), 0);
	(void)snprintf(text + strlen(text), 16, "192.0.2.9");
	CHECK_INT(networks_parse(&ns, text, bad, sizeof(bad)), NETWORK_MANY);
	CHECK_STR(bad, "192.0.2.9");
	CHECK_INT(ns.ns_count, 0);
}

int
main(void)
{
	test_addresses();
	test_networks();
	test_has();
	test_lists();
	return (unit_end());
}
