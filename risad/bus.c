#include <string.h>

#include "bus.h"
#include "log.h"
#include "office.h"
#include "tick.h"
#include "util.h"

#define FRAME_HEAD	7
#define ENTRY		12

/* Tell every other worker, or the one given. */
static void
bus_send(struct peer *pe, enum imsg_type type, const void *m)
{
	unsigned int	 i;

	if (pe != NULL) {
		(void)proc_send(pe, type, 0, -1, m);
		return;
	}
	for (i = 0; i < proc_nsession; i++)
		if (i != proc_inst &&
		    (pe = proc_peer(PROC_SESSION, i)) != NULL)
			(void)proc_send(pe, type, 0, -1, m);
}

static void
bus_avatar(struct peer *pe, struct avatar *av)
{
	struct m_bus_join	 m = { 0 };
	uint64_t		 now = mono_ms();
	int			 x, y;

	avatar_at(av, now, &x, &y);
	m.tenant = av->av_floor->fl_office->of_tenant;
	m.floor = av->av_floor->fl_id;
	m.user = av->av_user;
	m.id = av->av_id;
	m.room = av->av_room;
	m.status = av->av_status;
	m.heading = av->av_heading;
	m.look = av->av_look;
	m.x = (uint16_t)x;
	m.y = (uint16_t)y;
	m.tx = (uint16_t)av->av_leg.x1;
	m.ty = (uint16_t)av->av_leg.y1;
	m.time = (uint32_t)now;
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
bus_left(struct avatar *av, int gone)
{
	struct m_bus_left	 m = { av->av_floor->fl_office->of_tenant,
				    av->av_floor->fl_id, av->av_user,
				    av->av_id, gone != 0 };

	bus_send(NULL, IMSG_BUS_LEFT, &m);
}

static void
bus_door_to(struct peer *pe, struct floor *fl, uint8_t room)
{
	struct m_bus_door	 m = { fl->fl_office->of_tenant, fl->fl_id,
				    fl->fl_locker[room], room,
				    fl->fl_locker[room] != 0 };

	bus_send(pe, IMSG_BUS_DOOR, &m);
}

void
bus_door(struct floor *fl, uint8_t room)
{
	bus_door_to(NULL, fl, room);
}

void
bus_message(const struct m_bus_msg *m)
{
	bus_send(NULL, IMSG_BUS_MSG, m);
}

void
bus_takeover(struct avatar *av)
{
	struct m_bus_takeover	 m = { av->av_floor->fl_office->of_tenant,
				    av->av_user };
	struct peer		*pe = proc_peer(PROC_SESSION, av->av_worker);

	if (pe != NULL)
		bus_send(pe, IMSG_BUS_TAKEOVER, &m);
}

void
bus_legs(struct floor *fl, const void *frame, size_t len)
{
	struct m_bus_legs	 m = { fl->fl_office->of_tenant, fl->fl_id,
				    { frame, len } };

	bus_send(NULL, IMSG_BUS_LEGS, &m);
}

/* A new worker, or an old one anew: all that is ours. */
static void
bus_office(struct office *of, void *arg)
{
	struct avatar	*av;
	struct floor	*fl;
	unsigned int	 room;

	RB_FOREACH(av, avatar_tree, &of->of_avatars)
		if (av->av_person != NULL)
			bus_avatar(arg, av);
	RB_FOREACH(fl, floor_tree, &of->of_floors)
		for (room = 1; room < 256; room++)
			if (fl->fl_locker[room] != 0)
				bus_door_to(arg, fl, (uint8_t)room);
}

void
bus_up(struct peer *pe)
{
	office_each(bus_office, pe);
}

/* An avatar that is not ours any more. */
static void
remote_gone(struct avatar *av, int gone)
{
	struct floor	*fl = av->av_floor;

	office_left(av, gone);
	avatar_free(av);
	floor_release(fl);
}

static void
office_lost(struct office *of, void *arg)
{
	struct peer	*pe = arg;
	struct avatar	*av, *next;

	RB_FOREACH_SAFE(av, avatar_tree, &of->of_avatars, next)
		if (av->av_person == NULL && av->av_worker == pe->pe_inst)
			remote_gone(av, 1);
}

void
bus_down(struct peer *pe)
{
	office_each(office_lost, pe);
}

/* The sender's milliseconds of 32 bits as ours of 64: the clock is the same. */
static uint64_t
bus_time(uint32_t time)
{
	uint64_t	 now = mono_ms();

	return (now + (uint64_t)(int64_t)(int32_t)(time - (uint32_t)now));
}

static void
joined(struct peer *pe, const struct m_bus_join *m)
{
	struct office	*of;
	struct floor	*fl;
	struct avatar	*av;
	int		 is_new;

	/* The number says whose avatar it is; nobody speaks for another. */
	if (m->id >> 12 != pe->pe_inst || (of = office_get(m->tenant)) == NULL)
		return;
	login_floor(m->tenant, m->user, m->floor);
	if ((av = avatar_find(of, m->user)) != NULL &&
	    (av->av_id != m->id || av->av_floor->fl_id != m->floor)) {
		if (av->av_person != NULL) {
			office_takeover(of, m->user);
			av = NULL;
		} else {
			remote_gone(av, 0);
			av = NULL;
		}
	}
	is_new = av == NULL;
	if ((fl = floor_make(of, m->floor)) == NULL ||
	    (av = avatar_remote(fl, m, pe->pe_inst)) == NULL)
		return;
	avatar_leg(av, m->x, m->y, m->tx, m->ty, m->heading,
	    bus_time(m->time));
	floor_room_told(av, m->room);
	if (is_new)
		office_joined(av);
	else
		office_changed(av);
}

static void
left(struct peer *pe, const struct m_bus_left *m)
{
	struct office	*of = office_get(m->tenant);
	struct avatar	*av = of == NULL ? NULL : avatar_find(of, m->user);

	if (av != NULL && av->av_person == NULL && av->av_id == m->id &&
	    av->av_worker == pe->pe_inst)
		remote_gone(av, m->gone);
}

static unsigned int
get16(const uint8_t *p)
{
	return ((unsigned int)p[0] | (unsigned int)p[1] << 8);
}

static int
legs(struct peer *pe, const struct m_bus_legs *m)
{
	struct office	*of = office_get(m->tenant);
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
		TAILQ_FOREACH(av, &fl->fl_avatars, av_floor_entry)
			if (av->av_id == get16(p))
				break;
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

static void
door(const struct m_bus_door *m)
{
	struct office	*of = office_get(m->tenant);
	struct floor	*fl = of == NULL ? NULL : floor_find(of, m->floor);

	if (fl != NULL)
		floor_door_told(fl, m->room, m->locked, m->by);
}

int
bus_imsg(struct peer *pe, uint32_t type, const void *m)
{
	const struct m_bus_msg		*mm = m;
	const struct m_bus_takeover	*mt = m;
	struct office			*of;

	switch (type) {
	case IMSG_BUS_JOIN:
		joined(pe, m);
		return (0);
	case IMSG_BUS_LEFT:
		left(pe, m);
		return (0);
	case IMSG_BUS_LEGS:
		return (legs(pe, m));
	case IMSG_BUS_DOOR:
		door(m);
		return (0);
	case IMSG_BUS_MSG:
		if ((of = office_get(mm->tenant)) != NULL)
			office_deliver(of, mm);
		return (0);
	case IMSG_BUS_TAKEOVER:
		if ((of = office_get(mt->tenant)) != NULL)
			office_takeover(of, mt->user);
		return (0);
	default:
		return (-1);
	}
}
