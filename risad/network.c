#include <sys/socket.h>

#include <netinet/in.h>
#include <arpa/inet.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network.h"

#define BITS	(8 * NETWORK_ADDR)
#define BITS_V4	96		/* of the prefix that IPv4 is mapped into */

#define SPACES	" \t\r\n,"

static const uint8_t	 mapped[BITS_V4 / 8] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
};

static int
is_v4(const uint8_t addr[NETWORK_ADDR])
{
	return (memcmp(addr, mapped, sizeof(mapped)) == 0);
}

/* -1: none; else the bits that come before the family's own. */
static int
addr_parse(uint8_t addr[NETWORK_ADDR], const char *text)
{
	memcpy(addr, mapped, sizeof(mapped));
	if (inet_pton(AF_INET, text, addr + sizeof(mapped)) == 1)
		return (BITS_V4);
	if (inet_pton(AF_INET6, text, addr) == 1)
		return (0);
	return (-1);
}

int
network_addr(uint8_t addr[NETWORK_ADDR], const char *text)
{
	char	 plain[INET6_ADDRSTRLEN];
	size_t	 len = strcspn(text, "%");

	if (len >= sizeof(plain))
		return (-1);
	memcpy(plain, text, len);
	plain[len] = '\0';
	return (addr_parse(addr, plain) == -1 ? -1 : 0);
}

int
network_sockaddr(uint8_t addr[NETWORK_ADDR], const struct sockaddr *sa)
{
	switch (sa->sa_family) {
	case AF_INET:
		memcpy(addr, mapped, sizeof(mapped));
		memcpy(addr + sizeof(mapped), &((const struct sockaddr_in *)
		    (const void *)sa)->sin_addr, 4);
		return (0);
	case AF_INET6:
		memcpy(addr, &((const struct sockaddr_in6 *)
		    (const void *)sa)->sin6_addr, NETWORK_ADDR);
		return (0);
	default:
		return (-1);
	}
}

void
network_addr_text(char *dst, size_t size, const uint8_t addr[NETWORK_ADDR])
{
	if (inet_ntop(is_v4(addr) ? AF_INET : AF_INET6, is_v4(addr) ?
	    addr + sizeof(mapped) : addr, dst, (socklen_t)size) == NULL &&
	    size > 0)
		dst[0] = '\0';
}

/* The digits behind the slash: a number of at most max, or -1. */
static int
bits_parse(const char *s, int max)
{
	int	 n = 0;

	if (*s == '\0' || (s[0] == '0' && s[1] != '\0'))
		return (-1);
	for (; *s >= '0' && *s <= '9'; s++)
		if ((n = n * 10 + (*s - '0')) > max)
			return (-1);
	return (*s == '\0' ? n : -1);
}

/* Are all bits behind the prefix zero? */
static int
bits_clear(const struct network *nw)
{
	unsigned int	 i;

	for (i = nw->nw_bits; i < BITS; i++)
		if (nw->nw_addr[i / 8] & 0x80 >> i % 8)
			return (0);
	return (1);
}

enum network_fault
network_parse(struct network *nw, const char *text)
{
	char	 plain[INET6_ADDRSTRLEN];
	size_t	 len = strcspn(text, "/");
	int	 before, bits;

	if (len >= sizeof(plain))
		return (NETWORK_SYNTAX);
	memcpy(plain, text, len);
	plain[len] = '\0';
	if ((before = addr_parse(nw->nw_addr, plain)) == -1)
		return (NETWORK_SYNTAX);
	bits = BITS - before;
	if (text[len] == '/' &&
	    (bits = bits_parse(text + len + 1, bits)) == -1)
		return (NETWORK_SYNTAX);
	nw->nw_bits = (uint8_t)(before + bits);
	return (bits_clear(nw) ? NETWORK_OK : NETWORK_BITS);
}

void
network_text(char *dst, size_t size, const struct network *nw)
{
	int	 v4 = nw->nw_bits >= BITS_V4 && is_v4(nw->nw_addr);
	size_t	 len;

	/* ::/80 begins like a mapped address and is none. */
	if (inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? nw->nw_addr +
	    sizeof(mapped) : nw->nw_addr, dst, (socklen_t)size) == NULL) {
		if (size > 0)
			dst[0] = '\0';
		return;
	}
	len = strlen(dst);
	if (nw->nw_bits != BITS)
		(void)snprintf(dst + len, size - len, "/%d",
		    nw->nw_bits - (v4 ? BITS_V4 : 0));
}

int
network_has(const struct network *nw, const uint8_t addr[NETWORK_ADDR])
{
	unsigned int	 whole = nw->nw_bits / 8, rest = nw->nw_bits % 8;
	uint8_t		 mask = (uint8_t)(0xff00U >> rest);

	if (is_v4(addr) && nw->nw_bits < BITS_V4)
		return (0);
	return (memcmp(nw->nw_addr, addr, whole) == 0 && (rest == 0 ||
	    ((nw->nw_addr[whole] ^ addr[whole]) & mask) == 0));
}

int
networks_add(struct networks *ns, const struct network *nw)
{
	if (ns->ns_count == NETWORKS_MAX)
		return (-1);
	ns->ns_network[ns->ns_count++] = *nw;
	return (0);
}

static enum network_fault
list_fault(struct networks *ns, enum network_fault why, const char *word,
    size_t len, char *bad, size_t size)
{
	memset(ns, 0, sizeof(*ns));
	if (bad == NULL || size == 0)
		return (why);
	/* One that is too long is not cut within a character. */
	if (len >= size)
		len = size - 1;
	while (len > 0 && (word[len] & 0xc0) == 0x80)
		len--;
	(void)snprintf(bad, size, "%.*s", (int)len, word);
	return (why);
}

enum network_fault
networks_parse(struct networks *ns, const char *text, char *bad, size_t size)
{
	struct network		 nw;
	enum network_fault	 why;
	char			 word[NETWORK_TEXT];
	size_t			 len;

	/* Lists are compared as bytes: what is not used is zero. */
	memset(ns, 0, sizeof(*ns));
	for (text += strspn(text, SPACES); *text != '\0';
	    text += len, text += strspn(text, SPACES)) {
		len = strcspn(text, SPACES);
		if (len >= sizeof(word))
			return (list_fault(ns, NETWORK_SYNTAX, text,
			    sizeof(word) - 1, bad, size));
		memcpy(word, text, len);
		word[len] = '\0';
		if ((why = network_parse(&nw, word)) == NETWORK_OK &&
		    networks_add(ns, &nw) == -1)
			why = NETWORK_MANY;
		if (why != NETWORK_OK)
			return (list_fault(ns, why, text, len, bad, size));
	}
	return (NETWORK_OK);
}

char *
networks_text(const struct networks *ns)
{
	char	*text, one[NETWORK_TEXT];
	size_t	 i, size = ns->ns_count * NETWORK_TEXT + 1;

	if ((text = calloc(1, size)) == NULL)
		return (NULL);
	for (i = 0; i < ns->ns_count; i++) {
		network_text(one, sizeof(one), &ns->ns_network[i]);
		if (i > 0)
			(void)strlcat(text, " ", size);
		(void)strlcat(text, one, size);
	}
	return (text);
}

int
networks_has(const struct networks *ns, const uint8_t addr[NETWORK_ADDR])
{
	size_t	 i;

	for (i = 0; i < ns->ns_count; i++)
		if (network_has(&ns->ns_network[i], addr))
			return (1);
	return (0);
}

int
networks_allow(const struct networks *ns, const uint8_t addr[NETWORK_ADDR])
{
	return (ns->ns_count == 0 || networks_has(ns, addr));
}
