/*
 * Addresses and networks of IPv4 and IPv6, and lists of them.  Pure.
 */
#ifndef NETWORK_H
#define NETWORK_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

struct sockaddr;

#define NETWORK_ADDR	16	/* bytes of an address; IPv4 is mapped */
#define NETWORKS_MAX	64	/* of a list */
#define NETWORK_TEXT	50	/* "an address/128" and the NUL */
#define NETWORKS_TEXT	(NETWORKS_MAX * NETWORK_TEXT)	/* of a list */

/* RFC 4632 and RFC 4291, section 2.3. */
struct network {
	uint8_t	 nw_addr[NETWORK_ADDR];
	uint8_t	 nw_bits;		/* of the 128 */
};

struct networks {
	size_t		 ns_count;
	struct network	 ns_network[NETWORKS_MAX];
};

enum network_fault {
	NETWORK_OK,
	NETWORK_SYNTAX,		/* neither an address nor a network */
	NETWORK_BITS,		/* the address goes on behind the prefix */
	NETWORK_MANY		/* more than NETWORKS_MAX */
};

/*
 * An address in text as bytes: IPv4 as it is mapped into IPv6 (RFC 4291,
 * section 2.5.5.2), so that 192.0.2.1 and ::ffff:192.0.2.1 are the same.  A
 * zone as in fe80::1%eth0 is left out, it means something on one machine only.
 * 0, or -1 when it is none.
 */
int		 network_addr(uint8_t addr[NETWORK_ADDR], const char *text);
/* The same of a socket's address. */
int		 network_sockaddr(uint8_t addr[NETWORK_ADDR],
		    const struct sockaddr *);
/* The other way; a mapped address as IPv4.  NETWORK_TEXT is room enough. */
void		 network_addr_text(char *dst, size_t,
		    const uint8_t addr[NETWORK_ADDR]);

/*
 * A network as "192.0.2.0/24" or "2001:db8::/32"; an address alone is the
 * network of which it is all.
 */
enum network_fault network_parse(struct network *, const char *text);
void		 network_text(char *dst, size_t, const struct network *);
/*
 * One is no part of the other's family: ::/0 has every IPv6 address and no
 * IPv4 address, 0.0.0.0/0 the other way.
 */
int		 network_has(const struct network *,
		    const uint8_t addr[NETWORK_ADDR]);

/*
 * A list in text, with spaces or commas between.  On a fault the list is empty
 * and bad, if there is one, says which word it was, cut to its length.
 */
enum network_fault networks_parse(struct networks *, const char *text,
		    char *bad, size_t);
/* As text that networks_parse() takes, malloc'ed; NULL without memory. */
char		*networks_text(const struct networks *);
/* 0, or -1 when there is no room for one more. */
int		 networks_add(struct networks *, const struct network *);
/* Is the address in one of them? */
int		 networks_has(const struct networks *,
		    const uint8_t addr[NETWORK_ADDR]);
/* The same for an allow list: an empty one allows every address. */
int		 networks_allow(const struct networks *,
		    const uint8_t addr[NETWORK_ADDR]);

#endif
