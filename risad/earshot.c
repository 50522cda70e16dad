#include <stdlib.h>
#include <string.h>

#include "earshot.h"
#include "walk.h"

/* What one has of the numbers that are limited. */
struct seat {
	uint16_t	 se_voices, se_listen;
	uint8_t		 se_busy;	/* talks with somebody */
	uint8_t		 se_out;	/* one of too many in the room */
};

struct step {
	const struct pairs	*st_before;
	struct pairs		*st_now;
	const struct floor_map	*st_map;
	struct ear		*st_ears;
	size_t			 st_n;
	struct seat		*st_seats;	/* as the ears are */
	uint64_t		 st_ms;
	int			 st_fresh;
};

/* A pair that may be, on its way through the limits. */
struct maybe {
	struct pair	 mb_pair;
	size_t		 mb_a, mb_b;		/* ears */
};

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
maybe_cmp(const void *p, const void *q)
{
	const struct pair	*a = &((const struct maybe *)p)->mb_pair;
	const struct pair	*b = &((const struct maybe *)q)->mb_pair;

	if ((a->pr_state == PAIR_JOINED) != (b->pr_state == PAIR_JOINED))
		return (a->pr_state == PAIR_JOINED ? -1 : 1);
	if (a->pr_since != b->pr_since)
		return (a->pr_since < b->pr_since ? -1 : 1);
	return (pair_cmp(a, b));
}

static int
maybe_order(const void *p, const void *q)
{
	return (pair_cmp(&((const struct maybe *)p)->mb_pair,
	    &((const struct maybe *)q)->mb_pair));
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

static struct ear *
ear_find(struct ear **byid, size_t n, uint16_t id)
{
	struct ear	 key = { .ea_id = id }, *k = &key, **p;

	p = bsearch(&k, byid, n, sizeof(*byid), id_cmp);
	return (p == NULL ? NULL : *p);
}

/* Who is in a talk in which something is sent. */
static int
find_busy(struct step *st)
{
	const struct pair	*p;
	struct ear		**byid, *a, *b;
	size_t			 i;

	if ((byid = calloc(st->st_n + 1, sizeof(struct ear *))) == NULL)
		return (-1);
	for (i = 0; i < st->st_n; i++)
		byid[i] = &st->st_ears[i];
	qsort(byid, st->st_n, sizeof(*byid), id_cmp);
	for (i = 0; i < st->st_before->ps_n; i++) {
		p = &st->st_before->ps_list[i];
		if (p->pr_state != PAIR_JOINED ||
		    (a = ear_find(byid, st->st_n, p->pr_a)) == NULL ||
		    (b = ear_find(byid, st->st_n, p->pr_b)) == NULL ||
		    (!a->ea_sends && !b->ea_sends))
			continue;
		st->st_seats[a - st->st_ears].se_busy = 1;
		st->st_seats[b - st->st_ears].se_busy = 1;
	}
	free(byid);
	return (0);
}

/* What is new begins at once, but into a talk under way with a warning. */
static uint8_t
first_state(const struct step *st, size_t i, size_t j)
{
	const struct ear	*a = &st->st_ears[i], *b = &st->st_ears[j];

	if (a->ea_bubble != 0 ||
	    (st->st_fresh && !a->ea_late && !b->ea_late))
		return (PAIR_JOINED);
	return (st->st_seats[i].se_busy || st->st_seats[j].se_busy ?
	    PAIR_SOON : PAIR_FULL);
}

/* 1: the two may be a pair, which is made from the one before. */
static int
maybe_pair(const struct step *st, size_t i, size_t j, struct maybe *mb)
{
	const struct ear	*a = &st->st_ears[i], *b = &st->st_ears[j];
	const struct pair	*old;
	int			 reach;

	if ((a->ea_listens && b->ea_listens) || st->st_seats[i].se_out ||
	    st->st_seats[j].se_out)
		return (0);
	old = pairs_find(st->st_before, a->ea_id, b->ea_id);
	reach = old != NULL || st->st_fresh ? EARSHOT_OUT : EARSHOT_IN;
	if (a->ea_room == 0 &&
	    (!within(a, b, reach) || wall_between(st->st_map, a, b)))
		return (0);
	mb->mb_a = i;
	mb->mb_b = j;
	if (old != NULL)
		mb->mb_pair = *old;
	else
		mb->mb_pair = (struct pair){
		    .pr_a = a->ea_id < b->ea_id ? a->ea_id : b->ea_id,
		    .pr_b = a->ea_id < b->ea_id ? b->ea_id : a->ea_id,
		    .pr_state = first_state(st, i, j), .pr_since = st->st_ms };
	return (1);
}

/* All that may be: neighbours in the order of the ears. */
static struct maybe *
maybe_all(const struct step *st, size_t *count)
{
	const struct ear	*ears = st->st_ears;
	struct maybe		*list = NULL, *p;
	size_t			 i, j, n = 0, size = 0;

	for (i = 0; i < st->st_n; i++)
		for (j = i + 1; j < st->st_n &&
		    same_space(&ears[i], &ears[j]); j++) {
			if (ears[i].ea_room == 0 &&
			    ears[j].ea_x - ears[i].ea_x > EARSHOT_OUT)
				break;
			if (n == size) {
				size = size == 0 ? 64 : size * 2;
				if ((p = reallocarray(list, size,
				    sizeof(*p))) == NULL) {
					free(list);
					return (NULL);
				}
				list = p;
			}
			n += (size_t)maybe_pair(st, i, j, &list[n]);
		}
	*count = n;
	return (list == NULL ? calloc(1, sizeof(*list)) : list);
}

static int
seats_take(struct step *st, const struct maybe *mb)
{
	struct seat	*a = &st->st_seats[mb->mb_a], *b;
	int		 la = st->st_ears[mb->mb_a].ea_listens;
	int		 lb = st->st_ears[mb->mb_b].ea_listens;

	b = &st->st_seats[mb->mb_b];
	if (!la && !lb) {
		if (a->se_voices >= EARSHOT_VOICES - 1 ||
		    b->se_voices >= EARSHOT_VOICES - 1)
			return (0);
		a->se_voices++;
		b->se_voices++;
		return (1);
	}
	if (la)
		a = b;		/* the one who is listened to */
	if (a->se_listen >= EARSHOT_LISTEN)
		return (0);
	a->se_listen++;
	return (1);
}

static void
maybe_settle(struct step *st, struct maybe *mb)
{
	struct pair	*p = &mb->mb_pair;

	if (p->pr_state == PAIR_SOON && st->st_ms - p->pr_since < EARSHOT_SOON)
		return;
	p->pr_state = seats_take(st, mb) ? PAIR_JOINED : PAIR_FULL;
}

/* Who could have more, with somebody who can not, is told so. */
static void
tell_full(struct step *st, const struct maybe *list, size_t n)
{
	const struct maybe	*mb;
	size_t			 i;

	for (i = 0; i < n; i++) {
		mb = &list[i];
		if (mb->mb_pair.pr_state != PAIR_FULL)
			continue;
		if (st->st_seats[mb->mb_a].se_voices < EARSHOT_VOICES - 1)
			st->st_ears[mb->mb_a].ea_full = 1;
		if (st->st_seats[mb->mb_b].se_voices < EARSHOT_VOICES - 1)
			st->st_ears[mb->mb_b].ea_full = 1;
	}
}

static int
settle(struct step *st)
{
	struct maybe	*list;
	struct pair	*p;
	size_t		 i, n;

	if ((list = maybe_all(st, &n)) == NULL)
		return (-1);
	qsort(list, n, sizeof(*list), maybe_cmp);
	for (i = 0; i < n; i++)
		maybe_settle(st, &list[i]);
	tell_full(st, list, n);
	qsort(list, n, sizeof(*list), maybe_order);
	if ((p = calloc(n + 1, sizeof(*p))) == NULL) {
		free(list);
		return (-1);
	}
	for (i = 0; i < n; i++)
		p[i] = list[i].mb_pair;
	free(list);
	*st->st_now = (struct pairs){ p, n, n + 1 };
	return (0);
}

int
earshot_step(const struct pairs *before, struct pairs *now,
    const struct floor_map *map, struct ear *ears, size_t n, uint64_t ms,
    int fresh)
{
	struct step	 st = { before, now, map, ears, n, NULL, ms, fresh };
	int		 ret;

	memset(now, 0, sizeof(*now));
	if ((st.st_seats = calloc(n + 1, sizeof(*st.st_seats))) == NULL)
		return (-1);
	qsort(ears, n, sizeof(*ears), ear_cmp);
	rooms_seat(&st);
	ret = find_busy(&st) == -1 || settle(&st) == -1 ? -1 : 0;
	free(st.st_seats);
	return (ret);
}
