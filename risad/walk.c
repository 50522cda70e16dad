/*
 * One avatar's movement.  The page may ask for anything; what it gets is
 * decided here, in exact fractions, so that no rounding opens a wall.
 *
 * Ranges: a start is on the floor (0..20000), an end is held within FAR of 0,
 * so a cross product is below 3.5e9, the numerator of a hit below 8e8, and
 * the product of two of them, all that is ever computed, below 2^63.
 */
#include <sys/param.h>
#include <sys/types.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "walk.h"

#define WALK_FAR	65536	/* ends come as u16 from the wire */
#define WALK_MAXCROSS	(MAP_MAXROOMS * MAP_MAXPOINTS)

/* A part of the way, 0..1; the denominator is above 0. */
struct walk_part {
	int64_t	 wp_num, wp_den;
};

struct walk_way {
	const struct floor_map	*ww_map;
	int64_t			 ww_x0, ww_y0, ww_x1, ww_y1, ww_dx, ww_dy;
};

/* The first obstacle so far. */
struct walk_hit {
	enum walk_result	 wh_why;
	struct walk_part	 wh_at;
};

/* The way crosses an edge of a room. */
struct walk_cross {
	struct walk_part	 wc_at;
	uint32_t		 wc_room;	/* index, not id */
};

static void	 walk_way(struct walk_way *, const struct floor_map *, int,
		    int, int, int);
static int	 walk_before(const struct walk_part *,
		    const struct walk_part *);
static void	 walk_note(struct walk_hit *, enum walk_result, int64_t,
		    int64_t);
static void	 walk_segment(const struct walk_way *,
		    const struct map_segment *, enum walk_result,
		    struct walk_hit *);
static void	 walk_collinear(const struct walk_way *, int64_t, int64_t,
		    enum walk_result, struct walk_hit *);
static void	 walk_border(const struct walk_way *, struct walk_hit *);
static void	 walk_walls(const struct walk_way *, struct walk_hit *);
static void	 walk_doors(const struct walk_way *, const struct walk_rules *,
		    uint64_t, struct walk_hit *);
static int	 walk_crosses(const struct walk_way *,
		    const struct map_point *, const struct map_point *,
		    struct walk_part *);
static int	 walk_compare(const void *, const void *);
static size_t	 walk_crossings(const struct walk_way *, struct walk_cross *);
static size_t	 walk_group(const struct walk_cross *, size_t, size_t,
		    uint64_t *);
static uint8_t	 walk_room_of(const struct floor_map *, uint64_t);
static enum walk_result walk_entered(const struct floor_map *,
		    const struct walk_rules *, uint64_t, uint64_t);
static void	 walk_rooms(const struct walk_way *, const struct walk_rules *,
		    uint64_t, struct walk_hit *);
static int	 walk_rules_any(const struct walk_rules *);
static enum walk_result walk_first(const struct walk_way *,
		    const struct walk_rules *, struct walk_hit *);
static int	 walk_back(const struct walk_way *, double, int *, int *);
static int	 walk_clamp(int, int, int);
static uint64_t	 walk_rooms_on(const struct walk_way *, double);
static int	 walk_beside(const struct walk_way *, uint64_t, int *, int *);
static double	 leg_length(const struct leg *);
static double	 leg_done(const struct leg *, uint64_t);

void
walk_set(uint8_t *bits, unsigned int id, int on)
{
	uint8_t	 bit = (uint8_t)(1 << id % 8);

	if (on)
		bits[id / 8] |= bit;
	else
		bits[id / 8] &= (uint8_t)~bit;
}

static void
walk_way(struct walk_way *ww, const struct floor_map *m, int x0, int y0,
    int x1, int y1)
{
	ww->ww_map = m;
	ww->ww_x0 = x0;
	ww->ww_y0 = y0;
	ww->ww_x1 = x1;
	ww->ww_y1 = y1;
	ww->ww_dx = ww->ww_x1 - ww->ww_x0;
	ww->ww_dy = ww->ww_y1 - ww->ww_y0;
}

static int
walk_before(const struct walk_part *a, const struct walk_part *b)
{
	return (a->wp_num * b->wp_den < b->wp_num * a->wp_den);
}

/* Keep the obstacle at num/den, den > 0, if it is the first one. */
static void
walk_note(struct walk_hit *wh, enum walk_result why, int64_t num, int64_t den)
{
	struct walk_part	 at = { num, den };

	if (wh->wh_why != WALK_FREE && !walk_before(&at, &wh->wh_at))
		return;
	wh->wh_why = why;
	wh->wh_at = at;
}

/* A closed segment stops the way, unless one stands on it already. */
static void
walk_segment(const struct walk_way *ww, const struct map_segment *sg,
    enum walk_result why, struct walk_hit *wh)
{
	int64_t	 ax = sg->sg_x1 - ww->ww_x0, ay = sg->sg_y1 - ww->ww_y0;
	int64_t	 bx = sg->sg_x2 - ww->ww_x0, by = sg->sg_y2 - ww->ww_y0;
	int64_t	 den, t, u;

	den = ww->ww_dx * (by - ay) - ww->ww_dy * (bx - ax);
	t = ax * (by - ay) - ay * (bx - ax);
	u = ax * ww->ww_dy - ay * ww->ww_dx;
	if (den == 0) {
		if (u != 0)
			return;
		if (llabs(ww->ww_dx) >= llabs(ww->ww_dy))
			walk_collinear(ww, ax, bx, why, wh);
		else
			walk_collinear(ww, ay, by, why, wh);
		return;
	}
	if (den < 0) {
		den = -den;
		t = -t;
		u = -u;
	}
	/* At t = 0 he stands on it, if it reaches that far. */
	if (t <= 0 || t > den || u < 0 || u > den)
		return;
	walk_note(wh, why, t, den);
}

/* Both on one line: a and b are the ends as seen from the start. */
static void
walk_collinear(const struct walk_way *ww, int64_t a, int64_t b,
    enum walk_result why, struct walk_hit *wh)
{
	int64_t	 d, near;

	d = llabs(ww->ww_dx) >= llabs(ww->ww_dy) ? ww->ww_dx : ww->ww_dy;
	if (d < 0) {
		d = -d;
		a = -a;
		b = -b;
	}
	near = a < b ? a : b;
	if (near > 0 && near <= d)
		walk_note(wh, why, near, d);
}

/* The edge of the floor may be stood on, not crossed. */
static void
walk_border(const struct walk_way *ww, struct walk_hit *wh)
{
	const struct floor_map	*m = ww->ww_map;

	if (ww->ww_x1 < 0)
		walk_note(wh, WALK_WALL, ww->ww_x0, -ww->ww_dx);
	else if (ww->ww_x1 > m->fm_width)
		walk_note(wh, WALK_WALL, m->fm_width - ww->ww_x0, ww->ww_dx);
	if (ww->ww_y1 < 0)
		walk_note(wh, WALK_WALL, ww->ww_y0, -ww->ww_dy);
	else if (ww->ww_y1 > m->fm_height)
		walk_note(wh, WALK_WALL, m->fm_height - ww->ww_y0, ww->ww_dy);
}

static void
walk_walls(const struct walk_way *ww, struct walk_hit *wh)
{
	const struct floor_map	*m = ww->ww_map;
	struct map_scan		 sc;
	uint32_t		 i;
	int			 c;

	map_scan_init(&sc, m, (int)ww->ww_x0, (int)ww->ww_y0,
	    (int)ww->ww_x1, (int)ww->ww_y1);
	while ((c = map_scan_next(&sc)) != -1)
		for (i = m->fm_cell[c]; i < m->fm_cell[c + 1]; i++)
			walk_segment(ww, &m->fm_walls[m->fm_cellwalls[i]],
			    WALK_WALL, wh);
}

/* The doors of locked rooms are walls for those who are not inside. */
static void
walk_doors(const struct walk_way *ww, const struct walk_rules *wr,
    uint64_t inside, struct walk_hit *wh)
{
	const struct map_room	*rm;
	uint32_t		 i;
	uint8_t			 d;

	for (i = 0; i < ww->ww_map->fm_nrooms; i++) {
		rm = &ww->ww_map->fm_rooms[i];
		if (!isset(wr->wr_locked, rm->rm_id) ||
		    rm->rm_id == wr->wr_own || (inside >> i & 1))
			continue;
		for (d = 0; d < rm->rm_ndoors; d++)
			walk_segment(ww, &rm->rm_doors[d], WALK_CLOSED, wh);
	}
}

/*
 * Does the way cross the edge a-b, and where?  As map_room_at, it takes every
 * point of the way to lie a trifle to the right and, less still, below.  So
 * nothing is ever on an edge, and counting the crossings agrees with
 * map_room_at at both ends.
 */
static int
walk_crosses(const struct walk_way *ww, const struct map_point *a,
    const struct map_point *b, struct walk_part *at)
{
	int64_t	 ax = a->pt_x - ww->ww_x0, ay = a->pt_y - ww->ww_y0;
	int64_t	 bx = b->pt_x - ww->ww_x0, by = b->pt_y - ww->ww_y0;
	int64_t	 ex = bx - ax, ey = by - ay;
	int64_t	 sa, sb, s0, s1, tie;

	sa = ww->ww_dx * ay - ww->ww_dy * ax;
	sb = ww->ww_dx * by - ww->ww_dy * bx;
	tie = ww->ww_dy != 0 ? ww->ww_dy : -ww->ww_dx;
	if (((sa != 0 ? sa : tie) > 0) == ((sb != 0 ? sb : tie) > 0))
		return (0);
	s0 = ax * ey - ay * ex;
	s1 = s0 + ex * ww->ww_dy - ey * ww->ww_dx;
	tie = ey != 0 ? -ey : ex;
	if (((s0 != 0 ? s0 : tie) > 0) == ((s1 != 0 ? s1 : tie) > 0))
		return (0);
	at->wp_num = llabs(s0);
	at->wp_den = llabs(s0 - s1);
	return (1);
}

static int
walk_compare(const void *va, const void *vb)
{
	const struct walk_cross	*a = va, *b = vb;

	if (walk_before(&a->wc_at, &b->wc_at))
		return (-1);
	return (walk_before(&b->wc_at, &a->wc_at));
}

/* All crossings in the order of the way. */
static size_t
walk_crossings(const struct walk_way *ww, struct walk_cross *wc)
{
	const struct map_room	*rm;
	size_t			 n = 0;
	uint32_t		 i;
	uint8_t			 j, k;

	for (i = 0; i < ww->ww_map->fm_nrooms; i++) {
		rm = &ww->ww_map->fm_rooms[i];
		if (MAX(ww->ww_x0, ww->ww_x1) < rm->rm_left ||
		    MIN(ww->ww_x0, ww->ww_x1) > rm->rm_right ||
		    MAX(ww->ww_y0, ww->ww_y1) < rm->rm_top ||
		    MIN(ww->ww_y0, ww->ww_y1) > rm->rm_bottom)
			continue;
		for (j = 0; j < rm->rm_npoints; j++) {
			k = j + 1 < rm->rm_npoints ? (uint8_t)(j + 1) : 0;
			if (!walk_crosses(ww, &rm->rm_points[j],
			    &rm->rm_points[k], &wc[n].wc_at))
				continue;
			wc[n++].wc_room = i;
		}
	}
	if (n > 1)
		qsort(wc, n, sizeof(*wc), walk_compare);
	return (n);
}

/*
 * Apply to the set all crossings that are where number i is: leaving one room
 * and entering the next through a common edge is one step.  The number of the
 * first crossing after them.
 */
static size_t
walk_group(const struct walk_cross *wc, size_t n, size_t i, uint64_t *set)
{
	const struct walk_part	*at = &wc[i].wc_at;

	do
		*set ^= (uint64_t)1 << wc[i].wc_room;
	while (++i < n && !walk_before(at, &wc[i].wc_at));
	return (i);
}

static uint8_t
walk_room_of(const struct floor_map *m, uint64_t set)
{
	if (set == 0)
		return (0);
	return (m->fm_rooms[ffsll((long long)set) - 1].rm_id);
}

/* May he pass from one set of rooms to the next? */
static enum walk_result
walk_entered(const struct floor_map *m, const struct walk_rules *wr,
    uint64_t from, uint64_t to)
{
	uint64_t	 new;
	uint8_t		 id;

	for (new = to & ~from; new != 0; new &= new - 1) {
		id = walk_room_of(m, new);
		if (id != wr->wr_own && isset(wr->wr_locked, id))
			return (WALK_CLOSED);
	}
	id = walk_room_of(m, to);
	if (id != 0 && id != walk_room_of(m, from) && id != wr->wr_own &&
	    isset(wr->wr_full, id))
		return (WALK_FULL);
	return (WALK_FREE);
}

static void
walk_rooms(const struct walk_way *ww, const struct walk_rules *wr,
    uint64_t set, struct walk_hit *wh)
{
	struct walk_cross	 wc[WALK_MAXCROSS];
	const struct walk_part	*at;
	enum walk_result	 why;
	uint64_t		 from;
	size_t			 i = 0, n;

	n = walk_crossings(ww, wc);
	while (i < n) {
		at = &wc[i].wc_at;
		from = set;
		i = walk_group(wc, n, i, &set);
		why = walk_entered(ww->ww_map, wr, from, set);
		if (why != WALK_FREE) {
			walk_note(wh, why, at->wp_num, at->wp_den);
			return;
		}
	}
}

static int
walk_rules_any(const struct walk_rules *wr)
{
	unsigned int	 i, any = 0;

	for (i = 0; i < sizeof(wr->wr_locked); i++)
		any |= wr->wr_locked[i] | wr->wr_full[i];
	return (any != 0);
}

/* The first obstacle on the way. */
static enum walk_result
walk_first(const struct walk_way *ww, const struct walk_rules *wr,
    struct walk_hit *wh)
{
	uint64_t	 inside;

	memset(wh, 0, sizeof(*wh));
	wh->wh_why = WALK_FREE;
	if (ww->ww_dx == 0 && ww->ww_dy == 0)
		return (WALK_FREE);
	walk_border(ww, wh);
	walk_walls(ww, wh);
	if (wr != NULL && walk_rules_any(wr)) {
		inside = map_rooms_at(ww->ww_map, (int)ww->ww_x0,
		    (int)ww->ww_y0);
		walk_doors(ww, wr, inside, wh);
		walk_rooms(ww, wr, inside, wh);
	}
	return (wh->wh_why);
}

/* The whole point nearest to s centimetres from the start; 0 if before it. */
static int
walk_back(const struct walk_way *ww, double s, int *x, int *y)
{
	double	 len = hypot((double)ww->ww_dx, (double)ww->ww_dy);

	if (s <= 0)
		return (0);
	/* floor() by way of an offset: the point may lie beyond 0. */
	*x = (int)((double)ww->ww_x0 + (double)ww->ww_dx * s / len +
	    WALK_FAR + 0.5) - WALK_FAR;
	*y = (int)((double)ww->ww_y0 + (double)ww->ww_dy * s / len +
	    WALK_FAR + 0.5) - WALK_FAR;
	return (1);
}

static int
walk_clamp(int v, int min, int max)
{
	return (v < min ? min : v > max ? max : v);
}

enum walk_result
walk_check(const struct floor_map *m, const struct walk_rules *wr, int x0,
    int y0, int x1, int y1, int *ex, int *ey)
{
	struct walk_hit	 hit, again;
	struct walk_way	 part, way;
	double		 len, off = WALK_BACKOFF, more = 1;
	int		 x, y;

	*ex = walk_clamp(x0, 0, m->fm_width);
	*ey = walk_clamp(y0, 0, m->fm_height);
	if (*ex != x0 || *ey != y0)
		return (WALK_WALL);	/* whoever put him there was wrong */
	walk_way(&way, m, x0, y0, walk_clamp(x1, -WALK_FAR, WALK_FAR),
	    walk_clamp(y1, -WALK_FAR, WALK_FAR));
	if (walk_first(&way, wr, &hit) == WALK_FREE) {
		*ex = x1;
		*ey = y1;
		return (WALK_FREE);
	}
	/* A rounded point is off the line: step back until it is free too. */
	len = hypot((double)way.ww_dx, (double)way.ww_dy);
	len *= (double)hit.wh_at.wp_num / (double)hit.wh_at.wp_den;
	for (; walk_back(&way, len - off, &x, &y); off += more, more *= 2) {
		walk_way(&part, m, x0, y0, x, y);
		if (walk_first(&part, wr, &again) != WALK_FREE)
			continue;
		*ex = x;
		*ey = y;
		break;
	}
	return (hit.wh_why);
}

double
walk_room_change(const struct floor_map *m, int x0, int y0, int x1, int y1,
    uint8_t *room)
{
	return (walk_room_after(m, x0, y0, x1, y1, -1, room));
}

double
walk_room_after(const struct floor_map *m, int x0, int y0, int x1, int y1,
    double after, uint8_t *room)
{
	struct walk_cross	 wc[WALK_MAXCROSS];
	const struct walk_part	*at;
	struct walk_way		 way;
	uint64_t		 set;
	double			 t;
	size_t			 i = 0, n;
	uint8_t			 id;

	walk_way(&way, m, x0, y0, x1, y1);
	set = map_rooms_at(m, x0, y0);
	*room = walk_room_of(m, set);
	n = walk_crossings(&way, wc);
	while (i < n) {
		at = &wc[i].wc_at;
		t = (double)at->wp_num / (double)at->wp_den;
		i = walk_group(wc, n, i, &set);
		id = walk_room_of(m, set);
		if (t > after && id != *room) {
			*room = id;
			return (t);
		}
		*room = id;
	}
	return (WALK_NOROOM);
}

/* The set of rooms at the part t of the way. */
static uint64_t
walk_rooms_on(const struct walk_way *ww, double t)
{
	struct walk_cross	 wc[WALK_MAXCROSS];
	uint64_t		 set;
	size_t			 i = 0, n;

	set = map_rooms_at(ww->ww_map, (int)ww->ww_x0, (int)ww->ww_y0);
	n = walk_crossings(ww, wc);
	while (i < n && (double)wc[i].wc_at.wp_num <=
	    t * (double)wc[i].wc_at.wp_den)
		i = walk_group(wc, n, i, &set);
	return (set);
}

/*
 * A whole point beside x,y that one can stand on who came along the way: no
 * wall between, and in these rooms.
 */
static int
walk_beside(const struct walk_way *ww, uint64_t set, int *x, int *y)
{
	static const int	 beside[9][2] = { { 0, 0 }, { 1, 0 }, { -1, 0 },
				    { 0, 1 }, { 0, -1 }, { 1, 1 }, { -1, -1 },
				    { 1, -1 }, { -1, 1 } };
	struct walk_hit		 hit;
	struct walk_way		 part;
	int			 bx, by;
	size_t			 i;

	for (i = 0; i < 9; i++) {
		bx = *x + beside[i][0];
		by = *y + beside[i][1];
		walk_way(&part, ww->ww_map, (int)ww->ww_x0, (int)ww->ww_y0,
		    bx, by);
		if (walk_first(&part, NULL, &hit) != WALK_FREE ||
		    map_rooms_at(ww->ww_map, bx, by) != set)
			continue;
		*x = bx;
		*y = by;
		return (1);
	}
	return (0);
}

void
walk_place(const struct floor_map *m, const struct leg *l, uint64_t now,
    int *x, int *y)
{
	struct walk_way	 way;
	double		 len = leg_length(l), s = leg_done(l, now), more = 1;

	if (s >= len) {
		*x = l->x1;
		*y = l->y1;
		return;
	}
	walk_way(&way, m, l->x0, l->y0, l->x1, l->y1);
	/* The bit more: at leg_time() of a crossing one is across. */
	for (; walk_back(&way, s, x, y); s -= more, more *= 2)
		if (walk_beside(&way, walk_rooms_on(&way, s / len + 1e-9), x,
		    y))
			return;
	*x = l->x0;
	*y = l->y0;
}

static double
leg_length(const struct leg *l)
{
	return (hypot((double)l->x1 - l->x0, (double)l->y1 - l->y0));
}

/* Centimetres walked; may be more than the length. */
static double
leg_done(const struct leg *l, uint64_t now)
{
	if (now <= l->t0)
		return (0);
	return ((double)(now - l->t0) * WALK_SPEED / 1000);
}

void
leg_at(const struct leg *l, uint64_t now, int *x, int *y)
{
	struct walk_way	 way;
	double		 s = leg_done(l, now);

	if (s >= leg_length(l)) {
		*x = l->x1;
		*y = l->y1;
		return;
	}
	walk_way(&way, NULL, l->x0, l->y0, l->x1, l->y1);
	if (!walk_back(&way, s, x, y)) {
		*x = l->x0;
		*y = l->y0;
	}
}

uint64_t
leg_time(const struct leg *l, double t)
{
	double		 ms = leg_length(l) * t * 1000 / WALK_SPEED;
	uint64_t	 n = (uint64_t)ms;

	return (l->t0 + n + ((double)n < ms));
}

uint64_t
leg_end_time(const struct leg *l)
{
	return (leg_time(l, 1));
}

void
leg_stop(struct leg *l, int x, int y, uint64_t now)
{
	l->x0 = l->x1 = x;
	l->y0 = l->y1 = y;
	l->t0 = now;
}
