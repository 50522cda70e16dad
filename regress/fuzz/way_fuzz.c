/*
 * Addresses of relays, and what browsers say of their own: a URL of a server,
 * a candidate of ICE, a description in lines of SDP.  Where these pass as the
 * relay's, a second reader finds none of another kind in them.
 *
 * Input: the first byte says which of the three, the rest is the text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "way.h"

#define TRUE_OR_DIE(c)	do { if (!(c)) abort(); } while (0)

int		 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
url(const char *s)
{
	struct way_url	 wu;
	int		 good = way_url(&wu, s) == 0;

	TRUE_OR_DIE(!good || wu.wu_port != 0);
	TRUE_OR_DIE(!good || wu.wu_relay || !wu.wu_tls);
	TRUE_OR_DIE(!way_fits(s, WAY_443) || (good && wu.wu_tls &&
	    wu.wu_port == 443));
	TRUE_OR_DIE(!way_fits(s, WAY_RELAY) || wu.wu_relay);
}

/* The eighth word, what kind of candidate it is, is "relay". */
static int
eighth(const char *s, size_t len)
{
	char	*copy, *word = NULL, *last;
	int	 i, same;

	TRUE_OR_DIE((copy = strndup(s, len)) != NULL);
	for (i = 0; i < 8; i++)
		word = strtok_r(i == 0 ? copy : NULL, " ", &last);
	same = word != NULL && strcmp(word, "relay") == 0;
	free(copy);
	return (same);
}

/* Each line of candidates says so. */
static void
lines(const char *s)
{
	size_t	 len;

	for (; *s != '\0'; s += len + (s[len] != '\0')) {
		len = strcspn(s, "\r\n");
		TRUE_OR_DIE(strncasecmp(s, "a=candidate:", 12) != 0 ||
		    eighth(s, len));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	*s;

	if (size == 0)
		return (0);
	TRUE_OR_DIE((s = malloc(size)) != NULL);
	memcpy(s, data + 1, size - 1);
	s[size - 1] = '\0';
	switch (data[0] % 3) {
	case 0:
		url(s);
		break;
	case 1:
		if (way_relays(s))
			TRUE_OR_DIE(*s == '\0' || eighth(s, strlen(s)));
		break;
	default:
		if (way_sdp_relays(s))
			lines(s);
		break;
	}
	free(s);
	return (0);
}
