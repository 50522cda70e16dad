/*
 * Who is in whose talk: hand-made cases, then crowds that walk, come, go, mute
 * and make bubbles on random floors, each step against a plain computation
 * that shares no code.  Links risad/earshot.c, risad/map.c, risad/walk.c,
 * jansson, libm.
 */
#include <stdint.h>
#include <string.h>

#include "earshot.h"
#include "unit.h"

#define FLOORS		80
#define STEPS		100
#define CROWD		50
#define MOVES		100000		/* of all of them together, at least */

static char	 doc[MAP_MAXLEN + 1];
static uint64_t	 seed = 20261129;

static int
dice(int n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return ((int)((seed >> 33) % (unsigned int)n));
}

static struct floor_map *
parse(const char *walls)
{
	struct floor_map	*m;
	char			 err[160] = "";

	(void)snprintf(doc, sizeof(doc), "{\"version\":1,\"size\":[2000,1000],"
	    "\"floor\":\"wood\",\"walls\":[%s],\"rooms\":[],\"furniture\":[],"
	    "\"spawn\":[[1999,999]]}", walls);
	m = map_parse(doc, strlen(doc), err, sizeof(err));
	CHECK_STR(err, "");
	if (m == NULL)
		exit(unit_end());
	return (m);
}

/*
 * The plain computation: a table of all pairs, every wall tried, the next one
 * to settle looked for from the beginning each time.
 */
struct slow {
	int		 sl_state;
	uint64_t	 sl_since;
};
static struct slow	 table[CROWD + 1][CROWD + 1];
static struct ear	 people[CROWD];		/* id 0: not there */
static uint8_t		 slow_full[CROWD + 1];

static int64_t
cross(int64_t ax, int64_t ay, int64_t bx, int64_t by, int64_t cx, int64_t cy)
{
	return ((bx - ax) * (cy - ay) - (by - ay) * (cx - ax));
}

static int
between(int64_t a, int64_t b, int64_t c)
{
	return ((a <= c && c <= b) || (b <= c && c <= a));
}

/* Have the segments a point in common? */
static int
touch(const struct map_segment *w, const struct ear *p, const struct ear *q)
{
	int64_t	 a = cross(w->sg_x1, w->sg_y1, w->sg_x2, w->sg_y2, p->ea_x,
		    p->ea_y);
	int64_t	 b = cross(w->sg_x1, w->sg_y1, w->sg_x2, w->sg_y2, q->ea_x,
		    q->ea_y);
	int64_t	 c = cross(p->ea_x, p->ea_y, q->ea_x, q->ea_y, w->sg_x1,
		    w->sg_y1);
	int64_t	 d = cross(p->ea_x, p->ea_y, q->ea_x, q->ea_y, w->sg_x2,
		    w->sg_y2);

	if (a == 0 && b == 0 && c == 0 && d == 0)
		return ((between(w->sg_x1, w->sg_x2, p->ea_x) &&
		    between(w->sg_y1, w->sg_y2, p->ea_y)) ||
		    (between(w->sg_x1, w->sg_x2, q->ea_x) &&
		    between(w->sg_y1, w->sg_y2, q->ea_y)) ||
		    (between(p->ea_x, q->ea_x, w->sg_x1) &&
		    between(p->ea_y, q->ea_y, w->sg_y1)));
	return (((a <= 0 && b >= 0) || (a >= 0 && b <= 0)) &&
	    ((c <= 0 && d >= 0) || (c >= 0 && d <= 0)));
}

static int
walled(const struct floor_map *map, const struct ear *p, const struct ear *q)
{
	uint32_t	 i;

	for (i = 0; i < map->fm_nwalls; i++)
		if (touch(&map->fm_walls[i], p, q))
			return (1);
	return (0);
}

/* How many of the same kind were in the room before. */
static int
slow_out(const struct ear *e)
{
	const struct ear	*o;
	int			 n = 0;

	if (e->ea_room == 0)
		return (0);
	for (o = people; o < people + CROWD; o++)
		n += o->ea_id != 0 && o->ea_room == e->ea_room &&
		    o->ea_bubble == e->ea_bubble &&
		    o->ea_listens == e->ea_listens &&
		    (o->ea_since < e->ea_since || (o->ea_since == e->ea_since &&
		    o->ea_id < e->ea_id));
	return (n >= (e->ea_listens ? EARSHOT_LISTEN : EARSHOT_VOICES));
}

static int
slow_may(const struct floor_map *map, const struct ear *a,
    const struct ear *b, int known, int fresh)
{
	int64_t	 dx = a->ea_x - b->ea_x, dy = a->ea_y - b->ea_y;
	int64_t	 reach = known || fresh ? EARSHOT_OUT : EARSHOT_IN;

	if (a->ea_room != b->ea_room || a->ea_bubble != b->ea_bubble ||
	    (a->ea_listens && b->ea_listens) || slow_out(a) || slow_out(b))
		return (0);
	return (a->ea_room != 0 ||
	    (dx * dx + dy * dy <= reach * reach && !walled(map, a, b)));
}

static int
slow_busy(const struct ear *e)
{
	const struct ear	*o;

	for (o = people; o < people + CROWD; o++)
		if (o->ea_id != 0 && o != e && (o->ea_sends || e->ea_sends) &&
		    (table[e->ea_id][o->ea_id].sl_state == PAIR_JOINED ||
		    table[o->ea_id][e->ea_id].sl_state == PAIR_JOINED))
			return (1);
	return (0);
}

static const struct ear *
who(unsigned int id)
{
	const struct ear	*e;

	for (e = people; e < people + CROWD; e++)
		if (e->ea_id == id)
			return (e);
	return (NULL);
}

static int	 voices[CROWD + 1], listen[CROWD + 1], missed[CROWD + 1];

/* Both have a place for the other, and take it. */
static int
slow_seats(const struct ear *a, const struct ear *b)
{
	int	 la = a->ea_listens, lb = b->ea_listens;
	int	 fits_a = la ? voices[a->ea_id] < EARSHOT_VOICES : lb ?
		    listen[a->ea_id] < EARSHOT_LISTEN :
		    voices[a->ea_id] < EARSHOT_VOICES - 1;
	int	 fits_b = lb ? voices[b->ea_id] < EARSHOT_VOICES : la ?
		    listen[b->ea_id] < EARSHOT_LISTEN :
		    voices[b->ea_id] < EARSHOT_VOICES - 1;

	if (!fits_a || !fits_b) {
		missed[a->ea_id] = missed[b->ea_id] = 1;
		return (0);
	}
	*(lb ? &listen[a->ea_id] : &voices[a->ea_id]) += 1;
	*(la ? &listen[b->ea_id] : &voices[b->ea_id]) += 1;
	return (1);
}

/* The oldest of those from before that is not settled yet. */
static int
slow_next(const uint8_t *done, unsigned int *pa, unsigned int *pb)
{
	unsigned int	 a, b, found = 0;

	for (a = 1; a <= CROWD; a++)
		for (b = a + 1; b <= CROWD; b++)
			if (table[a][b].sl_state != PAIR_NONE &&
			    !done[a * (CROWD + 1) + b] && (!found ||
			    table[a][b].sl_since < table[*pa][*pb].sl_since)) {
				found = 1;
				*pa = a;
				*pb = b;
			}
	return ((int)found);
}

static void
slow_step(const struct floor_map *map, uint64_t ms, int fresh)
{
	static struct slow	 next[CROWD + 1][CROWD + 1];
	static uint8_t		 done[(CROWD + 1) * (CROWD + 1)];
	const struct ear	*ea, *eb;
	unsigned int		 a = 0, b = 0;

	memset(next, 0, sizeof(next));
	memset(done, 0, sizeof(done));
	memset(voices, 0, sizeof(voices));
	memset(listen, 0, sizeof(listen));
	memset(missed, 0, sizeof(missed));
	while (slow_next(done, &a, &b)) {
		done[a * (CROWD + 1) + b] = 1;
		if ((ea = who(a)) == NULL || (eb = who(b)) == NULL ||
		    !slow_may(map, ea, eb, 1, fresh) || !slow_seats(ea, eb))
			continue;
		next[a][b] = table[a][b];
		if (ms - next[a][b].sl_since >= EARSHOT_SOON)
			next[a][b].sl_state = PAIR_JOINED;
	}
	for (a = 1; a <= CROWD; a++)
		for (b = a + 1; b <= CROWD; b++) {
			if (table[a][b].sl_state != PAIR_NONE ||
			    (ea = who(a)) == NULL || (eb = who(b)) == NULL ||
			    !slow_may(map, ea, eb, 0, fresh) ||
			    !slow_seats(ea, eb))
				continue;
			next[a][b].sl_since = ms;
			next[a][b].sl_state = PAIR_JOINED;
			if (ea->ea_bubble == 0 &&
			    !(fresh && !ea->ea_late && !eb->ea_late) &&
			    (slow_busy(ea) || slow_busy(eb)))
				next[a][b].sl_state = PAIR_SOON;
		}
	for (a = 1; a <= CROWD; a++)
		slow_full[a] = (uint8_t)((ea = who(a)) != NULL &&
		    (slow_out(ea) || (missed[a] && voices[a] <
		    (ea->ea_listens ? EARSHOT_VOICES : EARSHOT_VOICES - 1))));
	memcpy(table, next, sizeof(table));
}

/*
 * Crowds.
 */

static struct floor_map *
random_floor(void)
{
	char	 walls[4096] = "";
	size_t	 len = 0;
	int	 i, n = dice(30);

	for (i = 0; i < n; i++)
		len += (size_t)snprintf(walls + len, sizeof(walls) - len,
		    "%s[%d,%d,%d,%d]", i == 0 ? "" : ",", dice(2000),
		    dice(1000), dice(2000), dice(1000));
	return (parse(walls));
}

static void
somewhere(const struct floor_map *map, struct ear *e, int x, int y, int far)
{
	int	 tries;

	for (tries = 0; tries < 50; tries++) {
		e->ea_x = x + dice(2 * far + 1) - far;
		e->ea_y = y + dice(2 * far + 1) - far;
		if (map_can_stand(map, e->ea_x, e->ea_y))
			return;
	}
	e->ea_id = 0;			/* nowhere to stand */
}

static unsigned int	 moves;

static void
happen(const struct floor_map *map, struct ear *e, uint64_t ms, int rooms)
{
	uint16_t	 id = (uint16_t)(e - people + 1);

	if (e->ea_id == 0) {
		if (dice(4) == 0)
			return;
		memset(e, 0, sizeof(*e));
		e->ea_id = id;
		e->ea_since = ms;
		somewhere(map, e, 1000, 500, dice(2) ? 300 : 900);
		return;
	}
	switch (dice(12)) {
	case 0:
		e->ea_sends = !e->ea_sends;
		break;
	case 1:
		e->ea_listens = dice(3) == 0;
		break;
	case 2:
		e->ea_room = (uint8_t)dice(rooms);
		e->ea_since = ms;
		break;
	case 3:
		e->ea_bubble = (uint16_t)(dice(4) == 0 ? dice(3) : 0);
		break;
	case 4:
		if (dice(3) == 0)
			e->ea_id = 0;
		break;
	default:
		somewhere(map, e, e->ea_x, e->ea_y, 120);
		moves++;
		break;
	}
	e->ea_late = ms - e->ea_since < EARSHOT_SOON;
}

static unsigned int	 compared, joined, soons, fulls, faults;

static void
compare(const struct pairs *ps, const struct ear *ears, size_t n, int step)
{
	const struct pair	*p;
	unsigned int		 a, b, state;
	size_t			 i;

	for (a = 1; a <= CROWD; a++)
		for (b = a + 1; b <= CROWD; b++) {
			p = pairs_find(ps, (uint16_t)b, (uint16_t)a);
			state = p == NULL ? PAIR_NONE : p->pr_state;
			compared++;
			joined += state == PAIR_JOINED;
			soons += state == PAIR_SOON;
			if ((int)state == table[a][b].sl_state &&
			    (p == NULL ||
			    p->pr_since == table[a][b].sl_since))
				continue;
			if (faults++ < 10)
				fprintf(stderr, "step %d: %u,%u: %u, and %d\n",
				    step, a, b, state, table[a][b].sl_state);
		}
	for (i = 0; i < n; i++) {
		fulls += ears[i].ea_full;
		if (ears[i].ea_full != slow_full[ears[i].ea_id] &&
		    faults++ < 10)
			fprintf(stderr, "step %d: %u full: %u, and %u\n", step,
			    ears[i].ea_id, ears[i].ea_full,
			    slow_full[ears[i].ea_id]);
	}
}

static void
crowd(void)
{
	struct floor_map	*map = random_floor();
	struct pairs		 ps = { 0 }, next;
	struct ear		 ears[CROWD], *e;
	uint64_t		 ms = 1000;
	size_t			 n;
	int			 step, fresh, rooms = 1 + dice(4), busy;

	memset(people, 0, sizeof(people));
	memset(table, 0, sizeof(table));
	busy = 1 + dice(4);
	for (step = 0; step < STEPS; step++) {
		ms += (uint64_t)(50 + dice(350));
		n = 0;
		for (e = people; e < people + CROWD; e++) {
			if (dice(busy) == 0)
				happen(map, e, ms, rooms);
			if (e->ea_id != 0)
				ears[n++] = *e;
		}
		fresh = dice(20) == 0;
		slow_step(map, ms, fresh);
		CHECK_INT(earshot_step(&ps, &next, map, ears, n, ms, fresh), 0);
		pairs_free(&ps);
		ps = next;
		compare(&ps, ears, n, step);
	}
	pairs_free(&ps);
	map_free(map);
}

static void
test_crowds(void)
{
	int	 i;

	for (i = 0; i < FLOORS; i++)
		crowd();
	CHECK_INT(faults, 0);
	CHECK(joined > 10000 && soons > 1000 && fulls > 300);
	CHECK(moves >= MOVES);
	fprintf(stderr, "%u pairs compared after %u moves: %u joined, %u soon, "
	    "%u full\n", compared, moves, joined, soons, fulls);
}

/*
 * By hand.
 */

static struct pairs	 hand;

static int
state_after(const struct floor_map *map, struct ear *ears, size_t n,
    uint64_t ms, uint16_t a, uint16_t b)
{
	struct pairs		 next;
	struct ear		 copy[40];
	const struct pair	*p;

	memcpy(copy, ears, n * sizeof(*ears));
	CHECK_INT(earshot_step(&hand, &next, map, copy, n, ms, 0), 0);
	pairs_free(&hand);
	hand = next;
	p = pairs_find(&hand, a, b);
	return (p == NULL ? PAIR_NONE : p->pr_state);
}

static void
test_distance(void)
{
	struct floor_map	*map = parse("[1000,0,1000,1000]");
	struct ear		 e[3] = { { .ea_id = 1, .ea_x = 100,
				    .ea_y = 100 }, { .ea_id = 2, .ea_x = 501,
				    .ea_y = 100 }, { .ea_id = 3, .ea_x = 1800,
				    .ea_y = 900 } };

	CHECK_INT(state_after(map, e, 3, 1, 1, 2), PAIR_NONE);
	e[1].ea_x = 500;
	CHECK_INT(state_after(map, e, 3, 2, 1, 2), PAIR_JOINED);
	e[1].ea_x = 600;			/* hysteresis */
	CHECK_INT(state_after(map, e, 3, 3, 2, 1), PAIR_JOINED);
	e[1].ea_x = 601;
	CHECK_INT(state_after(map, e, 3, 4, 1, 2), PAIR_NONE);
	e[1].ea_x = 600;
	CHECK_INT(state_after(map, e, 3, 5, 1, 2), PAIR_NONE);
	/* A wall between, however near. */
	e[0].ea_x = 990;
	e[1].ea_x = 1010;
	CHECK_INT(state_after(map, e, 3, 6, 1, 2), PAIR_NONE);
	/* Two rooms, one room, and a bubble in it. */
	e[0].ea_room = 1;
	e[1].ea_room = 2;
	CHECK_INT(state_after(map, e, 3, 7, 1, 2), PAIR_NONE);
	e[1].ea_room = 1;
	CHECK_INT(state_after(map, e, 3, 8, 1, 2), PAIR_JOINED);
	e[1].ea_bubble = 5;
	CHECK_INT(state_after(map, e, 3, 9, 1, 2), PAIR_NONE);
	pairs_free(&hand);
	map_free(map);
}

/* A third one comes to two who talk: warned first, then in. */
static void
test_soon(void)
{
	struct floor_map	*map = parse("");
	struct ear		 e[3] = { { .ea_id = 1, .ea_x = 100,
				    .ea_y = 100, .ea_sends = 1 },
				    { .ea_id = 2, .ea_x = 200, .ea_y = 100 },
				    { .ea_id = 3, .ea_x = 900, .ea_y = 100 } };

	CHECK_INT(state_after(map, e, 3, 1000, 1, 2), PAIR_JOINED);
	e[2].ea_x = 300;
	CHECK_INT(state_after(map, e, 3, 2000, 1, 3), PAIR_SOON);
	CHECK_INT(pairs_find(&hand, 2, 3)->pr_state, PAIR_SOON);
	CHECK_INT(state_after(map, e, 3, 3499, 1, 3), PAIR_SOON);
	CHECK_INT(state_after(map, e, 3, 3500, 1, 3), PAIR_JOINED);
	/* Nobody sends: nothing to break into. */
	pairs_free(&hand);
	e[0].ea_sends = 0;
	e[2].ea_x = 900;
	CHECK_INT(state_after(map, e, 3, 5000, 1, 2), PAIR_JOINED);
	e[2].ea_x = 300;
	CHECK_INT(state_after(map, e, 3, 5001, 1, 3), PAIR_JOINED);
	pairs_free(&hand);
	map_free(map);
}

/* Twenty in a room: the first sixteen talk, one of the others listens. */
static void
test_limits(void)
{
	struct floor_map	*map = parse("");
	struct ear		 e[20];
	struct pairs		 next;
	int			 i, full = 0;

	memset(e, 0, sizeof(e));
	for (i = 0; i < 20; i++) {
		e[i].ea_id = (uint16_t)(20 - i);
		e[i].ea_room = 1;
		e[i].ea_since = (uint64_t)(10 + i);
	}
	CHECK_INT(state_after(map, e, 20, 100, 20, 5), PAIR_JOINED);
	CHECK(pairs_find(&hand, 20, 4) == NULL);
	CHECK_INT(hand.ps_n, 16 * 15 / 2);
	e[19].ea_listens = 1;
	CHECK_INT(state_after(map, e, 20, 200, 20, 1), PAIR_JOINED);
	CHECK_INT(hand.ps_n, 16 * 15 / 2 + 16);
	CHECK_INT(earshot_step(&hand, &next, map, e, 20, 300, 0), 0);
	for (i = 0; i < 20; i++)
		full += e[i].ea_full;
	CHECK_INT(full, 3);
	pairs_free(&next);
	pairs_free(&hand);
	map_free(map);
}

static void
test_near(void)
{
	struct floor_map	*map = parse("[300,0,300,1000]");
	struct ear		 a = { .ea_id = 1, .ea_x = 100, .ea_y = 100 };
	struct ear		 b = { .ea_id = 2, .ea_x = 700, .ea_y = 100 };

	CHECK(!earshot_near(map, &a, &b, 99));
	CHECK(earshot_near(map, &a, &b, 100));
	b.ea_x = 400;
	CHECK(!earshot_near(map, &a, &b, 0));		/* the wall */
	a.ea_bubble = 1;
	CHECK(!earshot_near(map, &a, &b, 1000));
	a.ea_bubble = 0;
	a.ea_room = b.ea_room = 3;
	b.ea_x = 1900;
	CHECK(earshot_near(map, &a, &b, 0));
	a.ea_listens = b.ea_listens = 1;
	CHECK(!earshot_near(map, &a, &b, 0));
	map_free(map);
}

int
main(void)
{
	test_distance();
	test_soon();
	test_limits();
	test_near();
	test_crowds();
	return (unit_end());
}
