/*
 * What is kept for how long, and how it goes: once a day, in steps small
 * enough that nobody waits for them (F5 to F7, J8).
 *
 * The ids of messages and of audit lines go forward with time, so that what is
 * old is at the front.  An access log goes when its month is over for long
 * enough.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "storage.h"
#include "util.h"

#define STEP_ROWS	200		/* that go in one step */
#define STEP_PAUSE	20		/* ms between two steps */
#define COUNT_ROWS	2000		/* that are looked at in one turn */
#define FIRST		(10 * 60 * SECOND)	/* after the start, at most */
#define DAY		(24ULL * 3600 * SECOND)

/* The tenant whose turn it is, and what has gone of it. */
static uint32_t		 now_tenant;
static enum keep_kind	 now_kind;
static uint64_t		 gone[KEEP_MAX];
static struct event	 step_ev;
static int		 armed;

static const enum policy_key	 keys[KEEP_MAX] = {
	[KEEP_CHAT] = POLICY_CHAT_DAYS,
	[KEEP_AUDIT] = POLICY_AUDIT_DAYS,
	[KEEP_LOG] = POLICY_LOG_DAYS,
};

/* Older than this it goes; 0: nothing does. */
static uint64_t
cutoff(const struct tenant *tn, enum keep_kind kind)
{
	uint64_t	 days = tn->tn_policy.po_value[keys[kind]];
	uint64_t	 now = now_ms();

	if (days == 0 || tn->tn_policy.po_value[POLICY_HOLD] != 0 ||
	    now <= days * DAY)
		return (0);
	return (now - days * DAY);
}

/* Some rows; how many have gone, STEP_ROWS: there may be more, or -1. */
static int
purge_rows(struct tenant *tn, enum keep_kind kind)
{
	uint64_t	 before = cutoff(tn, kind);
	struct db	*db;
	int		 n = -1;

	if (before == 0)
		return (0);
	if ((db = tenant_enter(tn)) == NULL)
		return (-1);
	if (db_begin(db) == 0) {
		n = kind == KEEP_AUDIT ?
		    audit_purge(db, before, STEP_ROWS) :
		    db_exec(db, S_PURGE_TALK,
		    ARGS(NUM(before), NUM(STEP_ROWS)));
		if (db_end(db, n != -1) == -1)
			n = -1;
	}
	tenant_leave(tn, db);
	return (n);
}

static int
purge_logs(struct tenant *tn)
{
	uint64_t	 before = cutoff(tn, KEEP_LOG);

	return (before == 0 ? 0 : db_log_purge(tn->tn_id,
	    db_month_of(before)));
}

/* What has gone is in the trail, and no longer in the file's log. */
static void
purge_end(struct tenant *tn)
{
	struct db	*db;

	if (gone[KEEP_CHAT] + gone[KEEP_AUDIT] + gone[KEEP_LOG] == 0 ||
	    (db = tenant_enter(tn)) == NULL)
		return;
	if (db_begin(db) == 0 && db_end(db, db_exec(db, S_PURGE_DMS,
	    NOARGS) != -1 && audit_add(db, "purged by age: %llu messages, "
	    "%llu audit lines, %llu months of access log",
	    (unsigned long long)gone[KEEP_CHAT],
	    (unsigned long long)gone[KEEP_AUDIT],
	    (unsigned long long)gone[KEEP_LOG]) != -1) == 0)
		(void)db_shrink(db);
	tenant_leave(tn, db);
}

static void
arm(void)
{
	struct timeval	 tv = { 0, STEP_PAUSE * 1000 };

	if (!armed && evtimer_add(&step_ev, &tv) == 0)
		armed = 1;
}

/* A step of the tenant whose turn it is. */
static void
step(int fd, short ev, void *arg)
{
	struct tenant	*tn = tenant_by_id(now_tenant);
	int		 n;

	(void)fd;
	(void)ev;
	(void)arg;
	armed = 0;
	if (tn == NULL) {
		now_tenant = 0;
		return;
	}
	n = now_kind == KEEP_LOG ? purge_logs(tn) : purge_rows(tn, now_kind);
	if (n > 0)
		gone[now_kind] += (uint64_t)n;
	if (n < STEP_ROWS && ++now_kind == KEEP_MAX) {
		purge_end(tn);
		tn->tn_purge = mono_ms() + DAY;
		tn->tn_purging = 0;
		now_tenant = 0;
		return;
	}
	arm();
}

void
retain_tick(void)
{
	struct tenant	*tn;
	uint64_t	 now = mono_ms();

	if (now_tenant != 0)
		return;
	RB_FOREACH(tn, tenant_tree, &tenant_all) {
		if (tn->tn_purge == 0)
			tn->tn_purge = now + arc4random_uniform(FIRST);
		if (!tn->tn_purging && now < tn->tn_purge)
			continue;
		memset(gone, 0, sizeof(gone));
		now_tenant = tn->tn_id;
		now_kind = 0;
		arm();
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
	ct->ct_row.days = tn->tn_policy.po_value[keys[ct->ct_kind]];
	ct->ct_row.hold = tn->tn_policy.po_value[POLICY_HOLD] != 0;
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
	    NUM(before)));
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
	uint64_t	 before = cutoff(tn, KEEP_LOG);
	uint32_t	 oldest, newest, n, due;

	if (db_log_months(tn->tn_id, before == 0 ? 0 : db_month_of(before),
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
	int		 n = -1;

	if (tn != NULL && (db = tenant_enter(tn)) != NULL) {
		n = ct->ct_kind == KEEP_LOG ? count_logs(ct, tn) :
		    count_rows(ct, tn, db);
		tenant_leave(tn, db);
	}
	if (n == 1)
		return (1);
	if (n == 0) {
		ct->ct_row.tenant = tn->tn_name;
		(void)proc_send(pe, IMSG_C_KEPT, sm->st_id, -1, &ct->ct_row);
	}
	if (tn != NULL && count_next(ct))
		return (1);
	(void)proc_result(pe, sm->st_id, R_OK, 0, "");
	return (0);
}

static int
anything_purging(const struct count *ct)
{
	struct tenant	*tn;

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

	if (tn == NULL && (tn = RB_MIN(tenant_tree, &tenant_all)) == NULL)
		return ("there is no tenant");
	if ((ct = calloc(1, sizeof(*ct))) == NULL)
		return ("no memory");
	ct->ct_tenant = tn->tn_id;
	ct->ct_all = rq->rq_tn == NULL;
	row_begin(ct, tn);
	if (run)
		RB_FOREACH(each, tenant_tree, &tenant_all)
			if (ct->ct_all || each == tn)
				each->tn_purging = 1;
	if (rq_stream(rq, run ? stream_run : stream_count, ct, free) == -1)
		return ("no memory");
	return (NULL);
}
