#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "way.h"

#define PORT_PLAIN	3478		/* of STUN and TURN; RFC 8489, 8656 */
#define PORT_TLS	5349
#define PORT_HTTPS	443

const char *const	 way_words[WAY_MAX] = {
	"tenant", "direct", "relay", "443"
};

const char *
way_word(uint8_t way)
{
	return (way < WAY_MAX ? way_words[way] : "?");
}

int
way_number(const char *s)
{
	int	 i;

	for (i = 0; i < WAY_MAX; i++)
		if (strcmp(way_words[i], s) == 0)
			return (i);
	return (-1);
}

static int
host_char(char c)
{
	return ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-');
}

/* A name of labels, or an IPv4 address: both are labels with dots between. */
static int
labels_valid(const char *s, size_t len)
{
	size_t	 i, label = 0;

	for (i = 0; i < len; i++) {
		if (s[i] == '.') {
			if (label == 0 || s[i - 1] == '-')
				return (0);
			label = 0;
		} else if (!host_char(s[i]) || ++label > 63 ||
		    (s[i] == '-' && label == 1))
			return (0);
	}
	return (label > 0 && s[len - 1] != '-');
}

/* Past the host, or NULL. */
static const char *
skip_host(const char *s)
{
	struct in6_addr	 in6;
	char		 text[INET6_ADDRSTRLEN];
	size_t		 len;

	if (*s != '[') {
		len = strcspn(s, ":?");
		return (labels_valid(s, len) ? s + len : NULL);
	}
	len = strcspn(++s, "]");
	if (s[len] != ']' || len >= sizeof(text))
		return (NULL);
	memcpy(text, s, len);
	text[len] = '\0';
	return (inet_pton(AF_INET6, text, &in6) == 1 ? s + len + 1 : NULL);
}

/* Past ":PORT", if that stands here; or NULL. */
static const char *
skip_port(const char *s, uint16_t *port)
{
	char		 digits[6];
	const char	*errstr;
	size_t		 len;

	if (*s != ':')
		return (s);
	len = strspn(++s, "0123456789");
	if (len == 0 || len >= sizeof(digits))
		return (NULL);
	memcpy(digits, s, len);
	digits[len] = '\0';
	*port = (uint16_t)strtonum(digits, 1, UINT16_MAX, &errstr);
	return (errstr == NULL ? s + len : NULL);
}

int
way_url(struct way_url *wu, const char *url)
{
	static const struct {
		const char	*scheme;
		int		 relay, tls;
	}		 kinds[] = {
		{ "stun:", 0, 0 }, { "turn:", 1, 0 }, { "turns:", 1, 1 }
	};
	const char	*s = NULL;
	size_t		 i, len;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && s == NULL; i++) {
		len = strlen(kinds[i].scheme);
		if (strncmp(url, kinds[i].scheme, len) != 0)
			continue;
		wu->wu_relay = kinds[i].relay;
		wu->wu_tls = wu->wu_tcp = kinds[i].tls;
		wu->wu_port = kinds[i].tls ? PORT_TLS : PORT_PLAIN;
		s = url + len;
	}
	if (s == NULL || strlen(url) > MAX_TURN_URL ||
	    (s = skip_host(s)) == NULL ||
	    (s = skip_port(s, &wu->wu_port)) == NULL)
		return (-1);
	if (*s == '\0')
		return (0);
	if (!wu->wu_relay)
		return (-1);
	wu->wu_tcp = strcmp(s, "?transport=tcp") == 0;
	return (wu->wu_tcp || strcmp(s, "?transport=udp") == 0 ? 0 : -1);
}

#define CANDIDATE	"candidate:"
#define SDP_RELAYS	16		/* addresses of relays in one */

/*
 * The next word of a line, cut if it is long; NULL where there is none.  One
 * space is between two, as browsers count them: two have an empty word there.
 */
static const char *
next_word(const char *s, const char *end, char word[64])
{
	size_t	 n;

	if (s < end && *s == ' ')
		s++;
	for (n = 0; s < end && *s != ' '; s++)
		if (n < 63)
			word[n++] = *s;
	word[n] = '\0';
	return (n > 0 ? s : NULL);
}

/*
 * foundation, component, transport, priority, address, port, "typ relay"; then
 * pairs, of which raddr is where the relay sees its owner, if that is not kept
 * back.  The address is given out where it is one.
 */
static int
line_relays(const char *s, const char *end, char address[64])
{
	char	 word[64], value[64];
	int	 i;

	if (s < end && *s == ' ')
		return (0);
	for (i = 0; i < 6; i++) {
		if ((s = next_word(s, end, word)) == NULL)
			return (0);
		if (i == 4)
			memcpy(address, word, sizeof(word));
	}
	if ((s = next_word(s, end, word)) == NULL || strcmp(word, "typ") != 0 ||
	    (s = next_word(s, end, word)) == NULL ||
	    strcmp(word, "relay") != 0)
		return (0);
	while (s < end) {
		if ((s = next_word(s, end, word)) == NULL ||
		    (s = next_word(s, end, value)) == NULL)
			return (0);
		if (strcasecmp(word, "typ") == 0)
			return (0);	/* who would take the second one? */
		if (strcasecmp(word, "raddr") == 0 &&
		    strcmp(value, "0.0.0.0") != 0 && strcmp(value, "::") != 0)
			return (0);
	}
	return (1);
}

int
way_relays(const char *candidate)
{
	const char	*end = candidate + strlen(candidate);
	char		 address[64];

	if (candidate == end)
		return (1);
	if (strncmp(candidate, "a=", 2) == 0)
		candidate += 2;
	/* One line, and no other behind it. */
	return (strncmp(candidate, CANDIDATE, strlen(CANDIDATE)) == 0 &&
	    candidate[strcspn(candidate, "\r\n")] == '\0' &&
	    line_relays(candidate + strlen(CANDIDATE), end, address));
}

/* The address of "c=", "o=" or "a=rtcp:", behind "IN" and its kind. */
static int
line_address(const char *s, const char *end, char address[64])
{
	char	 word[64];

	if (strncasecmp(s, "c=IN ", 5) == 0)
		s += 2;
	else if (strncasecmp(s, "o=", 2) != 0 &&
	    strncasecmp(s, "a=rtcp:", 7) != 0)
		return (0);
	address[0] = '\0';
	if (memmem(s, (size_t)(end - s), "  ", 2) != NULL)
		return (1);	/* whatever a browser makes of it */
	do {
		if ((s = next_word(s, end, word)) == NULL)
			return (0);
	} while (strcmp(word, "IN") != 0);
	if ((s = next_word(s, end, word)) == NULL ||
	    next_word(s, end, address) == NULL)
		return (0);
	address[strcspn(address, "/")] = '\0';
	return (1);
}

/* Says it nothing, or what a candidate of the relay says already? */
static int
address_known(const char *address, char relays[][64], size_t n)
{
	static const char *const	 nowhere[] = {
		"0.0.0.0", "::", "127.0.0.1", "::1"
	};
	size_t				 i;

	for (i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
		if (strcmp(address, nowhere[i]) == 0)
			return (1);
	for (i = 0; i < n; i++)
		if (strcmp(address, relays[i]) == 0)
			return (1);
	return (0);
}

/* The next line of a description; *end is where the one before has ended. */
static const char *
next_line(const char **end)
{
	const char	*s = *end + strspn(*end, "\r\n");

	*end = s + strcspn(s, "\r\n");
	return (*s == '\0' ? NULL : s);
}

/*
 * The addresses that the candidates of a description name, each once; -1 if one
 * is no relay's, or there are more than a browser has.
 */
static int
sdp_relays(const char *sdp, char relays[SDP_RELAYS][64])
{
	const char	*s, *end = sdp;
	int		 n = 0;

	while ((s = next_line(&end)) != NULL) {
		if (strncasecmp(s, "a=" CANDIDATE, strlen("a=" CANDIDATE)) != 0)
			continue;
		if (n == SDP_RELAYS || !line_relays(s +
		    strlen("a=" CANDIDATE), end, relays[n]))
			return (-1);
		if (!address_known(relays[n], relays, (size_t)n))
			n++;
	}
	return (n);
}

int
way_sdp_relays(const char *sdp)
{
	const char	*s, *end = sdp;
	char		 relays[SDP_RELAYS][64], address[64];
	int		 n;

	if ((n = sdp_relays(sdp, relays)) == -1)
		return (0);
	while ((s = next_line(&end)) != NULL)
		if (line_address(s, end, address) &&
		    !address_known(address, relays, (size_t)n))
			return (0);
	return (1);
}

int
way_fits(const char *url, enum talk_way way)
{
	struct way_url	 wu;

	if (way_url(&wu, url) == -1)
		return (0);
	switch (way) {
	case WAY_DIRECT:
		return (1);
	case WAY_RELAY:
		return (wu.wu_relay);
	case WAY_443:
		return (wu.wu_tls && wu.wu_tcp && wu.wu_port == PORT_HTTPS);
	default:
		return (0);
	}
}
