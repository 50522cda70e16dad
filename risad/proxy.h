/*
 * The header of the PROXY protocol, version 2, with which a proxy says for
 * whom it connects.  Version 1 and anything else is refused.  Pure.
 */
#ifndef PROXY_H
#define PROXY_H

#include <stddef.h>
#include <stdint.h>

#include "network.h"

#define PROXY_HEAD	16	/* signature, version, family, length */
#define PROXY_BODY	520	/* addresses and what else is said, at most */
#define PROXY_MAX	(PROXY_HEAD + PROXY_BODY)

enum proxy_result {
	PROXY_BAD = -1,
	PROXY_MORE,		/* more bytes are needed */
	PROXY_LOCAL,		/* for the proxy itself: its own address */
	PROXY_ADDR		/* for the address */
};

/*
 * How many bytes the header has, as far as its beginning tells: PROXY_HEAD
 * while it is shorter than that, then the whole; 0 when it is none.  Whoever
 * reads no more than that touches nothing of what follows it.
 */
size_t			 proxy_length(const uint8_t *, size_t);
/* The header from its first byte; addr is written with PROXY_ADDR alone. */
enum proxy_result	 proxy_parse(const uint8_t *, size_t,
			    uint8_t addr[NETWORK_ADDR]);

#endif
