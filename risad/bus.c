#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "call.h"
#include "log.h"
#include "office.h"
#include "talk.h"
#include "tick.h"
#include "util.h"

#define FRAME_HEAD	7
#define ENTRY		12
#define LOST_MS		250	/* between two looks whether one reads again */

/* Workers that something could not be told, so they are told all anew. */
static uint8_t		 lost[MAX_SESSIONS];
static struct event	 lost_timer;

/*
 * Whom a worker may bring along: storage says for which users it has given it
 * a grant.  What a worker says of itself is not believed, it may be broken.
 * What it says before storage does is passed over, and asked for then.
 */
struct holder {
	RB_ENTRY(holder) ho_entry;
	unsigned int	 ho_inst;
	uint32_t	 ho_tenant, ho_user;
	uint8_t		 ho_role;
};
RB_HEAD(holder_tree, holder);
static struct holder_tree	 holders = RB_INITIALIZER(&holders);

static int
holder_cmp(struct holder *a, struct holder *b)
{
	if (a->ho_inst != b->ho_inst)
		return (a->ho_inst < b->ho_inst ? -1 : 1);
	if (a->ho_tenant != b->ho_tenant)
		return (a->ho_tenant < b->ho_tenant ? -1 : 1);
	return (a->ho_user < b->ho_user ? -1 : a->ho_user > b->ho_user);
}

RB_GENERATE_STATIC(holder_tree, holder, ho_entry, holder_cmp)

static struct holder *
holder_find(unsigned int inst, uint32_t tenant, uint32_t user)
{
	struct holder	 key = { .ho_inst = inst, .ho_tenant = tenant,
			    .ho_user = user };

	return (RB_FIND(holder_tree, &holders, &key));
}

static void
lost_wake(void)
{
	struct timeval	 tv = { 0, LOST_MS * 1000 };

	if (!evtimer_pending(&lost_timer, NULL))
		(void)evtimer_add(&lost_timer, &tv);
}

/*
 * Who does not read for long has more waiting than is kept, and what he was
 * not told cannot be told later one by one.
 */
static void
bus_tell(struct peer *pe, enum imsg_type type, const void *m)
{
	if (lost[pe->pe_inst] || proc_send(pe, type, 0, -1, m) == 0 ||
	    errno != ENOBUFS)
		return;
	lost[pe->pe_inst] = 1;
	lost_wake();
}

/* Tell every other worker, or the one given. */
static void
bus_send(struct peer *pe, enum imsg_type type, const void *m)
{
	unsigned int	 i;

	if (pe != NULL) {
		bus_tell(pe, type, m);
		return;
	}
	for (i = 0; i < proc_nsession; i++)
		if (i != proc_inst &&
		    (pe = proc_peer(PROC_SESSION, i)) != NULL)
			bus_tell(pe, type, m);
}

static void
bus_avatar(struct peer *pe, struct avatar *av)
{
	const struct door	*dr = &av->av_floor->fl_doors[av->av_room];
	struct m_bus_join	 m = { 0 };
	uint64_t		 now = mono_ms();
	int			 x, y;

	avatar_at(av, now, &x, &y);
	m.tenant = av->av_floor->fl_office->of_tenant;
	m.floor = av->av_floor->fl_id;
	m.user = av->av_user;
	m.id = av->av_id;
	m.over = av->av_over;
	m.room = av->av_room;
	m.status = av->av_status;
	m.heading = av->av_heading;
	m.look = av->av_look;
	m.x = (uint16_t)x;
	m.y = (uint16_t)y;
	m.tx = (uint16_t)av->av_leg.x1;
	m.ty = (uint16_t)av->av_leg.y1;
	m.time = (uint32_t)now;
	m.door = dr->do_state;
	m.by = dr->do_by;
	m.seq = dr->do_seq;
	m.media = av->av_media;
	m.bubble = av->av_bubble;
	m.since = (uint32_t)av->av_since;
	m.name = av->av_name;
	m.note = av->av_note;
	bus_send(pe, IMSG_BUS_JOIN, &m);
}

void
bus_joined(struct avatar *av)
{
	bus_avatar(NULL, av);
}

void
bus_left(struct avatar *av, uint32_t to)
{
	struct m_bus_left	 m = { av->av_floor->fl_office->of_tenant,
				    av->av_floor->fl_id, av->av_user,
				    av->av_id, to };

	bus_send(NULL, IMSG_BUS_LEFT, &m);
}

void
bus_door(struct floor *fl, uint8_t room)
{
	const struct door	*dr = &fl->fl_doors[room];
	struct m_bus_door	 m = { fl->fl_office->of_tenant, fl->fl_id,
				    dr->do_by, dr->do_seq, room,
				    dr->do_state };

	bus_send(NULL, IMSG_BUS_DOOR, &m);
}

/* Of whom it is for the worker is known, of a room not. */
void
bus_call(const struct m_bus_call *m)
{
	struct office	*of = office_find(m->tenant);
	struct avatar	*to = NULL;
	struct peer	*pe;

	if (of != NULL && m->to != 0 && (to = avatar_find(of, m->to)) == NULL)
		return;
	if (to == NULL)
		bus_send(NULL, IMSG_BUS_CALL, m);
	else if (to->av_person == NULL &&
	    (pe = proc_peer(PROC_SESSION, to->av_worker)) != NULL)
		bus_send(pe, IMSG_BUS_CALL, m);
}

void
bus_call_over(uint32_t n)
{
	struct m_bus_call_over	 m = { n };

	bus_send(NULL, IMSG_BUS_CALL_OVER, &m);
}

void
bus_answer(const struct m_bus_answer *m)
{
	struct peer	*pe = proc_peer(PROC_SESSION, CALL_WORKER(m->n));

	if (pe != NULL)
		bus_send(pe, IMSG_BUS_ANSWER, m);
}

void
bus_legs(struct floor *fl, const void *frame, size_t len)
{
	struct m_bus_legs	 m = { fl->fl_office->of_tenant, fl->fl_id,
				    { frame, len } };

	bus_send(NULL, IMSG_BUS_LEGS, &m);
}

void
bus_pair(struct floor *fl, unsigned int worker, uint16_t a, uint16_t b,
    uint8_t state)
{
	struct m_bus_pair	 m = { fl->fl_office->of_tenant, fl->fl_id, a,
				    b, state };
	struct peer		*pe = NULL;

	if (worker != BUS_ALL &&
	    (pe = proc_peer(PROC_SESSION, worker)) == NULL)
		return;
	bus_send(pe, IMSG_BUS_PAIR, &m);
}

void
bus_signal(const struct avatar *from, const struct avatar *to,
    const char *data)
{
	struct m_bus_signal	 m = { from->av_floor->fl_office->of_tenant,
				    from->av_floor->fl_id, from->av_id,
				    to->av_id, data };
	struct peer		*pe = proc_peer(PROC_SESSION, to->av_worker);

	if (pe != NULL)
		bus_send(pe, IMSG_BUS_SIGNAL, &m);
}

void
bus_word(const struct avatar *from, const struct avatar *to, int on)
{
	struct m_bus_word	 m = { from->av_floor->fl_office->of_tenant,
				    from->av_floor->fl_id, from->av_id,
				    to->av_id, on != 0 };
	struct peer		*pe = proc_peer(PROC_SESSION, to->av_worker);

	if (pe != NULL)
		bus_send(pe, IMSG_BUS_WORD, &m);
}

/* A new worker, or an old one anew: all that is ours. */
static void
bus_office(struct office *of, void *arg)
{
	struct avatar	*av;

	RB_FOREACH(av, avatar_tree, &of->of_avatars)
		if (av->av_person != NULL)
			bus_avatar(arg, av);
}

void
bus_up(struct peer *pe)
{
	office_each(bus_office, pe);
}

/* An avatar that is not ours any more. */
static void
remote_gone(struct avatar *av, uint32_t to)
{
	struct floor	*fl = av->av_floor;
	uint8_t		 room = av->av_room;

	if (to == 0)
		room_keep(av);
	office_left(av, to);
	avatar_free(av);
	room_left(fl, room);
	floor_release(fl);
}

static void
office_lost(struct office *of, void *arg)
{
	struct peer	*pe = arg;
	struct avatar	*av, *next;

	RB_FOREACH_SAFE(av, avatar_tree, &of->of_avatars, next)
		if (av->av_person == NULL && av->av_worker == pe->pe_inst)
			remote_gone(av, 0);
}

void
bus_down(struct peer *pe)
{
	lost[pe->pe_inst] = 0;
	office_each(office_lost, pe);
	call_down(pe->pe_inst);
}

/* The sender's milliseconds of 32 bits as ours of 64: the clock is the same. */
static uint64_t
bus_time(uint32_t time)
{
	uint64_t	 now = mono_ms();

	return (now + (uint64_t)(int64_t)(int32_t)(time - (uint32_t)now));
}

/* Is the number another one's on this floor? */
static int
id_taken(struct office *of, const struct m_bus_join *m)
{
	struct floor	*fl = floor_find(of, m->floor);
	struct avatar	*av = fl == NULL ? NULL : avatar_numbered(fl, m->id);

	return (av != NULL && av->av_user != m->user);
}

static void
joined(unsigned int inst, const struct m_bus_join *m)
{
	const struct door dr = { m->door, m->by, m->seq };
	struct office	*of;
	struct floor	*fl;
	struct avatar	*av;
	struct holder	*ho = holder_find(inst, m->tenant, m->user);
	int		 is_new;

	/*
	 * The number says whose avatar it is; nobody speaks for another.  Of
	 * a grant storage may tell before it has told of the tenant.
	 */
	if (m->id >> 12 != inst ||
	    (ho == NULL && site_tenant(m->tenant) == NULL) ||
	    (of = office_get(m->tenant)) == NULL)
		return;
	av = avatar_find(of, m->user);
	is_new = av == NULL || av->av_id != m->id ||
	    av->av_floor->fl_id != m->floor;
	if ((is_new && ho == NULL) || id_taken(of, m))
		return;
	/* Who was taken over has said it before he heard of that. */
	if (is_new && av != NULL && av->av_over == m->id &&
	    m->over != av->av_id)
		return;
	/*
	 * Two pages of one user have come in without knowing of each other:
	 * the lower number stays, and says so again, so that the other goes.
	 */
	if (is_new && av != NULL && av->av_person != NULL &&
	    m->over != av->av_id && av->av_id < m->id) {
		bus_joined(av);
		return;
	}
	login_floor(m->tenant, m->user, m->floor);
	if (av != NULL && is_new) {
		if (av->av_person != NULL)
			office_takeover(of, m->user);
		else
			remote_gone(av, m->floor);
	}
	if ((fl = floor_make(of, m->floor)) == NULL ||
	    (av = avatar_remote(fl, m, inst)) == NULL)
		return;
	if (ho != NULL)
		av->av_guest = ho->ho_role == ROLE_GUEST;
	av->av_stale = 0;
	avatar_leg(av, m->x, m->y, m->tx, m->ty, m->heading,
	    bus_time(m->time));
	talk_told(av, m, bus_time(m->since));
	floor_room_told(av, m->room);
	if (m->room != 0)
		room_told(fl, m->room, &dr);
	if (is_new)
		office_joined(av);
	else
		office_changed(av);
}

/* The worker may have said it before. */
static void
bus_ask(const struct m_bus_grant *mg)
{
	struct m_bus_again	 m = { mg->tenant, mg->user };
	struct peer		*pe = proc_peer(PROC_SESSION, mg->inst);

	if (pe != NULL)
		bus_send(pe, IMSG_BUS_AGAIN, &m);
}

/* Storage has given a worker a grant for a user, or taken the last one. */
static void
granted(const struct m_bus_grant *m)
{
	struct holder	*ho = holder_find(m->inst, m->tenant, m->user);
	struct office	*of = office_get(m->tenant);
	struct avatar	*av = of == NULL ? NULL : avatar_find(of, m->user);

	if (!m->on) {
		if (ho != NULL) {
			RB_REMOVE(holder_tree, &holders, ho);
			free(ho);
		}
		/* It has said so itself, unless it is broken. */
		if (av != NULL && av->av_person == NULL &&
		    av->av_worker == m->inst)
			remote_gone(av, 0);
		return;
	}
	if (ho == NULL) {
		if ((ho = calloc(1, sizeof(*ho))) == NULL)
			return;
		ho->ho_inst = m->inst;
		ho->ho_tenant = m->tenant;
		ho->ho_user = m->user;
		RB_INSERT(holder_tree, &holders, ho);
		if (av == NULL || av->av_worker != m->inst)
			bus_ask(m);
	}
	ho->ho_role = m->role;
}

/*
 * Once more to who reads again.
 */

static void
office_again(struct office *of, void *arg)
{
	struct floor	*fl;

	bus_office(of, arg);
	RB_FOREACH(fl, floor_tree, &of->of_floors) {
		fl->fl_again = 1;
		talk_wake(fl);
	}
}

/* What he was to be asked may be lost as well. */
static void
ask_missing(unsigned int inst)
{
	struct m_bus_grant	 m = { .inst = (uint16_t)inst };
	struct holder		*ho;
	struct office		*of;
	struct avatar		*av;

	RB_FOREACH(ho, holder_tree, &holders) {
		if (ho->ho_inst != inst)
			continue;
		of = office_find(ho->ho_tenant);
		av = of == NULL ? NULL : avatar_find(of, ho->ho_user);
		if (av != NULL && av->av_worker == inst)
			continue;
		m.tenant = ho->ho_tenant;
		m.user = ho->ho_user;
		bus_ask(&m);
	}
}

static void
bus_all(struct peer *pe)
{
	struct m_bus_all	 m = { 1 };

	bus_send(pe, IMSG_BUS_ALL, &m);
	office_each(office_again, pe);
	m.begins = 0;
	bus_send(pe, IMSG_BUS_ALL, &m);
	ask_missing(pe->pe_inst);
}

static void
lost_event(int fd, short what, void *arg)
{
	struct peer	*pe;
	unsigned int	 i;

	(void)fd;
	(void)what;
	(void)arg;
	for (i = 0; i < proc_nsession; i++) {
		if (!lost[i] || (pe = proc_peer(PROC_SESSION, i)) == NULL)
			continue;
		if (proc_queued(pe) > 0) {
			lost_wake();
			continue;
		}
		lost[i] = 0;
		bus_all(pe);
	}
}

void
bus_start(void)
{
	evtimer_set(&lost_timer, lost_event, NULL);
}

static void
office_stale(struct office *of, void *arg)
{
	struct peer	*pe = arg;
	struct avatar	*av;

	RB_FOREACH(av, avatar_tree, &of->of_avatars)
		if (av->av_person == NULL && av->av_worker == pe->pe_inst)
			av->av_stale = 1;
}

static void
office_named(struct office *of, void *arg)
{
	struct peer	*pe = arg;
	struct avatar	*av, *next;

	RB_FOREACH_SAFE(av, avatar_tree, &of->of_avatars, next)
		if (av->av_person == NULL && av->av_worker == pe->pe_inst &&
		    av->av_stale)
			remote_gone(av, 0);
}

/* Those that it does not name until it says so are none of its any more. */
static void
all(struct peer *pe, const struct m_bus_all *m)
{
	office_each(m->begins ? office_stale : office_named, pe);
}

void
bus_storage_down(void)
{
	struct holder	*ho;

	while ((ho = RB_ROOT(&holders)) != NULL) {
		RB_REMOVE(holder_tree, &holders, ho);
		free(ho);
	}
}

/*
 * Of two pages that come in at once one goes again, and here it may have come
 * after the one that stays: the page's worker knows, if there is one.
 */
static void
ask_others(unsigned int inst, uint32_t tenant, uint32_t user)
{
	struct m_bus_grant	 m = { .tenant = tenant, .user = user };

	for (m.inst = 0; m.inst < proc_nsession; m.inst++)
		if (m.inst != inst &&
		    holder_find(m.inst, tenant, user) != NULL)
			bus_ask(&m);
}

static void
left(struct peer *pe, const struct m_bus_left *m)
{
	struct office	*of = office_find(m->tenant);
	struct avatar	*av = of == NULL ? NULL : avatar_find(of, m->user);

	if (av == NULL || av->av_person != NULL || av->av_id != m->id ||
	    av->av_worker != pe->pe_inst)
		return;
	remote_gone(av, m->to);
	if (m->to == 0)
		ask_others(pe->pe_inst, m->tenant, m->user);
}

static unsigned int
get16(const uint8_t *p)
{
	return ((unsigned int)p[0] | (unsigned int)p[1] << 8);
}

static int
legs(struct peer *pe, const struct m_bus_legs *m)
{
	struct office	*of = office_find(m->tenant);
	struct floor	*fl = of == NULL ? NULL : floor_find(of, m->floor);
	struct avatar	*av;
	const uint8_t	*p = m->frame.mb_data;
	uint64_t	 t0;
	unsigned int	 n;

	if (m->frame.mb_len < FRAME_HEAD || (n = get16(p + 5),
	    m->frame.mb_len != FRAME_HEAD + (size_t)n * ENTRY))
		return (-1);
	if (fl == NULL)
		return (0);
	t0 = bus_time(get16(p + 1) | get16(p + 3) << 16);
	for (p += FRAME_HEAD; n > 0; n--, p += ENTRY) {
		av = avatar_numbered(fl, get16(p));
		if (av == NULL || av->av_worker != pe->pe_inst ||
		    av->av_person != NULL)
			continue;
		avatar_leg(av, (int)get16(p + 2), (int)get16(p + 4),
		    (int)get16(p + 6), (int)get16(p + 8), p[10], t0);
		if (fl->fl_local > 0)
			tick_mark(av);
	}
	return (0);
}

/* An avatar of this user that the worker may speak for, or NULL. */
static struct avatar *
theirs(const struct peer *pe, uint32_t tenant, uint32_t user)
{
	struct office	*of = office_find(tenant);
	struct avatar	*av = of == NULL ? NULL : avatar_find(of, user);

	return (av != NULL && av->av_person == NULL &&
	    av->av_worker == pe->pe_inst ? av : NULL);
}

/* Doors are moved from inside, or by an administrator on the floor. */
static void
door(struct peer *pe, const struct m_bus_door *m)
{
	const struct door	 dr = { m->state, m->by, m->seq };
	struct avatar		*av = theirs(pe, m->tenant, m->by);
	struct holder		*ho = holder_find(pe->pe_inst, m->tenant,
				    m->by);

	if (av == NULL || av->av_floor->fl_id != m->floor || m->room == 0)
		return;
	if (av->av_room == m->room ||
	    (ho != NULL && ho->ho_role == ROLE_ADMIN))
		room_told(av->av_floor, m->room, &dr);
}

static void
called(struct peer *pe, const struct m_bus_call *m)
{
	struct avatar	*av = theirs(pe, m->tenant, m->from);

	if (av != NULL && CALL_WORKER(m->n) == pe->pe_inst)
		call_told(av, m);
}

static void
answered(struct peer *pe, const struct m_bus_answer *m)
{
	struct avatar	*av = theirs(pe, m->tenant, m->by);

	if (av != NULL)
		call_answered(av, m);
}

/* Only the worker that owns a call says that it is over. */
static void
over(struct peer *pe, const struct m_bus_call_over *m)
{
	if (CALL_WORKER(m->n) == pe->pe_inst)
		call_over(m->n);
}

/* Who has not known of it may have taken itself for the leader of its talk. */
static void
again(struct peer *pe, const struct m_bus_again *m)
{
	struct office	*of;
	struct avatar	*av;

	if (site_tenant(m->tenant) == NULL ||
	    (of = office_find(m->tenant)) == NULL ||
	    (av = avatar_find(of, m->user)) == NULL || av->av_person == NULL)
		return;
	bus_avatar(pe, av);
	av->av_floor->fl_again = 1;
	talk_wake(av->av_floor);
}

static struct floor *
floor_told(uint32_t tenant, uint32_t floor)
{
	struct office	*of = office_find(tenant);

	return (of == NULL ? NULL : floor_find(of, floor));
}

/* All three begin with the tenant and the floor. */
static int
talk_imsg(struct peer *pe, uint32_t type, const void *m)
{
	const struct m_bus_pair	*mp = m;
	struct floor		*fl = floor_told(mp->tenant, mp->floor);

	if (fl == NULL || fl->fl_local == 0)
		return (0);
	if (type == IMSG_BUS_SIGNAL)
		return (signal_told(pe, fl, m));
	if (type == IMSG_BUS_WORD)
		return (talk_word_told(pe, fl, m));
	talk_pair_told(pe, fl, m);
	return (0);
}

int
bus_imsg(struct peer *pe, uint32_t type, const void *m)
{
	switch (type) {
	case IMSG_BUS_JOIN:
		joined(pe->pe_inst, m);
		return (0);
	case IMSG_BUS_AGAIN:
		again(pe, m);
		return (0);
	case IMSG_BUS_ALL:
		all(pe, m);
		return (0);
	case IMSG_BUS_LEFT:
		left(pe, m);
		return (0);
	case IMSG_BUS_LEGS:
		return (legs(pe, m));
	case IMSG_BUS_DOOR:
		door(pe, m);
		return (0);
	case IMSG_BUS_CALL:
		called(pe, m);
		return (0);
	case IMSG_BUS_CALL_OVER:
		over(pe, m);
		return (0);
	case IMSG_BUS_ANSWER:
		answered(pe, m);
		return (0);
	case IMSG_BUS_PAIR:
	case IMSG_BUS_SIGNAL:
	case IMSG_BUS_WORD:
		return (talk_imsg(pe, type, m));
	default:
		return (-1);
	}
}

int
bus_storage(uint32_t type, const void *m)
{
	const struct m_bus_msg	*mm = m;
	struct office		*of;

	switch (type) {
	case IMSG_BUS_MSG:
		if ((of = office_get(mm->tenant)) != NULL)
			office_deliver(of, mm);
		return (0);
	case IMSG_BUS_CLEARED:
		office_cleared(m);
		return (0);
	case IMSG_BUS_ERASED:
		office_erased(m);
		return (0);
	case IMSG_BUS_GRANT:
		granted(m);
		return (0);
	default:
		return (-1);
	}
}
