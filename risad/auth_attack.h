/*
 * Lists of accounts that somebody tries: many of one tenant fail from one
 * address, or from several, and nobody of them gets in.  Pure: the time is
 * given in.
 */
#ifndef AUTH_ATTACK_H
#define AUTH_ATTACK_H

#include <stddef.h>
#include <stdint.h>

#include "limit.h"
#include "risad.h"

#define ATTACK_WINDOW	600000		/* ms that a failure counts */
#define ATTACK_ADDRESS	10		/* accounts, from one address */
#define ATTACK_TENANT	20		/* accounts, from wherever */
#define ATTACK_ADDRS	16		/* that are named */

/* An attack on a tenant, as it is told. */
struct attack {
	uint32_t	 at_tenant;
	int		 at_on;
	int		 at_new;	/* something to tell */
	uint64_t	 at_id;		/* the caller's, 0 when it begins */
	uint64_t	 at_begun, at_last;	/* monotonic ms */
	uint64_t	 at_tries;
	uint32_t	 at_accounts;	/* different ones, nearly */
	uint32_t	 at_naddrs;
	char		 at_addrs[ATTACK_ADDRS][MAX_ADDR + 1];
};

struct attacks;

/* For at most max tenants at a time.  NULL: no memory. */
struct attacks	*attacks_new(size_t max);
void		 attacks_free(struct attacks *);

/*
 * The account, a hash of it, has failed from the address, where so many
 * people are known.  The tenant's attack when it is part of one, else NULL.
 */
struct attack	*attack_wrong(struct attacks *, uint32_t tenant,
		    const char *addr, unsigned int people, uint32_t account,
		    uint64_t now);
/* It was its owner after all. */
void		 attack_right(struct attacks *, uint32_t tenant,
		    uint32_t account, uint64_t now);
/*
 * Go through all: fn is called for those that are on and have something new,
 * and with at_on 0 for one that is over.
 */
void		 attack_tidy(struct attacks *, uint64_t now,
		    void (*fn)(struct attack *));

#endif
