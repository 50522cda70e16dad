/*
 * How one avatar moves: straight legs over a floor at walking speed, cut at
 * the first wall, locked room or full room.  Whole centimetres come in and go
 * out; what decides is exact integer arithmetic.  No I/O in here.
 */
#ifndef WALK_H
#define WALK_H

#include <stdint.h>

#include "map.h"

#define WALK_SPEED	320	/* centimetres a second */
#define WALK_BACKOFF	8	/* a cut leg ends so many before the obstacle */
#define WALK_NOROOM	2.0	/* walk_room_change: never */

enum walk_result {
	WALK_FREE,
	WALK_WALL,
	WALK_CLOSED,
	WALK_FULL
};

/* What the floor forbids to one walker now; a bit for each id of a room. */
struct walk_rules {
	uint8_t	 wr_locked[32];
	uint8_t	 wr_full[32];
	uint8_t	 wr_own;	/* the room that counts him, 0 for none */
};

/* Set (on = 1) or clear the bit of a room in wr_locked or wr_full. */
void	 walk_set(uint8_t *bits, unsigned int id, int on);

/* A straight way in progress; one who stands has both ends alike. */
struct leg {
	int32_t		 x0, y0, x1, y1;
	uint64_t	 t0;	/* when it begins, milliseconds */
};

/*
 * Is the straight way free?  *ex,*ey is the end of what is allowed: x1,y1 for
 * WALK_FREE, else a point WALK_BACKOFF or a little more before the first
 * obstacle, or the start when one is nearer than that.  The way to *ex,*ey is
 * itself free, and ends neither on a wall nor in a forbidden room.
 *
 * A wall touched is a wall hit.  One who was put on a wall by others may step
 * off it.  A locked room (and its doors) stops those who come from outside,
 * never those who leave; a full room likewise; wr_own stops nobody.  Without
 * rules (NULL) only walls count.  When a room fills or is locked while
 * somebody is on his way, check the leg again from its start.
 */
enum walk_result walk_check(const struct floor_map *,
	    const struct walk_rules *, int x0, int y0, int x1, int y1,
	    int *ex, int *ey);

/*
 * When does the room of one who walks this way, on the floor, first change?
 * The part of the way, 0..1, and *room is the room then; WALK_NOROOM when it
 * never does, and *room is the one he is in.  walk_room_after: the first
 * change beyond that part of the way, as a change before has returned it.
 */
double	 walk_room_change(const struct floor_map *, int x0, int y0, int x1,
	    int y1, uint8_t *room);
double	 walk_room_after(const struct floor_map *, int x0, int y0, int x1,
	    int y1, double after, uint8_t *room);

/*
 * Where one may be put who is on this leg now: within a centimetre or two of
 * the exact way, on the same side of every wall, in the same rooms.  Where no
 * whole point is like that, a bit back on the way.  Use it, not leg_at, where
 * a leg is broken off.
 */
void	 walk_place(const struct floor_map *, const struct leg *,
	    uint64_t now, int *x, int *y);

/*
 * The point of the leg at a time, rounded: good for eyes, see walk_place.
 * Before its time the start, after it the end.
 */
void	 leg_at(const struct leg *, uint64_t now, int *x, int *y);

/* When the part t (0..1) of a leg is done, in milliseconds, rounded up. */
uint64_t leg_time(const struct leg *, double t);

/* When the leg is done, in milliseconds. */
uint64_t leg_end_time(const struct leg *);

/* Stand at x,y from now on. */
void	 leg_stop(struct leg *, int x, int y, uint64_t now);

#endif
