/*
 * Talk: who hears and sees whom on a floor.  The server decides (S8): pages
 * may signal to those only who are in their talk, and are told whom to close.
 *
 * People of a floor may sit in several workers.  The lowest of these leads: it
 * computes all pairs of the floor and tells the others theirs, which use a
 * pair only where the two can be near each other as they know it.
 */
#ifndef TALK_H
#define TALK_H

#include "floor.h"

/* What somebody takes part with, av_media. */
#define MEDIA_HEAR	0x01
#define MEDIA_MIC	0x02		/* sent at this moment, as are: */
#define MEDIA_CAM	0x04
#define MEDIA_SCREEN	0x08
#define MEDIA_LISTEN	0x10		/* never sends */
#define MEDIA_HAND	0x20		/* up, below a stage */
#define MEDIA_WORD	0x40		/* on the stage */
#define MEDIA_SENDS	(MEDIA_MIC | MEDIA_CAM | MEDIA_SCREEN)

#define TALK_CAMERAS	8		/* in one talk */

/* Are the two in each other's talk now?  At least one is ours. */
int		 talk_peers(const struct avatar *, const struct avatar *);
/* Can a private bubble of one be joined by the other from where he is? */
int		 talk_near(const struct avatar *, const struct avatar *);

/*
 * The bubble of an avatar of ours, made when it is in none; 0 without one.
 * Whom it admits then joins by that number, in whichever worker: talk_unite
 * returns 0, or -1 when nobody near has it.  It ends for who leaves.
 */
uint16_t	 talk_bubble(struct avatar *);
int		 talk_unite(struct avatar *, uint16_t bubble);
void		 talk_unbubble(struct avatar *);
/* [[ids], ...] of the floor, for pages. */
json_t		*talk_bubbles(const struct floor *);

/*
 * Why it may not send that (MEDIA_MIC, MEDIA_CAM or MEDIA_SCREEN), as a code of
 * an error; NULL: it may.
 */
const char	*talk_why_not(const struct avatar *, uint8_t bit);
/* What an avatar of ours takes part with from now on, MEDIA_* bits. */
void		 talk_media(struct avatar *, uint8_t media);
/* Somebody gives the word to another on the floor, or takes it. */
void		 talk_word(struct avatar *from, struct avatar *to, int on);
/* The same, and a pair, as another worker says; 0, or -1: a lie. */
int		 talk_word_told(struct peer *, struct floor *,
		    const struct m_bus_word *);
void		 talk_pair_told(struct peer *, struct floor *,
		    const struct m_bus_pair *);
/* A copy of another worker's avatar has come or changed. */
void		 talk_told(struct avatar *, const struct m_bus_join *,
		    uint64_t since);

/*
 * What may change a talk: a leg has begun; an avatar of ours is in another
 * room, or has another status; what the floor or roles allow is different; an
 * avatar is about to be freed.
 */
void		 talk_wake(struct floor *);	/* somebody has come */
void		 talk_moved(struct avatar *);
void		 talk_room(struct avatar *);
void		 talk_check(struct avatar *);
void		 talk_rules(struct floor *);
void		 talk_left(struct avatar *);
void		 talk_forget(struct floor *);

/*
 * Between talk.c, talk_lead.c and talk_bubble.c.
 */
uint8_t		 talk_room_kind(const struct avatar *);
/* Does one take part where one is?  In a quiet room nobody does. */
int		 talk_takes_part(const struct avatar *);
void		 talk_ear(const struct avatar *, uint64_t now, struct ear *);
/* May the two be in each other's talk, as far as is known here? */
int		 talk_can_be(const struct avatar *, const struct avatar *);
/* The page of this avatar of ours, or of all around this one, is to be told. */
void		 talk_changed(struct floor *, uint16_t id);
void		 talk_changed_around(struct avatar *);
/* That one is told it, also when nobody on the floor takes part any more. */
void		 talk_answer(struct floor *);
void		 talk_tell(struct floor *);
/* Write that the two have begun to talk, if they have, or have ended it. */
void		 talk_log(struct floor *, struct pair *, int ended);
/* Bubbles of ours that are none any more. */
void		 talk_bubbles_end(struct floor *, uint64_t now);
/* When that has to be looked at again, or 0. */
uint64_t	 talk_bubbles_due(const struct floor *, uint64_t now);

/* {"t":"media"} and so on from pages, see say.c. */
const char	*say_media(struct person *, json_t *);
const char	*say_signal(struct person *, json_t *);
const char	*say_hand(struct person *, json_t *);
const char	*say_word(struct person *, json_t *);
const char	*say_unbubble(struct person *, json_t *);
/* A signal from another worker's avatar. */
int		 signal_told(struct peer *, struct floor *,
		    const struct m_bus_signal *);

#endif
