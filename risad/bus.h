/*
 * Changes between session processes.  Only this file knows that they travel
 * by imsg.
 */
#ifndef BUS_H
#define BUS_H

#include "floor.h"

void	 bus_start(void);
void	 bus_up(struct peer *);
void	 bus_down(struct peer *);
int	 bus_imsg(struct peer *, uint32_t type, const void *m);

/* What storage tells all workers; and it has gone, what it said is void. */
int	 bus_storage(uint32_t type, const void *m);
void	 bus_storage_down(void);

/*
 * To all others: an avatar of ours is new or has changed, has left; for the
 * floor that it will be on at once, or 0: for good.
 */
void	 bus_joined(struct avatar *);
void	 bus_left(struct avatar *, uint32_t to);
void	 bus_door(struct floor *, uint8_t room);
/* See talk.h: to one worker, or to BUS_ALL. */
#define BUS_ALL	MAX_SESSIONS
void	 bus_pair(struct floor *, unsigned int worker, uint16_t a, uint16_t b,
	    uint8_t state);
/* To the worker of the second, of what the first says to it. */
void	 bus_signal(const struct avatar *, const struct avatar *,
	    const char *data);
void	 bus_word(const struct avatar *, const struct avatar *, int on);
/*
 * A call of ours to those who may be called elsewhere, its end to all, and an
 * answer to the worker that owns the call.
 */
void	 bus_call(const struct m_bus_call *);
void	 bus_call_over(uint32_t n);
void	 bus_answer(const struct m_bus_answer *);
/*
 * The frame of our changes, to all: who has nobody on the floor must know
 * where people are when somebody comes.
 */
void	 bus_legs(struct floor *, const void *frame, size_t len);

#endif
