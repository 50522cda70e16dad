#include <stdlib.h>
#include <string.h>

#include "earshot.h"
#include "walk.h"

/* What one has of the numbers that are limited. */
struct seat {
	uint16_t	 se_voices;	/* whom one hears and is heard by */
	uint16_t	 se_listen;	/* who only listen to one */
	uint8_t		 se_busy;	/* talks with somebody */
	uint8_t		 se_out;	/* one of too many in the room */
};

struct step {
	const struct pairs	*st_before;
	const struct floor_map	*st_map;
	struct ear		*st_ears;
	struct ear		**st_byid;
	struct seat		*st_seats;	/* as the ears are */
	size_t			 st_n;
	uint64_t		 st_ms;
	int			 st_fresh;
	struct pair		*st_pairs;	/* those that are, so far */
	size_t			 st_npairs, st_size;
};

#define NEW_MOST	64	/* new pairs of one that are looked at */

/*
 * Lists of pairs.
 */

int
pair_cmp(const struct pair *p, const struct pair *q)
{
	if (p->pr_a != q->pr_a)
		return (p->pr_a < q->pr_a ? -1 : 1);
	return (p->pr_b < q->pr_b ? -1 : p->pr_b > q->pr_b);
}

static size_t
pairs_index(const struct pairs *ps, uint16_t a, uint16_t b)
{
	struct pair	 key = { .pr_a = a, .pr_b = b };
	size_t		 low = 0, high = ps->ps_n, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (pair_cmp(&ps->ps_list[mid], &key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return (low);
}

struct pair *
pairs_find(const struct pairs *ps, uint16_t a, uint16_t b)
{
	size_t	 i = a < b ? pairs_index(ps, a, b) : pairs_index(ps, b, a);

	if (i < ps->ps_n && ps->ps_list[i].pr_a == (a < b ? a : b) &&
	    ps->ps_list[i].pr_b == (a < b ? b : a))
		return (&ps->ps_list[i]);
	return (NULL);
}

static int
pairs_room(struct pairs *ps)
{
	struct pair	*p;
	size_t		 size = ps->ps_size == 0 ? 16 : ps->ps_size * 2;

	if (ps->ps_n < ps->ps_size)
		return (0);
	if ((p = reallocarray(ps->ps_list, size, sizeof(*p))) == NULL)
		return (-1);
	ps->ps_list = p;
	ps->ps_size = size;
	return (0);
}

struct pair *
pairs_make(struct pairs *ps, uint16_t a, uint16_t b)
{
	uint16_t	 first = a < b ? a : b, second = a < b ? b : a;
	size_t		 i = pairs_index(ps, first, second);
	struct pair	*p;

	if ((p = pairs_find(ps, a, b)) != NULL)
		return (p);
	if (pairs_room(ps) == -1)
		return (NULL);
	p = &ps->ps_list[i];
	memmove(p + 1, p, (ps->ps_n - i) * sizeof(*p));
	ps->ps_n++;
	*p = (struct pair){ .pr_a = first, .pr_b = second };
	return (p);
}

void
pairs_remove(struct pairs *ps, struct pair *p)
{
	size_t	 i = (size_t)(p - ps->ps_list);

	memmove(p, p + 1, (--ps->ps_n - i) * sizeof(*p));
}

void
pairs_free(struct pairs *ps)
{
	free(ps->ps_list);
	memset(ps, 0, sizeof(*ps));
}

/*
 * Who is near whom.
 */

static int
same_space(const struct ear *a, const struct ear *b)
{
	return (a->ea_room == b->ea_room && a->ea_bubble == b->ea_bubble);
}

/* Both orders are one question: the lower number asks. */
static int
wall_between(const struct floor_map *map, const struct ear *a,
    const struct ear *b)
{
	int	 x, y;

	if (a->ea_id > b->ea_id)
		return (wall_between(map, b, a));
	return (walk_check(map, NULL, a->ea_x, a->ea_y, b->ea_x, b->ea_y, &x,
	    &y) != WALK_FREE);
}

static int
within(const struct ear *a, const struct ear *b, int64_t reach)
{
	int64_t	 dx = a->ea_x - b->ea_x, dy = a->ea_y - b->ea_y;

	return (dx * dx + dy * dy <= reach * reach);
}

int
earshot_near(const struct floor_map *map, const struct ear *a,
    const struct ear *b, int slack)
{
	if (!same_space(a, b) || (a->ea_listens && b->ea_listens))
		return (0);
	if (a->ea_room != 0)
		return (1);
	return (within(a, b, EARSHOT_OUT + slack) &&
	    (slack > 0 || !wall_between(map, a, b)));
}

/*
 * One step.
 */

static int
ear_cmp(const void *p, const void *q)
{
	const struct ear	*a = p, *b = q;

	if (a->ea_room != b->ea_room)
		return (a->ea_room < b->ea_room ? -1 : 1);
	if (a->ea_bubble != b->ea_bubble)
		return (a->ea_bubble < b->ea_bubble ? -1 : 1);
	if (a->ea_room == 0 && a->ea_x != b->ea_x)
		return (a->ea_x < b->ea_x ? -1 : 1);
	if (a->ea_room != 0 && a->ea_since != b->ea_since)
		return (a->ea_since < b->ea_since ? -1 : 1);
	return (a->ea_id < b->ea_id ? -1 : a->ea_id > b->ea_id);
}

/* In the order in which the limits are applied: who talks, stays. */
static int
since_cmp(const void *p, const void *q)
{
	const struct pair	*a = p, *b = q;

	if (a->pr_since != b->pr_since)
		return (a->pr_since < b->pr_since ? -1 : 1);
	return (pair_cmp(a, b));
}

static int
order_cmp(const void *p, const void *q)
{
	return (pair_cmp(p, q));
}

/* In a room the first to come have the seats; in the open nobody is out. */
static void
rooms_seat(struct step *st)
{
	const struct ear	*ea;
	unsigned int		 voices = 0, listen = 0;
	size_t			 i;

	for (i = 0; i < st->st_n; i++) {
		ea = &st->st_ears[i];
		if (i == 0 || !same_space(ea, ea - 1))
			voices = listen = 0;
		if (ea->ea_room != 0)
			st->st_seats[i].se_out = ea->ea_listens ?
			    ++listen > EARSHOT_LISTEN :
			    ++voices > EARSHOT_VOICES;
		st->st_ears[i].ea_full = st->st_seats[i].se_out;
	}
}

static int
id_cmp(const void *p, const void *q)
{
	const struct ear	*const *a = p, *const *b = q;

	return ((*a)->ea_id < (*b)->ea_id ? -1 : (*a)->ea_id > (*b)->ea_id);
}

/* The place of the ear of this number, or -1. */
static ssize_t
ear_find(const struct step *st, uint16_t id)
{
	struct ear	 key = { .ea_id = id }, *k = &key, **p;

	p = bsearch(&k, st->st_byid, st->st_n, sizeof(*st->st_byid), id_cmp);
	return (p == NULL ? -1 : *p - st->st_ears);
}

static int
step_add(struct step *st, const struct pair *pr)
{
	struct pair	*p;
	size_t		 size = st->st_size == 0 ? 64 : st->st_size * 2;

	if (st->st_npairs == st->st_size) {
		if ((p = reallocarray(st->st_pairs, size,
		    sizeof(*p))) == NULL)
			return (-1);
		st->st_pairs = p;
		st->st_size = size;
	}
	st->st_pairs[st->st_npairs++] = *pr;
	return (0);
}

/* Could the two be a pair, leaving aside how many others there are? */
static int
in_reach(const struct step *st, size_t i, size_t j, int reach)
{
	const struct ear	*a = &st->st_ears[i], *b = &st->st_ears[j];

	if (!same_space(a, b) || (a->ea_listens && b->ea_listens) ||
	    st->st_seats[i].se_out || st->st_seats[j].se_out)
		return (0);
	return (a->ea_room != 0 || (within(a, b, reach) &&
	    !wall_between(st->st_map, a, b)));
}

/* Has the first a seat left for the second? */
static int
seat_left(const struct step *st, size_t i, size_t j)
{
	const struct seat	*se = &st->st_seats[i];

	if (st->st_ears[i].ea_listens)
		return (se->se_voices < EARSHOT_VOICES);
	return (st->st_ears[j].ea_listens ? se->se_listen < EARSHOT_LISTEN :
	    se->se_voices < EARSHOT_VOICES - 1);
}

/* 1: both have seats, and have taken them. */
static int
seats_take(struct step *st, size_t i, size_t j)
{
	if (!seat_left(st, i, j) || !seat_left(st, j, i))
		return (0);
	if (st->st_ears[j].ea_listens)
		st->st_seats[i].se_listen++;
	else
		st->st_seats[i].se_voices++;
	if (st->st_ears[i].ea_listens)
		st->st_seats[j].se_listen++;
	else
		st->st_seats[j].se_voices++;
	return (1);
}

/* Who has a seat left, and somebody near who has none, is told so. */
static void
missed(struct step *st, size_t i, size_t j)
{
	if (seat_left(st, i, j))
		st->st_ears[i].ea_full = 1;
	if (seat_left(st, j, i))
		st->st_ears[j].ea_full = 1;
}

/* Those from before that still hold: the older ones have their seats first. */
static int
step_kept(struct step *st)
{
	const struct pairs	*ps = st->st_before;
	struct pair		*old, *p;
	ssize_t			 i, j;
	size_t			 n;
	int			 ret = 0;

	if ((old = calloc(ps->ps_n + 1, sizeof(*old))) == NULL)
		return (-1);
	if (ps->ps_n > 0)
		memcpy(old, ps->ps_list, ps->ps_n * sizeof(*old));
	qsort(old, ps->ps_n, sizeof(*old), since_cmp);
	for (n = 0; n < ps->ps_n && ret == 0; n++) {
		p = &old[n];
		if ((i = ear_find(st, p->pr_a)) == -1 ||
		    (j = ear_find(st, p->pr_b)) == -1)
			continue;
		/* What is sent now is a talk that one comes to. */
		if (p->pr_state == PAIR_JOINED &&
		    (st->st_ears[i].ea_sends || st->st_ears[j].ea_sends))
			st->st_seats[i].se_busy = st->st_seats[j].se_busy = 1;
		if (!in_reach(st, (size_t)i, (size_t)j, EARSHOT_OUT))
			continue;
		if (!seats_take(st, (size_t)i, (size_t)j)) {
			missed(st, (size_t)i, (size_t)j);
			continue;
		}
		if (st->st_ms - p->pr_since >= EARSHOT_SOON)
			p->pr_state = PAIR_JOINED;
		ret = step_add(st, p);
	}
	free(old);
	return (ret);
}

/*
 * What is new begins at once, but into a talk under way with a warning; in a
 * bubble one has been asked.
 */
static uint8_t
first_state(const struct step *st, size_t i, size_t j)
{
	const struct ear	*a = &st->st_ears[i], *b = &st->st_ears[j];

	if (a->ea_bubble != 0 ||
	    (st->st_fresh && !a->ea_late && !b->ea_late))
		return (PAIR_JOINED);
	return (st->st_seats[i].se_busy || st->st_seats[j].se_busy ?
	    PAIR_SOON : PAIR_JOINED);
}

/*
 * The neighbours of one after it in the order of the ears: pairs that may be,
 * as many as can matter.
 */
static int
step_near(struct step *st, size_t i)
{
	const struct ear	*ears = st->st_ears;
	struct pair		 new = { .pr_since = st->st_ms };
	int			 reach = st->st_fresh ? EARSHOT_OUT :
				    EARSHOT_IN;
	unsigned int		 found = 0;
	size_t			 j;
	int			 mine, theirs;

	for (j = i + 1; j < st->st_n && found < NEW_MOST &&
	    same_space(&ears[i], &ears[j]); j++) {
		if (ears[i].ea_room == 0 &&
		    ears[j].ea_x - ears[i].ea_x > reach)
			break;
		mine = seat_left(st, i, j);
		theirs = seat_left(st, j, i);
		if ((!mine && !theirs) || pairs_find(st->st_before,
		    ears[i].ea_id, ears[j].ea_id) != NULL ||
		    !in_reach(st, i, j, reach))
			continue;
		if (!mine || !theirs) {
			missed(st, i, j);
			continue;
		}
		new.pr_a = ears[i].ea_id;
		new.pr_b = ears[j].ea_id;
		if (new.pr_a > new.pr_b) {
			new.pr_a = ears[j].ea_id;
			new.pr_b = ears[i].ea_id;
		}
		if (step_add(st, &new) == -1)
			return (-1);
		found++;
	}
	return (0);
}

/* Those that are new, by their numbers, as far as there are seats. */
static int
step_new(struct step *st)
{
	struct pair	*p;
	size_t		 i, j, k, kept = st->st_npairs, n = kept;

	for (i = 0; i < st->st_n; i++)
		if (step_near(st, i) == -1)
			return (-1);
	if (st->st_npairs > kept)
		qsort(st->st_pairs + kept, st->st_npairs - kept, sizeof(*p),
		    order_cmp);
	for (k = kept; k < st->st_npairs; k++) {
		p = &st->st_pairs[k];
		i = (size_t)ear_find(st, p->pr_a);
		j = (size_t)ear_find(st, p->pr_b);
		if (seats_take(st, i, j)) {
			p->pr_state = first_state(st, i, j);
			st->st_pairs[n++] = *p;
		} else
			missed(st, i, j);
	}
	st->st_npairs = n;
	return (0);
}

static int
step_run(struct step *st)
{
	size_t	 i;

	st->st_seats = calloc(st->st_n + 1, sizeof(*st->st_seats));
	st->st_byid = calloc(st->st_n + 1, sizeof(struct ear *));
	if (st->st_seats == NULL || st->st_byid == NULL)
		return (-1);
	qsort(st->st_ears, st->st_n, sizeof(*st->st_ears), ear_cmp);
	for (i = 0; i < st->st_n; i++)
		st->st_byid[i] = &st->st_ears[i];
	qsort(st->st_byid, st->st_n, sizeof(*st->st_byid), id_cmp);
	rooms_seat(st);
	if (step_kept(st) == -1 || step_new(st) == -1)
		return (-1);
	/* All seats taken in the end is a talk as large as can be. */
	for (i = 0; i < st->st_n; i++)
		if (st->st_seats[i].se_voices >= (st->st_ears[i].ea_listens ?
		    EARSHOT_VOICES : EARSHOT_VOICES - 1))
			st->st_ears[i].ea_full = 0;
	if (st->st_npairs > 0)
		qsort(st->st_pairs, st->st_npairs, sizeof(*st->st_pairs),
		    order_cmp);
	return (0);
}

int
earshot_step(const struct pairs *before, struct pairs *now,
    const struct floor_map *map, struct ear *ears, size_t n, uint64_t ms,
    int fresh)
{
	struct step	 st = { .st_before = before, .st_map = map,
			    .st_ears = ears, .st_n = n, .st_ms = ms,
			    .st_fresh = fresh };
	int		 ret;

	memset(now, 0, sizeof(*now));
	if ((ret = step_run(&st)) == 0)
		*now = (struct pairs){ st.st_pairs, st.st_npairs, st.st_size };
	else
		free(st.st_pairs);
	free(st.st_seats);
	free(st.st_byid);
	return (ret);
}
