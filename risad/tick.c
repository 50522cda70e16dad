#include <stdlib.h>

#include "bus.h"
#include "office.h"
#include "talk.h"
#include "tick.h"
#include "util.h"
#include "websocket.h"

#define FRAME		0x02
#define FRAME_HEAD	7	/* type, time, count */
#define ENTRY		12

/*
 * On a floor with more people than this, each tick goes to those who are near
 * what it tells of, and to those far away goes what has gathered.
 */
#define CROWD		200
#define NEAR		600	/* cm around one's cell */
#define CELL		500	/* cm; all in it get the same frame */
#define COLUMNS		(MAP_MAXSIZE / CELL + 1)
#define FAR_TICKS	2	/* that gather, */
#define FAR_MOST	10	/* or so many when we are late with them: */
#define LATE_MS		20


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

/* Avatars for a frame. */
static struct avatar	*picked[UINT16_MAX];
static unsigned int	 npicked;
static unsigned int	 far_ticks = FAR_TICKS;

static void
pick(struct avatar *av)
{
	if (npicked < UINT16_MAX)
		picked[npicked++] = av;
}

static void
put_picked(uint8_t *p, uint64_t now)
{
	unsigned int	 i;

	put_head(p, now, npicked);
	for (i = 0; i < npicked; i++)
		put_entry(p + FRAME_HEAD + i * ENTRY, picked[i], now);
}

/* A frame of those picked; NULL when there is none, or no memory. */
static struct chunk *
frame_picked(uint64_t now)
{
	struct chunk	*ck;
	uint8_t		*p;

	if (npicked == 0 || (ck = frame_new(npicked, &p)) == NULL)
		return (NULL);
	put_picked(p, now);
	return (ck);
}

/* Changes of ours, for other workers. */
static void
tell_bus(struct floor *fl, uint64_t now)
{
	struct avatar	*av;
	struct chunk	*ck;

	if (proc_nsession == 1)
		return;
	npicked = 0;
	TAILQ_FOREACH(av, &fl->fl_dirty, av_dirty_entry)
		if (av->av_person != NULL)
			pick(av);
	if (npicked == 0 ||
	    (ck = chunk_new(FRAME_HEAD + npicked * ENTRY)) == NULL)
		return;
	put_picked(ck->ck_data, now);
	bus_legs(fl, ck->ck_data, ck->ck_len);
	chunk_free(ck);
}

static int
is_near(int x, int y, unsigned int cell)
{
	int	 left = (int)(cell % COLUMNS) * CELL - NEAR;
	int	 top = (int)(cell / COLUMNS) * CELL - NEAR;

	return (x >= left && x < left + CELL + 2 * NEAR && y >= top &&
	    y < top + CELL + 2 * NEAR);
}

/* What begins or ends near the cell. */
static struct chunk *
frame_near(struct floor *fl, unsigned int cell, uint64_t now)
{
	struct avatar	*av;
	int		 x, y;

	npicked = 0;
	TAILQ_FOREACH(av, &fl->fl_dirty, av_dirty_entry) {
		avatar_at(av, now, &x, &y);
		if (is_near(x, y, cell) ||
		    is_near(av->av_leg.x1, av->av_leg.y1, cell))
			pick(av);
	}
	return (frame_picked(now));
}

/* To each of ours what is near; cells are those of the last frame for all. */
static void
tick_near(struct floor *fl, uint64_t now)
{
	static struct chunk	*frames[COLUMNS * COLUMNS];
	static uint8_t		 made[COLUMNS * COLUMNS];
	struct avatar		*av;

	TAILQ_FOREACH(av, &fl->fl_ours, av_ours_entry) {
		if (!made[av->av_cell]) {
			made[av->av_cell] = 1;
			frames[av->av_cell] = frame_near(fl, av->av_cell, now);
		}
		if (frames[av->av_cell] != NULL)
			office_tick(av, frames[av->av_cell]);
	}
	TAILQ_FOREACH(av, &fl->fl_ours, av_ours_entry) {
		chunk_free(frames[av->av_cell]);
		frames[av->av_cell] = NULL;
		made[av->av_cell] = 0;
	}
	while ((av = TAILQ_FIRST(&fl->fl_dirty)) != NULL) {
		tick_unmark(av);
		if (av->av_far)
			continue;
		av->av_far = 1;
		TAILQ_INSERT_TAIL(&fl->fl_far, av, av_far_entry);
	}
}

/* To all of ours everything that they may not have heard of. */
static void
tick_all(struct floor *fl, uint64_t now)
{
	struct avatar	*av;
	struct chunk	*ck;
	int		 x, y;

	npicked = 0;
	TAILQ_FOREACH(av, &fl->fl_dirty, av_dirty_entry)
		if (!av->av_far)
			pick(av);
	TAILQ_FOREACH(av, &fl->fl_far, av_far_entry)
		pick(av);
	if ((ck = frame_picked(now)) == NULL)
		return;			/* the next tick has them */
	while ((av = TAILQ_FIRST(&fl->fl_dirty)) != NULL)
		tick_unmark(av);
	while ((av = TAILQ_FIRST(&fl->fl_far)) != NULL)
		tick_unmark_far(av);
	TAILQ_FOREACH(av, &fl->fl_ours, av_ours_entry) {
		office_tick(av, ck);
		avatar_at(av, now, &x, &y);
		av->av_cell = (uint16_t)(y / CELL * COLUMNS + x / CELL);
	}
	chunk_free(ck);
	fl->fl_all = now;
}

/*
 * When ticks come late the loop has more to do than fits: those far away wait
 * longer then, and the others' ticks come in time again.
 */
static void
far_adapt(uint64_t late)
{
	static uint64_t	 mean;		/* of the last ticks, in 1/16 ms */

	mean += late - mean / 16;
	if (mean >= LATE_MS * 16 && far_ticks < FAR_MOST)
		far_ticks++;
	else if (mean < LATE_MS * 16 / 2 && far_ticks > FAR_TICKS)
		far_ticks--;
}

static void
tick_frame(struct floor *fl, uint64_t now)
{
	if (TAILQ_EMPTY(&fl->fl_dirty) && TAILQ_EMPTY(&fl->fl_far))
		return;
	session_stats.ss_ticks++;
	tell_bus(fl, now);
	if (fl->fl_people <= CROWD ||
	    now - fl->fl_all >= far_ticks * TICK_MS - TICK_MS / 2)
		tick_all(fl, now);
	else
		tick_near(fl, now);
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
void
tick_words_leave(struct floor *fl)
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
	uint64_t	 now = mono_ms(), late, next;

	(void)fd;
	(void)what;
	/* It may come early: a timer counts from when the turn began. */
	late = now > fl->fl_due ? now - fl->fl_due : 0;
	next = floor_step(fl, now);
	/* By the clock, not by when we come to it: else ticks drift apart. */
	fl->fl_ticked = late < TICK_MS ? fl->fl_due : now;
	far_adapt(late);
	tick_words_leave(fl);
	tick_frame(fl, now);
	if (!TAILQ_EMPTY(&fl->fl_dirty) || !TAILQ_EMPTY(&fl->fl_far))
		tick_wake(fl);
	else if (next != FLOOR_STILL)
		tick_at(fl, next);
}

/*
 * At this time, or sooner if that is set already.  Between two legs nothing
 * runs: a floor on which few walk wakes nobody twenty times a second.
 */
void
tick_at(struct floor *fl, uint64_t at)
{
	struct timeval	 tv = { 0, 0 };
	uint64_t	 now = mono_ms(), next = fl->fl_ticked + TICK_MS;

	if (!evtimer_initialized(&fl->fl_timer))
		evtimer_set(&fl->fl_timer, tick_event, fl);
	if (next < at)
		next = at;
	if (next < now)
		next = now;
	if (evtimer_pending(&fl->fl_timer, NULL) && fl->fl_due <= next)
		return;
	tv.tv_sec = (time_t)((next - now) / 1000);
	tv.tv_usec = (suseconds_t)((next - now) % 1000) * 1000;
	fl->fl_due = next;
	evtimer_add(&fl->fl_timer, &tv);
}

/*
 * After silence the first change leaves when this turn of the loop is over;
 * the next ones wait until a tick has passed.
 */
void
tick_wake(struct floor *fl)
{
	tick_at(fl, 0);
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
	talk_moved(av);
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
tick_unmark_far(struct avatar *av)
{
	if (!av->av_far)
		return;
	av->av_far = 0;
	TAILQ_REMOVE(&av->av_floor->fl_far, av, av_far_entry);
}

void
tick_forget(struct floor *fl)
{
	tick_words_leave(fl);
	if (evtimer_initialized(&fl->fl_timer))
		evtimer_del(&fl->fl_timer);
}
