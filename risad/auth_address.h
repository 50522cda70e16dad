/*
 * Addresses from which people sign in, and how often that failed there.  One
 * from which different people have signed in is an office's: the more of them,
 * the more slips it is allowed.  Pure: the time is given in.
 */
#ifndef AUTH_ADDRESS_H
#define AUTH_ADDRESS_H

#include <stddef.h>
#include <stdint.h>

#include "limit.h"

#define ADDRESS_PEOPLE	32	/* of one address that are remembered */

struct addresses;

/*
 * A table of at most max addresses, by the key of limit_addr().  When it is
 * full, the one that was used longest ago makes room, an office last.  NULL:
 * no memory.
 */
struct addresses *addresses_new(size_t max);
void		 addresses_free(struct addresses *);

/*
 * Somebody wants to try at now, in monotonic milliseconds.  0: the try is
 * under way until address_end().  Else the milliseconds to wait.
 */
uint64_t	 address_try(struct addresses *, const uint8_t key[LIMIT_KEY],
		    uint64_t now);
/* How long it has to wait after failures; nothing is under way then. */
uint64_t	 address_waits(const struct addresses *,
		    const uint8_t key[LIMIT_KEY], uint64_t now);
/* It has ended, wrong or not. */
void		 address_end(struct addresses *, const uint8_t key[LIMIT_KEY],
		    int wrong, uint64_t now);
/* One has failed that was not under way. */
void		 address_wrong(struct addresses *,
		    const uint8_t key[LIMIT_KEY], uint64_t now);
/* The person, a hash of who it is, has signed in from there. */
void		 address_person(struct addresses *,
		    const uint8_t key[LIMIT_KEY], uint32_t person,
		    uint64_t now);
/* How many have, of late. */
unsigned int	 address_people(const struct addresses *,
		    const uint8_t key[LIMIT_KEY], uint64_t now);
/* It takes part in an attack: it gets little until then. */
void		 address_strict(struct addresses *,
		    const uint8_t key[LIMIT_KEY], uint64_t until,
		    uint64_t now);
size_t		 address_count(const struct addresses *);

#endif
