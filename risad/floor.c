#include <sys/param.h>

#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "call.h"
#include "log.h"
#include "office.h"
#include "talk.h"
#include "tick.h"
#include "util.h"

#define SPAWN_TRIES	24
#define SPAWN_SPREAD	120		/* cm around a spawn point */
#define SPAWN_APART	(90 * 90)	/* cm between two, squared */
#define RACE_MS		1000		/* two entered a room at once */

static unsigned int room_capacity(const struct floor *, uint8_t);

RB_HEAD(office_tree, office);
static struct office_tree	 offices = RB_INITIALIZER(&offices);

static int
office_cmp(struct office *a, struct office *b)
{
	return (a->of_tenant < b->of_tenant ? -1 : a->of_tenant > b->of_tenant);
}

int
floor_cmp(struct floor *a, struct floor *b)
{
	return (a->fl_id < b->fl_id ? -1 : a->fl_id > b->fl_id);
}

int
avatar_cmp(struct avatar *a, struct avatar *b)
{
	return (a->av_user < b->av_user ? -1 : a->av_user > b->av_user);
}

static int
name_cmp(struct floor_name *a, struct floor_name *b)
{
	return (a->fn_floor < b->fn_floor ? -1 : a->fn_floor > b->fn_floor);
}

RB_GENERATE_STATIC(office_tree, office, of_entry, office_cmp)
RB_GENERATE_STATIC(name_tree, floor_name, fn_entry, name_cmp)
RB_GENERATE(floor_tree, floor, fl_entry, floor_cmp)
RB_GENERATE(avatar_tree, avatar, av_entry, avatar_cmp)

struct office *
office_find(uint32_t tenant)
{
	struct office	 key = { .of_tenant = tenant };

	return (RB_FIND(office_tree, &offices, &key));
}

struct office *
office_get(uint32_t tenant)
{
	struct office	*of;

	if ((of = office_find(tenant)) != NULL)
		return (of);
	if ((of = calloc(1, sizeof(*of))) == NULL)
		return (NULL);
	of->of_tenant = tenant;
	RB_INIT(&of->of_floors);
	RB_INIT(&of->of_names);
	RB_INIT(&of->of_avatars);
	TAILQ_INIT(&of->of_persons);
	STAILQ_INIT(&of->of_news);
	TAILQ_INIT(&of->of_knocks);
	RB_INSERT(office_tree, &offices, of);
	return (of);
}

void
office_each(void (*fn)(struct office *, void *), void *arg)
{
	struct office	*of;

	RB_FOREACH(of, office_tree, &offices)
		fn(of, arg);
}

void
floor_named(struct office *of, uint32_t id, const char *name)
{
	struct floor_name	 key = { .fn_floor = id }, *fn;

	if ((fn = RB_FIND(name_tree, &of->of_names, &key)) == NULL) {
		if ((fn = calloc(1, sizeof(*fn))) == NULL)
			return;
		fn->fn_floor = id;
		RB_INSERT(name_tree, &of->of_names, fn);
	}
	if (fn->fn_name == NULL || strcmp(fn->fn_name, name) != 0)
		(void)text_set(&fn->fn_name, name);
}

const char *
floor_name(struct office *of, uint32_t id)
{
	struct floor_name	 key = { .fn_floor = id }, *fn;

	fn = RB_FIND(name_tree, &of->of_names, &key);
	return (fn == NULL || fn->fn_name == NULL ? "" : fn->fn_name);
}

struct floor *
floor_find(struct office *of, uint32_t id)
{
	struct floor	 key;

	key.fl_id = id;
	return (RB_FIND(floor_tree, &of->of_floors, &key));
}

struct floor *
floor_make(struct office *of, uint32_t id)
{
	struct floor	*fl;

	if ((fl = floor_find(of, id)) != NULL)
		return (fl);
	if ((fl = calloc(1, sizeof(*fl))) == NULL)
		return (NULL);
	fl->fl_office = of;
	fl->fl_id = id;
	fl->fl_can = RIGHT_TALK;
	TAILQ_INIT(&fl->fl_avatars);
	TAILQ_INIT(&fl->fl_ours);
	TAILQ_INIT(&fl->fl_dirty);
	TAILQ_INIT(&fl->fl_far);
	TAILQ_INIT(&fl->fl_moving);
	STAILQ_INIT(&fl->fl_words);
	TAILQ_INIT(&fl->fl_kept);
	RB_INSERT(floor_tree, &of->of_floors, fl);
	return (fl);
}

int
floor_load(struct floor *fl, const struct m_floor_doc *m)
{
	struct floor_map	*map;
	struct chunk		*doc;
	unsigned int		 room;
	char			 why[128];

	(void)strlcpy(fl->fl_name, m->name, sizeof(fl->fl_name));
	floor_talk_told(fl, m->can, m->way);
	if (fl->fl_map != NULL && fl->fl_version == m->version)
		return (0);
	map = map_parse(m->map.mb_data, m->map.mb_len, why, sizeof(why));
	if (map == NULL) {
		log_warnx("map of tenant %u, floor %u: %s",
		    fl->fl_office->of_tenant, fl->fl_id, why);
		return (-1);
	}
	if ((doc = chunk_from(m->map.mb_data, m->map.mb_len)) == NULL) {
		map_free(map);
		return (-1);
	}
	map_free(fl->fl_map);
	chunk_free(fl->fl_doc);
	fl->fl_map = map;
	fl->fl_doc = doc;
	fl->fl_version = m->version;
	/* People of other workers may have been here before the map. */
	for (room = 1; room < 256; room++)
		walk_set(fl->fl_full, room, fl->fl_rooms[room] >=
		    room_capacity(fl, (uint8_t)room));
	return (0);
}

void
floor_talk_told(struct floor *fl, uint8_t can, uint8_t way)
{
	if (fl->fl_can == can && fl->fl_way == way)
		return;
	fl->fl_can = can;
	fl->fl_way = way;
	office_rules(fl);
}

uint32_t
floor_rule(const struct floor *fl, enum policy_key key)
{
	const struct tenant	*tn = site_tenant(fl->fl_office->of_tenant);

	/* A tenant that is gone has nobody left whom it could matter to. */
	return (tn == NULL ? policy_rules[key].pr_default :
	    tn->tn_policy.po_value[key]);
}

enum talk_way
floor_way(const struct floor *fl)
{
	return ((enum talk_way)(fl->fl_way != WAY_TENANT ? fl->fl_way :
	    floor_rule(fl, POLICY_TALK_WAY)));
}

void
floor_release(struct floor *fl)
{
	if (fl->fl_people > 0)
		return;
	tick_forget(fl);
	talk_forget(fl);
	room_forget(fl);
	RB_REMOVE(floor_tree, &fl->fl_office->of_floors, fl);
	map_free(fl->fl_map);
	chunk_free(fl->fl_doc);
	free(fl);
}

/*
 * Rooms.
 */

static unsigned int
room_capacity(const struct floor *fl, uint8_t room)
{
	const struct map_room	*rm;

	if (room == 0 || fl->fl_map == NULL ||
	    (rm = map_room(fl->fl_map, room)) == NULL)
		return (UINT16_MAX);
	return (rm->rm_capacity);
}

/* One more or one less. */
static void
room_count(struct floor *fl, uint8_t room, int change)
{
	fl->fl_rooms[room] = (uint16_t)(fl->fl_rooms[room] + change);
	if (room == 0)
		return;
	walk_set(fl->fl_full, room,
	    fl->fl_rooms[room] >= room_capacity(fl, room));
	if (fl->fl_rooms[room] == 0)
		room_empty(fl, room);
}

static void
room_change(struct avatar *av, uint8_t room)
{
	struct floor	*fl = av->av_floor;
	uint8_t		 old = av->av_room;

	if (old == room)
		return;
	/* Those whom it leaves on a stage see no hand of it any more. */
	if (av->av_media & MEDIA_HEAR)
		talk_changed_around(av);
	av->av_room = room;
	room_count(fl, room, 1);
	room_count(fl, old, -1);
	if (av->av_person != NULL)
		call_moved(av);
	talk_room(av);
}

/*
 * Avatars.
 */

struct avatar *
avatar_find(struct office *of, uint32_t user)
{
	struct avatar	 key;

	key.av_user = user;
	return (RB_FIND(avatar_tree, &of->of_avatars, &key));
}

struct avatar *
avatar_numbered(const struct floor *fl, uint64_t id)
{
	struct avatar	*av;

	TAILQ_FOREACH(av, &fl->fl_avatars, av_floor_entry)
		if (av->av_id == id)
			return (av);
	return (NULL);
}

void
avatar_at(const struct avatar *av, uint64_t now, int *x, int *y)
{
	leg_at(&av->av_leg, now, x, y);
}

/* Not the one given back last: pages may still draw its leaving. */
static uint16_t
slot_take(struct floor *fl)
{
	struct avatar	*av;
	unsigned int	 tries;
	uint16_t	 id;

	for (tries = 0; tries < FLOOR_SLOTS; tries++) {
		fl->fl_slot = fl->fl_slot >= FLOOR_SLOTS ? 1 :
		    (uint16_t)(fl->fl_slot + 1);
		id = (uint16_t)(proc_inst << 12 | fl->fl_slot);
		TAILQ_FOREACH(av, &fl->fl_avatars, av_floor_entry)
			if (av->av_id == id)
				break;
		if (av == NULL)
			return (id);
	}
	return (0);
}

/* A user of 0 has been nowhere before. */
static int
may_stand(struct floor *fl, uint32_t user, int x, int y)
{
	uint8_t	 room;

	if (!map_can_stand(fl->fl_map, x, y))
		return (0);
	room = map_room_at(fl->fl_map, x, y);
	return (room == 0 || ((!room_shut(fl, NULL, room) ||
	    room_kept(fl, user, room)) && isclr(fl->fl_full, room)));
}

/* How far the nearest other is, squared; looked at once for each try. */
static int64_t
room_around(const struct floor *fl, int x, int y, uint64_t now)
{
	const struct avatar	*av;
	int64_t			 d, nearest = INT64_MAX;
	int			 ax, ay;

	TAILQ_FOREACH(av, &fl->fl_avatars, av_floor_entry) {
		avatar_at(av, now, &ax, &ay);
		d = (int64_t)(ax - x) * (ax - x) + (int64_t)(ay - y) * (ay - y);
		if (d < nearest)
			nearest = d;
	}
	return (nearest);
}

/* Near a spawn point, in sight of it, as far from others as a few tries go. */
static void
spawn_place(struct floor *fl, int *x, int *y)
{
	const struct map_point	*pt;
	uint64_t		 now = mono_ms();
	int64_t			 d, best = -1;
	int			 i, sx, sy, ex, ey;

	*x = fl->fl_map->fm_spawn[0].pt_x;
	*y = fl->fl_map->fm_spawn[0].pt_y;
	for (i = 0; i < SPAWN_TRIES && best < SPAWN_APART; i++) {
		pt = &fl->fl_map->fm_spawn[arc4random_uniform(
		    fl->fl_map->fm_nspawn)];
		sx = pt->pt_x - SPAWN_SPREAD +
		    (int)arc4random_uniform(2 * SPAWN_SPREAD);
		sy = pt->pt_y - SPAWN_SPREAD +
		    (int)arc4random_uniform(2 * SPAWN_SPREAD);
		if (!may_stand(fl, 0, sx, sy) || walk_check(fl->fl_map, NULL,
		    pt->pt_x, pt->pt_y, sx, sy, &ex, &ey) != WALK_FREE ||
		    (d = room_around(fl, sx, sy, now)) <= best)
			continue;
		best = d;
		*x = sx;
		*y = sy;
	}
}

static struct avatar *
avatar_new(struct floor *fl, uint32_t user, uint16_t id, unsigned int worker)
{
	struct avatar	*av;

	if ((av = calloc(1, sizeof(*av))) == NULL)
		return (NULL);
	if (text_set(&av->av_name, "") == -1 ||
	    text_set(&av->av_note, "") == -1) {
		free(av->av_name);
		free(av);
		return (NULL);
	}
	av->av_floor = fl;
	av->av_user = user;
	av->av_id = id;
	av->av_worker = worker;
	TAILQ_INSERT_TAIL(&fl->fl_avatars, av, av_floor_entry);
	RB_INSERT(avatar_tree, &fl->fl_office->of_avatars, av);
	fl->fl_office->of_npeople++;
	fl->fl_people++;
	fl->fl_rooms[0]++;
	return (av);
}

struct avatar *
avatar_enter(struct floor *fl, struct person *pn, const struct login *lg,
    int placed, int x, int y)
{
	struct avatar	*av;
	uint16_t	 id;

	if ((id = slot_take(fl)) == 0)
		return (NULL);
	if (!placed || !may_stand(fl, lg->lg_user, x, y))
		spawn_place(fl, &x, &y);
	if ((av = avatar_new(fl, lg->lg_user, id, proc_inst)) == NULL)
		return (NULL);
	fl->fl_local++;
	av->av_person = pn;
	TAILQ_INSERT_TAIL(&fl->fl_ours, av, av_ours_entry);
	av->av_look = lg->lg_look;
	av->av_status = lg->lg_status;
	av->av_guest = lg->lg_role == ROLE_GUEST;
	av->av_heading = 64;		/* towards whoever looks at the page */
	(void)text_set(&av->av_name, lg->lg_name);
	(void)text_set(&av->av_note, lg->lg_note);
	leg_stop(&av->av_leg, x, y, mono_ms());
	av->av_outx = x;
	av->av_outy = y;
	room_change(av, map_room_at(fl->fl_map, x, y));
	talk_wake(fl);
	return (av);
}

struct avatar *
avatar_remote(struct floor *fl, const struct m_bus_join *m,
    unsigned int worker)
{
	struct avatar	*av = avatar_find(fl->fl_office, m->user);

	if (av == NULL && (av = avatar_new(fl, m->user, m->id, worker)) == NULL)
		return (NULL);
	av->av_over = m->over;
	av->av_look = m->look;
	av->av_status = m->status;
	(void)text_set(&av->av_name, m->name);
	(void)text_set(&av->av_note, m->note);
	return (av);
}

void
avatar_free(struct avatar *av)
{
	struct floor	*fl = av->av_floor;

	talk_left(av);
	tick_unmark(av);
	tick_unmark_far(av);
	office_unsave(av);
	if (av->av_moving)
		TAILQ_REMOVE(&fl->fl_moving, av, av_moving_entry);
	TAILQ_REMOVE(&fl->fl_avatars, av, av_floor_entry);
	RB_REMOVE(avatar_tree, &fl->fl_office->of_avatars, av);
	fl->fl_office->of_npeople--;
	fl->fl_people--;
	if (av->av_person != NULL) {
		fl->fl_local--;
		TAILQ_REMOVE(&fl->fl_ours, av, av_ours_entry);
	}
	room_count(fl, av->av_room, -1);
	free(av->av_name);
	free(av->av_note);
	free(av->av_text);
	free(av->av_queue);
	free(av);
}

/* Most people stand: then there is none. */
static void
queue_drop(struct avatar *av)
{
	free(av->av_queue);
	av->av_queue = NULL;
	av->av_nqueue = 0;
}

void
avatar_stop(struct avatar *av, uint64_t now)
{
	int	 x, y;

	walk_place(av->av_floor->fl_map, &av->av_leg, now, &x, &y);
	leg_stop(&av->av_leg, x, y, now);
	queue_drop(av);
	tick_mark(av);
}

/* Does the leg lead into another room, or out of one? */
static int
leg_crosses(const struct avatar *av)
{
	const struct leg	*l = &av->av_leg;
	uint8_t			 room;

	return (walk_room_change(av->av_floor->fl_map, l->x0, l->y0, l->x1,
	    l->y1, &room) < WALK_NOROOM || room != av->av_room);
}

/* Begin a leg at a time from where the avatar is then. */
static enum walk_result
leg_begin(struct avatar *av, const struct step *st, uint64_t t0)
{
	struct walk_rules	 wr;
	enum walk_result	 res;
	int			 x, y, ex, ey;

	walk_place(av->av_floor->fl_map, &av->av_leg, t0, &x, &y);
	room_rules(av, &wr);
	res = walk_check(av->av_floor->fl_map, &wr, x, y, st->st_x, st->st_y,
	    &ex, &ey);
	if (res != WALK_FREE) {
		leg_stop(&av->av_leg, x, y, t0);
		queue_drop(av);
		session_stats.ss_refused_legs++;
	} else {
		av->av_leg = (struct leg){ x, y, ex, ey, t0 };
		av->av_heading = st->st_heading;
	}
	av->av_crosses = leg_crosses(av);
	if (!av->av_moving) {
		av->av_moving = 1;
		TAILQ_INSERT_TAIL(&av->av_floor->fl_moving, av,
		    av_moving_entry);
	}
	office_save(av);
	tick_mark(av);
	return (res);
}

/*
 * Has the avatar come into another room since it was last looked at?  The
 * room may have been filled or locked while it was on its way.
 */
static void
room_step(struct avatar *av, uint64_t now)
{
	struct floor		*fl = av->av_floor;
	enum walk_result	 res;
	uint8_t			 room;
	int			 x, y;

	avatar_at(av, now, &x, &y);
	room = map_room_at(fl->fl_map, x, y);
	if (room == av->av_room) {
		if (room == 0) {
			av->av_outx = x;
			av->av_outy = y;
		}
		return;
	}
	if (room != 0 && (room_shut(fl, av, room) ||
	    isset(fl->fl_full, room))) {
		res = room_shut(fl, av, room) ? WALK_CLOSED : WALK_FULL;
		leg_stop(&av->av_leg, av->av_outx, av->av_outy, now);
		queue_drop(av);
		tick_mark(av);
		office_placed(av, res);
		return;
	}
	av->av_entered = now;
	if (room == av->av_pass)
		av->av_pass = 0;
	room_change(av, room);
	office_changed(av);
	bus_joined(av);
}

enum walk_result
avatar_walk(struct avatar *av, uint16_t x, uint16_t y, uint8_t heading,
    int then)
{
	struct step	 st = { x, y, heading };
	uint64_t	 now = mono_ms();

	session_stats.ss_legs++;
	if (!then)
		queue_drop(av);
	else if (av->av_nqueue > 0 || leg_end_time(&av->av_leg) > now) {
		/* Without room the path ends sooner. */
		if (av->av_nqueue == FLOOR_QUEUE || (av->av_queue == NULL &&
		    (av->av_queue = calloc(FLOOR_QUEUE,
		    sizeof(*av->av_queue))) == NULL))
			return (WALK_FREE);
		av->av_queue[(av->av_first + av->av_nqueue++) % FLOOR_QUEUE] =
		    st;
		tick_at(av->av_floor, leg_end_time(&av->av_leg));
		return (WALK_FREE);
	}
	if (av->av_moving)
		room_step(av, now);
	return (leg_begin(av, &st, now));
}

void
avatar_leg(struct avatar *av, int x, int y, int tx, int ty, uint8_t heading,
    uint64_t t0)
{
	av->av_leg = (struct leg){ x, y, tx, ty, t0 };
	av->av_heading = heading;
}

/*
 * When it has to be looked at again: now is the next tick.  Nobody waits for
 * the end of a last leg that stays in one room, so that all that end within a
 * second are found together.
 */
static uint64_t
avatar_step(struct avatar *av, uint64_t now)
{
	struct step		 st;
	enum walk_result	 res;
	uint64_t		 end;

	while (av->av_nqueue > 0 && (end = leg_end_time(&av->av_leg)) <= now) {
		st = av->av_queue[av->av_first];
		av->av_first = (av->av_first + 1) % FLOOR_QUEUE;
		av->av_nqueue--;
		room_step(av, end);
		if ((res = leg_begin(av, &st, end)) != WALK_FREE)
			office_placed(av, res);
	}
	room_step(av, now);
	if ((end = leg_end_time(&av->av_leg)) > now) {
		if (av->av_crosses)
			return (now);
		return (av->av_nqueue > 0 ? end : (end / 1000 + 1) * 1000);
	}
	av->av_moving = 0;
	TAILQ_REMOVE(&av->av_floor->fl_moving, av, av_moving_entry);
	queue_drop(av);
	office_save(av);
	return (FLOOR_STILL);
}

uint64_t
floor_step(struct floor *fl, uint64_t now)
{
	struct avatar	*av, *next;
	uint64_t	 at, first = FLOOR_STILL;

	TAILQ_FOREACH_SAFE(av, &fl->fl_moving, av_moving_entry, next)
		if ((at = avatar_step(av, now)) < first)
			first = at;
	return (first);
}

/*
 * Two workers have let somebody into the last place at the same moment: the
 * lower number stays, and both workers come to the same answer.
 */
static void
room_settle(struct floor *fl, uint8_t room, uint16_t rival)
{
	struct avatar	*av;
	uint64_t	 now = mono_ms();

	if (fl->fl_map == NULL || fl->fl_rooms[room] <= room_capacity(fl, room))
		return;
	TAILQ_FOREACH(av, &fl->fl_avatars, av_floor_entry) {
		if (av->av_person == NULL || av->av_room != room ||
		    av->av_id < rival || now - av->av_entered > RACE_MS)
			continue;
		leg_stop(&av->av_leg, av->av_outx, av->av_outy, now);
		queue_drop(av);
		room_change(av, map_room_at(fl->fl_map, av->av_outx,
		    av->av_outy));
		tick_mark(av);
		office_placed(av, WALK_FULL);
		office_changed(av);
		bus_joined(av);
		return;
	}
}

void
floor_room_told(struct avatar *av, uint8_t room)
{
	uint8_t	 old = av->av_room;

	room_change(av, room);
	if (old != room)
		room_left(av->av_floor, old);
	if (room != 0)
		room_settle(av->av_floor, room, av->av_id);
}

unsigned int
floor_people(uint32_t tenant, uint32_t id)
{
	struct office	*of = office_get(tenant);
	struct floor	*fl = of == NULL ? NULL : floor_find(of, id);

	return (fl == NULL ? 0 : fl->fl_people);
}

int
floor_user_in_room(uint32_t tenant, uint32_t user, uint32_t floor,
    uint32_t room)
{
	struct office	*of = office_get(tenant);
	struct avatar	*av = of == NULL ? NULL : avatar_find(of, user);

	return (av != NULL && av->av_floor->fl_id == floor &&
	    av->av_room == room && room != 0);
}

uint32_t
floor_shared(uint32_t tenant, uint32_t a, uint32_t b)
{
	struct office	*of = office_get(tenant);
	struct avatar	*av, *other;

	if (of == NULL || (av = avatar_find(of, a)) == NULL ||
	    (other = avatar_find(of, b)) == NULL ||
	    av->av_floor != other->av_floor)
		return (0);
	return (av->av_floor->fl_id);
}
