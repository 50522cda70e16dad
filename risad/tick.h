/* The tick: what changed on a floor leaves in one frame. */
#ifndef TICK_H
#define TICK_H

#include "floor.h"

#define TICK_MS		50

/* The avatar's leg is new: it belongs into the next frame. */
void		 tick_mark(struct avatar *);
/* Look after rooms and queues at this time (mono ms); with the next tick. */
void		 tick_at(struct floor *, uint64_t);
void		 tick_wake(struct floor *);
/*
 * Words for everybody of ours on the floor, or in the room, but not for the
 * avatar of that number: they leave with the next tick, which is now when the
 * floor is quiet.  Takes a reference; NULL is no words.
 */
void		 tick_words(struct floor *, uint8_t room, uint16_t but,
		    struct chunk *);
/* Those that wait leave now: what takes some of them back comes after them. */
void		 tick_words_leave(struct floor *);
/* Forget a floor's timer and an avatar's place in the next frame. */
void		 tick_forget(struct floor *);
void		 tick_unmark(struct avatar *);
void		 tick_unmark_far(struct avatar *);
/* A frame with everybody on the floor, or NULL without memory. */
struct chunk	*tick_snapshot(struct floor *);

#endif
