/*
 * People with the page open: what they say by WebSocket and what they are
 * told.
 */
#ifndef OFFICE_H
#define OFFICE_H

#include "floor.h"

/* A connection has become a WebSocket, has said something, closes. */
void	 office_open(struct conn *);
void	 office_text(struct conn *, const uint8_t *, size_t);
void	 office_binary(struct conn *, const uint8_t *, size_t);
void	 office_close(struct conn *, uint16_t code);
void	 office_closed(struct conn *);
void	 office_drained(struct conn *);
/* All pages: the daemon goes down. */
void	 office_shutdown(void);

/* From storage, by way of session.c and login.c. */
void	 office_ended(uint32_t tenant, uint32_t user, struct login *,
	    enum grant_end);
void	 office_renewed(struct login *);
void	 office_title(const struct tenant *);
void	 office_rights(uint32_t tenant);
/*
 * Storage asks whether all that it told before is acted upon; it is answered
 * when that is so.  0: nobody waits for that any more.
 */
void	 office_fence(uint32_t number);
/*
 * A page's question where it may be begins, or has to, and is over when it was
 * answered; in pairs.
 */
void	 office_asks(struct person *);
void	 office_asked(struct person *);
void	 office_policy(const struct tenant *, const struct policy *was);
void	 office_role(const struct m_role *);
void	 office_profile(const struct m_user *);
/* A guest waits at the door; and he does not any more. */
void	 knock_began(const struct m_knock *);
void	 knock_ended(const struct m_knock_end *);

/*
 * What happens on floors, for the pages of this process.
 */
void	 office_joined(struct avatar *);	/* new on its floor */
void	 office_changed(struct avatar *);	/* room, status, name, look */
/* All that waits to be told of people leaves now. */
void	 office_news(struct office *);
/* Before it is freed: for the floor that it goes to at once, or 0. */
void	 office_left(struct avatar *, uint32_t to);
void	 office_placed(struct avatar *, enum walk_result);
/* What one may do there when one talks, or how, is another thing now. */
void	 office_rules(struct floor *);
void	 office_door(struct floor *, uint8_t room);
/* {"t":"door"}: how it stands. */
json_t	*office_door_now(const struct floor *, uint8_t room);
void	 office_bubbles(struct floor *);	/* all there are */
/* The bytes of a tick for one of ours; later if he does not read. */
void	 office_tick(struct avatar *, struct chunk *);
/* Words for the whole floor, or for a room, but not for one avatar. */
void	 office_words(struct floor *, uint8_t room, uint16_t but,
	    struct chunk *);
void	 office_deliver(struct office *, const struct m_bus_msg *);
/* A message is gone: pages that may have it are told. */
void	 office_erased(const struct m_bus_erased *);
/* Storage erases more than one: pages drop it, or take its name away. */
void	 office_cleared(const struct m_bus_cleared *);
/* Pages that are open: of the tenant, and of the user among them. */
void	 office_pages(uint32_t tenant, uint32_t user, unsigned int *all,
	    unsigned int *own);
/* The user has come in elsewhere: the page here ends. */
void	 office_takeover(struct office *, uint32_t user);
/* Keep where the avatar of ours stands, some seconds from now. */
void	 office_save(struct avatar *);
void	 office_unsave(struct avatar *);	/* it goes */
void	 office_start(void);

#endif
