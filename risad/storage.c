#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backup.h"
#include "log.h"
#include "storage.h"
#include "util.h"

#define EXPIRE_EACH	(60 * SECOND)
#define SEEN_MAX	(300 * SECOND)	/* how old tk_seen may become in use */
#define SWEEP_TENANTS	8
#define RETRY_DAMAGED	(10 * SECOND)
#define RETRY_TROUBLE	(SECOND / 2)
#define LOCK_TRIES	30		/* tenths of a second */

struct storage_conf	*storage_conf;
uint64_t		 storage_messages;
uint8_t			 storage_key[TOKEN_LEN];
struct tenant_tree	 tenant_all = RB_INITIALIZER(&tenant_all);

static struct storage_conf *next_conf;	/* between CONF_SITE and COMMIT */
static TAILQ_HEAD(streamlist, stream) streams = TAILQ_HEAD_INITIALIZER(streams);
static struct event	 commit_ev, stream_ev, tick_ev;
static int		 started;
/* Counts the lives of a peer: an answer is for the one that asked. */
static unsigned int	 lives[PROC_MAX][MAX_SESSIONS];

RB_GENERATE(tenant_tree, tenant, tn_entry, tenant_cmp)

int
tenant_cmp(const struct tenant *a, const struct tenant *b)
{
	return (a->tn_id < b->tn_id ? -1 : a->tn_id > b->tn_id);
}

/*
 * Answers.
 */

static void
arm(struct event *ev, unsigned int ms)
{
	struct timeval	 tv;

	tv.tv_sec = ms / SECOND;
	tv.tv_usec = (suseconds_t)(ms % SECOND) * 1000;
	(void)evtimer_add(ev, &tv);
}

static struct held *
held_for(enum proc_type proc, unsigned int inst, uint32_t id,
    enum imsg_type type, const void *m)
{
	struct held	*he;

	if ((he = hold_new(type, m)) == NULL)
		return (NULL);
	he->he_proc = proc;
	he->he_inst = inst;
	he->he_life = lives[proc][inst];
	he->he_id = id;
	return (he);
}

struct peer *
held_peer(const struct held *he)
{
	if (he->he_life != lives[he->he_proc][he->he_inst])
		return (NULL);
	return (proc_peer(he->he_proc, he->he_inst));
}

static void
hold(struct request *rq, int push, enum proc_type proc, unsigned int inst,
    uint32_t id, enum imsg_type type, const void *m)
{
	struct held	*he;

	if ((he = held_for(proc, inst, id, type, m)) == NULL) {
		/* Rather nothing is done than that nobody hears of it. */
		log_warnx("no memory for an answer");
		rq->rq_db->db_broken = 1;
		return;
	}
	he->he_push = push;
	he->he_did = rq->rq_writes && (type == IMSG_RESULT ||
	    type == IMSG_LINK_DONE);
	TAILQ_INSERT_TAIL(&rq->rq_db->db_held, he, he_entry);
}

void
rq_tell(struct request *rq, enum proc_type proc, unsigned int inst, uint32_t id,
    enum imsg_type type, const void *m)
{
	if (rq->rq_db != NULL && rq->rq_db->db_intx)
		hold(rq, 1, proc, inst, id, type, m);
	else if (proc_peer(proc, inst) != NULL) {
		(void)proc_send(proc_peer(proc, inst), type, id, -1, m);
		fence_told(proc, inst, type);
	}
}

void
rq_answer(struct request *rq, enum imsg_type type, const void *m)
{
	const struct peer	*pe = rq->rq_peer;
	struct held		*he = NULL;

	if (rq->rq_db != NULL && rq->rq_db->db_intx) {
		hold(rq, 0, pe->pe_proc, pe->pe_inst, rq->rq_id, type, m);
		return;
	}
	/* That of an operator: what it says was committed before. */
	if (type == IMSG_RESULT && pe->pe_proc == PROC_AUTH && fence_up() &&
	    (he = held_for(pe->pe_proc, pe->pe_inst, rq->rq_id, type,
	    m)) != NULL) {
		he->he_did = 1;
		if (fence_keeps(he))
			return;
		hold_free(he);
	}
	(void)proc_send(rq->rq_peer, type, rq->rq_id, -1, m);
}

void
rq_result(struct request *rq, enum result code, uint64_t arg, const char *field)
{
	struct m_result	 m = { code, arg, field == NULL ? "" : field };

	rq_answer(rq, IMSG_RESULT, &m);
}

void
rq_tell_sessions(struct request *rq, enum imsg_type type, const void *m)
{
	unsigned int	 i;

	for (i = 0; i < proc_nsession; i++)
		rq_tell(rq, PROC_SESSION, i, 0, type, m);
}

/* What is told of a tenant; its rules are written to the buffer. */
static struct m_tenant
tenant_told(const struct tenant *tn, uint8_t rules[POLICY_BYTES])
{
	struct m_tenant	 m = { tn->tn_id, tn->tn_state, 0, tn->tn_name,
			    tn->tn_title, { rules, 0 } };

	m.policy.mb_len = policy_write(&tn->tn_policy, rules);
	return (m);
}

void
rq_tell_tenant(struct request *rq, const struct tenant *tn)
{
	uint8_t		 rules[POLICY_BYTES];
	struct m_tenant	 m = tenant_told(tn, rules);

	rq_tell_sessions(rq, IMSG_TENANT, &m);
	rq_tell(rq, PROC_AUTH, 0, 0, IMSG_TENANT, &m);
}

void
rq_unanswer(struct request *rq, const struct held *mark)
{
	struct heldlist	*list = &rq->rq_db->db_held;
	struct held	*he;

	while ((he = TAILQ_LAST(list, heldlist)) != NULL && he != mark) {
		TAILQ_REMOVE(list, he, he_entry);
		hold_free(he);
	}
}

static void
deliver(struct held *he)
{
	const struct m_grant		*mg = he->he_msg;
	const struct m_grant_must	*mm = he->he_msg;
	struct m_grant_end		 end;
	struct grant			*gr;
	struct peer			*pe;

	/* What is not on the disk frees nobody. */
	if (he->he_type == IMSG_GRANT_MUST && (gr = grant_find(mm->grant,
	    he->he_inst, 0)) != NULL)
		gr->gr_must = mm->must;
	if ((pe = held_peer(he)) == NULL)
		return;
	(void)proc_send(pe, he->he_type, he->he_id, -1, he->he_msg);
	fence_told(he->he_proc, he->he_inst, he->he_type);
	if (he->he_type == IMSG_GRANT &&
	    grant_find(mg->grant, he->he_inst, 0) == NULL) {
		/* It ended while it waited: the order is ours to keep. */
		end.grant = mg->grant;
		end.why = END_ENDED;
		(void)proc_send(pe, IMSG_GRANT_END, 0, -1, &end);
	}
}

/* What waited is not true: each asker hears it once, nobody else does. */
static void
deny(struct held *he, const struct held *before)
{
	const struct m_grant	*mg = he->he_msg;
	struct grant		*gr;
	struct peer		*pe;

	if (he->he_push) {
		if (he->he_type == IMSG_GRANT && (gr = grant_find(mg->grant,
		    he->he_inst, 0)) != NULL)
			gr->gr_expires = 0;	/* the tick frees it */
		return;
	}
	if (before != NULL && before->he_id == he->he_id &&
	    before->he_proc == he->he_proc && before->he_inst == he->he_inst)
		return;
	if ((pe = held_peer(he)) != NULL)
		(void)proc_result(pe, he->he_id, R_UNAVAILABLE, 0, "");
}

static void
committed(struct db *db, int ok)
{
	struct heldlist	 done = TAILQ_HEAD_INITIALIZER(done);
	struct held	*he, *before = NULL;

	while ((he = TAILQ_FIRST(&db->db_held)) != NULL) {
		TAILQ_REMOVE(&db->db_held, he, he_entry);
		if (ok && he->he_did) {
			TAILQ_INSERT_TAIL(&done, he, he_entry);
			continue;
		}
		if (ok)
			deliver(he);
		else
			deny(he, before);
		if (he->he_push) {
			hold_free(he);
			continue;
		}
		if (before != NULL)
			hold_free(before);
		before = he;
	}
	if (before != NULL)
		hold_free(before);
	/* What was taken away may have been told behind the answer. */
	while ((he = TAILQ_FIRST(&done)) != NULL) {
		TAILQ_REMOVE(&done, he, he_entry);
		if (fence_keeps(he))
			continue;
		deliver(he);
		hold_free(he);
	}
}

static void
commit_turn(int fd, short ev, void *arg)
{
	(void)fd;
	(void)ev;
	(void)arg;
	(void)db_commit_all();
}

/*
 * Tenants.
 */

struct tenant *
tenant_by_id(uint32_t id)
{
	struct tenant	 key = { .tn_id = id };

	return (RB_FIND(tenant_tree, &tenant_all, &key));
}

struct tenant *
tenant_by_name(const char *name)
{
	struct tenant	*tn;

	RB_FOREACH(tn, tenant_tree, &tenant_all)
		if (strcmp(tn->tn_name, name) == 0)
			return (tn);
	return (NULL);
}

struct tenant *
tenant_new(uint32_t id, const char *name)
{
	struct tenant	*tn;

	if ((tn = calloc(1, sizeof(*tn))) == NULL)
		return (NULL);
	tn->tn_id = id;
	policy_default(&tn->tn_policy);
	if (strlcpy(tn->tn_name, name, sizeof(tn->tn_name)) >=
	    sizeof(tn->tn_name) ||
	    RB_INSERT(tenant_tree, &tenant_all, tn) != NULL) {
		free(tn);
		return (NULL);
	}
	return (tn);
}

static void
tenant_mark(struct tenant *tn, enum db_why why)
{
	if (why != DB_OK && tn->tn_why != why) {
		log_warnx("tenant %s: its data %s; the others go on",
		    tn->tn_name, db_why_text(why));
		alert_raise(ALERT_DATA, tn->tn_id, "its data %s",
		    db_why_text(why));
	} else if (why == DB_OK && tn->tn_why != DB_OK)
		log_info("tenant %s: its data is well again", tn->tn_name);
	tn->tn_why = why;
	tn->tn_retry = mono_ms() +
	    (why == DB_TROUBLE ? RETRY_TROUBLE : RETRY_DAMAGED);
}

struct db *
tenant_enter(struct tenant *tn)
{
	struct db	*db;
	enum db_why	 why;

	if (tn->tn_why != DB_OK && mono_ms() < tn->tn_retry)
		return (NULL);
	db = db_enter(tn->tn_id, &why);
	tenant_mark(tn, why);
	return (db);
}

void
tenant_leave(struct tenant *tn, struct db *db)
{
	if (db->db_broken && db->db_why == DB_DAMAGED)
		tenant_mark(tn, DB_DAMAGED);
	if (db->db_intx)
		arm(&commit_ev, 0);
	db_leave(db);
}

/*
 * Long answers.
 */

int
rq_stream(struct request *rq, int (*step)(struct stream *, struct peer *),
    void *data, void (*data_free)(void *))
{
	struct stream	*st;

	if ((st = calloc(1, sizeof(*st))) == NULL) {
		if (data_free != NULL)
			data_free(data);
		return (-1);
	}
	st->st_data = data;
	st->st_free = data_free;
	st->st_proc = rq->rq_peer->pe_proc;
	st->st_inst = rq->rq_peer->pe_inst;
	st->st_id = rq->rq_id;
	st->st_tenant = rq->rq_tn == NULL ? 0 : rq->rq_tn->tn_id;
	st->st_grant = rq->rq_gr == NULL ? 0 : rq->rq_gr->gr_id;
	st->st_step = step;
	TAILQ_INSERT_TAIL(&streams, st, st_entry);
	arm(&stream_ev, 0);
	return (0);
}

static void
stream_free(struct stream *st)
{
	TAILQ_REMOVE(&streams, st, st_entry);
	if (st->st_free != NULL)
		st->st_free(st->st_data);
	free(st);
}

/* 1: more to come, now or when the peer has read. */
static int
stream_turn(struct stream *st, int *busy)
{
	struct peer	*pe;
	int		 n;

	if ((pe = proc_peer(st->st_proc, st->st_inst)) == NULL)
		return (0);
	if (proc_queued(pe) > STREAM_HIGH || st->st_unread >= STREAM_UNREAD)
		return (1);
	if (st->st_grant != 0 && grant_find(st->st_grant, st->st_inst,
	    now_ms()) == NULL) {
		(void)proc_result(pe, st->st_id, R_SESSION, 0, "");
		return (0);
	}
	st->st_idle = 0;
	n = st->st_step(st, pe);
	*busy |= !st->st_idle;
	return (n);
}

/* The client has read, or there is none any more. */
static void
stream_read(const struct peer *pe, uint32_t id, const struct m_read_on *m)
{
	struct stream	*st, *next;

	TAILQ_FOREACH_SAFE(st, &streams, st_entry, next) {
		if (st->st_proc != pe->pe_proc || st->st_id != id)
			continue;
		st->st_unread = 0;
		if (m->gone)
			stream_free(st);
		arm(&stream_ev, 0);
	}
}

static void
stream_turns(int fd, short ev, void *arg)
{
	struct stream	*st, *next;
	int		 busy = 0;

	(void)fd;
	(void)ev;
	(void)arg;
	TAILQ_FOREACH_SAFE(st, &streams, st_entry, next)
		if (!stream_turn(st, &busy))
			stream_free(st);
	if (!TAILQ_EMPTY(&streams))
		arm(&stream_ev, busy ? 0 : 10);
}

/* The tenants that a new session process or auth has to know. */
static int
stream_tenants(struct stream *st, struct peer *pe)
{
	struct tenant	 key = { .tn_id = (uint32_t)st->st_after + 1 };
	struct tenant	*tn;
	uint8_t		 rules[POLICY_BYTES];
	struct m_tenant	 m;
	int		 n = 0;

	for (tn = RB_NFIND(tenant_tree, &tenant_all, &key);
	    tn != NULL && n < STREAM_ROWS;
	    tn = RB_NEXT(tenant_tree, &tenant_all, tn), n++) {
		m = tenant_told(tn, rules);
		(void)proc_send(pe, IMSG_TENANT, 0, -1, &m);
		st->st_after = tn->tn_id;
	}
	if (tn == NULL && pe->pe_proc == PROC_SESSION)
		(void)proc_send(pe, IMSG_TENANT_END, 0, -1, NULL);
	return (tn != NULL);
}

static void
introduce(struct peer *pe)
{
	struct request	 rq = { .rq_peer = pe };

	if (!started)
		return;
	if (rq_stream(&rq, stream_tenants, NULL, NULL) == -1)
		log_warnx("no memory to tell the tenants");
	operators_tell();
}

/*
 * Grants.
 */

/* The row learns that its token is in use, or was until now. */
static void
grant_seen(struct grant *gr, uint64_t now)
{
	struct tenant	*tn = tenant_by_id(gr->gr_tenant);
	struct db	*db;

	gr->gr_seen = now;
	if (tn == NULL || (db = tenant_enter(tn)) == NULL)
		return;
	if (db_begin(db) == 0)
		(void)db_end(db, db_exec(db, S_TOKEN_SEEN,
		    ARGS(NUM(gr->gr_token), NUM(now))) != -1);
	tenant_leave(tn, db);
}

/* By its row it would not be over: by the clock of before. */
static void
grant_over(const struct grant *gr)
{
	struct tenant	*tn = tenant_by_id(gr->gr_tenant);
	struct db	*db;

	if (tn == NULL || (db = tenant_enter(tn)) == NULL)
		return;
	if (db_begin(db) == 0)
		(void)db_end(db, db_exec(db, S_TOKEN_DEL,
		    ARGS(NUM(gr->gr_token))) != -1);
	tenant_leave(tn, db);
}

/* Or less, where sign-ins idle out sooner than in four of these. */
static uint64_t
seen_interval(uint32_t idle)
{
	uint64_t	 ms = (uint64_t)idle * SECOND / 4;

	return (ms < SEEN_MAX ? ms : SEEN_MAX);
}

/* Is it time to write that the sign-in is in use? */
static int
seen_due(const struct tenant *tn, const struct grant *gr, uint64_t now)
{
	return (now < gr->gr_seen || now - gr->gr_seen >= seen_interval(
	    policy_seconds(&tn->tn_policy, POLICY_IDLE,
	    storage_conf->sc_idle)));
}

/* Between two looks at all grants: thousands of idle ones cost little. */
static unsigned int
tick_interval(void)
{
	unsigned int	 ms = (unsigned int)(seen_interval(
				    storage_conf->sc_idle) / 60);

	return (ms > SECOND ? ms : SECOND);
}

static void
seen_one(struct grant *gr, void *arg)
{
	gr->gr_seen = *(const uint64_t *)arg;
}

/* Which worker may hold a user's page is told to the other workers. */
static void
grant_told(struct peer *pe, const struct grant *gr, int on)
{
	struct m_bus_grant	 m = { (uint16_t)gr->gr_inst, gr->gr_tenant,
				    gr->gr_user, on != 0, gr->gr_role };

	(void)proc_send(pe, IMSG_BUS_GRANT, 0, -1, &m);
}

static void
grant_moved(const struct grant *gr, int on)
{
	struct peer	*pe;
	unsigned int	 i;

	for (i = 0; i < proc_nsession; i++)
		if (i != gr->gr_inst &&
		    (pe = proc_peer(PROC_SESSION, i)) != NULL)
			grant_told(pe, gr, on);
}

static void
grant_introduce(struct grant *gr, void *arg)
{
	struct peer	*pe = arg;

	if (gr->gr_inst != pe->pe_inst)
		grant_told(pe, gr, 1);
}

static void
grant_tick(struct grant *gr, void *arg)
{
	struct m_grant_end	 m = { gr->gr_id, END_EXPIRED };
	struct tenant		*tn = tenant_by_id(gr->gr_tenant);
	struct peer		*pe;
	uint64_t		 now = *(const uint64_t *)arg;

	if (now >= token_end(tn, gr->gr_created, gr->gr_expires)) {
		if ((pe = proc_peer(PROC_SESSION, gr->gr_inst)) != NULL)
			(void)proc_send(pe, IMSG_GRANT_END, 0, -1, &m);
		if (gr->gr_shifted)
			grant_over(gr);
		grant_free(gr);
		return;
	}
	if (seen_due(tn, gr, now)) {
		grant_seen(gr, now);
		grant_each(gr->gr_tenant, gr->gr_user, gr->gr_token, seen_one,
		    &now);
	}
}

/* Some tenants at a time, for each has a file to open. */
static void
sweep(uint64_t now)
{
	struct tenant	*tn;
	int		 n = 0;

	RB_FOREACH(tn, tenant_tree, &tenant_all)
		if (now >= tn->tn_sweep && n++ < SWEEP_TENANTS)
			tn->tn_sweep = guest_sweep(tn, now);
}

static void
tick(int fd, short ev, void *arg)
{
	static uint64_t	 expired;
	uint64_t	 now;

	(void)fd;
	(void)ev;
	(void)arg;
	clock_tick();
	now = now_ms();
	grant_each(0, 0, 0, grant_tick, &now);
	import_tick();
	audit_checkpoints(0);
	retain_tick();
	ending_tick();
	backup_tick();
	exported_tick();
	audit_watch();
	alert_tick();
	erase_tick();
	db_shrink_all();
	guest_late(now);
	sweep(now);
	if (mono_ms() - expired >= EXPIRE_EACH) {
		grant_expire(now);
		expired = mono_ms();
	}
	operators_tell();
	arm(&tick_ev, tick_interval());
}

/* The session process lets go. */
static void
grant_drop(struct grant *gr)
{
	uint64_t	 now = now_ms();

	if (seen_due(tenant_by_id(gr->gr_tenant), gr, now))
		grant_seen(gr, now);
	grant_free(gr);
}

struct ending {
	uint64_t	 en_except;
	enum grant_end	 en_why;
};

void
grant_end(struct grant *gr, enum grant_end why)
{
	struct m_grant_end	 m = { gr->gr_id, (uint8_t)why };
	struct peer		*pe;

	if ((pe = proc_peer(PROC_SESSION, gr->gr_inst)) != NULL) {
		(void)proc_send(pe, IMSG_GRANT_END, 0, -1, &m);
		fence_told(PROC_SESSION, gr->gr_inst, IMSG_GRANT_END);
	}
	grant_free(gr);
}

static void
end_one(struct grant *gr, void *arg)
{
	const struct ending	*en = arg;

	if (en->en_except == 0 || gr->gr_token != en->en_except)
		grant_end(gr, en->en_why);
}

void
grants_end(uint32_t tenant, uint32_t user, uint64_t token, uint64_t except,
    enum grant_end why)
{
	struct ending	 en = { except, why };

	grant_each(tenant, user, token, end_one, &en);
}

static void
drop_inst(struct grant *gr, void *arg)
{
	if (gr->gr_inst == *(const unsigned int *)arg)
		grant_drop(gr);
}

/*
 * Requests.
 */

/* Who may ask, each what those before may: who waits at the door, a guest. */
enum asker { ASK_AUTH, ASK_DOOR, ASK_GUEST, ASK_USER, ASK_ADMIN };

static const struct handler {
	uint32_t	 h_type;
	enum asker	 h_asker;
	int		 h_writes;
	enum result	 h_unknown;	/* the answer without a tenant */
	enum result	(*h_fn)(struct request *, const void *);
} handlers[] = {
	{ IMSG_CRED_FIND, ASK_AUTH, 0, R_NOTFOUND, data_cred_find },
	{ IMSG_CRED_TOKEN, ASK_AUTH, 0, R_SESSION, data_cred_token },
	{ IMSG_CRED_LINK, ASK_AUTH, 0, R_LINK, data_cred_link },
	{ IMSG_CRED_SET, ASK_AUTH, 1, R_SESSION, data_cred_set },
	{ IMSG_FACTOR_PUT, ASK_AUTH, 1, R_SESSION, data_factor_put },
	{ IMSG_TOKEN_NEW, ASK_AUTH, 1, R_NOTFOUND, data_token_new },
	{ IMSG_TOKEN_FIND, ASK_AUTH, 0, R_SESSION, data_token_find },
	{ IMSG_GRANT_NEW, ASK_AUTH, 0, R_SESSION, data_grant_new },
	{ IMSG_LINK_FIND, ASK_AUTH, 0, R_LINK, data_link_find },
	{ IMSG_LINK_SET, ASK_AUTH, 1, R_LINK, data_link_set },
	{ IMSG_PASSKEY_START, ASK_AUTH, 0, R_SESSION, data_passkey_start },
	{ IMSG_PASSKEY_FIND, ASK_AUTH, 0, R_NOTFOUND, data_passkey_find },
	{ IMSG_PASSKEY_PUT, ASK_AUTH, 1, R_SESSION, data_passkey_put },
	{ IMSG_PASSKEY_DROP, ASK_AUTH, 1, R_SESSION, data_passkey_drop },
	{ IMSG_GUEST_FIND, ASK_AUTH, 0, R_LINK, data_guest_find },
	{ IMSG_GUEST_CRED, ASK_AUTH, 0, R_LINK, data_guest_cred },
	{ IMSG_GUEST_NEW, ASK_AUTH, 1, R_LINK, data_guest_new },
	{ IMSG_GUEST_SEAL, ASK_AUTH, 0, R_SESSION, data_guest_seal },

	{ IMSG_LOCK, ASK_AUTH, 1, R_NOTFOUND, data_lock },
	{ IMSG_LOCKS, ASK_AUTH, 0, R_NOTFOUND, data_locks },
	{ IMSG_ALERT, ASK_AUTH, 1, R_NOTFOUND, data_alert },

	{ IMSG_SIGNOUT, ASK_DOOR, 1, R_SESSION, me_signout },
	{ IMSG_SIGNINS, ASK_USER, 0, R_SESSION, me_signins },
	{ IMSG_SIGNIN_END, ASK_USER, 1, R_SESSION, me_signin_end },
	{ IMSG_FACTOR_GET, ASK_USER, 0, R_SESSION, me_factor },
	{ IMSG_ME_SET, ASK_GUEST, 1, R_SESSION, me_set },
	{ IMSG_FLOORS, ASK_GUEST, 0, R_SESSION, me_floors },
	{ IMSG_FLOOR_GET, ASK_GUEST, 0, R_SESSION, me_floor },
	{ IMSG_TALK_GET, ASK_GUEST, 0, R_SESSION, me_talk },
	{ IMSG_PLACE_SET, ASK_GUEST, 0, R_SESSION, me_place },
	{ IMSG_SAY, ASK_GUEST, 1, R_SESSION, me_say },
	{ IMSG_HISTORY, ASK_GUEST, 0, R_SESSION, me_history },
	{ IMSG_READ, ASK_GUEST, 1, R_SESSION, me_read },
	{ IMSG_ERASE, ASK_GUEST, 1, R_SESSION, me_erase },
	{ IMSG_UNREAD, ASK_GUEST, 0, R_SESSION, me_unread },
	{ IMSG_PEOPLE, ASK_USER, 0, R_SESSION, me_people },
	{ IMSG_PASSKEYS, ASK_USER, 0, R_SESSION, me_passkeys },
	{ IMSG_PASSKEY_NAME, ASK_USER, 1, R_SESSION, me_passkey_name },
	{ IMSG_GUEST_NAME, ASK_DOOR, 1, R_SESSION, me_guest_name },
	{ IMSG_GUEST_ADMIT, ASK_USER, 1, R_SESSION, me_guest_admit },
	{ IMSG_DOOR_KEY, ASK_ADMIN, 1, R_SESSION, adm_door_key },

	{ IMSG_GUESTS, ASK_USER, 0, R_SESSION, me_guests },
	{ IMSG_GUEST_ADD, ASK_USER, 1, R_SESSION, me_guest_add },
	{ IMSG_GUEST_DEL, ASK_USER, 1, R_SESSION, me_guest_del },
	{ IMSG_VISIT_DEL, ASK_USER, 1, R_SESSION, me_visit_del },

	{ IMSG_A_USERS, ASK_ADMIN, 0, R_SESSION, adm_users },
	{ IMSG_A_USER_ADD, ASK_ADMIN, 1, R_SESSION, adm_user_add },
	{ IMSG_A_USER_SET, ASK_ADMIN, 1, R_SESSION, adm_user_set },
	{ IMSG_A_USER_DEL, ASK_ADMIN, 1, R_SESSION, adm_user_del },
	{ IMSG_A_ERASE, ASK_ADMIN, 1, R_SESSION, adm_erase },
	{ IMSG_A_USER_LINK, ASK_ADMIN, 1, R_SESSION, adm_user_link },
	{ IMSG_A_SIGNINS, ASK_ADMIN, 0, R_SESSION, adm_signins },
	{ IMSG_A_SIGNINS_END, ASK_ADMIN, 1, R_SESSION, adm_signins_end },
	{ IMSG_A_FACTOR_DEL, ASK_ADMIN, 1, R_SESSION, adm_factor_del },
	{ IMSG_A_GROUPS, ASK_ADMIN, 0, R_SESSION, adm_groups },
	{ IMSG_A_GROUP_ADD, ASK_ADMIN, 1, R_SESSION, adm_group_add },
	{ IMSG_A_GROUP_SET, ASK_ADMIN, 1, R_SESSION, adm_group_set },
	{ IMSG_A_GROUP_DEL, ASK_ADMIN, 1, R_SESSION, adm_group_del },
	{ IMSG_A_TEMPLATES, ASK_ADMIN, 0, R_SESSION, adm_templates },
	{ IMSG_A_FLOORS, ASK_ADMIN, 0, R_SESSION, adm_floors },
	{ IMSG_A_FLOOR_ADD, ASK_ADMIN, 1, R_SESSION, adm_floor_add },
	{ IMSG_A_FLOOR_SET, ASK_ADMIN, 1, R_SESSION, adm_floor_set },
	{ IMSG_A_FLOOR_DEL, ASK_ADMIN, 1, R_SESSION, adm_floor_del },
	{ IMSG_A_ROLES, ASK_ADMIN, 0, R_SESSION, adm_roles },
	{ IMSG_A_ROLE_ADD, ASK_ADMIN, 1, R_SESSION, adm_role_add },
	{ IMSG_A_ROLE_SET, ASK_ADMIN, 1, R_SESSION, adm_role_set },
	{ IMSG_A_ROLE_DEL, ASK_ADMIN, 1, R_SESSION, adm_role_del },
	{ IMSG_A_TENANT_SET, ASK_ADMIN, 1, R_SESSION, adm_tenant_set },
	{ IMSG_A_POLICY_SET, ASK_ADMIN, 1, R_SESSION, adm_policy_set },
	{ IMSG_A_IMPORT_BEGIN, ASK_ADMIN, 0, R_SESSION, adm_import_begin },
	{ IMSG_A_IMPORT_LINE, ASK_ADMIN, 0, R_SESSION, adm_import_line },
	{ IMSG_A_IMPORT_END, ASK_ADMIN, 1, R_SESSION, adm_import_end },
	{ IMSG_A_ALERTS, ASK_ADMIN, 0, R_SESSION, adm_alerts },
	{ IMSG_A_AUDIT, ASK_ADMIN, 0, R_SESSION, adm_audit },
	{ IMSG_A_POINTS, ASK_ADMIN, 0, R_SESSION, adm_points },
	{ IMSG_A_LOG, ASK_ADMIN, 1, R_SESSION, adm_log },
	{ IMSG_A_EXPORTS, ASK_ADMIN, 0, R_SESSION, adm_exports },
};

static const struct handler *
handler_of(uint32_t type)
{
	size_t	 i;

	for (i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (handlers[i].h_type == type)
			return (&handlers[i]);
	return (NULL);
}

/* What may be asked by somebody who has to do something else first. */
static const uint32_t	 first_types[] = { IMSG_SIGNOUT, IMSG_FACTOR_GET,
				    IMSG_PASSKEYS };

static int
asked_first(uint32_t type)
{
	size_t	 i;

	for (i = 0; i < sizeof(first_types) / sizeof(first_types[0]); i++)
		if (first_types[i] == type)
			return (1);
	return (0);
}

/* The most that the owner of a grant may. */
static enum asker
standing(const struct grant *gr)
{
	if (gr->gr_role == ROLE_GUEST)
		return (gr->gr_door ? ASK_DOOR : ASK_GUEST);
	return (gr->gr_role == ROLE_ADMIN ? ASK_ADMIN : ASK_USER);
}

/*
 * Whose data it is about.  A session proves it by its grant; auth names the
 * tenant, and only what auth may do follows from that.
 */
static enum result
identify(struct request *rq, const struct handler *h, const void *m)
{
	struct grant	*gr;

	if (h->h_asker == ASK_AUTH) {
		rq->rq_tn = tenant_by_id(*(const uint32_t *)m);
	} else {
		gr = grant_find(*(const uint64_t *)m, rq->rq_peer->pe_inst,
		    now_ms());
		if (gr == NULL && !grant_past(*(const uint64_t *)m,
		    rq->rq_peer->pe_inst, &rq->rq_copy))
			alert_grant(rq->rq_peer);
		if (gr == NULL)
			return (R_SESSION);
		rq->rq_copy = *gr;
		rq->rq_gr = &rq->rq_copy;
		rq->rq_tn = tenant_by_id(rq->rq_gr->gr_tenant);
	}
	if (rq->rq_tn == NULL || rq->rq_tn->tn_state != TENANT_ACTIVE)
		return (h->h_unknown);
	if (rq->rq_gr != NULL && rq->rq_gr->gr_must != 0 &&
	    !asked_first(h->h_type))
		return (R_MUST);
	if (rq->rq_gr != NULL && standing(rq->rq_gr) < h->h_asker)
		return (R_FORBIDDEN);
	if (h->h_asker == ASK_ADMIN && !policy_allows(&rq->rq_tn->tn_policy,
	    POLICY_ADMIN_NETWORKS, rq->rq_gr->gr_addr))
		return (R_ADDRESS);
	return (R_OK);
}

static void
serve(struct request *rq, const struct handler *h, const void *m)
{
	const struct held	*mark;
	enum result		 r;

	if ((r = identify(rq, h, m)) != R_OK) {
		(void)proc_result(rq->rq_peer, rq->rq_id, r, 0, "");
		return;
	}
	if ((rq->rq_db = tenant_enter(rq->rq_tn)) == NULL) {
		(void)proc_result(rq->rq_peer, rq->rq_id, R_UNAVAILABLE, 0,
		    "");
		return;
	}
	rq->rq_writes = h->h_writes;
	if (h->h_writes && db_begin(rq->rq_db) == -1)
		r = R_UNAVAILABLE;
	else {
		mark = TAILQ_LAST(&rq->rq_db->db_held, heldlist);
		r = h->h_fn(rq, m);
		if (h->h_writes && r != R_OK)
			rq_unanswer(rq, mark);
		/* Its answer waits already: only the whole can fail now. */
		if (h->h_writes && db_end(rq->rq_db, r == R_OK) == -1 &&
		    r == R_OK)
			rq->rq_db->db_broken = 1;
	}
	if (r != R_OK)
		rq_result(rq, r, rq->rq_arg, rq->rq_field);
	tenant_leave(rq->rq_tn, rq->rq_db);
}

/*
 * Configuration.
 */

static void
conf_free(struct storage_conf *sc)
{
	struct template	*tp;

	if (sc == NULL)
		return;
	while ((tp = TAILQ_FIRST(&sc->sc_templates)) != NULL) {
		TAILQ_REMOVE(&sc->sc_templates, tp, tp_entry);
		free(tp->tp_name);
		free(tp->tp_map);
		free(tp);
	}
	freezero(sc, sizeof(*sc));
}

static void
conf_site(const struct m_site *m)
{
	conf_free(next_conf);
	if ((next_conf = calloc(1, sizeof(*next_conf))) == NULL)
		return;
	TAILQ_INIT(&next_conf->sc_templates);
	next_conf->sc_generation = m->generation;
	next_conf->sc_idle = m->idle;
	next_conf->sc_invite = m->invite;
	next_conf->sc_backup_at = m->backup_at;
	next_conf->sc_backup_keep = m->backup_keep;
	next_conf->sc_confirm = m->confirm;
	(void)strlcpy(next_conf->sc_country, m->country,
	    sizeof(next_conf->sc_country));
}

static void
conf_master(int fd)
{
	void	*data;
	ssize_t	 n;

	if ((n = read_all(fd, SEAL_KEY, &data)) == -1)
		return;
	if (n == SEAL_KEY) {
		memcpy(next_conf->sc_master, data, SEAL_KEY);
		next_conf->sc_has_master = 1;
	}
	freezero(data, (size_t)n);
}

static void
conf_previous(int fd)
{
	void	*data;
	ssize_t	 n;

	next_conf->sc_has_previous = -1;
	if ((n = read_all(fd, SEAL_KEY, &data)) == -1)
		return;
	if (n == SEAL_KEY) {
		memcpy(next_conf->sc_previous, data, SEAL_KEY);
		next_conf->sc_has_previous = 1;
	}
	freezero(data, (size_t)n);
}

static void
conf_template(int fd, const char *name)
{
	struct template	*tp;
	ssize_t		 n;

	if ((tp = calloc(1, sizeof(*tp))) == NULL)
		return;
	if ((tp->tp_name = strdup(name)) == NULL ||
	    (n = read_all(fd, MAX_MAP, &tp->tp_map)) <= 0) {
		log_warnx("template %s is not to be had", log_safe(name));
		free(tp->tp_name);
		free(tp);
		return;
	}
	tp->tp_len = (size_t)n;
	TAILQ_INSERT_TAIL(&next_conf->sc_templates, tp, tp_entry);
}

static void
conf_file(const struct m_conf_file *m, struct imsg *imsg)
{
	int	 fd;

	if ((fd = imsg_get_fd(imsg)) == -1) {
		if (next_conf != NULL)
			next_conf->sc_lost = 1;
		return;
	}
	if (next_conf != NULL && m->kind == FILE_MASTER)
		conf_master(fd);
	else if (next_conf != NULL && m->kind == FILE_PREVIOUS)
		conf_previous(fd);
	else if (next_conf != NULL && m->kind == FILE_TEMPLATE)
		conf_template(fd, m->name);
	(void)close(fd);
}

/*
 * Two at work on the same data would not know of each other's keys, sign-ins
 * and files.  Of one that was killed the storage may have a moment to live.
 * NULL, or why the data is not ours.
 */
static const char *
data_claim(void)
{
	const struct timespec	 tenth = { 0, 100000000 };
	static int		 fd = -1;
	int			 n, tries = LOCK_TRIES;

	if (fd != -1)
		return (NULL);
	if ((fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return ("the data directory cannot be read: it has to belong "
		    "to _risastor");
	while ((n = flock(fd, LOCK_EX | LOCK_NB)) == -1 &&
	    errno == EWOULDBLOCK && tries-- > 0)
		(void)nanosleep(&tenth, NULL);
	if (n == 0)
		return (NULL);
	(void)close(fd);
	fd = -1;
	return ("another risad works on the data directory");
}

/* Why the generation cannot be ours, or NULL. */
static const char *
conf_fault(uint64_t generation)
{
	const uint8_t	*previous;
	const char	*fault;
	enum db_why	 why;

	if (next_conf == NULL || next_conf->sc_generation != generation)
		return ("the configuration did not arrive whole");
	if (next_conf->sc_lost)
		return ("a descriptor was lost");
	if (!next_conf->sc_has_master)
		return ("the master key is not 32 bytes");
	if (next_conf->sc_has_previous == -1)
		return ("the previous master key is not 32 bytes");
	previous = next_conf->sc_has_previous ? next_conf->sc_previous : NULL;
	/* Others are taken when all processes have what they need. */
	if (started)
		return (db_masters_fault(next_conf->sc_master, previous,
		    rotate_needs_previous()));
	if ((fault = data_claim()) != NULL)
		return (fault);
	why = db_start(next_conf->sc_master, previous);
	if (why == DB_KEY)
		return ("master key is not the one of this data");
	if (why == DB_NEWER)
		return ("system.db was written by a newer risad");
	if (why != DB_OK)
		return ("system.db cannot be opened");
	return (NULL);
}

static void
conf_end(struct peer *pe, uint64_t generation)
{
	const char		*why = conf_fault(generation);
	struct m_conf_ack	 m = { generation, why == NULL,
				    why == NULL ? "" : why };

	(void)proc_send(pe, IMSG_CONF_ACK, 0, -1, &m);
	if (why != NULL) {
		conf_free(next_conf);
		next_conf = NULL;
	}
}

static void
conf_keys(struct storage_conf *sc)
{
	if (db_masters(sc->sc_master, sc->sc_has_previous ? sc->sc_previous :
	    NULL) == -1)
		log_warnx("the master keys cannot be exchanged now");
	explicit_bzero(sc->sc_master, SEAL_KEY);
	explicit_bzero(sc->sc_previous, SEAL_KEY);
}

static void
conf_commit(uint64_t generation)
{
	unsigned int	 i;

	if (next_conf == NULL || next_conf->sc_generation != generation)
		return;
	conf_free(storage_conf);
	storage_conf = next_conf;
	next_conf = NULL;
	conf_keys(storage_conf);
	if (started) {
		rotate_look();
		return;
	}
	if (tenants_load() == -1)
		log_warnx("system.db: the tenants are not complete");
	backup_start();
	started = 1;
	alert_start();
	clock_start();
	rotate_look();
	arm(&tick_ev, SECOND);
	for (i = 0; i < proc_nsession; i++)
		if (proc_peer(PROC_SESSION, i) != NULL)
			introduce(proc_peer(PROC_SESSION, i));
	if (proc_peer(PROC_AUTH, 0) != NULL)
		introduce(proc_peer(PROC_AUTH, 0));
}

/* A sign-in that a process had which is not to be trusted any more. */
static void
token_broken(uint32_t tenant, uint32_t user, uint64_t token)
{
	struct tenant	*tn = tenant_by_id(tenant);
	struct db	*db;

	if (tn == NULL || (db = tenant_enter(tn)) == NULL)
		return;
	if (db_begin(db) == 0)
		(void)db_end(db, db_exec(db, S_TOKEN_DEL,
		    ARGS(NUM(token))) != -1);
	grants_end(tenant, user, token, 0, END_ENDED);
	tenant_leave(tn, db);
}

static void
session_broken(unsigned int inst)
{
	alert_raise(ALERT_BROKEN, DB_SYSTEM, "session %u is taken as broken "
	    "into", inst);
	if (inst < MAX_SESSIONS)
		grant_known(inst, token_broken);
}

static int
from_parent(struct peer *pe, uint32_t type, const void *m, struct imsg *imsg)
{
	switch (type) {
	case IMSG_CONF_SITE:
		conf_site(m);
		break;
	case IMSG_CONF_FILE:
		conf_file(m, imsg);
		break;
	case IMSG_CONF_END:
		conf_end(pe, ((const struct m_conf_end *)m)->generation);
		break;
	case IMSG_CONF_COMMIT:
		conf_commit(((const struct m_conf_end *)m)->generation);
		break;
	case IMSG_BROKEN:
		session_broken(((const struct m_procfd *)m)->inst);
		break;
	case IMSG_DIED:
		alert_died(m);
		break;
	default:
		return (-1);
	}
	return (0);
}

/*
 * The process.
 */

static int	 stopping, keys_told;

struct peer *
keys_peer(void)
{
	return (keys_told ? proc_peer(PROC_KEYS, 0) : NULL);
}

static void
stop(void)
{
	access_flush();
	places_write();
	alert_flush();
	if (started)
		clock_stop();
	db_stop();
	proc_exit(0);
}

static int
from_keys(uint32_t type, uint32_t id, const void *m)
{
	switch (type) {
	case IMSG_PROVEN:
		if (id == PROVE_ERASURE)
			erasure_proven(m);
		else if (id != 0)
			signing_proven(id, m);
		if (id != 0)
			return (0);
		audit_proven(m);
		if (stopping && audit_waits() == 0)
			stop();
		return (0);
	case IMSG_CERT:
		alert_cert(((const struct m_cert *)m)->until);
		return (0);
	case IMSG_PROOF_KEY:
		memcpy(storage_key, ((const struct m_proof_key *)m)->key,
		    sizeof(storage_key));
		keys_told = 1;
		return (0);
	default:
		return (-1);
	}
}

static int
storage_imsg(struct peer *pe, uint32_t type, uint32_t id, const void *m,
    struct imsg *imsg)
{
	struct request		 rq = { .rq_peer = pe, .rq_type = type,
				    .rq_id = id };
	const struct handler	*h;
	struct grant		*gr, copy;

	if (pe->pe_proc == PROC_PARENT)
		return (from_parent(pe, type, m, imsg));
	if (pe->pe_proc == PROC_KEYS)
		return (from_keys(type, id, m));
	if (!started && (type == IMSG_ACCESS || type == IMSG_READ_ON))
		return (0);
	if (!started) {
		(void)proc_result(pe, id, R_UNAVAILABLE, 0, "");
		return (0);
	}
	if (type == IMSG_ACCESS)
		access_told(pe, m);
	else if (type == IMSG_GRANT_DROP) {
		gr = grant_find(((const struct m_grant_only *)m)->grant,
		    pe->pe_inst, 0);
		if (gr != NULL) {
			copy = *gr;
			grant_drop(gr);
			guest_gone(&copy);
		}
	} else if ((h = handler_of(type)) != NULL)
		serve(&rq, h, m);
	else if (type == IMSG_READ_ON)
		stream_read(pe, id, m);
	else if (type == IMSG_FENCED)
		return (fence_passed(pe, m));
	else if (type == IMSG_NOTE)
		operator_note(&rq, m);
	else if (pe->pe_proc == PROC_AUTH)
		storage_control(&rq, m);
	else
		return (-1);
	return (0);
}

static void
storage_init(void)
{
	if (db_init() == -1)
		fatalx("SQLite or libcrypto does not start");
	db_hooks(audit_migrated, committed, rights_free);
}

static void
storage_start(void)
{
	(void)umask(077);
	evtimer_set(&commit_ev, commit_turn, NULL);
	evtimer_set(&stream_ev, stream_turns, NULL);
	evtimer_set(&tick_ev, tick, NULL);
	fence_start();
	grant_watch(grant_moved);
	access_start();
	retain_start();
	erase_start();
	rotate_start();
	place_start();
}

static void
storage_up(struct peer *pe)
{
	if (pe->pe_proc == PROC_AUTH)
		operators_forget();
	/* What was broken into, we have been told before the new pipe. */
	if (pe->pe_proc == PROC_SESSION) {
		grant_forget(pe->pe_inst);
		grant_each(0, 0, 0, grant_introduce, pe);
		guest_introduce(pe);
	}
	if (pe->pe_proc == PROC_SESSION || pe->pe_proc == PROC_AUTH)
		introduce(pe);
}

static void
storage_down(struct peer *pe)
{
	struct stream	*st, *next;

	if (pe->pe_inst < MAX_SESSIONS)
		lives[pe->pe_proc][pe->pe_inst]++;
	TAILQ_FOREACH_SAFE(st, &streams, st_entry, next)
		if (st->st_proc == pe->pe_proc && st->st_inst == pe->pe_inst)
			stream_free(st);
	if (pe->pe_proc == PROC_SESSION) {
		grant_each(0, 0, 0, drop_inst, &pe->pe_inst);
		fence_forget(pe->pe_inst);
	}
	if (pe->pe_proc == PROC_KEYS) {
		keys_told = 0;
		audit_forget();
		signing_unproven();
		erasures_unproven();
		if (stopping)
			stop();
	}
}

/* What no checkpoint knows yet gets one, if keys still answers. */
static void
storage_shutdown(void)
{
	stopping = 1;
	(void)db_commit_all();
	if (started)
		audit_checkpoints(1);
	if (audit_waits() == 0)
		stop();
}

const struct proc_ops	 storage_ops = {
	.po_proc = PROC_STORAGE,
	.po_promises = "stdio rpath wpath cpath flock fattr recvfd",
	.po_answers = 1,
	.po_init = storage_init,
	.po_start = storage_start,
	.po_imsg = storage_imsg,
	.po_up = storage_up,
	.po_down = storage_down,
	.po_shutdown = storage_shutdown,
};
