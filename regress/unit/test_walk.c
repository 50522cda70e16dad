/*
 * Movement: cut legs by hand-made cases, then 10^5 random legs over random
 * maps against a slow reference in 128-bit integers that shares no code.
 * Links risad/map.c, risad/walk.c, jansson, libm.  Arguments are map files
 * over which they go as well, and in which every room must be reachable.
 */
#include <sys/param.h>

#include <math.h>
#include <stdarg.h>
#include <stdint.h>

#include "map.h"
#include "unit.h"
#include "walk.h"

#define MAPS		100
#define WALKERS		25
#define LEGS		40	/* in a row, each from where the last ended */
#define STEP		20	/* centimetres, to see what can be reached */
#define SAMPLES		16	/* points looked at on the way */

#define BIG		((__int128)1 << 40)	/* one unit of a sample */
#define SHIFT_X		((__int128)1 << 18)	/* a trifle, above 1 */

static char	 doc[MAP_MAXLEN + 1];
static uint64_t	 seed = 20250711;

/* What the random legs did, and what was wrong with them. */
static unsigned int	 legs, frees, cuts, loose, places, strays;
static unsigned int	 faults;

#define FAULT(cond) do {						\
	if (!(cond) && faults++ < 10)					\
		fprintf(stderr, "%s: leg %u: %d,%d to %d,%d: %s\n",	\
		    __func__, legs, x0, y0, x1, y1, #cond);		\
} while (0)

static int
dice(int n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return ((int)((seed >> 33) % (unsigned int)n));
}

static struct floor_map *
parse(const char *walls, const char *rooms)
{
	struct floor_map	*m;
	char			 err[160];

	(void)snprintf(doc, sizeof(doc), "{\"version\":1,\"size\":[2000,1000],"
	    "\"floor\":\"wood\",\"walls\":[%s],\"rooms\":[%s],\"furniture\":"
	    "[],\"spawn\":[[1999,999]]}", walls, rooms);
	strlcpy(err, "", sizeof(err));
	m = map_parse(doc, strlen(doc), err, sizeof(err));
	CHECK_STR(err, "");
	if (m == NULL)
		exit(unit_end());
	return (m);
}

/* The result and the end as text. */
static const char *
check(const struct floor_map *m, const struct walk_rules *wr, int x0, int y0,
    int x1, int y1)
{
	static const char *const names[] = { "free", "wall", "closed", "full" };
	static char	 buf[64];
	int		 r, x, y;

	r = (int)walk_check(m, wr, x0, y0, x1, y1, &x, &y);
	(void)snprintf(buf, sizeof(buf), "%s %d %d", names[r], x, y);
	return (buf);
}

static void
test_walls(void)
{
	struct floor_map	*m;

	m = parse("[500,100,500,500],[500,500,900,500],[1000,0,1100,100]", "");
	CHECK_STR(check(m, NULL, 100, 300, 400, 300), "free 400 300");
	CHECK_STR(check(m, NULL, 100, 300, 900, 300), "wall 492 300");
	CHECK_STR(check(m, NULL, 900, 300, 100, 300), "wall 508 300");
	/* A touch is a hit: the end on it, its end in passing. */
	CHECK_STR(check(m, NULL, 100, 300, 500, 300), "wall 492 300");
	CHECK_STR(check(m, NULL, 100, 300, 499, 300), "free 499 300");
	CHECK_STR(check(m, NULL, 400, 100, 600, 100), "wall 492 100");
	CHECK_STR(check(m, NULL, 400, 99, 600, 99), "free 600 99");
	CHECK_STR(check(m, NULL, 400, 400, 600, 600), "wall 494 494");
	/* Too near to step back: one stays. */
	CHECK_STR(check(m, NULL, 497, 300, 600, 300), "wall 497 300");
	CHECK_STR(check(m, NULL, 491, 300, 600, 300), "wall 492 300");
	/* Along a wall, into its end, and beside it. */
	CHECK_STR(check(m, NULL, 500, 50, 500, 400), "wall 500 92");
	CHECK_STR(check(m, NULL, 500, 50, 500, 100), "wall 500 92");
	CHECK_STR(check(m, NULL, 500, 50, 500, 99), "free 500 99");
	CHECK_STR(check(m, NULL, 950, 500, 700, 500), "wall 908 500");
	CHECK_STR(check(m, NULL, 499, 50, 499, 900), "free 499 900");
	CHECK_STR(check(m, NULL, 1200, 200, 1050, 50), "wall 1106 106");
	/* The first of several counts. */
	CHECK_STR(check(m, NULL, 100, 400, 1900, 490), "wall 492 420");
	CHECK_STR(check(m, NULL, 100, 501, 1900, 501), "free 1900 501");
	/* No length. */
	CHECK_STR(check(m, NULL, 700, 300, 700, 300), "free 700 300");
	CHECK_STR(check(m, NULL, 500, 300, 500, 300), "free 500 300");
	/* Put on a wall by others: off to either side, or along it. */
	CHECK_STR(check(m, NULL, 500, 300, 600, 300), "free 600 300");
	CHECK_STR(check(m, NULL, 500, 300, 400, 300), "free 400 300");
	CHECK_STR(check(m, NULL, 700, 500, 400, 200), "wall 506 306");
	map_free(m);
}

static void
test_border(void)
{
	struct floor_map	*m;

	m = parse("", "");
	CHECK_STR(check(m, NULL, 100, 300, 100, 65535), "wall 100 992");
	CHECK_STR(check(m, NULL, 100, 300, 65535, 300), "wall 1992 300");
	CHECK_STR(check(m, NULL, 100, 300, -5, 300), "wall 8 300");
	CHECK_STR(check(m, NULL, 100, 300, 100, -1), "wall 100 8");
	CHECK_STR(check(m, NULL, 100, 300, 2000, 1000), "free 2000 1000");
	CHECK_STR(check(m, NULL, 0, 0, 0, 1000), "free 0 1000");
	CHECK_STR(check(m, NULL, 2000, 10, 2001, 10), "wall 2000 10");
	CHECK_STR(check(m, NULL, 2000, 10, INT32_MAX, INT32_MIN),
	    "wall 2000 10");
	CHECK_STR(check(m, NULL, 5000, -10, 100, 100), "wall 2000 0");
	map_free(m);
}

#define TAIL	"\"capacity\":4,\"surface\":\"tile\",\"lock\":false,"
#define ROOM(id, shape, doors)						\
	"{\"id\":" #id ",\"kind\":\"desk\",\"name\":\"A\",\"shape\":["	\
	shape "]," TAIL "\"doors\":[" doors "]}"
#define ROOM_A	ROOM(1, "[500,200],[900,200],[900,600],[500,600]",	\
		    "[500,300,500,400]")
#define ROOM_B	ROOM(2, "[900,200],[1300,200],[1300,600],[900,600]", "")
/* Its door stands 20 cm before its edge. */
#define ROOM_C	ROOM(200, "[1500,200],[1800,200],[1650,600]",		\
		    "[1450,180,1850,180]")

static void
test_rules(void)
{
	struct floor_map	*m;
	struct walk_rules	 wr;

	m = parse("", ROOM_A "," ROOM_B "," ROOM_C);
	memset(&wr, 0, sizeof(wr));
	CHECK_STR(check(m, &wr, 100, 350, 700, 350), "free 700 350");
	walk_set(wr.wr_locked, 1, 1);
	walk_set(wr.wr_full, 2, 1);
	CHECK_STR(check(m, NULL, 100, 350, 700, 350), "free 700 350");
	CHECK_STR(check(m, &wr, 100, 350, 700, 350), "closed 492 350");
	CHECK_STR(check(m, &wr, 100, 500, 700, 500), "closed 492 500");
	CHECK_STR(check(m, &wr, 700, 700, 700, 500), "closed 700 608");
	CHECK_STR(check(m, &wr, 1000, 100, 1000, 500), "full 1000 192");
	/* Through it and out again is no better; beside it is. */
	CHECK_STR(check(m, &wr, 100, 350, 1900, 350), "closed 492 350");
	CHECK_STR(check(m, &wr, 100, 199, 1900, 199), "free 1900 199");
	CHECK_STR(check(m, &wr, 100, 600, 1900, 600), "free 1900 600");
	CHECK_STR(check(m, &wr, 1000, 100, 1000, 900), "full 1000 192");
	/* Who is inside may leave, by the door or not, and not come back. */
	CHECK_STR(check(m, &wr, 700, 350, 100, 350), "free 100 350");
	CHECK_STR(check(m, &wr, 700, 350, 700, 50), "free 700 50");
	CHECK_STR(check(m, &wr, 700, 350, 600, 300), "free 600 300");
	CHECK_STR(check(m, &wr, 1000, 350, 1000, 50), "free 1000 50");
	/* From the locked room into the full one. */
	CHECK_STR(check(m, &wr, 700, 350, 1100, 350), "full 892 350");
	CHECK_STR(check(m, &wr, 1100, 350, 700, 350), "closed 908 350");
	/* The place that he has there already is his own. */
	wr.wr_own = 2;
	CHECK_STR(check(m, &wr, 1000, 100, 1000, 500), "free 1000 500");
	wr.wr_own = 1;
	CHECK_STR(check(m, &wr, 100, 350, 700, 350), "free 700 350");
	CHECK_STR(check(m, &wr, 1000, 100, 1000, 500), "full 1000 192");
	wr.wr_own = 0;
	/* On the edge one is outside: a step inwards is refused. */
	CHECK_STR(check(m, &wr, 1300, 300, 1200, 300), "full 1300 300");
	CHECK_STR(check(m, &wr, 1300, 300, 1300, 500), "free 1300 500");
	map_free(m);
}

static void
test_doors(void)
{
	struct floor_map	*m;
	struct walk_rules	 wr;

	m = parse("[500,0,500,300],[500,400,500,1000]", ROOM_A "," ROOM_C);
	memset(&wr, 0, sizeof(wr));
	CHECK_STR(check(m, &wr, 1650, 100, 1650, 300), "free 1650 300");
	walk_set(wr.wr_locked, 200, 1);
	CHECK_STR(check(m, &wr, 1650, 100, 1650, 300), "closed 1650 172");
	CHECK_STR(check(m, &wr, 1820, 100, 1820, 300), "closed 1820 172");
	CHECK_STR(check(m, &wr, 1650, 300, 1650, 100), "free 1650 100");
	wr.wr_own = 200;
	CHECK_STR(check(m, &wr, 1650, 100, 1650, 300), "free 1650 300");
	/* A gap of a wall is the door of a room. */
	CHECK_STR(check(m, &wr, 100, 350, 700, 350), "free 700 350");
	walk_set(wr.wr_locked, 1, 1);
	CHECK_STR(check(m, &wr, 100, 350, 700, 350), "closed 492 350");
	CHECK_STR(check(m, &wr, 100, 250, 700, 250), "wall 492 250");
	CHECK_STR(check(m, &wr, 700, 350, 100, 350), "free 100 350");
	map_free(m);
}

static void
test_room_change(void)
{
	struct floor_map	*m;
	uint8_t			 room;

	m = parse("", ROOM_A "," ROOM_B);
	CHECK(walk_room_change(m, 100, 300, 900, 300, &room) == 0.5);
	CHECK_INT(room, 1);
	CHECK(walk_room_change(m, 100, 300, 400, 300, &room) == WALK_NOROOM);
	CHECK_INT(room, 0);
	CHECK(walk_room_change(m, 600, 300, 800, 300, &room) == WALK_NOROOM);
	CHECK_INT(room, 1);
	/* Through a common edge: at once from the one into the other. */
	CHECK(walk_room_change(m, 800, 300, 1200, 300, &room) == 0.25);
	CHECK_INT(room, 2);
	CHECK(walk_room_change(m, 1200, 300, 800, 300, &room) == 0.75);
	CHECK_INT(room, 1);
	CHECK(walk_room_change(m, 700, 400, 700, 800, &room) == 0.5);
	CHECK_INT(room, 0);
	/* To the edge is in on the left and out on the right. */
	CHECK(walk_room_change(m, 100, 300, 500, 300, &room) == 1);
	CHECK_INT(room, 1);
	CHECK(walk_room_change(m, 1700, 300, 1300, 300, &room) ==
	    WALK_NOROOM);
	CHECK_INT(room, 0);
	/* A corner in passing, a whole edge in passing, no length. */
	CHECK(walk_room_change(m, 400, 300, 600, 100, &room) == WALK_NOROOM);
	CHECK(walk_room_change(m, 400, 600, 1900, 600, &room) == WALK_NOROOM);
	CHECK(walk_room_change(m, 600, 300, 600, 300, &room) == WALK_NOROOM);
	CHECK_INT(room, 1);
	/* One after the other. */
	CHECK(walk_room_after(m, 100, 300, 1700, 300, -1, &room) == 0.25);
	CHECK(walk_room_after(m, 100, 300, 1700, 300, 0.25, &room) == 0.5);
	CHECK_INT(room, 2);
	CHECK(walk_room_after(m, 100, 300, 1700, 300, 0.5, &room) == 0.75);
	CHECK_INT(room, 0);
	CHECK(walk_room_after(m, 100, 300, 1700, 300, 0.75, &room) ==
	    WALK_NOROOM);
	map_free(m);
}

static void
test_leg(void)
{
	struct leg	 l = { 100, 100, 740, 580, 5000 };	/* 800 cm */
	int		 x, y;

	CHECK_INT(leg_end_time(&l), 7500);
	CHECK_INT(leg_time(&l, 0), 5000);
	CHECK_INT(leg_time(&l, 0.5), 6250);
	leg_at(&l, 0, &x, &y);
	CHECK(x == 100 && y == 100);
	leg_at(&l, 5000, &x, &y);
	CHECK(x == 100 && y == 100);
	leg_at(&l, 6250, &x, &y);
	CHECK(x == 420 && y == 340);
	leg_at(&l, 5001, &x, &y);	/* 0.26, 0.19 */
	CHECK(x == 100 && y == 100);
	leg_at(&l, 5002, &x, &y);	/* 0.51, 0.38 */
	CHECK(x == 101 && y == 100);
	leg_at(&l, 7499, &x, &y);
	CHECK(x == 740 && y == 580);
	leg_at(&l, UINT64_MAX, &x, &y);
	CHECK(x == 740 && y == 580);
	leg_stop(&l, 7, 8, 9000);
	CHECK_INT(leg_end_time(&l), 9000);
	leg_at(&l, 8000, &x, &y);
	CHECK(x == 7 && y == 8);
	l.x1 = 8;
	CHECK_INT(leg_end_time(&l), 9004);	/* 3.125 ms */
}

/* A way that hugs a slanted wall must not round to its other side. */
static void
test_place(void)
{
	struct floor_map	*m;
	struct leg		 l = { 0, 1, 1999, 401, 0 };
	uint64_t		 t;
	int			 above = 0, far = 0, late = 0, x, y;
	uint8_t			 room;

	m = parse("[0,0,2000,400]", ROOM_B);
	CHECK_STR(check(m, NULL, 0, 1, 1999, 401), "free 1999 401");
	for (t = 1; t < leg_end_time(&l); t++) {
		walk_place(m, &l, t, &x, &y);
		above += 2000 * (int64_t)y - 400 * (int64_t)x <= 0;
		far += hypot(x, y - 1) < (double)t * 0.32 - 2.5;
	}
	CHECK_INT(above, 0);
	CHECK_INT(far, 0);
	l.y0 = l.y1 = 300;
	l.x0 = 850;
	l.x1 = 1350;
	/* Across 900 after 50 cm. */
	t = leg_time(&l, 0.1);
	walk_place(m, &l, t, &x, &y);
	CHECK_INT(map_room_at(m, x, y), 2);
	walk_place(m, &l, t - 1, &x, &y);
	CHECK_INT(map_room_at(m, x, y), 0);
	/* At the time of a crossing one is across, whatever the fraction. */
	for (l.x0 = 600; l.x0 < 900; l.x0 += 4) {
		t = leg_time(&l, walk_room_change(m, l.x0, l.y0, l.x1, l.y1,
		    &room));
		walk_place(m, &l, t, &x, &y);
		late += map_room_at(m, x, y) != 2;
	}
	CHECK_INT(late, 0);
	l.x0 = 850;
	walk_place(m, &l, 0, &x, &y);
	CHECK(x == 850 && y == 300);
	walk_place(m, &l, 100000, &x, &y);
	CHECK(x == 1350 && y == 300);
	map_free(m);
}

/* The reference: which side of a-b is c on? */
static int
turn(__int128 ax, __int128 ay, __int128 bx, __int128 by, __int128 cx,
    __int128 cy)
{
	__int128	 v = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);

	return ((v > 0) - (v < 0));
}

static int
between(int a, int b, int c)
{
	return ((a <= c && c <= b) || (b <= c && c <= a));
}

static int
on(const struct map_segment *s, int x, int y)
{
	return (turn(s->sg_x1, s->sg_y1, s->sg_x2, s->sg_y2, x, y) == 0 &&
	    between(s->sg_x1, s->sg_x2, x) && between(s->sg_y1, s->sg_y2, y));
}

/* 2: cross well inside of both; 1: share a point at least; 0: apart. */
static int
meet(const struct map_segment *s, const struct map_segment *w)
{
	int	 a, b, c, d;

	a = turn(w->sg_x1, w->sg_y1, w->sg_x2, w->sg_y2, s->sg_x1, s->sg_y1);
	b = turn(w->sg_x1, w->sg_y1, w->sg_x2, w->sg_y2, s->sg_x2, s->sg_y2);
	c = turn(s->sg_x1, s->sg_y1, s->sg_x2, s->sg_y2, w->sg_x1, w->sg_y1);
	d = turn(s->sg_x1, s->sg_y1, s->sg_x2, s->sg_y2, w->sg_x2, w->sg_y2);
	if (a * b < 0 && c * d < 0)
		return (2);
	return (on(w, s->sg_x1, s->sg_y1) || on(w, s->sg_x2, s->sg_y2) ||
	    on(s, w->sg_x1, w->sg_y1) || on(s, w->sg_x2, w->sg_y2));
}

static int
meets_walls(const struct floor_map *m, const struct map_segment *s)
{
	uint32_t	 i;

	for (i = 0; i < m->fm_nwalls; i++)
		if (!on(&m->fm_walls[i], s->sg_x1, s->sg_y1) &&
		    meet(s, &m->fm_walls[i]))
			return (1);
	return (0);
}

/* Winding number about the k-th sample of a way, moved by a real trifle. */
static int
winds(const struct map_room *rm, const struct map_segment *s, int k)
{
	const struct map_point	*a, *b;
	__int128		 x, y, u = SAMPLES * BIG;
	int			 i, t, w = 0;

	x = (s->sg_x1 * (__int128)(SAMPLES - k) + s->sg_x2 * (__int128)k) *
	    BIG + SHIFT_X;
	y = (s->sg_y1 * (__int128)(SAMPLES - k) + s->sg_y2 * (__int128)k) *
	    BIG + 1;
	for (i = 0; i < rm->rm_npoints; i++) {
		a = &rm->rm_points[i];
		b = &rm->rm_points[(i + 1) % rm->rm_npoints];
		t = turn(a->pt_x * u, a->pt_y * u, b->pt_x * u, b->pt_y * u,
		    x, y);
		if (a->pt_y * u < y && b->pt_y * u > y)
			w += t > 0;
		else if (a->pt_y * u > y && b->pt_y * u < y)
			w -= t < 0;
	}
	return (w != 0);
}

static int
room_of(const struct floor_map *m, const struct map_segment *s, int k)
{
	uint32_t	 i;

	for (i = 0; i < m->fm_nrooms; i++)
		if (winds(&m->fm_rooms[i], s, k))
			return (m->fm_rooms[i].rm_id);
	return (0);
}

/* Does the way meet the edge of a room, and how (see meet)? */
static int
meets_room(const struct map_room *rm, const struct map_segment *s)
{
	const struct map_point	*a, *b;
	struct map_segment	 e;
	int			 best = 0, i, r;

	for (i = 0; i < rm->rm_npoints; i++) {
		a = &rm->rm_points[i];
		b = &rm->rm_points[(i + 1) % rm->rm_npoints];
		e.sg_x1 = a->pt_x;
		e.sg_y1 = a->pt_y;
		e.sg_x2 = b->pt_x;
		e.sg_y2 = b->pt_y;
		if ((r = meet(s, &e)) > best)
			best = r;
	}
	return (best);
}

static int
meets_doors(const struct map_room *rm, const struct map_segment *s)
{
	uint8_t	 i;

	for (i = 0; i < rm->rm_ndoors; i++)
		if (!on(&rm->rm_doors[i], s->sg_x1, s->sg_y1) &&
		    meet(s, &rm->rm_doors[i]))
			return (1);
	return (0);
}

/* The way is one that was allowed: hold it against what is forbidden. */
static void
judge_allowed(const struct floor_map *m, const struct walk_rules *wr,
    const struct map_segment *s)
{
	const struct map_room	*rm;
	uint32_t		 i;
	int			 k, room, x0 = s->sg_x1, x1 = s->sg_x2;
	int			 y0 = s->sg_y1, y1 = s->sg_y2;

	FAULT(map_on_floor(m, x1, y1));
	FAULT(!meets_walls(m, s));
	room = room_of(m, s, SAMPLES);
	FAULT(room == map_room_at(m, x1, y1));
	FAULT(room == 0 || room == wr->wr_own || room == room_of(m, s, 0) ||
	    !isset(wr->wr_full, room));
	for (i = 0; i < m->fm_nrooms; i++) {
		rm = &m->fm_rooms[i];
		if (!isset(wr->wr_locked, rm->rm_id) ||
		    rm->rm_id == wr->wr_own || winds(rm, s, 0))
			continue;
		FAULT(meets_room(rm, s) != 2);
		FAULT(!meets_doors(rm, s));
		for (k = 1; k <= SAMPLES; k++)
			FAULT(!winds(rm, s, k));
	}
}

/* The way was refused: there must be something on it. */
static void
judge_refused(const struct floor_map *m, const struct walk_rules *wr,
    const struct map_segment *s, enum walk_result why)
{
	uint32_t	 i;
	int		 found = 0, x0 = s->sg_x1, x1 = s->sg_x2;
	int		 y0 = s->sg_y1, y1 = s->sg_y2;
	uint8_t		 id;

	if (why == WALK_WALL) {
		FAULT(!map_on_floor(m, x1, y1) || meets_walls(m, s));
		return;
	}
	for (i = 0; i < m->fm_nrooms; i++) {
		id = m->fm_rooms[i].rm_id;
		if (id == wr->wr_own || !isset(why == WALK_CLOSED ?
		    wr->wr_locked : wr->wr_full, id))
			continue;
		/* The way meets a full room that others lie upon elsewhere. */
		found |= meets_room(&m->fm_rooms[i], s) != 0 ||
		    (why == WALK_CLOSED && meets_doors(&m->fm_rooms[i], s)) ||
		    (why == WALK_FULL && winds(&m->fm_rooms[i], s, 0));
	}
	FAULT(found);
}

/* The first change of room against all samples. */
static void
judge_change(const struct floor_map *m, const struct map_segment *s)
{
	double	 t;
	uint8_t	 room;
	int	 first, k, now, x0 = s->sg_x1, x1 = s->sg_x2;
	int	 y0 = s->sg_y1, y1 = s->sg_y2;

	t = walk_room_change(m, x0, y0, x1, y1, &room);
	first = room_of(m, s, 0);
	FAULT(t == WALK_NOROOM ? room == first : room != first);
	FAULT(t == WALK_NOROOM || (t >= 0 && t <= 1));
	for (k = 1; k <= SAMPLES; k++) {
		now = room_of(m, s, k);
		if (t * SAMPLES > k)
			FAULT(now == first);
	}
	/* Follow all changes: the last room is the one at the end. */
	for (; t != WALK_NOROOM; first = room)
		t = walk_room_after(m, x0, y0, x1, y1, t, &room);
	FAULT(room == room_of(m, s, SAMPLES));
}

/* Break the way off at some moment: never across, never in. */
static void
judge_place(const struct floor_map *m, const struct walk_rules *wr,
    const struct map_segment *s)
{
	struct map_segment	 part = *s;
	struct leg		 l;
	uint64_t		 now;
	uint32_t		 i;
	int			 x, y, x0 = s->sg_x1, x1 = s->sg_x2;
	int			 y0 = s->sg_y1, y1 = s->sg_y2;

	l.x0 = x0;
	l.y0 = y0;
	l.x1 = x1;
	l.y1 = y1;
	l.t0 = 1000;
	now = 1000 + (uint64_t)dice((int)(leg_end_time(&l) - 999));
	walk_place(m, &l, now, &part.sg_x2, &part.sg_y2);
	FAULT(map_on_floor(m, part.sg_x2, part.sg_y2));
	FAULT(!meets_walls(m, &part));
	for (i = 0; i < m->fm_nrooms; i++)
		if (isset(wr->wr_locked, m->fm_rooms[i].rm_id) &&
		    m->fm_rooms[i].rm_id != wr->wr_own &&
		    !winds(&m->fm_rooms[i], s, 0))
			FAULT(!winds(&m->fm_rooms[i], &part, SAMPLES));
	leg_at(&l, now, &x, &y);
	places++;
	strays += hypot(x - part.sg_x2, y - part.sg_y2) > 3;
}

/* Somewhere to go: anywhere, near, outside, a corner, along an axis. */
static void
aim(const struct floor_map *m, int x0, int y0, int *x, int *y)
{
	const struct map_room	*rm;
	const struct map_segment *w;

	*x = dice(m->fm_width + 1);
	*y = dice(m->fm_height + 1);
	w = m->fm_nwalls == 0 ? NULL : &m->fm_walls[dice((int)m->fm_nwalls)];
	rm = m->fm_nrooms == 0 ? NULL : &m->fm_rooms[dice((int)m->fm_nrooms)];
	switch (dice(12)) {
	case 0:
		*x = dice(65536) - 1000;
		*y = dice(65536) - 1000;
		break;
	case 1:
		*y = y0;
		break;
	case 2:
		*x = x0;
		break;
	case 3:
		if (w == NULL)
			break;
		*x = w->sg_x1 + dice(3) - 1;	/* to an end of a wall */
		*y = w->sg_y1 + dice(3) - 1;
		break;
	case 4:
		if (w == NULL)
			break;
		*x = x0 + w->sg_x2 - w->sg_x1;	/* along a wall */
		*y = y0 + w->sg_y2 - w->sg_y1;
		break;
	case 5:
	case 6:
		if (rm == NULL)
			break;
		*x = rm->rm_points[0].pt_x;
		*y = rm->rm_points[0].pt_y;
		break;
	case 7:
		if (rm == NULL)
			break;
		*x = (rm->rm_points[0].pt_x + rm->rm_points[1].pt_x) / 2;
		*y = (rm->rm_points[0].pt_y + rm->rm_points[1].pt_y) / 2;
		break;
	case 8:
	case 9:
		*x = x0 + dice(61) - 30;
		*y = y0 + dice(61) - 30;
		break;
	}
}

/* Would the way have been free for another 4 cm and the 8 that are kept? */
static int
stops_early(const struct floor_map *m, const struct walk_rules *wr,
    const struct map_segment *s, int ex, int ey)
{
	double	 dx = s->sg_x2 - s->sg_x1, dy = s->sg_y2 - s->sg_y1;
	double	 done = hypot(ex - s->sg_x1, ey - s->sg_y1);
	double	 part = (done + WALK_BACKOFF + 4) / hypot(dx, dy);
	int	 x, y;

	if (part >= 1)
		return (0);
	return (walk_check(m, wr, s->sg_x1, s->sg_y1,
	    (int)lround(s->sg_x1 + dx * part),
	    (int)lround(s->sg_y1 + dy * part), &x, &y) == WALK_FREE);
}

static void
one_leg(const struct floor_map *m, const struct walk_rules *wr, int *px,
    int *py)
{
	struct map_segment	 s;
	enum walk_result	 why;
	int			 x0 = *px, x1, y0 = *py, y1;

	aim(m, x0, y0, &x1, &y1);
	legs++;
	s.sg_x1 = x0;
	s.sg_y1 = y0;
	s.sg_x2 = x1;
	s.sg_y2 = y1;
	why = walk_check(m, wr, x0, y0, x1, y1, px, py);
	if (why == WALK_FREE) {
		frees++;
		FAULT(*px == x1 && *py == y1);
	} else {
		cuts++;
		judge_refused(m, wr, &s, why);
		loose += stops_early(m, wr, &s, *px, *py);
		s.sg_x2 = *px;
		s.sg_y2 = *py;
	}
	judge_allowed(m, wr, &s);
	judge_change(m, &s);
	judge_place(m, wr, &s);
}

static void
roam(const struct floor_map *m, int walkers)
{
	struct walk_rules	 wr;
	uint32_t		 i;
	int			 j, x, y;

	while (walkers-- > 0) {
		memset(&wr, 0, sizeof(wr));
		do {
			x = dice(m->fm_width + 1);
			y = dice(m->fm_height + 1);
		} while (!map_can_stand(m, x, y));
		for (j = 0; j < LEGS; j++) {
			for (i = 0; j % 8 == 0 && i < m->fm_nrooms; i++) {
				walk_set(wr.wr_locked,
				    m->fm_rooms[i].rm_id, dice(3) == 0);
				walk_set(wr.wr_full,
				    m->fm_rooms[i].rm_id, dice(4) == 0);
			}
			wr.wr_own = map_room_at(m, x, y);
			one_leg(m, &wr, &x, &y);
			if (!map_can_stand(m, x, y))
				faults++;
		}
	}
}

static size_t
put(size_t off, const char *fmt, ...)
{
	va_list	 ap;
	int	 n;

	va_start(ap, fmt);
	n = vsnprintf(doc + off, sizeof(doc) - off, fmt, ap);
	va_end(ap);
	return (off + (size_t)n);
}

/* One call of dice() a statement: the order must not hang on the compiler. */
static size_t
random_room(size_t off, int id, int w, int h)
{
	int	 i, n, x, y, dx, dy, px, py;

	x = dice(w - 200);
	y = dice(h - 200);
	dx = 20 + dice(180);
	dy = 20 + dice(180);
	off = put(off, "%s{\"id\":%d,\"kind\":\"desk\",\"name\":\"A\","
	    "\"shape\":[", id == 1 ? "" : ",", id);
	if ((n = dice(6)) < 3)
		off = put(off, "[%d,%d],[%d,%d],[%d,%d],[%d,%d]", x, y,
		    x + dx, y, x + dx, y + dy, x, y + dy);
	for (i = 0; n >= 3 && i < n; i++) {
		px = x + dice(200);
		py = y + dice(200);
		off = put(off, "%s[%d,%d]", i == 0 ? "" : ",", px, py);
	}
	return (put(off, "]," TAIL "\"doors\":[[%d,%d,%d,%d]]}", x, y, x + dx,
	    y + dice(2)));
}

/* A floor of walls in all directions; NULL when a shape was not simple. */
static struct floor_map *
random_map(void)
{
	char	 err[160];
	int	 h, i, n, w, x, y, x2, y2;
	size_t	 off;

	w = 500 + (dice(7) == 0 ? dice(19500) : dice(1000));
	h = 500 + (dice(5) == 0 ? dice(19500) : dice(1000));
	off = put(0, "{\"version\":1,\"size\":[%d,%d],\"floor\":\"wood\","
	    "\"walls\":[", w, h);
	for (i = 0, n = dice(30) + 1; i < n; i++) {
		x = dice(w + 1);
		y = dice(h + 1);
		x2 = dice(w + 1);
		y2 = dice(h + 1);
		off = put(off, "%s[%d,%d,%d,%d]", i == 0 ? "" : ",", x, y,
		    x2 % 3 == 0 ? x : x2, y2 % 5 == 0 ? y : y2);
	}
	off = put(off, "],\"rooms\":[");
	for (i = 1, n = 1 + dice(6); i <= n; i++)
		off = random_room(off, i, w, h);
	x = dice(w);
	y = dice(h);
	off = put(off, "],\"furniture\":[],\"spawn\":[[%d,%d]]}", x, y);
	return (map_parse(doc, off, err, sizeof(err)));
}

static void
test_roam(void)
{
	struct floor_map	*m;
	int			 maps = 0;

	while (maps < MAPS) {
		if ((m = random_map()) == NULL)
			continue;
		maps++;
		roam(m, WALKERS);
		map_free(m);
	}
	printf("%u legs: %u free, %u cut, %u cut early; %u of %u stops "
	    "stepped back\n", legs, frees, cuts, loose, strays, places);
	CHECK_INT(faults, 0);
	CHECK_INT(legs, MAPS * WALKERS * LEGS);
	CHECK(frees > legs / 10);
	CHECK(cuts > legs / 10);
	CHECK(loose < cuts / 50);
	CHECK(strays < places / 1000);
}

/*
 * How many rooms can nobody walk into from the spawn points?  Steps of STEP
 * to the four sides, from the points that were reached so far.
 */
static unsigned int
rooms_cut_off(const struct floor_map *m)
{
	static const int	 side[4][2] = { { STEP, 0 }, { -STEP, 0 },
				    { 0, STEP }, { 0, -STEP } };
	struct map_point	*reached;
	uint8_t			*seen, in[256] = { 0 };
	size_t			 cols, have = 0, i, k, max;
	unsigned int		 n = 0;
	int			 x, y, x1, y1;

	cols = (size_t)m->fm_width / STEP + 1;
	max = cols * ((size_t)m->fm_height / STEP + 1);
	reached = calloc(max + MAP_MAXSPAWN, sizeof(*reached));
	seen = calloc(max, 1);
	if (reached == NULL || seen == NULL)
		exit(1);
	for (i = 0; i < m->fm_nspawn; i++)
		reached[have++] = m->fm_spawn[i];
	for (i = 0; i < have; i++) {
		in[map_room_at(m, reached[i].pt_x, reached[i].pt_y)] = 1;
		for (k = 0; k < 4; k++) {
			/* Off the round numbers, where the walls are. */
			x = (reached[i].pt_x + side[k][0]) / STEP * STEP + 7;
			y = (reached[i].pt_y + side[k][1]) / STEP * STEP + 7;
			if (walk_check(m, NULL, reached[i].pt_x,
			    reached[i].pt_y, x, y, &x1, &y1) != WALK_FREE ||
			    seen[(size_t)y / STEP * cols + (size_t)x / STEP])
				continue;
			seen[(size_t)y / STEP * cols + (size_t)x / STEP] = 1;
			reached[have].pt_x = x;
			reached[have++].pt_y = y;
		}
	}
	for (i = 0; i < m->fm_nrooms; i++)
		n += !in[m->fm_rooms[i].rm_id];
	free(reached);
	free(seen);
	return (n);
}

static void
test_reach(void)
{
	struct floor_map	*m;

	m = parse("[1600,1000,1600,800],[1600,800,2000,800]", ROOM_A);
	CHECK_INT(rooms_cut_off(m), 1);
	map_free(m);
	m = parse("[1600,1000,1600,850],[1600,800,2000,800]", ROOM_A);
	CHECK_INT(rooms_cut_off(m), 0);
	map_free(m);
}

static void
test_file(const char *path)
{
	struct floor_map	*m = NULL;
	unsigned int		 before = faults;
	size_t			 len;
	FILE			*f;
	uint32_t		 i;

	if ((f = fopen(path, "r")) != NULL) {
		len = fread(doc, 1, sizeof(doc), f);
		fclose(f);
		m = map_parse(doc, len, NULL, 0);
	}
	CHECK(m != NULL);
	if (m == NULL)
		return;
	for (i = 0; i < m->fm_nspawn; i++)
		CHECK(map_can_stand(m, m->fm_spawn[i].pt_x,
		    m->fm_spawn[i].pt_y));
	CHECK_INT(rooms_cut_off(m), 0);
	roam(m, WALKERS);
	CHECK_INT(faults, before);
	map_free(m);
}

int
main(int argc, char *argv[])
{
	int	 i;

	test_walls();
	test_border();
	test_rules();
	test_doors();
	test_room_change();
	test_leg();
	test_place();
	test_roam();
	test_reach();
	for (i = 1; i < argc; i++)
		test_file(argv[i]);
	return (unit_end());
}
