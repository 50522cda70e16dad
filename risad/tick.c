#include <stdlib.h>

#include "bus.h"
#include "office.h"
#include "tick.h"
#include "util.h"
#include "websocket.h"

#define FRAME		0x02
#define FRAME_HEAD	7	/* type, time, count */
#define ENTRY		12

static void
put16(uint8_t *p, int v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static void
put32(uint8_t *p, uint32_t v)
{
	put16(p, (int)(v & 0xffff));
	put16(p + 2, (int)(v >> 16));
}

static void
put_entry(uint8_t *p, const struct avatar *av, uint64_t now)
{
	int	 x, y;

	avatar_at(av, now, &x, &y);
	put16(p, av->av_id);
	put16(p + 2, x);
	put16(p + 4, y);
	put16(p + 6, av->av_leg.x1);
	put16(p + 8, av->av_leg.y1);
	p[10] = av->av_heading;
	p[11] = 0;
}

static void
put_head(uint8_t *p, uint64_t now, unsigned int n)
{
	p[0] = FRAME;
	put32(p + 1, (uint32_t)now);
	put16(p + 5, (int)n);
}

/* Room for a WebSocket frame of n entries; *body is where its payload is. */
static struct chunk *
frame_new(unsigned int n, uint8_t **body)
{
	uint8_t		 head[WS_SENDHEAD];
	size_t		 len = FRAME_HEAD + (size_t)n * ENTRY, hlen;
	struct chunk	*ck;

	hlen = ws_frame_head(head, WS_OP_BINARY, len);
	if ((ck = chunk_new(hlen + len)) == NULL)
		return (NULL);
	(void)ws_frame_head(ck->ck_data, WS_OP_BINARY, len);
	*body = ck->ck_data + hlen;
	return (ck);
}

/* The changes as pages get them, and those of ours for other workers. */
static void
tick_frame(struct floor *fl, uint64_t now)
{
	struct avatar	*av;
	struct chunk	*ck, *ours;
	uint8_t		*p, *q;
	unsigned int	 n = 0, m = 0;

	TAILQ_FOREACH(av, &fl->fl_dirty, av_dirty_entry) {
		n++;
		if (av->av_person != NULL)
			m++;
	}
	ck = frame_new(n, &p);
	ours = m == 0 || m == n ? NULL : frame_new(m, &q);
	if (ck == NULL || (ours == NULL && m != 0 && m != n)) {
		chunk_free(ck);
		chunk_free(ours);
		return;			/* the next tick has them */
	}
	put_head(p, now, n);
	p += FRAME_HEAD;
	if (ours != NULL) {
		put_head(q, now, m);
		q += FRAME_HEAD;
	}
	while ((av = TAILQ_FIRST(&fl->fl_dirty)) != NULL) {
		put_entry(p, av, now);
		p += ENTRY;
		if (ours != NULL && av->av_person != NULL) {
			put_entry(q, av, now);
			q += ENTRY;
		}
		tick_unmark(av);
	}
	office_tick(fl, ck);
	if (ours != NULL)
		bus_legs(fl, q - FRAME_HEAD - m * ENTRY,
		    FRAME_HEAD + (size_t)m * ENTRY);
	else if (m > 0)
		bus_legs(fl, p - FRAME_HEAD - n * ENTRY,
		    FRAME_HEAD + (size_t)n * ENTRY);
	chunk_free(ck);
	chunk_free(ours);
}

struct chunk *
tick_snapshot(struct floor *fl)
{
	struct avatar	*av;
	struct chunk	*ck;
	uint64_t	 now = mono_ms();
	uint8_t		*p;

	if ((ck = frame_new(fl->fl_people, &p)) == NULL)
		return (NULL);
	put_head(p, now, fl->fl_people);
	p += FRAME_HEAD;
	TAILQ_FOREACH(av, &fl->fl_avatars, av_floor_entry) {
		put_entry(p, av, now);
		p += ENTRY;
	}
	return (ck);
}

/* In the order in which they were said, one write for each who reads them. */
static void
words_leave(struct floor *fl)
{
	struct words	*wd;

	while ((wd = STAILQ_FIRST(&fl->fl_words)) != NULL) {
		STAILQ_REMOVE_HEAD(&fl->fl_words, wd_entry);
		office_words(fl, wd->wd_room, wd->wd_but, wd->wd_chunk);
		chunk_free(wd->wd_chunk);
		free(wd);
	}
}

void
tick_words(struct floor *fl, uint8_t room, uint16_t but, struct chunk *ck)
{
	struct words	*wd;

	if (ck == NULL)
		return;
	if ((wd = malloc(sizeof(*wd))) == NULL) {
		office_words(fl, room, but, ck);
		return;
	}
	ck->ck_refs++;
	wd->wd_chunk = ck;
	wd->wd_but = but;
	wd->wd_room = room;
	STAILQ_INSERT_TAIL(&fl->fl_words, wd, wd_entry);
	tick_wake(fl);
}

static void
tick_event(int fd, short what, void *arg)
{
	struct floor	*fl = arg;
	uint64_t	 now = mono_ms();

	(void)fd;
	(void)what;
	floor_step(fl, now);
	/* By the clock, not by when we come to it: else ticks drift apart. */
	fl->fl_ticked += TICK_MS;
	if (fl->fl_ticked > now || now - fl->fl_ticked >= TICK_MS)
		fl->fl_ticked = now;
	words_leave(fl);
	if (!TAILQ_EMPTY(&fl->fl_dirty)) {
		session_stats.ss_ticks++;
		tick_frame(fl, now);
	}
	if (!TAILQ_EMPTY(&fl->fl_moving) || !TAILQ_EMPTY(&fl->fl_dirty))
		tick_wake(fl);
}

/*
 * After silence the first change leaves when this turn of the loop is over;
 * the next ones wait until a tick has passed.
 */
void
tick_wake(struct floor *fl)
{
	struct timeval	 tv = { 0, 0 };
	uint64_t	 now = mono_ms(), next = fl->fl_ticked + TICK_MS;

	if (!evtimer_initialized(&fl->fl_timer))
		evtimer_set(&fl->fl_timer, tick_event, fl);
	if (evtimer_pending(&fl->fl_timer, NULL))
		return;
	if (next > now)
		tv.tv_usec = (suseconds_t)(next - now) * 1000;
	evtimer_add(&fl->fl_timer, &tv);
}

void
tick_mark(struct avatar *av)
{
	if (!av->av_dirty) {
		av->av_dirty = 1;
		TAILQ_INSERT_TAIL(&av->av_floor->fl_dirty, av,
		    av_dirty_entry);
	}
	tick_wake(av->av_floor);
}

void
tick_unmark(struct avatar *av)
{
	if (!av->av_dirty)
		return;
	av->av_dirty = 0;
	TAILQ_REMOVE(&av->av_floor->fl_dirty, av, av_dirty_entry);
}

void
tick_forget(struct floor *fl)
{
	words_leave(fl);
	if (evtimer_initialized(&fl->fl_timer))
		evtimer_del(&fl->fl_timer);
}
