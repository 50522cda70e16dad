/* Failures by address.  A tree, so that no choice of keys makes it slow. */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include <stdlib.h>
#include <string.h>

#include "auth_address.h"

#define SECOND		1000
#define MINUTE		(60 * SECOND)
#define DAY		(24ULL * 60 * MINUTE)

/* Failures that cost no delay, and after how long each is forgotten. */
#define ADDR_TRIES		30
#define ADDR_TRIES_EACH	10		/* more, for each of its people */
#define FORGET		(2 * SECOND)
#define STRICT		6		/* times stricter in an attack */
#define DELAY_MAX	6		/* doublings: 64 seconds */
#define PEOPLE_FOR	(7 * DAY)

struct person {
	uint32_t		 pn_hash;
	uint32_t		 pn_minute;	/* of the last sign-in */
};

struct addr {
	RB_ENTRY(addr)		 ad_node;
	TAILQ_ENTRY(addr)	 ad_entry;
	uint8_t			 ad_key[LIMIT_KEY];
	uint64_t		 ad_failed;	/* in ms that it takes */
	uint64_t		 ad_time;	/* when that was right */
	uint64_t		 ad_next;	/* no try before */
	uint64_t		 ad_strict;	/* until then */
	unsigned int		 ad_open;	/* tries under way */
	unsigned int		 ad_doubled;
	unsigned int		 ad_npeople;
	struct person		*ad_people;	/* NULL: nobody yet */
};

RB_HEAD(addr_tree, addr);
TAILQ_HEAD(addr_list, addr);

struct addresses {
	struct addr_tree	 as_tree;
	struct addr_list	 as_plain, as_offices;	/* last used last */
	size_t			 as_count, as_max;
};

static int	 addr_cmp(struct addr *, struct addr *);
static struct addr *addr_find(const struct addresses *, const uint8_t *);
static struct addr *addr_get(struct addresses *, const uint8_t *, uint64_t);
static void	 addr_free(struct addresses *, struct addr *);
static struct addr_list *addr_list(struct addresses *, const struct addr *);
static uint64_t	 allowed(const struct addr *, uint64_t);
static void	 forgive(struct addr *, uint64_t);
static unsigned int people(const struct addr *, uint64_t);

RB_GENERATE_STATIC(addr_tree, addr, ad_node, addr_cmp)

static int
addr_cmp(struct addr *a, struct addr *b)
{
	return (memcmp(a->ad_key, b->ad_key, sizeof(a->ad_key)));
}

struct addresses *
addresses_new(size_t max)
{
	struct addresses	*as;

	if ((as = calloc(1, sizeof(*as))) == NULL)
		return (NULL);
	RB_INIT(&as->as_tree);
	TAILQ_INIT(&as->as_plain);
	TAILQ_INIT(&as->as_offices);
	as->as_max = max == 0 ? 1 : max;
	return (as);
}

void
addresses_free(struct addresses *as)
{
	struct addr	*ad;

	if (as == NULL)
		return;
	while ((ad = RB_ROOT(&as->as_tree)) != NULL)
		addr_free(as, ad);
	free(as);
}

static struct addr *
addr_find(const struct addresses *as, const uint8_t *key)
{
	struct addr	 find;

	memcpy(find.ad_key, key, sizeof(find.ad_key));
	return (RB_FIND(addr_tree,
	    (struct addr_tree *)(uintptr_t)&as->as_tree, &find));
}

static struct addr_list *
addr_list(struct addresses *as, const struct addr *ad)
{
	return (ad->ad_people == NULL ? &as->as_plain : &as->as_offices);
}

static void
addr_free(struct addresses *as, struct addr *ad)
{
	TAILQ_REMOVE(addr_list(as, ad), ad, ad_entry);
	RB_REMOVE(addr_tree, &as->as_tree, ad);
	as->as_count--;
	free(ad->ad_people);
	free(ad);
}

/* The key's entry, a new one if it has none, as the last that was used. */
static struct addr *
addr_get(struct addresses *as, const uint8_t *key, uint64_t now)
{
	struct addr	*ad, *old;

	if ((ad = addr_find(as, key)) != NULL) {
		TAILQ_REMOVE(addr_list(as, ad), ad, ad_entry);
		TAILQ_INSERT_TAIL(addr_list(as, ad), ad, ad_entry);
		return (ad);
	}
	if ((ad = calloc(1, sizeof(*ad))) == NULL)
		return (NULL);
	if (as->as_count >= as->as_max) {
		if ((old = TAILQ_FIRST(&as->as_plain)) == NULL)
			old = TAILQ_FIRST(&as->as_offices);
		addr_free(as, old);
	}
	memcpy(ad->ad_key, key, sizeof(ad->ad_key));
	ad->ad_time = now;
	RB_INSERT(addr_tree, &as->as_tree, ad);
	TAILQ_INSERT_TAIL(&as->as_plain, ad, ad_entry);
	as->as_count++;
	return (ad);
}

static unsigned int
people(const struct addr *ad, uint64_t now)
{
	unsigned int	 i, n = 0;

	for (i = 0; i < ad->ad_npeople; i++)
		n += now - ad->ad_people[i].pn_minute * (uint64_t)MINUTE <
		    PEOPLE_FOR;
	return (n);
}

/* Failures, in the ms after which they are forgotten. */
static uint64_t
allowed(const struct addr *ad, uint64_t now)
{
	uint64_t	 n = ADDR_TRIES + ADDR_TRIES_EACH * people(ad, now);

	return (FORGET * (ad->ad_strict > now ? n / STRICT : n));
}

static void
forgive(struct addr *ad, uint64_t now)
{
	uint64_t	 passed;

	if (now <= ad->ad_time)
		return;
	passed = now - ad->ad_time;
	if (ad->ad_strict > now)
		passed /= STRICT;
	ad->ad_failed = passed >= ad->ad_failed ? 0 : ad->ad_failed - passed;
	ad->ad_time = now;
	if (ad->ad_failed == 0)
		ad->ad_doubled = 0;
}

uint64_t
address_try(struct addresses *as, const uint8_t key[LIMIT_KEY], uint64_t now)
{
	struct addr	*ad;

	if ((ad = addr_get(as, key, now)) == NULL)
		return (MINUTE);
	forgive(ad, now);
	if (ad->ad_next > now)
		return (ad->ad_next - now);
	/* What is under way may fail: no crowd passes the limit. */
	if (ad->ad_open > 0 && ad->ad_failed + ad->ad_open *
	    (uint64_t)FORGET >= allowed(ad, now))
		return (SECOND);
	ad->ad_open++;
	return (0);
}

uint64_t
address_waits(const struct addresses *as, const uint8_t key[LIMIT_KEY],
    uint64_t now)
{
	const struct addr	*ad = addr_find(as, key);

	return (ad == NULL || ad->ad_next <= now ? 0 : ad->ad_next - now);
}

void
address_end(struct addresses *as, const uint8_t key[LIMIT_KEY], int wrong,
    uint64_t now)
{
	struct addr	*ad;

	if ((ad = addr_find(as, key)) == NULL)
		return;			/* has made room */
	if (ad->ad_open > 0)
		ad->ad_open--;
	if (wrong)
		address_wrong(as, key, now);
}

void
address_wrong(struct addresses *as, const uint8_t key[LIMIT_KEY],
    uint64_t now)
{
	struct addr	*ad;

	if ((ad = addr_get(as, key, now)) == NULL)
		return;
	forgive(ad, now);
	ad->ad_failed += FORGET;
	if (ad->ad_failed < allowed(ad, now))
		return;
	/* Waiting is no patience: nothing is forgiven for it. */
	ad->ad_next = now + ((uint64_t)SECOND << ad->ad_doubled);
	ad->ad_time = ad->ad_next;
	if (ad->ad_doubled < DELAY_MAX)
		ad->ad_doubled++;
}

void
address_person(struct addresses *as, const uint8_t key[LIMIT_KEY],
    uint32_t person, uint64_t now)
{
	struct addr	*ad;
	struct person	*pn;
	unsigned int	 i, at;

	if ((ad = addr_get(as, key, now)) == NULL)
		return;
	if (ad->ad_people == NULL) {
		pn = calloc(ADDRESS_PEOPLE, sizeof(*pn));
		if (pn == NULL)
			return;
		TAILQ_REMOVE(&as->as_plain, ad, ad_entry);
		ad->ad_people = pn;
		TAILQ_INSERT_TAIL(&as->as_offices, ad, ad_entry);
	}
	/* His own place, a new one, or that of the one seen longest ago. */
	for (i = at = 0; i < ad->ad_npeople; i++) {
		if (ad->ad_people[i].pn_hash == person)
			break;
		if (ad->ad_people[i].pn_minute < ad->ad_people[at].pn_minute)
			at = i;
	}
	if (i < ADDRESS_PEOPLE)
		at = i;
	if (i == ad->ad_npeople && ad->ad_npeople < ADDRESS_PEOPLE)
		ad->ad_npeople++;
	ad->ad_people[at].pn_hash = person;
	ad->ad_people[at].pn_minute = (uint32_t)(now / MINUTE);
}

unsigned int
address_people(const struct addresses *as, const uint8_t key[LIMIT_KEY],
    uint64_t now)
{
	const struct addr	*ad = addr_find(as, key);

	return (ad == NULL ? 0 : people(ad, now));
}

void
address_strict(struct addresses *as, const uint8_t key[LIMIT_KEY],
    uint64_t until, uint64_t now)
{
	struct addr	*ad;

	if ((ad = addr_get(as, key, now)) == NULL)
		return;
	forgive(ad, now);
	ad->ad_strict = until;
}

size_t
address_count(const struct addresses *as)
{
	return (as->as_count);
}
