/*
 * Floors and who is on them: where one may stand and walk is decided here.
 * Every avatar is owned by the session process that holds its connection; the
 * others know a copy by the bus.
 */
#ifndef FLOOR_H
#define FLOOR_H

#include "earshot.h"
#include "map.h"
#include "session.h"
#include "walk.h"

#define FLOOR_STILL	UINT64_MAX	/* nobody walks */
#define FLOOR_QUEUE	32	/* legs that wait for the one before */
#define FLOOR_SLOTS	4095	/* avatars of one worker on one floor */
#define FLOOR_ALL	0xffff

struct step {
	uint16_t	 st_x, st_y;
	uint8_t		 st_heading;
};

struct avatar {
	RB_ENTRY(avatar)	 av_entry;		/* of the office */
	TAILQ_ENTRY(avatar)	 av_floor_entry;
	TAILQ_ENTRY(avatar)	 av_ours_entry;
	TAILQ_ENTRY(avatar)	 av_dirty_entry;
	TAILQ_ENTRY(avatar)	 av_far_entry;
	TAILQ_ENTRY(avatar)	 av_moving_entry;
	struct floor		*av_floor;
	struct person		*av_person;		/* NULL: not ours */
	unsigned int		 av_worker;
	uint32_t		 av_user;
	uint16_t		 av_id;
	int			 av_dirty, av_far, av_moving;	/* lists */
	int			 av_crosses;	/* its leg leads to a room */
	uint16_t		 av_cell;		/* see tick.c */
	uint8_t			 av_room, av_heading, av_status;
	uint8_t			 av_guest;
	uint32_t		 av_look;
	struct leg		 av_leg;
	struct step		*av_queue;	/* of FLOOR_QUEUE, or NULL */
	unsigned int		 av_first, av_nqueue;
	int			 av_outx, av_outy;	/* before the room */
	uint8_t			 av_pass;	/* let into this room, or 0 */
	uint64_t		 av_pass_until;	/* mono ms */
	uint64_t		 av_entered;		/* the room, mono ms */
	TAILQ_ENTRY(avatar)	 av_save_entry;		/* of those to save */
	int			 av_unsaved;		/* it is one of them */
	uint16_t		 av_over;		/* taken over from */
	uint8_t			 av_stale;	/* see IMSG_BUS_ALL */
	uint8_t			 av_media;	/* MEDIA_*, see talk.h */
	uint8_t			 av_full;	/* in nobody's talk for want */
	uint8_t			 av_told;	/* 0: its talk has changed */
	uint16_t		 av_bubble;	/* 0: in none */
	uint64_t		 av_since;	/* takes part, mono ms */
	uint64_t		 av_bubbled;	/* in it, mono ms */
	char			*av_name, *av_note;
	char			*av_text;		/* for pages, or NULL */
};

TAILQ_HEAD(avatar_list, avatar);
RB_HEAD(avatar_tree, avatar);
RB_HEAD(floor_tree, floor);

/* Words on their way to the floor, or to one of its rooms. */
struct words {
	STAILQ_ENTRY(words)	 wd_entry;
	struct chunk		*wd_chunk;
	uint16_t		 wd_but;	/* not to this avatar; 0: all */
	uint8_t			 wd_room;	/* 0: the whole floor */
};

/*
 * As the last change has left it; seq and by order changes that two workers
 * make at once, so that both come to the same.
 */
struct door {
	uint8_t		 do_state;
	uint32_t	 do_by, do_seq;
};

struct floor {
	RB_ENTRY(floor)		 fl_entry;
	struct office		*fl_office;
	uint32_t		 fl_id, fl_version;
	char			 fl_name[MAX_NAME + 1];
	struct floor_map	*fl_map;	/* NULL: none of ours there */
	struct chunk		*fl_doc;	/* the map as JSON */
	struct avatar_list	 fl_avatars;
	struct avatar_list	 fl_ours;	/* with pages here */
	struct avatar_list	 fl_dirty;	/* for the next frame */
	struct avatar_list	 fl_far;	/* and for those far away */
	struct avatar_list	 fl_moving;
	unsigned int		 fl_people, fl_local;
	uint16_t		 fl_slot;	/* given last */
	uint16_t		 fl_rooms[256];	/* people in each */
	uint8_t			 fl_shut[32], fl_full[32];
	struct door		 fl_doors[256];		/* by room */
	uint8_t			 fl_can;	/* RIGHT_TALK bits */
	uint8_t			 fl_way;	/* enum talk_way */
	TAILQ_HEAD(, kept)	 fl_kept;		/* see room.c */
	STAILQ_HEAD(, words)	 fl_words;
	uint64_t		 fl_ticked, fl_due;	/* tick, mono ms */
	uint64_t		 fl_all;	/* told those far away, too */
	struct event		 fl_timer;
	struct pairs		 fl_pairs;	/* talk.c: of all, or of ours */
	unsigned int		 fl_ears;	/* who take part */
	int			 fl_leads;	/* we say who talks with whom */
	int			 fl_again;	/* all of it once more */
	uint16_t		 fl_bubble;	/* given last */
	uint64_t		 fl_talk_due;	/* the next step, mono ms */
	uint64_t		 fl_talk_rest;	/* and none before that */
	struct event		 fl_talk;
};

TAILQ_HEAD(person_list, person);

/* What a floor is called, for all who may enter it. */
struct floor_name {
	RB_ENTRY(floor_name)	 fn_entry;
	uint32_t		 fn_floor;
	char			*fn_name;
};
RB_HEAD(name_tree, floor_name);

/* Somebody's presence on its way to all who may see the floor. */
struct news {
	STAILQ_ENTRY(news)	 ne_entry;
	struct chunk		*ne_chunk;
	uint32_t		 ne_floor, ne_user;
};

/* A tenant as this process knows it. */
struct office {
	RB_ENTRY(office)	 of_entry;
	uint32_t		 of_tenant;
	struct floor_tree	 of_floors;
	struct name_tree	 of_names;
	struct avatar_tree	 of_avatars;	/* by user */
	struct person_list	 of_persons;
	unsigned int		 of_npeople;	/* avatars */
	unsigned int		 of_npersons, of_nnews;
	STAILQ_HEAD(, news)	 of_news;
	TAILQ_HEAD(, knock)	 of_knocks;	/* knock.c */
	uint64_t		 of_told;	/* the news before, mono ms */
	struct event		 of_timer;
};

int		 floor_cmp(struct floor *, struct floor *);
int		 avatar_cmp(struct avatar *, struct avatar *);
RB_PROTOTYPE(avatar_tree, avatar, av_entry, avatar_cmp)
RB_PROTOTYPE(floor_tree, floor, fl_entry, floor_cmp)

/*
 * The tenant's office, or NULL; and made when there is none, NULL without
 * memory: not for a tenant that only another worker has named.
 */
struct office	*office_find(uint32_t tenant);
struct office	*office_get(uint32_t tenant);
/* Call for every office of this process. */
void		 office_each(void (*)(struct office *, void *), void *);

/* Storage says what the floor is called; and what it has said, or "". */
void		 floor_named(struct office *, uint32_t id, const char *);
const char	*floor_name(struct office *, uint32_t id);

struct floor	*floor_find(struct office *, uint32_t id);
/* The floor, made without a map when there is none. */
struct floor	*floor_make(struct office *, uint32_t id);
/*
 * Take the map of the document unless it is known in this version.  0, or -1
 * when the map does not hold what map.h demands (logged).
 */
int		 floor_load(struct floor *, const struct m_floor_doc *);
/*
 * Storage says what the floor lets all on it do when they talk, and which way
 * that takes.  Who is there is told when it is new.
 */
void		 floor_talk_told(struct floor *, uint8_t can, uint8_t way);
/* The value of a rule of the tenant. */
uint32_t	 floor_rule(const struct floor *, enum policy_key);
/* The way, with the tenant's rule where the floor has none: no WAY_TENANT. */
enum talk_way	 floor_way(const struct floor *);
/* Free the floor if nobody is on it. */
void		 floor_release(struct floor *);

struct avatar	*avatar_find(struct office *, uint32_t user);
/* The one of this number on the floor, or NULL. */
struct avatar	*avatar_numbered(const struct floor *, uint64_t id);
/*
 * Put somebody on the floor: at x, y if one may be there, else at a spawn
 * point.  NULL when the floor is full.
 */
struct avatar	*avatar_enter(struct floor *, struct person *,
		    const struct login *, int placed, int x, int y);
/* A copy of another worker's avatar, new or changed. */
struct avatar	*avatar_remote(struct floor *, const struct m_bus_join *,
		    unsigned int worker);
/* Remove; nobody is told. */
void		 avatar_free(struct avatar *);
/* Where it is now. */
void		 avatar_at(const struct avatar *, uint64_t now, int *x, int *y);

/*
 * A leg that the page asks for.  Begins now, or behind those queued if then.
 * WALK_FREE, or why it is refused; the avatar stands then.
 */
enum walk_result avatar_walk(struct avatar *, uint16_t x, uint16_t y,
		    uint8_t heading, int then);
/* Stand here and forget what was queued. */
void		 avatar_stop(struct avatar *, uint64_t now);
/* A leg of another worker's avatar. */
void		 avatar_leg(struct avatar *, int x, int y, int tx, int ty,
		    uint8_t heading, uint64_t t0);

/*
 * Bring all moving avatars of ours to this time: queues, rooms, rules.  When
 * (mono ms) it has to be done again: now for the next tick, FLOOR_STILL never.
 */
uint64_t	 floor_step(struct floor *, uint64_t now);

/*
 * room.c: doors, and who may come in.
 */
/* "open" and so on; and the state of that word, or -1. */
const char	*room_state_name(uint8_t state);
int		 room_state_number(const char *);
/* An avatar of ours moves the door of an occupied room, who may. */
void		 room_door(struct floor *, uint8_t room, uint8_t state,
		    struct avatar *);
/* The door of an occupied room as another worker knows it. */
void		 room_told(struct floor *, uint8_t room, const struct door *);
/* An avatar of another worker has left it; those of ours stay. */
void		 room_left(struct floor *, uint8_t room);
/* Nobody is in the room any more: it opens by itself. */
void		 room_empty(struct floor *, uint8_t room);
/* Somebody inside lets the avatar of ours into the closed room, once. */
void		 room_pass(struct avatar *, uint8_t room);
/*
 * An avatar's connection is lost: if its room is shut and others stay in it,
 * its user may come back there within a minute.  May the user?  And nobody.
 */
void		 room_keep(struct avatar *);
int		 room_kept(const struct floor *, uint32_t user, uint8_t room);
void		 room_forget(struct floor *);
/* Is the room shut for the avatar, or (NULL) for all without a pass? */
int		 room_shut(const struct floor *, const struct avatar *,
		    uint8_t room);
/* What holds for the avatar's next leg. */
void		 room_rules(const struct avatar *, struct walk_rules *);

/* The room of an avatar of another worker has changed. */
void		 floor_room_told(struct avatar *, uint8_t room);

/* The floor that both users are on now, on whichever workers; or 0. */
uint32_t	 floor_shared(uint32_t tenant, uint32_t a, uint32_t b);
/* People on a floor, for the list of floors. */
unsigned int	 floor_people(uint32_t tenant, uint32_t floor);
/* Is the user in the room now, on whichever worker? */
int		 floor_user_in_room(uint32_t tenant, uint32_t user,
		    uint32_t floor, uint32_t room);

#endif
