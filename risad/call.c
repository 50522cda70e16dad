#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "call.h"
#include "person.h"
#include "talk.h"
#include "util.h"

#define CALL_MS		30000	/* then nobody has answered */
#define CALL_RATE	1
#define CALL_BURST	5
#define CALLS_MAX	5	/* of one person, unanswered */
#define RINGS_MAX	32	/* shown to one person */
#define NUMBER_BITS	28

/* What becomes of a call: what is replied to who has made it. */
enum answer	{ ANSWER_NO, ANSWER_YES, ANSWER_NONE, ANSWER_SILENT };

/*
 * Bubbles are talk.c's: who is asked says yes by being in one, which his
 * worker tells before it tells the answer, and who has asked joins him there.
 */

/* Made by somebody of ours, and not answered yet. */
struct call {
	RB_ENTRY(call)		 ca_entry;		/* by number */
	TAILQ_ENTRY(call)	 ca_age_entry;		/* oldest first */
	TAILQ_ENTRY(call)	 ca_person_entry;
	struct person		*ca_person;
	uint32_t		 ca_n, ca_user;		/* 0: a room */
	uint8_t			 ca_kind, ca_room;
	uint64_t		 ca_until;		/* mono ms */
};

/* Shown to somebody of ours, who may answer it. */
struct ring {
	RB_ENTRY(ring)		 ri_entry;		/* by number, person */
	TAILQ_ENTRY(ring)	 ri_person_entry;
	struct person		*ri_person;
	uint32_t		 ri_n, ri_user;		/* of whom */
	uint8_t			 ri_kind, ri_room;
	uint64_t		 ri_until;		/* mono ms */
};

RB_HEAD(call_tree, call);
RB_HEAD(ring_tree, ring);
static struct call_tree	 calls = RB_INITIALIZER(&calls);
static struct ring_tree	 rings = RB_INITIALIZER(&rings);
static TAILQ_HEAD(, call) aging = TAILQ_HEAD_INITIALIZER(aging);
static struct event	 late_timer;

static const struct kind {
	const char	*ki_word;
	int		 ki_room;	/* a room is called, not a user */
	int		 ki_far;	/* it may be somebody elsewhere */
} kinds[CALL_MAX] = {
	[CALL_WAVE] = { "wave", 0, 1 },
	[CALL_COME] = { "come", 0, 1 },
	[CALL_KNOCK] = { "knock", 1, 0 },
	[CALL_BUBBLE] = { "bubble", 0, 0 },	/* alone with one's peer */
	[CALL_JOIN] = { "join", 0, 0 }		/* into the other's */
};

static int
call_cmp(struct call *a, struct call *b)
{
	return (a->ca_n < b->ca_n ? -1 : a->ca_n > b->ca_n);
}

/* Without a person it is before all others of its number. */
static int
ring_cmp(struct ring *a, struct ring *b)
{
	if (a->ri_n != b->ri_n)
		return (a->ri_n < b->ri_n ? -1 : 1);
	return ((uintptr_t)a->ri_person < (uintptr_t)b->ri_person ? -1 :
	    (uintptr_t)a->ri_person > (uintptr_t)b->ri_person);
}

RB_GENERATE_STATIC(call_tree, call, ca_entry, call_cmp)
RB_GENERATE_STATIC(ring_tree, ring, ri_entry, ring_cmp)

static struct call *
call_find(uint32_t n)
{
	struct call	 key = { .ca_n = n };

	return (RB_FIND(call_tree, &calls, &key));
}

/*
 * Those who were called.
 */

static void
ring_free(struct ring *ri)
{
	RB_REMOVE(ring_tree, &rings, ri);
	TAILQ_REMOVE(&ri->ri_person->pn_rings, ri, ri_person_entry);
	free(ri);
}

/* The page need not ask any more. */
static void
ring_end(struct ring *ri)
{
	person_send(ri->ri_person, json_pack("{ss sI}", "t", "callend", "n",
	    (json_int_t)ri->ri_n));
	ring_free(ri);
}

/* Those of numbers from a to b. */
static void
rings_end(uint32_t a, uint32_t b)
{
	struct ring	 key = { .ri_n = a }, *ri, *next;

	for (ri = RB_NFIND(ring_tree, &rings, &key); ri != NULL &&
	    ri->ri_n <= b; ri = next) {
		next = RB_NEXT(ring_tree, &rings, ri);
		ring_end(ri);
	}
}

void
call_over(uint32_t n)
{
	rings_end(n, n);
}

void
call_down(unsigned int inst)
{
	uint32_t	 first = (uint32_t)inst << NUMBER_BITS;

	rings_end(first, first | ((1U << NUMBER_BITS) - 1));
}

/*
 * Room for one more?  A worker that has never said that its calls are over is
 * not waited for.
 */
static int
ring_room(struct person *pn, uint32_t n)
{
	struct ring	 key = { .ri_n = n, .ri_person = pn }, *ri, *next;
	unsigned int	 count = 0;
	uint64_t	 now = mono_ms();

	TAILQ_FOREACH_SAFE(ri, &pn->pn_rings, ri_person_entry, next) {
		if (ri->ri_until < now)
			ring_end(ri);
		else
			count++;
	}
	return (count < RINGS_MAX &&
	    RB_FIND(ring_tree, &rings, &key) == NULL);
}

static void
ring_add(struct person *pn, const struct m_bus_call *m)
{
	struct ring	*ri;

	if ((ri = calloc(1, sizeof(*ri))) == NULL)
		return;
	ri->ri_person = pn;
	ri->ri_n = m->n;
	ri->ri_user = m->from;
	ri->ri_kind = m->kind;
	ri->ri_room = m->room;
	ri->ri_until = mono_ms() + CALL_MS;
	RB_INSERT(ring_tree, &rings, ri);
	TAILQ_INSERT_TAIL(&pn->pn_rings, ri, ri_person_entry);
}

/* What the page is told; of a place that it may not see, nothing. */
static json_t *
ring_frame(const struct person *pn, const struct avatar *from,
    const struct m_bus_call *m)
{
	int	 sees = person_sees(pn, from->av_floor->fl_id);
	json_t	*o;

	o = json_pack("{ss sI ss sI ss sb sI si si}", "t", "call", "n",
	    (json_int_t)m->n, "kind", kinds[m->kind].ki_word, "user",
	    (json_int_t)from->av_user, "name", from->av_name, "guest",
	    from->av_guest, "floor",
	    (json_int_t)(sees ? from->av_floor->fl_id : 0), "id",
	    sees ? from->av_id : 0, "room", !sees ? 0 :
	    m->kind == CALL_KNOCK ? m->room : from->av_room);
	if (m->kind != CALL_WAVE)
		(void)json_object_set_new(o, "until",
		    json_integer((json_int_t)(now_ms() + CALL_MS)));
	return (o);
}

/*
 * Is it for this one?  Its own worker has asked the same, but it may be
 * broken.  A guest decides about members who knock, not about other guests.
 */
static int
is_for(const struct avatar *av, const struct avatar *from,
    const struct m_bus_call *m)
{
	if (av->av_person == NULL || av == from ||
	    av->av_status == STATUS_DND)
		return (0);
	if (m->kind == CALL_KNOCK)
		return (m->room != 0 && av->av_room == m->room &&
		    !(av->av_guest && from->av_guest));
	if (from->av_guest && m->kind == CALL_COME)
		return (0);
	return (av->av_floor == from->av_floor ||
	    (kinds[m->kind].ki_far && !from->av_guest));
}

static void
ring(struct avatar *av, const struct avatar *from, const struct m_bus_call *m)
{
	struct person	*pn = av->av_person;

	if (!is_for(av, from, m))
		return;
	/* Nobody is asked to come where he may not. */
	if (m->kind == CALL_COME && !person_sees(pn, from->av_floor->fl_id))
		return;
	if (!ring_room(pn, m->n))
		return;
	if (m->kind != CALL_WAVE)
		ring_add(pn, m);
	person_send(pn, ring_frame(pn, from, m));
}

void
call_told(struct avatar *from, const struct m_bus_call *m)
{
	struct avatar	*av;

	if (!kinds[m->kind].ki_room) {
		av = avatar_find(from->av_floor->fl_office, m->to);
		if (av != NULL)
			ring(av, from, m);
		return;
	}
	TAILQ_FOREACH(av, &from->av_floor->fl_ours, av_ours_entry)
		ring(av, from, m);
}

/*
 * Those who call.
 */

static void
late_wake(void)
{
	struct timeval	 tv;
	struct call	*ca = TAILQ_FIRST(&aging);
	uint64_t	 now = mono_ms(), left;

	if (ca == NULL) {
		(void)evtimer_del(&late_timer);
		return;
	}
	left = ca->ca_until > now ? ca->ca_until - now : 0;
	tv.tv_sec = (time_t)(left / 1000);
	tv.tv_usec = (suseconds_t)(left % 1000) * 1000;
	(void)evtimer_add(&late_timer, &tv);
}

static void
call_reply(const struct call *ca, enum answer answer)
{
	json_t	*yes = answer == ANSWER_NONE ? json_null() :
		    json_boolean(answer == ANSWER_YES);

	person_send(ca->ca_person, json_pack("{ss sI ss so}", "t", "reply",
	    "n", (json_int_t)ca->ca_n, "kind", kinds[ca->ca_kind].ki_word,
	    "yes", yes));
}

static void
call_end(struct call *ca, enum answer answer)
{
	uint32_t	 n = ca->ca_n;

	if (answer != ANSWER_SILENT)
		call_reply(ca, answer);
	RB_REMOVE(call_tree, &calls, ca);
	TAILQ_REMOVE(&aging, ca, ca_age_entry);
	TAILQ_REMOVE(&ca->ca_person->pn_calls, ca, ca_person_entry);
	bus_call_over(n);
	free(ca);
	call_over(n);
	late_wake();
}

static void
late(int fd, short what, void *arg)
{
	struct call	*ca;
	uint64_t	 now = mono_ms();

	(void)fd;
	(void)what;
	(void)arg;
	while ((ca = TAILQ_FIRST(&aging)) != NULL && ca->ca_until <= now)
		call_end(ca, ANSWER_NONE);
	late_wake();
}

void
call_start(void)
{
	evtimer_set(&late_timer, late, NULL);
}

/* 0 for a wave, which nobody answers; or -1 without memory. */
static int
call_add(struct person *pn, const struct m_bus_call *m)
{
	struct call	*ca;

	if (m->kind == CALL_WAVE)
		return (0);
	if ((ca = calloc(1, sizeof(*ca))) == NULL)
		return (-1);
	ca->ca_person = pn;
	ca->ca_n = m->n;
	ca->ca_user = m->to;
	ca->ca_kind = m->kind;
	ca->ca_room = m->room;
	ca->ca_until = mono_ms() + CALL_MS;
	RB_INSERT(call_tree, &calls, ca);
	TAILQ_INSERT_TAIL(&aging, ca, ca_age_entry);
	TAILQ_INSERT_TAIL(&pn->pn_calls, ca, ca_person_entry);
	late_wake();
	return (0);
}

/* Nobody learns from it how many others there are. */
static uint32_t
call_number(void)
{
	uint32_t	 n;

	do
		n = (uint32_t)proc_inst << NUMBER_BITS |
		    arc4random_uniform(1U << NUMBER_BITS);
	while (n == 0 || call_find(n) != NULL);
	return (n);
}

static const char *
room_refused(const struct avatar *av, uint8_t room)
{
	const struct floor	*fl = av->av_floor;

	if (map_room(fl->fl_map, room) == NULL || av->av_room == room)
		return ("no-room");
	return (fl->fl_doors[room].do_state == DOOR_LOCKED ? "locked" : NULL);
}

/* Would the two be alone in the bubble of the one who is called? */
static int
is_alone(const struct avatar *called, const struct avatar *by)
{
	const struct avatar	*av;

	if (called->av_bubble == 0)
		return (1);
	TAILQ_FOREACH(av, &called->av_floor->fl_avatars, av_floor_entry)
		if (av != called && av != by &&
		    av->av_bubble == called->av_bubble)
			return (0);
	return (1);
}

/* May the two come to be in one bubble?  The first is ours. */
static int
may_unite(const struct avatar *av, const struct avatar *other,
    const struct avatar *called, uint8_t kind)
{
	if (av->av_floor != other->av_floor)
		return (0);
	if (kind == CALL_BUBBLE)
		return (talk_peers(av, other) &&
		    is_alone(called, called == av ? other : av));
	return (called->av_bubble != 0 &&
	    av->av_bubble != other->av_bubble && talk_near(av, other));
}

static const char *
user_refused(const struct person *pn, const struct m_bus_call *m)
{
	const struct avatar	*av = pn->pn_avatar;
	const struct avatar	*to = avatar_find(pn->pn_office, m->to);

	if (to == NULL || to == av || !person_sees(pn, to->av_floor->fl_id))
		return ("no-user");
	if (av->av_guest && (m->kind == CALL_COME ||
	    to->av_floor != av->av_floor))
		return ("no-right");
	if (to->av_status == STATUS_DND)
		return ("dnd");
	return (kinds[m->kind].ki_far || may_unite(av, to, to, m->kind) ?
	    NULL : "no-peer");
}

/* Too many at once, or the same twice. */
static int
is_flood(struct person *pn, const struct m_bus_call *m)
{
	struct call	*ca;
	unsigned int	 n = 0;

	if (bucket_take(&pn->pn_calling, CALL_RATE, CALL_BURST) == -1)
		return (1);
	if (m->kind == CALL_WAVE)
		return (0);
	TAILQ_FOREACH(ca, &pn->pn_calls, ca_person_entry)
		if (++n == CALLS_MAX || (ca->ca_kind == m->kind &&
		    ca->ca_user == m->to && ca->ca_room == m->room))
			return (1);
	return (0);
}

static const char *
call_refused(struct person *pn, const struct m_bus_call *m)
{
	if (pn->pn_avatar == NULL)
		return ("not-here");
	if (is_flood(pn, m))
		return ("too-many");
	return (kinds[m->kind].ki_room ? room_refused(pn->pn_avatar, m->room) :
	    user_refused(pn, m));
}

static void
call_make(struct person *pn, struct m_bus_call *m, const char *ref)
{
	json_t	*o;

	m->tenant = pn->pn_office->of_tenant;
	m->from = pn->pn_avatar->av_user;
	m->n = call_number();
	if (call_add(pn, m) == -1) {
		person_error(pn, "unavailable", ref, NULL);
		return;
	}
	o = json_pack("{ss ss sI}", "t", "called", "ref", ref, "n",
	    (json_int_t)m->n);
	if (m->kind != CALL_WAVE)
		(void)json_object_set_new(o, "until",
		    json_integer((json_int_t)(now_ms() + CALL_MS)));
	person_send(pn, o);
	call_told(pn->pn_avatar, m);
	bus_call(m);
}

static int
kind_number(const char *word)
{
	int	 i;

	for (i = 0; i < CALL_MAX; i++)
		if (strcmp(kinds[i].ki_word, word) == 0)
			return (i);
	return (-1);
}

const char *
say_call(struct person *pn, json_t *o)
{
	uint64_t		 user = 0, room = 0;
	const char		*word, *ref, *bad;
	struct m_bus_call	 m = { 0 };
	int			 kind;
	const struct json_field	 jf[] = {
		{ "t", JK_ANY, 1, &(json_t *){ NULL }, NULL },
		{ "kind", JK_STRING, 1, &word, NULL },
		{ "ref", JK_STRING, 1, &ref, NULL },
		{ "user", JK_UINT, 0, &user, NULL },
		{ "room", JK_UINT, 0, &room, NULL },
	};

	if ((bad = json_fields(o, jf, 5)) != NULL)
		return (bad);
	if (!ref_valid(ref))
		return ("ref");
	if ((kind = kind_number(word)) == -1)
		return ("kind");
	/* Exactly the one of the two that the kind has. */
	if (kinds[kind].ki_room ? room == 0 || room > UINT8_MAX : room != 0)
		return ("room");
	if (kinds[kind].ki_room ? user != 0 : user == 0 || user > UINT32_MAX)
		return ("user");
	m.kind = (uint8_t)kind;
	m.to = (uint32_t)user;
	m.room = (uint8_t)room;
	if ((bad = call_refused(pn, &m)) != NULL)
		person_error(pn, bad, ref, NULL);
	else
		call_make(pn, &m, ref);
	return (NULL);
}

/*
 * Answers.
 */

/* May this one answer for those called, now? */
static int
may_answer(const struct call *ca, const struct avatar *by)
{
	const struct avatar	*av = ca->ca_person->pn_avatar;

	if (av == NULL || by == av ||
	    by->av_floor->fl_office != ca->ca_person->pn_office)
		return (0);
	if (ca->ca_kind != CALL_KNOCK)
		return (by->av_user == ca->ca_user);
	return (by->av_floor == av->av_floor && by->av_room == ca->ca_room &&
	    !(by->av_guest && av->av_guest));
}

/* What was asked for is done. */
static enum answer
call_granted(const struct call *ca, const struct avatar *by)
{
	struct avatar	*av = ca->ca_person->pn_avatar;

	if (ca->ca_kind == CALL_KNOCK)
		room_pass(av, ca->ca_room);
	if (ca->ca_kind != CALL_BUBBLE && ca->ca_kind != CALL_JOIN)
		return (ANSWER_YES);
	if (ca->ca_kind == CALL_BUBBLE && !is_alone(by, av))
		return (ANSWER_NONE);
	return (talk_unite(av, by->av_bubble) == -1 ? ANSWER_NONE :
	    ANSWER_YES);
}

void
call_answered(struct avatar *by, const struct m_bus_answer *m)
{
	struct call	*ca = call_find(m->n);

	if (ca == NULL || !may_answer(ca, by))
		return;
	call_end(ca, m->yes ? call_granted(ca, by) : ANSWER_NO);
}

/*
 * Yes: a bubble to come into, if the other still can.  That of who was told
 * the same before, and is on the way, is not for two others: then it is no.
 */
static int
bubble_offer(struct avatar *av, const struct ring *ri)
{
	const struct avatar	*from;

	from = avatar_find(av->av_floor->fl_office, ri->ri_user);
	if (ri->ri_kind == CALL_BUBBLE && av->av_bubble != 0 &&
	    (from == NULL || from->av_bubble != av->av_bubble))
		return (0);
	if (from != NULL && may_unite(av, from, av, ri->ri_kind))
		(void)talk_bubble(av);
	return (1);
}

const char *
say_answer(struct person *pn, json_t *o)
{
	uint64_t		 n;
	int			 yes;
	const char		*bad;
	struct ring		 key, *ri = NULL;
	struct m_bus_answer	 m = { 0 };
	const struct json_field	 jf[] = {
		{ "t", JK_ANY, 1, &(json_t *){ NULL }, NULL },
		{ "n", JK_UINT, 1, &n, NULL },
		{ "yes", JK_BOOL, 1, &yes, NULL },
	};

	if ((bad = json_fields(o, jf, 3)) != NULL)
		return (bad);
	if (n == 0 || n > UINT32_MAX)
		return ("n");
	key.ri_n = (uint32_t)n;
	key.ri_person = pn;
	if (pn->pn_avatar == NULL ||
	    (ri = RB_FIND(ring_tree, &rings, &key)) == NULL) {
		person_error(pn, "no-call", NULL, NULL);
		return (NULL);
	}
	if (yes && (ri->ri_kind == CALL_BUBBLE || ri->ri_kind == CALL_JOIN))
		yes = bubble_offer(pn->pn_avatar, ri);
	ring_free(ri);
	m.tenant = pn->pn_office->of_tenant;
	m.n = (uint32_t)n;
	m.by = pn->pn_avatar->av_user;
	m.yes = yes != 0;
	if (CALL_WORKER(m.n) == proc_inst)
		call_answered(pn->pn_avatar, &m);
	else
		bus_answer(&m);
	return (NULL);
}

const char *
say_uncall(struct person *pn, json_t *o)
{
	uint64_t		 n;
	const char		*bad;
	struct call		*ca;
	const struct json_field	 jf[] = {
		{ "t", JK_ANY, 1, &(json_t *){ NULL }, NULL },
		{ "n", JK_UINT, 1, &n, NULL },
	};

	if ((bad = json_fields(o, jf, 2)) != NULL)
		return (bad);
	if (n == 0 || n > UINT32_MAX)
		return ("n");
	ca = call_find((uint32_t)n);
	if (ca == NULL || ca->ca_person != pn)
		person_error(pn, "no-call", NULL, NULL);
	else
		call_end(ca, ANSWER_SILENT);
	return (NULL);
}

/*
 * What else ends calls.
 */

void
call_left(struct person *pn, int gone)
{
	struct call	*ca;
	struct ring	*ri, *next;

	while ((ca = TAILQ_FIRST(&pn->pn_calls)) != NULL)
		call_end(ca, ANSWER_SILENT);
	/* Who was asked to come is on his way, maybe. */
	TAILQ_FOREACH_SAFE(ri, &pn->pn_rings, ri_person_entry, next)
		if (gone || ri->ri_kind != CALL_COME)
			ring_end(ri);
}

void
call_lost(struct office *of, uint32_t user, int gone)
{
	struct person	*pn;
	struct call	*ca, *next;

	TAILQ_FOREACH(pn, &of->of_persons, pn_entry)
		TAILQ_FOREACH_SAFE(ca, &pn->pn_calls, ca_person_entry, next)
			if (ca->ca_user == user && (gone ||
			    ca->ca_kind != CALL_COME))
				call_end(ca, ANSWER_NONE);
}

void
call_moved(struct avatar *av)
{
	struct person	*pn = av->av_person;
	struct call	*ca, *next;
	struct ring	*ri, *after;

	TAILQ_FOREACH_SAFE(ca, &pn->pn_calls, ca_person_entry, next)
		if (ca->ca_kind == CALL_KNOCK && ca->ca_room == av->av_room)
			call_end(ca, ANSWER_SILENT);
	TAILQ_FOREACH_SAFE(ri, &pn->pn_rings, ri_person_entry, after)
		if (ri->ri_kind == CALL_KNOCK && ri->ri_room != av->av_room)
			ring_end(ri);
}

/* To those who knock at it a door that moves is an answer. */
static void
door_answer(struct person *pn, uint8_t room, uint8_t state)
{
	struct call	*ca, *next;

	TAILQ_FOREACH_SAFE(ca, &pn->pn_calls, ca_person_entry, next)
		if (ca->ca_kind == CALL_KNOCK && ca->ca_room == room)
			call_end(ca, state == DOOR_OPEN ? ANSWER_YES :
			    ANSWER_NO);
}

void
call_door(struct floor *fl, uint8_t room)
{
	struct avatar	*av;
	uint8_t		 state = fl->fl_doors[room].do_state;

	if (state == DOOR_CLOSED)
		return;
	TAILQ_FOREACH(av, &fl->fl_ours, av_ours_entry)
		door_answer(av->av_person, room, state);
}
