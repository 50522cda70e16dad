/*
 * Who leads a floor's talk, its steps, and what the leader tells the other
 * workers; see talk.h.
 */
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "person.h"
#include "talk.h"
#include "util.h"

#define STEP_MS		200	/* between two looks at who walks */
#define SOON_MS		20	/* what happens together, is told together */
#define REST_MS		100	/* between any two steps */
#define STEP_SHARE	10	/* of the time, at most one part in so many */
#define PAIRS_EACH	256	/* that we are told of one; earshot has fewer */

static void	 step_event(int, short, void *);

/*
 * What the leader tells.  Avatar 0 stands for "from here on all that hold"
 * (state 1) and "that was all" (0), for a leader or a worker that is new; b = 0
 * for whether a is one of too many.
 */

static int
leads(const struct floor *fl)
{
	const struct avatar	*av;

	if (fl->fl_local == 0)
		return (0);
	TAILQ_FOREACH(av, &fl->fl_avatars, av_floor_entry)
		if (av->av_worker < proc_inst)
			return (0);
	return (1);
}

static void
tell_worker(struct floor *fl, uint16_t a, uint16_t b, uint8_t state)
{
	if (a >> 12 != proc_inst)
		bus_pair(fl, a >> 12, a, b, state);
	if (b != 0 && b >> 12 != proc_inst && b >> 12 != a >> 12)
		bus_pair(fl, b >> 12, a, b, state);
}

static void
pair_now(struct floor *fl, const struct pair *p, uint8_t state)
{
	talk_changed(fl, p->pr_a);
	talk_changed(fl, p->pr_b);
	tell_worker(fl, p->pr_a, p->pr_b, state);
}

/* Both lists are sorted: what is in one only, or has another state. */
static void
compare(struct floor *fl, struct pairs *was, struct pairs *now)
{
	struct pair	*p = was->ps_list, *pe = p + was->ps_n;
	struct pair	*q = now->ps_list, *qe = q + now->ps_n;
	int		 d;

	while (p < pe || q < qe) {
		d = p == pe ? 1 : q == qe ? -1 : pair_cmp(p, q);
		if (d < 0) {
			talk_log(fl, p, 1);
			pair_now(fl, p, PAIR_NONE);
		} else if (d > 0)
			pair_now(fl, q, q->pr_state);
		else if (p->pr_state != q->pr_state) {
			if (q->pr_state != PAIR_JOINED)
				talk_log(fl, q, 1);
			pair_now(fl, q, q->pr_state);
		}
		p += d <= 0;
		q += d >= 0;
	}
}

static void
tell_fresh(struct floor *fl)
{
	const struct pairs	*ps = &fl->fl_pairs;
	size_t			 i;

	bus_pair(fl, BUS_ALL, 0, 0, 1);
	for (i = 0; i < ps->ps_n; i++)
		tell_worker(fl, ps->ps_list[i].pr_a, ps->ps_list[i].pr_b,
		    ps->ps_list[i].pr_state);
	bus_pair(fl, BUS_ALL, 0, 0, 0);
}

static void
full_now(struct floor *fl, uint16_t id, uint8_t full)
{
	struct avatar	*av = avatar_numbered(fl, id);

	if (av == NULL || av->av_full == full)
		return;
	av->av_full = full;
	if (av->av_person != NULL)
		av->av_told = 0;
	else
		tell_worker(fl, id, 0, full ? PAIR_FULL : PAIR_NONE);
}

/*
 * The step.
 */

static void
wake_at(struct floor *fl, uint64_t at)
{
	struct timeval	 tv = { 0, 0 };
	uint64_t	 now = mono_ms();

	if (!evtimer_initialized(&fl->fl_talk))
		evtimer_set(&fl->fl_talk, step_event, fl);
	if (at < fl->fl_talk_rest)
		at = fl->fl_talk_rest;
	if (evtimer_pending(&fl->fl_talk, NULL) && fl->fl_talk_due <= at)
		return;
	fl->fl_talk_due = at;
	if (at > now) {
		tv.tv_sec = (time_t)((at - now) / 1000);
		tv.tv_usec = (suseconds_t)((at - now) % 1000) * 1000;
	}
	evtimer_add(&fl->fl_talk, &tv);
}

void
talk_answer(struct floor *fl)
{
	wake_at(fl, mono_ms() + SOON_MS);
}

void
talk_wake(struct floor *fl)
{
	if (fl->fl_ears > 0 || fl->fl_pairs.ps_n > 0)
		wake_at(fl, mono_ms() + SOON_MS);
}

static struct ear *
ears_of(struct floor *fl, uint64_t now, size_t *n)
{
	struct avatar	*av;
	struct ear	*ears;

	*n = 0;
	if ((ears = calloc(fl->fl_ears + 1, sizeof(*ears))) == NULL)
		return (NULL);
	TAILQ_FOREACH(av, &fl->fl_avatars, av_floor_entry)
		if (talk_takes_part(av) && *n < fl->fl_ears)
			talk_ear(av, now, &ears[(*n)++]);
	return (ears);
}

static void
lead(struct floor *fl, uint64_t now)
{
	struct pairs	 next;
	struct ear	*ears;
	size_t		 i, n;
	int		 fresh = !fl->fl_leads;

	if ((ears = ears_of(fl, now, &n)) == NULL)
		return;
	if (earshot_step(&fl->fl_pairs, &next, fl->fl_map, ears, n, now,
	    fresh) == 0) {
		compare(fl, &fl->fl_pairs, &next);
		pairs_free(&fl->fl_pairs);
		fl->fl_pairs = next;
		for (i = 0; i < n; i++)
			full_now(fl, ears[i].ea_id, ears[i].ea_full);
		if (fresh || fl->fl_again)
			tell_fresh(fl);
		fl->fl_leads = 1;
		fl->fl_again = 0;
	}
	free(ears);
}

/* When somebody walks, or a warning ends; 0: when something happens. */
static uint64_t
next_step(const struct floor *fl, uint64_t now)
{
	const struct avatar	*av;
	uint64_t		 at, next = talk_bubbles_due(fl, now);
	size_t			 i;

	TAILQ_FOREACH(av, &fl->fl_avatars, av_floor_entry)
		if ((av->av_media & MEDIA_HEAR) && (av->av_nqueue > 0 ||
		    leg_end_time(&av->av_leg) > now))
			return (now + STEP_MS);
	for (i = 0; fl->fl_leads && i < fl->fl_pairs.ps_n; i++) {
		if (fl->fl_pairs.ps_list[i].pr_state != PAIR_SOON)
			continue;
		at = fl->fl_pairs.ps_list[i].pr_since + EARSHOT_SOON;
		if (next == 0 || at < next)
			next = at;
	}
	return (next);
}

static void
log_begun(struct floor *fl)
{
	size_t	 i;

	for (i = 0; i < fl->fl_pairs.ps_n; i++)
		talk_log(fl, &fl->fl_pairs.ps_list[i], 0);
}

static void
step_event(int fd, short what, void *arg)
{
	struct floor	*fl = arg;
	uint64_t	 now = mono_ms(), took, next;

	(void)fd;
	(void)what;
	if (fl->fl_map == NULL)
		return;
	if (leads(fl))
		lead(fl, now);
	else
		fl->fl_leads = 0;
	talk_bubbles_end(fl, now);
	log_begun(fl);
	talk_tell(fl);
	/* A crowd is looked at less often, so that it costs no one else. */
	took = (mono_ms() - now) * STEP_SHARE;
	fl->fl_talk_rest = now + (took > REST_MS ? took : REST_MS);
	if ((next = next_step(fl, now)) != 0)
		wake_at(fl, next);
}

void
talk_moved(struct avatar *av)
{
	if (av->av_floor->fl_ears > 0 && (av->av_media & MEDIA_HEAR))
		wake_at(av->av_floor, mono_ms() + STEP_MS);
}

void
talk_forget(struct floor *fl)
{
	if (evtimer_initialized(&fl->fl_talk))
		evtimer_del(&fl->fl_talk);
	pairs_free(&fl->fl_pairs);
}

/*
 * What other workers say.
 */

static int
is_ours(const struct floor *fl, uint16_t id)
{
	const struct avatar	*av;

	if (id >> 12 != proc_inst || (av = avatar_numbered(fl, id)) == NULL)
		return (0);
	return (av->av_person != NULL);
}

/* Not without end, whatever is said of whom we do not know. */
static struct pair *
pair_make(struct floor *fl, uint16_t a, uint16_t b)
{
	if (fl->fl_pairs.ps_n >= (size_t)fl->fl_local * PAIRS_EACH)
		return (NULL);
	return (pairs_make(&fl->fl_pairs, a, b));
}

static void
pair_set(struct floor *fl, uint16_t a, uint16_t b, uint8_t state)
{
	struct pair	*p = pairs_find(&fl->fl_pairs, a, b);

	if (p != NULL && state != PAIR_JOINED)
		talk_log(fl, p, 1);
	if (state == PAIR_NONE) {
		if (p != NULL)
			pairs_remove(&fl->fl_pairs, p);
	} else if (p != NULL || (p = pair_make(fl, a, b)) != NULL) {
		if (p->pr_state != state)
			p->pr_since = mono_ms();
		p->pr_state = state;
		p->pr_stale = 0;
	}
	talk_changed(fl, a);
	talk_changed(fl, b);
}

/* A new leader says which pairs hold; those that it does not name, do not. */
static void
pairs_again(struct floor *fl, int begins)
{
	struct pairs	*ps = &fl->fl_pairs;
	struct avatar	*av;
	struct pair	*p;
	size_t		 i;

	TAILQ_FOREACH(av, &fl->fl_ours, av_ours_entry)
		if (begins)
			av->av_full = av->av_told = 0;
	for (i = ps->ps_n; i-- > 0;) {
		p = &ps->ps_list[i];
		if (begins && !is_ours(fl, p->pr_a) && !is_ours(fl, p->pr_b))
			pairs_remove(ps, p);	/* from when we led */
		else if (begins)
			p->pr_stale = 1;
		else if (p->pr_stale)
			pair_set(fl, p->pr_a, p->pr_b, PAIR_NONE);
	}
}

void
talk_pair_told(struct peer *pe, struct floor *fl, const struct m_bus_pair *m)
{
	const struct avatar	*av;
	struct avatar		*one;

	/* Only the leader has a say: the lowest with somebody on the floor. */
	TAILQ_FOREACH(av, &fl->fl_avatars, av_floor_entry)
		if (av->av_worker < pe->pe_inst)
			return;
	if (m->a == 0)
		pairs_again(fl, m->state != 0);
	else if (m->b != 0 && (is_ours(fl, m->a) || is_ours(fl, m->b)))
		pair_set(fl, m->a, m->b, m->state);
	else if (m->b == 0 && (one = avatar_numbered(fl, m->a)) != NULL &&
	    one->av_person != NULL) {
		one->av_full = m->state == PAIR_FULL;
		one->av_told = 0;
	}
	talk_wake(fl);
}
