/*
 * Token buckets by key: who may do how much.  No clock, no I/O: the caller
 * says what time it is.
 */
#ifndef LIMIT_H
#define LIMIT_H

#include <stddef.h>
#include <stdint.h>

#define LIMIT_KEY	32	/* bytes; a shorter key is filled with zeroes */

struct limit;

/*
 * A table of at most max buckets.  Each holds burst tokens and gets per_minute
 * of them back, both at least 1.  When the table is full, the bucket that was
 * used longest ago makes room.  NULL: no memory.
 */
struct limit	*limit_new(size_t max, uint32_t burst, uint32_t per_minute);
void		 limit_free(struct limit *);

/*
 * Take a token of the key at the time now, in monotonic milliseconds.
 * 0: taken.  Else the milliseconds until there will be one; nothing is taken.
 * Without memory for a new bucket nothing is granted either.
 */
uint32_t	 limit_take(struct limit *, const uint8_t key[LIMIT_KEY],
		    uint64_t now);

/* Give the token back: what it was taken for has turned out harmless. */
void		 limit_give(struct limit *, const uint8_t key[LIMIT_KEY]);

/* Number of buckets, for statistics. */
size_t		 limit_count(const struct limit *);

/*
 * The key of an address in text: an IPv4 address, also a mapped one, or the
 * first 64 bits of an IPv6 address, since a customer gets at least so many.
 * What is no address shares one key.
 */
void		 limit_addr(uint8_t key[LIMIT_KEY], const char *addr);

/* Milliseconds as whole seconds for people: rounded up, at least 1. */
uint32_t	 limit_seconds(uint32_t ms);

#endif
