/*
 * The time of the day, held against the clock that only goes forward: what a
 * jump must not do to those who are signed in and to what is kept.
 *
 * What is in doubt stays so over a restart, and a clock that was put forward
 * while we were away is in doubt as well.  For that the meta of system.db has,
 * sealed, u64 the time of the day as it was seen last and u64 how many ms of
 * the doubt were left then.  Only time that we run through takes from them: a
 * restart neither ends the doubt nor begins it anew.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "grant.h"
#include "log.h"
#include "storage.h"
#include "util.h"

#define JUMP		5000		/* ms; less is a clock that is kept */
#define FAR		(24 * 3600 * 1000LL)
#define DOUBT		(24 * 3600 * 1000ULL)
#define KEEP_EACH	(10 * 60 * SECOND)

static const struct seal_at	 clock_at = { "meta", "clock", 0, 0, NULL, 0 };
static int64_t	 ahead;			/* of the monotonic clock, ms */
static uint64_t	 started, doubted;	/* mono ms; until when, or 0 */
static uint64_t	 kept;			/* mono ms */

static int64_t
ahead_now(void)
{
	return ((int64_t)now_ms() - (int64_t)mono_ms());
}

/* 1, 0 there is none yet, or -1. */
static int
clock_get(uint64_t *seen, uint64_t *left)
{
	struct db	*sys = db_system();
	sqlite3_stmt	*st;
	uint64_t	*wire = NULL;
	size_t		 len = 0;
	int		 n;

	if (sys == NULL)
		return (-1);
	st = db_query(sys, S_META_GET, ARGS(TXT("clock")));
	if ((n = db_step(sys, st)) == 1)
		wire = db_open(sys, &clock_at, st, 0, &len);
	db_done(st);
	if (n == 1 && (wire == NULL || len != 2 * sizeof(*wire)))
		n = -1;
	if (n == 1) {
		*seen = be64toh(wire[0]);
		*left = be64toh(wire[1]);
	}
	free(wire);
	return (n);
}

/* What cannot be written is older, and so rather too far behind. */
static void
clock_keep(void)
{
	struct db	*sys = db_system();
	uint64_t	 wire[2];
	void		*rec;
	size_t		 len;

	kept = mono_ms();
	wire[0] = htobe64(now_ms());
	wire[1] = htobe64(doubted > kept ? doubted - kept : 0);
	if (sys == NULL ||
	    (rec = db_seal(sys, &clock_at, wire, sizeof(wire), &len)) == NULL)
		return;
	(void)db_exec(sys, S_META_SET, ARGS(TXT("clock"), BIN(rec, len)));
	free(rec);
}

static void
tell_away(uint64_t seen)
{
	struct db	*sys = db_system();
	char		 was[TIME_TEXT];

	if (seen == 0 || time_text(was, seen) == -1)
		(void)strlcpy(was, "?", sizeof(was));
	log_warnx("the clock is ahead by a day or more of when we were last "
	    "here, %s: nothing is destroyed for a day", was);
	if (sys != NULL && audit_add(sys, "clock: storage was last here at %s, "
	    "nothing is destroyed for a day", was) == -1)
		log_warnx("audit: that the clock is in doubt is not kept");
}

void
clock_start(void)
{
	uint64_t	 seen = 0, left = 0;
	int		 n;

	ahead = ahead_now();
	started = mono_ms();
	if ((n = clock_get(&seen, &left)) == -1 ||
	    (n == 1 && now_ms() >= seen + FAR)) {
		left = DOUBT;
		tell_away(seen);
	}
	if (left != 0)
		doubted = started + (left < DOUBT ? left : DOUBT);
	clock_keep();
}

void
clock_stop(void)
{
	clock_tick();
	clock_keep();
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
	if (mono_ms() - kept >= KEEP_EACH && ms < FAR)
		clock_keep();
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

/* A tick may be seconds ago. */
int
clock_sure(void)
{
	clock_tick();
	return (doubted == 0 || mono_ms() >= doubted);
}
