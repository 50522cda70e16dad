/*
 * The time of the day, held against the clock that only goes forward: what a
 * jump must not do to those who are signed in and to what is kept.
 */
#include <string.h>

#include "grant.h"
#include "log.h"
#include "storage.h"
#include "util.h"

#define JUMP		5000		/* ms; less is a clock that is kept */
#define FAR		(24 * 3600 * 1000LL)
#define DOUBT		(24 * 3600 * 1000ULL)

static int64_t	 ahead;			/* of the monotonic clock, ms */
static uint64_t	 started, doubted;	/* mono ms; until when, or 0 */

static int64_t
ahead_now(void)
{
	return ((int64_t)now_ms() - (int64_t)mono_ms());
}

void
clock_start(void)
{
	ahead = ahead_now();
	started = mono_ms();
}

/* As if it had been signed in by the clock as it is now. */
static void
shift(uint64_t *at, int64_t ms)
{
	if (*at != 0)
		*at = (int64_t)*at + ms > 0 ? (uint64_t)((int64_t)*at + ms) :
		    1;
}

static void
shift_grant(struct grant *gr, void *arg)
{
	int64_t	 ms = *(const int64_t *)arg;

	shift(&gr->gr_created, ms);
	shift(&gr->gr_expires, ms);
	shift(&gr->gr_seen, ms);
	gr->gr_shifted = 1;
}

/* Both clocks are kept: of a time before the jump one can tell when it was. */
static void
tell(int64_t ms)
{
	struct db	*sys = db_system();
	char		 was[TIME_TEXT];
	uint64_t	 up = (mono_ms() - started) / 1000;
	int64_t		 then = (int64_t)now_ms() - ms;
	uint64_t	 by = (uint64_t)(ms < 0 ? -ms : ms);
	const char	*way = ms < 0 ? "back" : "forward";

	if (then < 0 || time_text(was, (uint64_t)then) == -1)
		(void)strlcpy(was, "?", sizeof(was));
	log_warnx("the clock was put %s by %llu seconds: it was %s, %llu "
	    "seconds after our start", way, (unsigned long long)by / 1000,
	    was, (unsigned long long)up);
	if (sys != NULL && audit_add(sys, "clock: put %s by %llu seconds, it "
	    "was %s, %llu seconds after the start of storage", way,
	    (unsigned long long)by / 1000, was, (unsigned long long)up) == -1)
		log_warnx("audit: that the clock was put %s is not kept", way);
}

void
clock_tick(void)
{
	struct tenant	*tn;
	int64_t		 now = ahead_now(), ms = now - ahead;

	ahead = now;
	if (ms > -JUMP && ms < JUMP)
		return;
	if (ms < 0)
		grant_each(0, 0, 0, shift_grant, &ms);
	if (ms >= FAR)
		doubted = mono_ms() + DOUBT;
	/* What was to be done at some time is looked at now. */
	RB_FOREACH(tn, tenant_tree, &tenant_all)
		tn->tn_sweep = 0;
	tell(ms);
}

int
clock_sure(void)
{
	return (doubted == 0 || mono_ms() >= doubted);
}
