/*
 * Calls: a wave, "come here", a knock at a room, a bubble for two, joining
 * one.  Who calls belongs to one worker, and that worker owns the call: it
 * takes the first answer and says when it is over.  The others know what
 * their own people have been shown.
 */
#ifndef CALL_H
#define CALL_H

#include "floor.h"

/* The number of a call: the worker that owns it, then what nobody guesses. */
#define CALL_WORKER(n)	((n) >> 28)

/* Show a call by the avatar, ours or not, to those of ours it is for. */
void	 call_told(struct avatar *from, const struct m_bus_call *);
/* The avatar, ours or not, answers a call of ours. */
void	 call_answered(struct avatar *by, const struct m_bus_answer *);
/* The call is over; all those of a worker that has gone are. */
void	 call_over(uint32_t n);
void	 call_down(unsigned int inst);

/* The person leaves its floor, for another one or (gone) for good. */
void	 call_left(struct person *, int gone);
/* The user has done so, here or elsewhere: calls of ours to it end. */
void	 call_lost(struct office *, uint32_t user, int gone);
/* An avatar of ours is in another room now. */
void	 call_moved(struct avatar *);
/* The door of the room stands another way now. */
void	 call_door(struct floor *, uint8_t room);

void	 call_start(void);

#endif
