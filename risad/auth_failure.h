/*
 * Failures to prove who one is, counted by key: an account as strangers try
 * it, or one device of its owner.  Each failure makes the next try wait
 * longer, and enough of them lock the key.  Pure: the time is given in.
 */
#ifndef AUTH_FAILURE_H
#define AUTH_FAILURE_H

#include <stddef.h>
#include <stdint.h>

#define FAILURE_KEY	32	/* bytes, a hash */
#define FAILURE_NEVER	UINT64_MAX	/* ms: a lock that only ends by hand */

/* Of the tenant. */
struct failure_rule {
	uint32_t	 fr_tries;	/* failures that lock, at least 1 */
	uint64_t	 fr_lock;	/* for so many ms, or FAILURE_NEVER */
};

/* How a try may go on. */
enum failure_say {
	FAILURE_GO,		/* it is under way until it is ended */
	FAILURE_WAIT,		/* later */
	FAILURE_LOCKED
};

struct failures;

/*
 * A table of at most max keys, of which one tenant gets half.  When there is
 * no room, the key that failed longest ago is forgotten; one that is locked
 * or under way never is: rather nobody new may try.  NULL: no memory.
 */
struct failures	*failures_new(size_t max);
void		 failures_free(struct failures *);

/*
 * Somebody wants to try at now, in monotonic milliseconds.  Tries under way
 * count as failures, so that no crowd of them passes the limit.  *ms is the
 * time to wait where the answer is not FAILURE_GO, or FAILURE_NEVER.
 */
enum failure_say failure_try(struct failures *, uint32_t tenant,
		    const uint8_t key[FAILURE_KEY],
		    const struct failure_rule *, uint64_t now, uint64_t *ms);

/*
 * The end of a try that was let go on.  failure_wrong() is 1 when the key is
 * locked by it, else 0.  failure_right() returns how often the key has failed
 * since it was right last, and forgets that.  failure_open() when nobody can
 * know: it is as if it had not been.
 */
int		 failure_wrong(struct failures *,
		    const uint8_t key[FAILURE_KEY],
		    const struct failure_rule *, uint64_t now);
uint32_t	 failure_right(struct failures *,
		    const uint8_t key[FAILURE_KEY]);
void		 failure_open(struct failures *,
		    const uint8_t key[FAILURE_KEY]);

/* Lock for ms, as it was before a restart.  0, or -1: no room. */
int		 failure_lock(struct failures *, uint32_t tenant,
		    const uint8_t key[FAILURE_KEY],
		    const struct failure_rule *, uint64_t ms, uint64_t now);
/* An administrator unlocks: all is forgotten. */
void		 failure_unlock(struct failures *,
		    const uint8_t key[FAILURE_KEY]);

/*
 * Nobody keeps that lock, so it is none: who runs out of tries waits as long
 * as there is to wait, and the next failure locks anew.
 */
void		 failure_unkept(struct failures *,
		    const uint8_t key[FAILURE_KEY],
		    const struct failure_rule *, uint64_t now);
/* Is it locked? */
int		 failure_locked(const struct failures *,
		    const uint8_t key[FAILURE_KEY]);

/* How often it has failed since that was asked last; the limit stays. */
uint32_t	 failure_told(struct failures *,
		    const uint8_t key[FAILURE_KEY]);

/* Forget what is over, which makes room. */
void		 failure_tidy(struct failures *, uint64_t now);

/*
 * For statistics: keys, those that are locked, and the most tries that were
 * let go on for one key without a success or the end of a lock between.
 */
void		 failure_counts(const struct failures *, size_t *keys,
		    size_t *locked, uint32_t *most);

#endif
