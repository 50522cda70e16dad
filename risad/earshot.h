/*
 * Who is in whose talk on a floor (S8).  No I/O, no clock of its own: the same
 * ears at the same times give the same pairs, which is what regress compares
 * with a plain slow computation.
 */
#ifndef EARSHOT_H
#define EARSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "map.h"

#define EARSHOT_IN	400	/* cm: nearer than that a talk begins, */
#define EARSHOT_OUT	500	/* farther than that it ends */
#define EARSHOT_SOON	1500	/* ms that a talk under way is warned */
#define EARSHOT_VOICES	16	/* who talk with each other, */
#define EARSHOT_LISTEN	64	/* and who only listen to each of them */

/* Somebody who takes part. */
struct ear {
	uint16_t	 ea_id;
	uint16_t	 ea_bubble;	/* 0: in none */
	uint8_t		 ea_room;	/* 0: in the open */
	uint8_t		 ea_listens;	/* and never sends */
	uint8_t		 ea_sends;	/* now */
	uint8_t		 ea_late;	/* just come, see earshot_step */
	uint8_t		 ea_full;	/* out: no seat with somebody near */
	int32_t		 ea_x, ea_y;
	uint64_t	 ea_since;	/* takes part in the room, ms */
};

enum pair_state {
	PAIR_NONE,
	PAIR_SOON,	/* not yet: others talk, and are told */
	PAIR_JOINED,	/* they are in each other's talk */
	PAIR_FULL	/* of one, not of two: there is no room for more */
};

struct pair {
	uint16_t	 pr_a, pr_b;	/* a < b */
	uint8_t		 pr_state;
	uint8_t		 pr_logged, pr_stale;	/* the caller's */
	uint64_t	 pr_since;	/* ms */
};

/* Sorted by a, then b. */
struct pairs {
	struct pair	*ps_list;
	size_t		 ps_n, ps_size;
};

/* The order of the list. */
int		 pair_cmp(const struct pair *, const struct pair *);
/* The pair of these two, in either order, or NULL. */
struct pair	*pairs_find(const struct pairs *, uint16_t, uint16_t);
/* The same, made when there is none; NULL without memory. */
struct pair	*pairs_make(struct pairs *, uint16_t, uint16_t);
void		 pairs_remove(struct pairs *, struct pair *);
void		 pairs_free(struct pairs *);

/*
 * The pairs now, from those before and where everybody is (the ears are
 * sorted, and ea_full is set).  In one room all are one talk: the first
 * EARSHOT_VOICES to come, and of those who listen the first EARSHOT_LISTEN.
 * In the open it is two who are nearer than EARSHOT_IN, until they are farther
 * than EARSHOT_OUT or a wall is between, each with at most that many others;
 * the older pairs have their seats first.  Who is in a bubble is with its
 * members only.  Where one of the two already talks with somebody, the pair is
 * SOON for EARSHOT_SOON ms.
 *
 * With fresh the pairs before are not all known: those in reach are joined,
 * but for who is late.  0, or -1 without memory; now is empty then.
 */
int		 earshot_step(const struct pairs *before, struct pairs *now,
		    const struct floor_map *, struct ear *, size_t n,
		    uint64_t ms, int fresh);

/*
 * May the two be in each other's talk at all, if they are slack centimetres
 * nearer than they seem?  What another process says is held against this.
 */
int		 earshot_near(const struct floor_map *, const struct ear *,
		    const struct ear *, int slack);

#endif
