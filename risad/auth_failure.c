/* Failures by key.  A tree, so that no choice of keys makes it slow. */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include <stdlib.h>
#include <string.h>

#include "auth_failure.h"

#define SECOND		1000
#define DELAY_MAX	6		/* doublings: 64 seconds */
#define CROWDED		SECOND		/* wait for those under way */
#define FULL		(60 * SECOND)	/* wait for room */
#define DAY		(24ULL * 3600 * SECOND)
#define FORGET		(7 * DAY)

/* How many keys a tenant has. */
struct share {
	RB_ENTRY(share)		 sh_node;
	uint32_t		 sh_tenant;
	size_t			 sh_count;
};

struct entry {
	RB_ENTRY(entry)		 en_node;
	TAILQ_ENTRY(entry)	 en_entry;
	uint8_t			 en_key[FAILURE_KEY];
	struct share		*en_share;
	uint32_t		 en_failed;	/* since the last lock */
	uint32_t		 en_since;	/* since the last success */
	uint32_t		 en_open;	/* tries under way */
	uint32_t		 en_tries;	/* let go on, as en_failed */
	int			 en_locked;
	uint64_t		 en_last;	/* failure */
	uint64_t		 en_until;	/* no try before; of a lock */
};

RB_HEAD(entry_tree, entry);
RB_HEAD(share_tree, share);
TAILQ_HEAD(entry_list, entry);

struct failures {
	struct entry_tree	 fa_tree;
	struct share_tree	 fa_shares;
	struct entry_list	 fa_list;	/* last failed at the end */
	size_t			 fa_count, fa_max, fa_locked;
	uint32_t		 fa_most;
};

static int	 entry_cmp(struct entry *, struct entry *);
static int	 share_cmp(struct share *, struct share *);
static struct entry *entry_find(const struct failures *, const uint8_t *);
static struct entry *entry_new(struct failures *, uint32_t, const uint8_t *,
		    uint64_t);
static void	 entry_free(struct failures *, struct entry *);
static int	 entry_over(const struct entry *, uint64_t);
static int	 room(struct failures *, const struct share *, uint64_t);
static struct share *share_get(struct failures *, uint32_t);
static void	 share_drop(struct failures *, struct share *);
static void	 lock_end(struct failures *, struct entry *);
static void	 lock_set(struct failures *, struct entry *, uint64_t,
		    uint64_t);
static uint64_t	 delay(uint32_t);

RB_GENERATE_STATIC(entry_tree, entry, en_node, entry_cmp)
RB_GENERATE_STATIC(share_tree, share, sh_node, share_cmp)

static int
entry_cmp(struct entry *a, struct entry *b)
{
	return (memcmp(a->en_key, b->en_key, sizeof(a->en_key)));
}

static int
share_cmp(struct share *a, struct share *b)
{
	return (a->sh_tenant < b->sh_tenant ? -1 :
	    a->sh_tenant > b->sh_tenant);
}

struct failures *
failures_new(size_t max)
{
	struct failures	*fa;

	if ((fa = calloc(1, sizeof(*fa))) == NULL)
		return (NULL);
	RB_INIT(&fa->fa_tree);
	RB_INIT(&fa->fa_shares);
	TAILQ_INIT(&fa->fa_list);
	fa->fa_max = max < 2 ? 2 : max;
	return (fa);
}

void
failures_free(struct failures *fa)
{
	struct entry	*en;

	if (fa == NULL)
		return;
	while ((en = TAILQ_FIRST(&fa->fa_list)) != NULL)
		entry_free(fa, en);
	free(fa);
}

static struct entry *
entry_find(const struct failures *fa, const uint8_t *key)
{
	struct entry	 find;

	memcpy(find.en_key, key, sizeof(find.en_key));
	return (RB_FIND(entry_tree,
	    (struct entry_tree *)(uintptr_t)&fa->fa_tree, &find));
}

static struct share *
share_get(struct failures *fa, uint32_t tenant)
{
	struct share	 find = { .sh_tenant = tenant }, *sh;

	if ((sh = RB_FIND(share_tree, &fa->fa_shares, &find)) != NULL)
		return (sh);
	if ((sh = calloc(1, sizeof(*sh))) == NULL)
		return (NULL);
	sh->sh_tenant = tenant;
	RB_INSERT(share_tree, &fa->fa_shares, sh);
	return (sh);
}

static void
share_drop(struct failures *fa, struct share *sh)
{
	if (sh->sh_count > 0)
		return;
	RB_REMOVE(share_tree, &fa->fa_shares, sh);
	free(sh);
}

static void
entry_free(struct failures *fa, struct entry *en)
{
	RB_REMOVE(entry_tree, &fa->fa_tree, en);
	TAILQ_REMOVE(&fa->fa_list, en, en_entry);
	fa->fa_count--;
	fa->fa_locked -= en->en_locked != 0;
	en->en_share->sh_count--;
	share_drop(fa, en->en_share);
	free(en);
}

/* Nothing is lost with it. */
static int
entry_over(const struct entry *en, uint64_t now)
{
	return (en->en_open == 0 && now - en->en_last >= FORGET &&
	    en->en_until <= now);
}

void
failure_tidy(struct failures *fa, uint64_t now)
{
	struct entry	*en, *next;

	for (en = TAILQ_FIRST(&fa->fa_list); en != NULL; en = next) {
		next = TAILQ_NEXT(en, en_entry);
		if (entry_over(en, now))
			entry_free(fa, en);
	}
}

/*
 * A tenant that has its half gives from its own.  A flood of names so costs
 * others at most counts that are older than those of the flood, and nobody a
 * lock.
 */
static int
room(struct failures *fa, const struct share *sh, uint64_t now)
{
	struct entry	*en;
	int		 own = sh->sh_count > fa->fa_max / 2;

	if (!own && fa->fa_count < fa->fa_max)
		return (1);
	TAILQ_FOREACH(en, &fa->fa_list, en_entry) {
		if (own && en->en_share != sh)
			continue;
		if (en->en_open == 0 &&
		    (!en->en_locked || en->en_until <= now))
			break;
	}
	if (en == NULL)
		return (0);
	entry_free(fa, en);
	return (1);
}

static struct entry *
entry_new(struct failures *fa, uint32_t tenant, const uint8_t *key,
    uint64_t now)
{
	struct share	*sh;
	struct entry	*en;

	if ((sh = share_get(fa, tenant)) == NULL)
		return (NULL);
	sh->sh_count++;			/* room() leaves it in place */
	if (!room(fa, sh, now) || (en = calloc(1, sizeof(*en))) == NULL) {
		sh->sh_count--;
		share_drop(fa, sh);
		return (NULL);
	}
	memcpy(en->en_key, key, sizeof(en->en_key));
	en->en_share = sh;
	en->en_last = now;
	RB_INSERT(entry_tree, &fa->fa_tree, en);
	TAILQ_INSERT_TAIL(&fa->fa_list, en, en_entry);
	fa->fa_count++;
	return (en);
}

/* The count begins anew; what is told to the owner does not. */
static void
lock_end(struct failures *fa, struct entry *en)
{
	en->en_locked = 0;
	en->en_failed = 0;
	en->en_tries = en->en_open;
	en->en_until = 0;
	fa->fa_locked--;
}

static void
lock_set(struct failures *fa, struct entry *en, uint64_t ms, uint64_t now)
{
	fa->fa_locked += en->en_locked == 0;
	en->en_locked = 1;
	en->en_until = ms > UINT64_MAX - now ? FAILURE_NEVER : now + ms;
}

/* One slip costs nothing; then a second, and twice as long each time. */
static uint64_t
delay(uint32_t failed)
{
	uint32_t	 n = failed - 2;

	if (failed < 2)
		return (0);
	return ((uint64_t)SECOND << (n > DELAY_MAX ? DELAY_MAX : n));
}

/* What was long ago is no guessing any more. */
static void
refresh(struct failures *fa, struct entry *en, uint64_t now)
{
	if (en->en_locked && en->en_until <= now)
		lock_end(fa, en);
	if (!en->en_locked && en->en_open == 0 && now - en->en_last >= DAY)
		en->en_failed = en->en_tries = 0;
}

enum failure_say
failure_try(struct failures *fa, uint32_t tenant,
    const uint8_t key[FAILURE_KEY], const struct failure_rule *fr,
    uint64_t now, uint64_t *ms)
{
	struct entry	*en;

	if ((en = entry_find(fa, key)) == NULL &&
	    (en = entry_new(fa, tenant, key, now)) == NULL) {
		*ms = FULL;
		return (FAILURE_WAIT);
	}
	refresh(fa, en, now);
	if (en->en_until > now) {
		*ms = en->en_until == FAILURE_NEVER ? FAILURE_NEVER :
		    en->en_until - now;
		return (en->en_locked ? FAILURE_LOCKED : FAILURE_WAIT);
	}
	if (en->en_open > 0 && en->en_failed + en->en_open >= fr->fr_tries) {
		*ms = CROWDED;
		return (FAILURE_WAIT);
	}
	en->en_open++;
	if (++en->en_tries > fa->fa_most)
		fa->fa_most = en->en_tries;
	return (FAILURE_GO);
}

int
failure_wrong(struct failures *fa, const uint8_t key[FAILURE_KEY],
    const struct failure_rule *fr, uint64_t now)
{
	struct entry	*en;

	if ((en = entry_find(fa, key)) == NULL)
		return (0);		/* unlocked meanwhile */
	if (en->en_open > 0)
		en->en_open--;
	en->en_failed++;
	if (en->en_since < UINT32_MAX)
		en->en_since++;
	en->en_last = now;
	TAILQ_REMOVE(&fa->fa_list, en, en_entry);
	TAILQ_INSERT_TAIL(&fa->fa_list, en, en_entry);
	if (en->en_locked)
		return (0);
	if (en->en_failed < fr->fr_tries) {
		en->en_until = now + delay(en->en_failed);
		return (0);
	}
	lock_set(fa, en, fr->fr_lock, now);
	return (1);
}

uint32_t
failure_right(struct failures *fa, const uint8_t key[FAILURE_KEY])
{
	struct entry	*en;
	uint32_t	 since;

	if ((en = entry_find(fa, key)) == NULL)
		return (0);
	since = en->en_since;
	if (en->en_open > 1) {
		/* Others of the same key are still under way. */
		en->en_open--;
		en->en_since = en->en_failed = 0;
		en->en_tries = en->en_open;
		if (en->en_locked)
			lock_end(fa, en);
		en->en_until = 0;
	} else
		entry_free(fa, en);
	return (since);
}

void
failure_open(struct failures *fa, const uint8_t key[FAILURE_KEY])
{
	struct entry	*en;

	if ((en = entry_find(fa, key)) == NULL)
		return;
	if (en->en_open > 0)
		en->en_open--;
	if (en->en_open == 0 && en->en_since == 0 && en->en_failed == 0 &&
	    !en->en_locked)
		entry_free(fa, en);
}

int
failure_lock(struct failures *fa, uint32_t tenant,
    const uint8_t key[FAILURE_KEY], const struct failure_rule *fr,
    uint64_t ms, uint64_t now)
{
	struct entry	*en;

	if ((en = entry_find(fa, key)) == NULL &&
	    (en = entry_new(fa, tenant, key, now)) == NULL)
		return (-1);
	if (en->en_locked)
		return (0);
	lock_set(fa, en, ms, now);
	if (en->en_since < fr->fr_tries)
		en->en_since = fr->fr_tries;
	return (0);
}

void
failure_unlock(struct failures *fa, const uint8_t key[FAILURE_KEY])
{
	struct entry	*en;

	if ((en = entry_find(fa, key)) == NULL)
		return;
	if (en->en_locked)
		lock_end(fa, en);
	en->en_failed = 0;
	en->en_tries = en->en_open;
	en->en_until = 0;
}

void
failure_unkept(struct failures *fa, const uint8_t key[FAILURE_KEY],
    const struct failure_rule *fr, uint64_t now)
{
	struct entry	*en;

	if ((en = entry_find(fa, key)) == NULL || !en->en_locked)
		return;
	lock_end(fa, en);
	en->en_failed = fr->fr_tries - 1;
	en->en_tries += en->en_failed;
	en->en_until = now + delay(DELAY_MAX + 2);
}

int
failure_locked(const struct failures *fa, const uint8_t key[FAILURE_KEY])
{
	const struct entry	*en = entry_find(fa, key);

	return (en != NULL && en->en_locked);
}

uint32_t
failure_told(struct failures *fa, const uint8_t key[FAILURE_KEY])
{
	struct entry	*en = entry_find(fa, key);
	uint32_t	 since;

	if (en == NULL)
		return (0);
	since = en->en_since;
	en->en_since = 0;
	return (since);
}

void
failure_counts(const struct failures *fa, size_t *keys, size_t *locked,
    uint32_t *most)
{
	*keys = fa->fa_count;
	*locked = fa->fa_locked;
	*most = fa->fa_most;
}
