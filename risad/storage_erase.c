/*
 * Erasure while the tenant is in use: people, floors, conversations, times
 * (J10).
 *
 * A row of the table erasures says what is meant.  From its commit on nobody
 * reads that any more, and all pages are told; what is meant goes in steps
 * small enough that nobody waits for them, and a kill in between is no end:
 * the row is still there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "storage.h"
#include "util.h"

#define STEP_ROWS	100		/* that go in one step */
#define LOOK_ROWS	200		/* that are looked at in one step */
#define STEP_PAUSE	20		/* ms between two steps */
#define AGAIN		(10 * SECOND)	/* after what has failed */
#define NEVER		UINT64_MAX	/* tn_erase: nothing is known */
#define ERASURES_MAX	200		/* of a tenant at one time */

static uint32_t		 last_tenant;	/* whose turn it was */
static struct event	 step_ev;
static int		 armed;

/* The first one of the tenant; 1, 0 there is none, -1. */
static int
erasure_next(struct db *db, struct erasing *es)
{
	sqlite3_stmt	*st;
	const void	*mark;
	int		 n;

	st = db_query(db, S_ERASURE_NEXT, NOARGS);
	if ((n = db_step(db, st)) == 1) {
		es->es_id = db_col_num(st, 0);
		es->es_what = (uint8_t)db_col_num(st, 1);
		es->es_a = (uint32_t)db_col_num(st, 2);
		es->es_b = (uint32_t)db_col_num(st, 3);
		es->es_from = db_col_num(st, 4);
		es->es_to = db_col_num(st, 5);
		es->es_last = db_col_num(st, 6);
		es->es_after = db_col_num(st, 7);
		mark = db_col_bin(st, 8, &es->es_marklen);
		if (es->es_marklen > sizeof(es->es_mark))
			es->es_marklen = 0;	/* none of ours: once more */
		else if (es->es_marklen > 0)
			memcpy(es->es_mark, mark, es->es_marklen);
		es->es_gone = db_col_num(st, 9);
		es->es_named = db_col_num(st, 10);
	}
	db_done(st);
	return (n);
}

/*
 * Steps: 1 when there is more to do, 0 when it is done, -1.
 */

static int
some(struct db *db, struct erasing *es, enum stmt s)
{
	int	 n;

	if ((n = db_exec(db, s, ARGS(NUM(es->es_a), NUM(STEP_ROWS)))) == -1)
		return (-1);
	es->es_gone += (uint64_t)n;
	return (n == STEP_ROWS);
}

/* One message loses its sender's name; 1, 0 it was the last, -1. */
static int
unname_one(struct db *db, struct erasing *es)
{
	sqlite3_stmt	*st;
	const void	*ref;
	void		*rec = NULL;
	uint64_t	 id = 0;
	size_t		 len = 0, n;
	int		 ret;

	st = db_query(db, S_TALK_NAMED, ARGS(NUM(es->es_a),
	    BIN(es->es_marklen == 0 ? "" : (const void *)es->es_mark,
	    es->es_marklen)));
	if ((ret = db_step(db, st)) == 1) {
		id = db_col_num(st, 0);
		rec = talk_unname(db, st, es->es_a, &len);
		ref = db_col_bin(st, 6, &n);
		if (n == 0 || n > sizeof(es->es_mark))
			ret = -1;
		else {
			memcpy(es->es_mark, ref, n);
			es->es_marklen = n;
		}
	}
	db_done(st);
	/* What does not open shows no name to anybody: it stays. */
	if (ret == 1 && rec != NULL) {
		es->es_named++;
		if (db_exec(db, S_TALK_UNNAME, ARGS(NUM(id),
		    BIN(rec, len))) != 1)
			ret = -1;
	}
	free(rec);
	return (ret);
}

static int
unname_some(struct db *db, struct erasing *es)
{
	int	 i, n = 1;

	for (i = 0; i < STEP_ROWS && n == 1; i++)
		n = unname_one(db, es);
	return (n);
}

static int
step_person(struct db *db, struct erasing *es)
{
	int	 n;

	if ((n = some(db, es, S_ERASE_DIRECT)) != 0)
		return (n);
	if (es->es_what == ERASE_PERSON)
		return (some(db, es, S_ERASE_SENDER));
	return (es->es_what == ERASE_NAMES ? unname_some(db, es) : 0);
}

static int
step_range(struct db *db, struct erasing *es)
{
	uint64_t	 upto;
	int		 n;

	if (db_number(db, S_TALK_UPTO, ARGS(NUM(es->es_after),
	    NUM(es->es_last), NUM(LOOK_ROWS)), &upto) == -1)
		return (-1);
	if (upto == 0)
		return (0);
	if ((n = db_exec(db, S_ERASE_RANGE, ARGS(NUM(es->es_after), NUM(upto),
	    NUM(es->es_id)))) == -1)
		return (-1);
	es->es_after = upto;
	es->es_gone += (uint64_t)n;
	return (1);
}

static int
is_person(uint8_t what)
{
	return (what == ERASE_NAMES || what == ERASE_PERSON ||
	    what == ERASE_DIRECT);
}

/* Of what it is, in the words of the trail. */
static void
erasure_of(const struct erasing *es, char *dst, size_t size)
{
	if (is_person(es->es_what))
		(void)snprintf(dst, size, "user %u", es->es_a);
	else if (es->es_what == ERASE_FLOOR)
		(void)snprintf(dst, size, "floor %u", es->es_a);
	else if (es->es_what == ERASE_PAIR)
		(void)snprintf(dst, size, "user %u and user %u", es->es_a,
		    es->es_b);
	else
		(void)strlcpy(dst, es->es_what == ERASE_ALL ?
		    "all floors and people" : "all floors", size);
}

/* It is done: that is in the trail, with numbers. */
static int
erasure_end(struct db *db, const struct erasing *es)
{
	char	 what[64];

	erasure_of(es, what, sizeof(what));
	return (db_exec(db, S_ERASURE_DEL, ARGS(NUM(es->es_id))) == 1 &&
	    db_exec(db, S_PURGE_DMS, NOARGS) != -1 &&
	    audit_add(db, "erasure %llu, of %s, done: %llu messages erased, "
	    "%llu without their name", (unsigned long long)es->es_id, what,
	    (unsigned long long)es->es_gone,
	    (unsigned long long)es->es_named) == 0 ? 0 : -1);
}

/* Has anything gone, be it only the row of a person? */
static int
went(const struct erasing *es)
{
	return (es->es_gone + es->es_named > 0 ||
	    es->es_what == ERASE_NAMES || es->es_what == ERASE_PERSON);
}

/* A step in a transaction. */
static int
erasure_step(struct db *db, struct erasing *es)
{
	int	 n;

	if (db_begin(db) == -1)
		return (-1);
	n = is_person(es->es_what) ? step_person(db, es) :
	    step_range(db, es);
	if (n == 0 && erasure_end(db, es) == -1)
		n = -1;
	if (n == 1 && db_exec(db, S_ERASURE_SET, ARGS(NUM(es->es_id),
	    NUM(es->es_after), BIN(es->es_marklen == 0 ? "" :
	    (const void *)es->es_mark, es->es_marklen), NUM(es->es_gone),
	    NUM(es->es_named))) != 1)
		n = -1;
	if (db_end(db, n != -1) == -1)
		return (-1);
	/* What has gone is in the file's log until that is taken away: now, or
	 * from time to time while somebody else reads the file. */
	if (n == 0 && went(es) && db_shrink(db) == -1)
		db->db_erased = 1;
	return (n);
}

/*
 * Whose turn it is.
 */

static void
arm(void)
{
	struct timeval	 tv = { 0, STEP_PAUSE * 1000 };

	if (!armed && evtimer_add(&step_ev, &tv) == 0)
		armed = 1;
}

/* The next one after the last that has anything due; NULL: none has. */
static struct tenant *
turn(uint64_t now)
{
	struct tenant	 key = { .tn_id = last_tenant + 1 };
	struct tenant	*tn;
	int		 round;

	for (round = 0; round < 2; round++) {
		tn = RB_NFIND(tenant_tree, &tenant_all, &key);
		for (; tn != NULL; tn = RB_NEXT(tenant_tree, &tenant_all, tn))
			if (tn->tn_erase <= now)
				return (tn);
		key.tn_id = 0;
	}
	return (NULL);
}

static void
tenant_step(struct tenant *tn, uint64_t now)
{
	struct erasing	 es = { .es_id = 0 };
	struct db	*db;
	int		 n = -1;

	/* A hold that was set since then lets nothing go. */
	if (tn->tn_policy.po_value[POLICY_HOLD] != 0)
		n = -1;
	else if ((db = tenant_enter(tn)) != NULL) {
		if ((n = erasure_next(db, &es)) == 1 &&
		    (n = erasure_step(db, &es)) == 0)
			n = 1;		/* there may be another one */
		tenant_leave(tn, db);
	}
	tn->tn_erase = n == 1 ? now : n == 0 ? NEVER : now + AGAIN;
}

static void
step(int fd, short ev, void *arg)
{
	struct tenant	*tn;
	uint64_t	 now = mono_ms();

	(void)fd;
	(void)ev;
	(void)arg;
	armed = 0;
	if ((tn = turn(now)) == NULL)
		return;
	last_tenant = tn->tn_id;
	tenant_step(tn, now);
	if (turn(now) != NULL)
		arm();
}

void
erase_tick(void)
{
	if (!armed && turn(mono_ms()) != NULL)
		arm();
}

void
erase_start(void)
{
	evtimer_set(&step_ev, step, NULL);
}

/*
 * Beginning.
 */

/* All pages drop what they show of it. */
static void
tell_cleared(struct request *rq, const struct erasing *es)
{
	struct m_bus_cleared	 m = { rq->rq_tn->tn_id, es->es_what, es->es_a,
				    es->es_b, es->es_from, es->es_to,
				    es->es_last };

	rq_tell_sessions(rq, IMSG_BUS_CLEARED, &m);
}

enum result
erase_begin(struct request *rq, struct erasing *es)
{
	struct db	*db = rq->rq_db;
	uint64_t	 n;
	enum result	 r;

	if (!is_person(es->es_what) && (r = hold_range(rq, es)) != R_OK)
		return (r);
	if (db_number(db, S_ERASURE_COUNT, NOARGS, &n) == -1)
		return (R_UNAVAILABLE);
	if (n >= ERASURES_MAX)
		return (R_BUSY);
	if (db_next_id(db, "erasures", &es->es_id) == -1 ||
	    db_number(db, S_TALK_NEWEST, NOARGS, &es->es_last) == -1 ||
	    db_exec(db, S_ERASURE_ADD, ARGS(NUM(es->es_id),
	    NUM(es->es_what), NUM(es->es_a), NUM(es->es_b),
	    NUM(es->es_from), NUM(es->es_to), NUM(es->es_last))) != 1)
		return (R_UNAVAILABLE);
	rq->rq_tn->tn_erase = 0;
	arm();
	tell_cleared(rq, es);
	return (R_OK);
}

/* What of the tenant is meant, and of which time. */
static int
erase_note(struct request *rq, const struct erasing *es)
{
	char	 what[64], from[TIME_TEXT], to[TIME_TEXT];

	erasure_of(es, what, sizeof(what));
	if (es->es_from == 0 || time_text(from, es->es_from) == -1)
		(void)strlcpy(from, "the first", sizeof(from));
	if (time_text(to, es->es_to) == -1)
		(void)strlcpy(to, "the last", sizeof(to));
	return (audit_add(rq->rq_db, "by %s %u: erase messages of %s, from "
	    "%s to %s: erasure %llu", asker(rq), asker_id(rq), what, from, to,
	    (unsigned long long)es->es_id));
}

enum result
erase_messages(struct request *rq, uint8_t what, uint32_t a, uint32_t b,
    uint64_t from, uint64_t to, uint64_t *id)
{
	struct erasing	 es = { .es_what = what, .es_a = a, .es_b = b };
	uint64_t	 now = now_ms();
	enum result	 r;

	es.es_from = from;
	es.es_to = to == 0 || to > now ? now : to;
	rq->rq_field = "from";
	if (es.es_from > es.es_to)
		return (R_INVALID);
	rq->rq_field = NULL;
	/* Of a clock that went back: what is there is meant as well. */
	if (to == 0)
		es.es_to = INT64_MAX;
	if ((r = erase_begin(rq, &es)) != R_OK)
		return (r);
	*id = es.es_id;
	return (erase_note(rq, &es) == -1 ? R_UNAVAILABLE : R_OK);
}

static enum result
adm_erase_user(struct request *rq, const struct m_a_erase *m, uint64_t *id)
{
	struct person	 p;
	enum result	 r;
	int		 n;

	if ((n = person_get(rq->rq_db, m->id, &p)) != 1 ||
	    p.p_role == ROLE_GUEST)
		return (n == -1 ? R_UNAVAILABLE : R_NOTFOUND);
	r = user_erase(rq, &p, m->what, id);
	explicit_bzero(&p, sizeof(p));
	return (r);
}

/* What two have written to each other is no administrator's. */
enum result
adm_erase(struct request *rq, const void *arg)
{
	const struct m_a_erase	*m = arg;
	struct rights		*rt;
	uint64_t		 id;
	enum result		 r = R_FORBIDDEN;

	switch (m->what) {
	case ERASE_NAMES:
	case ERASE_PERSON:
		r = adm_erase_user(rq, m, &id);
		break;
	case ERASE_FLOOR:
		if ((rt = rights_get(rq->rq_db)) == NULL)
			return (R_UNAVAILABLE);
		if (rights_floor(rt, m->id) == NULL)
			return (R_NOTFOUND);
		/* FALLTHROUGH */
	case ERASE_FLOORS:
		r = erase_messages(rq, m->what, m->what == ERASE_FLOOR ?
		    m->id : 0, 0, m->from, m->to, &id);
		break;
	}
	if (r == R_OK)
		rq_result(rq, R_OK, 0, NULL);
	return (r);
}

/*
 * An operator waits.
 */

static int
stream_wait(struct stream *sm, struct peer *pe)
{
	struct tenant	*tn = tenant_by_id(sm->st_tenant);
	struct db	*db;
	uint64_t	 left = 0;
	int		 n = -1;

	if (tn != NULL && (db = tenant_enter(tn)) != NULL) {
		n = db_number(db, S_ERASURE_UNTIL, ARGS(NUM(sm->st_after)),
		    &left);
		tenant_leave(tn, db);
	}
	if (n == 0 && left > 0) {
		sm->st_idle = 1;
		return (1);
	}
	(void)proc_result(pe, sm->st_id, n == 0 ? R_OK : R_REFUSED, 0,
	    n == 0 ? "" : "it goes on by itself; the tenant's data cannot be "
	    "read now");
	return (0);
}

struct wait {
	uint64_t	 wt_id;
};

static int
stream_begin(struct stream *sm, struct peer *pe)
{
	struct wait	*wt = sm->st_data;

	sm->st_after = wt->wt_id;
	return (stream_wait(sm, pe));
}

int
erase_wait(struct request *rq, uint64_t id)
{
	struct wait	*wt;

	if ((wt = malloc(sizeof(*wt))) == NULL)
		return (-1);
	wt->wt_id = id;
	return (rq_stream(rq, stream_begin, wt, free));
}
