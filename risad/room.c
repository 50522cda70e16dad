/*
 * Doors of rooms: open, closed (in comes who has knocked and was let in), or
 * locked.  Those inside move them; an administrator has a key for outside.
 */
#include <sys/param.h>

#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "call.h"
#include "person.h"
#include "util.h"

#define PASS_MS		60000
#define KEPT_MS		60000
#define DOOR_RATE	1
#define DOOR_BURST	6

/* Somebody who was cut off in a shut room: others are in it still. */
struct kept {
	TAILQ_ENTRY(kept)	 ke_entry;
	uint32_t		 ke_user;
	uint8_t			 ke_room;
	uint64_t		 ke_until;	/* mono ms */
};

static const char	*const states[DOOR_MAX] = {
	[DOOR_OPEN] = "open", [DOOR_CLOSED] = "closed",
	[DOOR_LOCKED] = "locked"
};

const char *
room_state_name(uint8_t state)
{
	return (state < DOOR_MAX ? states[state] : "?");
}

int
room_state_number(const char *word)
{
	int	 i;

	for (i = 0; i < DOOR_MAX; i++)
		if (strcmp(states[i], word) == 0)
			return (i);
	return (-1);
}

static void
kept_free(struct floor *fl, struct kept *ke)
{
	TAILQ_REMOVE(&fl->fl_kept, ke, ke_entry);
	free(ke);
}

/* The places of a room, or (0) of the whole floor. */
static void
kept_forget(struct floor *fl, uint8_t room)
{
	struct kept	*ke, *next;

	TAILQ_FOREACH_SAFE(ke, &fl->fl_kept, ke_entry, next)
		if (room == 0 || ke->ke_room == room)
			kept_free(fl, ke);
}

void
room_keep(struct avatar *av)
{
	struct floor	*fl = av->av_floor;
	struct kept	*ke;
	uint64_t	 now = mono_ms();

	while ((ke = TAILQ_FIRST(&fl->fl_kept)) != NULL &&
	    ke->ke_until <= now)
		kept_free(fl, ke);
	if (av->av_room == 0 || isclr(fl->fl_shut, av->av_room) ||
	    fl->fl_rooms[av->av_room] < 2 ||
	    (ke = calloc(1, sizeof(*ke))) == NULL)
		return;
	ke->ke_user = av->av_user;
	ke->ke_room = av->av_room;
	ke->ke_until = now + KEPT_MS;
	TAILQ_INSERT_TAIL(&fl->fl_kept, ke, ke_entry);
}

int
room_kept(const struct floor *fl, uint32_t user, uint8_t room)
{
	const struct kept	*ke;

	TAILQ_FOREACH(ke, &fl->fl_kept, ke_entry)
		if (ke->ke_user == user && ke->ke_room == room &&
		    ke->ke_until > mono_ms())
			return (1);
	return (0);
}

void
room_forget(struct floor *fl)
{
	kept_forget(fl, 0);
}

/* A pass is for the door as it was when it was given. */
static void
room_change_door(struct floor *fl, uint8_t room, const struct door *dr)
{
	struct avatar	*av;

	fl->fl_doors[room] = *dr;
	walk_set(fl->fl_shut, room, dr->do_state != DOOR_OPEN);
	if (dr->do_state == DOOR_OPEN)
		kept_forget(fl, room);
	TAILQ_FOREACH(av, &fl->fl_ours, av_ours_entry)
		if (av->av_pass == room)
			av->av_pass = 0;
	office_door(fl, room);
	call_door(fl, room);
}

void
room_door(struct floor *fl, uint8_t room, uint8_t state, struct avatar *av)
{
	struct door	 dr = { state, av->av_user,
			    fl->fl_doors[room].do_seq + 1 };

	room_change_door(fl, room, &dr);
	bus_door(fl, room);
}

/* Numbers wrap: what is less than half of them ahead is later. */
static int
is_later(const struct door *a, const struct door *b)
{
	if (a->do_seq != b->do_seq)
		return ((int32_t)(a->do_seq - b->do_seq) > 0);
	return (a->do_by > b->do_by);
}

/*
 * Of an empty room every worker knows that it is open, and its numbers begin
 * anew: what is told of one is old.
 */
void
room_told(struct floor *fl, uint8_t room, const struct door *dr)
{
	struct door	*now = &fl->fl_doors[room];

	if (fl->fl_rooms[room] == 0 || !is_later(dr, now))
		return;
	if (dr->do_state == now->do_state)
		*now = *dr;
	else
		room_change_door(fl, room, dr);
}

/*
 * The worker of who has left may take the room for empty, and so for open: it
 * has not heard yet who of ours is inside.
 */
void
room_left(struct floor *fl, uint8_t room)
{
	struct avatar	*av;

	if (room == 0 || isclr(fl->fl_shut, room))
		return;
	TAILQ_FOREACH(av, &fl->fl_ours, av_ours_entry)
		if (av->av_room == room) {
			bus_joined(av);
			return;
		}
}

void
room_empty(struct floor *fl, uint8_t room)
{
	static const struct door	 open = { DOOR_OPEN, 0, 0 };

	if (fl->fl_doors[room].do_state == DOOR_OPEN)
		fl->fl_doors[room] = open;
	else
		room_change_door(fl, room, &open);
}

void
room_pass(struct avatar *av, uint8_t room)
{
	av->av_pass = room;
	av->av_pass_until = mono_ms() + PASS_MS;
}

int
room_shut(const struct floor *fl, const struct avatar *av, uint8_t room)
{
	if (isclr(fl->fl_shut, room))
		return (0);
	return (av == NULL || av->av_pass != room ||
	    fl->fl_doors[room].do_state != DOOR_CLOSED ||
	    mono_ms() > av->av_pass_until);
}

void
room_rules(const struct avatar *av, struct walk_rules *wr)
{
	const struct floor	*fl = av->av_floor;

	memcpy(wr->wr_locked, fl->fl_shut, sizeof(wr->wr_locked));
	memcpy(wr->wr_full, fl->fl_full, sizeof(wr->wr_full));
	wr->wr_own = av->av_room;
	if (av->av_pass != 0 && !room_shut(fl, av, av->av_pass))
		walk_set(wr->wr_locked, av->av_pass, 0);
}

/* The trail has it: now the key may turn, if all is as it was. */
static int
key_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct job	*jo = arg;
	struct person	*pn = jo->jo_person;
	struct avatar	*av = pn == NULL ? NULL : pn->pn_avatar;
	uint8_t		 room = jo->jo_room;
	enum result	 code;

	(void)cn;
	if (type != IMSG_RESULT)
		return (0);
	code = ((const struct m_result *)m)->code;
	if (pn != NULL && code == R_UNAVAILABLE)
		person_error(pn, "unavailable", NULL, NULL);
	else if (pn != NULL && (code != R_OK || av == NULL ||
	    av->av_floor->fl_id != jo->jo_floor ||
	    av->av_floor->fl_rooms[room] == 0))
		person_error(pn, "no-right", NULL, NULL);
	else if (pn != NULL)
		room_door(av->av_floor, room, jo->jo_state, av);
	job_free(jo);
	return (1);
}

static void
key_ask(struct person *pn, uint8_t room, uint8_t state)
{
	struct m_door_key	 m = { person_grant(pn),
				    pn->pn_avatar->av_floor->fl_id, room,
				    state };
	struct job		*jo;

	if ((jo = job_new(pn, NULL)) == NULL)
		return;
	jo->jo_floor = m.floor;
	jo->jo_room = room;
	jo->jo_state = state;
	job_ask(jo, IMSG_DOOR_KEY, &m, key_answer);
}

/* An empty room has nobody whose door it could be. */
static void
door_ask(struct person *pn, uint8_t room, uint8_t state)
{
	struct avatar		*av = pn->pn_avatar;
	struct floor		*fl = av->av_floor;
	const struct map_room	*rm = map_room(fl->fl_map, room);
	int			 inside = av->av_room == room;

	if (rm == NULL || !rm->rm_lock || (!inside &&
	    (pn->pn_conn->cn_login->lg_role != ROLE_ADMIN ||
	    fl->fl_rooms[room] == 0)))
		person_error(pn, "no-right", NULL, NULL);
	else if (fl->fl_doors[room].do_state == state)
		person_send(pn, office_door_now(fl, room));
	else if (bucket_take(&pn->pn_doors, DOOR_RATE, DOOR_BURST) == -1)
		person_error(pn, "too-many", NULL, NULL);
	else if (inside)
		room_door(fl, room, state, av);
	else
		key_ask(pn, room, state);
}

const char *
say_door(struct person *pn, json_t *o)
{
	uint64_t		 room;
	int			 state;
	const char		*word, *bad;
	const struct json_field	 jf[] = {
		{ "t", JK_ANY, 1, &(json_t *){ NULL }, NULL },
		{ "room", JK_UINT, 1, &room, NULL },
		{ "state", JK_STRING, 1, &word, NULL },
	};

	if ((bad = json_fields(o, jf, 3)) != NULL)
		return (bad);
	if (room == 0 || room > UINT8_MAX)
		return ("room");
	if ((state = room_state_number(word)) == -1)
		return ("state");
	if (pn->pn_avatar == NULL)
		person_error(pn, "not-here", NULL, NULL);
	else
		door_ask(pn, (uint8_t)room, (uint8_t)state);
	return (NULL);
}
