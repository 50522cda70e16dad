/*
 * Somebody with the page open, as the files know it that speak with pages:
 * person.c (coming and going), say.c (what pages say), office.c (what they
 * are told).
 */
#ifndef PERSON_H
#define PERSON_H

#include "office.h"

/* Tokens in thousandths, refilled by the clock. */
struct bucket {
	uint64_t	 bu_level, bu_at;
};

/* Somebody with the page open. */
struct person {
	TAILQ_ENTRY(person)	 pn_entry;
	struct conn		*pn_conn;
	struct office		*pn_office;
	struct avatar		*pn_avatar;
	uint32_t		*pn_floors;	/* that one may enter */
	unsigned int		 pn_nfloors;
	uint32_t		*pn_next;	/* as they are being told */
	unsigned int		 pn_nnext;
	int			 pn_asking;	/* for floors */
	int			 pn_again;	/* they are to be asked for */
	int			 pn_counted;	/* by office_asks() */
	uint8_t			 pn_fence;
	int			 pn_hello;	/* said */
	int			 pn_resync;	/* ticks were left out */
	int			 pn_knocked;	/* has seen somebody knock */
	int			 pn_showing;	/* those who do, up to: */
	uint64_t		 pn_shown;
	struct bucket		 pn_legs, pn_says, pn_texts, pn_doors;
	struct bucket		 pn_signals, pn_calling, pn_media;
	json_t			*pn_unread;
	TAILQ_HEAD(, job)	 pn_jobs;
	unsigned int		 pn_histories;	/* of them, that are asked */
	TAILQ_HEAD(, call)	 pn_calls;	/* that it has made, */
	TAILQ_HEAD(, ring)	 pn_rings;	/* that it was shown: call.c */
};

/* A question to storage whose answer is for a person, if still there. */
struct job {
	TAILQ_ENTRY(job)	 jo_entry;
	struct person		*jo_person;	/* NULL: has left */
	uint8_t			 jo_kind;	/* of the channel */
	uint32_t		 jo_floor;	/* of a door, */
	uint8_t			 jo_room, jo_state;
	char			 jo_ref[MAX_REF + 1];
	char			 jo_channel[40];
	json_t			*jo_list;
	int			 jo_waits;	/* not asked yet: what */
	struct m_history	 jo_history;
};

/* A text frame with a reference for the caller; NULL without memory. */
struct chunk	*frame_text(const void *, size_t);
/* The same of an object, which it takes. */
struct chunk	*frame_json(json_t *);

/* Send a frame, or an object, which it takes. */
void		 person_queue(struct person *, struct chunk *);
void		 person_send(struct person *, json_t *);
/* error{code}: ref and field may be NULL. */
void		 person_error(struct person *, const char *code,
		    const char *ref, const char *field);
/* A refusal of storage; missing is the code for what does not exist. */
void		 person_refusal(struct person *, const struct m_result *,
		    const char *ref, const char *missing);
/* May the person enter the floor, and so see who is on it? */
int		 person_sees(const struct person *, uint32_t floor);
/* May the person do what needs the right (RIGHT_* of risad.h)? */
int		 person_may(const struct person *, uint8_t right);
/* The grant of the sign-in, 0 while storage is away. */
uint64_t	 person_grant(const struct person *);

/* Off the floor, for the one that it goes to at once, or 0: for good. */
void		 person_leave(struct person *, uint32_t to);
/* The last words, and the code of the close. */
void		 person_bye(struct person *, const char *reason,
		    uint16_t code);
/* Ask storage which floors one may enter, and act on the answer. */
void		 person_floors(struct person *);
/* The answer to FLOOR_GET when the page has asked to enter; for job_ask. */
int		 person_entered(struct conn *, uint32_t type, const void *m,
		    void *job);

/* A job of the person's; NULL without memory, the page is told then. */
struct job	*job_new(struct person *, const char *ref);
void		 job_free(struct job *);
/* May a page call something by that reference? */
int		 ref_valid(const char *);
/*
 * Ask storage for a person: 0, and the function gets the job as its argument,
 * and frees it; or -1: the page is told that it can not be asked, and the job
 * is freed.
 */
int		 job_ask(struct job *, enum imsg_type, const void *m,
		    int (*)(struct conn *, uint32_t, const void *, void *));

/* Take a token; 0, or -1 when there is none. */
int		 bucket_take(struct bucket *, unsigned int rate,
		    unsigned int burst);

/*
 * A text of JSON that is built piece by piece: text, an object without its
 * first brace (which it takes), a frame of all of it (which frees it).  What
 * fails for want of memory makes it bad for good: then the frame is NULL.
 */
struct text {
	struct ibuf	*tx_buf;
	int		 tx_bad;
};
void		 text_open(struct text *, size_t guess);
void		 text_add(struct text *, const char *);
void		 text_rest(struct text *, json_t *);
struct chunk	*text_frame(struct text *);
/* The same of what is frames already. */
struct chunk	*text_frames(struct text *);

/*
 * knock.c: guests who wait, and those who let them in.
 */
/*
 * Tell one who waits that he does; and somebody inside who waits, and the rest
 * of them when he has read.
 */
void		 knock_wait(struct person *);
void		 knock_show(struct person *);
void		 knock_more(struct person *);
/* {"t":"admit"}: the members of the object, see say.c. */
const char	*say_admit(struct person *, json_t *);

/*
 * room.c, call.c: what pages say of doors and of each other.
 */
const char	*say_door(struct person *, json_t *);
const char	*say_call(struct person *, json_t *);
const char	*say_answer(struct person *, json_t *);
const char	*say_uncall(struct person *, json_t *);

/* People as pages know them, as objects: on any floor, and on the own one. */
void		 office_presence(struct text *, struct avatar *);
void		 office_person(struct text *, struct avatar *);
/*
 * A frame behind those that are in the text: that one of them is where the page
 * may look now, or is not any more.
 */
void		 office_show(struct text *, struct avatar *, int sees);

#endif
