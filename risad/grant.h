/*
 * Grants: which session process may act for which sign-in.  Every request of
 * a session process is looked up here first, and everything that it may do
 * follows from what is found, not from what it says.
 */
#ifndef GRANT_H
#define GRANT_H

#include <sys/types.h>
#include <sys/tree.h>

#include <stddef.h>
#include <stdint.h>

#include "network.h"

#define GRANT_MAX	65536		/* of one session process */

struct grant {
	RB_ENTRY(grant)	 gr_byid, gr_bytoken;
	uint64_t	 gr_id;		/* random, never 0 */
	uint64_t	 gr_token;	/* row of the token */
	uint64_t	 gr_created;	/* ms, of the sign-in */
	uint64_t	 gr_expires;	/* ms */
	uint64_t	 gr_seen;	/* ms, when the row was told last */
	uint32_t	 gr_tenant, gr_user;
	unsigned int	 gr_inst;
	uint8_t		 gr_role;
	uint8_t		 gr_addr[NETWORK_ADDR];	/* as auth was told */
	uint8_t		 gr_shifted;	/* its row has times of another clock */
	uint8_t		 gr_must;	/* MUST_ bits: before all else */
	uint8_t		 gr_door;	/* a guest who may only wait */
	uint32_t	 gr_guest;	/* by which URL */
	uint64_t	 gr_since;	/* reads messages after this one */
	uint64_t	 gr_secret;	/* names the password below; 0: none */
	uint8_t		*gr_sealed;	/* for the URL that it makes next */
	size_t		 gr_sealedlen;
};

/* A new grant, the table's; NULL without memory or when inst has too many. */
struct grant	*grant_new(unsigned int inst, uint32_t tenant, uint32_t user,
		    uint8_t role, uint64_t token, uint64_t expires);

/*
 * Call the function when a process gets its first grant for a user (1) and
 * when it has lost the last one (0).
 */
void		 grant_watch(void (*)(const struct grant *, int on));

/* The grant if it is this process's and not over; else NULL. */
struct grant	*grant_find(uint64_t id, unsigned int inst, uint64_t now);
void		 grant_free(struct grant *);
/*
 * A copy of whose it was, of one that this process had and that has ended not
 * long ago: 1, or 0.  It allows nothing.
 */
int		 grant_past(uint64_t id, unsigned int inst, struct grant *);

/*
 * Call the function for each grant: of everybody (tenant 0), of a tenant
 * (user 0), of a user (token 0) or of a token.  It may free the one it gets.
 */
void		 grant_each(uint32_t tenant, uint32_t user, uint64_t token,
		    void (*)(struct grant *, void *), void *);

/*
 * Every token for which a process got a grant in its present life.  Should it
 * turn out to be broken into, all of them are known to somebody else: the
 * function is called for each, and the list is empty then.
 */
void		 grant_known(unsigned int inst, void (*)(uint32_t tenant,
		    uint32_t user, uint64_t token));
/* A new life begins; those whose tokens are over need not be kept. */
void		 grant_forget(unsigned int inst);
void		 grant_expire(uint64_t now);

/* How many grants live: of a token, and in all. */
uint32_t	 grant_live(uint32_t tenant, uint32_t user, uint64_t token);
uint32_t	 grant_count(void);

#endif
