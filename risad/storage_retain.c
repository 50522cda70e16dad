/*
 * What is kept for how long, and how it goes: once a day, in steps small
 * enough that nobody waits for them (F5 to F7, J8).
 *
 * The ids of messages and of audit lines go forward with time, so that what is
 * old is at the front.  An access log goes when its month is over for long
 * enough.  Of somebody who is held everything stays: his messages, the trail
 * from the first line on that tells of him, the access logs since he came.
 *
 * The installation has a trail and an access log of its own, in turn with the
 * tenants: its number is DB_SYSTEM.
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "storage.h"
#include "util.h"

#define STEP_ROWS	100		/* that go in one step */
#define STEP_PAUSE	20		/* ms between two steps */
#define COUNT_ROWS	2000		/* that are looked at in one turn */
#define FIRST		(10 * 60 * SECOND)	/* after the start, at most */

/* The tenant whose turn it is, how far that is, and what has gone of it. */
static int		 busy;
static uint32_t		 now_tenant;
static enum keep_kind	 now_kind;
static uint64_t		 now_after;	/* of messages: looked at up to here */
static uint64_t		 gone[KEEP_MAX];
static uint64_t		 system_purge;	/* as tn_purge */
static int		 system_purging;
static struct event	 step_ev;
static int		 armed;

static const enum policy_key	 keys[KEEP_MAX] = {
	[KEEP_CHAT] = POLICY_CHAT_DAYS,
	[KEEP_AUDIT] = POLICY_AUDIT_DAYS,
	[KEEP_LOG] = POLICY_LOG_DAYS,
};

/*
 * The installation's own: audit trail and access log.
 */

static const struct seal_at	 own_at = { "meta", "retention", 0, 0, NULL,
				    0 };

/* Days of both as they were set, or else the defaults of a tenant. */
static void
own_days(uint32_t days[KEEP_MAX])
{
	struct db	*sys = db_system();
	sqlite3_stmt	*st;
	uint32_t	*kept = NULL;
	size_t		 len = 0;
	int		 i;

	days[KEEP_CHAT] = 0;
	for (i = KEEP_AUDIT; i < KEEP_MAX; i++)
		days[i] = policy_rules[keys[i]].pr_default;
	if (sys == NULL)
		return;
	st = db_query(sys, S_META_GET, ARGS(TXT("retention")));
	if (db_step(sys, st) == 1)
		kept = db_open(sys, &own_at, st, 0, &len);
	db_done(st);
	if (kept != NULL && len == KEEP_MAX * sizeof(*kept))
		for (i = KEEP_AUDIT; i < KEEP_MAX; i++)
			days[i] = be32toh(kept[i]);
	free(kept);
}

/* 0, or -1. */
static int
own_put(struct db *sys, const uint32_t days[KEEP_MAX])
{
	uint32_t	 wire[KEEP_MAX];
	void		*rec;
	size_t		 len;
	int		 i, n;

	for (i = 0; i < KEEP_MAX; i++)
		wire[i] = htobe32(days[i]);
	if ((rec = db_seal(sys, &own_at, wire, sizeof(wire), &len)) == NULL)
		return (-1);
	n = db_exec(sys, S_META_SET, ARGS(TXT("retention"), BIN(rec, len)));
	free(rec);
	return (n == 1 ? 0 : -1);
}

enum result
retain_own(struct request *rq, uint8_t kind, uint32_t value)
{
	const struct policy_rule	*pr;
	struct db			*sys = db_system();
	uint32_t			 days[KEEP_MAX], old;

	if (kind == KEEP_CHAT)
		return (R_NOTFOUND);
	pr = &policy_rules[keys[kind]];
	if (value < pr->pr_min || value > pr->pr_max)
		return (R_INVALID);
	own_days(days);
	old = days[kind];
	days[kind] = value;
	return (sys == NULL || audit_add(sys, "by operator %u: set %s of the "
	    "installation from %u to %u", rq->rq_op, pr->pr_name, old,
	    value) == -1 || own_put(sys, days) == -1 ? R_UNAVAILABLE : R_OK);
}

/*
 * What is due.  A tenant is NULL for the installation.
 */

static uint32_t
days_of(const struct tenant *tn, enum keep_kind kind)
{
	uint32_t	 days[KEEP_MAX];

	if (tn != NULL)
		return (tn->tn_policy.po_value[keys[kind]]);
	own_days(days);
	return (days[kind]);
}

uint32_t
retain_days(const struct tenant *tn, enum policy_key key, uint64_t *next)
{
	enum keep_kind	 kind;

	for (kind = 0; kind < KEEP_MAX - 1 && keys[kind] != key; kind++)
		;
	*next = tn == NULL ? system_purge :
	    tn->tn_policy.po_value[POLICY_HOLD] != 0 ? 0 : tn->tn_purge;
	return (days_of(tn, kind));
}

/* Older than this it goes; 0: nothing does. */
static uint64_t
cutoff(const struct tenant *tn, enum keep_kind kind)
{
	uint64_t	 days = days_of(tn, kind), now = now_ms();

	if (days == 0 || now <= days * DAY || (tn != NULL &&
	    tn->tn_policy.po_value[POLICY_HOLD] != 0))
		return (0);
	return (now - days * DAY);
}

static struct db *
enter(struct tenant *tn)
{
	return (tn == NULL ? db_system() : tenant_enter(tn));
}

static void
leave(struct tenant *tn, struct db *db)
{
	if (tn != NULL)
		tenant_leave(tn, db);
	else
		(void)db_commit(db);
}

/* The month before which logs go, none in which somebody was here who is held;
 * 0: none goes. */
static uint32_t
log_before(struct tenant *tn)
{
	uint64_t	 before = cutoff(tn, KEEP_LOG), since = 0;
	struct db	*db;
	int		 n = 0;

	if (before == 0)
		return (0);
	if (tn != NULL) {
		if ((db = tenant_enter(tn)) == NULL)
			return (0);
		n = hold_since(db, &since);
		tenant_leave(tn, db);
	}
	if (n == -1)
		return (0);
	return (db_month_of(since != 0 && since < before ? since : before));
}

/*
 * A step: how many have gone, and *more when it is not the last; or -1.
 */

int
retain_next(struct db *db, enum stmt s, uint64_t after, struct dated *dt)
{
	sqlite3_stmt	*st;
	int		 n;

	dt->dt_id = INT64_MAX;
	dt->dt_at = UINT64_MAX;
	st = db_query(db, s, ARGS(NUM(after), NUM(now_ms()),
	    NUM(RETAIN_SINCE)));
	if ((n = db_step(db, st)) == 1) {
		dt->dt_id = db_col_num(st, 0);
		dt->dt_at = db_col_num(st, 1);
	}
	db_done(st);
	return (n == -1 ? -1 : 0);
}

/*
 * The next messages, up to the first that is young enough: all that follow
 * are.  What was written while the clock was ahead, or not set yet, is as old
 * as what follows; while it was behind, as old as what was before.
 */
static int
purge_talk(struct db *db, uint64_t before, int *more)
{
	uint64_t	 upto, other;
	struct dated	 next;
	int		 n;

	if (db_number(db, S_TALK_UPTO, ARGS(NUM(now_after), NUM(INT64_MAX),
	    NUM(STEP_ROWS)), &upto) == -1 ||
	    retain_next(db, S_TALK_NEXT, now_after, &next) == -1 ||
	    db_number(db, S_TALK_OTHER, ARGS(NUM(next.dt_id), NUM(upto),
	    NUM(RETAIN_SINCE), NUM(before)), &other) == -1)
		return (-1);
	if (upto == 0 || next.dt_at >= before)
		return (0);
	if (other != 0)			/* the next step tells of it */
		upto = other - 1;
	if ((n = db_exec(db, S_PURGE_TALK, ARGS(NUM(now_after),
	    NUM(upto)))) != -1)
		now_after = upto;
	*more = n != -1;
	return (n);
}

static int
purge_lines(struct db *db, uint64_t before, int *more)
{
	int	 n = audit_purge(db, before, STEP_ROWS);

	*more = n == STEP_ROWS;
	return (n);
}

static int
purge_rows(struct tenant *tn, enum keep_kind kind, int *more)
{
	uint64_t	 before = cutoff(tn, kind);
	struct db	*db;
	int		 n = -1;

	if (before == 0)
		return (0);
	if ((db = enter(tn)) == NULL)
		return (-1);
	if (db_begin(db) == 0) {
		n = kind == KEEP_AUDIT ? purge_lines(db, before, more) :
		    purge_talk(db, before, more);
		if (db_end(db, n != -1) == -1)
			n = -1;
	}
	leave(tn, db);
	return (n);
}

static int
purge_logs(struct tenant *tn)
{
	uint32_t	 before = log_before(tn);

	return (before == 0 ? 0 : db_log_purge(tn == NULL ? DB_SYSTEM :
	    tn->tn_id, before));
}

/* What has gone is in the trail, and no longer in the file's log. */
static void
purge_end(struct tenant *tn)
{
	struct db	*db;

	if (gone[KEEP_CHAT] + gone[KEEP_AUDIT] + gone[KEEP_LOG] == 0 ||
	    (db = enter(tn)) == NULL)
		return;
	if (db_begin(db) == 0 && db_end(db, (tn == NULL || db_exec(db,
	    S_PURGE_DMS, NOARGS) != -1) && audit_add(db, "purged by age: %llu "
	    "messages, %llu audit lines, %llu months of access log",
	    (unsigned long long)gone[KEEP_CHAT],
	    (unsigned long long)gone[KEEP_AUDIT],
	    (unsigned long long)gone[KEEP_LOG]) != -1) == 0)
		(void)db_shrink(db);
	leave(tn, db);
}

static void
arm(void)
{
	struct timeval	 tv = { 0, STEP_PAUSE * 1000 };

	if (!armed && evtimer_add(&step_ev, &tv) == 0)
		armed = 1;
}

static void
turn_end(struct tenant *tn)
{
	uint64_t	 next = mono_ms() + DAY;

	purge_end(tn);
	if (tn == NULL) {
		system_purge = next;
		system_purging = 0;
	} else {
		tn->tn_purge = next;
		tn->tn_purging = 0;
	}
	busy = 0;
}

/* A step of the tenant whose turn it is. */
static void
step(int fd, short ev, void *arg)
{
	struct tenant	*tn = tenant_by_id(now_tenant);
	int		 n, more = 0;

	(void)fd;
	(void)ev;
	(void)arg;
	armed = 0;
	if (tn == NULL && now_tenant != DB_SYSTEM) {
		busy = 0;
		return;
	}
	/* The rest has to wait; its turn comes again. */
	if (!clock_sure()) {
		purge_end(tn);
		busy = 0;
		return;
	}
	if (now_kind == KEEP_CHAT && tn == NULL)
		n = 0;
	else
		n = now_kind == KEEP_LOG ? purge_logs(tn) :
		    purge_rows(tn, now_kind, &more);
	if (n > 0)
		gone[now_kind] += (uint64_t)n;
	if (!more && ++now_kind == KEEP_MAX) {
		turn_end(tn);
		return;
	}
	arm();
}

static void
turn_begin(uint32_t tenant)
{
	memset(gone, 0, sizeof(gone));
	busy = 1;
	now_tenant = tenant;
	now_kind = 0;
	now_after = 0;
	arm();
}

void
retain_tick(void)
{
	struct tenant	*tn;
	uint64_t	 now = mono_ms();

	if (busy || !clock_sure())
		return;
	if (system_purge == 0)
		system_purge = now + arc4random_uniform(FIRST);
	if (system_purging || now >= system_purge) {
		turn_begin(DB_SYSTEM);
		return;
	}
	RB_FOREACH(tn, tenant_tree, &tenant_all) {
		if (tn->tn_purge == 0)
			tn->tn_purge = now + arc4random_uniform(FIRST);
		if (!tn->tn_purging && now < tn->tn_purge)
			continue;
		turn_begin(tn->tn_id);
		return;
	}
}

void
retain_start(void)
{
	evtimer_set(&step_ev, step, NULL);
}

/*
 * Commands: what there is of each kind, and what is due to go; or have it go
 * now.
 */

struct count {
	uint32_t	 ct_tenant;
	int		 ct_all, ct_run, ct_waiting;
	enum keep_kind	 ct_kind;
	uint64_t	 ct_after;
	struct m_c_kept	 ct_row;
};

static void
row_begin(struct count *ct, const struct tenant *tn)
{
	memset(&ct->ct_row, 0, sizeof(ct->ct_row));
	ct->ct_row.kind = (uint8_t)ct->ct_kind;
	ct->ct_row.days = days_of(tn, ct->ct_kind);
	ct->ct_row.hold = tn != NULL &&
	    tn->tn_policy.po_value[POLICY_HOLD] != 0;
	ct->ct_after = 0;
}

/* Some rows more are counted: 1 there are more, 0, -1. */
static int
count_rows(struct count *ct, struct tenant *tn, struct db *db)
{
	struct m_c_kept	*row = &ct->ct_row;
	sqlite3_stmt	*st;
	uint64_t	 n = 0, before = cutoff(tn, ct->ct_kind), first, last;
	int		 ret;

	st = db_query(db, ct->ct_kind == KEEP_CHAT ? S_COUNT_TALK :
	    S_COUNT_AUDIT, ARGS(NUM(ct->ct_after), NUM(COUNT_ROWS),
	    NUM(before), NUM(RETAIN_SINCE)));
	if ((ret = db_step(db, st)) == 1 && (n = db_col_num(st, 0)) > 0) {
		ct->ct_after = db_col_num(st, 1);
		first = db_col_num(st, 2);
		last = db_col_num(st, 3);
		row->count += n;
		row->due += db_col_num(st, 4);
		if (row->oldest == 0 || first < row->oldest)
			row->oldest = first;
		if (last > row->newest)
			row->newest = last;
	}
	db_done(st);
	return (ret == -1 ? -1 : n == COUNT_ROWS);
}

static int
count_logs(struct count *ct, struct tenant *tn)
{
	struct m_c_kept	*row = &ct->ct_row;
	uint32_t	 oldest, newest, n, due;

	if (db_log_months(tn == NULL ? DB_SYSTEM : tn->tn_id, log_before(tn),
	    &n, &due, &oldest, &newest) == -1)
		return (-1);
	row->count = n;
	row->due = due;
	row->oldest = db_month_start(oldest);
	row->newest = db_month_start(newest);
	return (0);
}

/* The kind or the tenant after this one; 0: that was the last. */
static int
count_next(struct count *ct)
{
	struct tenant	 key = { .tn_id = ct->ct_tenant + 1 };
	struct tenant	*tn;

	if (++ct->ct_kind < KEEP_MAX) {
		row_begin(ct, tenant_by_id(ct->ct_tenant));
		return (1);
	}
	if (!ct->ct_all ||
	    (tn = RB_NFIND(tenant_tree, &tenant_all, &key)) == NULL)
		return (0);
	ct->ct_tenant = tn->tn_id;
	ct->ct_kind = 0;
	row_begin(ct, tn);
	return (1);
}

static int
stream_count(struct stream *sm, struct peer *pe)
{
	struct count	*ct = sm->st_data;
	struct tenant	*tn = tenant_by_id(ct->ct_tenant);
	struct db	*db;
	int		 n = -1, there;

	there = tn != NULL || ct->ct_tenant == DB_SYSTEM;
	if (there && (db = enter(tn)) != NULL) {
		n = ct->ct_kind == KEEP_LOG ? count_logs(ct, tn) :
		    count_rows(ct, tn, db);
		leave(tn, db);
	}
	if (n == 1)
		return (1);
	if (n == 0) {
		ct->ct_row.tenant = tn == NULL ? "-" : tn->tn_name;
		(void)proc_send(pe, IMSG_C_KEPT, sm->st_id, -1, &ct->ct_row);
	}
	if (there && count_next(ct))
		return (1);
	(void)proc_result(pe, sm->st_id, R_OK, 0, "");
	return (0);
}

static int
anything_purging(const struct count *ct)
{
	struct tenant	*tn;

	if (ct->ct_all && system_purging)
		return (1);
	RB_FOREACH(tn, tenant_tree, &tenant_all)
		if (tn->tn_purging && (ct->ct_all ||
		    tn->tn_id == ct->ct_tenant))
			return (1);
	return (0);
}

/* Until it is done; then what there is left. */
static int
stream_run(struct stream *sm, struct peer *pe)
{
	struct count	*ct = sm->st_data;

	if (anything_purging(ct)) {
		if (!clock_sure()) {
			(void)proc_result(pe, sm->st_id, R_REFUSED, 0, "the "
			    "clock is in doubt, see the log; it is purged "
			    "when that is over");
			return (0);
		}
		retain_tick();
		sm->st_idle = 1;
		return (1);
	}
	return (stream_count(sm, pe));
}

const char *
retain_begin(struct request *rq, int run)
{
	struct tenant	*tn = rq->rq_tn, *each;
	struct count	*ct;

	if ((ct = calloc(1, sizeof(*ct))) == NULL)
		return ("no memory");
	/* Of all: the installation is the first, and has no chat. */
	ct->ct_tenant = tn == NULL ? DB_SYSTEM : tn->tn_id;
	ct->ct_all = tn == NULL;
	ct->ct_kind = tn == NULL ? KEEP_AUDIT : 0;
	row_begin(ct, tn);
	if (run && ct->ct_all)
		system_purging = 1;
	if (run)
		RB_FOREACH(each, tenant_tree, &tenant_all)
			if (ct->ct_all || each == tn)
				each->tn_purging = 1;
	if (rq_stream(rq, run ? stream_run : stream_count, ct, free) == -1)
		return ("no memory");
	return (NULL);
}
