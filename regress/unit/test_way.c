/* way.c: words of ways, URLs of servers, and which of them a way allows. */

#include "risad.h"
#include "unit.h"
#include "way.h"

static void
test_words(void)
{
	uint8_t	 way;

	for (way = 0; way < WAY_MAX; way++)
		CHECK_INT(way_number(way_word(way)), way);
	CHECK_STR(way_word(WAY_MAX), "?");
	CHECK_INT(way_number("?"), -1);
	CHECK_INT(way_number(""), -1);
	CHECK_INT(way_number("Relay"), -1);
}

/* What each says, and for which ways it is good: direct, relay, 443. */
static void
test_good(void)
{
	static const struct {
		const char	*url;
		int		 relay, tls, tcp;
		uint16_t	 port;
		int		 fits[3];
	} t[] = {
		{ "stun:a", 0, 0, 0, 3478, { 1, 0, 0 } },
		{ "stun:turn.office.example:19302", 0, 0, 0, 19302,
		    { 1, 0, 0 } },
		{ "stun:192.0.2.20:443", 0, 0, 0, 443, { 1, 0, 0 } },
		{ "turn:a.example", 1, 0, 0, 3478, { 1, 1, 0 } },
		{ "turn:a.example?transport=udp", 1, 0, 0, 3478,
		    { 1, 1, 0 } },
		{ "turn:a.example:80?transport=tcp", 1, 0, 1, 80,
		    { 1, 1, 0 } },
		{ "turn:a.example:443?transport=tcp", 1, 0, 1, 443,
		    { 1, 1, 0 } },
		{ "turn:[2001:db8::1]:443", 1, 0, 0, 443, { 1, 1, 0 } },
		{ "turns:a-b.example", 1, 1, 1, 5349, { 1, 1, 0 } },
		{ "turns:a.example:443", 1, 1, 1, 443, { 1, 1, 1 } },
		{ "turns:[::1]:443?transport=tcp", 1, 1, 1, 443,
		    { 1, 1, 1 } },
		{ "turns:a.example:443?transport=udp", 1, 1, 0, 443,
		    { 1, 1, 0 } },
		{ "turns:a.example:65535", 1, 1, 1, 65535, { 1, 1, 0 } },
	};
	struct way_url	 wu;
	size_t		 i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		CHECK_INT(way_url(&wu, t[i].url), 0);
		CHECK_INT(wu.wu_relay, t[i].relay);
		CHECK_INT(wu.wu_tls, t[i].tls);
		CHECK_INT(wu.wu_tcp, t[i].tcp);
		CHECK_INT(wu.wu_port, t[i].port);
		CHECK_INT(way_fits(t[i].url, WAY_DIRECT), t[i].fits[0]);
		CHECK_INT(way_fits(t[i].url, WAY_RELAY), t[i].fits[1]);
		CHECK_INT(way_fits(t[i].url, WAY_443), t[i].fits[2]);
		CHECK_INT(way_fits(t[i].url, WAY_TENANT), 0);
	}
}

static void
test_bad(void)
{
	static const char *const	 bad[] = {
		"", "turn", "turn:", "stun:", "turn:?transport=udp",
		"turn::3478", "http://a.example", "TURN:a.example",
		"turn://a.example", "turn:a b", "turn:a.example:",
		"turn:a.example:0", "turn:a.example:65536",
		"turn:a.example:99999999999999999999", "turn:a.example:1x",
		"turn:a.example?transport=sctp", "turn:a.example?transport=",
		"turn:a.example?", "turn:a.example?transport=udp&x",
		"stun:a.example?transport=udp", "stuns:a.example",
		"turn:-a.example", "turn:a-.example", "turn:a..b",
		"turn:.a", "turn:a.", "turn:a-", "turn:a\"b", "turn:[::1",
		"turn:[1.2.3.4]", "turn:[g::1]", "turn:[]", "turn:[::1]x",
		"turn:user@a.example", "turn:a_b.example",
		"turn:\xe3\x81\x82.example"
	};
	struct way_url	 wu;
	char		 text[MAX_TURN_URL + 2];
	size_t		 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_INT(way_url(&wu, bad[i]), -1);
		CHECK_INT(way_fits(bad[i], WAY_DIRECT), 0);
	}
	/* As long as a URL may be, and longer by one; a label likewise. */
	memset(text, 'a', sizeof(text));
	memcpy(text, "turn:", 5);
	for (i = 50; i < MAX_TURN_URL; i += 50)
		text[i] = '.';
	text[MAX_TURN_URL] = '\0';
	CHECK_INT(way_url(&wu, text), 0);
	text[MAX_TURN_URL] = 'a';
	text[MAX_TURN_URL + 1] = '\0';
	CHECK_INT(way_url(&wu, text), -1);
	memset(text + 5, 'a', 64);
	text[5 + 63] = '\0';
	CHECK_INT(way_url(&wu, text), 0);
	text[5 + 63] = 'a';
	text[5 + 64] = '\0';
	CHECK_INT(way_url(&wu, text), -1);
}

/* Candidates as browsers write them, and as somebody might who wants out. */
static void
test_candidates(void)
{
	static const struct {
		const char	*text;
		int		 relays;
	} t[] = {
		{ "", 1 },
		{ "candidate:1 1 udp 41885439 192.0.2.20 50001 typ relay raddr "
		    "0.0.0.0 rport 0 generation 0 ufrag aB+/ network-cost 999",
		    1 },
		{ "candidate:1 1 udp 41885439 2001:db8::20 50001 typ relay "
		    "raddr :: rport 0", 1 },
		{ "a=candidate:1 1 udp 1 192.0.2.20 50001 typ relay", 1 },
		{ "candidate:1 1 udp 1 192.0.2.20 50001 typ host", 0 },
		{ "candidate:1 1 udp 1 abc.local 50001 typ host", 0 },
		{ "candidate:1 1 udp 1 203.0.113.7 50001 typ srflx raddr "
		    "0.0.0.0 rport 0", 0 },
		{ "candidate:1 1 tcp 1 203.0.113.7 9 typ host tcptype active",
		    0 },
		{ "candidate:1 1 udp 1 192.0.2.20 50001 typ relay raddr "
		    "203.0.113.7 rport 4711", 0 },
		{ "candidate:1 1 udp 1 192.0.2.20 50001 typ relay x y RADDR "
		    "203.0.113.7", 0 },
		{ "candidate:1 1 udp 1 203.0.113.7 50001 typ host typ relay",
		    0 },
		{ "candidate:1 1 udp 1 203.0.113.7 50001 TYP HOST typ relay",
		    0 },
		{ "candidate:1 1 udp 1 203.0.113.7 50001 typ relayed", 0 },
		{ "candidate:1 1 udp 1 203.0.113.7 50001 typ", 0 },
		{ "candidate:typ relay", 0 },
		{ "candidate:1 1 udp 1 192.0.2.20 50001 typ relay odd", 0 },
		{ "candidate:1 1 udp 1 192.0.2.20 50001 typ relay\r\n"
		    "a=candidate:1 1 udp 1 203.0.113.7 9 typ host", 0 },
		{ "Candidate:1 1 udp 1 192.0.2.20 50001 typ relay", 0 },
		{ " candidate:1 1 udp 1 192.0.2.20 50001 typ relay", 0 },
		{ "typ relay", 0 },
	};
	char	 sdp[512];
	size_t	 i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		CHECK_INT(way_relays(t[i].text), t[i].relays);
		if (strncmp(t[i].text, "candidate:", 10) != 0)
			continue;
		(void)snprintf(sdp, sizeof(sdp), "v=0\r\nm=audio 9 x\r\n"
		    "c=IN IP4 0.0.0.0\r\na=%s\r\na=mid:0\r\n", t[i].text);
		CHECK_INT(way_sdp_relays(sdp), t[i].relays);
		(void)snprintf(sdp, sizeof(sdp), "v=0\nA=%s", t[i].text);
		CHECK_INT(way_sdp_relays(sdp), t[i].relays);
	}
	CHECK_INT(way_sdp_relays(""), 1);
	CHECK_INT(way_sdp_relays("v=0\r\na=ice-options:trickle\r\n"), 1);
}

/* The other lines of a description that an address may stand in. */
static void
test_addresses(void)
{
#define RELAY	"a=candidate:1 1 udp 1 192.0.2.20 50001 typ relay\r\n"
	static const struct {
		const char	*sdp;
		int		 relays;
	}	 t[] = {
		{ "o=- 1 2 IN IP4 127.0.0.1\r\nc=IN IP4 0.0.0.0\r\n"
		    "a=rtcp:9 IN IP4 0.0.0.0\r\n", 1 },
		{ "o=x 1 2 IN IP6 ::\nc=IN IP6 ::1\na=rtcp:9\n", 1 },
		{ "c=IN IP4 203.0.113.7\r\n", 0 },
		{ "C=in IP4 203.0.113.7\r\n", 1 },	/* is none */
		{ "C=IN IP4 203.0.113.7\r\n", 0 },
		{ "o=- 1 2 IN IP4 203.0.113.7\r\n", 0 },
		{ "a=rtcp:9 IN IP4 203.0.113.7\r\n", 0 },
		{ "a=RTCP:9  IN  IP4  203.0.113.7", 0 },
		{ "c=IN IP4 192.0.2.20/127\r\n" RELAY, 1 },
		{ "c=IN IP4 192.0.2.20\r\na=rtcp:1 IN IP4 192.0.2.20\r\n"
		    RELAY, 1 },
		{ RELAY "c=IN IP4 192.0.2.20\r\n", 1 },
		{ RELAY "c=IN IP4 192.0.2.2\r\n", 0 },
		{ RELAY "c=IN IP4 192.0.2.200\r\n", 0 },
		{ "c=IN IP4 192.0.2.20\r\n", 0 },
		{ "c=IN\r\nc=\r\no=\r\na=rtcp:\r\nc=IN IP4\r\n", 1 },
	};
	char	 many[2048];
	size_t	 i, len;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		CHECK_INT(way_sdp_relays(t[i].sdp), t[i].relays);
	for (i = len = 0; i < 17; i++) {
		CHECK_INT(way_sdp_relays(i == 0 ? "" : many), 1);
		len += (size_t)snprintf(many + len, sizeof(many) - len,
		    "a=candidate:1 1 udp 1 192.0.2.%zu 9 typ relay\r\n", i);
	}
	CHECK_INT(way_sdp_relays(many), 0);
}

int
main(void)
{
	test_candidates();
	test_addresses();
	test_words();
	test_good();
	test_bad();
	return (unit_end());
}
